//! The inputs of a model from its schema, which Replicate publishes with each version.
//!
//! An enumeration is a schema of its own: `{"allOf": [{"$ref": "#/components/schemas/aspect_ratio"}]}`.

use serde_json::{Map, Value};

use super::inputs::{Inputs, SizeInput, megapixels, shape};

/// Names of inputs for a reference image. If a model has several, the first one counts. Other images are masks, control
/// images or style samples, which a base image must not replace.
const REFERENCE_NAMES: [&str; 7] =
    ["input_image", "input_images", "image_input", "reference_image", "reference_images", "images", "image"];

/// Names of the input that chooses the size of the image.
const SIZE_NAMES: [&str; 4] = ["resolution", "size", "output_megapixels", "megapixels"];

/// The formats that need no conversion.
const JPEG_NAMES: [&str; 2] = ["jpg", "jpeg"];

/// The strictest level that accepts ordinary scenes; with an input image Replicate allows no higher one.
const SAFETY_TOLERANCE: i64 = 2;

/// Inputs that let the model rewrite the prompt. The set needs what the prompt says.
const REWRITING: [&str; 2] = ["prompt_upsampling", "enhance_prompt"];

/// The largest seed of a slot.
const MAX_SEED: i64 = i32::MAX as i64;

/// The schemas of a version.
struct Schemas<'a> {
    components: &'a Map<String, Value>,
    properties: &'a Map<String, Value>,
}

/// The inputs that a request fills.
///
/// # Errors
/// The reason why the model can't generate an image from a base image.
pub(super) fn inputs_of(openapi_schema: &Value) -> Result<Inputs, String> {
    let schemas = Schemas::of(openapi_schema).ok_or("Replicate publishes no schema of its inputs")?;
    if schemas.property("prompt").is_none() {
        return Err(format!("it has no input `prompt`; {}", schemas.listing()));
    }
    let image = REFERENCE_NAMES.into_iter().find_map(|name| Some((name, schemas.takes_images(name)?)));
    let Some((image, list)) = image else {
        return Err(format!("none of its inputs is known to take a reference image; {}", schemas.listing()));
    };
    let seed = schemas.property("seed").is_some_and(|seed| is_integer(seed) && in_range(seed, MAX_SEED));
    let mut further = Map::new();
    let formats = schemas.choices("output_format").unwrap_or_default();
    if let Some(format) = JPEG_NAMES.into_iter().find(|name| formats.contains(name)) {
        further.insert("output_format".to_owned(), format.into());
    }
    let tolerance = schemas.property("safety_tolerance");
    if tolerance.is_some_and(|tolerance| is_integer(tolerance) && in_range(tolerance, SAFETY_TOLERANCE)) {
        further.insert("safety_tolerance".to_owned(), SAFETY_TOLERANCE.into());
    }
    for name in REWRITING {
        if schemas.property(name).is_some_and(|property| property["type"] == "boolean") {
            further.insert(name.to_owned(), false.into());
        }
    }
    let inputs = Inputs {
        image: image.to_owned(),
        list,
        most: schemas.max_items(image),
        seed,
        ratios: schemas.ratios(),
        size: schemas.size(),
        further,
        usd_per_image: None,
    };
    let missing = schemas.required_beyond(&inputs);
    if !missing.is_empty() {
        return Err(format!("it requires inputs that the balancer can't fill: {}", missing.join(", ")));
    }
    Ok(inputs)
}

impl<'a> Schemas<'a> {
    fn of(openapi_schema: &'a Value) -> Option<Self> {
        let components = openapi_schema.pointer("/components/schemas")?.as_object()?;
        Some(Self { components, properties: components.get("Input")?.get("properties")?.as_object()? })
    }

    /// The schema of an input, with its reference resolved.
    fn property(&self, name: &str) -> Option<&'a Value> {
        self.resolved(self.properties.get(name)?)
    }

    /// Follows one reference, and the first alternative that isn't null.
    fn resolved(&self, schema: &'a Value) -> Option<&'a Value> {
        let alternatives = ["allOf", "anyOf", "oneOf"].into_iter().find_map(|name| schema.get(name)?.as_array());
        let schema = match alternatives {
            Some(alternatives) => alternatives.iter().find(|alternative| alternative["type"] != "null")?,
            None => schema,
        };
        match schema.get("$ref").and_then(Value::as_str) {
            Some(reference) => self.components.get(reference.strip_prefix("#/components/schemas/")?),
            None => Some(schema),
        }
    }

    /// Whether an input takes a list of images; `None` if it doesn't exist or takes no image.
    fn takes_images(&self, name: &str) -> Option<bool> {
        let is_image = |schema: &Value| schema["type"] == "string" && schema["format"] == "uri";
        let property = self.property(name)?;
        if property["type"] == "array" {
            return is_image(self.resolved(&property["items"])?).then_some(true);
        }
        is_image(property).then_some(false)
    }

    /// The most entries in a list of images.
    fn max_items(&self, name: &str) -> Option<usize> {
        self.property(name)?["maxItems"].as_u64()?.try_into().ok()
    }

    /// The choices of the aspect ratio that name a shape.
    fn ratios(&self) -> Vec<String> {
        let choices = self.choices("aspect_ratio").unwrap_or_default();
        owned(&choices.into_iter().filter(|choice| shape(choice).is_some()).collect::<Vec<_>>())
    }

    /// The input that chooses the size of the image, if it names sizes.
    fn size(&self) -> Option<SizeInput> {
        let named = |name: &&str| {
            let choices = self.choices(name)?;
            choices.iter().any(|choice| megapixels(choice).is_some()).then_some(choices)
        };
        let (name, choices) = SIZE_NAMES.iter().find_map(|name| Some((*name, named(name)?)))?;
        Some(SizeInput { name: name.to_owned(), choices: owned(&choices) })
    }

    /// The values that an enumeration offers; `None` if the input is no enumeration.
    fn choices(&self, name: &str) -> Option<Vec<&'a str>> {
        Some(self.property(name)?.get("enum")?.as_array()?.iter().filter_map(Value::as_str).collect())
    }

    /// The required inputs that a request leaves empty.
    fn required_beyond(&self, inputs: &Inputs) -> Vec<&'a str> {
        let required = self.components.get("Input").and_then(|input| input["required"].as_array());
        let has_default = |name: &str| self.properties.get(name).is_some_and(|schema| !schema["default"].is_null());
        let is_filled = |name: &&str| {
            ["prompt", &inputs.image].contains(name)
                || inputs.seed && *name == "seed"
                || inputs.further.contains_key(*name)
                || *name == "aspect_ratio" && !inputs.ratios.is_empty()
                || inputs.size.as_ref().is_some_and(|size| size.name == *name)
                || has_default(name)
        };
        required.into_iter().flatten().filter_map(Value::as_str).filter(|name| !is_filled(name)).collect()
    }

    /// The names of all inputs, for an error.
    fn listing(&self) -> String {
        let names: Vec<&str> = self.properties.keys().map(String::as_str).collect();
        if names.is_empty() { "it has no inputs".to_owned() } else { format!("its inputs are {}", names.join(", ")) }
    }
}

fn is_integer(schema: &Value) -> bool {
    schema["type"] == "integer"
}

fn in_range(schema: &Value, number: i64) -> bool {
    let bound = |name: &str| schema[name].as_f64();
    let number = number as f64;
    bound("minimum").is_none_or(|least| least <= number) && bound("maximum").is_none_or(|most| number <= most)
}

fn owned(choices: &[&str]) -> Vec<String> {
    choices.iter().map(|choice| (*choice).to_owned()).collect()
}

#[cfg(test)]
mod tests;
