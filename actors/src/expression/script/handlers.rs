//! Handlers: what scripts do about events and at every tick. They set values, start and stop animations and
//! send signals; all of that is sealed like anything from outside, for the next tick.

use std::rc::Rc;
use std::sync::Arc;

use engine::event::Event;
use engine::formula::{FormulaId, Kind};
use engine::hash;
use engine::signal::Signal;
use engine::tick::{Fps, Tick};
use engine::value::Value;

use super::calls::{exhausted, switched_off};
use super::host::View;
use super::offences::{By, Offences};
use super::state::Plain;
use super::{Failure, Library, Script, Trouble};

/// Handlers' random numbers are others than functions'.
const STREAM: u64 = 1 << 32;

/// The scripts of a panel that have handlers, in machines of their own.
pub struct Handlers {
    view: Rc<View>,
    seed: u64,
    scripts: Vec<Handling>,
    /// The most steps of all calls of a tick.
    tick_budget: u64,
    offences: Offences,
}

struct Handling {
    script: Script,
    on_event: bool,
    on_tick: bool,
    state: Plain,
    /// Its number among all scripts.
    number: usize,
}

/// What is to be known of handlers to go on as if they were the same.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    states: Vec<Plain>,
    offences: Vec<u32>,
    shown: Vec<Option<Value>>,
}

/// What handlers are about in a panel: names that scripts can use.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// The keys, and what they hold.
    pub keys: Vec<(String, Kind)>,
    /// The named values, and what they are where that is known.
    pub values: Vec<(String, FormulaId, Option<Kind>)>,
    /// What keys hold before their first sample.
    pub defaults: Vec<Option<Value>>,
    /// The animations.
    pub animations: Vec<String>,
}

impl Handlers {
    /// The handlers of a library; `None` where it has none.
    ///
    /// # Errors
    /// What is wrong with a script; nothing, if the library was checked.
    pub fn new(library: &Library, names: &Names, fps: Fps, seed: u64) -> Result<Option<Handlers>, Failure> {
        if library.handlers.iter().all(Vec::is_empty) {
            return Ok(None);
        }
        let keys = names.keys.iter().map(|(name, _)| name.as_str());
        let values = names.values.iter().map(|(name, ..)| name.as_str());
        let kinds = names.keys.iter().map(|(_, kind)| Some(*kind));
        let kinds = kinds.chain(names.values.iter().map(|(.., kind)| *kind));
        let view = View::new(keys, values, fps).with_kinds(kinds);
        let view = Rc::new(view.for_handlers(names.animations.clone()));
        for (index, default) in (0..).zip(&names.defaults) {
            view.show(index, default.clone());
        }
        let mut scripts = Vec::new();
        for (number, (file, handlers)) in library.files.iter().zip(library.handlers.iter()).enumerate() {
            if handlers.is_empty() {
                continue;
            }
            scripts.push(Handling {
                script: Script::load(&file.name, file.text.as_bytes(), library.limits, view.clone())?,
                on_event: handlers.contains(&"on_event"),
                on_tick: handlers.contains(&"on_tick"),
                state: Plain::default(),
                number,
            });
        }
        let (tick_budget, offences) = (library.limits.tick_budget, Offences::new(library.files.len()));
        Ok(Some(Handlers { view, seed, scripts, tick_budget, offences }))
    }

    /// The same, whose scripts' offences are counted there.
    #[must_use]
    pub fn counting(self, offences: Offences) -> Handlers {
        Handlers { offences, ..self }
    }

    /// What they know now, between two ticks.
    pub fn memory(&self) -> Memory {
        let states = self.scripts.iter().map(|one| one.state.clone()).collect();
        Memory { states, offences: self.offences.all(By::Handlers), shown: self.view.all() }
    }

    /// Goes back to what others of the same library knew.
    pub fn restore(&mut self, memory: &Memory) {
        for (one, state) in self.scripts.iter_mut().zip(&memory.states) {
            one.state = state.clone();
            one.script.forget();
        }
        self.offences.restore(By::Handlers, &memory.offences);
        for (index, value) in (0..).zip(&memory.shown) {
            self.view.show(index, value.clone());
        }
    }

    /// Shows handlers a new value of a key, or behind the keys of a named value.
    pub fn show(&self, index: usize, value: Option<Value>) {
        self.view.show(index as u32, value);
    }

    /// Lets all handlers know of a tick and its events, with a `beat` before each call. Returns what they want
    /// to be done, and what failed: of a call that fails nothing is done, and its script keeps what it had
    /// kept. Where the calls so far took all steps that a tick has, the others are not made.
    pub fn run(
        &mut self,
        tick: Tick,
        events: &[Event],
        beat: &mut dyn FnMut(),
    ) -> (Vec<Signal>, Vec<Failure>) {
        self.view.begin(tick);
        let (mut acts, mut failures) = (Vec::new(), Vec::new());
        let mut spent = 0;
        for (index, one) in self.scripts.iter_mut().enumerate() {
            let seed = hash::unit(self.seed, STREAM + index as u64, tick.0);
            let seed = (seed * f64::from(i32::MAX)) as i32;
            let mut is_left_out = false;
            for (name, arguments) in one.calls(tick, events) {
                if self.offences.is_off(one.number) {
                    break;
                }
                if spent >= self.tick_budget {
                    is_left_out = true;
                    break;
                }
                beat();
                let handled = one.script.handle(name, &arguments, seed, &mut one.state);
                let (begun, called) = one.script.steps();
                spent = spent.saturating_add(begun).saturating_add(called);
                let done = self.view.take_acts();
                match handled {
                    Ok(()) => acts.extend(done),
                    Err(failure) => failures.push(one.blame(failure, &self.offences)),
                }
            }
            if is_left_out {
                let message = exhausted(self.tick_budget);
                failures.push(Failure::new(Trouble::Runtime, one.script.file(), 1, message));
            }
        }
        (acts, failures)
    }

    /// How many scripts are not called any more.
    pub fn disabled(&self) -> usize {
        self.offences.disabled()
    }
}

impl Handling {
    /// The calls of a tick, each with its arguments.
    fn calls<'a>(
        &self,
        tick: Tick,
        events: &'a [Event],
    ) -> impl Iterator<Item = (&'static str, Vec<Plain>)> + use<'a> {
        let events = if self.on_event { events } else { &[] };
        let of_event = |event: &Event| ("on_event", vec![Value::from(event.kind.name()).into(), told(event)]);
        let of_tick = self.on_tick.then(|| ("on_tick", vec![Value::Number(tick.0 as f64).into()]));
        events.iter().map(of_event).chain(of_tick)
    }

    /// Counts a failure, and says so where it is one too many.
    fn blame(&self, failure: Failure, offences: &Offences) -> Failure {
        let is_off = failure.trouble.is_offence() && offences.add(self.number, By::Handlers);
        if is_off { failure.and(&switched_off(self.script.file())) } else { failure }
    }
}

/// An event as handlers are told of it.
fn told(event: &Event) -> Plain {
    let text = |text: &str| Plain::Value(Value::Text(Arc::from(text)));
    let data = event.data.iter().map(|(name, value)| (name.as_str(), value.clone().into()));
    Plain::table([
        ("type", text(event.kind.name())),
        ("tick", Value::Number(event.tick.0 as f64).into()),
        ("id", text(&event.id)),
        ("data", Plain::table(data)),
    ])
}

#[cfg(test)]
mod tests;
