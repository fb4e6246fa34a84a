//! A virtual machine for one script: Luau with a budget, a limit of memory and a clock, in which nothing
//! outside can be reached and nothing runs away. What its functions in C may do at once is bounded by
//! `prelude.luau`.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use mlua::chunk::{ChunkMode, Compiler};
use mlua::{Function, IntoLuaMulti, Lua, LuaOptions, StdLib, Table, Value, VmState};

use super::state::Plain;
use super::{Limits, Trouble};
use crate::supervisor::panics;
use crate::world::{self, Stopwatch};

/// What all scripts are given instead of Luau's own functions.
const PRELUDE: &str = include_str!("prelude.luau");

/// What the prelude is called where its functions are part of an error.
pub(super) const PRELUDE_NAME: &str = "sandbox";

/// The clock is looked at once in so many interrupts; a pause of the outline has as many.
const LOOK_EVERY: u64 = 16;

/// How far up a place in the script is looked for.
const LEVELS_MAX: usize = 40;

/// The compiler would call these directly, past what the prelude puts in their place.
const REPLACED: [&str; 21] = [
    "setmetatable",
    "string.sub",
    "tostring",
    "unpack",
    "table.unpack",
    "string.byte",
    "math.acos",
    "math.asin",
    "math.atan",
    "math.atan2",
    "math.cos",
    "math.cosh",
    "math.exp",
    "math.log",
    "math.log10",
    "math.pow",
    "math.sin",
    "math.sinh",
    "math.tan",
    "math.tanh",
    "math.lerp",
];

/// A function of one number.
type OfOne = fn(f64) -> f64;

/// What one argument is computed to by functions that have to give the same bits everywhere.
const MATH: [(&str, OfOne); 11] = [
    ("acos", libm::acos),
    ("asin", libm::asin),
    ("atan", libm::atan),
    ("cos", libm::cos),
    ("cosh", libm::cosh),
    ("exp", libm::exp),
    ("log10", libm::log10),
    ("sin", libm::sin),
    ("sinh", libm::sinh),
    ("tan", libm::tan),
    ("tanh", libm::tanh),
];

/// For what is not the script's own doing.
const UNLIMITED: Limits =
    Limits { budget: u64::MAX, tick_budget: u64::MAX, memory: usize::MAX, backstop: Duration::MAX };

/// What calls may leave uncollected before a collection between two of them, in bytes: that takes about a
/// third of a millisecond.
const LEFT_MAX: usize = 512 << 10;

/// How often it is collected while a call runs. Who fills the memory and lets go of it more often than that is
/// ended, since it would be the clock that ends it otherwise.
const COLLECTED_MAX: u32 = 2;

/// How much later the clock ends a call for each byte that it was given: to put a long text together is one step,
/// however long it is. So who fills the memory is ended by that, on slow machines too, and not now and then by the
/// clock.
const NANOS_PER_BYTE: u64 = 5;

/// How memory is judged. What counts is what is alive, but to know that takes a collection, and what calls
/// before this one have left, or how the heap has come to lie, must not decide. So a machine collects nothing
/// while a script runs. Mostly that is enough, and what fits so fits in any case. A call that needs more is
/// run again in a new machine, where all that happens is the same in every run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Judged {
    /// What was let go of counts as well, and a sixteenth less than the limit is given.
    Roughly,
    /// What is alive counts: where all together is a quarter more than the limit, the rest is collected.
    Exactly,
}

impl Judged {
    /// The most that the machine's allocator gives, in bytes.
    fn given(self, limit: usize) -> usize {
        match self {
            Judged::Roughly => limit - limit / 16,
            // Between two steps a script may take as much again before anybody looks.
            Judged::Exactly => Judged::full(limit).saturating_add(limit),
        }
    }

    /// Where an exact machine collects.
    fn full(limit: usize) -> usize {
        limit.saturating_add(limit / 4)
    }
}

/// A virtual machine.
pub(super) struct Machine {
    lua: Lua,
    gauge: Rc<Gauge>,
    limits: Limits,
    environment: Function,
    seal: Function,
    run: Function,
    run_shown: Function,
    /// The steps of the last call.
    steps: Cell<u64>,
    /// The steps of all that was done within limits.
    all_steps: Cell<u64>,
    /// What was used when it had just collected.
    settled: Cell<usize>,
    /// Whether the clock may end calls.
    is_timed: Cell<bool>,
}

/// How a call went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) trouble: Trouble,
    pub(super) line: Option<u32>,
    pub(super) message: String,
    /// Whether it was the clock that ended it, which may come out differently another time.
    pub(super) by_clock: bool,
}

/// What a call came to.
pub(super) struct Outcome {
    /// A plain value: none, a number, a truth value or a text.
    pub(super) value: Value,
    /// What it is if it is something else.
    pub(super) other: Option<String>,
}

/// What a call has used.
#[derive(Default)]
struct Gauge {
    limits: Cell<Limits>,
    spent: Cell<u64>,
    /// When to look at limits next.
    look_at: Cell<u64>,
    /// The limit of what is alive, where that is judged exactly.
    alive: Cell<Option<usize>>,
    /// How often it was collected since the call began.
    collected: Cell<u32>,
    /// What was used when the call began, less what was collected since: what is used beyond it was given to the
    /// call.
    used_before: Cell<isize>,
    watch: Cell<Option<Stopwatch>>,
    /// What the thread had worked when the call was late first.
    late_at: Cell<Option<Duration>>,
    trip: Cell<Option<Trip>>,
}

/// A limit that was broken. From then on the script runs no further, whatever it catches.
#[derive(Clone, Copy)]
struct Trip {
    trouble: Trouble,
    line: Option<u32>,
    by_clock: bool,
}

impl Machine {
    /// A machine in which the functions of `host` can be called by their names: `make` creates them. Each
    /// answers with a value and, where it is refused, a problem.
    ///
    /// # Errors
    /// If there is not enough memory.
    pub(super) fn new(
        limits: Limits,
        judged: Judged,
        make: impl FnOnce(&Lua) -> mlua::Result<Table>,
    ) -> Result<Machine, Fault> {
        Machine::build(limits, judged, make).map_err(|error| Fault::of_host(&error))
    }

    fn build(
        limits: Limits,
        judged: Judged,
        make: impl FnOnce(&Lua) -> mlua::Result<Table>,
    ) -> mlua::Result<Machine> {
        let libraries =
            StdLib::COROUTINE | StdLib::TABLE | StdLib::STRING | StdLib::UTF8 | StdLib::BIT | StdLib::MATH;
        let lua = Lua::new_with(libraries | StdLib::DEBUG, LuaOptions::default())?;
        lua.enable_jit(false);
        let gauge = Rc::new(Gauge::default());
        let at = gauge.clone();
        lua.set_interrupt(move |lua| at.spend(lua, 1).map(|()| VmState::Continue));
        let prelude = lua.load(PRELUDE).set_name(format!("={PRELUDE_NAME}")).set_mode(ChunkMode::Text);
        let host = make(&lua)?;
        gauge.begin(UNLIMITED, &lua);
        let (environment, seal, run, run_shown) = prelude.call((charge(&lua, &gauge)?, math(&lua)?, host))?;
        lua.sandbox(true)?;
        collect(&lua)?;
        lua.set_memory_limit(judged.given(limits.memory))?;
        gauge.alive.set((judged == Judged::Exactly).then_some(limits.memory));
        let settled = Cell::new(lua.used_memory());
        let (steps, all_steps, is_timed) = (Cell::new(0), Cell::new(0), Cell::new(true));
        Ok(Machine {
            lua,
            gauge,
            limits,
            environment,
            seal,
            run,
            run_shown,
            steps,
            all_steps,
            settled,
            is_timed,
        })
    }

    /// Whether calls have left so much that it is time to [`Machine::tidy`].
    pub(super) fn is_untidy(&self) -> bool {
        let left = self.lua.used_memory().saturating_sub(self.settled.get());
        left > LEFT_MAX.min(self.limits.memory / 8)
    }

    /// Collects what calls have left.
    pub(super) fn tidy(&self) -> Result<(), Fault> {
        self.guard(None, || collect(&self.lua))?;
        self.settled.set(self.lua.used_memory());
        Ok(())
    }

    /// Plain data for the script.
    pub(super) fn value(&self, plain: &Plain) -> Result<Value, Fault> {
        plain.given(&self.lua).map_err(|error| Fault::of_host(&error))
    }

    /// Compiles a script's text, which its errors call `name`. It is not run yet.
    pub(super) fn compile(&self, name: &str, text: &str) -> Result<Function, Fault> {
        let compiler = Compiler::new().set_mutable_globals(["state"]).set_disabled_builtins(REPLACED);
        let environment = self.environment(None)?;
        let chunk = self.lua.load(text).set_name(format!("={name}")).set_mode(ChunkMode::Text);
        let chunk = chunk.set_compiler(compiler).set_environment(environment);
        self.guard(None, || chunk.into_function())
    }

    /// A new environment with this `state`.
    pub(super) fn environment(&self, state: Option<Table>) -> Result<Table, Fault> {
        let environment: Table = self.guard(Some(self.limits), || self.environment.call(state))?;
        environment.set_safeenv(true);
        Ok(environment)
    }

    /// Makes an environment, and what can be reached from it, read-only.
    pub(super) fn seal(&self, environment: &Table) -> Result<(), Fault> {
        self.guard(Some(self.limits), || self.seal.call::<()>(environment.clone()))?;
        environment.set_readonly(true);
        Ok(())
    }

    /// Calls a function of the script's with random numbers from `seed`.
    pub(super) fn call(
        &self,
        seed: i32,
        function: &Function,
        arguments: impl IntoLuaMulti,
    ) -> Result<Outcome, Fault> {
        self.ended(&self.run, seed, function, arguments)
    }

    /// The same, with all results as one text.
    pub(super) fn call_shown(
        &self,
        seed: i32,
        function: &Function,
        arguments: impl IntoLuaMulti,
    ) -> Result<Outcome, Fault> {
        self.ended(&self.run_shown, seed, function, arguments)
    }

    /// Says whether the clock may end calls from now on.
    pub(super) fn time(&self, is_timed: bool) {
        self.is_timed.set(is_timed);
    }

    /// Interrupts of the last call, and bytes that are used now.
    pub(super) fn used(&self) -> (u64, usize) {
        (self.steps.get(), self.lua.used_memory())
    }

    /// The steps of all that was done within limits so far.
    pub(super) fn all_steps(&self) -> u64 {
        self.all_steps.get()
    }

    fn ended(
        &self,
        run: &Function,
        seed: i32,
        function: &Function,
        arguments: impl IntoLuaMulti,
    ) -> Result<Outcome, Fault> {
        let ended = self.guard(Some(self.limits), || {
            let mut all = (seed, function.clone()).into_lua_multi(&self.lua)?;
            all.extend(arguments.into_lua_multi(&self.lua)?);
            run.call::<(bool, Value, Value, Option<String>)>(all)
        });
        self.steps.set(self.gauge.spent.get());
        match ended? {
            (true, _, value, other) => Ok(Outcome { value, other }),
            (false, line, problem, other) => Err(Fault::raised(&line, &problem, other)),
        }
    }

    /// Does `work` within `limits`, if there are any, and says what became of it.
    fn guard<T>(&self, limits: Option<Limits>, work: impl FnOnce() -> mlua::Result<T>) -> Result<T, Fault> {
        let (limits, counts) = (limits.unwrap_or(UNLIMITED), limits.is_some());
        let backstop = if self.is_timed.get() { limits.backstop } else { Duration::MAX };
        self.gauge.begin(Limits { backstop, ..limits }, &self.lua);
        let done = panics::catch(work);
        let trip = self.gauge.trip.take();
        self.gauge.watch.set(None);
        if counts {
            self.all_steps.set(self.all_steps.get().saturating_add(self.gauge.spent.get()));
        }
        match (trip, done) {
            (Some(trip), _) => Err(trip.fault(&self.limits)),
            (None, Ok(Ok(done))) => Ok(done),
            (None, Ok(Err(error))) => Err(Fault::of(&error, &self.limits)),
            (None, Err(panic)) => {
                tracing::debug!(panic, "a script's virtual machine gave up");
                Err(Fault::plain(Trouble::Memory, out_of_memory(&self.limits)))
            }
        }
    }
}

impl Fault {
    fn plain(trouble: Trouble, message: impl Into<String>) -> Fault {
        Fault { trouble, line: None, message: message.into(), by_clock: false }
    }

    /// Whether it may be that memory ran out, and that there would be enough in a new machine. What handles
    /// errors may have had none left.
    pub(super) fn is_of_memory(&self) -> bool {
        self.trouble == Trouble::Memory || self.message.starts_with(IN_HANDLING)
    }

    fn raised(line: &Value, problem: &Value, other: Option<String>) -> Fault {
        let line = super::host::number(line).map(|line| line as u32);
        match problem {
            Value::String(text) if *text == OUT_OF_MEMORY => {
                Fault { line, ..Fault::plain(Trouble::Memory, "there is not enough memory") }
            }
            Value::String(text) => Fault { line, ..Fault::plain(Trouble::Runtime, text.to_string_lossy()) },
            _ => {
                let what = other.unwrap_or_else(|| "nil".into());
                let message = format!("an error was raised that is no text, but: {what}");
                Fault { line, ..Fault::plain(Trouble::Runtime, message) }
            }
        }
    }

    /// Something that only a lack of memory can bring about.
    pub(super) fn of_host(error: &mlua::Error) -> Fault {
        match error {
            mlua::Error::MemoryError(_) => Fault::plain(Trouble::Memory, "there is not enough memory"),
            other => Fault::plain(Trouble::Runtime, other.to_string()),
        }
    }

    /// What the clock ended in `line`.
    pub(super) fn late(limits: &Limits, line: u32) -> Fault {
        Trip { trouble: Trouble::Timeout, line: Some(line), by_clock: true }.fault(limits)
    }

    pub(super) fn missing(name: &str) -> Fault {
        Fault::plain(Trouble::Runtime, format!("there is no function `{name}` in this script"))
    }

    pub(super) fn refused(message: String) -> Fault {
        Fault::plain(Trouble::Runtime, message)
    }

    pub(super) fn result(name: &str, what: &str) -> Fault {
        let message = format!("`{name}` returned what is no value for a formula: {what}");
        Fault::plain(Trouble::Runtime, message)
    }

    fn of(error: &mlua::Error, limits: &Limits) -> Fault {
        match error {
            mlua::Error::SyntaxError { message, .. } => Fault::plain(Trouble::Syntax, message.clone()),
            mlua::Error::MemoryError(_) => Fault::plain(Trouble::Memory, out_of_memory(limits)),
            mlua::Error::RuntimeError(message) if message.starts_with(OUT_OF_MEMORY) => {
                Fault::plain(Trouble::Memory, out_of_memory(limits))
            }
            other => {
                let said = other.to_string();
                let said = said.split("\nstack traceback:").next().unwrap_or_default();
                Fault::plain(Trouble::Runtime, said.strip_prefix("runtime error: ").unwrap_or(said))
            }
        }
    }
}

/// What Luau says when there is no more memory.
const OUT_OF_MEMORY: &str = "not enough memory";

/// What Luau says when handling an error fails as well.
const IN_HANDLING: &str = "error in error handling";

/// Collects all that is not alive, and nothing further of its own accord: Luau's collector goes by the clock.
fn collect(lua: &Lua) -> mlua::Result<()> {
    let collected = lua.gc_collect();
    lua.gc_stop();
    collected
}

fn out_of_memory(limits: &Limits) -> String {
    format!("it needs more than {} bytes of memory", limits.memory)
}

impl Trip {
    fn fault(self, limits: &Limits) -> Fault {
        let Trip { trouble, line, by_clock } = self;
        let message = match trouble {
            Trouble::Memory => out_of_memory(limits),
            _ if by_clock => format!("it took longer than {} ms", limits.backstop.as_millis()),
            _ => format!("it took more than its budget of {} steps", limits.budget),
        };
        Fault { trouble, line, message, by_clock }
    }
}

impl Gauge {
    fn begin(&self, limits: Limits, lua: &Lua) {
        self.limits.set(limits);
        self.spent.set(0);
        self.collected.set(0);
        self.used_before.set(lua.used_memory().cast_signed());
        self.trip.set(None);
        self.watch.set(Some(Stopwatch::start()));
        self.late_at.set(None);
        let every = if self.alive.get().is_some() { 1 } else { LOOK_EVERY };
        self.look_at.set(every.min(limits.budget.saturating_add(1)));
    }

    /// Called at each interrupt: at loops, calls and steps of patterns.
    fn spend(&self, lua: &Lua, units: u64) -> mlua::Result<()> {
        let spent = self.spent.get().saturating_add(units);
        self.spent.set(spent);
        if spent < self.look_at.get() { Ok(()) } else { self.look(lua, spent) }
    }

    #[cold]
    fn look(&self, lua: &Lua, spent: u64) -> mlua::Result<()> {
        let budget = self.limits.get().budget;
        if self.trip.get().is_some() {
            return Err(stopped());
        }
        if spent > budget {
            return self.stop(lua, Trouble::Timeout, false);
        }
        if self.is_late(lua) {
            return self.stop(lua, Trouble::Timeout, true);
        }
        let every = match self.alive.get() {
            None => LOOK_EVERY,
            Some(limit) if lua.used_memory() <= Judged::full(limit) => 1,
            Some(limit) => {
                let before = lua.used_memory();
                collect(lua)?;
                let freed = before.saturating_sub(lua.used_memory()).cast_signed();
                self.used_before.set(self.used_before.get() - freed);
                let collected = self.collected.get() + 1;
                self.collected.set(collected);
                if lua.used_memory() > limit || collected > COLLECTED_MAX {
                    return self.stop(lua, Trouble::Memory, false);
                }
                1
            }
        };
        self.look_at.set(spent.saturating_add(every).min(budget.saturating_add(1)));
        Ok(())
    }

    /// Whether it is for the clock to end the call.
    fn is_late(&self, lua: &Lua) -> bool {
        let (backstop, Some(watch)) = (self.limits.get().backstop, self.watch.get()) else { return false };
        let elapsed = watch.elapsed();
        if elapsed <= backstop {
            return false;
        }
        let given = lua.used_memory().cast_signed().saturating_sub(self.used_before.get());
        let more = NANOS_PER_BYTE.saturating_mul(given.max(0).cast_unsigned() as u64);
        let backstop = backstop.saturating_add(Duration::from_nanos(more));
        elapsed > backstop && self.is_busy(backstop)
    }

    /// Whether a late call is late by its own doing: a machine that has much else to do makes any call late,
    /// and a script must not come out differently there. So it may work half the time again.
    fn is_busy(&self, backstop: Duration) -> bool {
        let worked = world::worked();
        match self.late_at.get() {
            Some(late_at) => worked.saturating_sub(late_at) > backstop / 2,
            None => {
                self.late_at.set(Some(worked));
                false
            }
        }
    }

    fn stop(&self, lua: &Lua, trouble: Trouble, by_clock: bool) -> mlua::Result<()> {
        if self.trip.get().is_none() {
            self.trip.set(Some(Trip { trouble, line: line_of(lua), by_clock }));
            // Whatever the script catches, its next step ends it again.
            self.look_at.set(0);
        }
        Err(stopped())
    }
}

fn stopped() -> mlua::Error {
    mlua::Error::RuntimeError("stopped".into())
}

/// The line of the script that runs.
fn line_of(lua: &Lua) -> Option<u32> {
    let place = |level| {
        lua.inspect_stack(level, |debug| {
            let is_own = debug.source().short_src.is_some_and(|source| source != PRELUDE_NAME);
            let line = debug.current_line().filter(|line| *line > 0)?;
            is_own.then_some(line)
        })
    };
    let line = (0..LEVELS_MAX).map_while(place).flatten().next()?;
    u32::try_from(line).ok()
}

/// What the prelude calls for work in C: it costs budget too. At -1 memory has run out, and at -2 it may have:
/// where that is judged roughly, that is enough to look again.
fn charge(lua: &Lua, gauge: &Rc<Gauge>) -> mlua::Result<Function> {
    let at = gauge.clone();
    lua.create_function(move |lua, units: f64| match units {
        0.0.. => at.spend(lua, units as u64),
        -2.0 if at.alive.get().is_some() => Ok(()),
        _ => at.stop(lua, Trouble::Memory, false),
    })
}

fn math(lua: &Lua) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    for (name, compute) in MATH {
        table.set(name, lua.create_function(move |_, x: f64| Ok(compute(x)))?)?;
    }
    table.set("atan2", lua.create_function(|_, (y, x): (f64, f64)| Ok(libm::atan2(y, x)))?)?;
    table.set("pow", lua.create_function(|_, (x, y): (f64, f64)| Ok(libm::pow(x, y)))?)?;
    table.set("lerp", lua.create_function(|_, (a, b, t): (f64, f64, f64)| Ok(lerp(a, b, t)))?)?;
    let log = |_: &Lua, (x, base): (f64, Option<f64>)| {
        Ok(match base {
            None => libm::log(x),
            Some(2.0) => libm::log2(x),
            Some(10.0) => libm::log10(x),
            Some(base) => libm::log(x) / libm::log(base),
        })
    };
    table.set("log", lua.create_function(log)?)?;
    Ok(table)
}

/// Without the fused operation that Luau's own uses.
fn lerp(a: f64, b: f64, t: f64) -> f64 {
    if t == 1.0 { b } else { a + (b - a) * t }
}
