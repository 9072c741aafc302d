//! The environment variables that configure the providers, with the parameters of the template.

use std::env;

/// A variable, and the corresponding parameter of the template.
pub type Variable = (&'static str, &'static str);

/// The variables that configure a service.
pub struct Variables {
    /// The key, which is passed in a file; `None` if the service needs none.
    pub key: Option<Variable>,
    pub others: &'static [Variable],
}

pub const VISION_KEY: Variable = ("OPENAI_API_KEY", "OpenAiApiKeyFile");
pub const OF_VISION: Variables = Variables {
    key: Some(VISION_KEY),
    others: &[
        ("OPENAI_BASE_URL", "OpenAiBaseUrl"),
        ("VISION_MODEL", "VisionModel"),
        ("VISION_REASONING_EFFORT", "VisionReasoningEffort"),
        ("VISION_MODE", "VisionMode"),
        ("VISION_PASSES", "VisionPasses"),
        ("VISION_TIMEOUT_SECONDS", "VisionTimeoutSeconds"),
        ("VISION_USD_PER_MILLION_INPUT_TOKENS", "VisionUsdPerMillionInputTokens"),
        ("VISION_USD_PER_MILLION_OUTPUT_TOKENS", "VisionUsdPerMillionOutputTokens"),
    ],
};
pub const OF_REPLICATE: Variables = Variables {
    key: Some(("REPLICATE_API_TOKEN", "ReplicateApiTokenFile")),
    others: &[
        ("REPLICATE_BASE_URL", "ReplicateBaseUrl"),
        ("REPLICATE_MODEL", "ReplicateModel"),
        ("GENERATOR_USD_PER_IMAGE", "GeneratorUsdPerImage"),
        ("GENERATOR_USD_PER_MEGAPIXEL", "GeneratorUsdPerMegapixel"),
    ],
};
pub const OF_OPENAI_IMAGES: Variables = Variables {
    key: Some(("OPENAI_IMAGES_API_KEY", "OpenAiImagesApiKeyFile")),
    others: &[
        ("OPENAI_IMAGES_BASE_URL", "OpenAiImagesBaseUrl"),
        ("OPENAI_IMAGES_MODEL", "OpenAiImagesModel"),
        ("OPENAI_IMAGES_QUALITY", "OpenAiImagesQuality"),
        ("GENERATOR_USD_PER_IMAGE", "GeneratorUsdPerImage"),
        ("GENERATOR_USD_PER_MEGAPIXEL", "GeneratorUsdPerMegapixel"),
    ],
};
pub const OF_COMFYUI: Variables = Variables {
    key: None,
    others: &[
        ("COMFYUI_URL", "ComfyUiUrl"),
        ("COMFYUI_WORKFLOW", "ComfyUiWorkflow"),
        ("COMFYUI_MAPPING", "ComfyUiMapping"),
        ("GENERATOR_USD_PER_IMAGE", "GeneratorUsdPerImage"),
        ("GENERATOR_USD_PER_MEGAPIXEL", "GeneratorUsdPerMegapixel"),
    ],
};

/// Variables whose values are paths. The functions run in another folder.
const PATHS: [&str; 2] = ["COMFYUI_WORKFLOW", "COMFYUI_MAPPING"];

pub const OF_BUDGET: [Variable; 3] = [
    ("DAILY_BUDGET_USD", "DailyBudgetUsd"),
    ("ACTOR_DAILY_BUDGET_USD", "ActorDailyBudgetUsd"),
    ("PLAN_BUDGET_USD", "PlanBudgetUsd"),
];

/// The value of a variable as the functions need it.
pub fn setting(name: &str) -> Option<String> {
    let value = env::var(name).ok()?;
    let is_path = PATHS.contains(&name) && !value.is_empty() && !value.starts_with("s3:");
    let path = std::path::absolute(&value).ok().filter(|_| is_path);
    Some(path.map_or(value, |path| path.display().to_string()))
}
