//! ostris/ai-toolkit: `run.py CONFIG`. `docs/EXPORT.md` names the places in its sources.

use super::beside::{in_folders, model_name, quoted};
use super::format::ExportFormat;
use super::subject::{Settings, Subject, folder_names};
use super::tree::{Content, Guide, Layout};

/// Not `config.yaml`: ai-toolkit first looks for a file of this name in its own folder `config`.
const CONFIG: &str = "balancer-train.yaml";

/// The resolutions of ai-toolkit's own examples for FLUX.
const RESOLUTIONS: [u32; 2] = [512, 768];

pub fn layout(subjects: &[Subject], settings: &Settings) -> Layout {
    let folders = folder_names(subjects);
    let mut files = in_folders(subjects, &folders, ExportFormat::AiToolkit);
    files.insert(CONFIG.to_owned(), Content::Text(config(subjects, &folders, settings)));
    let guide = Guide {
        commands: vec![format!("python AI_TOOLKIT/run.py \"$PWD/{CONFIG}\"")],
        before: vec![
            "AI_TOOLKIT stands for your copy of ostris/ai-toolkit".to_owned(),
            format!(
                "name_or_path in {CONFIG} is FLUX.1-dev, for which Hugging Face wants its licence accepted and HF_TOKEN; change it for another model"
            ),
        ],
    };
    Layout { files, guide }
}

/// ai-toolkit never enlarges an image, so smaller resolutions than the wanted one are trained too.
fn resolutions(resolution: u32) -> String {
    let smaller = RESOLUTIONS.into_iter().filter(|&it| it < resolution);
    let all: Vec<String> = smaller.chain([resolution]).map(|it| it.to_string()).collect();
    all.join(", ")
}

fn config(subjects: &[Subject], folders: &[String], settings: &Settings) -> String {
    let dataset = |(subject, folder): (&Subject, &String)| {
        format!(
            "        - folder_path: {}
          trigger_word: {}
          caption_ext: \"txt\"
          caption_dropout_rate: 0.05
          shuffle_tokens: false
          num_repeats: {}
          cache_latents_to_disk: true
          resolution: [{}]
",
            quoted(folder),
            quoted(&subject.words.trigger),
            settings.repeats,
            resolutions(settings.resolution)
        )
    };
    let prompt = |subject: &Subject| {
        let text = format!("{}, medium shot, standing in a sunlit street", subject.words.in_caption(None));
        format!("          - {}\n", quoted(&text))
    };
    let datasets: String = subjects.iter().zip(folders).map(dataset).collect();
    let prompts: String = subjects.iter().map(prompt).collect();
    format!(
        "\
# For ostris/ai-toolkit. Paths are relative: run the training in this folder.
job: extension
config:
  name: {name}
  process:
    - type: \"sd_trainer\"
      training_folder: \"output\"
      device: cuda:0
      network:
        type: \"lora\"
        linear: 16
        linear_alpha: 16
      save:
        dtype: float16
        save_every: 250
        max_step_saves_to_keep: 4
      datasets:
{datasets}      train:
        batch_size: 1
        steps: {steps}
        gradient_accumulation_steps: 1
        train_unet: true
        train_text_encoder: false
        gradient_checkpointing: true
        noise_scheduler: \"flowmatch\"
        optimizer: \"adamw8bit\"
        lr: 1e-4
        ema_config:
          use_ema: true
          ema_decay: 0.99
        dtype: bf16
      model:
        name_or_path: \"black-forest-labs/FLUX.1-dev\"
        is_flux: true
        quantize: true
      sample:
        sampler: \"flowmatch\"
        sample_every: 250
        width: 1024
        height: 1024
        prompts:
{prompts}        neg: \"\"
        seed: 42
        walk_seed: true
        guidance_scale: 4
        sample_steps: 20
meta:
  name: \"[name]\"
  version: \"1.0\"
",
        name = quoted(&model_name(folders)),
        steps = settings.steps(subjects),
    )
}
