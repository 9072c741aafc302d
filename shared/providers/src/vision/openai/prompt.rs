//! The instructions for rating images.

/// The version of the rubric. A changed text is a new version, which rates every image anew.
pub const PROMPT_VERSION: u32 = 3;

/// The rating rules, as instructions to the model. [`limits`](domain::limits) defines how faults limit the
/// quality, regardless of the model's answer.
pub(super) const RUBRIC: &str = include_str!("rubric.txt");

#[cfg(test)]
mod tests {
    use domain::assessment::Flag;
    use domain::limits;
    use sha2::{Digest, Sha256};

    use super::*;

    #[test]
    fn changed_rubric_needs_a_new_version() {
        let digest = Sha256::digest(RUBRIC);
        let known = (PROMPT_VERSION, format!("{:02x}{:02x}{:02x}", digest[0], digest[1], digest[2]));
        assert_eq!(known, (3, "14d283".to_owned()), "increment PROMPT_VERSION, and enter the new digest here");
    }

    #[test]
    fn rubric_states_the_enforced_limits() {
        for flag in Flag::REPORTED {
            let Some(limit) = limits::of_faults(&[flag]).pop() else { continue };
            let line = format!("\n  {flag}: at most {}\n", limit.most);
            assert!(RUBRIC.contains(&line), "{line}");
        }
    }

    #[test]
    fn rubric_excludes_gaze_and_symmetry_from_quality() {
        let rule = "looking_at_camera and symmetrical leave the quality as it is, and so does same_character.";
        assert!(RUBRIC.replace('\n', " ").contains(rule));
    }
}
