//! Coordination: triggers on formulas, and the animations that they start and stop. Everything that is
//! decided becomes an [`Event`].

use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::animation::{Animation, AnimationId, Starts};
use crate::event::{Event, EventKind};
use crate::formula::{FormulaId, Results};
use crate::ring::intake::Restarted;
use crate::sample::SourceState;
use crate::signal::{self, Signal};
use crate::tick::Tick;
use crate::value::Value;

/// What fires it, and what is done then.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trigger {
    /// The name in the configuration.
    pub name: String,
    /// What fires it.
    pub when: When,
    /// Ticks after a firing in which it does not fire again.
    pub cooldown: u64,
    /// Done in order when it fires.
    pub actions: Vec<Action>,
}

/// What fires a trigger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum When {
    /// A condition that begins to hold: its value is true or a number other than 0.
    Holds(FormulaId),
    /// A signal of this name. One that comes within the cooldown does nothing.
    Signal(String),
}

impl When {
    /// The condition, if it is one.
    pub fn formula(&self) -> Option<FormulaId> {
        match self {
            When::Holds(formula) => Some(*formula),
            When::Signal(_) => None,
        }
    }
}

/// Something that a trigger does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Action {
    /// Starts an animation at this tick, anew if it runs.
    Start(AnimationId),
    /// Stops an animation: its widget returns to rest.
    Stop(AnimationId),
}

/// The inputs of one tick.
#[derive(Clone, Copy, Debug)]
pub struct Step<'a> {
    /// The tick.
    pub tick: Tick,
    /// The newest results of all formulas.
    pub results: &'a Results,
    /// Sources, by name, whose state is new.
    pub states: &'a [(&'a str, SourceState)],
    /// Signals that came.
    pub signals: &'a [Signal],
    /// Actors that were started anew.
    pub restarts: &'a [Restarted],
    /// Milliseconds by which the clock was set forward, or back below 0.
    pub rebased_ms: i64,
}

/// Triggers and animations, and the state of both.
#[derive(Clone, Debug)]
pub struct Coordinator {
    page: String,
    triggers: Vec<Trigger>,
    animations: Vec<Animation>,
    memory: Vec<Memory>,
    starts: Vec<Option<Tick>>,
    /// Animations that were started and whose end has not been announced.
    running: Vec<bool>,
    events: Vec<Event>,
}

/// What a trigger remembers. It fires on the edge: once, when its condition begins to hold, and again only
/// after the condition has been false. An edge within the cooldown is not lost: where the condition still
/// holds when the cooldown is over, the trigger fires then.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Memory {
    fired: bool,
    last_fired: Option<Tick>,
}

impl Coordinator {
    /// The coordinator of the page called `page`, before tick 0.
    pub fn new(page: &str, triggers: Vec<Trigger>, animations: Vec<Animation>) -> Coordinator {
        Coordinator {
            page: page.to_string(),
            memory: vec![Memory::default(); triggers.len()],
            starts: vec![None; animations.len()],
            running: vec![false; animations.len()],
            events: Vec::new(),
            triggers,
            animations,
        }
    }

    /// Decides what happens at a tick; call it for every tick, in order. Returns the events.
    pub fn step(&mut self, step: &Step<'_>) -> &[Event] {
        self.events.clear();
        if step.rebased_ms != 0 {
            let data = vec![("milliseconds".to_string(), Value::Number(step.rebased_ms as f64))];
            self.tell(step.tick, EventKind::ClockRebased, "clock", data);
        }
        if step.tick == Tick(0) {
            self.begin();
        }
        for Restarted { actor, cause, restarts } in step.restarts {
            let cause = Value::from(&**cause);
            let data =
                vec![("cause".to_string(), cause), ("restarts".to_string(), Value::Number(*restarts as f64))];
            self.tell(step.tick, EventKind::ActorRestarted, actor, data);
        }
        for (name, state) in step.states {
            let data = vec![("state".to_string(), state.name().into())];
            self.tell(step.tick, EventKind::SourceState, name, data);
        }
        for signal in step.signals {
            if let Some(act) = signal.act() {
                self.obey(act, step.tick);
                continue;
            }
            let facts = signal.facts().iter().map(|(name, value)| (name.clone(), value.clone()));
            self.tell(step.tick, EventKind::SignalReceived, signal.name(), facts.collect());
        }
        self.complete(step.tick);
        for index in 0..self.triggers.len() {
            self.pull(index, step);
        }
        &self.events
    }

    /// When each animation was started last.
    pub fn starts(&self) -> &Starts {
        &self.starts
    }

    /// The animations.
    pub fn animations(&self) -> &[Animation] {
        &self.animations
    }

    fn begin(&mut self) {
        let page = self.page.clone();
        self.tell(Tick(0), EventKind::PageShown, &page, Vec::new());
        for index in 0..self.animations.len() {
            if self.animations[index].starts_at_load {
                self.start(index, Tick(0));
            }
        }
    }

    fn complete(&mut self, tick: Tick) {
        for index in 0..self.animations.len() {
            let completed = self.starts[index]
                .is_some_and(|start| self.running[index] && self.animations[index].is_completed(start, tick));
            if completed {
                self.running[index] = false;
                let name = self.animations[index].name.clone();
                self.tell(tick, EventKind::AnimationCompleted, &name, Vec::new());
            }
        }
    }

    fn pull(&mut self, index: usize, step: &Step<'_>) {
        let (trigger, memory) = (&self.triggers[index], self.memory[index]);
        let holds = match &trigger.when {
            When::Holds(formula) => step.results.holds(*formula),
            When::Signal(name) => step.signals.iter().any(|signal| signal.name() == name),
        };
        // A signal is over as soon as it has come.
        let lasts = trigger.when.formula().is_some();
        let cooled = memory.last_fired.is_none_or(|fired| step.tick.since(fired) >= trigger.cooldown);
        match (memory.fired, holds) {
            (false, true) if cooled => {
                self.memory[index] = Memory { fired: lasts, last_fired: Some(step.tick) };
                let name = trigger.name.clone();
                self.tell(step.tick, EventKind::TriggerActivated, &name, Vec::new());
                self.act(index, step.tick);
            }
            (true, false) => {
                self.memory[index].fired = false;
                let name = trigger.name.clone();
                self.tell(step.tick, EventKind::TriggerDeactivated, &name, Vec::new());
            }
            _ => {}
        }
    }

    /// Does what a script's handler wants.
    fn obey(&mut self, act: signal::Act<'_>, tick: Tick) {
        let named = |name: &str| self.animations.iter().position(|animation| animation.name == name);
        match act {
            signal::Act::Start(name) => named(name).into_iter().for_each(|index| self.start(index, tick)),
            signal::Act::Stop(name) => named(name).into_iter().for_each(|index| self.stop(index, tick)),
            // Values come as samples.
            signal::Act::Set(..) => {}
        }
    }

    fn act(&mut self, trigger: usize, tick: Tick) {
        for action in 0..self.triggers[trigger].actions.len() {
            match self.triggers[trigger].actions[action] {
                Action::Start(animation) => self.start(animation.0 as usize, tick),
                Action::Stop(animation) => self.stop(animation.0 as usize, tick),
            }
        }
    }

    fn start(&mut self, index: usize, tick: Tick) {
        let Some(animation) = self.animations.get(index) else { return };
        let name = animation.name.clone();
        self.starts[index] = Some(tick);
        self.running[index] = true;
        self.tell(tick, EventKind::AnimationStarted, &name, Vec::new());
    }

    fn stop(&mut self, index: usize, tick: Tick) {
        let Some(animation) = self.animations.get(index) else { return };
        let name = animation.name.clone();
        self.starts[index] = None;
        if core::mem::take(&mut self.running[index]) {
            self.tell(tick, EventKind::AnimationStopped, &name, Vec::new());
        }
    }

    fn tell(&mut self, tick: Tick, kind: EventKind, id: &str, data: Vec<(String, Value)>) {
        self.events.push(Event { tick, kind, id: id.to_string(), data });
    }
}

#[cfg(test)]
mod tests;
