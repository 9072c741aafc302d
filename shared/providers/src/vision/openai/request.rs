//! The body of a vision request: the rubric, the images, and a closed schema of the answer.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::assessment::{BEST_QUALITY, Flag};
use domain::content::{Angle, Framing, SameCharacter};
use domain::kind::Kind;
use image::RgbImage;
use imaging::encode_jpeg;
use imaging::grid::draw_page;
use serde::Serialize;
use serde_json::{Value, json};

use super::answer::ONE_CHARACTER;
use super::cost::max_output_tokens;
use super::error::OpenAiError;
use super::form::{Form, Part};
use super::image_batch::ImageBatch;
use super::prompt::RUBRIC;
use crate::vision::{Pictures, VisionMode};

/// Structs keep the order of the fields. The model answers in the order of the schema, so the reason comes before the
/// quality that follows from it.
#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_effort: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_completion_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_format: Option<ResponseFormat>,
    messages: [Message; 2],
}

#[derive(Serialize)]
struct Message {
    role: &'static str,
    content: Value,
}

#[derive(Serialize)]
struct ResponseFormat {
    r#type: &'static str,
    json_schema: NamedSchema,
}

#[derive(Serialize)]
struct NamedSchema {
    name: &'static str,
    strict: bool,
    schema: Object<List>,
}

/// A closed object in which every property is required.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Object<P> {
    r#type: &'static str,
    properties: P,
    required: &'static [&'static str],
    additional_properties: bool,
}

#[derive(Serialize)]
struct List {
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<Value>,
    cells: Items,
}

#[derive(Serialize)]
struct Items {
    r#type: &'static str,
    items: Object<CellProperties>,
}

#[derive(Serialize)]
struct CellProperties {
    cell: Value,
    reason: Value,
    kind: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    same_character: Option<Value>,
    framing: Value,
    angle: Value,
    expression: Value,
    caption: Value,
    flags: Value,
    quality: Value,
}

/// What the model can say about the reference; [`ReferenceFault`](super::answer::ReferenceFault) reads the last two.
const REFERENCE_ANSWERS: [&str; 3] = [ONE_CHARACTER, "several_characters", "no_character"];

/// The properties of an entry; the first one only if there is a reference.
const CELL_PROPERTIES: [&str; 10] =
    ["same_character", "cell", "reason", "kind", "framing", "angle", "expression", "caption", "flags", "quality"];

/// The request for a batch as JSON. `effort` is the configured one.
pub(super) fn body(
    model: &str,
    effort: Option<&str>,
    form: &Form,
    batch: &ImageBatch,
    pictures: &Pictures,
) -> Result<Vec<u8>, OpenAiError> {
    let numbers: Vec<u32> = batch.page.cells.iter().map(|cell| cell.number).collect();
    let encoding_error = |error: serde_json::Error| OpenAiError::Encoding(error.to_string());
    let effort = form.effort(effort);
    let reference = pictures.reference.as_deref().filter(|_| batch.page.has_reference);
    let schema = schema(&numbers, reference.is_some(), form.has(Part::IntegerEnums));
    let mut content = content(batch, &numbers, &pictures.images, reference)?;
    if !form.has(Part::Schema) {
        let schema = serde_json::to_string(&schema).map_err(encoding_error)?;
        content.push(text(&format!("Answer with JSON alone that fits this JSON schema: {schema}")));
    }
    let json_schema = NamedSchema { name: "judgements", strict: true, schema };
    let output_limit = max_output_tokens(numbers.len(), effort);
    let has_new_limit = form.has(Part::MaxCompletionTokens);
    let body = Body {
        model,
        reasoning_effort: effort,
        max_completion_tokens: has_new_limit.then_some(output_limit),
        max_tokens: (!has_new_limit).then_some(output_limit),
        response_format: form.has(Part::Schema).then_some(ResponseFormat { r#type: "json_schema", json_schema }),
        messages: [
            Message { role: "system", content: RUBRIC.into() },
            Message { role: "user", content: content.into() },
        ],
    };
    serde_json::to_vec(&body).map_err(encoding_error)
}

fn schema(numbers: &[u32], has_reference: bool, has_integer_enums: bool) -> Object<List> {
    let integer = |values: Vec<u32>| match has_integer_enums {
        true => json!({ "type": "integer", "enum": values }),
        false => json!({ "type": "integer" }),
    };
    let cell = CellProperties {
        cell: integer(numbers.to_vec()),
        reason: json!({ "type": "string" }),
        kind: one_of(&Kind::ALL),
        same_character: has_reference.then(|| one_of(&SameCharacter::ALL)),
        framing: one_of(&Framing::ALL),
        angle: one_of(&Angle::ALL),
        expression: json!({ "type": "string" }),
        caption: json!({ "type": "string" }),
        flags: json!({ "type": "array", "items": one_of(&Flag::REPORTED) }),
        quality: integer((1..=BEST_QUALITY.into()).collect()),
    };
    let required = if has_reference { &CELL_PROPERTIES[..] } else { &CELL_PROPERTIES[1..] };
    let items = Object { r#type: "object", properties: cell, required, additional_properties: false };
    let reference = has_reference.then(|| one_of(&REFERENCE_ANSWERS));
    Object {
        r#type: "object",
        properties: List { reference, cells: Items { r#type: "array", items } },
        required: if has_reference { &["reference", "cells"] } else { &["cells"] },
        additional_properties: false,
    }
}

fn one_of<T: Serialize>(values: &[T]) -> Value {
    json!({ "type": "string", "enum": values })
}

fn content(
    batch: &ImageBatch,
    numbers: &[u32],
    images: &[Arc<RgbImage>],
    reference: Option<&RgbImage>,
) -> Result<Vec<Value>, OpenAiError> {
    let list = numbers.iter().map(u32::to_string).collect::<Vec<_>>().join(", ");
    match batch.mode {
        VisionMode::Grid => {
            let images: Vec<&RgbImage> = images.iter().map(Arc::as_ref).collect();
            let page = draw_page(&batch.page, &images, reference);
            let marked = if reference.is_some() { " The first cell, marked REF, shows the character." } else { "" };
            Ok(vec![text(&format!("A grid with the images {list}.{marked}")), picture(&page)?])
        }
        VisionMode::Individual => {
            let mut parts = vec![text(&format!("Single images, each right after its number: {list}."))];
            if let Some(reference) = reference {
                parts.extend([text("REF, the character:"), picture(reference)?]);
            }
            for cell in &batch.page.cells {
                if let Some(image) = images.get(cell.image) {
                    parts.extend([text(&format!("Image {}:", cell.number)), picture(image)?]);
                }
            }
            Ok(parts)
        }
    }
}

fn text(text: &str) -> Value {
    json!({ "type": "text", "text": text })
}

fn picture(image: &RgbImage) -> Result<Value, OpenAiError> {
    let jpeg = encode_jpeg(image).map_err(|error| OpenAiError::Encoding(error.to_string()))?;
    let url = format!("data:image/jpeg;base64,{}", STANDARD.encode(jpeg));
    Ok(json!({ "type": "image_url", "image_url": { "url": url, "detail": "high" } }))
}
