//! Functions of numbers that neither the language nor libm has.

use super::Exact;

impl Exact {
    pub(crate) fn eval(self, x: f64) -> f64 {
        match self {
            Exact::Abs => x.abs(),
            Exact::Floor => libm::floor(x),
            Exact::Ceil => libm::ceil(x),
            Exact::Trunc => libm::trunc(x),
            Exact::Sign => match x {
                _ if x > 0.0 => 1.0,
                _ if x < 0.0 => -1.0,
                _ => x,
            },
            Exact::Round => round(x),
            Exact::Sqrt => libm::sqrt(x),
        }
    }
}

/// NaN where a logarithm is not defined: libm's own infinity for 0 would count as an overflow.
pub(super) fn positive(x: f64, log: fn(f64) -> f64) -> f64 {
    if x > 0.0 { log(x) } else { f64::NAN }
}

/// An indefinite result of finite arguments came about through an overflow on the way.
pub(super) fn overflow(result: f64) -> f64 {
    if result.is_nan() { f64::INFINITY } else { result }
}

/// Halves away from zero, as the generated code does it.
pub(super) fn round(x: f64) -> f64 {
    let whole = libm::floor(x.abs());
    let magnitude = if x.abs() - whole >= 0.5 { whole + 1.0 } else { whole };
    if x < 0.0 { -magnitude } else { magnitude }
}

/// The remainder of the floored division, with the sign of the divisor; exact. NaN for a divisor of 0.
pub(crate) fn floored_modulo(a: f64, b: f64) -> f64 {
    let remainder = libm::fmod(a, b);
    if remainder != 0.0 && (remainder < 0.0) != (b < 0.0) { remainder + b } else { remainder }
}

/// `x` with `digits` decimals, halves away from zero. It is the decimal that is shown for `x` which is
/// rounded, so that `round(2.345, 2)` is 2.35 although the double nearest to 2.345 may lie below it.
pub(super) fn round_to(x: f64, digits: f64) -> f64 {
    if digits != libm::trunc(digits) || digits.abs() > 300.0 {
        return f64::NAN;
    }
    #[allow(clippy::cast_possible_truncation, reason = "a whole number of at most 300")]
    let digits = digits as i32;
    let mut decimal = Decimal::of(x);
    decimal.round(digits);
    decimal.value()
}

/// The shortest decimal that reads back as a number: `0.d1d2d3... * 10^exponent`.
struct Decimal {
    negative: bool,
    digits: [u8; 17],
    len: usize,
    exponent: i32,
}

impl Decimal {
    fn of(x: f64) -> Decimal {
        let mut text = Scratch { bytes: [0; 32], len: 0 };
        // Fits: a sign, 17 digits, a point and an exponent of at most 4 characters.
        let _ = core::fmt::Write::write_fmt(&mut text, format_args!("{:e}", x.abs()));
        let written = core::str::from_utf8(&text.bytes[..text.len]).unwrap_or("0e0");
        let (mantissa, exponent) = written.split_once('e').unwrap_or((written, "0"));
        let mut decimal = Decimal {
            negative: x < 0.0,
            digits: [0; 17],
            len: 0,
            exponent: exponent.parse::<i32>().unwrap_or(0) + 1,
        };
        for digit in mantissa.bytes().filter(u8::is_ascii_digit).take(17) {
            decimal.digits[decimal.len] = digit - b'0';
            decimal.len += 1;
        }
        decimal
    }

    /// Keeps so many digits after the point.
    fn round(&mut self, decimals: i32) {
        let keep = self.exponent + decimals;
        let Ok(kept) = usize::try_from(keep) else {
            self.len = 0;
            return;
        };
        if kept >= self.len {
            return;
        }
        let up = self.digits[kept] >= 5;
        self.len = kept;
        if up {
            self.increment();
        }
    }

    fn increment(&mut self) {
        while let Some(last) = self.len.checked_sub(1) {
            if self.digits[last] < 9 {
                self.digits[last] += 1;
                return;
            }
            self.len = last;
        }
        self.digits[0] = 1;
        self.len = 1;
        self.exponent += 1;
    }

    fn value(&self) -> f64 {
        let mut text = Scratch { bytes: [0; 32], len: 0 };
        let sign = if self.negative { "-" } else { "" };
        let _ = core::fmt::Write::write_fmt(&mut text, format_args!("{sign}0."));
        for digit in &self.digits[..self.len] {
            text.bytes[text.len] = b'0' + digit;
            text.len += 1;
        }
        let _ = core::fmt::Write::write_fmt(&mut text, format_args!("0e{}", self.exponent));
        core::str::from_utf8(&text.bytes[..text.len])
            .ok()
            .and_then(|text| text.parse().ok())
            .unwrap_or(f64::NAN)
    }
}

/// A short text without an allocation.
struct Scratch {
    bytes: [u8; 32],
    len: usize,
}

impl core::fmt::Write for Scratch {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        let end = self.len + text.len();
        self.bytes.get_mut(self.len..end).ok_or(core::fmt::Error)?.copy_from_slice(text.as_bytes());
        self.len = end;
        Ok(())
    }
}
