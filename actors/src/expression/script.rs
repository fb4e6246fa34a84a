//! Users' scripts: Luau files that define functions for formulas, and handlers of events. Each runs in a
//! virtual machine of its own in which it can reach nothing but what [`View`] shows, and that ends it when it
//! takes too long or too much.
//!
//! What a script does depends on its text, on its arguments and on what it reads alone. So its environment is
//! made anew at every tick in which it is called: what a function has left in a variable is gone then, and a
//! core that comes back from a checkpoint computes the same.

pub mod call;
pub mod calls;
pub mod handlers;
mod hints;
mod host;
pub mod library;
mod limits;
mod machine;
mod offences;
pub mod outline;
pub mod reads;
pub mod reloads;
pub mod state;
mod token;
pub mod uses;
pub mod watch;

use std::fmt;
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;

use engine::diagnostic::Diagnostic;
use engine::tick::Tick;
use engine::value::Value;
use mlua::{Function, MultiValue, Table};

pub use host::{GIVEN, Given, Read, View};
pub use library::{File, Library};
pub use limits::{BUDGET_MAX, Limits, TICK_BUDGET_MAX};
use machine::{Fault, Judged, Machine};
pub use offences::{OFFENCES_MAX, Offences};
use outline::Declared;
use state::Plain;
use uses::Uses;

/// The longest text of a script, in bytes.
pub const SOURCE_BYTES_MAX: usize = 256 << 10;

/// The longest that a script's error is told, in characters.
pub const MESSAGE_CHARS_MAX: usize = 300;

/// The least memory that a script can be given, in bytes: what an empty one needs, and some.
pub const MEMORY_MIN: usize = 1 << 20;

/// Why a script failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It took too many steps or too long.
    Timeout,
    /// It took too much memory.
    Memory,
    /// An error was raised.
    Runtime,
    /// Its text is no Luau, or too complex.
    Syntax,
    /// Its text is too long.
    TooLarge,
}

impl Trouble {
    /// Its name, as the command line tells it.
    pub fn name(self) -> &'static str {
        match self {
            Trouble::Timeout => "timeout",
            Trouble::Memory => "memory",
            Trouble::Runtime => "runtime",
            Trouble::Syntax => "syntax",
            Trouble::TooLarge => "too_large",
        }
    }

    /// A short stable name of it as a problem of a configuration.
    pub fn code(self) -> &'static str {
        match self {
            Trouble::Timeout => "script-timeout",
            Trouble::Memory => "script-memory",
            Trouble::Runtime => "script-error",
            Trouble::Syntax => "script-syntax",
            Trouble::TooLarge => "script-too-large",
        }
    }

    /// Whether it broke a limit, which is counted against the script.
    pub fn is_offence(self) -> bool {
        matches!(self, Trouble::Timeout | Trouble::Memory)
    }
}

/// What went wrong in a script, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Why.
    pub trouble: Trouble,
    /// Which file.
    pub file: Arc<str>,
    /// The line, from 1.
    pub line: u32,
    /// What is to be said of it.
    pub message: String,
    /// What to write instead, if that is known.
    pub help: Option<String>,
    /// Whether the clock ended it, which another time may be otherwise.
    pub by_clock: bool,
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Failure { trouble, file, line, message, .. } = self;
        write!(formatter, "{}: {file}:{line}: {message}", trouble.name())
    }
}

/// A script that was checked and compiled.
pub struct Script {
    file: Arc<str>,
    /// What Luau calls it.
    name: String,
    text: Arc<str>,
    /// Its text as it is compiled, in the same lines.
    code: Arc<str>,
    limits: Limits,
    view: Rc<View>,
    outline: outline::Outline,
    loaded: Loaded,
    /// Whether a limit was broken, so that its machine is in disorder.
    spoiled: bool,
    /// Whether the clock may end its calls.
    is_timed: bool,
}

/// A script in its machine.
struct Loaded {
    machine: Machine,
    chunk: Function,
    instance: Option<Instance>,
    /// Whether calls of a tick may share an environment, since none can leave anything there.
    shares: bool,
    /// The steps that it took to run the text for the last call, if that was done.
    begun: u64,
}

/// A script's environment after its text was run, for one tick.
struct Instance {
    tick: Tick,
    environment: Table,
    /// What handlers keep; `None` for functions.
    state: Option<Table>,
    /// What was read while the text ran: its functions may go by that.
    reads: Vec<Read>,
}

impl Script {
    /// Checks and compiles the text of `file`, without running it.
    ///
    /// # Errors
    /// [`Failure`]: it is too large, too complex, or no Luau.
    pub fn load(file: &str, text: &[u8], limits: Limits, view: Rc<View>) -> Result<Script, Failure> {
        let file: Arc<str> = file.into();
        let text = checked(&file, text)?;
        let outline = outline::outline(&text);
        if let Some(problem) = outline.problems.first() {
            let line = line_at(&text, problem.span.start);
            let failure = Failure::new(Trouble::Syntax, &file, line, problem.message.clone());
            return Err(Failure { help: problem.help.clone(), ..failure });
        }
        let name = chunk_name(&file);
        let shares = outline.is_plain;
        let new = |code: &str| Loaded::new(&name, code, (limits, Judged::Roughly), shares, &view);
        let (code, loaded) = match outline.paused(&text) {
            None => (text.clone(), new(&text)),
            Some(paused) => {
                let loaded = new(&paused);
                // What is wrong with it is told of the text as it was written.
                let loaded = loaded.map_err(|fault| new(&text).err().unwrap_or(fault));
                (paused.into(), loaded)
            }
        };
        let loaded = loaded.map_err(|fault| told(&file, &name, fault))?;
        Ok(Script { file, name, text, code, limits, view, outline, loaded, spoiled: false, is_timed: true })
    }

    /// The file's name.
    pub fn file(&self) -> &Arc<str> {
        &self.file
    }

    /// Its text.
    pub fn text(&self) -> &Arc<str> {
        &self.text
    }

    /// The functions that it gives to formulas.
    fn declared(&self) -> &[Declared] {
        &self.outline.functions
    }

    /// What its text says that it reads and does.
    pub fn uses(&self) -> &Uses {
        &self.outline.uses
    }

    /// What works, but hardly as meant.
    pub fn warnings(&self) -> &[Diagnostic] {
        &self.outline.warnings
    }

    /// Runs its text in a new environment, and returns what that returned, as text. Several results are
    /// separated by tabs.
    ///
    /// # Errors
    /// What went wrong.
    pub fn run(&mut self) -> Result<String, Failure> {
        let tick = self.view.tick();
        self.attempt(|loaded| loaded.begin(tick, None, true))
    }

    /// Calls one of its functions, and returns the results as text.
    ///
    /// # Errors
    /// What went wrong; also where it has no such function.
    pub fn call_shown(&mut self, name: &str, arguments: &[Option<Value>]) -> Result<String, Failure> {
        let view = self.view.clone();
        self.attempt(|loaded| loaded.call_shown(name, arguments, &view))
    }

    /// Calls one of its functions with random numbers from `seed`, and returns its result, `None` for `nil`.
    /// No call sees anything of another one.
    ///
    /// # Errors
    /// What went wrong.
    pub fn call(
        &mut self,
        name: &str,
        arguments: &[Option<Value>],
        seed: i32,
    ) -> Result<Option<Value>, Failure> {
        let view = self.view.clone();
        self.attempt(|loaded| loaded.call(name, arguments, seed, &view))
    }

    /// Calls one of its handlers with what it keeps in `state`. Returns what it keeps from then on.
    fn handle(
        &mut self,
        name: &str,
        arguments: &[Plain],
        seed: i32,
        state: &Plain,
    ) -> Result<Plain, Failure> {
        let view = self.view.clone();
        let handled = self.attempt(|loaded| loaded.handle(name, arguments, seed, state, &view));
        view.take_reads();
        handled
    }

    /// Does `work` in its machine and, where memory may have run out there, again in a new one that judges
    /// exactly: that is what counts then, and the same in every run.
    fn attempt<T>(&mut self, work: impl Fn(&mut Loaded) -> Result<T, Fault>) -> Result<T, Failure> {
        if std::mem::take(&mut self.spoiled) {
            self.renew(Judged::Roughly)?;
        }
        let mut done = work(&mut self.loaded);
        if done.as_ref().is_err_and(Fault::is_of_memory) {
            drop(self.view.take_acts());
            self.renew(Judged::Exactly)?;
            done = work(&mut self.loaded);
            self.spoiled = true;
        }
        done.map_err(|fault| self.fail(fault))
    }

    /// Gives it a new machine.
    fn renew(&mut self, judged: Judged) -> Result<(), Failure> {
        let (limits, shares) = ((self.limits, judged), self.outline.is_plain);
        let anew = Loaded::new(&self.name, &self.code, limits, shares, &self.view);
        self.loaded = anew.map_err(|fault| self.fail(fault))?;
        self.loaded.machine.time(self.is_timed);
        Ok(())
    }

    /// The steps of the last call, and the bytes that are used now.
    pub fn used(&self) -> (u64, usize) {
        self.loaded.machine.used()
    }

    /// The steps of the last call: of running the text for it, if that was done, and of its own.
    fn steps(&self) -> (u64, u64) {
        (self.loaded.begun, self.loaded.machine.used().0)
    }

    /// Whether calls of a tick share what its text leaves, since none can change it.
    fn shares(&self) -> bool {
        self.loaded.shares
    }

    /// Says whether the clock may end its calls: not where they are to come to the same as before.
    fn time(&mut self, is_timed: bool) {
        self.is_timed = is_timed;
        self.loaded.machine.time(is_timed);
    }

    /// A call that comes to nothing else than that the clock had ended it in `line`.
    fn end(&mut self, line: u32) -> Failure {
        self.fail(Fault::late(&self.limits, line))
    }

    /// Forgets what it has run: it begins anew with the next call.
    fn forget(&mut self) {
        self.loaded.instance = None;
    }

    fn fail(&mut self, fault: Fault) -> Failure {
        self.loaded.instance = None;
        self.spoiled |= fault.trouble.is_offence();
        let failure = told(&self.file, &self.name, fault);
        let line = self.text.get(failure.span(&self.text)).unwrap_or_default();
        Failure { help: hints::hint(failure.trouble, &failure.message, line), ..failure }
    }

    /// A failure of the function `name`, whose result is at fault.
    fn wrong(&self, name: &str, message: String) -> Failure {
        let declared = self.declared().iter().find(|declared| declared.name == name);
        let line = declared.map_or(1, |declared| line_at(&self.text, declared.span.start));
        Failure::new(Trouble::Runtime, &self.file, line, message)
    }
}

impl Loaded {
    fn new(
        name: &str,
        text: &str,
        (limits, judged): (Limits, Judged),
        shares: bool,
        view: &Rc<View>,
    ) -> Result<Loaded, Fault> {
        let machine = Machine::new(limits, judged, |lua| host::functions(lua, view, name))?;
        let chunk = machine.compile(name, text)?;
        Ok(Loaded { machine, chunk, instance: None, shares, begun: 0 })
    }

    /// Runs the text anew, for `tick`, with what handlers keep. Returns its results where they are `shown`.
    fn begin(&mut self, tick: Tick, state: Option<&Plain>, shown: bool) -> Result<String, Fault> {
        self.instance = None;
        let given = state.map(|state| self.machine.value(state)).transpose()?;
        let state = given.and_then(|state| state.as_table().cloned());
        let environment = self.machine.environment(state.clone())?;
        self.chunk.set_environment(environment.clone()).map_err(|error| Fault::of_host(&error))?;
        let outcome = if shown {
            self.machine.call_shown(0, &self.chunk, ())?
        } else {
            self.machine.call(0, &self.chunk, ())?
        };
        let results = if outcome.other.is_some() { String::new() } else { text_of(&outcome.value) };
        self.machine.seal(&environment)?;
        self.instance = Some(Instance { tick, environment, state, reads: Vec::new() });
        Ok(results)
    }

    /// A function of an environment of this tick in which nothing is left of other calls.
    fn function(&mut self, name: &str, view: &View, state: Option<&Plain>) -> Result<Function, Fault> {
        let tick = view.tick();
        self.begun = 0;
        if self.machine.is_untidy() {
            self.instance = None;
            self.machine.tidy()?;
        }
        let is_ready = self.shares && state.is_none();
        if !is_ready || self.instance.as_ref().is_none_or(|instance| instance.tick != tick) {
            let before = self.machine.all_steps();
            let begun = self.begin(tick, state, false);
            self.begun = self.machine.all_steps() - before;
            begun?;
            if let Some(instance) = &mut self.instance {
                instance.reads = view.take_reads();
            }
        }
        self.instance.iter().for_each(|instance| view.note_all(&instance.reads));
        let environment = self.instance.as_ref().map(|instance| &instance.environment);
        let function = environment.and_then(|all| all.raw_get::<Function>(name).ok());
        function.ok_or_else(|| Fault::missing(name))
    }

    fn handle(
        &mut self,
        name: &str,
        arguments: &[Plain],
        seed: i32,
        state: &Plain,
        view: &View,
    ) -> Result<Plain, Fault> {
        let function = self.function(name, view, Some(state))?;
        let arguments =
            arguments.iter().map(|one| self.machine.value(one)).collect::<Result<MultiValue, _>>()?;
        self.machine.call(seed, &function, arguments)?;
        let kept = self.instance.as_ref().and_then(|instance| instance.state.as_ref());
        kept.map_or_else(|| Ok(Plain::default()), |kept| Plain::taken(kept).map_err(Fault::refused))
    }

    fn call_shown(&mut self, name: &str, arguments: &[Option<Value>], view: &View) -> Result<String, Fault> {
        let function = self.function(name, view, None)?;
        let arguments = self.arguments(arguments)?;
        let outcome = self.machine.call_shown(0, &function, arguments)?;
        Ok(if outcome.other.is_some() { String::new() } else { text_of(&outcome.value) })
    }

    fn call(
        &mut self,
        name: &str,
        arguments: &[Option<Value>],
        seed: i32,
        view: &View,
    ) -> Result<Option<Value>, Fault> {
        let function = self.function(name, view, None)?;
        let arguments = self.arguments(arguments)?;
        let outcome = self.machine.call(seed, &function, arguments)?;
        match (&outcome.value, outcome.other) {
            (_, Some(other)) => Err(Fault::result(name, &other)),
            (mlua::Value::Nil, None) => Ok(None),
            (mlua::Value::Boolean(truth), None) => Ok(Some(Value::Bool(*truth))),
            (mlua::Value::String(text), None) => {
                let text = text.to_str().map_err(|_| Fault::result(name, "a text that is no UTF-8"))?;
                Ok(Some(Value::from(&*text)))
            }
            (value, None) => {
                let number = host::number(value).filter(|number| number.is_finite());
                let number = number.ok_or_else(|| Fault::result(name, "infinite or not a number"))?;
                Ok(Some(Value::Number(number + 0.0)))
            }
        }
    }

    fn arguments(&self, arguments: &[Option<Value>]) -> Result<MultiValue, Fault> {
        let one = |argument: &Option<Value>| match argument {
            None => Ok(mlua::Value::Nil),
            Some(value) => self.machine.value(&Plain::Value(value.clone())),
        };
        arguments.iter().map(one).collect()
    }
}

impl Failure {
    fn new(trouble: Trouble, file: &Arc<str>, line: u32, message: impl Into<String>) -> Failure {
        Failure {
            trouble,
            file: file.clone(),
            line,
            message: plain(&message.into()),
            help: None,
            by_clock: false,
        }
    }

    /// The same, with something else to be said.
    fn and(self, also: &str) -> Failure {
        Failure { message: format!("{}; {also}", self.message), ..self }
    }

    /// The bytes of `text`, the script's, that are at fault: its line without the blanks around it.
    pub fn span(&self, text: &str) -> Range<usize> {
        let mut at = 0;
        for (number, line) in (1..).zip(text.split_inclusive('\n')) {
            if number == self.line {
                let start = at + line.len() - line.trim_start().len();
                return start..start + line.trim().len();
            }
            at += line.len();
        }
        text.len()..text.len()
    }
}

/// The text of a script, if it is one and not too long.
fn checked(file: &Arc<str>, text: &[u8]) -> Result<Arc<str>, Failure> {
    if text.len() > SOURCE_BYTES_MAX {
        let message =
            format!("a script has {SOURCE_BYTES_MAX} bytes at most, and this one has {}", text.len());
        return Err(Failure::new(Trouble::TooLarge, file, 1, message));
    }
    let checked = std::str::from_utf8(text).map_err(|error| {
        let before = String::from_utf8_lossy(&text[..error.valid_up_to()]);
        let message = "this is no text: a script is written in UTF-8, and cannot be compiled Luau";
        Failure::new(Trouble::Syntax, file, line_at(&before, before.len()), message)
    })?;
    if let Some(at) = checked.find('\0') {
        // Luau reads on to there and no further.
        let message = "this is no text: there is a character of code 0 in it";
        return Err(Failure::new(Trouble::Syntax, file, line_at(checked, at), message));
    }
    // An editor's mark of UTF-8.
    Ok(checked.strip_prefix('\u{feff}').unwrap_or(checked).into())
}

/// The number of the line at `offset`, from 1.
fn line_at(text: &str, offset: usize) -> u32 {
    let before = text.as_bytes().get(..offset).unwrap_or(text.as_bytes());
    let lines = before.iter().filter(|byte| **byte == b'\n').count();
    u32::try_from(lines + 1).unwrap_or(u32::MAX)
}

/// What Luau's errors call a file: its last part, in plain letters.
fn chunk_name(file: &str) -> String {
    let last = file.rsplit('/').next().unwrap_or(file);
    let plain = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' };
    let name: String = last.chars().take(60).map(plain).collect();
    if name.is_empty() { "script".into() } else { name }
}

/// What is said of a fault: where Luau's text names the place, that goes ahead.
fn told(file: &Arc<str>, name: &str, fault: Fault) -> Failure {
    let mut message = fault.message.as_str();
    let mut line = fault.line;
    while let Some((source, number, rest)) = placed(message) {
        if source == name {
            line = Some(number);
            message = rest;
            break;
        }
        if source != machine::PRELUDE_NAME {
            break;
        }
        message = rest;
    }
    let failure = Failure::new(fault.trouble, file, line.unwrap_or(1), message);
    Failure { by_clock: fault.by_clock, ..failure }
}

/// `NAME:LINE: REST`, taken apart.
fn placed(message: &str) -> Option<(&str, u32, &str)> {
    let (source, rest) = message.split_once(':')?;
    let (line, rest) = rest.split_once(':')?;
    Some((source, line.parse().ok()?, rest.strip_prefix(' ').unwrap_or(rest)))
}

/// A text for people: cut off where it is too long, and without anything that a terminal would obey.
fn plain(message: &str) -> String {
    let mut plain = String::new();
    for (count, c) in message.chars().enumerate() {
        if count == MESSAGE_CHARS_MAX {
            plain.push('…');
            break;
        }
        let misleads = matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
        if c.is_control() || misleads { plain.extend(c.escape_default()) } else { plain.push(c) }
    }
    plain
}

/// A result for people, on a terminal: control characters and what is no UTF-8 are written out.
fn text_of(value: &mlua::Value) -> String {
    let mut shown = String::new();
    for chunk in value.as_string().map(|text| text.as_bytes().to_vec()).unwrap_or_default().utf8_chunks() {
        shown.push_str(&harmless(chunk.valid()));
        chunk.invalid().iter().for_each(|byte| shown.push_str(&format!("\\x{byte:02x}")));
    }
    shown
}

/// A text without anything that a terminal would obey but new lines and tabs: control characters are written out.
///
/// ```
/// use actors::expression::script::harmless;
/// assert_eq!(harmless("\u{1b}[31mred\n"), "\\u{1b}[31mred\n");
/// ```
pub fn harmless(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        let obeyed = c.is_control() && !matches!(c, '\n' | '\t');
        if obeyed { shown.extend(c.escape_default()) } else { shown.push(c) }
    }
    shown
}

#[cfg(test)]
mod messages;
#[cfg(test)]
mod tests;
