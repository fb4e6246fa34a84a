//! Durations: `30s`, `5m`, `1h`, `7d`, `500ms` and `120ticks`, as formulas write them, bare or in a text.

use alloc::format;
use alloc::string::String;
use core::fmt;

use crate::tick::Fps;

/// A span of time, as written.
///
/// ```
/// use engine::formula::duration::Duration;
/// assert_eq!(Duration::parse("1.5h"), Ok(Duration::Milliseconds(5_400_000)));
/// assert_eq!(Duration::parse("5 parsecs").unwrap_err().help, "the units are ms, s, m, h, d and ticks");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Duration {
    /// Milliseconds.
    Milliseconds(u64),
    /// Ticks, whose length depends on the panel's rate.
    Ticks(u64),
}

/// The longest duration that can be written, in days: ten years.
pub const LONGEST_DAYS: u64 = 3_650;

/// Why a text is no duration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// What is wrong, as the end of a sentence about the text: "is no duration".
    pub message: &'static str,
    /// What to write instead.
    pub help: String,
}

const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// What other languages and people call the units.
const FOREIGN_UNITS: [(&str, &[&str]); 6] = [
    ("ms", &["msec", "msecs", "milli", "millis", "millisecond", "milliseconds"]),
    ("s", &["sec", "secs", "second", "seconds"]),
    ("m", &["min", "mins", "minute", "minutes"]),
    ("h", &["hr", "hrs", "hour", "hours"]),
    ("d", &["day", "days"]),
    ("ticks", &["tick", "frame", "frames"]),
];

/// Days in a week, which is no unit.
const WEEK_DAYS: u64 = 7;

impl Duration {
    /// Reads a whole text.
    ///
    /// # Errors
    /// Says what is wrong and what to write.
    pub fn parse(text: &str) -> Result<Duration, Malformed> {
        let text = text.trim();
        let (number, unit) = split(text);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if number.is_empty() || number.ends_with('.') || !digits(whole) || !digits(fraction) {
            let help = "write a number and a unit, such as `30s`, `5m`, `1h`, `7d`, `500ms` or `120ticks`";
            return Err(Malformed { message: "is no duration", help: help.into() });
        }
        let longest = || Malformed {
            message: "is too long for a duration",
            help: format!("at most {LONGEST_DAYS} days can be written, `{LONGEST_DAYS}d`"),
        };
        if matches!(unit, "tick" | "ticks") {
            if !fraction.is_empty() {
                let help = "ticks are whole numbers".into();
                return Err(Malformed { message: "is no duration", help });
            }
            let most = LONGEST_DAYS * 86_400 * u64::from(Fps::MAX);
            let ticks = whole.parse().ok().filter(|ticks| *ticks <= most);
            return ticks.map(Duration::Ticks).ok_or_else(longest);
        }
        match UNITS.into_iter().find(|(name, _)| *name == unit) {
            Some((_, scale)) => milliseconds(whole, fraction, scale).ok_or_else(longest)?,
            None => Err(unknown_unit(text, number, unit)),
        }
    }

    /// The seconds that it lasts at the rate `fps`.
    #[allow(clippy::cast_precision_loss, reason = "ten years of milliseconds are exact in a double")]
    pub fn seconds(self, fps: Fps) -> f64 {
        match self {
            Duration::Milliseconds(count) => count as f64 / 1_000.0,
            Duration::Ticks(count) => count as f64 / f64::from(fps.per_second()),
        }
    }

    /// Whether it is no time at all.
    pub fn is_zero(self) -> bool {
        matches!(self, Duration::Milliseconds(0) | Duration::Ticks(0))
    }
}

/// In the largest unit that leaves no fraction.
impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Duration::Ticks(count) => write!(f, "{count}ticks"),
            Duration::Milliseconds(0) => f.write_str("0s"),
            Duration::Milliseconds(count) => match UNITS.into_iter().find(|(_, scale)| count % scale == 0) {
                Some((unit, scale)) => write!(f, "{}{unit}", count / scale),
                None => Ok(()),
            },
        }
    }
}

/// The digits and the point at the beginning, and what follows them.
fn split(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    (number, unit.trim_start())
}

/// `whole.fraction` units of `scale` milliseconds; the outer `None` beyond the longest duration.
fn milliseconds(whole: &str, fraction: &str, scale: u64) -> Option<Result<Duration, Malformed>> {
    /// A day has fewer digits of milliseconds, so that what is behind them is no whole millisecond.
    const DIGITS: usize = 12;
    let fraction = fraction.trim_end_matches('0');
    let whole = if whole.is_empty() { 0 } else { whole.parse::<u64>().ok()?.checked_mul(scale)? };
    let digits = &fraction[..fraction.len().min(DIGITS)];
    let power = digits.bytes().fold(1_u128, |power, _| power * 10);
    let parts = digits.parse::<u128>().unwrap_or(0) * u128::from(scale);
    let total = whole.checked_add(u64::try_from(parts / power).ok()?)?;
    if total > LONGEST_DAYS * 86_400_000 {
        return None;
    }
    if fraction.len() > DIGITS || parts % power != 0 {
        let help = format!("durations are whole milliseconds: write `{}ms`", total.max(1));
        return Some(Err(Malformed { message: "is no whole number of milliseconds", help }));
    }
    Some(Ok(Duration::Milliseconds(total)))
}

fn unknown_unit(text: &str, number: &str, unit: &str) -> Malformed {
    let help = match (sum(text), meant(number, unit)) {
        (Some(total), _) => format!("a duration has one unit: write `{total}`"),
        (None, Some(written)) => format!("write `{written}`"),
        (None, None) if unit.is_empty() => format!("add a unit: `{number}s` or `{number}m`, for example"),
        (None, None) => "the units are ms, s, m, h, d and ticks".into(),
    };
    Malformed { message: "is no duration", help }
}

/// Whether what stands behind a number is a unit of time, if perhaps a foreign one, or several of them.
pub(super) fn is_unit(text: &str) -> bool {
    let first = text.find(|c: char| c.is_ascii_digit()).map_or(text, |end| &text[..end]);
    !first.is_empty()
        && meant("1", first).is_some()
        && (first.len() == text.len() || text.ends_with(char::is_alphabetic))
}

/// How a duration in a foreign unit is written here, if the unit is known.
fn meant(number: &str, unit: &str) -> Option<String> {
    let lower = unit.to_ascii_lowercase();
    if let "w" | "week" | "weeks" = lower.as_str() {
        return number.parse::<u64>().ok().map(|weeks| format!("{}d", weeks.saturating_mul(WEEK_DAYS)));
    }
    let own = UNITS.into_iter().map(|(name, _)| name).chain(["ticks"]).find(|name| *name == lower);
    let foreign = FOREIGN_UNITS.into_iter().find(|(_, names)| names.contains(&lower.as_str()));
    own.or(foreign.map(|(name, _)| name)).map(|name| format!("{number}{name}"))
}

/// The total of a text such as `1h30m`.
fn sum(text: &str) -> Option<Duration> {
    let (mut rest, mut total, mut parts) = (text, 0_u64, 0);
    while !rest.is_empty() {
        let number_end = rest.find(|c: char| !c.is_ascii_digit())?;
        let unit_end = rest[number_end..].find(|c: char| c.is_ascii_digit() || c.is_whitespace());
        let unit_end = number_end + unit_end.unwrap_or(rest.len() - number_end);
        match Duration::parse(&rest[..unit_end]) {
            Ok(Duration::Milliseconds(part)) if part > 0 => total = total.checked_add(part)?,
            _ => return None,
        }
        rest = rest[unit_end..].trim_start();
        parts += 1;
    }
    (parts > 1).then_some(Duration::Milliseconds(total))
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn durations_are_exact() {
        let (ms, ticks) = (Duration::Milliseconds, Duration::Ticks);
        for (text, expected, shown) in [
            ("500ms", ms(500), "500ms"),
            ("30s", ms(30_000), "30s"),
            ("5m", ms(300_000), "5m"),
            (" 1 h ", ms(3_600_000), "1h"),
            ("7d", ms(604_800_000), "7d"),
            ("1.5h", ms(5_400_000), "90m"),
            (".5s", ms(500), "500ms"),
            ("0.001s", ms(1), "1ms"),
            ("2.50000000000000000s", ms(2_500), "2500ms"),
            ("60s", ms(60_000), "1m"),
            ("0d", ms(0), "0s"),
            ("120ticks", ticks(120), "120ticks"),
            ("1tick", ticks(1), "1ticks"),
            ("3650d", ms(LONGEST_DAYS * 86_400_000), "3650d"),
        ] {
            assert_eq!(Duration::parse(text), Ok(expected), "{text}");
            assert_eq!(expected.to_string(), shown);
            assert_eq!(Duration::parse(shown), Ok(expected), "{shown}");
        }
        assert_eq!(ms(1_500).seconds(Fps::default()), 1.5);
        assert_eq!(ticks(90).seconds(Fps::default()), 1.5);
    }

    #[test]
    fn what_is_none_says_what_to_write() {
        let units = "the units are ms, s, m, h, d and ticks";
        let longest = "at most 3650 days can be written, `3650d`";
        let example = "write a number and a unit, such as `30s`, `5m`, `1h`, `7d`, `500ms` or `120ticks`";
        for (text, help) in [
            ("", example),
            ("soon", example),
            ("-5m", example),
            ("5.m", example),
            ("1..5s", example),
            ("5 parsecs", units),
            ("5µs", units),
            ("5e3s", units),
            ("15", "add a unit: `15s` or `15m`, for example"),
            ("5min", "write `5m`"),
            ("2 Hours", "write `2h`"),
            ("30S", "write `30s`"),
            ("2w", "write `14d`"),
            ("90 frames", "write `90ticks`"),
            ("1h30m", "a duration has one unit: write `90m`"),
            ("1h 30m 5s", "a duration has one unit: write `5405s`"),
            ("1.5ticks", "ticks are whole numbers"),
            ("0.5ms", "durations are whole milliseconds: write `1ms`"),
            ("1.0000000000001s", "durations are whole milliseconds: write `1000ms`"),
            ("3651d", longest),
            ("99999999999999999999s", longest),
            ("9999999999999999ticks", longest),
        ] {
            assert_eq!(Duration::parse(text).map_err(|malformed| malformed.help), Err(help.into()), "{text}");
        }
    }
}
