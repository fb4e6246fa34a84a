//! How results are written in templates.

use alloc::format;
use alloc::string::String;
use core::fmt::Write;

use serde::{Deserialize, Serialize};

use super::NO_VALUE;
use crate::diagnostic::{Diagnostic, nearest};
use crate::value::Value;

/// The widest that a format may make a result, in characters.
pub const MAX_WIDTH: u16 = 200;

/// The most digits after the point that a format may ask for.
pub const MAX_PRECISION: u8 = 30;

/// How a result is written: `[[fill]align][+][0][width][,][.precision][style]`, all of it optional.
///
/// | part | meaning |
/// |---|---|
/// | align | `<` left, `>` right, `^` centred; without it numbers stand right and texts left |
/// | fill | the character that fills up to the width, a space by default |
/// | `+` | a sign before positive numbers too |
/// | `0` | zeros fill up to the width, behind the sign |
/// | width | the least number of characters, at most [`MAX_WIDTH`] |
/// | `,` | commas between groups of three digits |
/// | precision | digits after the point, at most [`MAX_PRECISION`]; for a text the most characters |
/// | style | see [`Style`] |
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Format {
    /// Fills up to the width.
    pub fill: char,
    /// Where the result stands in its width; `None`: numbers right, texts left.
    pub align: Option<Alignment>,
    /// Whether positive numbers have a sign.
    pub plus: bool,
    /// Whether zeros fill up to the width.
    pub zero: bool,
    /// The least number of characters.
    pub width: u16,
    /// Whether groups of three digits are separated.
    pub comma: bool,
    /// Digits after the point; `None` for the style's own number of them.
    pub precision: Option<u8>,
    /// What kind of number it is.
    pub style: Style,
}

/// Where a result stands in its width.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Alignment {
    Left,
    Center,
    Right,
}

/// What kind of number it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Style {
    /// The shortest form that reads back as the same number.
    #[default]
    Plain,
    /// `f`: a decimal, with 6 digits after the point by default.
    Fixed,
    /// `d`: a whole number.
    Whole,
    /// `%`: the hundredfold with a percent sign, without digits after the point by default.
    Percent,
    /// `si`: with a decimal prefix, `1.23k`; 3 significant digits by default.
    Si,
    /// `bytes`: with a binary unit, `1.23 GiB`; 3 significant digits by default.
    Bytes,
    /// `duration`: seconds by their two largest units, `1h 05m`.
    Duration,
}

impl Default for Format {
    fn default() -> Format {
        Format {
            fill: ' ',
            align: None,
            plus: false,
            zero: false,
            width: 0,
            comma: false,
            precision: None,
            style: Style::Plain,
        }
    }
}

const STYLES: [(&str, Style); 8] = [
    ("", Style::Plain),
    ("s", Style::Plain),
    ("f", Style::Fixed),
    ("d", Style::Whole),
    ("%", Style::Percent),
    ("si", Style::Si),
    ("bytes", Style::Bytes),
    ("duration", Style::Duration),
];

impl Format {
    /// Reads a format that starts at byte `at` of a template.
    ///
    /// # Errors
    /// What cannot be read, placed in the template.
    pub fn parse(text: &str, at: usize) -> Result<Format, Diagnostic> {
        let mut format = Format::default();
        let mut rest = text.trim_end();
        let mut chars = rest.chars();
        let (first, second) = (chars.next(), chars.next());
        if let (Some(fill), Some(align)) = (first, second.and_then(alignment)) {
            (format.fill, format.align) = (fill, Some(align));
            rest = chars.as_str();
        } else if let Some(align) = first.and_then(alignment) {
            format.align = Some(align);
            rest = &rest[1..];
        }
        format.plus = eat(&mut rest, '+');
        format.zero = eat(&mut rest, '0');
        let here = |rest: &str| at + (text.trim_end().len() - rest.len());
        let place = here(rest);
        format.width = number(&mut rest, place, MAX_WIDTH, "wide")?.unwrap_or(0);
        format.comma = eat(&mut rest, ',');
        if rest.starts_with('.') {
            let place = here(rest);
            rest = &rest[1..];
            let precision = number(&mut rest, place, u16::from(MAX_PRECISION), "precise")?;
            let Some(precision) = precision.and_then(|digits| u8::try_from(digits).ok()) else {
                let span = place..here("");
                let error = Diagnostic::error(
                    "unknown-format",
                    span,
                    "the number of digits is missing after the point",
                );
                return Err(error.with_help("write for example `.1f`"));
            };
            format.precision = Some(precision);
        }
        let place = here(rest);
        match STYLES.iter().find(|(name, _)| *name == rest) {
            Some((_, style)) => Ok(Format { style: *style, ..format }),
            None => Err(unknown_style(rest, place)),
        }
    }

    /// Adds a result to `out`; without a value [`NO_VALUE`], in the same width.
    pub fn write(&self, value: Option<&Value>, out: &mut String) {
        let start = out.len();
        let default_align = match value {
            Some(Value::Text(text)) => {
                let most = self.precision.map_or(usize::MAX, usize::from);
                out.extend(text.chars().take(most));
                Alignment::Left
            }
            Some(value) => {
                self.write_number(value.number().unwrap_or(0.0), out);
                Alignment::Right
            }
            None => {
                out.push_str(NO_VALUE);
                Alignment::Right
            }
        };
        let missing = usize::from(self.width).saturating_sub(out[start..].chars().count());
        if missing == 0 {
            return;
        }
        if self.zero && self.align.is_none() && value.is_some_and(|value| value.number().is_some()) {
            let behind_sign = start + usize::from(out[start..].starts_with(['-', '+']));
            insert(out, behind_sign, '0', missing);
            return;
        }
        let before = match self.align.unwrap_or(default_align) {
            Alignment::Left => 0,
            Alignment::Center => missing / 2,
            Alignment::Right => missing,
        };
        insert(out, start, self.fill, before);
        out.extend(core::iter::repeat_n(self.fill, missing - before));
    }

    fn write_number(&self, n: f64, out: &mut String) {
        let start = out.len();
        match (self.style, self.precision) {
            (Style::Plain, None) => digits(n, None, out),
            (Style::Plain, precision) => digits(n, precision, out),
            (Style::Fixed, precision) => digits(n, Some(precision.unwrap_or(6)), out),
            (Style::Whole, _) => digits(n, Some(0), out),
            (Style::Percent, precision) => {
                digits((n * 100.0).clamp(f64::MIN, f64::MAX), Some(precision.unwrap_or(0)), out)
            }
            (Style::Si, precision) => scaled(n, 1000.0, precision, out, &SI),
            (Style::Bytes, precision) => scaled(n, 1024.0, precision, out, &BYTES),
            (Style::Duration, precision) => duration(n, precision.unwrap_or(0), out),
        }
        if self.comma {
            separate(out, start);
        }
        if self.style == Style::Percent {
            out.push('%');
        }
        if self.plus && !out[start..].starts_with('-') {
            out.insert(start, '+');
        }
    }
}

fn alignment(c: char) -> Option<Alignment> {
    match c {
        '<' => Some(Alignment::Left),
        '^' => Some(Alignment::Center),
        '>' => Some(Alignment::Right),
        _ => None,
    }
}

fn eat(rest: &mut &str, c: char) -> bool {
    let after = rest.strip_prefix(c);
    *rest = after.unwrap_or(rest);
    after.is_some()
}

/// A whole number at the start of `rest`, at most `max`.
fn number(rest: &mut &str, at: usize, max: u16, what: &str) -> Result<Option<u16>, Diagnostic> {
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let (digits, after) = rest.split_at(end);
    *rest = after;
    match digits.parse() {
        Ok(n) if n <= max => Ok(Some(n)),
        _ if digits.is_empty() => Ok(None),
        _ => {
            let message = format!("`{digits}` is more than a result can be {what}, which is {max}");
            Err(Diagnostic::error("format-limit", at..at + digits.len(), message))
        }
    }
}

fn unknown_style(written: &str, at: usize) -> Diagnostic {
    let error = Diagnostic::error(
        "unknown-format",
        at..at + written.len(),
        format!("there is no format `{written}`"),
    );
    match nearest(written, STYLES.iter().map(|(name, _)| *name).filter(|name| name.len() > 1)).as_slice() {
        [] => error.with_help("formats end in f, d, %, si, bytes or duration, such as `>6.1f`"),
        [near, ..] => {
            error.with_help(format!("did you mean `{near}`?")).with_candidates([near.clone()].into())
        }
    }
}

fn insert(out: &mut String, at: usize, c: char, times: usize) {
    for _ in 0..times {
        out.insert(at, c);
    }
}

/// A decimal; what rounds to zero has no sign. Writing to a string cannot fail.
fn digits(n: f64, precision: Option<u8>, out: &mut String) {
    let start = out.len();
    let _ = match precision {
        None => write!(out, "{n}"),
        Some(precision) => write!(out, "{n:.*}", usize::from(precision)),
    };
    if out[start..].starts_with('-') && !out[start..].contains(|c: char| ('1'..='9').contains(&c)) {
        out.remove(start);
    }
}

/// Commas between groups of three digits of the whole part of the number at `start`.
fn separate(out: &mut String, start: usize) {
    let first = start + usize::from(out[start..].starts_with('-'));
    let whole = out[first..].find(|c: char| !c.is_ascii_digit()).unwrap_or(out.len() - first);
    let mut at = whole;
    while at > 3 {
        at -= 3;
        out.insert(first + at, ',');
    }
}

/// Units by powers of a base, the middle one for the number itself.
struct Units {
    above: [&'static str; 9],
    below: [&'static str; 9],
}

const SI: Units = Units {
    above: ["", "k", "M", "G", "T", "P", "E", "Z", "Y"],
    below: ["", "m", "\u{b5}", "n", "p", "f", "a", "z", "y"],
};

const BYTES: Units =
    Units { above: [" B", " KiB", " MiB", " GiB", " TiB", " PiB", " EiB", " ZiB", " YiB"], below: [" B"; 9] };

fn scaled(n: f64, base: f64, precision: Option<u8>, out: &mut String, units: &Units) {
    let mut size = n.abs();
    let mut power = 0;
    if units.below[1] != units.below[0] {
        while size < 1.0 && size > 0.0 && power < 8 {
            size *= base;
            power += 1;
        }
    }
    let down = power > 0;
    // Rounding must not make 1000k of what is 1M.
    let full = |size: f64| size >= base || rounds_to(size, precision, base);
    let mut unit = if down { units.below[power] } else { units.above[0] };
    if down && full(size) {
        size /= base;
        power -= 1;
        unit = units.below[power];
    }
    while !down && full(size) && power < 8 {
        size /= base;
        power += 1;
        unit = units.above[power];
    }
    let start = out.len();
    digits(if n < 0.0 { -size } else { size }, Some(precision.unwrap_or_else(|| three_digits(size))), out);
    if precision.is_none() && out[start..].contains('.') {
        let kept = out.trim_end_matches('0').trim_end_matches('.').len();
        out.truncate(kept);
    }
    out.push_str(unit);
}

/// How many digits behind the point make three in all.
fn three_digits(size: f64) -> u8 {
    match size {
        _ if size < 9.995 => 2,
        _ if size < 99.95 => 1,
        _ => 0,
    }
}

/// Whether `size`, which is less than `base`, is written as `base`.
fn rounds_to(size: f64, precision: Option<u8>, base: f64) -> bool {
    let mut half = 0.5;
    for _ in 0..precision.unwrap_or(0) {
        half /= 10.0;
    }
    size + half >= base
}

fn duration(seconds: f64, precision: u8, out: &mut String) {
    const UNITS: [(f64, char, f64, char); 3] =
        [(86_400.0, 'd', 3_600.0, 'h'), (3_600.0, 'h', 60.0, 'm'), (60.0, 'm', 1.0, 's')];
    let size = seconds.abs();
    let start = out.len();
    // Rounded first, so that 59.9 s is a minute and not 60 s.
    let whole = libm::round(size);
    match UNITS.iter().find(|(large, ..)| whole >= *large) {
        Some((large, large_unit, small, small_unit)) => {
            // Cut below the smaller unit, as clocks do.
            let count = libm::floor(whole / large);
            let rest = libm::floor((whole - count * large) / small);
            let _ = write!(out, "{count}{large_unit} {rest:02}{small_unit}");
        }
        None => {
            digits(size, Some(precision), out);
            out.push('s');
        }
    }
    if seconds < 0.0 && out[start..].contains(|c: char| ('1'..='9').contains(&c)) {
        out.insert(start, '-');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    fn check(format: &str, value: impl Into<Value>, expected: &str) {
        let mut out = String::from("|");
        let value = value.into();
        Format::parse(format, 0).unwrap().write(Some(&value), &mut out);
        assert_eq!(&out[1..], expected, "{value:?} as `{format}`");
    }

    #[test]
    fn numbers() {
        for (format, n, expected) in [
            ("", 0.1, "0.1"),
            ("", -0.0, "0"),
            ("", 3.0, "3"),
            (".2f", 3.2416, "3.24"),
            (".0f", 41.7, "42"),
            (".2", 1.0, "1.00"),
            ("f", 1.5, "1.500000"),
            (".1f", -0.04, "0.0"),
            (".1f", -0.06, "-0.1"),
            ("d", 41.7, "42"),
            (">6", 42.0, "    42"),
            ("<6", 42.0, "42    "),
            ("^6", 42.0, "  42  "),
            ("^7", 42.0, "  42   "),
            ("*>6", 42.0, "****42"),
            ("\u{b7}<4", 1.0, "1\u{b7}\u{b7}\u{b7}"),
            ("6", 42.0, "    42"),
            ("05.1f", 3.1216, "003.1"),
            ("06.1f", -3.1216, "-003.1"),
            ("+.1f", 3.0, "+3.0"),
            ("+.1f", -3.0, "-3.0"),
            ("+05.1f", 3.0, "+03.0"),
            (",", 1_234_567.5, "1,234,567.5"),
            (",", 999.0, "999"),
            (",.0f", -1_234.5, "-1,234"),
            (",.0f", 1_000.0, "1,000"),
            ("%", 0.425, "42%"),
            (".1%", 0.4256, "42.6%"),
            ("6.1%", 0.5, " 50.0%"),
        ] {
            check(format, n, expected);
        }
    }

    #[test]
    fn prefixes_and_units() {
        for (format, n, expected) in [
            ("si", 0.0, "0"),
            ("si", 5.0, "5"),
            ("si", 999.0, "999"),
            ("si", 999.7, "1k"),
            ("si", 1_234.0, "1.23k"),
            ("si", 12_340.0, "12.3k"),
            ("si", 123_400.0, "123k"),
            ("si", 999_999.0, "1M"),
            ("si", -2_500_000.0, "-2.5M"),
            ("si", 0.005, "5m"),
            ("si", 0.000_012_3, "12.3\u{b5}"),
            ("si", 0.999_9, "1"),
            ("si", 1e30, "1000000Y"),
            (".1si", 999.96, "1.0k"),
            (".0si", 1_600.0, "2k"),
            ("bytes", 0.0, "0 B"),
            ("bytes", 512.0, "512 B"),
            ("bytes", 0.25, "0.25 B"),
            ("bytes", 1_024.0, "1 KiB"),
            ("bytes", 1_023.7, "1 KiB"),
            ("bytes", 1_536.0, "1.5 KiB"),
            ("bytes", 8_589_934_592.0, "8 GiB"),
            (".1bytes", 8_589_934_592.0, "8.0 GiB"),
            (">9bytes", 1_536.0, "  1.5 KiB"),
        ] {
            check(format, n, expected);
        }
    }

    #[test]
    fn durations() {
        for (format, seconds, expected) in [
            ("duration", 0.0, "0s"),
            ("duration", 9.4, "9s"),
            (".1duration", 9.44, "9.4s"),
            ("duration", 59.9, "1m 00s"),
            ("duration", 309.0, "5m 09s"),
            ("duration", 3_900.0, "1h 05m"),
            ("duration", 93_600.0, "1d 02h"),
            ("duration", -61.0, "-1m 01s"),
            ("duration", -0.2, "0s"),
            ("8duration", 61.0, "  1m 01s"),
        ] {
            check(format, seconds, expected);
        }
    }

    #[test]
    fn texts_truth_values_and_no_value() {
        check("", "hot", "hot");
        check("5", "hot", "hot  ");
        check(">5", "hot", "  hot");
        check(".2", "h\u{f6}t", "h\u{f6}");
        check("05", "hot", "hot  ");
        check(">3.1f", "\u{e4}\u{f6}", "  \u{e4}");
        check("", Value::Bool(true), "1");
        for (format, expected) in
            [("", "\u{2013}"), ("4", "   \u{2013}"), ("<4.1f", "\u{2013}   "), ("05.1f", "    \u{2013}")]
        {
            let mut out = String::new();
            Format::parse(format, 0).unwrap().write(None, &mut out);
            assert_eq!(out, expected, "`{format}`");
        }
    }

    #[test]
    fn wrong_formats() {
        for (format, span, message, help) in [
            (
                "q",
                10..11,
                "there is no format `q`",
                "formats end in f, d, %, si, bytes or duration, such as `>6.1f`",
            ),
            (
                ".2g",
                12..13,
                "there is no format `g`",
                "formats end in f, d, %, si, bytes or duration, such as `>6.1f`",
            ),
            ("byte", 10..14, "there is no format `byte`", "did you mean `bytes`?"),
            (".f", 10..12, "the number of digits is missing after the point", "write for example `.1f`"),
            (">201", 11..14, "`201` is more than a result can be wide, which is 200", ""),
            (".31f", 10..12, "`31` is more than a result can be precise, which is 30", ""),
        ] {
            let problem = Format::parse(format, 10).unwrap_err();
            assert_eq!(
                (problem.span, problem.message.as_str(), problem.help.unwrap_or_default().as_str()),
                (span, message, help)
            );
        }
        assert!(Format::parse(&(">".to_string() + &MAX_WIDTH.to_string()), 0).is_ok());
        assert!(Format::parse(".30f", 0).is_ok());
    }

    proptest::proptest! {
        #[test]
        fn any_number_in_any_format(n in proptest::num::f64::NORMAL | proptest::num::f64::ZERO, format in "([*]?[<>^])?[+]?0?[0-9]{0,2},?(\\.[0-9])?(f|d|%|si|bytes|duration)?") {
            let mut out = String::new();
            let format = Format::parse(&format, 0).unwrap();
            format.write(Some(&Value::Number(n)), &mut out);
            assert!(out.chars().count() >= usize::from(format.width));
            assert!(!out.contains("inf") && !out.contains("NaN"), "{out}");
        }
    }
}
