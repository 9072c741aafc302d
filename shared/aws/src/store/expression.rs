//! Translates writes into DynamoDB's expressions.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

use super::change::{Action, Condition};

/// The expressions of a write, with the names and values that replace their placeholders. `None` stands for empty
/// parts, which DynamoDB rejects.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Expressions {
    pub(super) update: Option<String>,
    pub(super) condition: Option<String>,
    pub(super) names: Option<HashMap<String, String>>,
    pub(super) values: Option<HashMap<String, AttributeValue>>,
}

impl Expressions {
    pub(super) fn of(actions: &[Action], conditions: &[Condition]) -> Self {
        let mut placeholders = Placeholders::default();
        let update = placeholders.update(actions);
        let conditions: Vec<String> = conditions.iter().map(|condition| placeholders.condition(condition)).collect();
        Self {
            update: (!update.is_empty()).then_some(update),
            condition: (!conditions.is_empty()).then(|| conditions.join(" AND ")),
            names: (!placeholders.names.is_empty()).then_some(placeholders.names),
            values: (!placeholders.values.is_empty()).then_some(placeholders.values),
        }
    }
}

#[derive(Default)]
struct Placeholders {
    names: HashMap<String, String>,
    values: HashMap<String, AttributeValue>,
}

impl Placeholders {
    /// Every name gets a placeholder: `status`, `round` and many more are reserved words.
    fn name(&mut self, name: &str) -> String {
        let placeholders: Vec<String> = name.split('.').map(|part| format!("#{part}")).collect();
        self.names.extend(placeholders.iter().map(|placeholder| (placeholder.clone(), placeholder[1..].to_owned())));
        placeholders.join(".")
    }

    fn value(&mut self, value: &AttributeValue) -> String {
        let placeholder = format!(":v{}", self.values.len());
        self.values.insert(placeholder.clone(), value.clone());
        placeholder
    }

    fn update(&mut self, actions: &[Action]) -> String {
        let clauses: Vec<(&str, String)> = actions.iter().map(|action| self.clause(action)).collect();
        let section = |verb: &str| {
            let clauses: Vec<&str> =
                clauses.iter().filter(|(of, _)| *of == verb).map(|(_, clause)| clause.as_str()).collect();
            (!clauses.is_empty()).then(|| format!("{verb} {}", clauses.join(", ")))
        };
        ["SET", "ADD", "REMOVE"].into_iter().filter_map(section).collect::<Vec<_>>().join(" ")
    }

    fn clause(&mut self, action: &Action) -> (&'static str, String) {
        match action {
            Action::Set(name, value) => ("SET", format!("{} = {}", self.name(name), self.value(value))),
            Action::SetIfAbsent(name, value) => {
                let name = self.name(name);
                ("SET", format!("{name} = if_not_exists({name}, {})", self.value(value)))
            }
            Action::Add(name, value) => ("ADD", format!("{} {}", self.name(name), self.value(value))),
            Action::Remove(name) => ("REMOVE", self.name(name)),
        }
    }

    fn condition(&mut self, condition: &Condition) -> String {
        match condition {
            Condition::Present(name) => format!("attribute_exists({})", self.name(name)),
            Condition::Absent(name) => format!("attribute_not_exists({})", self.name(name)),
            Condition::Equal(name, value) => format!("{} = {}", self.name(name), self.value(value)),
            Condition::Above(name, value) => format!("{} > {}", self.name(name), self.value(value)),
            Condition::OneOf(name, values) => {
                let values: Vec<String> = values.iter().map(|value| self.value(value)).collect();
                format!("{} IN ({})", self.name(name), values.join(", "))
            }
            Condition::AbsentOrEqual(name, value) => self.absent_or(name, "=", value),
            Condition::AbsentOrBelow(name, value) => self.absent_or(name, "<", value),
            Condition::AbsentOrAtMost(name, value) => self.absent_or(name, "<=", value),
            Condition::Without(name, member) => format!("NOT contains({}, {})", self.name(name), self.value(member)),
            Condition::LeaseFree { now, token } => {
                let expired = self.absent_or("lease_until", "<", now);
                format!("({expired} OR {} = {})", self.name("lease_token"), self.value(token))
            }
        }
    }

    fn absent_or(&mut self, name: &str, operator: &str, value: &AttributeValue) -> String {
        let (name, value) = (self.name(name), self.value(value));
        format!("(attribute_not_exists({name}) OR {name} {operator} {value})")
    }
}

#[cfg(test)]
mod tests {
    use super::super::change::Change;
    use super::super::items::{number, raw_key, text};
    use super::*;

    fn of(change: &Change) -> Expressions {
        Expressions::of(&change.actions, &change.conditions)
    }

    fn change() -> Change {
        Change::of(raw_key("p", "s"))
    }

    /// The update expression and the condition of a change, with the values in place of their placeholders.
    fn rendered(change: &Change) -> (String, String) {
        let Expressions { update, condition, names, values } = of(change);
        let (names, values) = (names.unwrap_or_default(), values.unwrap_or_default());
        let fill = |expression: Option<String>| {
            // The longest first: `#round` is the beginning of `#rounds`.
            let mut placeholders: Vec<_> = names.iter().map(|(name, to)| (name.clone(), to.clone())).collect();
            placeholders.extend(values.iter().map(|(name, to)| (name.clone(), format!("{to:?}"))));
            placeholders.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
            placeholders.iter().fold(expression.unwrap_or_default(), |text, (name, to)| text.replace(name, to))
        };
        (fill(update), fill(condition))
    }

    fn update(change: &Change) -> String {
        rendered(change).0
    }

    fn condition(change: &Change) -> String {
        rendered(change).1
    }

    #[test]
    fn change_without_parts_has_no_expressions() {
        assert_eq!(of(&change()), Expressions::default());
    }

    #[test]
    fn each_action_has_its_clause() {
        let one = number(1);
        for (action, expected) in [
            (Action::Set("a", one.clone()), r#"SET a = N("1")"#),
            (Action::SetIfAbsent("a", one.clone()), r#"SET a = if_not_exists(a, N("1"))"#),
            (Action::Add("a", one), r#"ADD a N("1")"#),
            (Action::Remove("a"), "REMOVE a"),
        ] {
            let change = Change { actions: vec![action], ..change() };
            assert_eq!(update(&change), expected);
        }
    }

    #[test]
    fn each_condition_has_its_expression() {
        let one = number(1);
        for (condition_of, expected) in [
            (Condition::Present("a"), "attribute_exists(a)"),
            (Condition::Absent("a"), "attribute_not_exists(a)"),
            (Condition::Equal("a", one.clone()), r#"a = N("1")"#),
            (Condition::Above("a", one.clone()), r#"a > N("1")"#),
            (Condition::OneOf("a", vec![one.clone(), number(2)]), r#"a IN (N("1"), N("2"))"#),
            (Condition::AbsentOrEqual("a", one.clone()), r#"(attribute_not_exists(a) OR a = N("1"))"#),
            (Condition::AbsentOrBelow("a", one.clone()), r#"(attribute_not_exists(a) OR a < N("1"))"#),
            (Condition::AbsentOrAtMost("a", one.clone()), r#"(attribute_not_exists(a) OR a <= N("1"))"#),
            (Condition::Without("a", one), r#"NOT contains(a, N("1"))"#),
            (
                Condition::LeaseFree { now: number(9), token: text("t") },
                r#"((attribute_not_exists(lease_until) OR lease_until < N("9")) OR lease_token = S("t"))"#,
            ),
        ] {
            assert_eq!(condition(&change().when(condition_of)), expected);
        }
    }

    #[test]
    fn actions_of_a_kind_share_a_section() {
        let change = change().set("a", number(1)).remove("b").add("c", number(2)).set("d", number(3)).remove("e");
        assert_eq!(update(&change), r#"SET a = N("1"), d = N("3") ADD c N("2") REMOVE b, e"#);
    }

    #[test]
    fn all_conditions_must_hold() {
        let change = change().when_absent("a").when_equal("b", number(1)).when_item_exists();
        assert_eq!(condition(&change), r#"attribute_not_exists(a) AND b = N("1") AND attribute_exists(pk)"#);
    }

    #[test]
    fn reserved_words_are_never_written_out() {
        let found = of(&change().set("status", text("x")).when_absent("round"));
        let written = [found.update.unwrap(), found.condition.unwrap()];
        assert_eq!(written, ["SET #status = :v0", "attribute_not_exists(#round)"]);
        let named = [("#status", "status"), ("#round", "round")].map(|(of, to)| (of.to_owned(), to.to_owned()));
        assert_eq!(found.names.unwrap(), named.into());
    }

    #[test]
    fn dotted_names_reach_into_maps() {
        let found = of(&change().when_equal("image.etag", text("x")));
        assert_eq!(found.condition.unwrap(), "#image.#etag = :v0");
        assert_eq!(found.names.unwrap().len(), 2);
    }

    #[test]
    fn equal_values_have_their_own_placeholders() {
        let found = of(&change().set("a", number(1)).set("b", number(1)).when_equal("a", number(1)));
        assert_eq!(found.values.unwrap().len(), 3);
        assert_eq!(found.names.unwrap().len(), 2, "a name that is used twice has one placeholder");
    }

    #[test]
    fn missing_value_removes_the_attribute() {
        assert_eq!(change().set_or_remove("a", None), change().remove("a"));
        assert_eq!(change().set_or_remove("a", Some(number(1))), change().set("a", number(1)));
    }
}
