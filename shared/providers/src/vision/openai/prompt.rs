//! The instructions for rating images.

/// The version of the rubric. A changed text is a new version, which rates every image anew.
pub const PROMPT_VERSION: u32 = 3;

/// The rating rules, as instructions to the model. They name no limits of faults, because the settings define them
/// ([`limits`](domain::limits)).
pub(super) const RUBRIC: &str = include_str!("rubric.txt");

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;

    #[test]
    fn changed_rubric_needs_a_new_version() {
        let digest = Sha256::digest(RUBRIC);
        let known = (PROMPT_VERSION, format!("{:02x}{:02x}{:02x}", digest[0], digest[1], digest[2]));
        assert_eq!(known, (3, "75358a".to_owned()), "increment PROMPT_VERSION, and enter the new digest here");
    }

    #[test]
    fn rubric_leaves_what_flags_cost_to_the_settings() {
        assert!(RUBRIC.contains("Flags and same_character leave the quality as it is"));
        assert!(!RUBRIC.contains("at most 4"), "the settings define limits");
    }
}
