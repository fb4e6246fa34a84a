//! Coordination's actor: steps triggers and animations, and tells the world what was decided.

use std::collections::BTreeMap;
use std::sync::Arc;

use actix::{Actor, Context, Handler, Message, Recipient};
use engine::coordination::{Coordinator, Step};
use engine::event::Event;
use engine::formula::Results;
use engine::sample::KeyId;
use engine::script::Script;
use engine::signal::Signal;
use engine::tick::Tick;
use tokio::sync::broadcast;

use crate::expression::Evaluated;
use crate::expression::script::Failure;
use crate::expression::script::handlers::{self, Handled, Handlers, Kept, States};
use crate::journal::{Fenced, Journal, Part, Sink};
use crate::panel::Panel;
use crate::persistence::{Ledger, Mailbox};
use crate::ring::{self, Records};
use crate::supervisor::fence::Pass;
use crate::supervisor::worker::Vitals;
use crate::telemetry::Telemetry;
use crate::world::World;

/// The least time between two log lines about scripts that fail, in ticks.
const LOGGED_EVERY: u64 = 600;

/// A tick after coordination.
#[derive(Clone, Debug, Message)]
#[rtype(result = "()")]
pub struct Coordinated {
    /// The tick's inputs and the results that changed.
    pub evaluated: Evaluated,
    /// When each animation was started last, where anything about that is new.
    pub starts: Option<Arc<[Option<Tick>]>>,
}

/// Called with every event, in order.
pub type EventSink = Box<dyn FnMut(&Event) + Send>;

/// What the actor has to be told to go on as if nothing had happened.
#[derive(Clone, Debug)]
pub struct Memory {
    coordinator: Coordinator,
    results: Results,
    handlers: Option<handlers::Memory>,
}

/// Where decisions go, each once: it outlives the actor.
pub struct Decisions {
    /// All who want to know of events.
    events: broadcast::Sender<Event>,
    /// The writer's mailbox.
    writer: Option<Mailbox>,
    /// Keys whose names the writer has not been told, since it had no room.
    unnamed: Arc<[(KeyId, Arc<str>)]>,
    /// What scripts keep that the writer has not been told, since it had no room.
    untold: States,
    /// The next event to announce: its tick and its place in that.
    announced: (Tick, usize),
    /// The next tick whose ledger is to be kept.
    kept: Tick,
    /// What scripts do, which the next tick takes up like a signal from outside.
    acts: flume::Sender<Signal>,
    /// The next tick in which they may do something.
    acted: Tick,
}

impl Decisions {
    /// Nothing decided yet.
    pub fn new(
        events: broadcast::Sender<Event>,
        writer: Option<Mailbox>,
        acts: flume::Sender<Signal>,
    ) -> Decisions {
        let (unnamed, announced, kept, acted) = (Arc::new([]), (Tick(0), 0), Tick(0), Tick(0));
        Decisions { events, writer, unnamed, untold: States::new(), announced, kept, acts, acted }
    }

    /// Passes on what scripts did at a tick, unless that was done; returns how much of it found no room.
    fn act(&mut self, tick: Tick, acts: Vec<Signal>) -> usize {
        if tick < self.acted {
            return 0;
        }
        self.acted = tick.next();
        // Where a recording has what was done, nobody listens.
        let refused = |act| matches!(self.acts.try_send(act), Err(flume::TrySendError::Full(_)));
        acts.into_iter().map(refused).filter(|refused| *refused).count()
    }

    /// Announces event number `index` of its tick; returns whether that was not done before.
    fn announce(&mut self, index: usize, event: &Event) -> bool {
        let place = (event.tick, index);
        if place < self.announced {
            return false;
        }
        self.announced = (event.tick, index + 1);
        // Nobody listening is no error.
        let _ = self.events.send(event.clone());
        true
    }

    /// Hands the writer a tick, unless that was done; returns how many rows were lost, and how many
    /// ledgers wait.
    fn keep(&mut self, mut ledger: Ledger) -> (usize, usize) {
        let Some(writer) = &self.writer else { return (0, 0) };
        if ledger.tick < self.kept {
            return (0, writer.waiting());
        }
        self.kept = ledger.tick.next();
        if !self.unnamed.is_empty() {
            ledger.new_keys = self.unnamed.iter().chain(ledger.new_keys.iter()).cloned().collect();
        }
        self.unnamed = Arc::new([]);
        if !self.untold.is_empty() {
            self.untold.extend(ledger.kept.iter().cloned());
            ledger.kept = std::mem::take(&mut self.untold).into_iter().collect();
        }
        // The display never waits for the database: what finds no room is dropped and counted.
        let lost = writer.keep(ledger).err().map_or(0, |lost| {
            // Without its name a key's samples could not be kept ever after.
            self.unnamed = lost.new_keys.clone();
            self.untold = lost.kept.iter().cloned().collect();
            lost.rows()
        });
        (lost, writer.waiting())
    }
}

/// The actor of coordination.
pub struct CoordinationActor {
    /// Time, for measuring.
    pub world: World,
    /// Triggers and animations.
    pub coordinator: Coordinator,
    /// The newest results.
    pub results: Results,
    /// Scripts' handlers, if there are any scripts.
    pub handlers: Option<Handlers>,
    /// What runs.
    pub panel: Arc<Panel>,
    /// Whether the clock may end calls of handlers.
    pub is_timed: bool,
    /// Where it is recorded what the clock ended.
    pub records: Fenced<Records>,
    /// How many keys there are, and which named value each formula is.
    pub named: (usize, Arc<[Option<usize>]>),
    /// By script: when its errors were logged last.
    pub logged: BTreeMap<Arc<str>, Tick>,
    /// The sources' names.
    pub sources: Arc<[String]>,
    /// Where decisions go.
    pub decisions: Fenced<Decisions>,
    /// One who wants to know of every event.
    pub sink: Sink<EventSink>,
    /// The core's journal.
    pub journal: Journal,
    /// Which generation this is.
    pub pass: Pass,
    /// Its signs of life.
    pub vitals: Vitals,
    /// The next actor of the chain.
    pub next: Recipient<Coordinated>,
    /// Counters.
    pub telemetry: Telemetry,
    /// What scripts keep, where nothing of it is new.
    pub nothing: Arc<[Kept]>,
}

impl CoordinationActor {
    /// Goes back to what an actor of the same panel knew.
    pub fn restore(&mut self, memory: &Memory) {
        let Memory { coordinator, results, handlers } = memory.clone();
        (self.coordinator, self.results) = (coordinator, results);
        if let (Some(own), Some(memory)) = (&mut self.handlers, &handlers) {
            own.restore(memory);
        }
    }

    fn memory(&self) -> Memory {
        let handlers = self.handlers.as_ref().map(Handlers::memory);
        Memory { coordinator: self.coordinator.clone(), results: self.results.clone(), handlers }
    }

    fn step(&mut self, evaluated: &Evaluated) -> Arc<[Event]> {
        for (id, value) in evaluated.changed.iter() {
            self.results.set(*id, value.clone());
        }
        let sealed = &evaluated.inputs.sealed;
        let names = &self.sources;
        let states =
            sealed.states.iter().filter_map(|(id, state)| Some((names.get(usize::from(id.0))?, *state)));
        let states: Vec<_> = states.map(|(name, state)| (name.as_str(), state)).collect();
        let step = Step {
            tick: sealed.tick,
            results: &self.results,
            states: &states,
            signals: &sealed.signals,
            restarts: &sealed.restarts,
            rebased_ms: sealed.rebased_ms,
        };
        self.coordinator.step(&step).into()
    }

    /// Lets scripts know of a tick, and passes on what they do. Returns what they keep that is new.
    fn run_handlers(&mut self, evaluated: &Evaluated, events: &[Event]) -> Arc<[Kept]> {
        let (sealed, again) = (&evaluated.inputs.sealed, evaluated.inputs.again);
        let Some(handlers) = &mut self.handlers else { return self.nothing.clone() };
        if !sealed.scripts.is_empty() {
            reload(handlers, &sealed.scripts, &self.panel);
        }
        let (keys, named) = &self.named;
        for sample in sealed.samples.iter().filter(|sample| (sample.key.0 as usize) < *keys) {
            handlers.show(sample.key.0 as usize, Some(sample.value.clone()));
        }
        for (id, value) in evaluated.changed.iter() {
            if let Some(index) = named.get(id.0 as usize).copied().flatten() {
                handlers.show(keys + index, value.clone());
            }
        }
        handlers.time(self.is_timed && !again, &sealed.ended);
        let Handled { acts, failures, kept, ended } =
            handlers.run(sealed.tick, events, &mut || self.vitals.beat());
        ring::tell_ended(&self.journal, &self.records, &self.pass, sealed, &ended);
        let full =
            self.decisions.enter(&self.pass, |decisions| decisions.act(sealed.tick, acts)).unwrap_or(0);
        if !again {
            self.tell_of_handlers(sealed.tick, &failures, full);
        }
        if kept.is_empty() { self.nothing.clone() } else { kept.into() }
    }

    fn tell_of_handlers(&mut self, tick: Tick, failures: &[Failure], full: usize) {
        self.telemetry.formulas.errors.increment(failures.len() as u64);
        for failure in failures {
            let logged = self.logged.get(&failure.file);
            let is_quiet = logged.is_some_and(|logged| tick.since(*logged) < LOGGED_EVERY);
            // How often limits are broken is limited itself.
            if !is_quiet || failure.trouble.is_offence() {
                self.logged.insert(failure.file.clone(), tick);
                tracing::warn!(%failure, help = failure.help, "a script's handler failed and did nothing");
            }
        }
        if full > 0 {
            tracing::warn!(full, "scripts do more than a tick takes; the rest is lost");
        }
    }

    fn time(&self, evaluated: &Evaluated) {
        let inputs = &evaluated.inputs;
        if !inputs.sealed.samples.is_empty() && !inputs.again {
            let took = self.world.now().saturating_sub(inputs.timing.sealed);
            self.telemetry.events.from_ring.record(took);
        }
    }

    /// Tells of events that nobody was told of yet.
    fn announce(&self, events: &[Event]) {
        for (index, event) in events.iter().enumerate() {
            let announced = self.decisions.enter(&self.pass, |decisions| decisions.announce(index, event));
            if announced == Some(true) {
                self.telemetry.events.count(event.kind);
                self.sink.call(|sink| sink(event));
            }
        }
    }

    fn write(&self, evaluated: &Evaluated, events: Arc<[Event]>, kept: Arc<[Kept]>) {
        let sealed = &evaluated.inputs.sealed;
        let ledger = Ledger {
            tick: sealed.tick,
            now_ms: sealed.now_ms,
            new_keys: sealed.new_keys.clone(),
            samples: sealed.samples.clone(),
            changed: evaluated.changed.clone(),
            events,
            kept,
        };
        if !ledger.is_empty() {
            let kept = self.decisions.enter(&self.pass, |decisions| decisions.keep(ledger));
            let (lost, waiting) = kept.unwrap_or_default();
            self.telemetry.persistence.dropped.increment(lost as u64);
            self.telemetry.persistence.mailbox.set(waiting as f64);
        }
    }
}

/// Goes over to new texts of scripts, if formulas do so too.
fn reload(handlers: &mut Handlers, scripts: &[Script], panel: &Panel) {
    let Ok(library) = handlers.library().renewed(scripts, &panel.used_functions()) else { return };
    if let Err(failure) = handlers.reload(&library) {
        tracing::error!(%failure, "handlers stay as they were");
    }
}

impl Actor for CoordinationActor {
    type Context = Context<Self>;
}

impl Handler<Evaluated> for CoordinationActor {
    type Result = ();

    fn handle(&mut self, evaluated: Evaluated, context: &mut Self::Context) {
        let began = self.world.now();
        let vitals = self.vitals.clone();
        let Some(work) = vitals.take_up("coordination.step", context) else { return };
        let events = self.step(&evaluated);
        self.time(&evaluated);
        self.announce(&events);
        let kept = self.run_handlers(&evaluated, &events);
        let starts = (!events.is_empty()).then(|| self.coordinator.starts().into());
        let Some(work) = vitals.go_on(work, "coordination.step.middle", context) else { return };
        self.write(&evaluated, events, kept);
        self.telemetry.events.duration.record(self.world.now().saturating_sub(began));
        let (tick, checkpoint) = (evaluated.inputs.sealed.tick, evaluated.inputs.checkpoint);
        self.next.do_send(Coordinated { evaluated, starts });
        let Some(_work) = vitals.go_on(work, "coordination.step.after", context) else { return };
        if checkpoint {
            self.journal.give(&self.pass, tick, Part::Coordination(Box::new(self.memory())));
        }
    }
}
