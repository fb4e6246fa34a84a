//! The renderer's actor: steps the page at every tick, paints where the clock wants it, and puts the
//! newest picture where every output finds it.

use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, Context, Handler};
use engine::animation::{self, Animation, Pose};
use engine::formula::Results;
use engine::paint::Frame;
use engine::sample::SourceState;
use engine::scene::{Stage, Step};
use engine::tick::Tick;
use tokio::sync::watch;

use crate::coordination::Coordinated;
use crate::handle::Picture;
use crate::ring::Timing;
use crate::telemetry;
use crate::world::World;

/// Says that a tick has gone through the whole core.
#[derive(Clone, Copy, Debug)]
pub struct Done {
    /// Which tick.
    pub tick: Tick,
}

/// Called with every painted frame, in order, also where nothing changed.
pub type FrameSink = Box<dyn FnMut(Tick, &Frame) + Send>;

/// The actor of the renderer.
pub struct RendererActor {
    /// Time, for measuring.
    pub world: World,
    /// The page.
    pub stage: Stage,
    /// The animations.
    pub animations: Vec<Animation>,
    /// When each animation was started last.
    pub starts: Vec<Option<Tick>>,
    /// What the animations do to each widget.
    pub poses: Vec<Pose>,
    /// The newest results.
    pub results: Results,
    /// The newest states of the sources.
    pub states: Vec<SourceState>,
    /// Where outputs find the newest picture.
    pub pictures: watch::Sender<Arc<Picture>>,
    /// Pictures that were shown and may be painted over when nobody looks at them any more.
    pub spare: Vec<Arc<Picture>>,
    /// One who wants every frame.
    pub sink: Option<FrameSink>,
    /// How many characters were reported that no font has.
    pub missing_told: usize,
    /// When the oldest reading had arrived that no picture has shown yet.
    pub arrived: Option<Duration>,
    /// Tells the clock.
    pub done: flume::Sender<Done>,
    /// Counters.
    pub telemetry: telemetry::Painting,
}

/// The cache of glyphs is looked at once in so many ticks.
const COUNTED_EVERY: u64 = 60;

/// As many pictures as may be in use by slow outputs before new ones are allocated.
const SPARE_MAX: usize = 4;

impl RendererActor {
    fn take(&mut self, coordinated: &Coordinated) {
        for (id, value) in coordinated.evaluated.changed.iter() {
            self.results.set(*id, value.clone());
        }
        for (source, state) in coordinated.evaluated.inputs.sealed.states.iter() {
            if let Some(known) = self.states.get_mut(usize::from(source.0)) {
                *known = *state;
            }
        }
        if let Some(starts) = &coordinated.starts {
            self.starts.clone_from_slice(starts);
        }
        self.arrived = earlier(self.arrived, coordinated.evaluated.inputs.timing.arrived);
    }

    fn paint(&mut self, tick: Tick, timing: Timing) {
        let began = self.world.now();
        let damage: u64 = self.stage.paint().iter().map(|rect| rect.area()).sum();
        self.tell_missing();
        if let Some(sink) = &mut self.sink {
            sink(tick, self.stage.frame());
        }
        // Readings that changed nothing are shown as well as can be.
        let arrived = self.arrived.take();
        if damage > 0 {
            self.publish(tick, arrived);
            let now = self.world.now();
            self.telemetry.from_tick.record(now.saturating_sub(timing.began));
            arrived.iter().for_each(|at| self.telemetry.from_sample.record(now.saturating_sub(*at)));
        }
        if tick.0.is_multiple_of(COUNTED_EVERY) {
            self.telemetry.glyphs.set(self.stage.fonts().lookups());
            self.telemetry.glyph_bytes.set(self.stage.fonts().cached_bytes() as f64);
        }
        self.telemetry.damage_pixels.increment(damage);
        self.telemetry.duration.record(self.world.now().saturating_sub(began));
    }

    /// Says once of each character that no font has it: on the panel it is a box.
    fn tell_missing(&mut self) {
        let missing = self.stage.missing_characters().count();
        if missing > self.missing_told {
            let characters: String = self.stage.missing_characters().collect();
            tracing::warn!(characters, "no bundled font has these characters; they are shown as boxes");
            self.missing_told = missing;
        }
    }

    fn publish(&mut self, tick: Tick, arrived: Option<Duration>) {
        let painted = self.world.now();
        let free = self.spare.iter().position(|picture| Arc::strong_count(picture) == 1);
        let mut spare = free.map(|index| self.spare.swap_remove(index));
        let picture = match spare.as_mut().and_then(Arc::get_mut) {
            Some(picture) => {
                (picture.tick, picture.painted, picture.arrived) = (tick, painted, arrived);
                picture.frame.clone_from(self.stage.frame());
                spare.take()
            }
            None => None,
        };
        let new = || Arc::new(Picture { tick, frame: self.stage.frame().clone(), painted, arrived });
        let picture = picture.unwrap_or_else(new);
        let shown = self.pictures.send_replace(picture);
        if self.spare.len() < SPARE_MAX {
            self.spare.push(shown);
        }
    }
}

fn earlier(a: Option<Duration>, b: Option<Duration>) -> Option<Duration> {
    a.into_iter().chain(b).min()
}

impl Actor for RendererActor {
    type Context = Context<Self>;
}

impl Handler<Coordinated> for RendererActor {
    type Result = ();

    fn handle(&mut self, coordinated: Coordinated, _: &mut Self::Context) {
        let began = self.world.now();
        self.take(&coordinated);
        let inputs = &coordinated.evaluated.inputs;
        let (tick, now_ms) = (inputs.sealed.tick, inputs.sealed.now_ms);
        animation::poses(&self.animations, &self.starts, tick, &mut self.poses);
        let (results, poses, states) = (&self.results, &self.poses, &self.states);
        self.stage.step(&Step { tick, now_ms, results, poses, states });
        self.telemetry.step.record(self.world.now().saturating_sub(began));
        if inputs.paint {
            self.paint(tick, inputs.timing);
        }
        // The clock is gone only when the run is over.
        let _ = self.done.send(Done { tick });
    }
}
