//! Spans of time as users write them: `"300ms"`, `"1.5s"`, `"5m"`, `"1h"`, `"7d"`, `"120ticks"`.

use std::borrow::Cow;

use engine::diagnostic::{Diagnostic, nearest};
use engine::tick::Fps;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};

/// A span of time, exact to the nanosecond or counted in ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duration {
    /// Nanoseconds.
    Nanos(u64),
    /// Ticks, whose length depends on the panel's rate.
    Ticks(u64),
}

/// The longest span that can be written: ten years.
pub const LONGEST_DAYS: u64 = 3_650;

const NANOS_PER_SECOND: u64 = 1_000_000_000;
const UNITS: [(&str, u64); 5] = [
    ("ms", 1_000_000),
    ("s", NANOS_PER_SECOND),
    ("m", 60 * NANOS_PER_SECOND),
    ("h", 3_600 * NANOS_PER_SECOND),
    ("d", 86_400 * NANOS_PER_SECOND),
];
const LONGEST_NANOS: u64 = LONGEST_DAYS * 86_400 * NANOS_PER_SECOND;

impl Duration {
    /// A span of whole milliseconds.
    pub const fn millis(millis: u64) -> Duration {
        Duration::Nanos(millis.saturating_mul(1_000_000))
    }

    /// Reads a span; `Err` says what is wrong where in `text`.
    ///
    /// ```
    /// use tinydisplay::config::duration::Duration;
    /// assert_eq!(Duration::parse("1.5s"), Ok(Duration::millis(1_500)));
    /// assert!(Duration::parse("1.5").is_err());
    /// ```
    pub fn parse(text: &str) -> Result<Duration, Diagnostic> {
        let number_len = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (number, rest) = text.split_at(number_len);
        let unit = rest.trim_start();
        let whole = 0..text.len();
        let Some((seconds, fraction)) = split_number(number) else {
            return Err(malformed(whole, text));
        };
        let unit_at = text.len() - unit.len();
        match unit {
            "" => Err(malformed(whole, text).with_help(missing_unit(number))),
            "tick" | "ticks" if fraction.is_empty() => seconds
                .parse()
                .ok()
                .filter(|ticks| *ticks <= LONGEST_DAYS * 86_400 * u64::from(Fps::MAX))
                .map(Duration::Ticks)
                .ok_or_else(|| too_long(whole)),
            "tick" | "ticks" => Err(Diagnostic::error("duration", 0..number_len, "ticks are whole numbers")),
            _ => match UNITS.iter().find(|(name, _)| *name == unit) {
                Some((_, nanos)) => nanos_in(seconds, fraction, *nanos).ok_or_else(|| too_long(whole)),
                None => Err(unknown_unit(unit_at..text.len(), unit)),
            },
        }
    }

    /// Ticks at the rate `fps`: at least 1, or 0 for no time at all.
    pub fn ticks(self, fps: Fps) -> u64 {
        match self {
            Duration::Ticks(ticks) => ticks,
            Duration::Nanos(0) => 0,
            Duration::Nanos(nanos) => {
                let ticks = u128::from(nanos) * u128::from(fps.per_second()) / u128::from(NANOS_PER_SECOND);
                u64::try_from(ticks).unwrap_or(u64::MAX).max(1)
            }
        }
    }

    /// Real time at the rate `fps`.
    pub fn time(self, fps: Fps) -> std::time::Duration {
        std::time::Duration::from_nanos(match self {
            Duration::Nanos(nanos) => nanos,
            Duration::Ticks(ticks) => fps.nanos_at(engine::tick::Tick(ticks)),
        })
    }

    /// Whether it is no time at all.
    pub fn is_zero(self) -> bool {
        matches!(self, Duration::Nanos(0) | Duration::Ticks(0))
    }
}

/// The digits before and behind the point, if `number` is one.
fn split_number(number: &str) -> Option<(&str, &str)> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    let complete = !number.is_empty() && !number.ends_with('.') && !number.starts_with('.');
    (complete && digits(whole) && digits(fraction)).then_some((whole, fraction))
}

/// `whole.fraction` units of `unit` nanoseconds each, rounded down; `None` beyond the longest span.
fn nanos_in(whole: &str, fraction: &str, unit: u64) -> Option<Duration> {
    /// More digits than a day has nanoseconds change nothing, and this many never overflow.
    const DIGITS: usize = 15;
    let digits = &fraction[..fraction.len().min(DIGITS)];
    let parts = digits.parse::<u128>().unwrap_or(0) * u128::from(unit);
    let scale = (0..digits.len()).fold(1_u128, |scale, _| scale * 10);
    let nanos = u128::from(whole.parse::<u64>().ok()?) * u128::from(unit) + parts / scale;
    u64::try_from(nanos).ok().filter(|nanos| *nanos <= LONGEST_NANOS).map(Duration::Nanos)
}

fn malformed(span: std::ops::Range<usize>, text: &str) -> Diagnostic {
    Diagnostic::error("duration", span, format!("`{text}` is no span of time")).with_help(
        "write a number and a unit, such as \"300ms\", \"1.5s\", \"5m\", \"1h\", \"7d\" or \"120ticks\"",
    )
}

fn missing_unit(number: &str) -> String {
    format!(
        "add a unit: \"{number}ms\", \"{number}s\", \"{number}m\", \"{number}h\", \"{number}d\" or \"{number}ticks\""
    )
}

fn unknown_unit(span: std::ops::Range<usize>, unit: &str) -> Diagnostic {
    // A single letter is near all of them.
    let known = UNITS.iter().map(|(name, _)| *name).chain(["ticks"]).filter(|_| unit.len() > 1);
    Diagnostic::error("duration", span, format!("unknown unit of time `{unit}`"))
        .with_help("the units are ms, s, m, h, d and ticks")
        .with_candidates(nearest(unit, known))
}

fn too_long(span: std::ops::Range<usize>) -> Diagnostic {
    Diagnostic::error("duration", span, format!("this is longer than the longest span, {LONGEST_DAYS} days"))
}

impl<'de> Deserialize<'de> for Duration {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Duration, D::Error> {
        let text = Cow::<'de, str>::deserialize(input)?;
        Duration::parse(&text).map_err(|problem| de::Error::custom(problem.message))
    }
}

impl JsonSchema for Duration {
    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "title": "a span of time",
            "description": "A number and its unit: ms, s, m, h, d or ticks.",
            "type": "string",
            "format": "duration",
            "pattern": r"^[0-9]+(\.[0-9]+)? *(ms|s|m|h|d|ticks?)$",
            "examples": ["300ms", "1.5s", "5m", "120ticks"],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<Duration, &str>) {
        let actual = Duration::parse(text).map_err(|problem| problem.message);
        assert_eq!(actual, expected.map_err(String::from), "{text}");
    }

    #[test]
    fn spans_are_exact() {
        check("300ms", Ok(Duration::millis(300)));
        check("1.5s", Ok(Duration::millis(1_500)));
        check("0.1s", Ok(Duration::millis(100)));
        check("5m", Ok(Duration::millis(300_000)));
        check("1 h", Ok(Duration::millis(3_600_000)));
        check("7d", Ok(Duration::millis(7 * 86_400_000)));
        check("16.6ms", Ok(Duration::Nanos(16_600_000)));
        check("0.0000000009s", Ok(Duration::Nanos(0)));
        check("120ticks", Ok(Duration::Ticks(120)));
        check("1tick", Ok(Duration::Ticks(1)));
        check("3650d", Ok(Duration::Nanos(LONGEST_NANOS)));
    }

    #[test]
    fn what_is_no_span_is_said() {
        for text in ["", "s", "1..5s", ".5s", "5.s", "-1s", "５s"] {
            check(text, Err(&format!("`{text}` is no span of time")));
        }
        check("15", Err("`15` is no span of time"));
        check("1e3s", Err("unknown unit of time `e3s`"));
        check("15 sec", Err("unknown unit of time `sec`"));
        check("1.5ticks", Err("ticks are whole numbers"));
        check("3651d", Err("this is longer than the longest span, 3650 days"));
        check("99999999999999999999s", Err("this is longer than the longest span, 3650 days"));
    }

    #[test]
    fn ticks_are_rounded_down_but_never_to_nothing() {
        let fps = Fps::default();
        assert_eq!(Duration::millis(500).ticks(fps), 30);
        assert_eq!(Duration::Nanos(33_400_000).ticks(fps), 2);
        assert_eq!(Duration::Nanos(1).ticks(fps), 1);
        assert_eq!(Duration::Nanos(0).ticks(fps), 0);
        assert_eq!(Duration::Ticks(7).ticks(fps), 7);
        assert_eq!(Duration::Ticks(120).time(fps), std::time::Duration::from_secs(2));
    }
}
