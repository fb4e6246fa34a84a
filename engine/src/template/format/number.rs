//! Numbers as formats have them.

use alloc::string::String;
use core::fmt::Write;

use super::{Case, Format, Grouping, Sign, Style};
use crate::value::Value;

/// Adds a number to `out`, as wide as it is.
pub(super) fn write(format: &Format, n: f64, out: &mut String) {
    let start = out.len();
    match (format.style, format.precision) {
        (Style::Plain | Style::Text, None) => shortest(n, out),
        (Style::Plain | Style::Text, precision) => digits(n, precision, out),
        (Style::Fixed, precision) => digits(n, Some(precision.unwrap_or(6)), out),
        (Style::Whole, _) => digits(n, Some(0), out),
        (Style::Exponent(case), precision) => exponent(n, precision, case, out),
        (Style::General(case), precision) => general(n, precision.unwrap_or(6).max(1), case, out),
        (Style::Hexadecimal(Case::Small), _) => based(n, 4, format.prefix.then_some("0x"), out),
        (Style::Hexadecimal(Case::Capital), _) => {
            based(n, 4, format.prefix.then_some("0x"), out);
            let digits = start + head(&out[start..]);
            out[digits..].make_ascii_uppercase();
        }
        (Style::Octal, _) => based(n, 3, format.prefix.then_some("0o"), out),
        (Style::Binary, _) => based(n, 1, format.prefix.then_some("0b"), out),
        (Style::Percent, precision) => {
            digits((n * 100.0).clamp(f64::MIN, f64::MAX), Some(precision.unwrap_or(0)), out);
        }
        (Style::Si, precision) => scaled(n, 1000.0, precision, out, &SI),
        (Style::Bytes, precision) => scaled(n, 1024.0, precision, out, &BYTES),
        (Style::Duration, precision) => duration(n, precision.unwrap_or(0), out),
    }
    if let Some(grouping) = format.grouping {
        separate(out, start, grouping, format.style);
    }
    if format.style == Style::Percent {
        out.push('%');
    }
    if !out[start..].starts_with('-') {
        match format.sign {
            Sign::Nothing => {}
            Sign::Plus => out.insert(start, '+'),
            Sign::Space => out.insert(start, ' '),
        }
    }
}

/// How many bytes of a written number are its sign and its base's prefix.
pub(super) fn head(written: &str) -> usize {
    let sign = usize::from(written.starts_with(['-', '+', ' ']));
    let is_prefix = ["0x", "0o", "0b"].iter().any(|prefix| written[sign..].starts_with(prefix));
    sign + if is_prefix { 2 } else { 0 }
}

/// The shortest form that reads back as the same number.
fn shortest(n: f64, out: &mut String) {
    // Writing to a string cannot fail.
    let _ = write!(out, "{}", Value::Number(n));
}

/// A decimal; what rounds to zero has no sign.
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

fn exponent(n: f64, precision: Option<u8>, case: Case, out: &mut String) {
    let n = n + 0.0;
    let start = out.len();
    let _ = match precision {
        None => write!(out, "{n:e}"),
        Some(precision) => write!(out, "{n:.*e}", usize::from(precision)),
    };
    if case == Case::Capital {
        out[start..].make_ascii_uppercase();
    }
}

/// As C's `%g`, but for the form of the exponent.
fn general(n: f64, significant: u8, case: Case, out: &mut String) {
    let start = out.len();
    exponent(n, Some(significant - 1), case, out);
    let mark = if case == Case::Capital { 'E' } else { 'e' };
    let power = out[start..].split_once(mark).and_then(|(_, power)| power.parse::<i16>().ok()).unwrap_or(0);
    if (-4..i16::from(significant)).contains(&power) {
        out.truncate(start);
        let behind = u8::try_from(i16::from(significant) - 1 - power).unwrap_or(0);
        digits(n, Some(behind), out);
    }
    let end = out[start..].find(mark).map_or(out.len(), |at| start + at);
    if out[start..end].contains('.') {
        let kept = out[start..end].trim_end_matches('0').trim_end_matches('.').len();
        out.replace_range(start + kept..end, "");
    }
}

/// The nearest whole number in base 2 to the power of `bits`.
fn based(n: f64, bits: u32, prefix: Option<&str>, out: &mut String) {
    let whole = libm::rint(n);
    if whole < 0.0 {
        out.push('-');
    }
    out.push_str(prefix.unwrap_or_default());
    let size = libm::fabs(whole);
    // A number of 53 bits, and what it is shifted by.
    let (mantissa, shift) = match libm::frexp(size) {
        (part, power) if power > 53 => (libm::ldexp(part, 53) as u64, power.unsigned_abs() - 53),
        _ => (size as u64, 0),
    };
    let mantissa = mantissa << (shift % bits);
    let _ = match bits {
        4 => write!(out, "{mantissa:x}"),
        3 => write!(out, "{mantissa:o}"),
        _ => write!(out, "{mantissa:b}"),
    };
    out.extend(core::iter::repeat_n('0', (shift / bits) as usize));
}

/// Separates the groups of digits of the whole part of the number at `start`.
fn separate(out: &mut String, start: usize, grouping: Grouping, style: Style) {
    let (size, mark) = groups(grouping, style);
    let first = start + head(&out[start..]);
    let mut at = digits_of(&out[first..], style);
    while at > size {
        at -= size;
        out.insert(first + at, mark);
    }
}

/// Fills the number at `start`, whose digits are in groups, with zeros in groups up to a width in characters. It
/// becomes one wider where a mark would be its first character.
pub(super) fn fill(out: &mut String, start: usize, width: usize, (grouping, style): (Grouping, Style)) {
    let (size, mark) = groups(grouping, style);
    let first = start + head(&out[start..]);
    let whole = out[first..].split(|c| c != mark && !is_digit(c, style)).next().unwrap_or_default();
    let mut count = whole.chars().filter(|c| *c != mark).count();
    let mut missing = width.saturating_sub(out[start..].chars().count());
    while missing > 0 {
        if count.is_multiple_of(size) && count > 0 {
            out.insert(first, mark);
            missing -= 1;
        }
        out.insert(first, '0');
        missing = missing.saturating_sub(1);
        count += 1;
    }
}

/// How many digits are in a group, and what stands between two.
fn groups(grouping: Grouping, style: Style) -> (usize, char) {
    match grouping {
        Grouping::Comma => (3, ','),
        Grouping::Underscore => (if is_based(style) { 4 } else { 3 }, '_'),
    }
}

fn is_based(style: Style) -> bool {
    matches!(style, Style::Hexadecimal(_) | Style::Octal | Style::Binary)
}

fn is_digit(c: char, style: Style) -> bool {
    if is_based(style) { c.is_ascii_hexdigit() } else { c.is_ascii_digit() }
}

/// How many digits a written number begins with.
fn digits_of(written: &str, style: Style) -> usize {
    written.find(|c| !is_digit(c, style)).unwrap_or(written.len())
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
    const UNITS: [(u64, char, u64, char); 3] =
        [(86_400, 'd', 3_600, 'h'), (3_600, 'h', 60, 'm'), (60, 'm', 1, 's')];
    /// Beyond it a number does not know single seconds, and its smaller unit would be made up.
    const LARGEST: f64 = 9_007_199_254_740_992.0;
    let size = seconds.abs();
    let start = out.len();
    if size > LARGEST {
        shortest(size, out);
        out.push('s');
    } else {
        digits(size, Some(precision), out);
        // As it is written, so that 59.96 s is a minute and not 60.0 s.
        let is_short = out[start..].parse().is_ok_and(|written: f64| written < 60.0);
        let whole = libm::round(size) as u64;
        match UNITS.iter().find(|(large, ..)| !is_short && whole >= *large) {
            Some((large, large_unit, small, small_unit)) => {
                out.truncate(start);
                // Cut below the smaller unit, as clocks do.
                let (count, rest) = (whole / large, whole % large / small);
                let _ = write!(out, "{count}{large_unit} {rest:02}{small_unit}");
            }
            None => out.push('s'),
        }
    }
    if seconds < 0.0 && out[start..].contains(|c: char| ('1'..='9').contains(&c)) {
        out.insert(start, '-');
    }
}
