//! Durations as formulas write them: `500ms`, `30s`, `5m`, `1h`, `7d`, `120ticks`.

use core::fmt;

use super::derived::Span;
use crate::tick::Fps;

/// A duration as it is written: an amount, finite and not negative, and its unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Duration {
    /// How many units; not always whole.
    pub amount: f64,
    /// The unit.
    pub unit: Unit,
}

/// The units of a [`Duration`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Unit {
    Milliseconds,
    Seconds,
    Minutes,
    Hours,
    Days,
    Ticks,
}

impl Unit {
    /// All of them, from the shortest on, ticks last.
    pub const ALL: [Unit; 6] =
        [Unit::Milliseconds, Unit::Seconds, Unit::Minutes, Unit::Hours, Unit::Days, Unit::Ticks];

    /// How it is written behind the amount.
    pub fn symbol(self) -> &'static str {
        match self {
            Unit::Milliseconds => "ms",
            Unit::Seconds => "s",
            Unit::Minutes => "m",
            Unit::Hours => "h",
            Unit::Days => "d",
            Unit::Ticks => "ticks",
        }
    }

    /// The unit that is written so; one tick may be a `tick`.
    pub fn named(symbol: &str) -> Option<Unit> {
        let symbol = if symbol == "tick" { "ticks" } else { symbol };
        Unit::ALL.into_iter().find(|unit| unit.symbol() == symbol)
    }

    /// Milliseconds in one; `None` for ticks, which depend on the rate.
    fn milliseconds(self) -> Option<f64> {
        Some(match self {
            Unit::Milliseconds => 1.0,
            Unit::Seconds => 1e3,
            Unit::Minutes => 60e3,
            Unit::Hours => 3_600e3,
            Unit::Days => 86_400e3,
            Unit::Ticks => return None,
        })
    }
}

impl Duration {
    /// Reads a duration: a number as formulas write it, in decimal, and a unit right behind.
    ///
    /// ```
    /// use engine::formula::duration::{Duration, Unit};
    /// assert_eq!(Duration::parse("1.5h"), Some(Duration { amount: 1.5, unit: Unit::Hours }));
    /// assert_eq!(Duration::parse("5 parsecs"), None);
    /// ```
    pub fn parse(text: &str) -> Option<Duration> {
        let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let (digits, unit) = text.split_at(digits.len());
        if !digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
            return None;
        }
        Duration::new(digits.parse().ok()?, Unit::named(unit)?)
    }

    /// `None` where that many seconds are no number any more.
    pub fn new(amount: f64, unit: Unit) -> Option<Duration> {
        let milliseconds = amount * unit.milliseconds().unwrap_or(1.0);
        (milliseconds.is_finite() && amount >= 0.0).then_some(Duration { amount, unit })
    }

    /// It in seconds.
    ///
    /// ```
    /// use engine::formula::duration::Duration;
    /// use engine::tick::Fps;
    /// let seconds = |text| Duration::parse(text).map(|duration| duration.seconds(Fps::default()));
    /// assert_eq!((seconds("500ms"), seconds("5m"), seconds("120ticks")), (Some(0.5), Some(300.0), Some(2.0)));
    /// ```
    pub fn seconds(self, fps: Fps) -> f64 {
        match self.unit.milliseconds() {
            // Whole seconds are multiplied and not divided: 0.1 * 1000 / 1000 need not be 0.1.
            Some(milliseconds) if milliseconds >= 1e3 => self.amount * (milliseconds / 1e3),
            Some(_) => self.amount / 1e3,
            None => self.amount / f64::from(fps.per_second()),
        }
    }

    /// The span of a window, to the millisecond or the tick and never less than one; `None` for 0.
    pub fn span(self) -> Option<Span> {
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it is not negative, and far more than any history holds is as good as any"
        )]
        let whole = |n: f64| (libm::round(n) as u64).max(1);
        if self.amount == 0.0 {
            return None;
        }
        Some(match self.unit.milliseconds() {
            Some(milliseconds) => Span::Milliseconds(whole(self.amount * milliseconds)),
            None => Span::Ticks(whole(self.amount)),
        })
    }
}

impl fmt::Display for Duration {
    /// As [`Duration::parse`] reads it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.amount, self.unit.symbol())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans() {
        for (text, span) in [
            ("500ms", Some(Span::Milliseconds(500))),
            ("30s", Some(Span::Milliseconds(30_000))),
            ("1.5s", Some(Span::Milliseconds(1_500))),
            ("0.0003d", Some(Span::Milliseconds(25_920))),
            ("5m", Some(Span::Milliseconds(300_000))),
            ("1h", Some(Span::Milliseconds(3_600_000))),
            ("7d", Some(Span::Milliseconds(604_800_000))),
            ("0.01ms", Some(Span::Milliseconds(1))),
            ("1e3s", Some(Span::Milliseconds(1_000_000))),
            (".5m", Some(Span::Milliseconds(30_000))),
            ("120ticks", Some(Span::Ticks(120))),
            ("1tick", Some(Span::Ticks(1))),
            ("99999999999999999999999d", Some(Span::Milliseconds(u64::MAX))),
            ("0s", None),
        ] {
            assert_eq!(Duration::parse(text).unwrap().span(), span, "{text}");
        }
    }

    #[test]
    fn what_is_no_duration() {
        for text in ["", "5", "m", "5 m", "-5m", "5M", "5mm", "1es", "1e3", "5.5.5s", ".s", "5m ", "0x5d"] {
            assert_eq!(Duration::parse(text), None, "{text:?}");
        }
        assert_eq!(Duration::new(f64::MAX, Unit::Days), None);
    }
}
