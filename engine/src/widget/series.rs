//! Series: a value's recent past in columns of equal time, as a sparkline shows it.

use alloc::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// A stretch of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Column {
    /// The mean of the values that arrived in it, or the one that was held; `None` in a gap.
    pub(crate) value: Option<f64>,
    /// How many values arrived in it.
    pub(crate) arrived: u32,
}

/// A value's recent past. Time is cut into buckets of equal length, one for each column; the last column
/// is the bucket that is being filled.
///
/// Buckets begin at multiples of their length since 1970 and not at the first sample, so the same past
/// always falls into the same columns, whenever the series was made.
///
/// A column holds the mean of the values that arrived in it. Where none arrived, the value before it is
/// held; where there is no value, the column is a gap.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Series {
    span_ms: u64,
    columns: VecDeque<Column>,
    /// The number of the bucket that is being filled, `None` before the first value.
    bucket: Option<i64>,
    /// The newest value.
    last: Option<f64>,
    /// When the series was last looked at, in unix milliseconds.
    seen_ms: i64,
}

impl Series {
    /// The longest that a value is held while nobody looks, in milliseconds. After it there is a gap:
    /// nothing is known about that time.
    pub(crate) const HOLD_MS: i64 = 5_000;

    /// An empty series of `columns` buckets for the last `span_ms` milliseconds; each is at least 1.
    pub(crate) fn new(columns: usize, span_ms: u64) -> Series {
        let columns = core::iter::repeat_n(Column::default(), columns.max(1)).collect();
        Series { span_ms: span_ms.max(1), columns, ..Series::default() }
    }

    /// The columns, the oldest first.
    pub(crate) fn columns(&self) -> impl DoubleEndedIterator<Item = Column> + ExactSizeIterator + '_ {
        self.columns.iter().copied()
    }

    /// The newest value, if there is one now.
    pub(crate) fn last(&self) -> Option<f64> {
        self.last
    }

    /// Takes the value as of `now_ms` and says whether anything changed that can be seen.
    pub(crate) fn step(&mut self, now_ms: i64, value: Option<f64>) -> bool {
        let held = now_ms.saturating_sub(self.seen_ms) <= Series::HOLD_MS;
        let moved = self.advance(now_ms, held);
        let taken = self.take(value);
        moved || taken
    }

    /// Takes values of the past, the oldest first. Between two of them the former is held, however long.
    /// A value that is not finite marks a gap from then on. Values that are out of order count at the
    /// time of the newest one before them.
    pub(crate) fn fill(&mut self, points: &[(i64, f64)]) {
        for (ms, value) in points {
            if self.bucket.is_none() || *ms >= self.seen_ms {
                self.advance(*ms, true);
            }
            self.take(Some(*value).filter(|value| value.is_finite()));
        }
    }

    /// Moves to the bucket of `now_ms`. Where the clock was set back, the columns stay and time goes on
    /// from there.
    fn advance(&mut self, now_ms: i64, held: bool) -> bool {
        let buckets = i128::from(now_ms) * self.columns.len() as i128;
        let bucket = i64::try_from(buckets.div_euclid(i128::from(self.span_ms))).unwrap_or(0);
        self.seen_ms = now_ms;
        let passed = self.bucket.map_or(0, |before| bucket.saturating_sub(before));
        self.bucket = Some(bucket);
        let passed = usize::try_from(passed).unwrap_or(0).min(self.columns.len());
        if passed == 0 {
            return false;
        }
        let column = Column { value: self.last.filter(|_| held), arrived: 0 };
        let moved = self.columns.iter().skip(passed).chain(core::iter::repeat_n(&column, passed));
        let changed = moved.zip(&self.columns).any(|(new, old)| !same(new.value, old.value));
        for _ in 0..passed {
            self.columns.pop_front();
            self.columns.push_back(column);
        }
        changed
    }

    fn take(&mut self, value: Option<f64>) -> bool {
        let arrived = !same(value, self.last);
        self.last = value;
        let Some(column) = self.columns.back_mut() else { return false };
        let before = *column;
        match value {
            Some(value) if arrived => {
                column.arrived = column.arrived.saturating_add(1);
                column.value = Some(mean(before, value));
            }
            // A value that was the same before and after a gap shows from now on.
            Some(value) if before.value.is_none() => column.value = Some(value),
            None if before.arrived == 0 => column.value = None,
            _ => {}
        }
        arrived || *column != before
    }
}

/// The mean with one more value. Each part is divided first: the sum of huge numbers can be too large for
/// a number.
fn mean(before: Column, value: f64) -> f64 {
    let (old, new) = (f64::from(before.arrived), f64::from(before.arrived) + 1.0);
    before.value.filter(|_| before.arrived > 0).map_or(value, |mean| mean * (old / new) + value / new)
}

fn same(a: Option<f64>, b: Option<f64>) -> bool {
    a.map(f64::to_bits) == b.map(f64::to_bits)
}

#[cfg(test)]
mod tests {
    use alloc::string::String;

    use proptest::prelude::*;

    use super::*;

    /// Ten columns of one second each, as digits; `.` is a gap.
    fn picture(series: &Series) -> String {
        let digit = |value: f64| char::from_digit(value as u32, 36).unwrap_or('?');
        series.columns().map(|column| column.value.map_or('.', digit)).collect()
    }

    fn series() -> Series {
        Series::new(10, 10_000)
    }

    #[track_caller]
    fn check(steps: &[(i64, Option<f64>)], expected: &str) {
        let mut series = series();
        for (ms, value) in steps {
            series.step(*ms, *value);
        }
        assert_eq!(picture(&series), expected);
    }

    #[test]
    fn values_are_averaged_held_and_missed() {
        check(&[], "..........");
        check(&[(0, Some(4.0))], ".........4");
        check(&[(0, Some(4.0)), (400, Some(8.0))], ".........6");
        check(&[(0, Some(4.0)), (400, Some(8.0)), (1_000, Some(8.0))], "........68");
        check(&[(0, Some(4.0)), (3_500, Some(4.0))], "......4444");
        check(&[(0, Some(4.0)), (3_500, Some(9.0))], "......4449");
        check(&[(0, Some(4.0)), (1_000, None), (2_000, None), (3_000, Some(5.0))], "......4..5");
        check(&[(0, Some(4.0)), (500, None)], ".........4");
        check(&[(0, Some(4.0)), (6_000, Some(4.0))], "...4.....4");
        check(&[(0, Some(4.0)), (99_000, Some(5.0))], ".........5");
        check(
            &[(9_000, Some(4.0)), (10_000, Some(5.0)), (2_000, Some(6.0)), (3_000, Some(7.0))],
            ".......457",
        );
        check(&[(-1, Some(1.0)), (0, Some(2.0))], "........12");
    }

    #[test]
    fn only_what_can_be_seen_is_a_change() {
        let mut series = series();
        assert!(series.step(0, Some(3.0)));
        assert!(!series.step(16, Some(3.0)));
        assert!(series.step(33, Some(4.0)));
        assert!(!series.step(50, Some(4.0)));
        for second in 1..12 {
            series.step(second * 1_000, Some(4.0));
        }
        assert!(!series.step(12_000, Some(4.0)), "a constant value shifts without a change");
    }

    #[test]
    fn the_past_can_be_filled_in() {
        let mut series = series();
        series.fill(&[(0, 1.0), (2_000, 2.0), (3_000, f64::NAN), (5_000, 5.0), (4_000, 7.0)]);
        assert_eq!(picture(&series), "....112..6");
        series.step(7_000, Some(9.0));
        assert_eq!(picture(&series), "..112..679");
        series.step(20_000, Some(9.0));
        assert_eq!(picture(&series), ".........9");
    }

    proptest! {
        #[test]
        fn filling_and_stepping_agree(changes in prop::collection::vec((1..4_000i64, 0..9u8), 1..40)) {
            let mut now = 0;
            let points = changes.iter().map(|(pause, value)| { now += pause; (now, f64::from(*value)) });
            let points: std::vec::Vec<_> = points.collect();
            let (mut filled, mut stepped) = (series(), series());
            filled.fill(&points);
            for (ms, value) in points {
                stepped.step(ms, Some(value));
            }
            prop_assert_eq!(filled, stepped);
        }

        #[test]
        fn any_time_and_value_are_answered(
            steps in prop::collection::vec((any::<i64>(), prop::option::of(prop::num::f64::NORMAL)), 0..40),
            columns in 0..200usize, span: u64,
        ) {
            let mut series = Series::new(columns, span);
            for (ms, value) in steps {
                series.step(ms, value);
                prop_assert!(series.columns().filter_map(|column| column.value).all(f64::is_finite));
            }
        }
    }
}
