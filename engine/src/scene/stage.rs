//! The stage: a scene on show.

use alloc::vec::Vec;

use crate::animation::Pose;
use crate::formula::Results;
use crate::paint::{Canvas, Color, Fonts, Frame, Mask, Rect, damage};
use crate::sample::SourceState;
use crate::scene::Scene;
use crate::scene::entry::{self, Entry, Tools};
use crate::tick::{Fps, Tick};
use crate::widget::tone::Fade;
use crate::widget::{Widget, WidgetId};

/// All that a tick brings to the stage.
#[derive(Clone, Copy, Debug)]
pub struct Step<'a> {
    /// The tick's number.
    pub tick: Tick,
    /// The engine's time at this tick: unix milliseconds.
    pub now_ms: i64,
    /// The newest results of all formulas.
    pub results: &'a Results,
    /// What animations add to each widget, by [`WidgetId`]; widgets without one are at rest.
    pub poses: &'a [Pose],
    /// How each source is doing, by [`crate::sample::SourceId`]; sources without one are connecting.
    pub states: &'a [SourceState],
}

/// Calls what it is given once and says whether that came to its end. Where it returns false, because it
/// has caught a panic, the widget at fault is shown as a box with a cross, and the others go on.
pub type Guard = fn(&mut dyn FnMut()) -> bool;

/// All that a stage remembers from tick to tick: what its picture comes from, besides its scene and the
/// next step. Made by [`Stage::memory`].
#[derive(Clone, Debug)]
pub struct Memory {
    entries: Vec<entry::Remembered>,
}

/// A scene on show.
///
/// Its picture depends on the scene and on what was stepped, and on nothing else: painting at every tick
/// or only at some gives the same pixels at the ticks that are painted.
///
/// ```
/// use engine::formula::Results;
/// use engine::paint::{Color, Size};
/// use engine::scene::{Scene, Stage, Step};
/// use engine::tick::{Fps, Tick};
///
/// let scene = Scene { size: Size::new(160, 128), background: Color::hex(0x0b0e14), widgets: vec![] };
/// let mut stage = Stage::new(scene, Fps::default());
/// let step = Step { tick: Tick(0), now_ms: 0, results: &Results::new(0), poses: &[], states: &[] };
/// stage.step(&step);
/// assert_eq!(stage.paint().len(), 1, "everything is new");
/// assert!(stage.paint().is_empty(), "nothing changed");
/// ```
#[derive(Clone, Debug)]
pub struct Stage {
    scene: Scene,
    entries: Vec<Entry>,
    /// The widgets' indices from the lowest to the highest.
    order: Vec<usize>,
    frame: Frame,
    damage: Vec<Rect>,
    /// The ground below a translucent widget; kept for its memory.
    ground: Vec<u8>,
    tools: Tools,
    painted: bool,
    guard: Guard,
}

impl Stage {
    /// Puts `scene` on show. Until the first [`Stage::paint`] the frame shows its background alone.
    pub fn new(scene: Scene, fps: Fps) -> Stage {
        let frame = Frame::new(scene.size, scene.background);
        let mut order: Vec<usize> = (0..scene.widgets.len()).collect();
        let rank = |at: &usize| scene.widgets.get(*at).map(|widget| (widget.z, widget.name.as_str()));
        order.sort_by(|a, b| rank(a).cmp(&rank(b)));
        let tools = Tools {
            background: scene.background.over(Color::rgb(0, 0, 0)),
            fade_ticks: fps.ticks_in(Fade::MILLIS),
            fonts: Fonts::bundled(),
            mask: Mask::default(),
        };
        let entries = scene.widgets.iter().map(Entry::new).collect();
        let (damage, ground) = (Vec::new(), Vec::new());
        let guard = |run: &mut dyn FnMut()| {
            run();
            true
        };
        Stage { scene, entries, order, frame, damage, ground, tools, painted: false, guard }
    }

    /// The same stage, which has `guard` call all that steps or paints a single widget. The engine itself
    /// cannot catch a panic.
    ///
    /// A widget that fails in a step takes no further ones: it stands where it is configured, as a box with
    /// a cross. One that fails while it is painted is tried again when it changes.
    pub fn guarded(self, guard: Guard) -> Stage {
        Stage { guard, ..self }
    }

    /// What it remembers, as of the last step.
    pub fn memory(&self) -> Memory {
        Memory { entries: self.entries.iter().map(Entry::remembered).collect() }
    }

    /// Goes back to what a stage of the same scene remembered. The next [`Stage::paint`] paints the whole
    /// frame, with the same pixels as the other one had.
    pub fn restore(&mut self, memory: &Memory) {
        for (entry, remembered) in self.entries.iter_mut().zip(&memory.entries) {
            entry.restore(remembered);
        }
        self.invalidate();
    }

    /// The widgets that failed and are shown as a box with a cross, as of the last step or
    /// [`Stage::paint`].
    pub fn broken(&self) -> impl Iterator<Item = WidgetId> + '_ {
        (0..).map(WidgetId).zip(&self.entries).filter(|(_, entry)| entry.is_broken()).map(|(id, _)| id)
    }

    /// The scene on show.
    pub fn scene(&self) -> &Scene {
        &self.scene
    }

    /// Gives a sparkline its past, to be called before the first step: unix milliseconds and value, the
    /// oldest first. A value holds until the next one; one that is not finite marks a gap from then on. The
    /// last one holds for at most five seconds until the first step: where more is known, give it once more
    /// at the time until which it held. Other widgets have no past.
    pub fn fill_series(&mut self, widget: WidgetId, points: &[(i64, f64)]) {
        let entry = usize::try_from(widget.0).ok().and_then(|at| self.entries.get_mut(at));
        if let Some(Entry { memory: entry::Memory::Sparkline(state), .. }) = entry {
            state.fill(points);
        }
    }

    /// Takes one tick. To be called for every tick, in order, painted or not.
    pub fn step(&mut self, step: &Step<'_>) {
        let mut poses = step.poses.iter();
        for (entry, widget) in self.entries.iter_mut().zip(&self.scene.widgets) {
            let pose = poses.next().copied().unwrap_or(Pose::REST);
            entry.step(widget, pose, step, self.tools.fade_ticks, self.guard);
        }
    }

    /// Brings the frame up to the last step and returns the rectangles that were painted anew since the
    /// last call: none where nothing changed, the whole frame at first.
    pub fn paint(&mut self) -> &[Rect] {
        self.damage.clear();
        let bounds = self.frame.bounds();
        for (entry, widget) in self.entries.iter_mut().zip(&self.scene.widgets) {
            let (damage, cost) = (&mut self.damage, damage::RECT_COST);
            let damaged = |rect: Rect| damage::add(damage, rect.intersection(&bounds), cost);
            if !entry.update(widget, &mut self.tools, self.guard, damaged) {
                self.painted = false;
            }
        }
        loop {
            if !core::mem::replace(&mut self.painted, true) {
                self.damage.clear();
                damage::add(&mut self.damage, bounds, damage::RECT_COST);
            }
            // Each failure is another widget's, so this comes to an end.
            self.painted = (0..self.damage.len()).all(|at| self.repaint(at));
            if self.painted {
                return &self.damage;
            }
        }
    }

    /// Has the next [`Stage::paint`] paint the whole frame anew.
    pub fn invalidate(&mut self) {
        self.painted = false;
    }

    /// The picture as of the last [`Stage::paint`].
    pub fn frame(&self) -> &Frame {
        &self.frame
    }

    /// The characters that were to be painted but are in no font, each once.
    pub fn missing_characters(&self) -> impl Iterator<Item = char> + '_ {
        self.tools.fonts.missing()
    }

    /// The fonts that it paints with, and their cache.
    pub fn fonts(&self) -> &Fonts {
        &self.tools.fonts
    }

    /// Paints all widgets anew inside a damaged rectangle; returns whether none of them failed.
    fn repaint(&mut self, damaged: usize) -> bool {
        let Some(rect) = self.damage.get(damaged) else { return true };
        let mut canvas = Canvas::new(&mut self.frame);
        let mut canvas = canvas.clipped(*rect);
        canvas.fill(*rect, self.tools.background);
        for at in &self.order {
            let (Some(entry), Some(widget)) = (self.entries.get_mut(*at), self.scene.widgets.get(*at)) else {
                continue;
            };
            let (tools, ground) = (&mut self.tools, &mut self.ground);
            if entry.is_broken() {
                entry.paint_broken(widget, &mut canvas, tools.background);
            } else if !(self.guard)(&mut || paint(entry, widget, &mut canvas, tools, ground)) {
                // A canvas holds no more than its clip, and every widget has one of its own: what the failed
                // one leaves behind are pixels, which are painted over.
                entry.break_painting();
                return false;
            }
        }
        true
    }
}

/// Paints one widget with its opacity, inside the canvas's clip rectangle.
fn paint(entry: &Entry, widget: &Widget, canvas: &mut Canvas<'_>, tools: &mut Tools, ground: &mut Vec<u8>) {
    let bounds = entry.bounds(widget, &mut tools.fonts);
    let mut canvas = canvas.clipped(bounds);
    if canvas.clip().is_empty() {
        return;
    }
    match entry.opacity() {
        255 => entry.paint(widget, &mut canvas, tools),
        opacity => {
            canvas.keep(ground);
            entry.paint(widget, &mut canvas, tools);
            canvas.fade(ground, opacity);
        }
    }
}
