//! Handlers: what scripts do about events and at every tick. They set values, start and stop animations and
//! send signals; all of that is sealed like anything from outside, for the next tick.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use engine::event::Event;
use engine::formula::{FormulaId, Kind};
use engine::hash;
use engine::script::{Caller, Ended};
use engine::signal::Signal;
use engine::tick::{Fps, Tick};
use engine::value::Value;

use super::calls::{exhausted, switched_off};
use super::host::View;
use super::offences::{By, Offences};
use super::state::Plain;
use super::{Failure, Library, Limits, Script, Trouble};

/// Handlers' random numbers are others than functions'.
const STREAM: u64 = 1 << 32;

/// The scripts of a panel that have handlers, in machines of their own.
pub struct Handlers {
    view: Rc<View>,
    seed: u64,
    library: Library,
    /// By file: the script, if it has handlers.
    scripts: Vec<Option<Handling>>,
    /// By file: what it keeps, also while it has no handlers.
    states: Vec<Arc<Plain>>,
    /// Calls that are to end in this tick.
    expected: Vec<Ended>,
    offences: Offences,
}

struct Handling {
    script: Script,
    on_event: bool,
    on_tick: bool,
}

/// What is to be known of handlers to go on as if they were the same.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    library: Library,
    offences: Vec<u32>,
    states: Vec<Arc<Plain>>,
    shown: Vec<Option<Value>>,
}

/// What handlers have kept, by the files of their scripts.
pub type States = BTreeMap<Arc<str>, Arc<Plain>>;

/// What a script keeps, by its file.
pub type Kept = (Arc<str>, Arc<Plain>);

/// What came of a tick.
#[derive(Debug, Default)]
pub struct Handled {
    /// What is to be done.
    pub acts: Vec<Signal>,
    /// What failed.
    pub failures: Vec<Failure>,
    /// What scripts keep that have changed it.
    pub kept: Vec<Kept>,
    /// Calls that the clock has ended, those that were expected among them.
    pub ended: Vec<Ended>,
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
    /// The handlers of a library; `None` where it has no scripts at all.
    ///
    /// # Errors
    /// What is wrong with a script; nothing, if the library was checked.
    pub fn new(library: &Library, names: &Names, fps: Fps, seed: u64) -> Result<Option<Handlers>, Failure> {
        if library.files.is_empty() {
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
        let scripts = (0..library.files.len()).map(|index| Handling::new(library, index, &view));
        Ok(Some(Handlers {
            seed,
            scripts: scripts.collect::<Result<_, _>>()?,
            states: vec![Arc::default(); library.files.len()],
            library: library.clone(),
            expected: Vec::new(),
            offences: Offences::new(library.files.len()),
            view,
        }))
    }

    /// The same, whose scripts' offences are counted there.
    #[must_use]
    pub fn counting(self, offences: Offences) -> Handlers {
        Handlers { offences, ..self }
    }

    /// What they know now, between two ticks.
    pub fn memory(&self) -> Memory {
        Memory {
            library: self.library.clone(),
            offences: self.offences.all(By::Handlers),
            states: self.states.clone(),
            shown: self.view.all(),
        }
    }

    /// Goes back to what others knew that had begun with the same library.
    pub fn restore(&mut self, memory: &Memory) {
        if let Err(failure) = self.reload(&memory.library) {
            tracing::error!(%failure, "a script that was taken up before cannot be taken up again");
        }
        self.scripts.iter_mut().flatten().for_each(|one| one.script.forget());
        self.offences.restore(By::Handlers, &memory.offences);
        self.states.clone_from(&memory.states);
        for (index, value) in (0..).zip(&memory.shown) {
            self.view.show(index, value.clone());
        }
    }

    /// Gives scripts what they had kept when the panel last ran.
    pub fn remember(&mut self, states: &States) {
        for (file, state) in self.library.files.iter().zip(&mut self.states) {
            if let Some(kept) = states.get(&file.name) {
                *state = kept.clone();
            }
        }
    }

    /// The scripts that are called now.
    pub fn library(&self) -> &Library {
        &self.library
    }

    /// Goes over to another state of the same files. Scripts whose text is another one keep what they have
    /// kept, and their offences are forgotten.
    ///
    /// # Errors
    /// What is wrong with a script; then all is as before.
    pub fn reload(&mut self, library: &Library) -> Result<(), Failure> {
        let changed = self.library.changed(library);
        let load = |index: &usize| Handling::new(library, *index, &self.view);
        let scripts = changed.iter().map(load).collect::<Result<Vec<_>, _>>()?;
        for (index, script) in changed.into_iter().zip(scripts) {
            self.scripts[index] = script;
            self.offences.forget(index, By::Handlers);
        }
        self.library = library.clone();
        Ok(())
    }

    /// Shows handlers a new value of a key, or behind the keys of a named value.
    pub fn show(&self, index: usize, value: Option<Value>) {
        self.view.show(index as u32, value);
    }

    /// What the clock may do in this tick: end calls where it `is_timed`, and in any case those that are
    /// `expected` to end.
    pub fn time(&mut self, is_timed: bool, expected: &[Ended]) {
        self.scripts.iter_mut().flatten().for_each(|one| one.script.time(is_timed));
        self.expected = expected.iter().filter(|one| one.caller == Caller::Handler).copied().collect();
    }

    /// Lets all handlers know of a tick and its events, with a `beat` before each call. Returns what came of it:
    /// of a call that fails nothing is done, and its script keeps what it had kept. Where the calls so far took
    /// all steps that a tick has, the others are not made.
    pub fn run(&mut self, tick: Tick, events: &[Event], beat: &mut dyn FnMut()) -> Handled {
        self.view.begin(tick);
        let mut run = Run { tick, calls: 0, spent: 0, left_out: None, beat, handled: Handled::default() };
        for index in 0..self.scripts.len() {
            let before = self.states[index].clone();
            let handles = |handler: fn(&Handling) -> bool| self.scripts[index].as_ref().is_some_and(handler);
            let (on_event, on_tick) = (handles(|one| one.on_event), handles(|one| one.on_tick));
            for event in events.iter().filter(|_| on_event) {
                let arguments = [Value::from(event.kind.name()).into(), told(event)];
                self.call(index, "on_event", &arguments, &mut run);
            }
            if on_tick {
                self.call(index, "on_tick", &[Value::Number(tick.0 as f64).into()], &mut run);
            }
            if self.states[index] != before {
                run.handled.kept.push((self.library.files[index].name.clone(), self.states[index].clone()));
            }
        }
        run.handled
    }

    fn call(&mut self, index: usize, name: &str, arguments: &[Plain], run: &mut Run<'_>) {
        let Some(one) = self.scripts[index].as_mut().filter(|_| !self.offences.is_off(index)) else {
            return;
        };
        let Limits { budget, tick_budget, .. } = self.library.limits;
        if run.spent >= tick_budget {
            if run.left_out.replace(index) != Some(index) {
                let message = exhausted(tick_budget);
                run.handled.failures.push(Failure::new(Trouble::Runtime, one.script.file(), 1, message));
            }
            return;
        }
        (run.beat)();
        let seed = hash::unit(self.seed, STREAM + index as u64, run.tick.0);
        let seed = (seed * f64::from(i32::MAX)) as i32;
        let call = run.calls;
        run.calls += 1;
        let handled = match self.expected.iter().find(|ended| ended.call == call) {
            Some(ended) => Err(one.script.end(ended.line)),
            None => one.script.handle(name, arguments, seed, &self.states[index]),
        };
        let (begun, called) = one.script.steps();
        // How far one came that the clock ended is another thing in every run.
        let is_by_clock = handled.as_ref().is_err_and(|failure| failure.by_clock);
        run.spent = run.spent.saturating_add(if is_by_clock { budget } else { begun + called });
        let done = self.view.take_acts();
        match handled {
            Ok(state) => {
                run.handled.acts.extend(done);
                if state != *self.states[index] {
                    self.states[index] = Arc::new(state);
                }
            }
            Err(failure) => {
                if failure.by_clock {
                    let caller = Caller::Handler;
                    run.handled.ended.push(Ended { caller, call, line: failure.line });
                }
                let is_off = failure.trouble.is_offence() && self.offences.add(index, By::Handlers);
                let failure = if is_off { failure.and(&switched_off(one.script.file())) } else { failure };
                run.handled.failures.push(failure);
            }
        }
    }

    /// How many scripts are not called any more.
    pub fn disabled(&self) -> usize {
        self.offences.disabled()
    }
}

/// A tick on its way through the handlers.
struct Run<'a> {
    tick: Tick,
    /// How many calls there were.
    calls: u32,
    /// The steps that they took.
    spent: u64,
    /// The last script of which a call was left out.
    left_out: Option<usize>,
    beat: &'a mut dyn FnMut(),
    handled: Handled,
}

impl Handling {
    /// The script at `index` of the library; `None` where it has no handlers.
    fn new(library: &Library, index: usize, view: &Rc<View>) -> Result<Option<Handling>, Failure> {
        let (file, handlers) = (&library.files[index], &library.handlers[index]);
        if handlers.is_empty() {
            return Ok(None);
        }
        Ok(Some(Handling {
            script: Script::load(&file.name, file.text.as_bytes(), library.limits, view.clone())?,
            on_event: handlers.contains(&"on_event"),
            on_tick: handlers.contains(&"on_tick"),
        }))
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
