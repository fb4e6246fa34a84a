//! The evaluator: a Luau virtual machine of its own that runs the code of a program over a buffer.
//!
//! What is computed is decided here, by dirty bits: a key that changed marks the formulas that read it, and
//! a result that changed marks those that read that. Groups of formulas without a mark are not called.

mod scripting;
mod texts;
mod trampoline;

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use engine::diagnostic::Diagnostic;
use engine::formula::lower::GROUP;
use engine::formula::{Dependents, FormulaId, Group, Kind, Program, Site};
use engine::paint::{Color, Lookups};
use engine::tick::{Fps, Tick};
use engine::value::Value;
#[cfg(test)]
use engine::{
    diagnostic::Severity,
    formula::{Entry, Environment, Key, compile},
};
use mlua::{Buffer, Function, Lua, LuaOptions, StdLib};

use super::script::Failure;
use super::script::calls;
use super::trial::Trial;
use scripting::Scripting;
use texts::Texts;
use trampoline::Trap;

/// The virtual machine could not be set up or failed: out of memory, or a defect of the program.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the formulas' virtual machine failed: {0}")]
pub struct Error(String);

impl From<mlua::Error> for Error {
    fn from(error: mlua::Error) -> Error {
        Error(error.to_string())
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Error {
        Error(failure.to_string())
    }
}

/// Evaluates all formulas of a program, each at most once a tick and only where an input changed.
///
/// ```
/// use actors::expression::chunk::Evaluator;
/// use engine::formula::{Entry, Environment, FormulaId, Key, Kind, compile};
/// use engine::tick::{Fps, Tick};
/// use engine::value::Value;
///
/// let keys = [Key { name: "system.cpu".into(), kind: Kind::Number }];
/// let compiled = compile(&[Entry { name: None, text: "cpu / 100" }], &Environment::of(&keys));
/// let mut evaluator = Evaluator::new(compiled.program, Fps::default())?;
/// evaluator.run(Tick(0))?;
/// assert_eq!(evaluator.value(FormulaId(0)), None);
/// evaluator.set_key(0, Some(&Value::Number(25.0)));
/// evaluator.run(Tick(1))?;
/// assert_eq!(evaluator.value(FormulaId(0)), Some(Value::Number(0.25)));
/// # Ok::<(), actors::expression::chunk::Error>(())
/// ```
pub struct Evaluator {
    program: Program,
    fps: Fps,
    lua: Lua,
    buffer: Buffer,
    /// By group.
    functions: Vec<Function>,
    native: usize,
    texts: Rc<RefCell<Texts>>,
    trap: Trap,
    scripting: Scripting,
    /// What is in the lanes of the keys.
    keys: Vec<f64>,
    /// What is in the lanes of the derived inputs.
    derived: Vec<f64>,
    builtins: [f64; 3],
    /// By group, a bit a node: what has to be computed.
    dirty: Vec<u32>,
    /// By group, a bit a node: what failed when it was last computed.
    failed: Vec<u32>,
    /// By group, a bit a node: what panicked and is never computed again.
    disabled: Vec<u32>,
    /// By node: the last good result.
    shown: Vec<f64>,
    /// A bit a formula.
    changed: Vec<u64>,
    errors: Vec<(FormulaId, u32)>,
    panics: Vec<(FormulaId, Arc<str>)>,
}

/// All that an evaluator knows besides its program: with it another one goes on as if it were the same.
#[derive(Clone, Debug)]
pub struct Memory {
    buffer: Vec<u8>,
    texts: texts::Memory,
    keys: Vec<f64>,
    /// What is in the lanes of the derived inputs.
    derived: Vec<f64>,
    builtins: [f64; 3],
    dirty: Vec<u32>,
    failed: Vec<u32>,
    disabled: Vec<u32>,
    shown: Vec<f64>,
    scripts: Option<calls::Memory>,
}

impl Evaluator {
    /// Builds the virtual machine. Everything is interpreted until [`Evaluator::compile_native`].
    ///
    /// # Errors
    /// If there is not enough memory.
    pub fn new(program: Program, fps: Fps) -> Result<Evaluator, Error> {
        Evaluator::built(program, fps, &mut || ())
    }

    /// The same, with a call of `beat` after each of its parts, since a large panel takes seconds.
    ///
    /// # Errors
    /// If there is not enough memory.
    pub fn built(program: Program, fps: Fps, beat: &mut dyn FnMut()) -> Result<Evaluator, Error> {
        let lua = Lua::new_with(StdLib::MATH | StdLib::BIT | StdLib::BUFFER, LuaOptions::default())?;
        lua.enable_jit(false);
        let texts = Rc::new(RefCell::new(Texts::new(program.texts())));
        let layout = program.layout();
        let buffer = lua.create_buffer_with_capacity(layout.len())?;
        for lane in (0..layout.error(0)).step_by(8) {
            buffer.write_bytes(lane, &f64::NAN.to_le_bytes());
        }
        lua.globals().set("B", &buffer)?;
        let trap = Trap::default();
        let scripting = Scripting::default();
        trampoline::register(&lua, &texts, &trap, &scripting)?;
        lua.sandbox(true)?;
        let mut evaluator = Evaluator {
            fps,
            buffer,
            functions: Vec::with_capacity(program.groups().len()),
            native: 0,
            texts,
            trap,
            scripting,
            keys: vec![f64::NAN; program.key_count()],
            derived: vec![f64::NAN; program.derived().len()],
            builtins: [f64::NAN; 3],
            dirty: program.groups().iter().map(|group| low_bits(group.nodes.len())).collect(),
            failed: vec![0; program.groups().len()],
            disabled: vec![0; program.groups().len()],
            shown: vec![f64::NAN; program.node_count()],
            changed: vec![0; program.len().div_ceil(64)],
            errors: Vec::with_capacity(program.len()),
            panics: Vec::new(),
            lua,
            program,
        };
        for group in 0..evaluator.program.groups().len() {
            let function = evaluator.load(group)?;
            evaluator.functions.push(function);
            beat();
        }
        Ok(evaluator)
    }

    /// What it knows now, between two runs.
    pub fn memory(&self) -> Memory {
        Memory {
            buffer: self.buffer.to_vec(),
            texts: self.texts.borrow().memory(),
            keys: self.keys.clone(),
            derived: self.derived.clone(),
            builtins: self.builtins,
            dirty: self.dirty.clone(),
            failed: self.failed.clone(),
            disabled: self.disabled.clone(),
            shown: self.shown.clone(),
            scripts: self.scripting.memory(),
        }
    }

    /// Goes back to what an evaluator of the same program knew.
    pub fn restore(&mut self, memory: &Memory) {
        let Memory { buffer, texts, keys, derived, builtins, dirty, failed, disabled, shown, scripts } =
            memory.clone();
        self.scripting.restore(scripts.as_ref());
        self.buffer.write_bytes(0, &buffer);
        self.texts.borrow_mut().restore(&texts);
        (self.keys, self.derived, self.builtins) = (keys, derived, builtins);
        (self.dirty, self.shown) = (dirty, shown);
        (self.failed, self.disabled) = (failed, disabled);
    }

    /// The program that it evaluates.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// Sets the key at this index of the program's keys to a new value, or to none. What depends on it is
    /// computed by the next [`Evaluator::run`]. A text where the key holds numbers counts as no value.
    pub fn set_key(&mut self, index: usize, value: Option<&Value>) {
        let (Some(kind), Some(old)) = (self.program.key_kind(index), self.keys.get_mut(index)) else {
            return;
        };
        let new = match (kind, value) {
            (_, None) => f64::NAN,
            // Adding 0 makes 0 of -0, of which formulas see none.
            (Kind::Number, Some(value)) => {
                value.number().filter(|n| n.is_finite()).map_or(f64::NAN, |n| n + 0.0)
            }
            (Kind::Text, Some(Value::Text(text))) => self.texts.borrow_mut().intern(text),
            (Kind::Text, Some(other)) => self.texts.borrow_mut().intern(&other.to_string()),
            (Kind::Color, Some(value)) => {
                let color = if let Value::Text(text) = value { Color::parse(text) } else { None };
                color.map_or(f64::NAN, |color| f64::from(color.pack()))
            }
        };
        if !same(*old, new) {
            *old = new;
            self.buffer.write_bytes(self.program.layout().key(index), &new.to_le_bytes());
            mark(&mut self.dirty, self.program.dependents_of_key(index));
            self.scripting.show_key(index, value, &self.program, &mut self.dirty);
        }
    }

    /// Sets the derived input at this index of [`Program::derived`] to what was found, or to no value.
    pub fn set_derived(&mut self, index: usize, value: Option<f64>) {
        let Some(old) = self.derived.get_mut(index) else { return };
        // Adding 0 makes 0 of -0, of which formulas see none.
        let new = value.filter(|n| n.is_finite()).map_or(f64::NAN, |n| n + 0.0);
        if !same(*old, new) {
            *old = new;
            self.buffer.write_bytes(self.program.layout().derived(index), &new.to_le_bytes());
            mark(&mut self.dirty, self.program.dependents_of_derived(index));
        }
    }

    /// Computes what the changes since the last run have touched. A formula that panics is in error from
    /// then on and never computed again: see [`Evaluator::panics`].
    ///
    /// # Errors
    /// If the virtual machine fails, which no formula can bring about. Formulas in error are no error here:
    /// see [`Evaluator::errors`].
    pub fn run(&mut self, tick: Tick) -> Result<(), Error> {
        self.changed.fill(0);
        self.errors.clear();
        self.panics.clear();
        self.set_builtins(tick);
        self.scripting.begin(tick, &self.program, &mut self.dirty);
        for group in 0..self.functions.len() {
            let dirty = std::mem::take(&mut self.dirty[group]) & !self.disabled[group];
            if dirty != 0 {
                let (changed, failed, computed) = self.functions[group].call::<(u32, u32, u32)>(dirty)?;
                if let Some(text) = self.trap.take() {
                    self.disable(group, computed, &text.into())?;
                }
                let able = !self.disabled[group];
                self.take(group, changed & able, failed & able, computed & able);
            }
        }
        self.sweep();
        if self.scripting.is_attached() {
            let changed: Vec<_> = self.changed().map(|id| (id, self.value(id))).collect();
            self.scripting.show_values(changed.into_iter(), &self.program, &mut self.dirty);
        }
        Ok(())
    }

    /// The formulas whose [`Evaluator::value`] the last run changed, ascending.
    pub fn changed(&self) -> impl Iterator<Item = FormulaId> + '_ {
        (0u32..).zip(&self.changed).flat_map(|(word, bits)| {
            std::iter::successors(Some(*bits), |bits| Some(bits & bits.wrapping_sub(1)))
                .take_while(|bits| *bits != 0)
                .map(move |bits| FormulaId(64 * word + bits.trailing_zeros()))
        })
    }

    /// A formula's result, or its last good one if it is in error now. `None` where there is no value.
    pub fn value(&self, id: FormulaId) -> Option<Value> {
        let node = self.program.node_of(id)?;
        let lane = *self.shown.get(node)?;
        match self.program.node_kind(node) {
            _ if lane.is_nan() => None,
            Kind::Number => Some(Value::Number(lane)),
            Kind::Text => self.texts.borrow().get(lane).map(Value::Text),
            Kind::Color => Some(Value::Text(trampoline::color(lane).to_string().into())),
        }
    }

    /// Whether a formula was in error when it was last computed.
    pub fn is_failing(&self, id: FormulaId) -> bool {
        self.program.node_of(id).is_some_and(|node| {
            let groups = self.program.groups();
            let group = groups.partition_point(|group| group.nodes.end <= node);
            groups.get(group).is_some_and(|g| self.failed[group] >> (node - g.nodes.start) & 1 == 1)
        })
    }

    /// Whether a condition holds: its value is a number other than 0, and it is not in error.
    pub fn holds(&self, id: FormulaId) -> bool {
        let lane = self.program.node_of(id).and_then(|node| self.shown.get(node));
        lane.is_some_and(|lane| *lane != 0.0 && !lane.is_nan()) && !self.is_failing(id)
    }

    /// The formulas that the last run computed and found in error, each with the place where.
    pub fn errors(&self) -> impl Iterator<Item = (FormulaId, &Site)> + '_ {
        self.errors.iter().filter_map(|(id, site)| Some((*id, self.program.site(*id, *site as usize)?)))
    }

    /// The formulas that the last run found to panic, each with the panic's text. They keep their last good
    /// result, and are [failing](Evaluator::is_failing) for good.
    pub fn panics(&self) -> &[(FormulaId, Arc<str>)] {
        &self.panics
    }

    /// Computes a formula once more, to see how long that takes. Right after [`Evaluator::run`] it comes to
    /// what it has come to, so that nothing changes. One that panicked is left alone.
    ///
    /// # Errors
    /// As [`Evaluator::run`].
    pub fn again(&self, id: FormulaId) -> Result<(), Error> {
        let Some(node) = self.program.node_of(id) else { return Ok(()) };
        let groups = self.program.groups();
        let group = groups.partition_point(|group| group.nodes.end <= node);
        if let (Some(Group { nodes, .. }), Some(function)) = (groups.get(group), self.functions.get(group)) {
            let bit = 1u32 << (node - nodes.start);
            if self.disabled[group] & bit == 0 {
                function.call::<(u32, u32, u32)>(bit)?;
            }
        }
        Ok(())
    }

    /// Bytes that the virtual machine holds.
    pub fn used_bytes(&self) -> usize {
        self.lua.used_memory()
    }

    /// How often texts were looked up.
    pub fn lookups(&self) -> Lookups {
        self.texts.borrow().lookups()
    }

    /// How many formulas panicked so far.
    pub fn disabled(&self) -> usize {
        let groups = self.program.groups().iter().zip(&self.disabled);
        let nodes = groups.flat_map(|(group, mask)| bits(*mask).map(move |bit| group.nodes.start + bit));
        nodes.map(|node| self.program.formulas_of(node).len()).sum()
    }

    /// Compiles everything to native code. The results stay the same, bit for bit.
    ///
    /// # Errors
    /// If there is not enough memory.
    pub fn compile_native(&mut self) -> Result<(), Error> {
        while !self.compile_native_step(GROUP)? {}
        Ok(())
    }

    /// Compiles up to so many further groups of formulas to native code, at about 3 ms each. It returns
    /// whether all are compiled, so that the work can be spread over ticks.
    ///
    /// # Errors
    /// If there is not enough memory.
    pub fn compile_native_step(&mut self, groups: usize) -> Result<bool, Error> {
        self.lua.enable_jit(true);
        let end = self.functions.len().min(self.native + groups);
        for group in self.native..end {
            self.functions[group] = self.load(group)?;
        }
        self.native = end;
        Ok(end == self.functions.len())
    }
}

impl Evaluator {
    fn load(&self, group: usize) -> Result<Function, Error> {
        let code = self.program.groups()[group].code.as_str();
        Ok(self.lua.load(code).set_name("=formulas").into_function()?.call(())?)
    }

    /// Finds those of the nodes `computed` that panicked, by computing each by itself once more, and never
    /// computes them again: others see no value. With the same inputs the others come to what they came to.
    fn disable(&mut self, group: usize, computed: u32, text: &Arc<str>) -> Result<(), Error> {
        let first = self.program.groups()[group].nodes.start;
        for bit in bits(computed & !self.disabled[group]) {
            self.functions[group].call::<(u32, u32, u32)>(1u32 << bit)?;
            if self.trap.take().is_some() {
                self.disabled[group] |= 1 << bit;
                self.failed[group] |= 1 << bit;
                mark(&mut self.dirty, self.program.dependents_of_node(first + bit));
                let formulas = self.program.formulas_of(first + bit).iter();
                self.panics.extend(formulas.map(|id| (*id, text.clone())));
            }
        }
        Ok(())
    }

    #[allow(clippy::cast_precision_loss, reason = "exact for the first hundred thousand years")]
    fn set_builtins(&mut self, tick: Tick) {
        let fps = f64::from(self.fps.per_second());
        let tick = tick.0 as f64;
        for (index, new) in [tick, tick / fps, fps].into_iter().enumerate() {
            let dependents = self.program.dependents_of_builtin(index);
            if !dependents.is_empty() && !same(self.builtins[index], new) {
                self.builtins[index] = new;
                self.buffer.write_bytes(self.program.layout().builtin(index), &new.to_le_bytes());
                mark(&mut self.dirty, dependents);
            }
        }
    }

    /// Takes the results of a group.
    fn take(&mut self, group: usize, changed: u32, failed: u32, computed: u32) {
        let first = self.program.groups()[group].nodes.start;
        // What had failed and now has no value has the same lane as before, but is to be shown anew.
        let recovered = self.failed[group] & computed & !failed;
        self.failed[group] = self.failed[group] & !computed | failed;
        for bit in bits(failed) {
            let error = self.buffer.read_bytes::<4>(self.program.layout().error(first + bit));
            let site = u32::from_le_bytes(error).wrapping_sub(1);
            // A formula that is only another's name has no sites: the other one reports.
            let formulas = self.program.formulas_of(first + bit).iter();
            self.errors.extend(
                formulas
                    .map(|id| (*id, site))
                    .filter(|(id, site)| self.program.site(*id, *site as usize).is_some()),
            );
        }
        if changed | recovered == 0 {
            return;
        }
        let lanes = self.buffer.read_bytes::<{ 8 * GROUP }>(self.program.layout().node(first));
        for bit in bits(changed | recovered) {
            let node = first + bit;
            mark(&mut self.dirty, self.program.dependents_of_node(node));
            let Some(bytes) = lanes[8 * bit..].first_chunk() else { continue };
            let lane = f64::from_le_bytes(*bytes);
            if failed >> bit & 1 == 0 && !same(self.shown[node], lane) {
                self.shown[node] = lane;
                for id in self.program.formulas_of(node) {
                    self.changed[id.0 as usize / 64] |= 1 << (id.0 % 64);
                }
            }
        }
    }

    /// Forgets texts that are in no lane any more, when there are many.
    fn sweep(&mut self) {
        let mut texts = self.texts.borrow_mut();
        if !texts.is_crowded() {
            return;
        }
        let keys =
            self.keys.iter().enumerate().filter(|(key, _)| self.program.key_kind(*key) == Some(Kind::Text));
        let nodes = (0..self.shown.len()).filter(|node| self.program.node_kind(*node) == Kind::Text);
        let lane = |node| f64::from_le_bytes(self.buffer.read_bytes(self.program.layout().node(node)));
        let computed = nodes.clone().map(lane);
        let shown = nodes.map(|node| self.shown[node]);
        texts.keep_only(keys.map(|(_, lane)| *lane).chain(computed).chain(shown));
    }
}

/// Evaluates one formula with the given variables, through the very same path as all others.
///
/// A variable without a value is known, but has none. The result is `None` where there is no value.
///
/// # Errors
/// What is wrong with the formula, warnings included; an error at run time is placed in the text like any
/// other.
///
/// ```
/// use actors::expression::chunk::evaluate;
/// use engine::value::Value;
/// let variables = [("cpu".into(), Some(Value::Number(90.0)))];
/// assert_eq!(evaluate("if(cpu > 80, 'hot', 'fine')", &variables), Ok(Some(Value::from("hot"))));
/// assert_eq!(evaluate("1 / (cpu - 90)", &variables).unwrap_err()[0].span, 0..14);
/// ```
pub fn evaluate(text: &str, variables: &[(String, Option<Value>)]) -> Result<Option<Value>, Vec<Diagnostic>> {
    Trial { text, variables, ..Trial::default() }.run()
}

/// Whether both are the same number or both no value.
fn same(a: f64, b: f64) -> bool {
    a == b || a.is_nan() && b.is_nan()
}

fn mark(dirty: &mut [u32], dependents: &[Dependents]) {
    for dependent in dependents {
        dirty[dependent.group as usize] |= dependent.mask;
    }
}

/// Marks one node.
fn mark_node(program: &Program, dirty: &mut [u32], node: u32) {
    let group = program.groups().partition_point(|group| group.nodes.end <= node as usize);
    if let (Some(Group { nodes, .. }), Some(dirty)) = (program.groups().get(group), dirty.get_mut(group)) {
        *dirty |= 1 << (node as usize - nodes.start);
    }
}

fn low_bits(count: usize) -> u32 {
    u32::MAX.checked_shr((GROUP - count) as u32).unwrap_or(0)
}

/// The places of the bits that are set, ascending.
fn bits(mask: u32) -> impl Iterator<Item = usize> {
    (0..GROUP).filter(move |bit| mask >> bit & 1 == 1)
}

#[cfg(test)]
mod folding;
#[cfg(test)]
mod random;
#[cfg(test)]
mod reference;
#[cfg(test)]
mod tests;
