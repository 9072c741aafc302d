//! The cost of a plan, and whether the plan requires approval.

use std::collections::BTreeMap;

use domain::format::{Format, OwnFormat};
use domain::money::MicroUsd;
use domain::plan::Plan;
use handlers::config::from_variables;
use providers::generator::GeneratorConfig;
use providers::vision::VisionConfig;
use providers::vision::highest_price;
use serde::Serialize;

use super::providers::NO_KEY;
use super::variables::{OF_COMFYUI, OF_OPENAI_IMAGES, OF_REPLICATE, OF_VISION};
use crate::stack_parameters::StackParameters;

/// The prices and limits of a run.
#[derive(Debug)]
pub struct Terms {
    pub vision: VisionConfig,
    pub generator: GeneratorConfig,
    /// The format of images whose actor and prompt have none of their own.
    pub format: Format,
    pub max_deleted_percent: u8,
}

/// The cost of a plan if every generated image is accepted: each image below the quality floor is replaced and paid for
/// again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cost {
    /// The total, at most.
    #[serde(rename = "total_micro_usd")]
    total: MicroUsd,
    /// The cost of the images to generate.
    #[serde(rename = "generation_micro_usd")]
    generation: MicroUsd,
    /// The price of the first image. Images of another size may have another one.
    #[serde(rename = "per_image_micro_usd")]
    per_image: MicroUsd,
    /// The cost of assessment, at most: the images that this dry run has assessed, and those to generate.
    #[serde(rename = "assessment_micro_usd")]
    assessment: MicroUsd,
    /// The amount that the dry run itself has paid for assessments.
    #[serde(rename = "dry_run_micro_usd")]
    dry_run: MicroUsd,
    #[serde(skip)]
    images: usize,
    #[serde(skip)]
    is_free: bool,
}

impl Terms {
    /// The terms of a running stack; `None` if this version can't read its parameters.
    pub fn of_stack(parameters: &StackParameters) -> Option<Self> {
        let format = OwnFormat {
            aspect_ratio: parameters.get("AspectRatio").and_then(|ratio| ratio.parse().ok()),
            megapixels: parameters.get("ImageMegapixels").and_then(|size| size.parse().ok()),
        };
        Some(Self {
            vision: from_variables(variables_of_stack(parameters)).ok()?,
            generator: from_variables(variables_of_stack(parameters)).ok()?,
            format: Format::default().with(format),
            max_deleted_percent: parameters.get("MaxDeletedPercent")?.parse().ok()?,
        })
    }

    /// The cost of a plan. A dry run keeps no assessments, so a run pays for these again.
    pub fn cost(&self, plan: &Plan) -> Cost {
        let images = plan.slots.len();
        let price = |format: OwnFormat| self.generator.price(self.format.with(format).size);
        let generation = plan.slots.iter().map(|slot| price(slot.format)).sum();
        let per_image = plan.slots.first().map_or_else(|| price(OwnFormat::default()), |slot| price(slot.format));
        // New images are made from the base image, so there is one to compare them with.
        let assessment = plan.vision_cost + highest_price(images, true, &self.vision);
        let are_built_in =
            matches!((&self.vision, &self.generator), (VisionConfig::Embedded, GeneratorConfig::Embedded));
        Cost {
            total: generation + assessment,
            generation,
            per_image,
            assessment,
            dry_run: plan.vision_cost,
            images,
            is_free: are_built_in,
        }
    }

    /// Why a plan requires approval; `None` if it doesn't.
    pub fn objection(&self, plan: &Plan) -> Option<String> {
        plan.deletes_more_than(self.max_deleted_percent).then(|| {
            format!(
                "it would delete {} of {} images ({} %), and --max-deleted-percent is {}",
                plan.delete.len(),
                plan.before.total(),
                plan.deleted_percent(),
                self.max_deleted_percent
            )
        })
    }
}

impl Cost {
    /// The text for a terminal.
    pub fn in_words(&self) -> String {
        if self.is_free {
            return "would cost nothing: the built-in models assess and generate".to_owned();
        }
        let generation = match self.images {
            0 => None,
            _ if self.per_image == MicroUsd::ZERO => None,
            1 => Some(format!("1 image at {}", self.per_image)),
            many if self.per_image * many as u64 != self.generation => {
                Some(format!("{many} images for {}", self.generation))
            }
            many => Some(format!("{many} images at {}", self.per_image)),
        };
        let assessment =
            (self.assessment > MicroUsd::ZERO).then(|| format!("{} at most for assessments", self.assessment));
        let parts: Vec<String> = generation.into_iter().chain(assessment).collect();
        let mut text = match parts.is_empty() {
            true => "would cost nothing".to_owned(),
            false => format!("would cost about {}: {}", self.total, parts.join(", ")),
        };
        if self.dry_run > MicroUsd::ZERO {
            text.push_str(&format!("; this dry run has cost {}", self.dry_run));
        }
        text
    }
}

/// The variables of the stack's functions, with a placeholder for the keys.
fn variables_of_stack(parameters: &StackParameters) -> BTreeMap<String, String> {
    let chosen = [("VISION_PROVIDER", "VisionProvider"), ("GENERATOR", "Generator")];
    let services = [&OF_VISION, &OF_REPLICATE, &OF_OPENAI_IMAGES, &OF_COMFYUI];
    let others = services.iter().flat_map(|service| service.others);
    let set = others.chain(&chosen).filter_map(|(name, parameter)| Some((*name, parameters.get(parameter)?)));
    let keys = services.iter().filter_map(|service| Some((service.key?.0, NO_KEY)));
    keys.chain(set).map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use domain::kind::{Kind, KindCounts};
    use domain::plan::{Origin, PlannedDeletion};
    use domain::slot::Slot;
    use jiff::Timestamp;

    use super::*;

    fn terms(variables: &[(&str, &str)]) -> Terms {
        let variables: BTreeMap<_, _> =
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Terms {
            vision: from_variables(variables.clone()).unwrap(),
            generator: from_variables(variables).unwrap(),
            format: Format::default(),
            max_deleted_percent: 50,
        }
    }

    fn plan(deleted: usize, generated: usize) -> Plan {
        let deletion =
            PlannedDeletion { filename: "a.jpg".to_owned(), etag: String::new(), reason: "Surplus.".to_owned() };
        let slot = Slot {
            slot_id: "1".to_owned(),
            kind: Kind::BwStylized,
            prompt_id: "p".to_owned(),
            seed: 1,
            format: OwnFormat::default(),
        };
        Plan {
            before: KindCounts { photorealistic: 4, ..KindCounts::default() },
            delete: vec![deletion; deleted],
            slots: vec![slot; generated],
            ..Plan::empty("p".to_owned(), Timestamp::UNIX_EPOCH, Origin::Evaluation)
        }
    }

    const BUILT_IN: [(&str, &str); 2] = [("VISION_PROVIDER", "embedded"), ("GENERATOR", "embedded")];

    #[test]
    fn embedded_models_cost_nothing() {
        let cost = terms(&BUILT_IN).cost(&plan(1, 7));
        assert_eq!(
            (cost.total, cost.in_words().as_str()),
            (MicroUsd::ZERO, "would cost nothing: the built-in models assess and generate")
        );
    }

    #[test]
    fn cost_adds_images_and_highest_assessment_price() {
        let paid = [
            ("VISION_PROVIDER", "openai"),
            ("OPENAI_API_KEY", "k"),
            ("GENERATOR", "replicate"),
            ("REPLICATE_API_TOKEN", "t"),
        ];
        let cost = terms(&paid).cost(&Plan { vision_cost: MicroUsd(300), ..plan(0, 7) });
        assert_eq!((cost.generation, cost.per_image), (MicroUsd(280_000), MicroUsd(40_000)));
        assert!(cost.assessment > MicroUsd(300) && cost.total == cost.generation + cost.assessment, "{cost:?}");
        let words = cost.in_words();
        assert!(words.contains("7 images at $0.04, ") && words.ends_with("; this dry run has cost $0.0003"), "{words}");
        let nothing = terms(&paid).cost(&plan(2, 0)).in_words();
        assert_eq!(nothing, "would cost nothing");
    }

    #[test]
    fn parameters_of_a_stack_give_its_prices() {
        let parameters = [
            ("VisionProvider", "embedded"),
            ("Generator", "replicate"),
            ("ReplicateModel", "black-forest-labs/flux-kontext-pro"),
            ("GeneratorUsdPerImage", ""),
            ("MaxDeletedPercent", "40"),
        ];
        let of = |count: usize| {
            let parameters = parameters[..count].iter().map(|&(name, value)| (name.to_owned(), value.to_owned()));
            Terms::of_stack(&StackParameters(parameters.collect()))
        };
        let terms = of(5).unwrap();
        assert_eq!((terms.cost(&plan(0, 2)).generation, terms.max_deleted_percent), (MicroUsd(80_000), 40));
        assert!(of(4).is_none(), "without the limit");
    }

    #[test]
    fn deleting_more_than_half_needs_approval() {
        let terms = terms(&BUILT_IN);
        assert_eq!(terms.objection(&plan(2, 0)), None);
        let objection = terms.objection(&plan(3, 0)).unwrap();
        assert_eq!(objection, "it would delete 3 of 4 images (75 %), and --max-deleted-percent is 50");
    }
}
