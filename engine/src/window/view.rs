//! One window over one key: what it holds between (now - span, now], and what follows from that.

use alloc::sync::Arc;

use super::blocks::Blocks;
use super::exact::{self, Exact, Parts, UNIT};
use super::extreme::Extreme;
use super::pane::{NUMBERS_MAX, Open, Pane, Point, Weighted, thin};
use super::ranks::Ranks;
use super::{Limits, pane_ms};
use crate::formula::derived::{Measure, Span};
use crate::tick::{Fps, Tick};

/// A window. The samples in it are the key's, those later than [`View::after_ms`]; the panes are its own.
#[derive(Clone, Debug)]
pub(super) struct View {
    pub(super) span: Span,
    pub(super) after_ms: i64,
    width_ms: i64,
    panes: Panes,
    /// Samples, those in panes included.
    count: u64,
    sum: Option<Exact>,
    squares: Option<Exact>,
    least: Option<Extreme>,
    most: Option<Extreme>,
    ranks: Option<Ranks>,
}

/// What a window remembers beside the key's samples: all else follows from both.
#[derive(Clone, Debug, Default)]
pub(super) struct Panes {
    closed: Blocks<Pane>,
    open: Option<Open>,
}

impl Panes {
    /// How many samples are in them.
    pub(super) fn count(&self) -> u64 {
        let open = self.open.as_ref().map_or(0, |open| open.pane.count);
        self.closed.iter().map(|pane| pane.count).sum::<u64>() + open
    }
}

impl View {
    pub(super) fn new(span: Span, limits: Limits, fps: Fps) -> View {
        View {
            span,
            after_ms: i64::MIN,
            width_ms: pane_ms(span, limits, fps),
            panes: Panes::default(),
            count: 0,
            sum: None,
            squares: None,
            least: None,
            most: None,
            ranks: None,
        }
    }

    /// From now on it can answer `measure`.
    pub(super) fn serve(&mut self, measure: Measure) {
        let sums = matches!(measure, Measure::Average | Measure::Sum | Measure::Deviation);
        if sums && self.sum.is_none() {
            self.sum = Some(Exact::default());
        }
        match measure {
            Measure::Deviation if self.squares.is_none() => self.squares = Some(Exact::default()),
            Measure::Minimum if self.least.is_none() => self.least = Some(Extreme::new(true)),
            Measure::Maximum if self.most.is_none() => self.most = Some(Extreme::new(false)),
            Measure::Median | Measure::Percentile(_) if self.ranks.is_none() => {
                self.ranks = Some(Ranks::default());
            }
            _ => {}
        }
    }

    /// Where the window ends at the far side when it is `now_ms` at `tick`.
    pub(super) fn after(&self, tick: Tick, now_ms: i64, fps: Fps) -> i64 {
        now_ms.saturating_sub(match self.span {
            Span::Milliseconds(ms) => i64::try_from(ms).unwrap_or(i64::MAX),
            // As far as the ticks really are apart, which differs by the millisecond.
            Span::Ticks(ticks) => ticks_ms(fps, tick, ticks),
        })
    }

    /// The time from which on it can be that a sample of `ms` has left.
    pub(super) fn leaves_ms(&self, ms: i64, fps: Fps) -> i64 {
        ms.saturating_add(span_ms(self.span, fps))
    }

    /// The time of the oldest thing in its panes.
    pub(super) fn oldest_pane_ms(&self) -> Option<i64> {
        let open = || self.panes.open.as_ref().map(|open| open.pane.last.ms);
        self.panes.closed.front().map(|pane| pane.last.ms).or_else(open)
    }

    /// A sample came in.
    pub(super) fn enter(&mut self, point: Point) {
        self.count += 1;
        self.add(point.number, false);
        for extreme in self.least.iter_mut().chain(&mut self.most) {
            extreme.enter(point.ms, point.number);
        }
        self.ranks.iter_mut().for_each(|ranks| ranks.insert(point.number, 1));
    }

    /// A sample that is not in a pane is about to leave; then [`View::left`] says up to when all have.
    pub(super) fn leave(&mut self, point: Point) {
        self.count -= 1;
        self.add(point.number, true);
        self.ranks.iter_mut().for_each(|ranks| ranks.remove(point.number, 1));
    }

    /// Everything up to `after_ms` has left: panes that are no later leave now. Returns how many.
    pub(super) fn left(&mut self, after_ms: i64) -> u64 {
        self.after_ms = after_ms;
        let mut dropped = 0;
        while self.panes.closed.front().is_some_and(|pane| pane.last.ms <= after_ms) {
            let Some(pane) = self.panes.closed.pop_front() else { break };
            self.drop_closed(&pane);
            dropped += 1;
        }
        if self.panes.closed.is_empty()
            && let Some(open) = self.panes.open.take_if(|open| open.pane.last.ms <= after_ms)
        {
            self.drop_open(&open);
            dropped += 1;
        }
        self.least.iter_mut().chain(&mut self.most).for_each(|extreme| extreme.leave(after_ms));
        if self.count == 0 {
            self.sum.iter_mut().chain(&mut self.squares).for_each(Exact::clear);
        }
        dropped
    }

    /// The key's oldest sample makes room and becomes a part of a pane.
    pub(super) fn retire(&mut self, point: Point) {
        if point.ms <= self.after_ms {
            return;
        }
        self.open(point);
        self.fill(point, false);
    }

    /// A sample came so late that it belongs to a pane.
    pub(super) fn enter_late(&mut self, point: Point) {
        if point.ms <= self.after_ms {
            return;
        }
        self.count += 1;
        self.add(point.number, false);
        self.ranks.iter_mut().for_each(|ranks| ranks.insert(point.number, 1));
        let place = self.place(point);
        let newest = self.panes.open.as_ref().map(|open| open.pane.place);
        if newest.or(self.panes.closed.back().map(|pane| pane.place)).is_none_or(|newest| newest <= place) {
            self.open(point);
            self.fill(point, true);
        } else {
            self.enter_closed(place, point);
        }
    }

    /// The oldest sample in its panes.
    pub(super) fn first(&self) -> Option<Point> {
        let open = || self.panes.open.as_ref().map(|open| open.pane.first);
        self.panes.closed.front().map(|pane| pane.first).or_else(open)
    }

    /// The newest sample in its panes.
    pub(super) fn last(&self) -> Option<Point> {
        let closed = || self.panes.closed.back().map(|pane| pane.last);
        self.panes.open.as_ref().map(|open| open.pane.last).or_else(closed)
    }

    /// How many samples it holds.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// What its samples, whatever their order in time, come to; `None` where that has no value, or not a
    /// finite one.
    pub(super) fn value(&self, measure: Measure) -> Option<f64> {
        let rank = |rank| self.ranks.as_ref().and_then(|ranks| ranks.select(rank));
        let sum = self.sum.as_ref().filter(|_| self.count > 0).map(Exact::rounded);
        match measure {
            Measure::Count => Some(self.count as f64),
            Measure::Sum => Some(sum.map_or(0.0, |(sum, doubled)| libm::scalbn(sum, doubled + UNIT))),
            Measure::Average => {
                sum.map(|(sum, doubled)| libm::scalbn(sum / self.count as f64, doubled + UNIT))
            }
            Measure::Deviation if self.count < 2 => Some(0.0),
            Measure::Deviation => {
                let (sum, squares) = (self.sum.as_ref()?, self.squares.as_ref()?);
                Some(exact::deviation(self.count, sum, squares))
            }
            Measure::Minimum => self.least.as_ref().and_then(Extreme::best),
            Measure::Maximum => self.most.as_ref().and_then(Extreme::best),
            Measure::Median => match (rank(self.count.div_ceil(2))?, rank(self.count / 2 + 1)?) {
                (one, other) if (one + other).is_finite() => Some((one + other) / 2.0),
                (one, other) => Some(one / 2.0 + other / 2.0),
            },
            // Multiplied first: 7 % of 100 are 7, which 0.07 of 100 are not.
            Measure::Percentile(p) => {
                rank((libm::ceil(p.number() * self.count as f64 / 100.0) as u64).clamp(1, self.count.max(1)))
            }
            _ => None,
        }
    }

    /// What it remembers.
    pub(super) fn panes(&self) -> Panes {
        self.panes.clone()
    }

    /// Makes it anew from what it remembered, and the samples later than `after_ms`.
    pub(super) fn rebuild<'a>(
        &mut self,
        after_ms: i64,
        panes: &Panes,
        samples: impl Iterator<Item = &'a Point>,
    ) {
        self.after_ms = after_ms;
        self.panes = panes.clone();
        self.count = 0;
        self.sum.iter_mut().chain(&mut self.squares).for_each(Exact::clear);
        self.least.iter_mut().chain(&mut self.most).for_each(Extreme::clear);
        self.ranks.iter_mut().for_each(Ranks::clear);
        for pane in panes.closed.iter() {
            self.count += pane.count;
            self.sum.iter_mut().for_each(|sum| sum.add_parts(pane.sum, false));
            self.squares.iter_mut().for_each(|squares| squares.add_parts(pane.squares, false));
            self.show(pane, pane.numbers());
        }
        if let Some(open) = &panes.open {
            self.count += open.pane.count;
            self.sum.iter_mut().for_each(|sum| sum.add_exact(&open.sum, false));
            self.squares.iter_mut().for_each(|squares| squares.add_exact(&open.squares, false));
            self.show(&open.pane, &open.numbers);
        }
        samples.for_each(|point| self.enter(*point));
    }

    /// Forgets what its panes hold from after `now_ms`. It is to be rebuilt then.
    pub(super) fn forget_after(&mut self, now_ms: i64) {
        self.panes.open.take_if(|open| open.pane.last.ms > now_ms);
        while self.panes.closed.back().is_some_and(|pane| pane.last.ms > now_ms) {
            self.panes.closed.pop_back();
        }
    }

    /// Bytes that it takes.
    pub(super) fn bytes(&self) -> usize {
        let sums = self.sum.iter().chain(&self.squares).map(Exact::bytes).sum::<usize>();
        let extremes = self.least.iter().chain(&self.most).map(Extreme::bytes).sum::<usize>();
        let ranks = self.ranks.as_ref().map_or(0, Ranks::bytes);
        let numbers = if self.ranks.is_some() { NUMBERS_MAX * size_of::<Weighted>() } else { 0 };
        let panes = self.panes.closed.bytes() + self.panes.closed.len() * numbers;
        size_of::<View>() + sums + extremes + ranks + panes
    }
}

impl View {
    fn add(&mut self, number: f64, away: bool) {
        self.sum.iter_mut().for_each(|sum| sum.add(number, away));
        self.squares.iter_mut().for_each(|squares| squares.add_square(number, away));
    }

    /// Makes the pane of a sample the one that is being filled.
    fn open(&mut self, point: Point) {
        let place = self.place(point);
        if self.panes.open.as_ref().is_none_or(|open| open.pane.place != place) {
            self.close();
            // It was closed already where the clock was set back.
            let known = self.panes.closed.back().is_some_and(|pane| pane.place == place);
            let known = if known { self.panes.closed.pop_back() } else { None };
            self.panes.open = Some(known.map_or_else(|| Open::new(place, point), Open::again));
        }
    }

    fn place(&self, point: Point) -> i64 {
        point.ms.div_euclid(self.width_ms)
    }

    /// Puts a sample, which the window counts already, into the pane that is being filled.
    fn fill(&mut self, point: Point, is_late: bool) {
        let Some(open) = &mut self.panes.open else { return };
        open.pane.take(point);
        if self.sum.is_some() {
            open.sum.add(point.number, false);
        }
        if self.squares.is_some() {
            open.squares.add_square(point.number, false);
        }
        for extreme in self.least.iter_mut().chain(&mut self.most) {
            if is_late {
                extreme.enter_pane(open.pane.place, point.number);
            } else {
                extreme.retire(point.ms, point.number, open.pane.place);
            }
        }
        if let Some(ranks) = &mut self.ranks {
            open.numbers.push((point.number, 1));
            if open.is_crowded() {
                thin_in(ranks, &mut open.numbers, NUMBERS_MAX * 8);
            }
        }
    }

    /// Closes the pane that is being filled: from here on its sums are rounded, to more than 200 bits.
    fn close(&mut self) {
        let Some(Open { mut pane, sum, squares, mut numbers, .. }) = self.panes.open.take() else { return };
        if let Some(total) = &mut self.sum {
            pane.sum = round_in(total, &sum);
        }
        if let Some(total) = &mut self.squares {
            pane.squares = round_in(total, &squares);
        }
        if let Some(ranks) = &mut self.ranks {
            thin_in(ranks, &mut numbers, NUMBERS_MAX);
            pane.numbers = Some(Arc::from(numbers));
        }
        self.panes.closed.insert(pane);
    }

    /// Puts a sample, which the window counts already, into the closed pane of its time.
    fn enter_closed(&mut self, place: i64, point: Point) {
        let start_ms = place.saturating_mul(self.width_ms);
        if self.panes.closed.at_mut(start_ms).is_none_or(|pane| pane.place != place) {
            self.panes.closed.insert(Pane::new(place, point));
        }
        let Some(pane) = self.panes.closed.at_mut(start_ms) else { return };
        pane.take(point);
        if let Some(total) = &mut self.sum {
            let mut sum = Exact::default();
            sum.add_parts(pane.sum, false);
            sum.add(point.number, false);
            total.add_parts(pane.sum, true);
            total.add(point.number, true);
            pane.sum = sum.parts();
            total.add_parts(pane.sum, false);
        }
        if let Some(total) = &mut self.squares {
            let mut squares = Exact::default();
            squares.add_parts(pane.squares, false);
            squares.add_square(point.number, false);
            total.add_parts(pane.squares, true);
            total.add_square(point.number, true);
            pane.squares = squares.parts();
            total.add_parts(pane.squares, false);
        }
        for extreme in self.least.iter_mut().chain(&mut self.most) {
            extreme.enter_pane(pane.place, point.number);
        }
        if let Some(ranks) = &mut self.ranks {
            let mut numbers = pane.numbers().to_vec();
            numbers.push((point.number, 1));
            thin_in(ranks, &mut numbers, NUMBERS_MAX);
            pane.numbers = Some(Arc::from(numbers));
        }
    }

    fn drop_closed(&mut self, pane: &Pane) {
        self.sum.iter_mut().for_each(|sum| sum.add_parts(pane.sum, true));
        self.squares.iter_mut().for_each(|squares| squares.add_parts(pane.squares, true));
        self.hide(pane, pane.numbers());
    }

    fn drop_open(&mut self, open: &Open) {
        self.sum.iter_mut().for_each(|sum| sum.add_exact(&open.sum, true));
        self.squares.iter_mut().for_each(|squares| squares.add_exact(&open.squares, true));
        self.hide(&open.pane, &open.numbers);
    }

    fn hide(&mut self, pane: &Pane, numbers: &[Weighted]) {
        self.count -= pane.count;
        self.least.iter_mut().chain(&mut self.most).for_each(|extreme| extreme.drop_panes(pane.place));
        if let Some(ranks) = &mut self.ranks {
            numbers.iter().for_each(|(number, weight)| ranks.remove(*number, *weight));
        }
    }

    fn show(&mut self, pane: &Pane, numbers: &[Weighted]) {
        self.least.iter_mut().for_each(|least| least.add_pane(pane.place, pane.least));
        self.most.iter_mut().for_each(|most| most.add_pane(pane.place, pane.most));
        if let Some(ranks) = &mut self.ranks {
            numbers.iter().for_each(|(number, weight)| ranks.insert(*number, *weight));
        }
    }
}

/// Thins numbers that are in `ranks`, there too.
fn thin_in(ranks: &mut Ranks, numbers: &mut alloc::vec::Vec<Weighted>, most: usize) {
    if numbers.len() > most {
        numbers.iter().for_each(|(number, weight)| ranks.remove(*number, *weight));
        thin(numbers, most);
        numbers.iter().for_each(|(number, weight)| ranks.insert(*number, *weight));
    }
}

/// Rounds a part of a total, there too, so that it can be taken away from it later.
fn round_in(total: &mut Exact, part: &Exact) -> Parts {
    let parts = part.parts();
    total.add_exact(part, true);
    total.add_parts(parts, false);
    parts
}

/// The milliseconds between a tick and the one that is so many ticks before it.
fn ticks_ms(fps: Fps, tick: Tick, ticks: u64) -> i64 {
    let at = |tick: i128| (tick * 1_000).div_euclid(i128::from(fps.per_second()));
    let now = i128::from(tick.0);
    i64::try_from(at(now) - at(now - i128::from(ticks))).unwrap_or(i64::MAX)
}

/// A span in milliseconds, rounded down.
pub(super) fn span_ms(span: Span, fps: Fps) -> i64 {
    match span {
        Span::Milliseconds(ms) => i64::try_from(ms).unwrap_or(i64::MAX),
        Span::Ticks(ticks) => i64::try_from(fps.millis_at(Tick(ticks))).unwrap_or(i64::MAX),
    }
}
