//! Comparing JSON with what is expected of it.

use serde_json::{Map, Value};

/// What of `actual` is not as `expected` says; empty where all is.
///
/// Objects need hold only the expected keys; lists must be equal in length and order. An object
/// with one key that starts with `$` is a matcher:
/// `$between: [low, high]`, `$set: [...]` (any order), `$absent: true`, `$holds: text`.
pub(crate) fn difference(expected: &Value, actual: Option<&Value>) -> Vec<String> {
    let mut found = Vec::new();
    compare("", expected, actual, &mut found);
    found
}

/// Holds a record to what is expected of it: see [`difference`].
#[track_caller]
pub(crate) fn check(record: &Value, expected: &Value) {
    let wrong = difference(expected, Some(record));
    assert!(wrong.is_empty(), "{wrong:#?}\nin {record}");
}

/// A number that a record has.
#[track_caller]
pub(crate) fn number(record: &Value, name: &str) -> f64 {
    record[name].as_f64().unwrap_or_else(|| panic!("no number {name}: {record}"))
}

fn compare(path: &str, expected: &Value, actual: Option<&Value>, found: &mut Vec<String>) {
    let wrong = || format!("{path}: expected {expected}, got {}", show(actual));
    let matcher = expected.as_object().and_then(matcher);
    let Some(value) = actual else {
        if !matches!(matcher, Some(("$absent", _))) {
            found.push(wrong());
        }
        return;
    };
    match (matcher, expected) {
        (Some(("$between", range)), _) => {
            let inside = |n: f64| range[0].as_f64() <= Some(n) && Some(n) <= range[1].as_f64();
            if !value.as_f64().is_some_and(inside) {
                found.push(wrong());
            }
        }
        (Some(("$holds", text)), _) => {
            if !value.as_str().is_some_and(|v| v.contains(text.as_str().unwrap_or("\0"))) {
                found.push(wrong());
            }
        }
        (Some(("$set", wanted)), _) => {
            let (wanted, items) = (wanted.as_array().expect("$set: list"), value.as_array());
            let same = |list: &[Value]| {
                list.len() == wanted.len()
                    && wanted.iter().all(|w| list.iter().any(|v| difference(w, Some(v)).is_empty()))
            };
            if !items.is_some_and(|list| same(list)) {
                found.push(wrong());
            }
        }
        (Some(_), _) => found.push(wrong()),
        (None, Value::Object(keys)) => match value.as_object() {
            Some(object) => {
                for (key, expected) in keys {
                    compare(&format!("{path}.{key}"), expected, object.get(key), found);
                }
            }
            None => found.push(wrong()),
        },
        (None, Value::Array(items)) => match value.as_array() {
            Some(list) if list.len() == items.len() => {
                for (i, (expected, value)) in items.iter().zip(list).enumerate() {
                    compare(&format!("{path}[{i}]"), expected, Some(value), found);
                }
            }
            _ => found.push(wrong()),
        },
        (None, _) if value == expected => {}
        (None, _) => found.push(wrong()),
    }
}

fn matcher(object: &Map<String, Value>) -> Option<(&str, &Value)> {
    let (key, value) = object.iter().next()?;
    (object.len() == 1 && key.starts_with('$')).then_some((key, value))
}

fn show(value: Option<&Value>) -> String {
    value.map_or_else(|| "nothing".to_owned(), Value::to_string)
}

/// The items of an iterator, in order.
pub(crate) fn sorted<T: Ord>(items: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut items: Vec<T> = items.into_iter().collect();
    items.sort();
    items
}

#[test]
fn differences_are_found() {
    use serde_json::json;
    let none = |expected, actual| {
        assert_eq!(difference(&expected, Some(&actual)), Vec::<String>::new());
    };
    let one = |expected, actual| assert_eq!(difference(&expected, Some(&actual)).len(), 1);
    none(json!({"a": 1}), json!({"a": 1, "b": 2}));
    one(json!({"a": 1}), json!({"a": 2}));
    one(json!({"a": 1}), json!({"b": 1}));
    one(json!([1, 2]), json!([1, 3]));
    one(json!([1, 2]), json!([1]));
    none(json!({"$set": [1, 2]}), json!([2, 1]));
    one(json!({"$set": [1, 2]}), json!([2, 1, 3]));
    none(json!({"a": {"$absent": true}}), json!({}));
    one(json!({"a": {"$absent": true}}), json!({"a": null}));
    none(json!({"$between": [1, 2]}), json!(1.5));
    one(json!({"$between": [1, 2]}), json!(2.5));
    one(json!({"$holds": "x"}), json!("abc"));
}
