//! How formulas call scripts' functions: lanes become values and back, and what a function has read marks the
//! formulas that call it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use engine::diagnostic::Diagnostic;
use engine::formula::{FormulaId, Kind, Problem, Program, ScriptCall, Site};
use engine::script::{Ended, Script};
use engine::tick::Tick;
use engine::value::Value;

use super::texts::Texts;
use super::{Evaluator, mark_node};
use crate::expression::script::calls::{Called, Calls};
use crate::expression::script::library::renewal::Used;
use crate::expression::script::{Failure, Library};

/// The scripts that an evaluator's formulas call, once there are any.
#[derive(Clone, Default)]
pub(super) struct Scripting(Rc<RefCell<Option<Attached>>>);

struct Attached {
    calls: Calls,
    sites: Vec<ScriptCall>,
    /// By formula: the index of the named value that it is, behind the keys, to scripts.
    named: Vec<Option<usize>>,
}

impl Scripting {
    /// What the generated code calls: the number of a call, and the lanes of its arguments. It answers NaN
    /// for no value, and an infinity where the call failed.
    pub(super) fn call(&self, texts: &RefCell<Texts>, lanes: &[f64]) -> f64 {
        let mut attached = self.0.borrow_mut();
        let (Some(attached), Some((number, lanes))) = (attached.as_mut(), lanes.split_first()) else {
            return f64::INFINITY;
        };
        let number = *number as u32;
        let Some(site) = attached.sites.get(number as usize) else { return f64::INFINITY };
        let value = |(lane, kind): (&f64, &Kind)| match kind {
            _ if lane.is_nan() => None,
            Kind::Text => texts.borrow().get(*lane).map(Value::Text),
            Kind::Number | Kind::Color => Some(Value::Number(*lane)),
        };
        let arguments: Vec<_> = lanes.iter().zip(&site.arguments).map(value).collect();
        match attached.calls.answer(number, &arguments) {
            None => f64::INFINITY,
            Some(None) => f64::NAN,
            Some(Some(Value::Text(text))) => texts.borrow_mut().intern(&text),
            Some(Some(value)) => value.number().map_or(f64::NAN, |number| number + 0.0),
        }
    }

    fn with<T>(&self, work: impl FnOnce(&mut Attached) -> T) -> Option<T> {
        self.0.borrow_mut().as_mut().map(work)
    }

    /// What is to be known of the calls.
    pub(super) fn memory(&self) -> Option<crate::expression::script::calls::Memory> {
        self.with(|attached| attached.calls.memory())
    }

    pub(super) fn restore(&self, memory: Option<&crate::expression::script::calls::Memory>) {
        if let Some(memory) = memory {
            self.with(|attached| attached.calls.restore(memory));
        }
    }

    /// Shows scripts a new tick, and marks what depends on it.
    pub(super) fn begin(&self, tick: Tick, program: &Program, dirty: &mut [u32]) {
        self.with(|Attached { calls, sites, .. }| {
            calls.begin(tick, |site| mark_node(program, dirty, sites[site as usize].node));
        });
    }

    /// Shows scripts a new value of a key, and marks what has read it.
    pub(super) fn show_key(&self, index: usize, value: Option<&Value>, program: &Program, dirty: &mut [u32]) {
        self.with(|Attached { calls, sites, .. }| {
            calls.show(index, value.cloned(), |site| mark_node(program, dirty, sites[site as usize].node));
        });
    }

    /// Shows scripts new results of named values, and marks what has read them: for the next tick.
    pub(super) fn show_values(
        &self,
        changed: impl Iterator<Item = (FormulaId, Option<Value>)>,
        program: &Program,
        dirty: &mut [u32],
    ) {
        self.with(|Attached { calls, sites, named }| {
            for (id, value) in changed {
                if let Some(index) = named.get(id.0 as usize).copied().flatten() {
                    calls.show(index, value, |site| mark_node(program, dirty, sites[site as usize].node));
                }
            }
        });
    }
}

impl Evaluator {
    /// The same with scripts whose functions its formulas call. `values` are the named values that scripts
    /// can read, in the order in which `calls` has them behind the keys.
    #[must_use]
    pub fn with_scripts(mut self, calls: Calls, values: impl IntoIterator<Item = FormulaId>) -> Evaluator {
        let mut named = vec![None; self.program().len()];
        for (index, id) in (self.program().key_count()..).zip(values) {
            if let Some(slot) = named.get_mut(id.0 as usize) {
                *slot = Some(index);
            }
        }
        let sites = self.program().script_calls().to_vec();
        *self.scripting.0.borrow_mut() = Some(Attached { calls, sites, named });
        self.is_scripted = true;
        self
    }

    /// What the function of a script said that made a formula fail.
    pub fn script_problem(&self, id: FormulaId) -> Option<Arc<str>> {
        let node = self.program().node_of(id)?;
        let attached = self.scripting.0.borrow();
        let attached = attached.as_ref()?;
        let sites = (0..).zip(&attached.sites).filter(|(_, site)| site.node as usize == node);
        sites.filter_map(|(number, _)| attached.calls.problem(number).cloned()).next()
    }

    /// What is wrong where a formula failed at a place.
    pub(crate) fn diagnostic(&self, id: FormulaId, site: &Site) -> Diagnostic {
        let problem = site.diagnostic(self.program().text(id));
        let said = (site.problem == Problem::Script).then(|| self.script_problem(id)).flatten();
        Diagnostic { message: said.map_or(problem.message, |said| said.to_string()), ..problem }
    }

    /// What failed in scripts since this was last asked for.
    pub fn take_script_failures(&mut self) -> Vec<Failure> {
        self.scripting.with(|attached| attached.calls.take_failures()).unwrap_or_default()
    }

    /// Goes over to other texts of scripts: what calls them is computed by the next [`Evaluator::run`], and
    /// nothing that they came to before is remembered. Returns the scripts as they are then; `None` where
    /// formulas call none.
    ///
    /// # Errors
    /// Why the texts are not taken up; then all is as before.
    pub fn reload_scripts(&mut self, scripts: &[Script], used: &[Used]) -> Result<Option<Library>, String> {
        let mut attached = self.scripting.0.borrow_mut();
        let Some(Attached { calls, sites, .. }) = attached.as_mut() else { return Ok(None) };
        let library = calls.library().renewed(scripts, used).map_err(|refusal| refusal.to_string())?;
        let (program, dirty) = (&self.program, &mut self.dirty);
        let mark = |site: u32| mark_node(program, dirty, sites[site as usize].node);
        calls.reload(&library, mark).map_err(|failure| failure.to_string())?;
        Ok(Some(library))
    }

    /// The scripts that formulas call now; `None` where they call none.
    pub fn script_library(&self) -> Option<Library> {
        self.scripting.with(|attached| attached.calls.library().clone())
    }

    /// Says what the clock may do in the next run: end calls of scripts where it `is_timed`, and in any case
    /// those that are `expected` to end.
    pub fn time_scripts(&mut self, is_timed: bool, expected: &[Ended]) {
        self.scripting.with(|attached| attached.calls.time(is_timed, expected));
    }

    /// The calls of scripts that the clock has ended since this was last asked for.
    pub fn take_ended(&mut self) -> Vec<Ended> {
        self.scripting.with(|attached| attached.calls.take_ended()).unwrap_or_default()
    }

    /// What the functions of scripts have come to, by function; nothing of those that were not called yet.
    pub fn script_calls(&self) -> BTreeMap<usize, Called> {
        self.scripting.with(|attached| attached.calls.called()).unwrap_or_default()
    }

    /// The bytes that scripts hold.
    pub fn script_bytes(&self) -> usize {
        self.scripting.with(|attached| attached.calls.used_bytes()).unwrap_or_default()
    }
}
