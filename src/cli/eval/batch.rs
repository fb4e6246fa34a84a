//! `eval --batch`: a formula on each line, a result on each line.

use std::collections::BTreeMap;
use std::io::{BufRead, Read, Write};

use actors::expression::trial::Trial;
use engine::diagnostic::{Diagnostic, Severity};
use engine::value::Value;
use serde_json::{Value as Json, json};

use crate::cli::failure::Failure;

/// The longest line that is read, in bytes.
const LINE_BYTES: usize = 1 << 20;

/// How a line is written, for who wrote another.
const FORM: &str =
    r#"write {"expression": "avg(a, 1m) + b", "variables": {"b": 2}, "samples": {"a": [[5, 1.5]]}}"#;

/// A line of input.
#[derive(Debug, Default)]
struct Request {
    expression: String,
    /// `None` stands for a key that has no value yet.
    variables: BTreeMap<String, Option<Value>>,
    /// For each key, pairs of age in seconds and number.
    samples: BTreeMap<String, Vec<(f64, f64)>>,
}

impl Request {
    fn read(line: &[u8]) -> Result<Request, Refusal> {
        let json: Json = serde_json::from_slice(line).map_err(|error| unreadable(&error))?;
        let Json::Object(fields) = json else { return Err(refusal(format!("a line is an object: {FORM}"))) };
        let mut request = Request::default();
        let mut is_there = false;
        for (name, value) in fields {
            match (&*name, value) {
                ("expression", Json::String(text)) => (request.expression, is_there) = (text, true),
                ("expression", _) => return Err(refusal(format!("`expression` is no text: {FORM}"))),
                ("variables", Json::Object(all)) => {
                    let variable =
                        |(key, json): (String, Json)| variable(&key, json).map(|value| (key, value));
                    request.variables = all.into_iter().map(variable).collect::<Result<_, _>>()?;
                }
                ("samples", Json::Object(all)) => {
                    let of_key =
                        |(key, json): (String, Json)| samples(&key, &json).map(|samples| (key, samples));
                    request.samples = all.into_iter().map(of_key).collect::<Result<_, _>>()?;
                }
                ("variables" | "samples", _) => {
                    return Err(refusal(format!("`{name}` is no object with a field for each key: {FORM}")));
                }
                _ => {
                    let message = format!("`{name}` is none of `expression`, `variables` and `samples`");
                    return Err(refusal(message));
                }
            }
        }
        if is_there { Ok(request) } else { Err(refusal(format!("`expression` is missing: {FORM}"))) }
    }
}

fn variable(key: &str, json: Json) -> Result<Option<Value>, Refusal> {
    Ok(match json {
        Json::Null => None,
        Json::Bool(truth) => Some(Value::Bool(truth)),
        Json::String(text) => Some(Value::from(text.as_str())),
        Json::Number(number) => number.as_f64().map(Value::Number),
        Json::Array(_) | Json::Object(_) => {
            let message = format!("variable `{key}` is a list or an object: write a number or a text");
            return Err(refusal(message));
        }
    })
}

fn samples(key: &str, json: &Json) -> Result<Vec<(f64, f64)>, Refusal> {
    let pair = |(index, json): (usize, &Json)| {
        let pair = match json.as_array().map(Vec::as_slice) {
            Some([age, number]) => age.as_f64().zip(number.as_f64()),
            _ => None,
        };
        pair.ok_or_else(|| {
            let number = index + 1;
            refusal(format!("sample {number} of `{key}` is no age in seconds and number: write [5, 1.5]"))
        })
    };
    let Some(list) = json.as_array() else {
        return Err(refusal(format!("the samples of `{key}` are no list: write [[5, 1.5], [0, 2]]")));
    };
    list.iter().enumerate().map(pair).collect()
}

/// What is wrong with a line: a sentence, and where, in characters of the expression (of the line, where
/// the line itself is at fault).
struct Refusal {
    message: String,
    offset: usize,
}

/// Answers each line of `input` with one line of `out`; a bad line's is an error.
pub(super) fn run(mut input: impl BufRead, out: &mut impl Write) -> Result<(), Failure> {
    let unread = |error| Failure::message(format!("standard input cannot be read: {error}"));
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = input.by_ref().take(LINE_BYTES as u64 + 1).read_until(b'\n', &mut line);
        if read.map_err(unread)? == 0 {
            return Ok(());
        }
        let answer = if line.len() > LINE_BYTES && !line.ends_with(b"\n") {
            input.skip_until(b'\n').map_err(unread)?;
            Err(Refusal { message: format!("a line has at most {LINE_BYTES} bytes"), offset: LINE_BYTES })
        } else {
            answer(&line)
        };
        match answer {
            Ok(value) => writeln!(out, "{{\"value\":{value}}}")?,
            Err(refusal) => {
                writeln!(out, "{}", json!({ "error": refusal.message, "offset": refusal.offset }))?;
            }
        }
        // Who asks line by line waits for each answer.
        out.flush()?;
    }
}

/// The result as JSON.
fn answer(line: &[u8]) -> Result<String, Refusal> {
    let request = Request::read(line)?;
    let (text, samples, variables) =
        (&*request.expression, &request.samples, Vec::from_iter(request.variables));
    match (Trial { text, variables: &variables, samples, ..Trial::default() }).run() {
        Ok(None) => Ok("null".into()),
        Ok(Some(Value::Text(text))) => Ok(json!(&*text).to_string()),
        // Numbers and truth values are written in JSON as everywhere.
        Ok(Some(value)) => Ok(value.to_string()),
        Err(problems) => Err(first(&request.expression, problems)),
    }
}

fn refusal(message: String) -> Refusal {
    Refusal { message, offset: 0 }
}

fn unreadable(error: &serde_json::Error) -> Refusal {
    let message = error.to_string();
    // The offset says where.
    let message = message.rsplit_once(" at line ").map_or(&*message, |(message, _)| message);
    Refusal { message: format!("this line is no JSON: {message}"), offset: error.column().saturating_sub(1) }
}

/// The first error of several problems.
fn first(expression: &str, problems: Vec<Diagnostic>) -> Refusal {
    let errors = problems.into_iter().filter(|problem| problem.severity == Severity::Error);
    let (at, message) = errors.map(|error| (error.span.start, error.message)).min().unwrap_or_default();
    let before = expression.get(..at).unwrap_or(expression);
    Refusal { message, offset: before.chars().count() }
}
