//! Sums without rounding: a number as wide as a sum of floating-point numbers can be. What was added can be
//! taken away again and leaves nothing behind, and the order of both does not matter. So a sum depends on
//! what is in a window alone, never on how it came there.

use alloc::vec::Vec;

/// Bits of a limb.
const LIMB_BITS: u32 = 32;

/// Limbs of the widest number: n times a sum of squares, and the square of a sum.
const LIMBS_MAX: usize = 144;

/// After so many additions carries are passed on: each adds less than 2^33 to a limb of 64 bits.
const PENDING_MAX: u32 = 1 << 28;

/// A sum of products of a sign, a mantissa and a power of 2. The unit is its user's: [`UNIT`] or
/// [`UNIT_OF_SQUARES`].
#[derive(Clone, Debug, Default)]
pub(super) struct Exact {
    /// The lowest limb first. They carry a sign of their own, and more than their bits until that is
    /// passed on.
    limbs: Vec<i64>,
    /// How many limbs of 0 stand below them.
    base: usize,
    pending: u32,
}

/// The exponent of 2 of the unit in which numbers are summed: the smallest number above 0.
pub(super) const UNIT: i32 = -1_074;

/// The same for squares.
pub(super) const UNIT_OF_SQUARES: i32 = 2 * UNIT;

/// How many limbs of a number are kept where all of them would take too much room. Of sums and sums of squares
/// that are cut to 225 bits or more a deviation keeps all of its own bits, however small it is beside the mean:
/// numbers of 53 bits that are not all the same differ by 2^-53 of the largest at least, so that of n of them the
/// variance is 2^-(107 + log2 n) of the mean square at least, and what was cut off is less than a rounding of
/// that as long as n is below 2^40.
const KEPT: usize = 8;

/// A number by its parts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Parts {
    negative: bool,
    /// The highest bits of it, the lowest limb first.
    mantissa: [u32; KEPT],
    /// How often it is doubled, in the sum's unit.
    offset: u16,
}

impl Exact {
    /// Adds a number in [`UNIT`]s, or takes it away.
    pub(super) fn add(&mut self, number: f64, away: bool) {
        let (mantissa, offset) = split(number);
        self.add_at(u128::from(mantissa), offset, number.is_sign_negative() != away);
    }

    /// Adds the square of a number in [`UNIT_OF_SQUARES`], or takes it away.
    pub(super) fn add_square(&mut self, number: f64, away: bool) {
        let (mantissa, offset) = split(number);
        self.add_at(u128::from(mantissa) * u128::from(mantissa), 2 * offset, away);
    }

    /// Adds what was rounded, or takes it away.
    pub(super) fn add_parts(&mut self, parts: Parts, away: bool) {
        let mut offset = u32::from(parts.offset);
        for limbs in parts.mantissa.chunks(3) {
            let number = limbs.iter().rev().fold(0, |number, limb| number << LIMB_BITS | u128::from(*limb));
            self.add_at(number, offset, parts.negative != away);
            offset += 3 * LIMB_BITS;
        }
    }

    /// Adds another sum in the same unit, or takes it away.
    pub(super) fn add_exact(&mut self, other: &Exact, away: bool) {
        for (index, limb) in other.settled().limbs.into_iter().enumerate() {
            let offset = (other.base + index) as u32 * LIMB_BITS;
            self.add_at(u128::from(limb.unsigned_abs()), offset, limb.is_negative() != away);
        }
    }

    /// Makes it 0.
    pub(super) fn clear(&mut self) {
        self.limbs.clear();
        (self.base, self.pending) = (0, 0);
    }

    /// The sum as a number and how often it is doubled, with the relative error of one rounding. In this
    /// form it cannot overflow.
    pub(super) fn rounded(&self) -> (f64, i32) {
        let (wide, negative) = Wide::of(self);
        let (number, doubled) = wide.rounded();
        (if negative { -number } else { number }, doubled)
    }

    /// Its highest limbs: all of it, unless very large and very small numbers came together.
    pub(super) fn parts(&self) -> Parts {
        let (wide, negative) = Wide::of(self);
        let start = wide.start.max(wide.end.saturating_sub(KEPT));
        let mut mantissa = [0; KEPT];
        for (limb, digit) in mantissa.iter_mut().zip(&wide.digits[start..wide.end]) {
            *limb = *digit;
        }
        Parts { negative, mantissa, offset: (start as u32 * LIMB_BITS) as u16 }
    }

    /// Bytes that it takes beside its own.
    pub(super) fn bytes(&self) -> usize {
        self.limbs.capacity() * size_of::<i64>()
    }

    fn add_at(&mut self, mantissa: u128, offset: u32, negative: bool) {
        if mantissa == 0 {
            return;
        }
        let (limb, shift) = ((offset / LIMB_BITS) as usize, offset % LIMB_BITS);
        let at = self.reach(limb);
        let (low, high) = (u128::from(mantissa as u64) << shift, (mantissa >> 64) << shift);
        let digits = |n: u128| [n, n >> 32, n >> 64].map(|digit| i64::from(digit as u32));
        let ([a, b, c], [d, e, f]) = (digits(low), digits(high));
        let added = [a, b, c + d, e, f];
        for (limb, digit) in self.limbs[at..at + 5].iter_mut().zip(added) {
            *limb += if negative { -digit } else { digit };
        }
        self.pending += 1;
        if self.pending == PENDING_MAX {
            *self = self.settled();
        }
    }

    /// The index of `limb`, from which five limbs are there.
    fn reach(&mut self, limb: usize) -> usize {
        if self.limbs.is_empty() {
            self.base = limb;
        }
        if limb < self.base {
            let missing = self.base - limb;
            self.limbs.splice(0..0, core::iter::repeat_n(0, missing));
            self.base = limb;
        }
        let at = limb - self.base;
        if self.limbs.len() < at + 5 {
            self.limbs.resize(at + 5, 0);
        }
        at
    }

    /// The same number, all carries passed on: every limb but the highest is at least 0 and below 2^32.
    fn settled(&self) -> Exact {
        let mut settled = self.clone();
        settled.pending = 0;
        let mut carry = 0;
        for limb in &mut settled.limbs {
            let whole = *limb + carry;
            *limb = whole & 0xffff_ffff;
            carry = whole >> LIMB_BITS;
        }
        if carry != 0 {
            settled.limbs.push(carry);
        }
        settled
    }
}

/// The mantissa of a finite number without its sign, and how often it is doubled, in [`UNIT`]s.
fn split(number: f64) -> (u64, u32) {
    let bits = number.to_bits();
    let exponent = (bits >> 52 & 0x7ff) as u32;
    let fraction = bits & ((1 << 52) - 1);
    if exponent == 0 { (fraction, 0) } else { (fraction | 1 << 52, exponent - 1) }
}

/// A number of many digits, without a sign.
struct Wide {
    /// The lowest first; those outside `start..end` are 0.
    digits: [u32; LIMBS_MAX],
    start: usize,
    end: usize,
}

impl Wide {
    /// A sum, and whether it is below 0.
    fn of(exact: &Exact) -> (Wide, bool) {
        let mut digits = [0; LIMBS_MAX];
        let mut carry = 0_i64;
        let mut end = exact.base;
        for limb in &exact.limbs {
            let whole = *limb + carry;
            digits[end] = whole as u32;
            carry = whole >> LIMB_BITS;
            end += 1;
        }
        let negative = carry < 0;
        for digit in [carry as u32, (carry >> LIMB_BITS) as u32] {
            digits[end] = digit;
            end += 1;
        }
        if negative {
            let mut carry = true;
            for digit in &mut digits[exact.base..end] {
                (*digit, carry) = (!*digit).overflowing_add(u32::from(carry));
            }
        }
        (Wide::trimmed(digits, exact.base, end), negative)
    }

    fn trimmed(digits: [u32; LIMBS_MAX], mut start: usize, mut end: usize) -> Wide {
        while end > start && digits[end - 1] == 0 {
            end -= 1;
        }
        while start < end && digits[start] == 0 {
            start += 1;
        }
        Wide { digits, start, end }
    }

    /// The digits that are used, each with its place.
    fn used(&self) -> impl Iterator<Item = (usize, u32)> + Clone {
        (self.start..self.end).map(|place| (place, self.digits[place]))
    }

    fn squared(&self) -> Wide {
        let mut digits = [0; LIMBS_MAX];
        for (one, factor) in self.used() {
            let mut carry = 0_u64;
            for (other, digit) in self.used() {
                let sum = &mut digits[one + other];
                let whole = u64::from(factor) * u64::from(digit) + u64::from(*sum) + carry;
                (*sum, carry) = (whole as u32, whole >> LIMB_BITS);
            }
            digits[one + self.end] = carry as u32;
        }
        let (start, end) = if self.start < self.end { (2 * self.start, 2 * self.end) } else { (0, 0) };
        Wide::trimmed(digits, start, end)
    }

    fn times(&self, factor: u64) -> Wide {
        let mut digits = [0; LIMBS_MAX];
        let mut carry = 0_u128;
        for (place, digit) in self.used().chain([(self.end, 0), (self.end + 1, 0)]) {
            let whole = u128::from(digit) * u128::from(factor) + carry;
            (digits[place], carry) = (whole as u32, whole >> LIMB_BITS);
        }
        Wide::trimmed(digits, self.start, self.end + 2)
    }

    /// What is left after `other` is taken away; 0 where that is more.
    fn minus(&self, other: &Wide) -> Wide {
        let mut digits = [0; LIMBS_MAX];
        let (start, end) = (self.start.min(other.start), self.end.max(other.end));
        let mut borrow = false;
        let pairs = self.digits.iter().zip(&other.digits);
        for (digit, (one, other)) in digits.iter_mut().zip(pairs).take(end).skip(start) {
            let (less, first) = one.overflowing_sub(*other);
            let (less, second) = less.overflowing_sub(u32::from(borrow));
            (*digit, borrow) = (less, first || second);
        }
        if borrow { Wide::trimmed([0; LIMBS_MAX], 0, 0) } else { Wide::trimmed(digits, start, end) }
    }

    /// A number and how often it is doubled.
    fn rounded(&self) -> (f64, i32) {
        let digit = |below: usize| {
            let index = self.end.checked_sub(below).filter(|index| *index >= self.start);
            index.map_or(0, |index| u128::from(self.digits[index]))
        };
        let top = digit(1) << 96 | digit(2) << 64 | digit(3) << 32 | digit(4);
        if top == 0 {
            return (0.0, 0);
        }
        // What is below the top keeps halves from being taken for halves.
        let has_more = self.end > self.start + 4;
        let shifted = top << top.leading_zeros();
        let more = has_more || shifted as u64 != 0;
        let high = (shifted >> 64) as u64 | u64::from(more);
        let doubled = self.end as i32 * LIMB_BITS as i32 - top.leading_zeros() as i32 - 64;
        (high as f64, doubled)
    }
}

/// The deviation of `count` numbers from their mean, by their sum and the sum of their squares: exact but
/// for three roundings.
pub(super) fn deviation(count: u64, sum: &Exact, squares: &Exact) -> f64 {
    let spread = Wide::of(squares).0.times(count).minus(&Wide::of(sum).0.squared());
    let (number, doubled) = spread.rounded();
    let doubled = doubled + UNIT_OF_SQUARES;
    // The root halves the exponent, which is to be even for that.
    let (number, doubled) = if doubled & 1 == 0 { (number, doubled) } else { (number * 2.0, doubled - 1) };
    libm::scalbn(libm::sqrt(number) / count as f64, doubled / 2)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sum(exact: &Exact) -> f64 {
        let (number, doubled) = exact.rounded();
        libm::scalbn(number, doubled + UNIT)
    }

    fn total(numbers: &[f64]) -> f64 {
        let mut exact = Exact::default();
        numbers.iter().for_each(|number| exact.add(*number, false));
        sum(&exact)
    }

    #[test]
    fn sums_are_rounded_once() {
        assert_eq!(total(&[]), 0.0);
        assert_eq!(total(&[0.1; 10]), 1.0);
        assert_eq!(total(&[1e308, 1.0, -1e308]), 1.0);
        assert_eq!(total(&[1e308, 1e308]), f64::INFINITY);
        assert_eq!(total(&[5e-324, 5e-324]), 1e-323);
        assert_eq!(total(&[-5e-324, 1.0, -1.0]), -5e-324);
        assert_eq!(total(&[f64::MAX, f64::MIN_POSITIVE, -f64::MAX]), f64::MIN_POSITIVE);
        // Half of the last place, and a little more.
        assert_eq!(total(&[1.0, f64::EPSILON / 2.0]), 1.0);
        assert_eq!(total(&[1.0, f64::EPSILON / 2.0, 1e-300]), 1.0 + f64::EPSILON);
    }

    #[test]
    fn deviations_survive_large_means() {
        let of = |numbers: &[f64]| {
            let (mut sum, mut squares) = (Exact::default(), Exact::default());
            numbers.iter().for_each(|number| {
                sum.add(*number, false);
                squares.add_square(*number, false);
            });
            deviation(numbers.len() as u64, &sum, &squares)
        };
        assert_eq!(of(&[2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]), 2.0);
        assert_eq!(of(&[1e15 + 1.0, 1e15 + 3.0]), 1.0);
        assert_eq!(of(&[-1e300, 1e300]), 1e300);
        assert_eq!(of(&[3.0, 3.0, 3.0]), 0.0);
        assert_eq!(of(&[1e-320, 3e-320]), 1e-320);
        assert_eq!(of(&[f64::MAX, -f64::MAX, f64::MAX, -f64::MAX]), f64::MAX);
    }

    proptest! {
        #[test]
        fn what_is_taken_away_leaves_nothing(
            numbers in prop::collection::vec(any::<f64>().prop_filter("finite", |n| n.is_finite()), 1..40),
            kept in 0_usize..40,
        ) {
            let kept = kept.min(numbers.len());
            let (mut whole, mut part) = (Exact::default(), Exact::default());
            numbers.iter().for_each(|number| whole.add(*number, false));
            numbers[..kept].iter().for_each(|number| part.add(*number, false));
            let mut rest = whole.clone();
            numbers[kept..].iter().rev().for_each(|number| rest.add(*number, true));
            prop_assert_eq!(sum(&rest).to_bits(), sum(&part).to_bits());
            let mut squares = Exact::default();
            numbers.iter().for_each(|number| squares.add_square(*number, false));
            numbers.iter().for_each(|number| squares.add_square(*number, true));
            prop_assert_eq!(squares.rounded(), (0.0, 0));
            whole.add_exact(&part, true);
            numbers[kept..].iter().for_each(|number| whole.add(*number, true));
            prop_assert_eq!(whole.rounded(), (0.0, 0));
        }

        #[test]
        fn parts_keep_all_of_numbers_of_one_size(numbers in prop::collection::vec(1e9_f64..1.1e9, 1..40)) {
            let mut exact = Exact::default();
            numbers.iter().for_each(|number| exact.add_square(*number, false));
            exact.add_parts(exact.parts(), true);
            prop_assert_eq!(exact.rounded(), (0.0, 0));
        }

        #[test]
        fn parts_are_near(numbers in prop::collection::vec(-1e9_f64..1e9, 1..40)) {
            let mut exact = Exact::default();
            numbers.iter().for_each(|number| exact.add(*number, false));
            let mut again = Exact::default();
            again.add_parts(exact.parts(), false);
            prop_assert_eq!(sum(&again), sum(&exact));
        }
    }
}
