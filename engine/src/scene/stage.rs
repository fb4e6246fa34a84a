//! The stage: a scene on show.

use alloc::vec::Vec;

use crate::animation::Pose;
use crate::formula::Results;
use crate::paint::{Frame, Rect};
use crate::sample::SourceState;
use crate::scene::Scene;
use crate::tick::{Fps, Tick};
use crate::widget::WidgetId;

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

/// A scene on show.
#[derive(Clone, Debug)]
pub struct Stage {
    scene: Scene,
    frame: Frame,
    damage: Vec<Rect>,
}

impl Stage {
    /// Puts `scene` on show, nothing painted yet but its background.
    pub fn new(scene: Scene, _fps: Fps) -> Stage {
        let frame = Frame::new(scene.size, scene.background);
        let damage = alloc::vec![frame.bounds()];
        Stage { scene, frame, damage }
    }

    /// The scene on show.
    pub fn scene(&self) -> &Scene {
        &self.scene
    }

    /// Gives a sparkline its past, before the first step.
    pub fn fill_series(&mut self, _widget: WidgetId, _points: &[(i64, f64)]) {}

    /// Takes one tick. To be called for every tick, in order, painted or not.
    pub fn step(&mut self, _step: &Step<'_>) {}

    /// Brings the frame up to the last step and returns the rectangles that were painted anew since the
    /// last call: none where nothing changed.
    pub fn paint(&mut self) -> &[Rect] {
        &self.damage
    }

    /// The picture as of the last [`Stage::paint`].
    pub fn frame(&self) -> &Frame {
        &self.frame
    }
}
