//! Parses a request as strictly as the vendor, and reads the number of each image from the page.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::imageops::crop_imm;
use image::{Rgb, RgbImage};
use imaging::decode;
use imaging::grid::{CELL_SIDE, REFERENCE_LABEL, TEXT_HEIGHT, draw_page, draw_text, lay_out, text_width};
use providers::vision::VisionMode;
use serde_json::Value;
use wiremock::Request;

use super::{KEY, NumberedImage, Quirk, Vendor, VisionRequest, schema};

/// At `detail: high` the vendor shrinks images with more patches.
const MAX_PATCHES: u64 = 2500;

/// The free pixels around an image in its cell.
const MARGIN: u32 = 4;

const FIELDS: [&str; 6] =
    ["model", "reasoning_effort", "max_completion_tokens", "max_tokens", "response_format", "messages"];

/// The reason why the stand-in rejects a request.
pub(super) struct Violation {
    pub(super) status: u16,
    pub(super) code: &'static str,
    pub(super) what: String,
    /// Whether only this server rejects it, and the vendor would accept it.
    pub(super) is_quirk: bool,
}

impl Violation {
    fn quirk(what: &str) -> Self {
        Self { is_quirk: true, ..what.into() }
    }
}

impl From<String> for Violation {
    fn from(what: String) -> Self {
        Self { status: 400, code: "invalid_request_error", what, is_quirk: false }
    }
}

impl From<&str> for Violation {
    fn from(what: &str) -> Self {
        what.to_owned().into()
    }
}

pub(super) fn parse(request: &Request, index: usize, vendor: &Vendor) -> Result<VisionRequest, Violation> {
    let header = |name: &str| request.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if header("authorization") != format!("Bearer {KEY}") {
        let what = format!("Incorrect API key provided: {}", header("authorization"));
        return Err(Violation { status: 401, code: "invalid_api_key", what, is_quirk: false });
    }
    if header("content-type") != "application/json" {
        return Err("the content type must be application/json".into());
    }
    let body: Value = serde_json::from_slice(&request.body).map_err(|error| error.to_string())?;
    if body["model"] != vendor.model {
        let what = format!("The model `{}` does not exist", body["model"]);
        return Err(Violation { status: 404, code: "model_not_found", what, is_quirk: false });
    }
    let numbers = announced_numbers(&body["messages"])?;
    let Shown { mode, images: shown, reference, patches } = pictures(&body["messages"], &numbers)?;
    check_form(&body, vendor, &numbers, reference.is_some())?;
    let picture_count = shown.len() + usize::from(reference.is_some());
    if vendor.quirk == Some(Quirk::OnePicture) && mode == VisionMode::Individual && picture_count > 1 {
        return Err(Violation::quirk("At most 1 image(s) may be provided in one prompt."));
    }
    if shown.iter().map(|shown| shown.number).collect::<BTreeSet<_>>() != numbers.iter().copied().collect() {
        return Err("the numbers on the page are not the announced ones".into());
    }
    let text = request.body.len() as u64 / 400;
    Ok(VisionRequest { index, mode, images: shown, reference, tokens: patches * 12 / 10 + text.min(500) + 800 })
}

/// The numbers that the text announces.
fn announced_numbers(messages: &Value) -> Result<Vec<u32>, Violation> {
    let text = messages[1]["content"][0]["text"].as_str().ok_or("the user's content must begin with text")?;
    let numbers = text.split(|c: char| !c.is_ascii_digit()).filter(|digits| !digits.is_empty());
    Ok(numbers.map(|digits| digits.parse().unwrap()).collect())
}

/// Checks everything except the messages, for images of these numbers.
fn check_form(body: &Value, vendor: &Vendor, numbers: &[u32], has_reference: bool) -> Result<(), Violation> {
    let fields = body.as_object().ok_or("the body must be an object")?;
    if let Some(unknown) = fields.keys().find(|field| !FIELDS.contains(&field.as_str())) {
        return Err(format!("Unrecognized request argument supplied: {unknown}").into());
    }
    if vendor.effort.is_none() && body.get("reasoning_effort").is_some() {
        return Err(Violation::quirk("Unrecognized request argument supplied: reasoning_effort"));
    }
    if body.get("reasoning_effort").map(Value::as_str) != vendor.effort.map(Some) {
        return Err(format!("Unsupported value: 'reasoning_effort' is {}", body["reasoning_effort"]).into());
    }
    let limit = match vendor.quirk {
        Some(Quirk::OlderTokenLimit) if body.get("max_completion_tokens").is_some() => {
            return Err(Violation::quirk("Unrecognized request argument supplied: max_completion_tokens"));
        }
        Some(Quirk::OlderTokenLimit) => "max_tokens",
        _ => "max_completion_tokens",
    };
    if !body[limit].as_u64().is_some_and(|tokens| (1..=16_384).contains(&tokens)) {
        return Err(format!("{limit} must be from 1 to 16384").into());
    }
    if vendor.quirk == Some(Quirk::NoSchema) {
        if body.get("response_format").is_some() {
            return Err(Violation::quirk("This model does not support the response_format `json_schema`"));
        }
        return check_schema_in_text(&body["messages"], numbers, has_reference);
    }
    let format = &body["response_format"];
    let named = &format["json_schema"];
    let is_name = named["name"].as_str().is_some_and(|name| {
        (1..=64).contains(&name.len()) && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c))
    });
    if format["type"] != "json_schema" || named["strict"] != true || !is_name {
        return Err("the response format must be a named json_schema, strict".into());
    }
    let cell = cell_of(&named["schema"]);
    if vendor.quirk == Some(Quirk::EnumsOfTextsOnly) {
        return match cell.get("enum").or(quality_of(&named["schema"]).get("enum")) {
            Some(_) => Err(Violation::quirk("Invalid schema: enum values must be strings, got integer")),
            None => Ok(schema::check(&named["schema"])?),
        };
    }
    check_schema(&named["schema"], numbers, has_reference)
}

fn cell_of(schema: &Value) -> &Value {
    &schema["properties"]["cells"]["items"]["properties"]["cell"]
}

fn quality_of(schema: &Value) -> &Value {
    &schema["properties"]["cells"]["items"]["properties"]["quality"]
}

fn check_schema(schema: &Value, numbers: &[u32], has_reference: bool) -> Result<(), Violation> {
    schema::check(schema)?;
    let entry = &schema["properties"]["cells"]["items"]["properties"];
    let asks = entry.get("same_character").is_some();
    if asks != has_reference || schema["properties"].get("reference").is_some() != has_reference {
        return Err("the schema must ask for the character exactly if a reference is shown".into());
    }
    let allowed = cell_of(schema)["enum"].as_array().into_iter().flatten().filter_map(Value::as_u64);
    if !allowed.eq(numbers.iter().map(|&number| u64::from(number))) {
        return Err("the numbers of the schema are not the announced ones".into());
    }
    Ok(())
}

/// For a server without schemas, the prompt must describe the schema.
fn check_schema_in_text(messages: &Value, numbers: &[u32], has_reference: bool) -> Result<(), Violation> {
    let parts = messages[1]["content"].as_array().into_iter().flatten();
    let text = parts.filter_map(|part| part["text"].as_str()).next_back().unwrap_or_default();
    let (_, schema) = text.split_once("JSON schema: ").ok_or("the text does not describe the form of the answer")?;
    check_schema(&serde_json::from_str(schema).map_err(|error| error.to_string())?, numbers, has_reference)
}

/// The pictures of a request.
struct Shown {
    mode: VisionMode,
    images: Vec<NumberedImage>,
    reference: Option<RgbImage>,
    patches: u64,
}

fn pictures(messages: &Value, numbers: &[u32]) -> Result<Shown, Violation> {
    let messages = messages.as_array().ok_or("messages must be a list")?;
    let [system, user] = messages.as_slice() else { return Err("two messages are expected".into()) };
    if system["role"] != "system" || !system["content"].is_string() || user["role"] != "user" {
        return Err("a system message and a user message are expected".into());
    }
    let parts = user["content"].as_array().ok_or("the user's content must be a list of parts")?;
    let (mut shown, mut patches, mut mode) = (Vec::new(), 0, VisionMode::Grid);
    let (mut announced, mut is_reference, mut reference) = (None, false, None);
    let has_marked_cell = parts[0]["text"].as_str().is_some_and(|text| text.contains("REF"));
    for part in parts {
        match part["type"].as_str() {
            Some("text") => {
                let text = part["text"].as_str().ok_or("a text part needs text")?;
                announced = text.strip_prefix("Image ").and_then(|text| text.strip_suffix(':')?.parse().ok());
                is_reference = text.starts_with("REF");
            }
            Some("image_url") => {
                let image = picture(&part["image_url"])?;
                patches += patches_of(&image)?;
                match announced.take() {
                    _ if is_reference => reference = Some(image),
                    Some(number) => {
                        mode = VisionMode::Individual;
                        shown.push(NumberedImage { number, image });
                    }
                    None => {
                        reference = has_marked_cell.then(|| marked_cell(&image)).transpose()?;
                        shown.extend(cells(&image, numbers, u32::from(has_marked_cell))?);
                    }
                }
            }
            other => return Err(format!("a part of type {other:?} is unknown").into()),
        }
    }
    if shown.len() != numbers.len() {
        return Err(format!("{} pictures for {} numbers", shown.len(), numbers.len()).into());
    }
    Ok(Shown { mode, images: shown, reference, patches })
}

fn picture(part: &Value) -> Result<RgbImage, Violation> {
    if part["detail"] != "high" {
        return Err("the detail must be high".into());
    }
    let url = part["url"].as_str().unwrap_or_default();
    let data = url.strip_prefix("data:image/jpeg;base64,").ok_or("an image must be a data URL of a JPEG")?;
    let bytes = STANDARD.decode(data).map_err(|error| error.to_string())?;
    Ok(decode(&bytes).map_err(|error| error.to_string())?)
}

fn patches_of(image: &RgbImage) -> Result<u64, Violation> {
    let patches = u64::from(image.width().div_ceil(32)) * u64::from(image.height().div_ceil(32));
    if patches > MAX_PATCHES { Err("an image is too large to be shown at full size".into()) } else { Ok(patches) }
}

/// A picture as it appears in a cell of the grid.
#[must_use]
pub fn in_a_cell(picture: &RgbImage) -> RgbImage {
    let page = draw_page(&lay_out(1, "")[0], &[picture], None);
    in_the_cell_at(&page, 0, 0)
}

fn in_the_cell_at(page: &RgbImage, x: u32, y: u32) -> RgbImage {
    let side = CELL_SIDE - 2 * MARGIN;
    crop_imm(page, x + MARGIN, y + MARGIN, side, side).to_image()
}

/// The picture in the first cell of a grid, which must be marked as the reference.
fn marked_cell(page: &RgbImage) -> Result<RgbImage, Violation> {
    if difference(page, 0, 0, REFERENCE_LABEL) > MAX_DIFFERENCE {
        return Err("the first cell is not marked as the reference".into());
    }
    Ok(in_the_cell_at(page, 0, 0))
}

/// The cells of a grid after the `reserved` ones, from left to right and from top to bottom, each with its number.
fn cells(page: &RgbImage, numbers: &[u32], reserved: u32) -> Result<Vec<NumberedImage>, Violation> {
    let columns = page.width() / CELL_SIDE;
    let count = u32::try_from(numbers.len()).map_err(|error| error.to_string())? + reserved;
    if columns == 0 || !page.width().is_multiple_of(CELL_SIDE) || page.height() != count.div_ceil(columns) * CELL_SIDE {
        return Err(format!("{}×{} pixels are no grid of {count}", page.width(), page.height()).into());
    }
    let read = |place: u32| {
        let (x, y) = (place % columns * CELL_SIDE, place / columns * CELL_SIDE);
        let number = number_at(page, x, y, numbers).ok_or_else(|| format!("cell {place} has no legible number"))?;
        Ok(NumberedImage { number, image: in_the_cell_at(page, x, y) })
    };
    (reserved..count).map(read).collect()
}

/// The highest mean difference of a legible label.
const MAX_DIFFERENCE: u64 = 12;

/// The number at a place: of the longest numbers that match (1 also matches the beginning of 12), the best match.
fn number_at(page: &RgbImage, x: u32, y: u32, numbers: &[u32]) -> Option<u32> {
    let matching = numbers.iter().filter_map(|&number| {
        let text = number.to_string();
        let difference = difference(page, x, y, &text);
        (difference <= MAX_DIFFERENCE).then_some((text.len(), Reverse(difference), number))
    });
    matching.max().map(|(.., number)| number)
}

/// The mean difference between the page and this label, over the label's pixels.
fn difference(page: &RgbImage, x: u32, y: u32, text: &str) -> u64 {
    let mut label = RgbImage::new(text_width(text) + 2 * MARGIN, TEXT_HEIGHT + 2 * MARGIN);
    draw_text(&mut label, text, MARGIN, MARGIN, Rgb([255; 3]));
    let differences = label.enumerate_pixels().map(|(left, top, pixel)| {
        page.get_pixel_checked(x + left, y + top).map_or(255, |seen| u64::from(seen.0[1].abs_diff(pixel.0[1])))
    });
    differences.sum::<u64>() / u64::from(label.width() * label.height())
}
