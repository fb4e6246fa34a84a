//! Panes: what is kept of samples that there is no room for any more. A pane stands for all samples of a
//! short time, and enters and leaves its window as a whole.

use alloc::sync::Arc;
use alloc::vec::Vec;

use super::blocks::Stamped;
use super::exact::{Exact, Parts};

/// The most numbers that stand for those of a pane where their order by size is asked for.
pub(super) const NUMBERS_MAX: usize = 8;

/// The most numbers of the pane that is being filled.
const OPEN_NUMBERS_MAX: usize = 256;

/// A number, and for how many samples it stands.
pub(super) type Weighted = (f64, u32);

/// A sample as windows see it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Point {
    pub(super) ms: i64,
    pub(super) number: f64,
}

impl Stamped for Point {
    fn ms(&self) -> i64 {
        self.ms
    }
}

/// A closed pane.
#[derive(Clone, Debug)]
pub(super) struct Pane {
    /// Which of all panes of its width it is.
    pub(super) place: i64,
    pub(super) count: u64,
    pub(super) first: Point,
    pub(super) last: Point,
    pub(super) least: f64,
    pub(super) most: f64,
    pub(super) sum: Parts,
    pub(super) squares: Parts,
    /// Empty where nobody asks for an order.
    pub(super) numbers: Option<Arc<[Weighted]>>,
}

impl Stamped for Pane {
    fn ms(&self) -> i64 {
        self.last.ms
    }
}

impl Pane {
    /// An empty one, in which this sample will be the first.
    pub(super) fn new(place: i64, point: Point) -> Pane {
        Pane {
            place,
            count: 0,
            first: point,
            last: point,
            least: point.number,
            most: point.number,
            sum: Parts::default(),
            squares: Parts::default(),
            numbers: None,
        }
    }

    /// Takes a sample in, but for sums and numbers.
    pub(super) fn take(&mut self, point: Point) {
        self.count += 1;
        if point.ms < self.first.ms {
            self.first = point;
        }
        if point.ms >= self.last.ms {
            self.last = point;
        }
        self.least = if point.number < self.least { point.number } else { self.least };
        self.most = if point.number > self.most { point.number } else { self.most };
    }

    pub(super) fn numbers(&self) -> &[Weighted] {
        self.numbers.as_deref().unwrap_or_default()
    }
}

/// The pane that is being filled.
#[derive(Clone, Debug)]
pub(super) struct Open {
    pub(super) pane: Pane,
    pub(super) sum: Exact,
    pub(super) squares: Exact,
    pub(super) numbers: Vec<Weighted>,
}

impl Open {
    pub(super) fn new(place: i64, point: Point) -> Open {
        let pane = Pane::new(place, point);
        Open { pane, sum: Exact::default(), squares: Exact::default(), numbers: Vec::new() }
    }

    /// A closed one, filled on.
    pub(super) fn again(mut pane: Pane) -> Open {
        let (mut sum, mut squares) = (Exact::default(), Exact::default());
        sum.add_parts(pane.sum, false);
        squares.add_parts(pane.squares, false);
        let numbers = pane.numbers.take().map_or_else(Vec::new, |numbers| numbers.to_vec());
        Open { pane, sum, squares, numbers }
    }

    /// Whether it is to be thinned.
    pub(super) fn is_crowded(&self) -> bool {
        self.numbers.len() >= OPEN_NUMBERS_MAX
    }
}

/// At most `most` of the numbers, with the weight of all. The least and the greatest stay themselves, and of
/// each share of those between them the one in its middle stands for all.
pub(super) fn thin(numbers: &mut Vec<Weighted>, most: usize) {
    numbers.sort_by(|one, other| one.0.total_cmp(&other.0));
    if numbers.len() <= most || most < 3 {
        return;
    }
    let (least, greatest) = (numbers[0], numbers[numbers.len() - 1]);
    let between = &numbers[1..numbers.len() - 1];
    let mut thinned = Vec::with_capacity(most);
    thinned.push(least);
    let shares = most - 2;
    for share in 0..shares {
        let part = &between[between.len() * share / shares..between.len() * (share + 1) / shares];
        let weight: u32 = part.iter().map(|(_, weight)| *weight).fold(0, u32::saturating_add);
        thinned.extend(part.get(part.len() / 2).map(|(number, _)| (*number, weight)));
    }
    thinned.push(greatest);
    *numbers = thinned;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_numbers_stand_for_many() {
        let check = |count: u32, most: usize, expected: &[Weighted]| {
            let mut numbers: Vec<_> = (0..count).rev().map(|n| (f64::from(n), 1)).collect();
            thin(&mut numbers, most);
            assert_eq!(numbers, expected, "{count} as {most}");
            assert_eq!(numbers.iter().map(|(_, weight)| weight).sum::<u32>(), count);
        };
        check(0, 4, &[]);
        check(3, 4, &[(0.0, 1), (1.0, 1), (2.0, 1)]);
        check(4, 4, &[(0.0, 1), (1.0, 1), (2.0, 1), (3.0, 1)]);
        check(60, 4, &[(0.0, 1), (15.0, 29), (44.0, 29), (59.0, 1)]);
        check(9, 4, &[(0.0, 1), (2.0, 3), (6.0, 4), (8.0, 1)]);
    }
}
