//! What the environment says, read once at a cold start.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use crate::domain::assessment::BEST_QUALITY;
use crate::domain::target::Target;
use crate::keys::Keys;

/// Everything the functions are told by their environment.
#[derive(Debug, Clone)]
pub struct Config {
    /// The bucket with every actor's images.
    pub bucket: String,
    /// The DynamoDB table with the manifests.
    pub table: String,
    /// The URLs of the three queues.
    pub queues: QueueUrls,
    /// Where things lie in the bucket.
    pub keys: Keys,
    /// The set that every actor should have, unless its own record says otherwise.
    pub target: Target,
    /// Images of a lower quality than this are replaced.
    pub quality_floor: u8,
    /// How often in a row a set is mended before a person is asked.
    pub max_rounds: u32,
    /// How long the bucket must have been quiet before a set is judged.
    pub quiet: Duration,
    /// Where images are kept as plain files too, laid out as in design `{data}/{actor_id}/…`.
    pub local_data_dir: Option<PathBuf>,
    /// Who judges images.
    pub vision: VisionConfig,
    /// Who makes images.
    pub generator: GeneratorConfig,
}

/// The URLs of the three queues.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueUrls {
    /// Uploads and requests to evaluate.
    pub evaluation: String,
    /// Images to delete.
    pub deletion: String,
    /// Images to make.
    pub generation: String,
}

/// Who judges images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VisionConfig {
    /// The model that is part of this program.
    Embedded,
}

/// Who makes images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GeneratorConfig {
    /// The generator that is part of this program.
    Embedded,
}

/// The environment lacks something or says something impossible. Names every offending variable at once.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the environment can't be used: {}", .0.join("; "))]
pub struct InvalidConfig(pub Vec<String>);

impl Config {
    /// Reads the process's environment.
    ///
    /// # Errors
    /// If a variable is missing or wrong; the error names all that are.
    pub fn from_env() -> Result<Self, InvalidConfig> {
        Self::from_variables(std::env::vars().collect())
    }

    /// Reads these variables.
    ///
    /// # Errors
    /// If a variable is missing or wrong; the error names all that are.
    pub fn from_variables(variables: BTreeMap<String, String>) -> Result<Self, InvalidConfig> {
        let mut reader = Reader { variables, problems: Vec::new() };
        let default = Target::default();
        let config = Self {
            bucket: reader.required("BUCKET"),
            table: reader.required("TABLE"),
            queues: QueueUrls {
                evaluation: reader.required("EVALUATION_QUEUE_URL"),
                deletion: reader.required("DELETION_QUEUE_URL"),
                generation: reader.required("GENERATION_QUEUE_URL"),
            },
            keys: Keys::new(&reader.optional("KEY_PREFIX", "a key prefix", "system_actors".to_owned(), |_| true)),
            target: Target {
                total: reader.optional("TARGET_TOTAL", "a number from 1 to 500", default.total, |total| {
                    (1..=500).contains(total)
                }),
                shares: reader.optional("TARGET_SHARES", "such as 65/20/15, summing to 100", default.shares, |_| true),
            },
            quality_floor: reader
                .optional("QUALITY_FLOOR", "a number from 1 to 10", 5, |floor| (1..=BEST_QUALITY).contains(floor)),
            max_rounds: reader.optional("MAX_ROUNDS", "a number from 1 to 100", 3, |rounds| (1..=100).contains(rounds)),
            quiet: Duration::from_secs(reader.optional(
                "QUIET_SECONDS",
                "a number from 0 to 900",
                20,
                |&seconds: &u64| seconds <= 900,
            )),
            local_data_dir: reader.text("LOCAL_DATA_DIR").map(PathBuf::from),
            vision: reader.vision(),
            generator: reader.generator(),
        };
        if reader.problems.is_empty() { Ok(config) } else { Err(InvalidConfig(reader.problems)) }
    }
}

/// Collects the problems instead of stopping at the first.
struct Reader {
    variables: BTreeMap<String, String>,
    problems: Vec<String>,
}

impl Reader {
    /// Set to nothing counts as not set: templates can't leave a variable out.
    fn text(&self, name: &str) -> Option<String> {
        self.variables.get(name).filter(|value| !value.is_empty()).cloned()
    }

    fn required(&mut self, name: &str) -> String {
        self.text(name).unwrap_or_else(|| {
            self.problems.push(format!("{name} is not set"));
            String::new()
        })
    }

    fn optional<T: FromStr>(&mut self, name: &str, accepted: &str, default: T, is_valid: fn(&T) -> bool) -> T {
        let Some(text) = self.text(name) else { return default };
        match text.parse().ok().filter(is_valid) {
            Some(value) => value,
            None => {
                self.problems.push(format!("{name} is `{text}` but must be {accepted}"));
                default
            }
        }
    }

    fn vision(&mut self) -> VisionConfig {
        match self.required("VISION_PROVIDER").as_str() {
            "embedded" | "" => {}
            other => self.problems.push(format!("VISION_PROVIDER is `{other}` but must be embedded")),
        }
        VisionConfig::Embedded
    }

    fn generator(&mut self) -> GeneratorConfig {
        match self.required("GENERATOR").as_str() {
            "embedded" | "" => {}
            other => self.problems.push(format!("GENERATOR is `{other}` but must be embedded")),
        }
        GeneratorConfig::Embedded
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(extra: &[(&str, &str)]) -> BTreeMap<String, String> {
        let required = [
            ("BUCKET", "b"),
            ("TABLE", "t"),
            ("EVALUATION_QUEUE_URL", "e"),
            ("DELETION_QUEUE_URL", "d"),
            ("GENERATION_QUEUE_URL", "g"),
            ("VISION_PROVIDER", "embedded"),
            ("GENERATOR", "embedded"),
        ];
        required.iter().chain(extra).map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    #[test]
    fn what_is_not_set_has_its_default() {
        let config = Config::from_variables(variables(&[("LOCAL_DATA_DIR", "")])).unwrap();
        assert_eq!(config.target, Target::default());
        assert_eq!((config.quality_floor, config.max_rounds, config.quiet.as_secs()), (5, 3, 20));
        assert_eq!(config.local_data_dir, None);
    }

    #[test]
    fn every_offending_variable_is_named_at_once() {
        let mut wrong = variables(&[("TARGET_SHARES", "65/20"), ("QUALITY_FLOOR", "11"), ("GENERATOR", "dall-e")]);
        wrong.remove("TABLE");
        let message = Config::from_variables(wrong).unwrap_err().to_string();
        for name in ["TABLE is not set", "TARGET_SHARES", "QUALITY_FLOOR is `11`", "GENERATOR is `dall-e`"] {
            assert!(message.contains(name), "{message}");
        }
    }

    #[test]
    fn the_paid_providers_are_never_chosen_by_the_presence_of_a_key() {
        let mut without = variables(&[("OPENAI_API_KEY", "k"), ("REPLICATE_API_TOKEN", "t")]);
        without.remove("VISION_PROVIDER");
        let message = Config::from_variables(without).unwrap_err().to_string();
        assert!(message.contains("VISION_PROVIDER is not set"), "{message}");
    }
}
