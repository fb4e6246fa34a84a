//! What scripts can reach outside of themselves: the panel's keys and values, the tick, and a log.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use engine::diagnostic::nearest;
use engine::formula::Kind;
use engine::paint::Color;
use engine::ring::intake::TEXT_BYTES_MAX;
use engine::signal::{self, Act, Signal};
use engine::tick::{Fps, Tick};
use engine::value::Value;
use mlua::{Lua, Table};

/// The most lines that a script logs within a second of ticks; what is more is counted.
const LOGGED_MAX: u32 = 20;

/// The most that handlers do in one call.
const ACTS_MAX: usize = 32;

/// A function that scripts are given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Given {
    /// Its name.
    pub name: &'static str,
    /// Its signature, as in the definitions for editors.
    pub signature: &'static str,
    /// What it does.
    pub description: &'static str,
    /// Whether it acts, which handlers alone may do.
    pub acts: bool,
}

/// All of them. The definitions file and the manual are held against this table.
pub const GIVEN: [Given; 10] = [
    Given {
        name: "get",
        signature: "(name: string): any",
        description: "The newest value of a key, or of a named value as of the end of the last tick; nil where there is none.",
        acts: false,
    },
    Given { name: "tick", signature: "(): number", description: "The number of the tick.", acts: false },
    Given { name: "time", signature: "(): number", description: "Seconds since tick 0.", acts: false },
    Given { name: "fps", signature: "(): number", description: "Ticks a second.", acts: false },
    Given {
        name: "rgb",
        signature: "(red: number, green: number, blue: number, alpha: number?): color",
        description: "A colour of parts from 0 to 255.",
        acts: false,
    },
    Given {
        name: "log",
        signature: "(...: any)",
        description: "Writes a line to the log, twenty a second at most.",
        acts: false,
    },
    Given {
        name: "set",
        signature: "(name: string, value: number | string | boolean)",
        description: "Gives the key `script.NAME` a value, from the next tick on.",
        acts: true,
    },
    Given {
        name: "start",
        signature: "(animation: string)",
        description: "Starts an animation at the next tick.",
        acts: true,
    },
    Given {
        name: "stop",
        signature: "(animation: string)",
        description: "Stops an animation at the next tick.",
        acts: true,
    },
    Given {
        name: "signal",
        signature: "(name: string, facts: {[string]: number | string | boolean}?)",
        description: "Sends a signal, which triggers receive at the next tick.",
        acts: true,
    },
];

/// What scripts see of the panel. What they read of it is noted.
#[derive(Debug, Default)]
pub struct View {
    names: BTreeMap<String, u32>,
    values: RefCell<Vec<Option<Value>>>,
    tick: Cell<Tick>,
    fps: Fps,
    reads: RefCell<Vec<u32>>,
    /// By key and value: what it holds, where that is known.
    kinds: Vec<Option<Kind>>,
    /// By script: since when, and how much, it has logged.
    logged: RefCell<BTreeMap<String, (Tick, u32)>>,
    /// Whether nothing is logged.
    is_quiet: bool,
    /// What handlers can use and have done; `None` for functions.
    acting: Option<Acting>,
}

/// What handlers can start and stop, and what they have done since that was last asked for.
#[derive(Debug, Default)]
struct Acting {
    animations: Vec<String>,
    acts: RefCell<Vec<Signal>>,
}

/// What a script reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Read {
    /// The tick's number.
    Tick,
    /// A key, or behind the keys a named value.
    Value(u32),
}

const TICK: u32 = u32::MAX;

impl View {
    /// A view of these keys, by their full names, and of these named values. A key's bare last part is a name
    /// too where it is clear which one is meant.
    ///
    /// ```
    /// use actors::expression::script::View;
    /// use engine::tick::Fps;
    /// let view = View::new(["room.celsius", "room.humidity", "attic.humidity"], ["dew"], Fps::default());
    /// let index = |name| view.index(name);
    /// assert_eq!((index("celsius"), index("attic.humidity"), index("dew")), (Some(0), Some(2), Some(3)));
    /// assert_eq!((index("humidity"), index("pressure")), (None, None));
    /// ```
    pub fn new<'a>(
        keys: impl IntoIterator<Item = &'a str>,
        values: impl IntoIterator<Item = &'a str>,
        fps: Fps,
    ) -> View {
        let keys: Vec<&str> = keys.into_iter().collect();
        let mut names = BTreeMap::new();
        let mut bare = BTreeMap::<&str, Option<u32>>::new();
        for (index, key) in (0..).zip(&keys) {
            names.insert((*key).to_string(), index);
            let last = key.rsplit('.').next().unwrap_or(key);
            bare.entry(last).and_modify(|one| *one = None).or_insert(Some(index));
        }
        for (name, index) in bare {
            if let Some(index) = index {
                names.entry(name.into()).or_insert(index);
            }
        }
        let first = keys.len() as u32;
        let mut count = first;
        for (index, value) in (first..).zip(values) {
            names.insert(value.into(), index);
            count = index + 1;
        }
        let (values, kinds) = (RefCell::new(vec![None; count as usize]), vec![None; count as usize]);
        View { names, values, kinds, fps, ..View::default() }
    }

    /// The same, knowing what keys and behind them values hold. Colours are then numbers, as scripts have
    /// them, whatever was sent.
    #[must_use]
    pub fn with_kinds(mut self, kinds: impl IntoIterator<Item = Option<Kind>>) -> View {
        for (slot, kind) in self.kinds.iter_mut().zip(kinds) {
            *slot = kind;
        }
        self
    }

    /// The same, but nothing is logged.
    #[must_use]
    pub fn quiet(self) -> View {
        View { is_quiet: true, ..self }
    }

    /// The same for handlers, which may start and stop these animations.
    pub(super) fn for_handlers(self, animations: Vec<String>) -> View {
        View { acting: Some(Acting { animations, ..Acting::default() }), ..self }
    }

    /// How many keys and values it shows.
    pub(super) fn len(&self) -> usize {
        self.values.borrow().len()
    }

    /// All keys and values, in their order.
    pub(super) fn all(&self) -> Vec<Option<Value>> {
        self.values.borrow().clone()
    }

    /// What handlers have done since this was last asked for.
    pub(super) fn take_acts(&self) -> Vec<Signal> {
        self.acting.as_ref().map_or(Vec::new(), |acting| std::mem::take(&mut *acting.acts.borrow_mut()))
    }

    /// Takes note of something to be done, `of` what it can be done with.
    fn act(&self, of: impl FnOnce(&Acting) -> Result<Signal, String>) -> Answered {
        let Some(acting) = &self.acting else {
            return refused("handlers alone can do this: on_event and on_tick");
        };
        if acting.acts.borrow().len() >= ACTS_MAX {
            return refused(format!("a handler does {ACTS_MAX} things at once and no more"));
        }
        match of(acting) {
            Ok(signal) => {
                acting.acts.borrow_mut().push(signal);
                (mlua::Value::Nil, None)
            }
            Err(problem) => refused(problem),
        }
    }

    /// What sets the key `script.NAME`.
    fn setting(&self, name: &str, value: &mlua::Value) -> Result<Signal, String> {
        let name = name.strip_prefix("script.").unwrap_or(name);
        if let Some(problem) = self.undeclared(name) {
            return Err(problem);
        }
        let value = plain(value, "a value")?;
        let key = format!("script.{name}");
        let kind = self.names.get(&key).and_then(|index| self.kinds.get(*index as usize).copied().flatten());
        match (kind, &value) {
            (Some(Kind::Number), Value::Text(_)) => {
                return Err(format!(
                    "`{key}` holds numbers, and this is a text: declare it with `kind = \"text\"`"
                ));
            }
            (Some(Kind::Text), Value::Number(_) | Value::Bool(_)) => {
                let what = if matches!(value, Value::Bool(_)) { "a truth value" } else { "a number" };
                return Err(format!("`{key}` holds texts, and this is {what}: write tostring(\u{2026})"));
            }
            _ => {}
        }
        Signal::acting(Act::Set(name, &value)).map_err(|problem| problem.to_string())
    }
}

impl Acting {
    /// What starts or stops an animation.
    fn moving(&self, name: &str, starts: bool) -> Result<Signal, String> {
        if !self.animations.iter().any(|known| known == name) {
            let near = nearest(name, self.animations.iter().map(String::as_str));
            let hint = near.first().map_or(String::new(), |near| format!("; did you mean `{near}`?"));
            return Err(format!("there is no animation `{name}`{hint}"));
        }
        let act = if starts { Act::Start(name) } else { Act::Stop(name) };
        Signal::acting(act).map_err(|problem| problem.to_string())
    }
}

impl View {
    /// The index of a key or value by its name: keys come first, in their order.
    pub fn index(&self, name: &str) -> Option<u32> {
        self.names.get(name).copied()
    }

    /// Shows a new value of a key or value. Returns whether it is another one than before.
    pub fn show(&self, index: u32, value: Option<Value>) -> bool {
        let is_color = self.kinds.get(index as usize).is_some_and(|kind| *kind == Some(Kind::Color));
        let value = if is_color { value.as_ref().and_then(packed) } else { value };
        let mut values = self.values.borrow_mut();
        let Some(slot) = values.get_mut(index as usize) else { return false };
        let is_same = match (&*slot, &value) {
            (Some(old), Some(new)) => old.same(new),
            (old, new) => old.is_none() && new.is_none(),
        };
        *slot = value;
        !is_same
    }

    /// Shows a new tick.
    pub fn begin(&self, tick: Tick) {
        self.tick.set(tick);
    }

    /// The tick that it shows.
    pub fn tick(&self) -> Tick {
        self.tick.get()
    }

    /// What was read since this was last asked for, ascending, each once.
    pub fn take_reads(&self) -> Vec<Read> {
        let mut reads = std::mem::take(&mut *self.reads.borrow_mut());
        reads.sort_unstable();
        reads.dedup();
        reads.into_iter().map(|read| if read == TICK { Read::Tick } else { Read::Value(read) }).collect()
    }

    /// Notes what was read before.
    pub(super) fn note_all(&self, reads: &[Read]) {
        for read in reads {
            match read {
                Read::Tick => self.note(TICK),
                Read::Value(index) => self.note(*index),
            }
        }
    }

    fn note(&self, read: u32) {
        let mut reads = self.reads.borrow_mut();
        // A loop reads the same again and again.
        if reads.last() != Some(&read) {
            reads.push(read);
            if reads.len().is_power_of_two() && reads.len() > 64 {
                reads.sort_unstable();
                reads.dedup();
            }
        }
    }

    fn read(&self, name: &str) -> Result<Option<Value>, String> {
        let index = self.index(name).ok_or_else(|| self.unknown(name).unwrap_or_default())?;
        self.note(index);
        Ok(self.values.borrow().get(index as usize).cloned().flatten())
    }

    /// What is to be said of a name that is no key's and no value's.
    pub(super) fn unknown(&self, name: &str) -> Option<String> {
        if self.names.contains_key(name) {
            return None;
        }
        let near = nearest(name, self.names.keys().map(String::as_str));
        let hint = near.first().map_or(String::new(), |near| format!("; did you mean `{near}`?"));
        Some(format!("there is no key or value `{name}`{hint}"))
    }

    /// What is to be said of a name that handlers set, where no such key is declared.
    pub(super) fn undeclared(&self, name: &str) -> Option<String> {
        let key = format!("script.{}", name.strip_prefix("script.").unwrap_or(name));
        if self.names.contains_key(&key) {
            return None;
        }
        let near = nearest(&key, self.names.keys().map(String::as_str));
        let near = near.iter().find_map(|near| near.strip_prefix("script."));
        let hint = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
        Some(format!("there is no key `{key}`: declare it in `[keys]`{hint}"))
    }

    /// Whether a script may log another line. Where it is the first too many, that is told.
    fn may_log(&self, script: &str) -> bool {
        if self.is_quiet {
            return false;
        }
        let mut logged = self.logged.borrow_mut();
        let (since, count) = logged.get(script).copied().unwrap_or_default();
        let now = self.tick();
        let is_new = now < since || now.since(since) >= u64::from(self.fps.per_second());
        let (since, count) = if is_new { (now, 0) } else { (since, count) };
        logged.insert(script.into(), (since, count.saturating_add(1)));
        if count == LOGGED_MAX {
            tracing::warn!(
                script,
                "a script logs more than {LOGGED_MAX} lines a second; the others are left out"
            );
        }
        count < LOGGED_MAX
    }
}

/// A value for a script.
pub(super) fn value(lua: &Lua, value: &Value) -> mlua::Result<mlua::Value> {
    match value {
        Value::Number(number) => Ok(mlua::Value::Number(*number)),
        Value::Bool(truth) => Ok(mlua::Value::Boolean(*truth)),
        Value::Text(text) => lua.create_string(text.as_bytes()).map(mlua::Value::String),
    }
}

/// A number of the script's.
pub(super) fn number(value: &mlua::Value) -> Option<f64> {
    match value {
        mlua::Value::Integer(number) => Some(*number as f64),
        mlua::Value::Number(number) => Some(*number),
        _ => None,
    }
}

/// What scripts call the type of a value.
fn type_of(value: &mlua::Value) -> &'static str {
    if number(value).is_some() { "number" } else { value.type_name() }
}

type Answered = (mlua::Value, Option<String>);

fn refused(problem: impl Into<String>) -> Answered {
    (mlua::Value::Nil, Some(problem.into()))
}

/// The functions that scripts are given, as the prelude takes them.
pub(super) fn functions(lua: &Lua, view: &Rc<View>, script: &str) -> mlua::Result<Table> {
    let host = lua.create_table()?;
    let at = view.clone();
    let get = move |lua: &Lua, name: mlua::Value| -> mlua::Result<Answered> {
        let Some(name) = name.as_string().map(|name| name.to_string_lossy()) else {
            return Ok(refused(format!(
                "write the name of a key or value as a text, not a {}",
                type_of(&name)
            )));
        };
        Ok(match at.read(&name) {
            Ok(None) => (mlua::Value::Nil, None),
            Ok(Some(read)) => (value(lua, &read)?, None),
            Err(problem) => refused(problem),
        })
    };
    host.set("get", lua.create_function(get)?)?;
    let at = view.clone();
    let tick = move |_: &Lua, ()| {
        at.note(TICK);
        Ok(at.tick().0 as f64)
    };
    host.set("tick", lua.create_function(tick)?)?;
    let at = view.clone();
    let time = move |_: &Lua, ()| {
        at.note(TICK);
        Ok(at.tick().0 as f64 / f64::from(at.fps.per_second()))
    };
    host.set("time", lua.create_function(time)?)?;
    let fps = f64::from(view.fps.per_second());
    let at = view.clone();
    let roll = move |_: &Lua, ()| {
        at.note(TICK);
        Ok(())
    };
    host.set("roll", lua.create_function(roll)?)?;
    host.set("fps", lua.create_function(move |_, ()| Ok(fps))?)?;
    host.set("rgb", lua.create_function(|_, parts: (Part, Part, Part, Part)| Ok(rgb(parts)))?)?;
    let (at, script) = (view.clone(), script.to_string());
    let log = move |_: &Lua, text: mlua::LuaString| {
        if at.may_log(&script) {
            let text = super::plain(&text.to_string_lossy());
            tracing::info!(script, "{text}");
        }
        Ok(())
    };
    host.set("log", lua.create_function(log)?)?;
    acting(lua, view, &host)?;
    Ok(host)
}

/// The functions that handlers alone may call.
fn acting(lua: &Lua, view: &Rc<View>, host: &Table) -> mlua::Result<()> {
    let at = view.clone();
    let set = move |_: &Lua, (name, value): (mlua::Value, mlua::Value)| {
        Ok(at.act(|_| at.setting(&name_in(&name)?, &value)))
    };
    host.set("set", lua.create_function(set)?)?;
    for (called, starts) in [("start", true), ("stop", false)] {
        let at = view.clone();
        let moving =
            move |_: &Lua, name: mlua::Value| Ok(at.act(|acting| acting.moving(&name_in(&name)?, starts)));
        host.set(called, lua.create_function(moving)?)?;
    }
    let at = view.clone();
    let signal = move |_: &Lua, (name, facts): (mlua::Value, mlua::Value)| {
        Ok(at.act(|_| {
            let is_right = facts.is_nil() || facts.is_table();
            let problem = || format!("facts are a table of names and values, not a {}", type_of(&facts));
            is_right.then_some(()).ok_or_else(problem)?;
            signalling(&name_in(&name)?, facts.as_table())
        }))
    };
    host.set("signal", lua.create_function(signal)?)
}

fn name_in(name: &mlua::Value) -> Result<String, String> {
    let text = name.as_string().map(|name| name.to_string_lossy());
    text.ok_or_else(|| format!("write a name as a text, not a {}", type_of(name)))
}

fn signalling(name: &str, facts: Option<&Table>) -> Result<Signal, String> {
    let mut known = BTreeMap::new();
    if let Some(facts) = facts {
        for pair in facts.pairs::<mlua::Value, mlua::Value>().take(signal::FACTS_MAX + 1) {
            let (name, value) = pair.map_err(|error| error.to_string())?;
            let value = plain(&value, "a fact")?;
            known.insert(name_in(&name)?, value);
        }
    }
    Signal::new(name, known).map_err(|problem| problem.to_string())
}

/// A value that can be sealed, which is `what`.
fn plain(value: &mlua::Value, what: &str) -> Result<Value, String> {
    match value {
        mlua::Value::Boolean(truth) => Ok(Value::Bool(*truth)),
        mlua::Value::String(text) => {
            let text = text.to_str().map_err(|_| format!("{what} is a text that is no UTF-8"))?;
            if text.len() > TEXT_BYTES_MAX {
                return Err(format!("{what} is a text of more than {TEXT_BYTES_MAX} bytes"));
            }
            Ok(Value::from(&*text))
        }
        other => number(other)
            .filter(|number| number.is_finite())
            .map(Value::Number)
            .ok_or_else(|| format!("{what} is a finite number, a text, true or false")),
    }
}

/// A colour as scripts have it, 0xRRGGBBAA, of a text or a number that is one.
fn packed(value: &Value) -> Option<Value> {
    match value {
        Value::Text(text) => Color::parse(text).map(|color| Value::Number(f64::from(color.pack()))),
        Value::Number(_) => Some(value.clone()),
        Value::Bool(_) => None,
    }
}

/// Whether a number is a colour, 0xRRGGBBAA.
pub(super) fn is_color(color: f64) -> bool {
    (0.0..=f64::from(u32::MAX)).contains(&color) && color % 1.0 == 0.0
}

type Part = Option<mlua::Value>;

/// A colour as a number, 0xRRGGBBAA.
fn rgb((red, green, blue, alpha): (Part, Part, Part, Part)) -> Answered {
    let mut color = 0.0;
    let alpha = alpha.filter(|alpha| !alpha.is_nil()).unwrap_or(mlua::Value::Number(255.0));
    for part in [red, green, blue, Some(alpha)] {
        let number = part.as_ref().and_then(self::number).filter(|number| number.is_finite());
        let Some(number) = number else {
            return refused("each part of a colour is a number from 0 to 255");
        };
        color = color * 256.0 + libm::round(number.clamp(0.0, 255.0));
    }
    (mlua::Value::Number(color), None)
}
