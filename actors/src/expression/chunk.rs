//! The evaluator: a Luau virtual machine of its own that runs the code of a program over a buffer.
//!
//! What is computed is decided here, by dirty bits: a key that changed marks the formulas that read it, and
//! a result that changed marks those that read that. Groups of formulas without a mark are not called.

mod inputs;
mod lists;
mod machine;
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

pub use machine::Code;

use super::script::Failure;
use super::script::calls;
use super::trial::Trial;
use inputs::Inputs;
use lists::Lists;
use machine::Machine;
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
    machine: Machine,
    texts: Rc<RefCell<Texts>>,
    trap: Trap,
    scripting: Scripting,
    /// Whether scripts see keys too.
    is_scripted: bool,
    inputs: Inputs,
    /// By node.
    formulas: Lists<FormulaId>,
    /// By formula, [`NONE`] for one in error.
    nodes: Vec<u32>,
    /// By node.
    kinds: Vec<Kind>,
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
    /// How many groups the last run ran.
    ran: usize,
    errors: Vec<(FormulaId, u32)>,
    panics: Vec<(FormulaId, Arc<str>)>,
}

/// Results of a group that are read one by one; more are read together with all others.
const FEW: u32 = 6;

/// The node of a formula that has none.
const NONE: u32 = u32::MAX;

/// All that an evaluator knows besides its program: with it another one goes on as if it were the same.
#[derive(Clone, Debug)]
pub struct Memory {
    buffer: Vec<u8>,
    texts: texts::Memory,
    inputs: Vec<[u8; 8]>,
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
        Evaluator::built(program, &Code::default(), fps, &mut || ())
    }

    /// The same, with `code` of the same program, which another one may have compiled already, and with a call
    /// of `beat` now and then, since a large panel takes seconds.
    ///
    /// # Errors
    /// If there is not enough memory.
    pub fn built(
        program: Program,
        code: &Code,
        fps: Fps,
        beat: &mut dyn FnMut(),
    ) -> Result<Evaluator, Error> {
        let texts = Rc::new(RefCell::new(Texts::new(program.texts())));
        let trap = Trap::default();
        let scripting = Scripting::default();
        let machine = Machine::new(&program, code, (&texts, &trap, &scripting), beat)?;
        let (groups, nodes) = (program.groups(), program.node_count());
        let node_of = |id| program.node_of(FormulaId(id)).and_then(|node| u32::try_from(node).ok());
        Ok(Evaluator {
            fps,
            machine,
            texts,
            trap,
            scripting,
            is_scripted: false,
            inputs: Inputs::new(&program),
            formulas: (0..nodes).map(|node| program.formulas_of(node)).collect(),
            nodes: (0..program.len() as u32).map(|id| node_of(id).unwrap_or(NONE)).collect(),
            kinds: (0..nodes).map(|node| program.node_kind(node)).collect(),
            dirty: groups.iter().map(|group| low_bits(group.nodes.len())).collect(),
            failed: vec![0; groups.len()],
            disabled: vec![0; groups.len()],
            shown: vec![f64::NAN; nodes],
            changed: vec![0; program.len().div_ceil(64)],
            ran: 0,
            errors: Vec::with_capacity(program.len()),
            panics: Vec::new(),
            program,
        })
    }

    /// What it knows now, between two runs.
    pub fn memory(&self) -> Memory {
        Memory {
            buffer: self.machine.buffer.to_vec(),
            texts: self.texts.borrow().memory(),
            inputs: self.inputs.memory(),
            dirty: self.dirty.clone(),
            failed: self.failed.clone(),
            disabled: self.disabled.clone(),
            shown: self.shown.clone(),
            scripts: self.scripting.memory(),
        }
    }

    /// Goes back to what an evaluator of the same program knew.
    pub fn restore(&mut self, memory: &Memory) {
        let Memory { buffer, texts, inputs, dirty, failed, disabled, shown, scripts } = memory.clone();
        self.scripting.restore(scripts.as_ref());
        self.machine.buffer.write_bytes(0, &buffer);
        self.texts.borrow_mut().restore(&texts);
        self.inputs.restore(&inputs);
        (self.dirty, self.failed, self.shown) = (dirty, failed, shown);
        self.disabled = disabled;
        for group in (0..self.disabled.len()).filter(|group| self.disabled[*group] != 0) {
            // It was loaded before, so that it fits; and what computes a result that is to be left alone does
            // no harm, since nobody takes it.
            let _ = self.machine.install(&self.program, group, self.disabled[group]);
        }
    }

    /// The program that it evaluates.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// Sets the key at this index of the program's keys to a new value, or to none. What depends on it is
    /// computed by the next [`Evaluator::run`]. A text where the key holds numbers counts as no value.
    #[inline]
    pub fn set_key(&mut self, index: usize, value: Option<&Value>) {
        match (self.program.key_kind(index), value) {
            // Most keys of most panels.
            (Some(Kind::Number), Some(Value::Number(n))) if n.is_finite() && !self.is_scripted => {
                // Adding 0 makes 0 of -0, of which formulas see none.
                self.inputs.set_key(index, n + 0.0, &mut self.dirty);
            }
            (Some(kind), value) => self.set_key_of(kind, index, value),
            (None, _) => {}
        }
    }

    fn set_key_of(&mut self, kind: Kind, index: usize, value: Option<&Value>) {
        let new = match (kind, value) {
            (_, None) => f64::NAN,
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
        self.inputs.set_key(index, new, &mut self.dirty);
        // To scripts `true` is another value than 1.
        self.scripting.show_key(index, value, &self.program, &mut self.dirty);
    }

    /// Sets the derived input at this index of [`Program::derived`] to what was found, or to no value. What is too
    /// large for a number is infinite: formulas with it are in error.
    pub fn set_derived(&mut self, index: usize, value: Option<f64>) {
        // Adding 0 makes 0 of -0, of which formulas see none.
        let new = value.map_or(f64::NAN, |n| n + 0.0);
        self.inputs.set_derived(index, new, &mut self.dirty);
    }

    /// Computes what the changes since the last run have touched. A formula that panics is in error from
    /// then on and never computed again: see [`Evaluator::panics`].
    ///
    /// # Errors
    /// If the virtual machine fails, which no formula can bring about. Formulas in error are no error here:
    /// see [`Evaluator::errors`].
    pub fn run(&mut self, tick: Tick) -> Result<(), Error> {
        self.changed.fill(0);
        self.ran = 0;
        self.errors.clear();
        self.panics.clear();
        self.set_builtins(tick);
        self.scripting.begin(tick, &self.program, &mut self.dirty);
        if self.dirty.iter().any(|marks| *marks != 0) {
            self.compute()?;
        }
        self.sweep();
        if self.is_scripted {
            let changed: Vec<_> = self.changed().map(|id| (id, self.value(id))).collect();
            self.scripting.show_values(changed.into_iter(), &self.program, &mut self.dirty);
        }
        Ok(())
    }

    /// The formulas whose [`Evaluator::value`] the last run changed, ascending.
    pub fn changed(&self) -> impl Iterator<Item = FormulaId> + '_ {
        (0u32..)
            .zip(&self.changed)
            .flat_map(|(word, bits)| ones(*bits).map(move |bit| FormulaId(64 * word + bit as u32)))
    }

    /// The formulas that the last run computed, whatever came of it, those that panicked included.
    pub fn computed(&self) -> impl Iterator<Item = FormulaId> + '_ {
        let reports = (0..self.ran).map(|index| self.machine.report(&self.program, index));
        let nodes = reports.flat_map(|report| {
            let first = self.program.groups()[report.group].nodes.start;
            ones(u64::from(report.computed)).map(move |bit| first + bit)
        });
        nodes.flat_map(|node| self.formulas.of(node).iter().copied())
    }

    /// A formula's result, or its last good one if it is in error now. `None` where there is no value.
    #[inline]
    pub fn value(&self, id: FormulaId) -> Option<Value> {
        let node = *self.nodes.get(id.0 as usize)? as usize;
        let lane = *self.shown.get(node)?;
        match self.kinds.get(node)? {
            _ if lane.is_nan() => None,
            Kind::Number => Some(Value::Number(lane)),
            kind => self.text_of(*kind, lane),
        }
    }

    /// What a lane of texts or colours stands for.
    fn text_of(&self, kind: Kind, lane: f64) -> Option<Value> {
        match kind {
            Kind::Number => None,
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

    /// Computes a formula once more, to see how long that takes, and returns whether it did. Right after
    /// [`Evaluator::run`] it comes to what it has come to, so that nothing changes. Left alone are one that
    /// panicked, one that is marked for the next run already, whose result would be lost to it, and one that
    /// calls scripts, which remember their calls.
    ///
    /// # Errors
    /// As [`Evaluator::run`].
    pub fn again(&self, id: FormulaId) -> Result<bool, Error> {
        let Some(node) = self.program.node_of(id) else { return Ok(false) };
        let Some(Dependents { group, mask }) = self.program.place_of_node(node) else { return Ok(false) };
        let group = group as usize;
        let is_marked = (self.disabled[group] | self.dirty[group]) & mask != 0;
        if is_marked || self.program.script_calls().iter().any(|call| call.node as usize == node) {
            return Ok(false);
        }
        self.machine.again(group, mask)?;
        Ok(true)
    }

    /// Bytes that the virtual machine holds.
    pub fn used_bytes(&self) -> usize {
        self.machine.used_bytes()
    }

    /// How often texts were looked up.
    pub fn lookups(&self) -> Lookups {
        self.texts.borrow().lookups()
    }

    /// How many formulas panicked so far.
    pub fn disabled(&self) -> usize {
        let groups = self.program.groups().iter().zip(&self.disabled);
        let nodes =
            groups.flat_map(|(group, mask)| ones(u64::from(*mask)).map(move |bit| group.nodes.start + bit));
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

    /// Compiles up to so many further [codes](Program::codes) to native code, at about 3 ms each and 10 ms at
    /// most: larger ones, of a formula with hundreds of operators, stay interpreted. It returns whether all are
    /// compiled, so that the work can be spread over ticks.
    ///
    /// # Errors
    /// If there is not enough memory.
    pub fn compile_native_step(&mut self, codes: usize) -> Result<bool, Error> {
        Ok(self.machine.compile_native(&self.program, codes, &self.disabled)?.is_last)
    }
}

impl Evaluator {
    /// Has everything computed that is marked, in one call.
    fn compute(&mut self) -> Result<(), Error> {
        self.inputs.flush(&self.machine.buffer);
        let marks: Vec<[u8; 4]> = self.dirty.iter().map(|marks| marks.to_le_bytes()).collect();
        self.machine.buffer.write_bytes(self.program.layout().dirty(0), marks.as_flattened());
        self.dirty.fill(0);
        let groups = self.machine.run()?;
        if let Some(text) = self.trap.take() {
            self.disable(groups, &text.into())?;
        }
        for index in 0..groups {
            self.take(index);
        }
        self.ran = groups;
        Ok(())
    }

    /// Finds those of the nodes computed in this run that panicked, by computing each by itself once more, and
    /// never computes them again. With the same inputs the others come to what they came to.
    fn disable(&mut self, groups: usize, text: &Arc<str>) -> Result<(), Error> {
        for index in 0..groups {
            let report = self.machine.report(&self.program, index);
            let group = report.group;
            let first = self.program.groups()[group].nodes.start;
            for bit in ones(u64::from(report.computed & !self.disabled[group])) {
                self.machine.again(group, 1 << bit)?;
                if self.trap.take().is_some() {
                    self.disabled[group] |= 1 << bit;
                    self.failed[group] |= 1 << bit;
                    self.panics.extend(self.formulas.of(first + bit).iter().map(|id| (*id, text.clone())));
                }
            }
            if self.disabled[group] != 0 {
                self.machine.install(&self.program, group, self.disabled[group])?;
            }
        }
        Ok(())
    }

    #[allow(clippy::cast_precision_loss, reason = "exact for the first hundred thousand years")]
    fn set_builtins(&mut self, tick: Tick) {
        let fps = f64::from(self.fps.per_second());
        let tick = tick.0 as f64;
        for (index, new) in [tick, tick / fps, fps].into_iter().enumerate() {
            if self.inputs.is_read(index) {
                self.inputs.set_builtin(index, new, &mut self.dirty);
            }
        }
    }

    /// Takes the results of a group, by its place in the run.
    fn take(&mut self, index: usize) {
        let report = self.machine.report(&self.program, index);
        let group = report.group;
        let first = self.program.groups()[group].nodes.start;
        let computed = report.computed & !self.disabled[group];
        let failed = report.failed & computed;
        self.failed[group] = self.failed[group] & !computed | failed;
        for bit in ones(u64::from(failed)) {
            self.note(first + bit);
        }
        let good = computed & !failed;
        let at = self.program.layout().node(first);
        if good.count_ones() <= FEW {
            for bit in ones(u64::from(good)) {
                self.show(first + bit, f64::from_le_bytes(self.machine.buffer.read_bytes(at + 8 * bit)));
            }
        } else {
            let lanes = self.machine.buffer.read_bytes::<{ 8 * GROUP }>(at);
            for (bit, lane) in lanes.as_chunks().0.iter().enumerate() {
                if good >> bit & 1 == 1 {
                    self.show(first + bit, f64::from_le_bytes(*lane));
                }
            }
        }
    }

    /// A node's good result. What is the same as before is not told; it may have failed in between.
    fn show(&mut self, node: usize, new: f64) {
        if !same(self.shown[node], new) {
            self.shown[node] = new;
            for id in self.formulas.of(node) {
                self.changed[id.0 as usize / 64] |= 1 << (id.0 % 64);
            }
        }
    }

    /// A node that failed.
    fn note(&mut self, node: usize) {
        let error = self.machine.buffer.read_bytes::<4>(self.program.layout().error(node));
        let site = u32::from_le_bytes(error).wrapping_sub(1);
        // A formula that is only another's name has no sites: the other one reports.
        let formulas = self.formulas.of(node).iter().map(|id| (*id, site));
        let program = &self.program;
        self.errors.extend(formulas.filter(|(id, site)| program.site(*id, *site as usize).is_some()));
    }

    /// Forgets texts that are in no lane any more, when there are many.
    fn sweep(&mut self) {
        let mut texts = self.texts.borrow_mut();
        if !texts.is_crowded() {
            return;
        }
        let keys = self.inputs.keys().enumerate();
        let keys = keys.filter(|(key, _)| self.program.key_kind(*key) == Some(Kind::Text));
        let nodes = (0..self.shown.len()).filter(|node| self.program.node_kind(*node) == Kind::Text);
        let lane =
            |node| f64::from_le_bytes(self.machine.buffer.read_bytes(self.program.layout().node(node)));
        let computed = nodes.clone().map(lane);
        let shown = nodes.map(|node| self.shown[node]);
        texts.keep_only(keys.map(|(_, lane)| lane).chain(computed).chain(shown));
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

#[inline]
fn mark(dirty: &mut [u32], dependents: &[Dependents]) {
    for Dependents { group, mask } in dependents {
        if let Some(marks) = dirty.get_mut(*group as usize) {
            *marks |= mask;
        }
    }
}

/// Marks one node.
fn mark_node(program: &Program, dirty: &mut [u32], node: u32) {
    let group = program.groups().partition_point(|group| group.nodes.end <= node as usize);
    if let (Some(Group { nodes, .. }), Some(dirty)) = (program.groups().get(group), dirty.get_mut(group)) {
        *dirty |= 1 << (node as usize - nodes.start);
    }
}

/// The number at the start of some bytes.
fn lane(bytes: &[u8]) -> f64 {
    bytes.first_chunk().map_or(f64::NAN, |bytes| f64::from_le_bytes(*bytes))
}

/// The 32 bits at the start of some bytes.
fn little(bytes: &[u8]) -> u32 {
    bytes.first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes))
}

fn low_bits(count: usize) -> u32 {
    u32::MAX.checked_shr((GROUP - count) as u32).unwrap_or(0)
}

/// The places of the bits that are set, ascending.
fn ones(bits: u64) -> impl Iterator<Item = usize> {
    let rest = std::iter::successors(Some(bits), |bits| Some(bits & bits.wrapping_sub(1)));
    rest.take_while(|bits| *bits != 0).map(|bits| bits.trailing_zeros() as usize)
}

#[cfg(test)]
mod folding;
#[cfg(test)]
mod loading;
#[cfg(test)]
mod random;
#[cfg(test)]
mod reference;
#[cfg(test)]
mod tests;
