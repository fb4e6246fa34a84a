//! Coordination's actor: steps triggers and animations, and tells the world what was decided.

use std::sync::Arc;

use actix::{Actor, Context, Handler, Message, Recipient};
use engine::coordination::{Coordinator, Step};
use engine::event::Event;
use engine::formula::Results;
use engine::sample::KeyId;
use engine::tick::Tick;
use tokio::sync::broadcast;

use crate::expression::Evaluated;
use crate::persistence::{Ledger, Mailbox};
use crate::telemetry::Telemetry;
use crate::world::World;

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

/// The actor of coordination.
pub struct CoordinationActor {
    /// Time, for measuring.
    pub world: World,
    /// Triggers and animations.
    pub coordinator: Coordinator,
    /// The newest results.
    pub results: Results,
    /// The sources' names.
    pub sources: Arc<[String]>,
    /// All who want to know of events.
    pub events: broadcast::Sender<Event>,
    /// One who wants to know of every event without fail.
    pub sink: Option<EventSink>,
    /// The writer's mailbox.
    pub writer: Option<Mailbox>,
    /// Keys whose names the writer has not been told, since it had no room.
    pub unnamed: Arc<[(KeyId, Arc<str>)]>,
    /// The next actor of the chain.
    pub next: Recipient<Coordinated>,
    /// Counters.
    pub telemetry: Telemetry,
}

impl CoordinationActor {
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

    fn time(&self, evaluated: &Evaluated) {
        let inputs = &evaluated.inputs;
        if !inputs.sealed.samples.is_empty() {
            let took = self.world.now().saturating_sub(inputs.timing.sealed);
            self.telemetry.events.from_ring.record(took);
        }
    }

    fn announce(&mut self, events: &[Event]) {
        for event in events {
            self.telemetry.events.count(event.kind);
            if let Some(sink) = &mut self.sink {
                sink(event);
            }
            // Nobody listening is no error.
            let _ = self.events.send(event.clone());
        }
    }

    fn write(&mut self, evaluated: &Evaluated, events: Arc<[Event]>) {
        let Some(writer) = &self.writer else { return };
        let sealed = &evaluated.inputs.sealed;
        if sealed.samples.is_empty()
            && evaluated.changed.is_empty()
            && events.is_empty()
            && sealed.new_keys.is_empty()
        {
            return;
        }
        let new_keys = if self.unnamed.is_empty() {
            sealed.new_keys.clone()
        } else {
            self.unnamed.iter().chain(sealed.new_keys.iter()).cloned().collect()
        };
        self.unnamed = Arc::new([]);
        let ledger = Ledger {
            tick: sealed.tick,
            now_ms: sealed.now_ms,
            new_keys,
            samples: sealed.samples.clone(),
            changed: evaluated.changed.clone(),
            events,
        };
        // The display never waits for the database: what finds no room is dropped and counted.
        if let Err(lost) = writer.keep(ledger) {
            self.telemetry.persistence.dropped.increment(lost.rows() as u64);
            // Without its name a key's samples could not be kept ever after.
            self.unnamed = lost.new_keys;
        }
        self.telemetry.persistence.mailbox.set(writer.waiting() as f64);
    }
}

impl Actor for CoordinationActor {
    type Context = Context<Self>;
}

impl Handler<Evaluated> for CoordinationActor {
    type Result = ();

    fn handle(&mut self, evaluated: Evaluated, _: &mut Self::Context) {
        let began = self.world.now();
        let events = self.step(&evaluated);
        self.time(&evaluated);
        self.announce(&events);
        let starts = (!events.is_empty()).then(|| self.coordinator.starts().into());
        self.write(&evaluated, events);
        self.telemetry.events.duration.record(self.world.now().saturating_sub(began));
        self.next.do_send(Coordinated { evaluated, starts });
    }
}
