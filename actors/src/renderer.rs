//! The renderer's actor: steps the page at every tick, paints where the clock wants it, and puts the
//! newest picture where every output finds it.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, Context, Handler};
use engine::animation::{self, Animation, Pose};
use engine::formula::Results;
use engine::paint::Frame;
use engine::sample::SourceState;
use engine::scene::{self, Stage, Step};
use engine::tick::Tick;
use engine::widget::WidgetId;
use tokio::sync::watch;

use crate::coordination::Coordinated;
use crate::handle::Picture;
use crate::journal::{Fenced, Journal, Part, Sink};
use crate::ring::{Inputs, Timing};
use crate::supervisor::fence::Pass;
use crate::supervisor::panics;
use crate::supervisor::worker::Vitals;
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

/// What the actor has to be told to go on as if nothing had happened.
#[derive(Clone, Debug)]
pub struct Memory {
    stage: scene::Memory,
    starts: Vec<Option<Tick>>,
    results: Results,
    states: Vec<SourceState>,
    broken: BTreeSet<WidgetId>,
}

/// Where pictures go, each once: it outlives the actor.
pub struct Show {
    /// Where outputs find the newest picture.
    pictures: watch::Sender<Arc<Picture>>,
    /// The next tick whose picture is to be published.
    published: Tick,
    /// The next tick whose frame is to be given to the one who wants every frame.
    given: Tick,
}

impl Show {
    /// Nothing shown yet.
    pub fn new(pictures: watch::Sender<Arc<Picture>>) -> Show {
        Show { pictures, published: Tick(0), given: Tick(0) }
    }

    /// Whether everybody has seen this tick's frame.
    fn is_over(&self, tick: Tick) -> bool {
        tick < self.published && tick < self.given
    }
}

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
    /// Where pictures go.
    pub show: Fenced<Show>,
    /// Pictures that were shown and may be painted over when nobody looks at them any more.
    pub spare: Vec<Arc<Picture>>,
    /// One who wants every frame.
    pub sink: Sink<FrameSink>,
    /// How many characters were reported that no font has.
    pub missing_told: usize,
    /// When the oldest reading had arrived that no picture has shown yet.
    pub arrived: Option<Duration>,
    /// Widgets that were reported to have failed.
    pub broken: BTreeSet<WidgetId>,
    /// The core's journal.
    pub journal: Journal,
    /// Which generation this is.
    pub pass: Pass,
    /// Its signs of life.
    pub vitals: Vitals,
    /// Tells the clock.
    pub done: flume::Sender<Done>,
    /// Counters.
    pub telemetry: telemetry::Painting,
}

/// The cache of glyphs is looked at once in so many ticks.
const COUNTED_EVERY: u64 = 60;

/// As many pictures as may be in use by slow outputs before new ones are allocated.
const SPARE_MAX: usize = 4;

thread_local! {
    /// What the last widget that failed on this thread panicked with.
    static PANICKED: Cell<Option<String>> = const { Cell::new(None) };
}

/// Does what concerns a single widget, and says whether it came to its end.
pub fn guard(work: &mut dyn FnMut()) -> bool {
    let done = panics::catch(work);
    done.map_err(|text| PANICKED.set(Some(text))).is_ok()
}

impl RendererActor {
    /// Goes back to what an actor of the same panel knew.
    pub fn restore(&mut self, memory: &Memory) {
        self.stage.restore(&memory.stage);
        let Memory { starts, results, states, broken, .. } = memory.clone();
        (self.starts, self.results, self.states, self.broken) = (starts, results, states, broken);
    }

    fn memory(&self) -> Memory {
        Memory {
            stage: self.stage.memory(),
            starts: self.starts.clone(),
            results: self.results.clone(),
            states: self.states.clone(),
            broken: self.broken.clone(),
        }
    }

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

    fn step(&mut self, coordinated: &Coordinated) {
        let began = self.world.now();
        self.take(coordinated);
        let sealed = &coordinated.evaluated.inputs.sealed;
        let (tick, now_ms) = (sealed.tick, sealed.now_ms);
        animation::poses(&self.animations, &self.starts, tick, &mut self.poses);
        let (results, poses, states) = (&self.results, &self.poses, &self.states);
        self.stage.step(&Step { tick, now_ms, results, poses, states });
        self.telemetry.step.record(self.world.now().saturating_sub(began));
        self.tell_broken();
    }

    /// Whether this tick's frame is to be painted: not again, where an earlier generation has shown it.
    fn is_to_be_shown(&self, inputs: &Inputs) -> bool {
        inputs.paint && self.show.look(|show| !show.is_over(inputs.sealed.tick))
    }

    /// Paints and returns how many pixels are new.
    fn paint(&mut self) -> u64 {
        let began = self.world.now();
        let damage: u64 = self.stage.paint().iter().map(|rect| rect.area()).sum();
        self.tell_missing();
        self.tell_broken();
        self.telemetry.damage_pixels.increment(damage);
        self.telemetry.duration.record(self.world.now().saturating_sub(began));
        damage
    }

    /// Gives the frame to those who have not seen it.
    fn show(&mut self, inputs: &Inputs, damage: u64) {
        let tick = inputs.sealed.tick;
        let is_new =
            self.show.enter(&self.pass, |show| tick >= std::mem::replace(&mut show.given, tick.next()));
        if is_new == Some(true) {
            self.sink.call(|sink| sink(tick, self.stage.frame()));
        }
        // Readings that changed nothing are shown as well as can be.
        let arrived = self.arrived.take();
        if damage > 0 {
            self.publish(tick, arrived);
            self.time(inputs.timing, arrived);
        } else {
            self.show.enter(&self.pass, |show| show.published = tick.next());
        }
        if tick.0.is_multiple_of(COUNTED_EVERY) {
            self.telemetry.glyphs.set(self.stage.fonts().lookups());
            self.telemetry.glyph_bytes.set(self.stage.fonts().cached_bytes() as f64);
        }
    }

    fn time(&self, timing: Timing, arrived: Option<Duration>) {
        let now = self.world.now();
        self.telemetry.from_tick.record(now.saturating_sub(timing.began));
        arrived.iter().for_each(|at| self.telemetry.from_sample.record(now.saturating_sub(*at)));
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

    /// Says once of each widget that it failed.
    fn tell_broken(&mut self) {
        let Some(panic) = PANICKED.take() else { return };
        for widget in self.stage.broken() {
            if self.broken.insert(widget) {
                let name =
                    self.stage.scene().widgets.get(widget.0 as usize).map(|widget| widget.name.as_str());
                tracing::error!(widget = name, panic, "a widget failed and is shown as a box with a cross");
            }
        }
        self.telemetry.disabled.set(self.stage.broken().count() as f64);
    }

    /// Tells the clock that the tick is through, and the journal.
    fn finish(&self, inputs: &Inputs) {
        let tick = inputs.sealed.tick;
        if inputs.checkpoint {
            self.journal.give(&self.pass, tick, Part::Renderer(Box::new(self.memory())));
        }
        if self.journal.finish(&self.pass, tick) == Some(true) {
            // The clock is gone only when the core fails or the run is over.
            let _ = self.done.send(Done { tick });
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
        let shown = self.show.enter(&self.pass, |show| {
            show.published = tick.next();
            show.pictures.send_replace(picture)
        });
        if self.spare.len() < SPARE_MAX {
            self.spare.extend(shown);
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

    fn handle(&mut self, coordinated: Coordinated, context: &mut Self::Context) {
        let (inputs, vitals) = (&coordinated.evaluated.inputs, self.vitals.clone());
        let Some(mut work) = vitals.take_up("renderer.step", context) else { return };
        self.step(&coordinated);
        if self.is_to_be_shown(inputs) {
            let Some(painting) = vitals.go_on(work, "renderer.paint", context) else { return };
            let damage = self.paint();
            let Some(painted) = vitals.go_on(painting, "renderer.paint.middle", context) else { return };
            self.show(inputs, damage);
            let Some(shown) = vitals.go_on(painted, "renderer.paint.after", context) else { return };
            work = shown;
        }
        self.finish(inputs);
        drop(vitals.go_on(work, "renderer.step.after", context));
    }
}
