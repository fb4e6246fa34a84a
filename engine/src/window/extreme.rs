//! The least or the greatest of a window: only samples that can still become it are kept, which are fewer and
//! fewer. Each is put in once and taken out once.

use alloc::collections::VecDeque;

/// The extreme of a window.
#[derive(Clone, Debug)]
pub(super) struct Extreme {
    is_least: bool,
    /// Of panes, at most one each: its place, and the extreme.
    panes: VecDeque<(i64, f64)>,
    /// Of samples, by time. Each is better than all behind it, here as in the panes before them.
    samples: VecDeque<(i64, f64)>,
}

impl Extreme {
    pub(super) fn new(is_least: bool) -> Extreme {
        Extreme { is_least, panes: VecDeque::new(), samples: VecDeque::new() }
    }

    /// What it is; `None` where there is nothing.
    pub(super) fn best(&self) -> Option<f64> {
        let sample = || self.samples.front().map(|(_, number)| *number);
        self.panes.front().map(|(_, number)| *number).or_else(sample)
    }

    /// A sample came in, wherever its time is.
    pub(super) fn enter(&mut self, ms: i64, number: f64) {
        let at = self.samples.partition_point(|(other, _)| *other <= ms);
        if self.samples.get(at).is_some_and(|(_, later)| self.is_beaten(number, *later)) {
            return;
        }
        let worse = |entry: &&(i64, f64)| self.is_beaten(entry.1, number);
        let from = at - self.samples.range(..at).rev().take_while(worse).count();
        replace(&mut self.samples, from, at, (ms, number));
        if from == 0 {
            self.outdo(number);
        }
    }

    /// All samples up to `ms` have left.
    pub(super) fn leave(&mut self, ms: i64) {
        while self.samples.front().is_some_and(|(at, _)| *at <= ms) {
            self.samples.pop_front();
        }
    }

    /// The oldest sample has become a part of the newest pane.
    pub(super) fn retire(&mut self, ms: i64, number: f64, place: i64) {
        if self.samples.front().is_some_and(|first| *first == (ms, number)) {
            self.samples.pop_front();
            // Of one pane the first is the best, and all of it leaves at once.
            if self.panes.back().is_none_or(|(newest, _)| *newest != place) {
                self.panes.push_back((place, number));
            }
        }
    }

    /// A sample came late, into a pane that was made already.
    pub(super) fn enter_pane(&mut self, place: i64, number: f64) {
        let at = self.panes.partition_point(|(other, _)| *other < place);
        let later = self.panes.get(at).map(|(_, later)| *later);
        let later = later.or(self.samples.front().map(|(_, later)| *later));
        if later.is_some_and(|later| self.is_beaten(number, later)) {
            return;
        }
        let until = at + usize::from(self.panes.get(at).is_some_and(|(other, _)| *other == place));
        let worse = |entry: &&(i64, f64)| self.is_beaten(entry.1, number);
        let from = at - self.panes.range(..at).rev().take_while(worse).count();
        replace(&mut self.panes, from, until, (place, number));
    }

    /// All panes up to this one have left.
    pub(super) fn drop_panes(&mut self, place: i64) {
        while self.panes.front().is_some_and(|(other, _)| *other <= place) {
            self.panes.pop_front();
        }
    }

    /// A pane came in behind all others: for making a window anew from its parts.
    pub(super) fn add_pane(&mut self, place: i64, number: f64) {
        self.outdo(number);
        self.panes.push_back((place, number));
    }

    /// Everything has left.
    pub(super) fn clear(&mut self) {
        self.panes.clear();
        self.samples.clear();
    }

    /// Bytes that it takes beside its own.
    pub(super) fn bytes(&self) -> usize {
        (self.panes.capacity() + self.samples.capacity()) * size_of::<(i64, f64)>()
    }

    /// Takes out what is no better than a number that is newer than all panes.
    fn outdo(&mut self, number: f64) {
        while self.panes.back().is_some_and(|(_, older)| self.is_beaten(*older, number)) {
            self.panes.pop_back();
        }
    }

    /// Whether `other` is as good as `number` or better.
    fn is_beaten(&self, number: f64, other: f64) -> bool {
        if self.is_least { other <= number } else { other >= number }
    }
}

/// Puts an entry in the place of those in `from..until`.
fn replace<T>(entries: &mut VecDeque<T>, from: usize, until: usize, entry: T) {
    if until == entries.len() {
        entries.truncate(from);
        entries.push_back(entry);
    } else {
        entries.drain(from..until);
        entries.insert(from, entry);
    }
}
