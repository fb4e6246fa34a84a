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
mod machine;
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
use std::time::Duration;

use engine::diagnostic::Diagnostic;
use engine::tick::Tick;
use engine::value::Value;
use mlua::{Function, MultiValue, Table};

pub use host::{GIVEN, Given, Read, View};
pub use library::{File, Library};
use machine::{Fault, Machine};
use outline::Declared;
use state::Plain;
use uses::Uses;

/// The longest text of a script, in bytes.
pub const SOURCE_BYTES_MAX: usize = 256 << 10;

/// The longest that a script's error is told, in characters.
pub const MESSAGE_CHARS_MAX: usize = 300;

/// The least memory that a script can be given, in bytes: what an empty one needs, and some.
pub const MEMORY_MIN: usize = 1 << 20;

/// What a script may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Steps of a call: each turn of a loop, each call and each step of a pattern is one. The same call takes
    /// the same number everywhere.
    pub budget: u64,
    /// Bytes of memory.
    pub memory: usize,
    /// How long a call may take by the clock, in case that its steps are long ones.
    pub backstop: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { budget: 200_000, memory: 16 << 20, backstop: Duration::from_millis(50) }
    }
}

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

/// What a function came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The result, `None` for `nil`.
    pub value: Option<Value>,
    /// Whether it used random numbers, which are others at each tick.
    pub rolled: bool,
}

/// A script that was checked and compiled.
pub struct Script {
    file: Arc<str>,
    /// What Luau calls it.
    name: String,
    text: Arc<str>,
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
        let loaded = Loaded::new(&name, &text, limits, &view).map_err(|fault| told(&file, &name, fault))?;
        Ok(Script { file, name, text, limits, view, outline, loaded, spoiled: false, is_timed: true })
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
        let ran = self.ready()?.begin(tick, None, true);
        ran.map_err(|fault| self.fail(fault))
    }

    /// Calls one of its functions, and returns the results as text.
    ///
    /// # Errors
    /// What went wrong; also where it has no such function.
    pub fn call_shown(&mut self, name: &str, arguments: &[Option<Value>]) -> Result<String, Failure> {
        let view = self.view.clone();
        let called = self.ready()?.call_shown(name, arguments, &view);
        called.map_err(|fault| self.fail(fault))
    }

    /// Calls one of its functions with random numbers from `seed`. At the first call of a tick its text is
    /// run anew.
    ///
    /// # Errors
    /// What went wrong.
    pub fn call(&mut self, name: &str, arguments: &[Option<Value>], seed: i32) -> Result<Answer, Failure> {
        let view = self.view.clone();
        let called = self.ready()?.call(name, arguments, seed, &view);
        called.map_err(|fault| self.fail(fault))
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
        let handled = self.ready()?.handle(name, arguments, seed, state, &view);
        view.take_reads();
        handled.map_err(|fault| self.fail(fault))
    }

    /// The steps of the last call, and the bytes that are used now.
    pub fn used(&self) -> (u64, usize) {
        self.loaded.machine.used()
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

    /// Its machine, in order.
    fn ready(&mut self) -> Result<&mut Loaded, Failure> {
        if std::mem::take(&mut self.spoiled) {
            let anew = Loaded::new(&self.name, &self.text, self.limits, &self.view);
            self.loaded = anew.map_err(|fault| self.fail(fault))?;
            self.loaded.machine.time(self.is_timed);
        }
        Ok(&mut self.loaded)
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
    fn new(name: &str, text: &str, limits: Limits, view: &Rc<View>) -> Result<Loaded, Fault> {
        let machine = Machine::new(limits, |lua| host::functions(lua, view, name))?;
        let chunk = machine.compile(name, text)?;
        Ok(Loaded { machine, chunk, instance: None })
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

    /// A function of this tick's environment.
    fn function(&mut self, name: &str, view: &View, state: Option<&Plain>) -> Result<Function, Fault> {
        let tick = view.tick();
        if self.instance.as_ref().is_none_or(|instance| instance.tick != tick) {
            self.begin(tick, state, false)?;
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
    ) -> Result<Answer, Fault> {
        let function = self.function(name, view, None)?;
        let arguments = self.arguments(arguments)?;
        let outcome = self.machine.call(seed, &function, arguments)?;
        let value = match (&outcome.value, outcome.other) {
            (_, Some(other)) => return Err(Fault::result(name, &other)),
            (mlua::Value::Nil, None) => None,
            (mlua::Value::Boolean(truth), None) => Some(Value::Bool(*truth)),
            (mlua::Value::String(text), None) => Some(Value::from(text.to_string_lossy().as_str())),
            (value, None) => {
                let number = host::number(value).filter(|number| number.is_finite());
                Some(Value::Number(
                    number.ok_or_else(|| Fault::result(name, "infinite or not a number"))? + 0.0,
                ))
            }
        };
        Ok(Answer { value, rolled: outcome.rolled })
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

fn text_of(value: &mlua::Value) -> String {
    value.as_string().map(|text| text.to_string_lossy()).unwrap_or_default()
}

#[cfg(test)]
mod messages;
#[cfg(test)]
mod tests;
