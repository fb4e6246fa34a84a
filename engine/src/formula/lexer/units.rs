//! Units of time as other languages and people write them, and what to write here.

use alloc::format;
use alloc::string::{String, ToString};

use crate::formula::duration::{Duration, Unit};
use crate::tick::Fps;

/// What other languages and people call the units.
const FOREIGN_UNITS: [(Unit, &[&str]); 6] = [
    (Unit::Milliseconds, &["msec", "msecs", "milli", "millis", "millisecond", "milliseconds"]),
    (Unit::Seconds, &["sec", "secs", "second", "seconds"]),
    (Unit::Minutes, &["min", "mins", "minute", "minutes"]),
    (Unit::Hours, &["hr", "hrs", "hour", "hours"]),
    (Unit::Days, &["day", "days"]),
    (Unit::Ticks, &["frame", "frames"]),
];

/// Days in a week, which is no unit.
const WEEK_DAYS: f64 = 7.0;

/// Longer texts than any duration are not looked at.
const LONGEST: usize = 40;

/// What to write instead of a text that is no duration; `None` where that is not plain.
pub(in crate::formula) fn meant(text: &str) -> Option<String> {
    let text = text.trim();
    if text.len() > LONGEST {
        return None;
    }
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (digits, unit) = text.split_at(end);
    let amount: f64 = digits.parse().ok()?;
    let unit = unit.trim_start().to_ascii_lowercase();
    let foreign = |unit: &str| FOREIGN_UNITS.into_iter().find(|(_, names)| names.contains(&unit));
    if let Some(unit) = Unit::named(&unit).or(foreign(&unit).map(|(unit, _)| unit)) {
        return Some(format!("{digits}{}", unit.symbol()));
    }
    match unit.as_str() {
        "w" | "week" | "weeks" => Some(format!("{}d", amount * WEEK_DAYS)),
        _ => total(text),
    }
}

/// The sum of a text such as `1h30m`, in the smallest of its units.
fn total(text: &str) -> Option<String> {
    let milliseconds_of = |duration: Duration| match duration.unit {
        Unit::Ticks => None,
        _ => Some(duration.seconds(Fps::default()) * 1e3),
    };
    let mut rest = text;
    let mut parts = 0;
    let mut milliseconds = 0.0;
    let mut smallest = Unit::Days;
    while !rest.is_empty() {
        let number_end = rest.find(|c: char| !c.is_ascii_digit())?;
        let unit_end = rest[number_end..].find(|c: char| c.is_ascii_digit() || c.is_whitespace());
        let part = Duration::parse(&rest[..unit_end.map_or(rest.len(), |end| number_end + end)])?;
        milliseconds += milliseconds_of(part)?;
        let units = [part.unit, smallest];
        smallest = *units.iter().min_by_key(|unit| Unit::ALL.iter().position(|u| u == *unit))?;
        rest = unit_end.map_or("", |end| rest[number_end + end..].trim_start());
        parts += 1;
    }
    let one = milliseconds_of(Duration { amount: 1.0, unit: smallest })?;
    (parts > 1).then(|| format!("{}{}", milliseconds / one, smallest.symbol()))
}

/// What to say of a text that is to be a duration and is none.
pub(in crate::formula) fn help(text: &str) -> String {
    match meant(text) {
        Some(written) => format!("write `{written}`"),
        None if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) => {
            format!("add a unit: `{text}s` or `{text}m`, for example")
        }
        None => "write a number and its unit: `500ms`, `30s`, `5m`, `1h`, `7d` or `120ticks`".to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_duration_says_what_to_write() {
        let all = "write a number and its unit: `500ms`, `30s`, `5m`, `1h`, `7d` or `120ticks`";
        for (text, expected) in [
            ("", all),
            ("soon", all),
            ("-5m", all),
            ("5 parsecs", all),
            ("5\u{b5}s", all),
            ("1..5s", all),
            ("15", "add a unit: `15s` or `15m`, for example"),
            ("5 m", "write `5m`"),
            ("5min", "write `5m`"),
            ("2 Hours", "write `2h`"),
            ("1.5sec", "write `1.5s`"),
            ("30S", "write `30s`"),
            ("2w", "write `14d`"),
            ("90 frames", "write `90ticks`"),
            ("1h30m", "write `90m`"),
            ("1h 30m 5s", "write `5405s`"),
            ("1m500ms", "write `60500ms`"),
            ("1h5", all),
            ("1h2ticks", all),
        ] {
            assert_eq!(help(text), expected, "{text}");
        }
    }
}
