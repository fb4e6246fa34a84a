//! An entry: one widget on the stage, what it remembers and what was painted of it.

use serde::{Deserialize, Serialize};

use crate::animation::Pose;
use crate::formula::Results;
use crate::paint::{Canvas, Color, Fonts, Mask, Point, Rect};
use crate::scene::{Guard, Step};
use crate::widget::tone::Mood;
use crate::widget::{Anchor, Look, Widget, broken, progress, shape, sparkline, text};

/// What a widget remembers from tick to tick: all that its picture comes from, besides its definition and
/// the step.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Memory {
    Text(text::State),
    Progress(progress::State),
    Sparkline(sparkline::State),
    Shape(shape::State),
}

/// What a widget's own pixels depend on.
#[derive(Clone, Debug, Default)]
enum Drawing {
    #[default]
    Nothing,
    Text(text::Drawing),
    Progress(progress::Drawing),
    Sparkline(sparkline::Drawing),
    Shape(shape::Drawing),
}

/// Where a widget stands and how visible it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Place {
    at: Point,
    /// 0 is not to be seen at all.
    opacity: u8,
}

/// What all widgets of a stage are painted with.
#[derive(Clone, Debug)]
pub(super) struct Tools {
    pub(super) background: Color,
    pub(super) fade_ticks: u64,
    pub(super) fonts: Fonts,
    pub(super) mask: Mask,
}

/// One widget on the stage.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) memory: Memory,
    /// As of the last step.
    place: Place,
    /// As of the last painting.
    painted: Place,
    /// As of the last painting.
    drawing: Drawing,
    /// The one before; kept to compare, and for its memory.
    before: Drawing,
    /// Whether a step changed anything since the last painting.
    stepped: bool,
    /// Whether a step failed, after which there are no more.
    stopped: bool,
    /// Whether it is painted as a broken one, as of the last painting.
    broken: bool,
}

/// What an entry's picture comes from.
#[derive(Clone, Debug)]
pub(super) struct Remembered {
    memory: Memory,
    place: Place,
    stopped: bool,
}

impl Entry {
    pub(super) fn new(widget: &Widget) -> Entry {
        let (memory, drawing) = match &widget.look {
            Look::Text(_) => (Memory::Text(text::State::default()), Drawing::Text(text::Drawing::default())),
            Look::Progress(_) => (
                Memory::Progress(progress::State::default()),
                Drawing::Progress(progress::Drawing::default()),
            ),
            Look::Sparkline(sparkline) => (
                Memory::Sparkline(sparkline::State::new(sparkline, widget.size)),
                Drawing::Sparkline(sparkline::Drawing::default()),
            ),
            Look::Shape(_) => {
                (Memory::Shape(shape::State::default()), Drawing::Shape(shape::Drawing::default()))
            }
        };
        let (place, painted) = (Place::default(), Place::default());
        let (stopped, broken) = (false, false);
        Entry { memory, place, painted, before: drawing.clone(), drawing, stepped: true, stopped, broken }
    }

    pub(super) fn remembered(&self) -> Remembered {
        Remembered { memory: self.memory.clone(), place: self.place, stopped: self.stopped }
    }

    pub(super) fn restore(&mut self, remembered: &Remembered) {
        let Remembered { memory, place, stopped } = remembered.clone();
        (self.memory, self.place, self.stopped) = (memory, place, stopped);
        self.stepped = true;
    }

    /// Whether it is shown as a broken one, or will be when it is painted.
    pub(super) fn is_broken(&self) -> bool {
        self.stopped || self.broken
    }

    /// Takes one tick, unless an earlier one failed.
    pub(super) fn step(
        &mut self,
        widget: &Widget,
        pose: Pose,
        step: &Step<'_>,
        fade_ticks: u64,
        guard: Guard,
    ) {
        if self.stopped || guard(&mut || self.advance(widget, pose, step, fade_ticks)) {
            return;
        }
        (self.stopped, self.stepped) = (true, true);
        self.place = Place { at: widget.anchor.corner(widget.at, widget.size), opacity: 255 };
    }

    fn advance(&mut self, widget: &Widget, pose: Pose, step: &Step<'_>, fade_ticks: u64) {
        let place = Place::of(widget, pose, step.results);
        let mood = Mood::of(&widget.sources, step.states);
        let changed = match (&mut self.memory, &widget.look) {
            (Memory::Text(state), Look::Text(text)) => state.step(text, step.results, mood, fade_ticks),
            (Memory::Progress(state), Look::Progress(bar)) => {
                state.step(bar, step.results, mood, step.tick, fade_ticks)
            }
            (Memory::Sparkline(state), Look::Sparkline(line)) => {
                state.step(line, step.now_ms, step.results, mood, fade_ticks)
            }
            (Memory::Shape(state), Look::Shape(figure)) => state.step(figure, step.results, mood, fade_ticks),
            _ => false,
        };
        self.stepped |= changed || place != self.place;
        self.place = place;
    }

    /// Brings what is to be painted up to the last step, and calls `damaged` for each rectangle in which
    /// that changes pixels. Returns false where that failed and the whole frame counts as damaged.
    pub(super) fn update(
        &mut self,
        widget: &Widget,
        tools: &mut Tools,
        guard: Guard,
        mut damaged: impl FnMut(Rect),
    ) -> bool {
        if !core::mem::take(&mut self.stepped) {
            return true;
        }
        core::mem::swap(&mut self.drawing, &mut self.before);
        let was_broken = core::mem::replace(&mut self.broken, self.stopped);
        let old = core::mem::replace(&mut self.painted, self.place);
        if was_broken || self.broken {
            // Rare enough to be simple: what a broken drawing covered is not to be relied on.
            self.broken = self.broken || !guard(&mut || self.draw(widget, tools));
            return false;
        }
        self.broken = !guard(&mut || {
            self.draw(widget, tools);
            self.compare(widget, old, tools, &mut damaged);
        });
        !self.broken
    }

    /// Calls `damaged` for each rectangle in which it differs from the last painting.
    fn compare(&self, widget: &Widget, old: Place, tools: &mut Tools, damaged: &mut impl FnMut(Rect)) {
        let new = self.painted;
        match (old.opacity > 0, new.opacity > 0) {
            (true, true) if old == new => damaged(self.difference(widget, &mut tools.fonts)),
            (was_shown, is_shown) => {
                if was_shown {
                    damaged(ink(&self.before, widget, old.at, &mut tools.fonts));
                }
                if is_shown {
                    damaged(ink(&self.drawing, widget, new.at, &mut tools.fonts));
                }
            }
        }
    }

    /// Has it painted as a broken one until it changes.
    pub(super) fn break_painting(&mut self) {
        self.broken = true;
    }

    /// Paints the box of a broken widget, whatever its opacity.
    pub(super) fn paint_broken(&self, widget: &Widget, canvas: &mut Canvas<'_>, background: Color) {
        if self.painted.opacity > 0 {
            broken::paint(Rect { at: self.painted.at, size: widget.size }, canvas, background);
        }
    }

    /// The pixels that it covers, as of the last [`Entry::update`]; none where it is not to be seen.
    pub(super) fn bounds(&self, widget: &Widget, fonts: &mut Fonts) -> Rect {
        match self.painted.opacity {
            0 => Rect::default(),
            _ => ink(&self.drawing, widget, self.painted.at, fonts),
        }
    }

    /// How visible it is, as of the last [`Entry::update`].
    pub(super) fn opacity(&self) -> u8 {
        self.painted.opacity
    }

    /// Paints it as of the last [`Entry::update`], as if it were opaque.
    pub(super) fn paint(&self, widget: &Widget, canvas: &mut Canvas<'_>, tools: &mut Tools) {
        let rect = Rect { at: self.painted.at, size: widget.size };
        match (&self.drawing, &widget.look) {
            (Drawing::Text(drawing), Look::Text(_)) => drawing.paint(rect.at, canvas, &mut tools.fonts),
            (Drawing::Progress(drawing), Look::Progress(bar)) => drawing.paint(bar, rect, canvas),
            (Drawing::Sparkline(drawing), Look::Sparkline(line)) => {
                drawing.paint(line, rect, canvas, &mut tools.mask);
            }
            (Drawing::Shape(drawing), Look::Shape(figure)) => {
                drawing.paint(figure, rect, canvas, &mut tools.mask);
            }
            _ => {}
        }
    }

    fn draw(&mut self, widget: &Widget, tools: &mut Tools) {
        let (background, fade) = (tools.background, tools.fade_ticks);
        match (&mut self.drawing, &self.memory, &widget.look) {
            (Drawing::Text(drawing), Memory::Text(state), Look::Text(text)) => {
                state.draw(drawing, text, widget.size, &mut tools.fonts);
                state.tint(drawing, text, background, fade);
            }
            (Drawing::Progress(drawing), Memory::Progress(state), Look::Progress(bar)) => {
                *drawing = state.drawing(bar, widget.size, background, fade);
            }
            (Drawing::Sparkline(drawing), Memory::Sparkline(state), Look::Sparkline(line)) => {
                state.draw(drawing, line, widget.size, background, fade);
            }
            (Drawing::Shape(drawing), Memory::Shape(state), Look::Shape(figure)) => {
                *drawing = state.drawing(figure, background, fade);
            }
            _ => {}
        }
    }

    fn difference(&self, widget: &Widget, fonts: &mut Fonts) -> Rect {
        let rect = Rect { at: self.painted.at, size: widget.size };
        match (&self.drawing, &self.before, &widget.look) {
            (Drawing::Text(new), Drawing::Text(old), _) => new.difference(old, rect.at, fonts),
            (Drawing::Progress(new), Drawing::Progress(old), Look::Progress(bar)) => {
                new.difference(old, bar, rect)
            }
            (Drawing::Sparkline(new), Drawing::Sparkline(old), Look::Sparkline(line)) => {
                new.difference(old, line, rect)
            }
            (Drawing::Shape(new), Drawing::Shape(old), _) => new.difference(old, rect),
            _ => Rect::default(),
        }
    }
}

/// The pixels that a widget at `at` covers. Only text may reach beyond the widget's rectangle, with
/// accents and descenders.
fn ink(drawing: &Drawing, widget: &Widget, at: Point, fonts: &mut Fonts) -> Rect {
    match drawing {
        Drawing::Text(drawing) => drawing.ink(at, fonts),
        _ => Rect { at, size: widget.size },
    }
}

impl Place {
    fn of(widget: &Widget, pose: Pose, results: &Results) -> Place {
        let corner = widget.anchor.corner(widget.at, widget.size);
        let at = Point { x: moved(corner.x, pose.x), y: moved(corner.y, pose.y) };
        if widget.visible.is_some_and(|condition| !results.holds(condition)) {
            return Place { at, opacity: 0 };
        }
        let opacity = (widget.opacity * pose.opacity).clamp(0.0, 1.0);
        Place { at, opacity: (opacity * 255.0 + 0.5) as u8 }
    }
}

/// A coordinate moved by `offset`, rounded to the nearest pixel, halves up.
fn moved(from: i32, offset: f64) -> i32 {
    // The cast saturates, and takes what is no number as 0.
    from.saturating_add(libm::floor(offset + 0.5) as i32)
}

impl Anchor {
    /// The upper left corner of a widget whose anchor lies at `at`. Halves of pixels go to the upper left.
    pub(crate) fn corner(self, at: Point, size: crate::paint::Size) -> Point {
        let (across, down) = match self {
            Anchor::TopLeft => (0, 0),
            Anchor::Top => (1, 0),
            Anchor::TopRight => (2, 0),
            Anchor::Left => (0, 1),
            Anchor::Center => (1, 1),
            Anchor::Right => (2, 1),
            Anchor::BottomLeft => (0, 2),
            Anchor::Bottom => (1, 2),
            Anchor::BottomRight => (2, 2),
        };
        let half = |side: u32, halves: u64| u32::try_from(u64::from(side) * halves / 2).unwrap_or(u32::MAX);
        Point {
            x: at.x.saturating_sub_unsigned(half(size.width, across)),
            y: at.y.saturating_sub_unsigned(half(size.height, down)),
        }
    }
}
