//! The parameters of this version's template, beside those of a deployed stack.

use std::collections::{BTreeMap, BTreeSet};

use local_stack::may_be_secret;
use providers::Check;

const TEMPLATE: &str = include_str!("../../../template.yaml");

/// The names of the template's parameters: the keys one level below `Parameters`.
fn parameters(template: &str) -> BTreeSet<&str> {
    let after = template.lines().skip_while(|line| *line != "Parameters:").skip(1);
    let section = after.take_while(|line| line.is_empty() || line.starts_with([' ', '#']));
    let names = section.filter_map(|line| line.strip_prefix("  ")?.strip_suffix(':'));
    names.filter(|name| !name.starts_with([' ', '#'])).collect()
}

/// Whether a stack was created from the template of this version.
pub fn compare(deployed: &BTreeMap<String, String>) -> Check {
    let ours: BTreeSet<&str> = parameters(TEMPLATE).into_iter().filter(|name| !may_be_secret(name)).collect();
    let theirs: BTreeSet<&str> = deployed.keys().map(String::as_str).collect();
    let names = |names: Vec<&&str>| names.into_iter().copied().collect::<Vec<_>>().join(", ");
    let (lacks, has_more) = (names(ours.difference(&theirs).collect()), names(theirs.difference(&ours).collect()));
    match (lacks.is_empty(), has_more.is_empty()) {
        (true, true) => Check::ok("it has exactly the parameters of this version"),
        (_, false) => Check::warning(
            format!("it has parameters that this version doesn't know: {has_more}"),
            "use the version of balancer that deployed it",
        ),
        (false, true) => Check::warning(
            format!("it lacks parameters of this version: {lacks}"),
            "deploy this version, as docs/DEPLOY.md says, or use the version that deployed it",
        ),
    }
}

#[cfg(test)]
mod tests {
    use providers::Level;

    use super::*;

    #[test]
    fn stack_of_another_version_is_recognised() {
        let names = parameters(TEMPLATE);
        assert!(names.contains("TargetTotal") && names.contains("BucketName") && names.len() > 40, "{names:?}");
        let mut deployed: BTreeMap<String, String> =
            names.iter().map(|name| ((*name).to_owned(), String::new())).collect();
        deployed.retain(|name, _| !may_be_secret(name));
        assert_eq!(compare(&deployed).level, Level::Ok, "{}", compare(&deployed));
        deployed.remove("TargetTotal");
        assert!(compare(&deployed).text.contains("lacks parameters of this version: TargetTotal"));
        deployed.insert("Hue".to_owned(), String::new());
        assert!(compare(&deployed).text.contains("doesn't know: Hue"));
    }
}
