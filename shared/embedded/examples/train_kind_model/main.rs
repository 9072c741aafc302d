//! Trains the embedded model's two logistic regressions from a folder of labelled pictures
//! (`NNN_kind.jpg`), cross-validates them and prints the constants for `kind_model.rs`.
//!
//! `cargo run --release --example train_kind_model -- FOLDER`

#![allow(clippy::print_stdout)]

mod filters;
mod regression;
mod samples;

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;

use domain::kind::Kind;
use embedded::vision::features::Features;

use regression::{Logistic, Scale};
use samples::{Origin, Sample, read_folder, samples};

/// The features that distinguish drawings with and without colour. The first decision uses all others: it must not
/// depend on colour, because photographs without colour are photographs.
const COLOR_FEATURES: [&str; 3] = ["chroma_spread", "chroma_mean", "chroma_peak"];

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).ok_or("usage: train_kind_model FOLDER")?;
    let pictures = read_folder(Path::new(&folder))?;
    let mut all = Vec::new();
    for (source, picture) in pictures.iter().enumerate() {
        all.extend(samples(source, picture.kind, &picture.image)?);
    }
    println!("{} pictures, {} samples", pictures.len(), all.len());
    let names: Vec<&str> = pictures.iter().map(|picture| picture.name.as_str()).collect();
    cross_validate(&names, &all);
    KindModel::train(&all.iter().collect::<Vec<_>>()).print();
    Ok(())
}

/// Both decisions, with the scale of their features.
struct KindModel {
    scale: Scale,
    stylized: Logistic,
    colored: Logistic,
}

impl KindModel {
    fn train(samples: &[&Sample]) -> Self {
        let scale = Scale::of(&samples.iter().map(|sample| sample.features).collect::<Vec<_>>());
        let row = |sample: &&Sample, answer| (scale.apply(&sample.features), answer, sample.weight);
        let style: Vec<_> = samples.iter().map(|sample| row(sample, sample.kind != Kind::Photorealistic)).collect();
        let color: Vec<_> = samples
            .iter()
            .filter(|sample| sample.kind != Kind::Photorealistic)
            .map(|sample| row(sample, sample.kind == Kind::ColorStylized))
            .collect();
        let is_color = Features::NAMES.map(|name| COLOR_FEATURES.contains(&name));
        Self {
            stylized: Logistic::fit(&style, &is_color.map(|color| !color)),
            colored: Logistic::fit(&color, &is_color),
            scale,
        }
    }

    fn log_odds(&self, sample: &Sample) -> (f32, f32) {
        let row = self.scale.apply(&sample.features);
        (self.stylized.log_odds(&row), self.colored.log_odds(&row))
    }

    fn print(&self) {
        println!("const MEANS: [f32; COUNT] = {:?};", self.scale.mean);
        println!("const DEVIATIONS: [f32; COUNT] = {:?};", self.scale.deviation);
        for (name, model) in [("STYLIZED", self.stylized), ("COLORED", self.colored)] {
            println!("const {name}: Logistic = Logistic {{ bias: {:?}, weights: {:?} }};", model.bias, model.weights);
            for (feature, weight) in Features::NAMES.iter().zip(model.weights) {
                println!("//   {feature:>14} {weight:+.2}");
            }
        }
    }
}

/// Omits each picture once, with all samples made from it, and tests a model of the others on them.
fn cross_validate(names: &[&str], all: &[Sample]) {
    let mut right: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    let mut confusion: BTreeMap<(Kind, Kind), usize> = BTreeMap::new();
    for (held_out, name) in names.iter().enumerate() {
        let (test, training): (Vec<_>, Vec<_>) = all.iter().partition(|sample| sample.source == held_out);
        let model = KindModel::train(&training);
        for sample in test {
            let (stylized, colored) = model.log_odds(sample);
            let guess = match (stylized > 0.0, colored > 0.0) {
                (false, _) => Kind::Photorealistic,
                (true, false) => Kind::BwStylized,
                (true, true) => Kind::ColorStylized,
            };
            let tally = right.entry(origin_name(sample)).or_default();
            tally.0 += usize::from(guess == sample.kind);
            tally.1 += 1;
            if sample.origin == Origin::Real {
                *confusion.entry((sample.kind, guess)).or_default() += 1;
                let mark = if guess == sample.kind { "" } else { "  WRONG" };
                println!("{name}: {guess} (stylized {stylized:+.1}, colored {colored:+.1}){mark}");
            }
        }
    }
    println!("\nheld out, right of all:");
    for (origin, (hits, total)) in right {
        println!("  {origin}: {hits} of {total} ({:.1} %)", 100.0 * hits as f32 / total as f32);
    }
    println!("\nheld out, real pictures (kind, taken for, number):");
    for ((kind, guess), count) in confusion {
        println!("  {kind} {guess} {count}");
    }
}

fn origin_name(sample: &Sample) -> &'static str {
    match (sample.origin, sample.kind) {
        (Origin::Real, _) => "real",
        (Origin::Altered, Kind::Photorealistic) => "altered photographs",
        (Origin::Altered, _) => "altered drawings",
        (Origin::Grayscale, _) => "colourless photographs",
        (Origin::Filtered, Kind::BwStylized) => "filtered, colourless",
        (Origin::Filtered, _) => "filtered, coloured",
    }
}
