//! The past of one key: its samples by time, and the windows over them.

use alloc::vec::Vec;

use super::Limits;
use super::blocks::Blocks;
use super::pane::Point;
use super::view::{self, View};
use crate::formula::derived::{Measure, Span};
use crate::tick::{Fps, Tick};

/// A key's samples and windows.
#[derive(Clone, Debug)]
pub(super) struct Series {
    /// The index of the key.
    key: u32,
    limits: Limits,
    fps: Fps,
    /// Samples up to now: all that a window holds and that are in no pane.
    log: Blocks<Point>,
    /// Samples that are stamped later than now: they wait.
    ahead: Blocks<Point>,
    views: Vec<View>,
    /// How many of the newest samples stay, whatever their time.
    kept: usize,
    /// The time of the newest sample that made room.
    retired_ms: i64,
    now_ms: i64,
    pub(super) updates: u64,
    pub(super) dropped: u64,
}

/// What a series remembers: all else follows from it.
#[derive(Clone, Debug)]
pub(super) struct Memory {
    pub(super) key: u32,
    log: Blocks<Point>,
    ahead: Blocks<Point>,
    /// By window: its span, where it ends at the far side, and its panes.
    views: Vec<(Span, i64, view::Panes)>,
    retired_ms: i64,
    now_ms: i64,
    dropped: u64,
}

impl Series {
    pub(super) fn new(key: u32, limits: Limits, fps: Fps) -> Series {
        Series {
            key,
            limits,
            fps,
            log: Blocks::default(),
            ahead: Blocks::default(),
            views: Vec::new(),
            kept: 0,
            retired_ms: i64::MIN,
            now_ms: i64::MIN,
            updates: 0,
            dropped: 0,
        }
    }

    /// From now on it can answer `measure` over `span`. Returns the number of the window; `None` where that
    /// needs none.
    pub(super) fn serve(&mut self, measure: Measure, span: Option<Span>) -> Option<usize> {
        if measure == Measure::Delta {
            self.kept = 2;
        }
        let span = span?;
        let known = self.views.iter().position(|view| view.span == span);
        let view = known.unwrap_or_else(|| {
            self.views.push(View::new(span, self.limits, self.fps));
            self.views.len() - 1
        });
        self.views[view].serve(measure);
        Some(view)
    }

    /// Moves time on, or back. Returns whether anything came or went.
    pub(super) fn advance(&mut self, tick: Tick, now_ms: i64) -> bool {
        let is_back = now_ms < core::mem::replace(&mut self.now_ms, now_ms);
        if is_back {
            self.step_back(tick, now_ms);
        }
        let before = self.updates;
        for view in &mut self.views {
            let after_ms = view.after(tick, now_ms, self.fps);
            if after_ms <= view.after_ms {
                continue;
            }
            for point in self.log.after(view.after_ms).take_while(|point| point.ms <= after_ms) {
                view.leave(*point);
                self.updates += 1;
            }
            self.updates += view.left(after_ms);
        }
        while self.ahead.front().is_some_and(|point| point.ms <= now_ms) {
            self.ahead.pop_front().into_iter().for_each(|point| self.enter(point));
        }
        self.trim();
        is_back || self.updates != before
    }

    /// Takes a sample, wherever its time is. Returns whether it is in any window now, or among the newest.
    pub(super) fn push(&mut self, point: Point) -> bool {
        let before = self.updates;
        if point.ms > self.now_ms {
            self.ahead.insert(point);
            self.bound_ahead();
        } else {
            self.enter(point);
            self.trim();
        }
        self.updates != before
    }

    /// When the next sample can come or go, at the earliest; `i64::MAX` for never.
    pub(super) fn due_ms(&self) -> i64 {
        let leaves = self.views.iter().filter_map(|view| {
            let oldest = view.oldest_pane_ms();
            let oldest = oldest.or_else(|| self.log.after(view.after_ms).next().map(|point| point.ms));
            Some(view.leaves_ms(oldest?, self.fps))
        });
        leaves.chain(self.ahead.front().map(|point| point.ms)).min().unwrap_or(i64::MAX)
    }

    /// The answer of a window, infinite where it is too large for a number; without a window, that of the newest
    /// samples.
    pub(super) fn value(&self, measure: Measure, view: Option<usize>) -> Option<f64> {
        let view = view.and_then(|view| self.views.get(view));
        let value = match (measure, view) {
            (Measure::Delta, _) => self.delta(view.map_or(i64::MIN, |view| view.after_ms)),
            (Measure::Rate | Measure::RateOfChange | Measure::PercentChange, Some(view)) => {
                self.change(measure, view)
            }
            (_, Some(view)) => view.value(measure)?,
            (_, None) => return None,
        };
        // Adding 0 makes 0 of -0, of which formulas see none.
        Some(value + 0.0).filter(|value| !value.is_nan())
    }

    pub(super) fn memory(&self) -> Memory {
        Memory {
            key: self.key,
            log: self.log.clone(),
            ahead: self.ahead.clone(),
            views: self.views.iter().map(|view| (view.span, view.after_ms, view.panes())).collect(),
            retired_ms: self.retired_ms,
            now_ms: self.now_ms,
            dropped: self.dropped,
        }
    }

    pub(super) fn restore(&mut self, memory: &Memory) {
        let Memory { log, ahead, views, retired_ms, now_ms, dropped, .. } = memory.clone();
        (self.log, self.ahead) = (log, ahead);
        (self.retired_ms, self.now_ms, self.dropped) = (retired_ms, now_ms, dropped);
        for (view, (_, after_ms, panes)) in self.views.iter_mut().zip(&views) {
            view.rebuild(*after_ms, panes, self.log.after(*after_ms));
        }
    }

    /// Bytes that it takes.
    pub(super) fn bytes(&self) -> usize {
        let views: usize = self.views.iter().map(View::bytes).sum();
        size_of::<Series>() + self.log.bytes() + self.ahead.bytes() + views
    }

    /// Samples that it keeps one by one.
    pub(super) fn samples(&self) -> usize {
        self.log.len() + self.ahead.len()
    }
}

impl Memory {
    /// Samples that are kept one by one.
    pub(super) fn samples(&self) -> impl Iterator<Item = (i64, f64)> {
        self.log.iter().chain(self.ahead.iter()).map(|point| (point.ms, point.number))
    }

    /// The time after which all samples are kept one by one; `None` where that holds for none.
    pub(super) fn whole_after_ms(&self) -> Option<i64> {
        let after_ms = self.views.iter().map(|(_, after_ms, _)| *after_ms).min()?;
        Some(after_ms.max(self.retired_ms))
    }

    /// How many samples the window over `span` holds.
    pub(super) fn count(&self, span: Span) -> Option<u64> {
        let (_, after_ms, panes) = self.views.iter().find(|(of, ..)| *of == span)?;
        // What became a part of a pane is none of the others any more.
        Some(panes.count() + self.log.after(*after_ms).count() as u64)
    }
}

impl Series {
    fn enter(&mut self, point: Point) {
        if point.ms < self.retired_ms {
            for view in self.views.iter_mut().filter(|view| point.ms > view.after_ms) {
                view.enter_late(point);
                self.updates += 1;
            }
            return;
        }
        self.log.insert(point);
        self.updates += u64::from(self.kept > 0);
        for view in self.views.iter_mut().filter(|view| point.ms > view.after_ms) {
            view.enter(point);
            self.updates += 1;
        }
        if self.log.len() > self.limits.samples
            && let Some(oldest) = self.log.pop_front()
        {
            self.views.iter_mut().for_each(|view| view.retire(oldest));
            self.retired_ms = self.retired_ms.max(oldest.ms);
        }
    }

    /// Drops samples that no window can hold any more.
    fn trim(&mut self) {
        let floor_ms = self.views.iter().map(|view| view.after_ms).min().unwrap_or(i64::MAX);
        while self.log.len() > self.kept && self.log.front().is_some_and(|point| point.ms <= floor_ms) {
            self.log.pop_front();
        }
    }

    fn bound_ahead(&mut self) {
        while self.ahead.len() > self.limits.samples {
            self.ahead.pop_back();
            self.dropped += 1;
        }
    }

    /// Time goes back: samples that are ahead of it now wait again. Windows reach back from the new time, over
    /// what is still there.
    fn step_back(&mut self, tick: Tick, now_ms: i64) {
        let mut waiting = Vec::new();
        while self.log.back().is_some_and(|point| point.ms > now_ms) {
            waiting.extend(self.log.pop_back());
        }
        let mut ahead = Blocks::default();
        waiting.iter().rev().chain(self.ahead.iter()).for_each(|point| ahead.insert(*point));
        self.ahead = ahead;
        self.bound_ahead();
        self.retired_ms = self.retired_ms.min(now_ms);
        for view in &mut self.views {
            view.forget_after(now_ms);
            let (after_ms, panes) = (view.after(tick, now_ms, self.fps), view.panes());
            view.rebuild(after_ms, &panes, self.log.after(after_ms));
        }
        self.updates += 1;
    }

    fn delta(&self, after_ms: i64) -> f64 {
        let mut newest = self.log.iter().rev().take_while(|point| point.ms > after_ms);
        match (newest.next(), newest.next()) {
            (Some(last), Some(before)) => last.number - before.number,
            _ => 0.0,
        }
    }

    /// From a window's first sample to its last.
    fn change(&self, measure: Measure, view: &View) -> f64 {
        let first = view.first().or_else(|| self.log.after(view.after_ms).next().copied());
        let last = self.log.back().filter(|point| point.ms > view.after_ms).copied().or_else(|| view.last());
        let (Some(first), Some(last)) = (first, last) else { return 0.0 };
        if view.count() < 2 {
            return 0.0;
        }
        let (change, elapsed_ms) = (last.number - first.number, last.ms.saturating_sub(first.ms));
        match measure {
            Measure::Rate => change / hours(view.span, self.fps).max(1.0),
            Measure::RateOfChange if elapsed_ms == 0 => 0.0,
            Measure::RateOfChange => change / (elapsed_ms as f64 / 1_000.0),
            _ if first.number == 0.0 => 0.0,
            _ => change / first.number * 100.0,
        }
    }
}

fn hours(span: Span, fps: Fps) -> f64 {
    match span {
        Span::Milliseconds(ms) => ms as f64 / 3_600_000.0,
        Span::Ticks(ticks) => ticks as f64 / f64::from(fps.per_second()) / 3_600.0,
    }
}
