//! The scripts of a panel as its formulas call them: each call site remembers what it came to, and calls
//! again only when its arguments or what it had read have changed.

mod reload;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use engine::formula::{MAX_TEXT, ParameterKind, UserFunction};
use engine::hash;
use engine::script::Ended;
use engine::tick::{Fps, Tick};
use engine::value::Value;

use super::host::{Read, View, is_color};
use super::offences::{By, OFFENCES_MAX, Offences};
use super::{Failure, Library, Script};

/// The most failures that are kept until somebody asks for them.
const FAILURES_MAX: usize = 64;

/// The scripts of a panel, in their machines.
pub struct Calls {
    library: Library,
    view: Rc<View>,
    seed: u64,
    scripts: Vec<Script>,
    offences: Offences,
    /// Called before each call.
    beat: Box<dyn Fn()>,
    sites: Vec<Site>,
    /// By key or value: the sites that have read it.
    readers: Vec<Vec<u32>>,
    /// The sites that depend on the tick.
    every_tick: Vec<u32>,
    /// The steps that this tick's calls have taken.
    spent: u64,
    /// By script: whether its text was run in this tick.
    begun: Vec<bool>,
    /// What failed since this was last asked for.
    failures: Vec<Failure>,
    /// What is known of the clock's part in this tick.
    timing: Timing,
}

/// Calls that the clock ends. No two runs have the same clock, so what it ended once ends there again.
#[derive(Debug, Default)]
struct Timing {
    /// Those that are to end in this tick.
    expected: Vec<Ended>,
    /// Those that have ended since this was last asked for.
    ended: Vec<Ended>,
}

/// A place in the formulas where a function is called.
struct Site {
    function: usize,
    memo: Option<Memo>,
}

/// What the calls of a function came to when each was last called.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Called {
    /// The keys that they read, and behind the keys the named values.
    pub reads: BTreeSet<usize>,
    /// Whether they went by the tick or rolled dice.
    pub each_tick: bool,
    /// The steps that the longest of them took.
    pub steps: u64,
    /// Why one of them failed.
    pub error: Option<Arc<str>>,
}

/// What a call came to.
#[derive(Clone, Debug)]
struct Memo {
    arguments: Vec<Option<Value>>,
    reads: Vec<Read>,
    /// How many steps it took.
    steps: u64,
    answer: Result<Option<Value>, Arc<str>>,
    /// Whether something that it had read has changed since.
    is_stale: bool,
}

/// What is to be known of calls to go on as if they were the same.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    library: Library,
    memos: Vec<Option<Memo>>,
    offences: Vec<u32>,
    shown: Vec<Option<Value>>,
}

impl Calls {
    /// The library's scripts in machines of their own, called from sites that name functions by their index.
    /// `keys` and `values` are what scripts can read, in the order in which they are shown.
    ///
    /// # Errors
    /// What is wrong with a script; nothing, if the library was checked.
    pub fn new<'a>(
        library: &Library,
        sites: impl IntoIterator<Item = u32>,
        keys: impl IntoIterator<Item = &'a str>,
        values: impl IntoIterator<Item = &'a str>,
        fps: Fps,
        seed: u64,
    ) -> Result<Calls, Failure> {
        Calls::with(library, sites, View::new(keys, values, fps), seed)
    }

    /// The same, with what scripts see.
    ///
    /// # Errors
    /// What is wrong with a script; nothing, if the library was checked.
    pub fn with(
        library: &Library,
        sites: impl IntoIterator<Item = u32>,
        view: View,
        seed: u64,
    ) -> Result<Calls, Failure> {
        let view = Rc::new(view);
        let load =
            |file: &super::File| Script::load(&file.name, file.text.as_bytes(), library.limits, view.clone());
        let scripts = library.files.iter().map(load).collect::<Result<Vec<_>, _>>()?;
        let sites = sites.into_iter().map(|function| Site { function: function as usize, memo: None });
        Ok(Calls {
            seed,
            offences: Offences::new(scripts.len()),
            begun: vec![false; scripts.len()],
            spent: 0,
            beat: Box::new(|| ()),
            scripts,
            sites: sites.collect(),
            readers: vec![Vec::new(); view.len()],
            every_tick: Vec::new(),
            failures: Vec::new(),
            timing: Timing::default(),
            library: library.clone(),
            view,
        })
    }

    /// The same, whose scripts' offences are counted there.
    #[must_use]
    pub fn counting(self, offences: Offences) -> Calls {
        Calls { offences, ..self }
    }

    /// The same, with a `beat` before each call, since many take long.
    #[must_use]
    pub fn beating(self, beat: impl Fn() + 'static) -> Calls {
        Calls { beat: Box::new(beat), ..self }
    }

    /// What they know now, between two ticks.
    pub fn memory(&self) -> Memory {
        Memory {
            library: self.library.clone(),
            memos: self.sites.iter().map(|site| site.memo.clone()).collect(),
            offences: self.offences.all(By::Functions),
            shown: self.view.all(),
        }
    }

    /// Goes back to what others knew that had begun with the same library.
    pub fn restore(&mut self, memory: &Memory) {
        if let Err(failure) = self.reload(&memory.library, |_| ()) {
            tracing::error!(%failure, "a script that was taken up before cannot be taken up again");
        }
        self.readers.iter_mut().for_each(Vec::clear);
        self.every_tick.clear();
        for (site, memo) in memory.memos.iter().enumerate() {
            if let Some(memo) = memo {
                self.note_reads(site, &memo.reads);
            }
            if let Some(slot) = self.sites.get_mut(site) {
                slot.memo = memo.clone();
            }
        }
        self.offences.restore(By::Functions, &memory.offences);
        self.scripts.iter_mut().for_each(Script::forget);
        for (index, value) in (0..).zip(&memory.shown) {
            self.view.show(index, value.clone());
        }
    }

    /// Shows scripts a new tick. The sites whose answer depends on it are passed to `mark`.
    pub fn begin(&mut self, tick: Tick, mut mark: impl FnMut(u32)) {
        self.view.begin(tick);
        self.spent = 0;
        self.begun.fill(false);
        for site in &self.every_tick {
            if let Some(memo) = &mut self.sites[*site as usize].memo {
                memo.is_stale = true;
            }
            mark(*site);
        }
    }

    /// Shows scripts a new value of a key, or behind the keys of a named value. The sites that have read it
    /// are passed to `mark`.
    pub fn show(&mut self, index: usize, value: Option<Value>, mut mark: impl FnMut(u32)) {
        if !self.view.show(index as u32, value) {
            return;
        }
        for site in self.readers.get(index).into_iter().flatten() {
            if let Some(memo) = &mut self.sites[*site as usize].memo {
                memo.is_stale = true;
            }
            mark(*site);
        }
    }

    /// What the call at a site comes to with these arguments; `None` where it failed.
    pub fn answer(&mut self, site: u32, arguments: &[Option<Value>]) -> Option<Option<Value>> {
        let known = self.sites.get(site as usize)?.memo.as_ref();
        if let Some(memo) = known.filter(|memo| !memo.is_stale && same(&memo.arguments, arguments)) {
            return memo.answer.clone().ok();
        }
        let memo = self.call(site as usize, arguments);
        let answer = memo.answer.clone().ok();
        self.forget(site);
        self.note_reads(site as usize, &memo.reads);
        self.sites[site as usize].memo = Some(memo);
        answer
    }

    /// What is to be said of the call at a site, if it failed.
    pub fn problem(&self, site: u32) -> Option<&Arc<str>> {
        self.sites.get(site as usize)?.memo.as_ref()?.answer.as_ref().err()
    }

    /// What failed since this was last asked for, as far as there was room.
    pub fn take_failures(&mut self) -> Vec<Failure> {
        std::mem::take(&mut self.failures)
    }

    /// What the functions came to that were called, by function.
    pub fn called(&self) -> BTreeMap<usize, Called> {
        let mut all = BTreeMap::<usize, Called>::new();
        for (site, memo) in self.sites.iter().filter_map(|site| Some((site, site.memo.as_ref()?))) {
            let called = all.entry(site.function).or_default();
            for read in &memo.reads {
                match read {
                    Read::Tick => called.each_tick = true,
                    Read::Value(index) => drop(called.reads.insert(*index as usize)),
                }
            }
            called.steps = called.steps.max(memo.steps);
            called.error = called.error.take().or_else(|| memo.answer.as_ref().err().cloned());
        }
        all
    }

    /// How many scripts are not called any more.
    pub fn disabled(&self) -> usize {
        self.offences.disabled()
    }

    /// The bytes that all machines use.
    pub fn used_bytes(&self) -> usize {
        self.scripts.iter().map(|script| script.used().1).sum()
    }

    fn call(&mut self, site: usize, arguments: &[Option<Value>]) -> Memo {
        let function = self.sites[site].function;
        let script = self.library.owners.get(function).copied().unwrap_or_default();
        let library = self.library.clone();
        let function = &library.functions[function];
        let memo =
            |arguments, reads, steps, answer| Memo { arguments, reads, steps, answer, is_stale: false };
        if self.offences.is_off(script) {
            let answer = Err(switched_off(&library.files[script].name).into());
            return memo(arguments.to_vec(), Vec::new(), 0, answer);
        }
        let given: Vec<Option<Value>> =
            (0..).zip(arguments).map(|(index, value)| given(function, index, value)).collect();
        let called = match library.limits.tick_budget {
            // At the next tick it is its turn again.
            most if self.spent >= most => {
                let answer = Err(exhausted(most).into());
                return memo(arguments.to_vec(), vec![Read::Tick], 0, answer);
            }
            _ => {
                (self.beat)();
                let seed = self.seed_of(script);
                match self.timing.end_of(site as u32) {
                    Some(line) => Err(self.scripts[script].end(line)),
                    None => self.scripts[script].call(&function.name, &given, seed),
                }
            }
        };
        let is_by_clock = called.as_ref().is_err_and(|failure| failure.by_clock);
        self.count(script, is_by_clock);
        let mut reads = self.view.take_reads();
        if let Some(failure) = called.as_ref().err().filter(|_| is_by_clock) {
            // How far it came is known of this run alone. The next tick shows whether it takes as long again.
            reads = vec![Read::Tick];
            self.timing.note(site as u32, failure.line);
        }
        let answer = called.and_then(|value| self.fitting(function, script, value));
        let answer = answer.map_err(|failure| self.blame(script, failure));
        let (_, steps) = self.scripts[script].steps();
        memo(arguments.to_vec(), reads, steps, answer.map_err(|failure| failure.to_string().into()))
    }

    /// Counts a failure, and says so where it is one too many.
    fn blame(&mut self, script: usize, failure: Failure) -> Failure {
        let is_off = failure.trouble.is_offence() && self.offences.add(script, By::Functions);
        let failure =
            if is_off { failure.and(&switched_off(&self.library.files[script].name)) } else { failure };
        if self.failures.len() < FAILURES_MAX {
            self.failures.push(failure.clone());
        }
        failure
    }

    /// Counts the steps of the last call. Running the text counts once a tick where calls share what it leaves.
    /// One that the clock ended counts for all that it might have taken, since how far it came is another thing
    /// in every run.
    fn count(&mut self, script: usize, is_by_clock: bool) {
        if is_by_clock {
            self.begun[script] = true;
            self.spent = self.spent.saturating_add(self.library.limits.budget);
            return;
        }
        let (begun, called) = self.scripts[script].steps();
        let counts = !(self.begun[script] && self.scripts[script].shares());
        self.begun[script] = true;
        self.spent = self.spent.saturating_add(called).saturating_add(if counts { begun } else { 0 });
    }

    /// The result, if it is what the function says.
    fn fitting(
        &self,
        function: &UserFunction,
        script: usize,
        value: Option<Value>,
    ) -> Result<Option<Value>, Failure> {
        use engine::formula::Kind;
        match (function.result, value) {
            (_, None) => Ok(None),
            (Kind::Text, Some(Value::Text(text))) if text.len() > MAX_TEXT => {
                let message = format!(
                    "`{}` returned a text of {} bytes, and texts have {MAX_TEXT} at most",
                    function.name,
                    text.len()
                );
                Err(self.scripts[script].wrong(&function.name, message))
            }
            (Kind::Text, Some(Value::Text(text))) => Ok(Some(Value::Text(text))),
            (Kind::Number, Some(value @ (Value::Number(_) | Value::Bool(_)))) => {
                Ok(value.number().map(Value::Number))
            }
            (Kind::Color, Some(Value::Number(color))) if is_color(color) => Ok(Some(Value::Number(color))),
            (kind, Some(value)) => {
                let (said, hint) = match kind {
                    Kind::Text => ("a text", ""),
                    Kind::Color => ("a colour", ": rgb(…) makes one"),
                    Kind::Number => {
                        ("a number", ": write `: string` behind its parameters if it gives texts")
                    }
                };
                let what = if matches!(value, Value::Text(_)) { "a text" } else { "a number" };
                let message = format!("`{}` returned {what}, and is to give {said}{hint}", function.name);
                Err(self.scripts[script].wrong(&function.name, message))
            }
        }
    }

    fn seed_of(&self, script: usize) -> i32 {
        let unit = hash::unit(self.seed, script as u64, self.view.tick().0);
        // Any 31 bits do.
        (unit * f64::from(i32::MAX)) as i32
    }

    fn forget(&mut self, site: u32) {
        let Some(memo) = self.sites[site as usize].memo.take() else { return };
        for read in memo.reads {
            match read {
                Read::Tick => self.every_tick.retain(|one| *one != site),
                Read::Value(index) => {
                    if let Some(readers) = self.readers.get_mut(index as usize) {
                        readers.retain(|one| *one != site);
                    }
                }
            }
        }
    }

    fn note_reads(&mut self, site: usize, reads: &[Read]) {
        for read in reads {
            match read {
                Read::Tick => self.every_tick.push(site as u32),
                Read::Value(index) => {
                    if let Some(readers) = self.readers.get_mut(*index as usize) {
                        readers.push(site as u32);
                    }
                }
            }
        }
    }
}

/// What is said of a script that broke too many limits.
pub(super) fn switched_off(file: &str) -> String {
    format!("{file} is switched off until its text changes, since it broke {OFFENCES_MAX} limits")
}

/// What is said of a call for which a tick has no steps left.
pub(super) fn exhausted(most: u64) -> String {
    format!(
        "the calls before it took the {most} steps that a tick has for scripts: its turn comes with the next"
    )
}

/// An argument as the parameter at `index` is declared: a truth value is a number in formulas.
fn given(function: &UserFunction, index: usize, value: &Option<Value>) -> Option<Value> {
    match (function.kinds.get(index), value) {
        (Some(ParameterKind::Truth), Some(Value::Number(number))) => Some(Value::Bool(*number != 0.0)),
        (_, value) => value.clone(),
    }
}

fn same(a: &[Option<Value>], b: &[Option<Value>]) -> bool {
    let same = |(a, b): (&Option<Value>, &Option<Value>)| match (a, b) {
        (Some(a), Some(b)) => a.same(b),
        (None, None) => true,
        _ => false,
    };
    a.len() == b.len() && a.iter().zip(b).all(same)
}

#[cfg(test)]
mod tests;
