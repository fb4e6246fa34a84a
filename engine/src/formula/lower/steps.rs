//! What went wrong in a sum or product. Its generated code computes all operations in one expression and
//! looks at the result alone. Where that is no number, the steps say whether an operation failed, and
//! which was the first, or whether only a value was missing.

use core::fmt::Write;

use alloc::string::String;

use crate::formula::ir::{Arithmetic, SiteIndex};

/// The most operands of one expression.
pub(super) const MAX_OPERANDS: usize = 24;

/// The operations of an expression in the order in which they are computed, in postfix: `v` is the next
/// operand, `+`, `-` and `*` are themselves, and `/` is followed by the number of its site and `;`.
#[derive(Default)]
pub(super) struct Steps(String);

impl Steps {
    pub(super) fn operand(&mut self) {
        self.0.push('v');
    }

    pub(super) fn operation(&mut self, arithmetic: Arithmetic, site: SiteIndex) {
        match arithmetic {
            Arithmetic::Add => self.0.push('+'),
            Arithmetic::Subtract => self.0.push('-'),
            Arithmetic::Multiply => self.0.push('*'),
            // Writing to a string cannot fail.
            _ => drop(write!(self.0, "/{};", site + 1)),
        }
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// The number of the first operation that failed, as the generated code writes it: that of a division by
/// zero, or `overflow`; 0 if none did. An operand without a value is NaN, and an operation on it has none
/// and does not fail.
///
/// ```
/// use engine::formula::lower::blame;
/// // 1 / 0 + nil
/// assert_eq!(blame(b"vv/7;v+", 3.0, &[1.0, 0.0, f64::NAN]), 7.0);
/// // 1 / nil + 2
/// assert_eq!(blame(b"vv/7;v+", 3.0, &[1.0, f64::NAN, 2.0]), 0.0);
/// // 1 / 1e-300 * 1e300
/// assert_eq!(blame(b"vv/7;v*", 3.0, &[1.0, 1e-300, 1e300]), 3.0);
/// ```
pub fn blame(steps: &[u8], overflow: f64, operands: &[f64]) -> f64 {
    let mut stack = [f64::NAN; MAX_OPERANDS];
    let mut depth = 0_usize;
    let mut operands = operands.iter();
    let mut bytes = steps.iter();
    while let Some(step) = bytes.next() {
        if *step == b'v' {
            if let (Some(place), Some(operand)) = (stack.get_mut(depth), operands.next()) {
                *place = *operand;
            }
            depth += 1;
            continue;
        }
        let Some([.., a, b]) = stack.get(..depth) else { return 0.0 };
        let (a, b) = (*a, *b);
        let (result, site) = match step {
            b'+' => (a + b, overflow),
            b'-' => (a - b, overflow),
            b'*' => (a * b, overflow),
            _ => {
                let digits = bytes.by_ref().take_while(|byte| byte.is_ascii_digit());
                let site = digits.fold(0.0, |site, digit| 10.0 * site + f64::from(digit - b'0'));
                (a / b, if b == 0.0 { site } else { overflow })
            }
        };
        if !result.is_finite() && !a.is_nan() && !b.is_nan() {
            return site;
        }
        depth -= 1;
        stack[depth - 1] = result;
    }
    0.0
}
