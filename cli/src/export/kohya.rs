//! kohya-ss/sd-scripts: `--dataset_config` and `--config_file`. `docs/EXPORT.md` names the places in its sources.

use super::beside::{in_folders, model_name, quoted};
use super::format::ExportFormat;
use super::subject::{EPOCHS, Settings, Subject, folder_names};
use super::tree::{Content, Guide, Layout};

const DATASET: &str = "dataset.toml";
const TRAINING: &str = "train.toml";

pub fn layout(subjects: &[Subject], settings: &Settings) -> Layout {
    let folders = folder_names(subjects);
    let mut files = in_folders(subjects, &folders, ExportFormat::Kohya);
    files.insert(DATASET.to_owned(), Content::Text(dataset(subjects, &folders, settings)));
    files.insert(TRAINING.to_owned(), Content::Text(training(&folders)));
    let guide = Guide {
        commands: vec![format!(
            "accelerate launch --num_cpu_threads_per_process 1 SD_SCRIPTS/sdxl_train_network.py --config_file {TRAINING}"
        )],
        before: vec![
            "SD_SCRIPTS stands for your copy of kohya-ss/sd-scripts".to_owned(),
            format!(
                "pretrained_model_name_or_path in {TRAINING} is SDXL, which the first run downloads; change it for another SDXL model"
            ),
        ],
    };
    Layout { files, guide }
}

/// The images, one subset for each actor. `class_tokens` is only used where a caption is missing, and `image_dir` is
/// relative to the current folder.
fn dataset(subjects: &[Subject], folders: &[String], settings: &Settings) -> String {
    let Settings { repeats, resolution } = settings;
    // A bucket's longer side may be twice as long as that of the square; kohya's default is 1024.
    let longest = resolution * 2;
    let head = format!(
        "\
# --dataset_config for kohya-ss/sd-scripts. Paths are relative: run the training in this folder.
[general]
caption_extension = \".txt\"
keep_tokens = 1

[[datasets]]
resolution = {resolution}
batch_size = 1
enable_bucket = true
min_bucket_reso = 256
max_bucket_reso = {longest}
"
    );
    let subset = |(subject, folder): (&Subject, &String)| {
        let class_tokens = subject.words.in_caption(None);
        format!(
            "
  [[datasets.subsets]]
  image_dir = {}
  class_tokens = {}
  num_repeats = {repeats}
",
            quoted(folder),
            quoted(&class_tokens)
        )
    };
    std::iter::once(head).chain(subjects.iter().zip(folders).map(subset)).collect()
}

fn training(folders: &[String]) -> String {
    format!(
        "\
# --config_file for sdxl_train_network.py of kohya-ss/sd-scripts. Run the training in this folder.
pretrained_model_name_or_path = \"stabilityai/stable-diffusion-xl-base-1.0\"
dataset_config = \"{DATASET}\"
output_dir = \"output\"
output_name = {}
save_model_as = \"safetensors\"
network_module = \"networks.lora\"
network_dim = 32
network_alpha = 16
network_train_unet_only = true
learning_rate = 1e-4
optimizer_type = \"AdamW8bit\"
lr_scheduler = \"constant\"
max_train_epochs = {EPOCHS}
save_every_n_epochs = 2
mixed_precision = \"bf16\"
gradient_checkpointing = true
cache_latents = true
sdpa = true
seed = 42
",
        quoted(&model_name(folders))
    )
}
