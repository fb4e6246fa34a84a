//! One formula over given variables.

use std::collections::BTreeMap;

use engine::diagnostic::{Diagnostic, Severity};
use engine::formula::{Entry, Key, Kind, compile};
use engine::value::Value;

/// The result of `expression`. Variables without a value are keys whose first sample has not arrived; later
/// ones win over earlier ones of the same name.
///
/// # Errors
/// The first thing that is wrong with it.
pub(super) fn compute(
    expression: &str,
    variables: impl IntoIterator<Item = (String, Option<Value>)>,
) -> Result<Option<Value>, Box<Diagnostic>> {
    let variables: BTreeMap<String, Option<Value>> = variables.into_iter().collect();
    let keys: Vec<Key> = (variables.iter())
        .map(|(name, value)| Key { name: name.clone(), kind: value.as_ref().map_or(Kind::Number, kind_of) })
        .collect();
    let compiled = compile(&[Entry { name: None, text: expression }], &keys);
    let problems = compiled.problems.into_iter().map(|(_, problem)| problem);
    let mut errors: Vec<_> = problems.filter(|problem| problem.severity == Severity::Error).collect();
    errors.sort_by_key(|problem| problem.span.start);
    match errors.into_iter().next() {
        Some(error) => Err(Box::new(error)),
        None => Ok(None),
    }
}

fn kind_of(value: &Value) -> Kind {
    match value {
        Value::Text(_) => Kind::Text,
        Value::Number(_) | Value::Bool(_) => Kind::Number,
    }
}
