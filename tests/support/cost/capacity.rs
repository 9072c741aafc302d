//! DynamoDB's capacity units, computed from the sizes of the items that were sent and received.
//!
//! DynamoDB reports them only on request, the functions don't request them, and the emulator would guess them. So they
//! follow the rules of the price list. A write takes one unit per KB of the old or the new item, whichever is larger,
//! rounded up; in a transaction it takes twice as many. A consistent read takes one unit per 4 KB, rounded up, and any
//! other read half of that. A write that fails its condition is charged, too.

use std::collections::HashMap;

use serde_json::Value;

use crate::recorder::Call;

const WRITE_UNIT: usize = 1024;
const READ_UNIT: usize = 4096;

/// The units that a call consumes.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Units {
    pub(super) read: f64,
    pub(super) write: f64,
    /// The part of `write` that would be saved if every plan fitted into 1 KB.
    pub(super) write_for_large_plans: f64,
}

/// The sizes of the items that calls have contained so far.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    sizes: HashMap<String, usize>,
}

impl Ledger {
    /// The units that this call consumes; none if it isn't a call to DynamoDB.
    pub(super) fn charge(&mut self, call: &Call) -> Units {
        let Some(operation) = call.target().and_then(|target| target.strip_prefix("DynamoDB_20120810.")) else {
            return Units::default();
        };
        let request: Value = serde_json::from_slice(&call.body).unwrap();
        let answer: Value = serde_json::from_slice(&call.answer.body).unwrap_or_default();
        let succeeded = call.answer.status.is_success();
        match operation {
            "GetItem" => self.get(&request, &answer),
            "Query" => self.query(&request, &answer),
            "TransactWriteItems" => self.transaction(&request, succeeded),
            "PutItem" => self.put(&request, succeeded),
            "UpdateItem" => self.update(&request, &answer, succeeded),
            "DeleteItem" => self.delete(&request, succeeded),
            other => panic!("{other} has no price"),
        }
    }

    fn get(&mut self, request: &Value, answer: &Value) -> Units {
        let size = item_size(&answer["Item"]);
        self.sizes.insert(key(&request["Key"]), size);
        read_units(request, size)
    }

    fn query(&mut self, request: &Value, answer: &Value) -> Units {
        let mut sum = 0;
        for item in answer["Items"].as_array().into_iter().flatten() {
            sum += item_size(item);
            self.sizes.insert(key(item), item_size(item));
        }
        read_units(request, sum)
    }

    fn put(&mut self, request: &Value, succeeded: bool) -> Units {
        let item = &request["Item"];
        self.write(&key(item), item_size(item), succeeded)
    }

    /// The functions request the whole item in the response to every update.
    fn update(&mut self, request: &Value, answer: &Value, succeeded: bool) -> Units {
        self.write(&key(&request["Key"]), item_size(&answer["Attributes"]), succeeded)
    }

    fn delete(&mut self, request: &Value, succeeded: bool) -> Units {
        let key = key(&request["Key"]);
        let units = self.write(&key, 0, false);
        if succeeded {
            self.sizes.remove(&key);
        }
        units
    }

    fn transaction(&mut self, request: &Value, succeeded: bool) -> Units {
        let mut sum = Units::default();
        for part in request["TransactItems"].as_array().into_iter().flatten() {
            let units = if let Some(put) = part.get("Put") {
                self.put(put, succeeded)
            } else if let Some(update) = part.get("Update") {
                self.update_in_transaction(update, succeeded)
            } else {
                self.delete(&part["Delete"], succeeded)
            };
            sum.write += 2.0 * units.write;
            sum.write_for_large_plans += 2.0 * units.write_for_large_plans;
        }
        sum
    }

    /// The response to a transaction doesn't contain its items. The upper limit counts all values that it sets as new.
    fn update_in_transaction(&mut self, update: &Value, succeeded: bool) -> Units {
        let key = key(&update["Key"]);
        let values = update["ExpressionAttributeValues"].as_object();
        let set: usize = values.into_iter().flat_map(|values| values.values()).map(value_size).sum();
        let old = self.sizes.get(&key).copied().unwrap_or_else(|| item_size(&update["Key"]));
        self.write(&key, old + set, succeeded)
    }

    fn write(&mut self, key: &str, new: usize, succeeded: bool) -> Units {
        let old = self.sizes.get(key).copied().unwrap_or_default();
        if succeeded {
            self.sizes.insert(key.to_owned(), new);
        }
        let units = round_up(if succeeded { old.max(new) } else { old }, WRITE_UNIT);
        let is_plan = key.contains("|PLAN#");
        Units { read: 0.0, write: units, write_for_large_plans: if is_plan { units - 1.0 } else { 0.0 } }
    }
}

fn read_units(request: &Value, size: usize) -> Units {
    let share = if request["ConsistentRead"] == true { 1.0 } else { 0.5 };
    Units { read: share * round_up(size, READ_UNIT), ..Units::default() }
}

/// The number of units, rounded up. A missing item takes one unit, too.
fn round_up(size: usize, unit: usize) -> f64 {
    size.div_ceil(unit).max(1) as f64
}

fn key(item: &Value) -> String {
    let part = |name: &str| item[name]["S"].as_str().unwrap().to_owned();
    format!("{}|{}", part("pk"), part("sk"))
}

/// The size of an item by DynamoDB's documentation: its names and values.
fn item_size(item: &Value) -> usize {
    item.as_object().into_iter().flatten().map(|(name, value)| name.len() + value_size(value)).sum()
}

fn value_size(value: &Value) -> usize {
    let Some((kind, value)) = value.as_object().and_then(|value| value.iter().next()) else { return 0 };
    let text = || value.as_str().unwrap_or_default().len();
    match kind.as_str() {
        "S" => text(),
        "N" => text().div_ceil(2) + 1,
        "B" => text() * 3 / 4,
        "M" => 3 + value.as_object().map_or(0, serde_json::Map::len) + item_size(value),
        "L" => 3 + value.as_array().into_iter().flatten().map(|value| 1 + value_size(value)).sum::<usize>(),
        "SS" => value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::len).sum(),
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn item_size_counts_names_and_values() {
        assert_eq!(
            item_size(&json!({ "pk": { "S": "ab" }, "n": { "N": "123" }, "t": { "BOOL": true } })),
            2 + 2 + 1 + 3 + 1 + 1
        );
        assert_eq!(item_size(&json!({ "l": { "L": [{ "S": "abc" }] } })), 1 + 3 + 1 + 3);
    }

    #[test]
    fn units_round_up_and_missing_items_cost_one() {
        assert_eq!([0, 1, 1024, 1025].map(|size| round_up(size, WRITE_UNIT)), [1.0, 1.0, 1.0, 2.0]);
        assert_eq!(read_units(&json!({ "ConsistentRead": true }), 4097).read, 2.0);
        assert_eq!(read_units(&json!({}), 0).read, 0.5);
    }
}
