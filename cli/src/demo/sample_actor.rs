//! The sample actor: a rendered robot whose set is out of balance. `cli/assets/demo/README.md` lists the faults of its
//! images.

use std::fs;
use std::path::Path;

use anyhow::Context;

pub const ACTOR_ID: &str = "demo_robotic_scout";

const BASE_IMAGE: &[u8] = include_bytes!("../../assets/demo/base.jpg");

/// The images in the order of their numbers, which start at 1.
const TRAINING_IMAGES: [&[u8]; 21] = [
    include_bytes!("../../assets/demo/1.jpg"),
    include_bytes!("../../assets/demo/2.jpg"),
    include_bytes!("../../assets/demo/3.jpg"),
    include_bytes!("../../assets/demo/4.jpg"),
    include_bytes!("../../assets/demo/5.jpg"),
    include_bytes!("../../assets/demo/6.jpg"),
    include_bytes!("../../assets/demo/7.jpg"),
    // Number 8 is an exact duplicate.
    include_bytes!("../../assets/demo/3.jpg"),
    include_bytes!("../../assets/demo/9.jpg"),
    include_bytes!("../../assets/demo/10.jpg"),
    include_bytes!("../../assets/demo/11.jpg"),
    include_bytes!("../../assets/demo/12.jpg"),
    include_bytes!("../../assets/demo/13.jpg"),
    include_bytes!("../../assets/demo/14.jpg"),
    include_bytes!("../../assets/demo/15.jpg"),
    include_bytes!("../../assets/demo/16.jpg"),
    include_bytes!("../../assets/demo/17.jpg"),
    include_bytes!("../../assets/demo/18.jpg"),
    include_bytes!("../../assets/demo/19.jpg"),
    include_bytes!("../../assets/demo/20.jpg"),
    include_bytes!("../../assets/demo/21.jpg"),
];

/// Writes the sample actor's folder into `dir`.
pub fn write_sample(dir: &Path) -> anyhow::Result<()> {
    let actor = dir.join(ACTOR_ID);
    write(&actor.join("base_image"), &format!("{ACTOR_ID}_base.jpg"), BASE_IMAGE)?;
    for (number, bytes) in (1..).zip(TRAINING_IMAGES) {
        write(&actor.join("training_data"), &format!("{ACTOR_ID}_{number}.jpg"), bytes)?;
    }
    Ok(())
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> anyhow::Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("{} can't be created", folder.display()))?;
    let path = folder.join(name);
    fs::write(&path, bytes).with_context(|| format!("{} can't be written", path.display()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use domain::assessment::{Flag, Observed, assess};
    use domain::kind::KindCounts;
    use domain::limits::DEFAULT_QUALITY_FLOOR;
    use domain::numbering::number_of;
    use domain::planner::{Policy, Proposal, Scope, propose};
    use domain::settings::Settings;
    use domain::target::Target;
    use embedded::vision::EmbeddedVision;
    use imaging::{PREVIEW_SIDE, compare_nominated, decode, measure, shrink};

    use super::*;

    #[test]
    fn plan_for_the_sample_shows_every_fault() {
        let vision = EmbeddedVision::new().unwrap();
        let observed: Vec<Observed> = (1..)
            .zip(TRAINING_IMAGES)
            .map(|(number, bytes): (u32, _)| {
                let image = decode(bytes).unwrap();
                let observation = vision.observe(&shrink(&image, PREVIEW_SIDE));
                let facts = measure(bytes, &image);
                Observed {
                    filename: format!("robot_{number}.jpg"),
                    observation,
                    facts,
                    origin: Default::default(),
                    pinned: false,
                }
            })
            .collect();
        let previews: Vec<_> =
            TRAINING_IMAGES.iter().map(|bytes| shrink(&decode(bytes).unwrap(), PREVIEW_SIDE)).collect();
        let resemblances = compare_nominated(&observed, &previews.iter().collect::<Vec<_>>());
        let assessments = assess(&observed, &resemblances, &Settings::default());
        let flagged = |flag: Flag| -> Vec<&str> {
            assessments.iter().filter(|it| it.flags.contains(&flag)).map(|it| it.filename.as_str()).collect()
        };
        assert_eq!(flagged(Flag::BadExposure), ["robot_13.jpg"]);
        assert_eq!(flagged(Flag::Blurry), ["robot_4.jpg", "robot_18.jpg"]);
        assert_eq!(flagged(Flag::ExactDuplicate), ["robot_8.jpg"]);
        assert_eq!(flagged(Flag::NearDuplicate), ["robot_17.jpg"]);
        assert_eq!(flagged(Flag::Symmetrical), ["robot_9.jpg"]);
        assert_eq!(KindCounts::tally(assessments.iter().map(|it| it.kind)).to_string(), "14/1/6");
        let policy = Policy { target: Target::default(), quality_floor: DEFAULT_QUALITY_FLOOR, scope: Scope::All };
        let Proposal { delete, result, .. } = propose(&assessments, &policy);
        let deleted: BTreeSet<_> = delete.iter().map(|removal| number_of(&removal.filename)).collect();
        assert_eq!((deleted, result.to_string()), ([4, 8, 13, 16, 18, 20].into(), "13/4/3".to_owned()));
    }

    #[test]
    fn sample_has_a_base_image_and_21_images() {
        let dir = tempfile::tempdir().unwrap();
        write_sample(dir.path()).unwrap();
        let count = |folder: &str| fs::read_dir(dir.path().join(ACTOR_ID).join(folder)).unwrap().count();
        assert_eq!((count("base_image"), count("training_data")), (1, 21));
    }
}
