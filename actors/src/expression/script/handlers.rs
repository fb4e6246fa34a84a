//! Handlers: what scripts do about events and at every tick. They set values, start and stop animations and
//! send signals; all of that is sealed like anything from outside, for the next tick.

use std::rc::Rc;
use std::sync::Arc;

use engine::event::Event;
use engine::formula::FormulaId;
use engine::hash;
use engine::signal::Signal;
use engine::tick::{Fps, Tick};
use engine::value::Value;

use super::calls::OFFENCES_MAX;
use super::host::View;
use super::state::Plain;
use super::{Failure, Library, Script};

/// Handlers' random numbers are others than functions'.
const STREAM: u64 = 1 << 32;

/// The scripts of a panel that have handlers, in machines of their own.
pub struct Handlers {
    view: Rc<View>,
    seed: u64,
    scripts: Vec<Handling>,
}

struct Handling {
    script: Script,
    on_event: bool,
    on_tick: bool,
    state: Plain,
    offences: u32,
}

/// What is to be known of handlers to go on as if they were the same.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    scripts: Vec<(Plain, u32)>,
    shown: Vec<Option<Value>>,
}

/// What handlers are about in a panel: names that scripts can use.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// The keys.
    pub keys: Vec<String>,
    /// The named values.
    pub values: Vec<(String, FormulaId)>,
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
        let keys = names.keys.iter().map(String::as_str);
        let view = View::new(keys, names.values.iter().map(|(name, _)| name.as_str()), fps);
        let view = Rc::new(view.for_handlers(names.animations.clone()));
        let mut scripts = Vec::new();
        for (file, handlers) in library.files.iter().zip(library.handlers.iter()) {
            if handlers.is_empty() {
                continue;
            }
            scripts.push(Handling {
                script: Script::load(&file.name, file.text.as_bytes(), library.limits, view.clone())?,
                on_event: handlers.contains(&"on_event"),
                on_tick: handlers.contains(&"on_tick"),
                state: Plain::default(),
                offences: 0,
            });
        }
        Ok(Some(Handlers { view, seed, scripts }))
    }

    /// What they know now, between two ticks.
    pub fn memory(&self) -> Memory {
        let scripts = self.scripts.iter().map(|one| (one.state.clone(), one.offences));
        Memory { scripts: scripts.collect(), shown: self.view.all() }
    }

    /// Goes back to what others of the same library knew.
    pub fn restore(&mut self, memory: &Memory) {
        for (one, (state, offences)) in self.scripts.iter_mut().zip(&memory.scripts) {
            (one.state, one.offences) = (state.clone(), *offences);
            one.script.forget();
        }
        for (index, value) in (0..).zip(&memory.shown) {
            self.view.show(index, value.clone());
        }
    }

    /// Shows handlers a new value of a key, or behind the keys of a named value.
    pub fn show(&self, index: usize, value: Option<Value>) {
        self.view.show(index as u32, value);
    }

    /// Lets all handlers know of a tick and its events. Returns what they want to be done, and what failed:
    /// of a call that fails nothing is done, and its script keeps what it had kept.
    pub fn run(&mut self, tick: Tick, events: &[Event]) -> (Vec<Signal>, Vec<Failure>) {
        self.view.begin(tick);
        let (mut acts, mut failures) = (Vec::new(), Vec::new());
        for (index, one) in self.scripts.iter_mut().enumerate() {
            let seed = hash::unit(self.seed, STREAM + index as u64, tick.0);
            let seed = (seed * f64::from(i32::MAX)) as i32;
            let mut handle = |one: &mut Handling, name: &str, arguments: &[Plain]| {
                if one.offences >= OFFENCES_MAX {
                    return;
                }
                let handled = one.script.handle(name, arguments, seed, &mut one.state);
                let done = self.view.take_acts();
                match handled {
                    Ok(()) => acts.extend(done),
                    Err(failure) => {
                        one.offences += u32::from(failure.trouble.is_offence());
                        failures.push(failure);
                    }
                }
            };
            if one.on_event {
                for event in events {
                    handle(one, "on_event", &[Value::from(event.kind.name()).into(), told(event)]);
                }
            }
            if one.on_tick {
                handle(one, "on_tick", &[Value::Number(tick.0 as f64).into()]);
            }
        }
        (acts, failures)
    }

    /// How many scripts are not called any more.
    pub fn disabled(&self) -> usize {
        self.scripts.iter().filter(|one| one.offences >= OFFENCES_MAX).count()
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
