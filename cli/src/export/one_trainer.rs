//! Nerogar/OneTrainer: `scripts/train.py --config-path`. `docs/EXPORT.md` names the places in its sources.

use serde_json::{Value, json};

use super::beside::{in_folders, model_name};
use super::format::ExportFormat;
use super::json_text;
use super::subject::{EPOCHS, Settings, Subject, folder_names};
use super::tree::{Content, Guide, Layout};

const CONCEPTS: &str = "concepts.json";
const CONFIG: &str = "config.json";

pub fn layout(subjects: &[Subject], settings: &Settings) -> Layout {
    let folders = folder_names(subjects);
    let mut files = in_folders(subjects, &folders, ExportFormat::OneTrainer);
    let concepts: Vec<Value> = folders.iter().map(|folder| concept(folder, settings)).collect();
    files.insert(CONCEPTS.to_owned(), Content::Text(json_text(&concepts.into())));
    files.insert(CONFIG.to_owned(), Content::Text(json_text(&config(&folders, settings))));
    let guide = Guide {
        commands: vec![format!("python ONETRAINER/scripts/train.py --config-path {CONFIG}")],
        before: vec![
            "ONETRAINER stands for your copy of Nerogar/OneTrainer".to_owned(),
            format!(
                "base_model_name in {CONFIG} is SDXL, which the first run downloads; for another family of models, take one of OneTrainer's presets and set its concept_file_name to {CONCEPTS}"
            ),
        ],
    };
    Layout { files, guide }
}

/// A `ConceptConfig`. Without a seed, OneTrainer would draw one.
fn concept(folder: &str, settings: &Settings) -> Value {
    json!({
        "__version": 2,
        "name": folder,
        "path": folder,
        "seed": 42,
        "enabled": true,
        "type": "STANDARD",
        "include_subdirectories": false,
        "image_variations": 1,
        "text_variations": 1,
        "balancing": f64::from(settings.repeats),
        "balancing_strategy": "REPEATS",
        "loss_weight": 1.0,
        "image": { "__version": 0, "enable_crop_jitter": true, "enable_random_flip": false },
        "text": { "__version": 0, "prompt_source": "sample" },
    })
}

/// A `TrainConfig`: OneTrainer's preset `#sdxl 1.0 LoRA.json`, with the images of the export.
fn config(folders: &[String], settings: &Settings) -> Value {
    json!({
        "__version": 11,
        "training_method": "LORA",
        "model_type": "STABLE_DIFFUSION_XL_10_BASE",
        "base_model_name": "stabilityai/stable-diffusion-xl-base-1.0",
        "output_model_format": "KOHYA_LORA",
        "output_model_destination": format!("output/{}.safetensors", model_name(folders)),
        "workspace_dir": "workspace",
        "cache_dir": "workspace-cache",
        "concept_file_name": CONCEPTS,
        "samples": [],
        "resolution": settings.resolution.to_string(),
        "epochs": EPOCHS,
        "batch_size": 4,
        "learning_rate": 0.0003,
        "layer_filter_preset": "attn-mlp",
        "unet": { "weight_dtype": "FLOAT_16" },
        "text_encoder": { "train": false, "weight_dtype": "FLOAT_16" },
        "text_encoder_2": { "train": false, "weight_dtype": "FLOAT_16" },
        "vae": { "weight_dtype": "FLOAT_32" },
    })
}
