//! Hyphens and underscores in the names of options: both are accepted.

use std::ffi::OsString;

/// The arguments, with the hyphens that the names of options have.
pub fn normalized(arguments: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut are_options = true;
    let arguments = arguments.into_iter().map(|argument| {
        are_options &= argument != "--";
        let text = argument.to_str().filter(|text| are_options && text.starts_with("--"));
        text.map(with_hyphens).map_or(argument.clone(), OsString::from)
    });
    arguments.collect()
}

/// The value after `=` stays as it is.
fn with_hyphens(option: &str) -> String {
    match option.split_once('=') {
        Some((name, value)) => format!("{}={value}", name.replace('_', "-")),
        None => option.replace('_', "-"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn underscores_in_option_names_become_hyphens() {
        let arguments = ["balancer", "local", "--target_total", "20", "--quality_floor=a_b", "my_actor", "--", "--a_b"];
        let normalized = normalized(arguments.map(OsString::from));
        let expected = ["balancer", "local", "--target-total", "20", "--quality-floor=a_b", "my_actor", "--", "--a_b"];
        assert_eq!(normalized, expected.map(OsString::from));
    }
}
