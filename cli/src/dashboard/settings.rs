//! What pages show of the settings of a stack or folder.

use domain::money::MicroUsd;
use domain::settings::Settings;

use crate::connection::Connected;
use crate::pages::settings::Group;
use crate::sets::Sets;
use crate::stack_parameters::StackParameters;

/// The parameters of the template by subject. Others are technical, and follow at the end.
const SUBJECTS: [(&str, &[&str]); 4] = [
    ("Target", &["Target", "Framing", "Angle", "MaxRounds", "MaxDeletedPercent", "AutomaticBalancing", "QuietSeconds"]),
    ("Quality", &["Quality", "Frontal"]),
    ("Models", &["Vision", "Generator", "Replicate", "OpenAi", "ComfyUi", "AspectRatio", "ImageMegapixels"]),
    ("Budgets", &["DailyBudget", "ActorDailyBudget", "PlanBudget"]),
];

pub fn groups(sets: &Sets) -> Vec<Group> {
    match sets {
        Sets::InFolder(folder) => vec![
            Group { title: "Places", values: vec![("Folder".to_owned(), folder.data.display().to_string())] },
            Group { title: "Defaults", values: defaults() },
        ],
        Sets::InStack(stack) => of_stack(stack),
    }
}

/// Where the images of a new actor and its base image must be put.
pub fn places_for_images(sets: &Sets) -> Vec<String> {
    let in_folder = |data: &str| vec![format!("{data}/ACTOR/training_data/"), format!("{data}/ACTOR/base_image/")];
    match sets {
        Sets::InFolder(folder) => in_folder(&folder.data.display().to_string()),
        Sets::InStack(stack) => match stack.parameters.get("LocalDataDir") {
            Some(data) => in_folder(data),
            None => {
                let (bucket, prefix) = (stack.services.bucket.name(), stack.stack.key_prefix.trim_matches('/'));
                ["training_data/ACTOR/", "base_images/ACTOR_base.png"]
                    .map(|place| format!("s3://{bucket}/{prefix}/{place}"))
                    .to_vec()
            }
        },
    }
}

/// The price of a generated image; `None` if it is not known.
pub fn price_per_image(sets: &Sets) -> Option<MicroUsd> {
    match sets {
        Sets::InStack(stack) => stack.parameters.price_per_image(),
        Sets::InFolder(_) => None,
    }
}

fn defaults() -> Vec<(String, String)> {
    let Settings { target, rules, .. } = Settings::default();
    let values = [
        ("Images in a set", target.total.to_string()),
        ("Percent photorealistic/black-and-white/colour", target.shares.to_string()),
        ("Quality floor", rules.quality_floor.to_string()),
    ];
    values.map(|(name, value)| (name.to_owned(), value)).to_vec()
}

fn of_stack(stack: &Connected) -> Vec<Group> {
    let StackParameters(parameters) = &stack.parameters;
    let subject_of =
        |name: &str| SUBJECTS.iter().find(|(_, starts)| starts.iter().any(|start| name.starts_with(start)));
    let values = |title: Option<&str>| {
        let of_subject = parameters
            .iter()
            .filter(|(name, value)| !value.is_empty() && subject_of(name).map(|(subject, _)| *subject) == title);
        of_subject.map(|(name, value)| (name.clone(), value.clone())).collect()
    };
    let mut groups = vec![Group { title: "Places", values: places(stack) }];
    groups.extend(SUBJECTS.map(|(title, _)| Group { title, values: values(Some(title)) }));
    groups.push(Group { title: "Other parameters", values: values(None) });
    groups
}

fn places(stack: &Connected) -> Vec<(String, String)> {
    let reference = &stack.stack;
    let values = [
        ("Region", Some(reference.region.clone())),
        ("Bucket", Some(reference.bucket.clone())),
        ("Keys begin with", Some(reference.key_prefix.clone())),
        ("Table", Some(reference.table.clone())),
        ("Address of the local stack", reference.endpoint.clone()),
    ];
    values.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}
