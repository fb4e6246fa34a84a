//! The evaluator against a table of formulas, a plain interpreter, and itself in native code.

use super::*;

/// A row's variables: a JSON object of numbers, texts, truth values and null.
fn variables(json: &str) -> Vec<(String, Option<Value>)> {
    let object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(json).unwrap();
    let value = |json: serde_json::Value| match json {
        serde_json::Value::Null => None,
        serde_json::Value::Bool(b) => Some(Value::Bool(b)),
        serde_json::Value::Number(n) => Some(Value::Number(n.as_f64().unwrap())),
        serde_json::Value::String(text) => Some(Value::Text(text.into())),
        other => panic!("no variable can be {other}"),
    };
    object.into_iter().map(|(name, json)| (name, value(json))).collect()
}

/// Whether a result is what a row expects: a number, a text in quotes, NULL or ERROR.
fn agrees(result: &Result<Option<Value>, Vec<Diagnostic>>, expected: &str) -> bool {
    match (result, expected) {
        (Err(_), "ERROR") | (Ok(None), "NULL") => true,
        (Ok(Some(Value::Text(text))), _) => {
            expected.strip_prefix('\'').and_then(|e| e.strip_suffix('\'')) == Some(&**text)
        }
        (Ok(Some(Value::Number(n))), _) => {
            expected.parse().is_ok_and(|expected: f64| (n - expected).abs() <= 1e-9 * expected.abs().max(1.0))
        }
        _ => false,
    }
}

#[test]
fn the_table_of_formulas() {
    let mut wrong = Vec::new();
    for row in include_str!("formulas.tsv").lines().filter(|row| !row.starts_with('#') && !row.is_empty()) {
        let [text, json, expected] = row.split('\t').collect::<Vec<_>>()[..] else { panic!("no row: {row}") };
        let result = evaluate(text, &variables(json));
        if !agrees(&result, expected) {
            wrong.push(format!("{row}\n    gives {result:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
