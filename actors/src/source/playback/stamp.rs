//! When a row was recorded.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// Names of the column or field, best first.
pub(super) const NAMES: [&str; 4] = ["timestamp", "time", "timestamp_ms", "time_ms"];

/// Numbers from here on are milliseconds, smaller ones seconds: as milliseconds this is in 1973, as
/// seconds far beyond any recording.
pub(super) const MILLISECONDS_FROM: f64 = 1e11;

/// The latest time that is accepted, in seconds either side of 1970: the end of year 9999.
const MAX_SECONDS: f64 = 253_402_300_799.0;

/// What numbers count. It is settled by the first one, so that a file that passes the border is no puzzle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Seconds,
    Milliseconds,
}

impl Unit {
    /// The unit that a column's name tells.
    pub(super) fn of_name(name: &str) -> Option<Unit> {
        name.ends_with("_ms").then_some(Unit::Milliseconds)
    }
}

/// Microseconds since 1970 (or since whatever the file counts from) of a text.
pub(super) fn parse(text: &str, unit: &mut Option<Unit>) -> Result<i64, String> {
    let text = text.trim();
    if let Ok(number) = text.parse() {
        return from_number(number, unit);
    }
    let stamp = text.parse::<Timestamp>().or_else(|error| {
        // Without an offset it is UTC.
        let local: DateTime = text.parse().map_err(|_| error)?;
        local.to_zoned(TimeZone::UTC).map(|zoned| zoned.timestamp())
    });
    let problem = |_| format!("`{}` is no time; write seconds, milliseconds or ISO 8601", shortened(text));
    stamp.map(|stamp| stamp.as_microsecond()).map_err(problem)
}

/// Microseconds of a number.
pub(super) fn from_number(number: f64, unit: &mut Option<Unit>) -> Result<i64, String> {
    let guess = if number.abs() >= MILLISECONDS_FROM { Unit::Milliseconds } else { Unit::Seconds };
    let seconds = match unit.unwrap_or(guess) {
        Unit::Seconds => number,
        Unit::Milliseconds => number / 1e3,
    };
    // False for NaN too.
    if seconds.abs() <= MAX_SECONDS {
        unit.get_or_insert(guess);
        Ok((seconds * 1e6).round() as i64)
    } else {
        Err(format!("{number} is out of the range of times"))
    }
}

/// The beginning of a text, for a message.
pub(super) fn shortened(text: &str) -> String {
    const SHOWN: usize = 40;
    match text.char_indices().nth(SHOWN) {
        Some((place, _)) => format!("{}…", text[..place].escape_debug()),
        None => text.escape_debug().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        let check = |text: &str, expected: i64| assert_eq!(parse(text, &mut None), Ok(expected), "{text}");
        check("0", 0);
        check(" 1.25 ", 1_250_000);
        check("-1.5", -1_500_000);
        check("1767225600", 1_767_225_600_000_000);
        check("1767225600.001", 1_767_225_600_001_000);
        check("1767225600123", 1_767_225_600_123_000);
        check("99999999999", 99_999_999_999_000_000);
        check("100000000000", 100_000_000_000_000);
        check("2026-01-01T00:00:00Z", 1_767_225_600_000_000);
        check("2026-01-01T01:00:00.5+01:00", 1_767_225_600_500_000);
        check("2026-01-01 00:00:00", 1_767_225_600_000_000);
        check("2026-01-01", 1_767_225_600_000_000);
    }

    #[test]
    fn no_times() {
        let check = |text: &str, expected: &str| {
            assert_eq!(parse(text, &mut None), Err(expected.into()), "{text}");
        };
        check("", "`` is no time; write seconds, milliseconds or ISO 8601");
        check("yesterday", "`yesterday` is no time; write seconds, milliseconds or ISO 8601");
        check("NaN", "NaN is out of the range of times");
        check("-inf", "-inf is out of the range of times");
        check("1e18", "1000000000000000000 is out of the range of times");
        check(
            &"9-".repeat(30),
            "`9-9-9-9-9-9-9-9-9-9-9-9-9-9-9-9-9-9-9-9-…` is no time; write seconds, milliseconds or ISO 8601",
        );
    }

    #[test]
    fn the_first_number_or_the_name_settles_the_unit() {
        let mut unit = None;
        assert_eq!(parse("99999999999", &mut unit), Ok(99_999_999_999_000_000));
        assert_eq!(parse("100000000001", &mut unit), Ok(100_000_000_001_000_000));
        let mut unit = Unit::of_name("time_ms");
        assert_eq!(parse("1500", &mut unit), Ok(1_500_000));
        assert_eq!(Unit::of_name("time"), None);
    }
}
