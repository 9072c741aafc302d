//! `balancer grid DIR -o FILE`

use std::path::{Path, PathBuf};

use anyhow::bail;
use image::{ImageFormat, RgbImage};
use imaging::grid::{Page, draw_page, lay_out};
use serde::Serialize;
use serde_json::json;

use crate::arguments::Grid;
use crate::outcome::{Outcome, SCHEMA, WrongUsage, answer};
use crate::pictures::{self, read_folder};

#[derive(Serialize)]
struct CellOfFile<'a> {
    number: u32,
    filename: &'a str,
    page: &'a Path,
}

/// Draws a folder's images on the grid pages that an evaluation sends to a vision service.
pub fn run(arguments: &Grid) -> anyhow::Result<Outcome> {
    let format = ImageFormat::from_path(&arguments.output).ok();
    let is_written = |format: &ImageFormat| matches!(format, ImageFormat::Png | ImageFormat::Jpeg | ImageFormat::WebP);
    let Some(format) = format.filter(is_written) else {
        let output = arguments.output.display();
        bail!(WrongUsage(format!("{output} can't be written: end its name in .png, .jpg or .webp")));
    };
    let read = read_folder(&arguments.dir)?;
    let images: Vec<&RgbImage> = read.iter().map(|picture| picture.preview.as_ref()).collect();
    let pages: Vec<(PathBuf, Page)> = (1..)
        .zip(lay_out(images.len(), &arguments.seed))
        .map(|(number, page)| (page_path(&arguments.output, number), page))
        .collect();
    for (path, page) in &pages {
        pictures::write(path, &draw_page(page, &images, None), format)?;
    }
    let cells: Vec<_> = pages
        .iter()
        .flat_map(|(path, page)| page.cells.iter().map(move |cell| (path, cell)))
        .map(|(path, cell)| CellOfFile { number: cell.number, filename: &read[cell.image].filename, page: path })
        .collect();
    if arguments.json {
        answer(format!("{:#}", json!({ "schema": SCHEMA, "cells": cells })));
    } else {
        cells.iter().for_each(|cell| answer(format!("{:>4}  {}", cell.number, cell.filename)));
        pages.iter().for_each(|(path, _)| answer(path.display()));
    }
    Ok(Outcome::Done)
}

fn page_path(output: &Path, number: usize) -> PathBuf {
    if number == 1 {
        return output.to_owned();
    }
    let stem = output.file_stem().unwrap_or_default().to_string_lossy();
    let ending = output.extension().map(|ending| format!(".{}", ending.to_string_lossy())).unwrap_or_default();
    output.with_file_name(format!("{stem}-{number}{ending}"))
}
