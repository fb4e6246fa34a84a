//! Texts and numbers held against their rules.

use engine::diagnostic::{Diagnostic, nearest};
use serde_json::Number;
use toml::Spanned;
use toml::de::DeValue;

use super::rules::Rules;
use super::words::{Trail, shortened};
use super::{Tree, format};
use crate::config::place::Place;

/// Whether a text or a number follows its rules.
pub(super) fn check(
    text: &str,
    trail: &Trail<'_>,
    rules: &Rules<'_>,
    value: &Tree<'_>,
) -> Result<(), Diagnostic> {
    match value.get_ref() {
        DeValue::String(written) => check_text(trail, rules, written).map_err(|problem| {
            let place = Place::root(text, value);
            let whole = problem.span == (0..written.len());
            let span = if whole { place.span() } else { place.within(problem.span.clone()) };
            Diagnostic { span, ..problem }
        }),
        DeValue::Integer(number) => {
            let exact = i128::from_str_radix(number.as_str(), number.radix()).ok();
            let fits = if rules.accept_number() { fits_number } else { fits_whole };
            match exact {
                Some(exact) if fits(rules, exact) => Ok(()),
                _ => Err(out_of_range(trail, rules, &number.to_string(), value)),
            }
        }
        DeValue::Float(number) => check_float(trail, rules, number.as_str(), value),
        _ => Ok(()),
    }
}

fn check_text(trail: &Trail<'_>, rules: &Rules<'_>, text: &str) -> Result<(), Diagnostic> {
    let whole = 0..text.len();
    if !rules.words().is_empty() && !rules.words().contains(&text) {
        let message = format!("`{}` cannot be \"{}\"", trail.name(), shortened(text));
        return Err(Diagnostic::error("unknown-word", whole, message)
            .with_help(format!("write {}", rules.words_or_else()))
            .with_candidates(nearest(text, rules.words().iter().copied())));
    }
    if let Some(most) = rules.limit("maxLength").filter(|most| text.len() as u64 > *most) {
        let message = format!("`{}` has at most {most} bytes, found {}", trail.name(), text.len());
        return Err(Diagnostic::error("too-long", whole, message));
    }
    rules.text("format").map_or(Ok(()), |name| format::check(name, text))
}

/// Whether a whole number is within the bounds of its type and of the schema.
fn fits_whole(rules: &Rules<'_>, number: i128) -> bool {
    let (least, most) = whole_bounds(rules);
    (least..=most).contains(&number)
}

/// Whether a whole number is within the bounds of a number that may have a fraction.
fn fits_number(rules: &Rules<'_>, number: i128) -> bool {
    // TOML's whole numbers have at most 64 bits; what a double makes of them is what will be used.
    i64::try_from(number).is_ok() && is_between(rules, number as f64)
}

fn is_between(rules: &Rules<'_>, number: f64) -> bool {
    let bound = |name: &str| rules.bound(name).and_then(Number::as_f64);
    bound("minimum").is_none_or(|least| number >= least) && bound("maximum").is_none_or(|most| number <= most)
}

fn check_float(
    trail: &Trail<'_>,
    rules: &Rules<'_>,
    written: &str,
    value: &Spanned<DeValue<'_>>,
) -> Result<(), Diagnostic> {
    let number: f64 = written.parse().unwrap_or(f64::NAN);
    if !number.is_finite() {
        let message = format!("`{}` is a finite number, found {written}", trail.name());
        return Err(Diagnostic::error("out-of-range", value.span(), message));
    }
    if is_between(rules, number) { Ok(()) } else { Err(out_of_range(trail, rules, written, value)) }
}

fn out_of_range(
    trail: &Trail<'_>,
    rules: &Rules<'_>,
    written: &str,
    value: &Spanned<DeValue<'_>>,
) -> Diagnostic {
    let message = format!("`{}` cannot be {}", trail.name(), shortened(written));
    let (least, most) = bounds_in_words(rules);
    let range = if least == most { least } else { format!("a number from {least} to {most}") };
    Diagnostic::error("out-of-range", value.span(), message).with_help(format!("write {range}"))
}

fn bounds_in_words(rules: &Rules<'_>) -> (String, String) {
    let (least, most) = whole_bounds(rules);
    let word = |name: &str, otherwise: i128| {
        rules.bound(name).map_or_else(|| otherwise.to_string(), |bound| shortest(bound.as_f64(), bound))
    };
    (word("minimum", least), word("maximum", most))
}

/// `1` rather than `1.0`.
fn shortest(number: Option<f64>, bound: &Number) -> String {
    number.map_or_else(|| bound.to_string(), |number| number.to_string())
}

/// The bounds of a whole number: what the schema says, within what the type holds.
fn whole_bounds(rules: &Rules<'_>) -> (i128, i128) {
    let (least, most) = match rules.text("format") {
        Some("uint32") => (0, i128::from(u32::MAX)),
        Some("int32") => (i128::from(i32::MIN), i128::from(i32::MAX)),
        Some("uint64" | "uint") => (0, i128::from(u64::MAX)),
        _ => (i128::from(i64::MIN), i128::from(i64::MAX)),
    };
    let bound = |name: &str| rules.bound(name).and_then(|bound| bound.as_f64()).map(|bound| bound as i128);
    (bound("minimum").unwrap_or(least).max(least), bound("maximum").unwrap_or(most).min(most))
}
