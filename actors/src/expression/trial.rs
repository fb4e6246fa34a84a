//! A formula that is evaluated by itself, apart from any panel: on the command line, in a browser, in tests.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use engine::diagnostic::{Diagnostic, Severity};
use engine::formula::{Compiled, Entry, Environment, FormulaId, Key, Kind, compile};
use engine::sample::{SourceId, SourceState};
use engine::tick::{Fps, Tick};
use engine::value::Value;
use engine::window::{KeyFacts, Windows};

use super::chunk::{Error, Evaluator};
use super::script::Library;
use super::script::calls::Calls;

/// The most ticks of a trial: more than an hour of 60 a second.
pub const TICKS_MAX: u64 = 1_000_000;

/// What time it is at the first tick of a trial, as Unix time in milliseconds. Only ages count from it.
const NOW_MS: i64 = 1_800_000_000_000;

/// A formula and all that it needs.
///
/// ```
/// use actors::expression::trial::Trial;
/// use engine::value::Value;
/// let variables = [("cpu".to_string(), Some(Value::Number(90.0)))];
/// let trial = Trial { text: "if(cpu > 80, 'hot', 'fine')", variables: &variables, ..Trial::default() };
/// assert_eq!(trial.run(), Ok(Some(Value::from("hot"))));
/// let samples = [("cpu".to_string(), vec![(2.0, 50.0), (1.0, 60.0)])].into();
/// let trial = Trial { text: "avg(cpu, 1m)", samples: &samples, ..Trial::default() };
/// assert_eq!(trial.run(), Ok(Some(Value::Number(55.0))));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Trial<'a> {
    /// The formula.
    pub text: &'a str,
    /// Keys and what they hold. To a window that is one sample, which has just come, unless the key has
    /// `samples`.
    pub variables: &'a [(String, Option<Value>)],
    /// Keys and what they held: ages in seconds and numbers, in the order of their arrival. What is not among
    /// the `variables` holds the youngest of its samples.
    pub samples: &'a BTreeMap<String, Vec<(f64, f64)>>,
    /// What is known by name besides keys.
    pub constants: &'a [(String, Value)],
    /// How the sources of keys are doing, where that is known.
    pub states: &'a BTreeMap<String, SourceState>,
    /// The tick at which it begins, to which the ages of samples and values belong.
    pub first: Tick,
    /// It is evaluated at so many ticks, at least at one and at most at [`TICKS_MAX`]; the last one counts.
    pub ticks: u64,
    /// Ticks a second.
    pub fps: Fps,
    /// What scripts' dice begin with.
    pub seed: u64,
    /// The scripts whose functions it may call.
    pub library: &'a Library,
}

impl Default for Trial<'_> {
    fn default() -> Self {
        static NO_SAMPLES: BTreeMap<String, Vec<(f64, f64)>> = BTreeMap::new();
        static NO_STATES: BTreeMap<String, SourceState> = BTreeMap::new();
        static NO_SCRIPTS: LazyLock<Library> = LazyLock::new(Library::default);
        let (samples, states, library) = (&NO_SAMPLES, &NO_STATES, &NO_SCRIPTS);
        let (text, variables, constants) = ("", &[][..], &[][..]);
        let (first, ticks, fps, seed) = (Tick(0), 1, Fps::default(), 0);
        Trial { text, variables, samples, constants, states, first, ticks, fps, seed, library }
    }
}

impl Trial<'_> {
    /// The keys whose pasts it asks for, as far as the formula is right.
    pub fn asks(&self) -> BTreeSet<String> {
        let held = self.held();
        let keys = keys(&held);
        let compiled = self.compiled(&keys);
        let asked = compiled.program.derived().iter().filter_map(|asked| held.get(asked.key as usize));
        asked.map(|(name, _)| (*name).to_string()).collect()
    }

    /// What is hardly meant as it is written: the warnings of a formula without errors.
    pub fn warnings(&self) -> Vec<Diagnostic> {
        let problems = self.compiled(&keys(&self.held())).problems.into_iter().map(|(_, problem)| problem);
        problems.filter(|problem| problem.severity == Severity::Warning).collect()
    }

    fn compiled(&self, keys: &[Key]) -> Compiled {
        let (constants, scripts) = (self.constants, &*self.library.functions);
        let environment = Environment { constants, scripts, fps: self.fps, ..Environment::of(keys) };
        compile(&[Entry { name: None, text: self.text }], &environment)
    }

    /// The formula's result.
    ///
    /// # Errors
    /// All that is wrong with the formula, or why it fails.
    pub fn run(&self) -> Result<Option<Value>, Vec<Diagnostic>> {
        let held = self.held();
        let keys = keys(&held);
        let compiled = self.compiled(&keys);
        let problems: Vec<Diagnostic> = compiled.problems.into_iter().map(|(_, problem)| problem).collect();
        if problems.iter().any(|problem| problem.severity == Severity::Error) {
            return Err(problems);
        }
        let ids = (0..held.len()).map(|index| SourceId(u16::try_from(index).unwrap_or(u16::MAX)));
        let facts: Vec<_> = ids.map(|id| KeyFacts { source: Some(id), stale_after: None }).collect();
        let mut windows = Windows::new(compiled.program.derived(), &facts, self.fps);
        let failure =
            |error: Error| vec![Diagnostic::error("internal", 0..self.text.len(), error.to_string())];
        let sites: Vec<u32> = compiled.program.script_calls().iter().map(|site| site.function).collect();
        let mut evaluator = Evaluator::new(compiled.program, self.fps).map_err(failure)?;
        if !sites.is_empty() {
            let names = held.iter().map(|(name, _)| *name);
            let calls = Calls::new(self.library, sites, names, [], self.fps, self.seed);
            evaluator = evaluator.with_scripts(calls.map_err(|error| failure(error.into()))?, []);
        }
        windows.advance(self.first, NOW_MS);
        for (index, (name, value)) in held.iter().enumerate() {
            evaluator.set_key(index, value.as_ref());
            self.fill(&mut windows, index as u32, name, value.as_ref());
            if let (Some(state), Some(source)) = (self.states.get(*name), facts[index].source) {
                windows.set_state(source, *state);
            }
        }
        let mut failed = Vec::new();
        let start_ms = NOW_MS.saturating_sub_unsigned(self.fps.millis_at(self.first));
        for tick in (0..self.ticks.clamp(1, TICKS_MAX)).map(|tick| self.first + tick) {
            windows.advance(tick, start_ms.saturating_add_unsigned(self.fps.millis_at(tick)));
            windows.settle();
            for index in windows.changed() {
                evaluator.set_derived(*index as usize, windows.value(*index as usize));
            }
            evaluator.run(tick).map_err(failure)?;
            let errors = evaluator.errors().map(|(id, site)| evaluator.diagnostic(id, site));
            let panics = evaluator.panics().iter().map(|(_, text)| {
                Diagnostic::error("internal", 0..self.text.len(), format!("a defect of tinydisplay: {text}"))
            });
            failed = errors.chain(panics).chain(failed).collect();
            failed.truncate(1);
        }
        if evaluator.is_failing(FormulaId(0)) { Err(failed) } else { Ok(evaluator.value(FormulaId(0))) }
    }

    /// Every key and what it holds.
    fn held(&self) -> Vec<(&str, Option<Value>)> {
        let mut held: Vec<_> =
            self.variables.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
        let others = self.samples.iter().filter(|(name, _)| !self.is_variable(name));
        held.extend(others.map(|(name, samples)| {
            let there = samples.iter().rev().filter(|(age, _)| *age >= 0.0);
            let youngest = there.min_by(|one, other| one.0.total_cmp(&other.0));
            (name.as_str(), youngest.map(|(_, number)| Value::Number(*number)))
        }));
        held
    }

    fn is_variable(&self, name: &str) -> bool {
        self.variables.iter().any(|(variable, _)| variable == name)
    }

    fn fill(&self, windows: &mut Windows, key: u32, name: &str, value: Option<&Value>) {
        let Some(samples) = self.samples.get(name) else {
            value.into_iter().for_each(|value| windows.push(key, NOW_MS, value));
            return;
        };
        for (age, number) in samples {
            // A conversion holds to the range of what it converts to.
            windows.fill(key, NOW_MS.saturating_sub((age * 1_000.0).round() as i64), *number);
            let ticks = (age * f64::from(self.fps.per_second())).floor() as i64;
            if ticks >= 0 {
                windows.arrive(key, self.first.0.cast_signed().saturating_sub(ticks));
            }
        }
    }
}

fn keys(held: &[(&str, Option<Value>)]) -> Vec<Key> {
    held.iter().map(|(name, value)| Key { name: (*name).into(), kind: kind(value.as_ref()) }).collect()
}

fn kind(value: Option<&Value>) -> Kind {
    if matches!(value, Some(Value::Text(_))) { Kind::Text } else { Kind::Number }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, samples: &[(f64, f64)], ticks: u64, expected: Option<f64>) {
        let samples = [("v".to_string(), samples.to_vec())].into();
        let trial = Trial { text, samples: &samples, ticks, ..Trial::default() };
        assert_eq!(trial.run(), Ok(expected.map(Value::Number)), "{text}");
    }

    #[test]
    fn time_passes_from_tick_to_tick() {
        let samples = [(0.5, 1.0), (0.0, 2.0), (-0.5, 4.0)];
        check("sum(v, 1s)", &samples, 1, Some(3.0));
        check("sum(v, 1s)", &samples, 30, Some(3.0));
        // 30 ticks later the first sample is a second old and the last one has come.
        check("sum(v, 1s)", &samples, 31, Some(6.0));
        check("count(v, 1s)", &samples, 91, Some(0.0));
        check("age(v)", &[(2.0, 1.0), (1.0, 1.0)], 31, Some(1.5));
        check("age(v)", &[], 31, None);
        check("v", &samples, 1, Some(2.0));
    }

    #[test]
    fn the_examples_of_the_catalogue_are_right() {
        let functions = engine::formula::functions::FUNCTIONS.iter();
        let mut checked = 0;
        for function in functions.filter(|function| !function.example_samples.is_empty()) {
            let samples = [("v".to_string(), function.example_samples.to_vec())].into();
            let trial = Trial { text: function.example, samples: &samples, ..Trial::default() };
            let result = trial.run().unwrap().map_or("nil".into(), |value| value.to_string());
            assert_eq!(result, function.example_result, "{}", function.example);
            checked += 1;
        }
        assert!(checked >= 15, "{checked}");
    }

    #[test]
    fn a_variable_is_a_sample() {
        let variables = [("v".to_string(), Some(Value::Number(7.0))), ("w".to_string(), None)];
        let run = |text, ticks| Trial { text, variables: &variables, ticks, ..Trial::default() }.run();
        assert_eq!(run("avg(v, 1s)", 1), Ok(Some(Value::Number(7.0))));
        assert_eq!(run("avg(v, 1s)", 61), Ok(None));
        assert_eq!(run("count(w, 1s) + stale(v)", 1), Ok(Some(Value::Number(0.0))));
    }

    #[test]
    fn time_goes_by_the_given_rate() {
        let samples = [("v".to_string(), vec![(3.0, 1.0), (1.5, 2.0)])].into();
        let run = |text, fps| {
            let fps = Fps::new(fps).unwrap();
            let trial = Trial { text, samples: &samples, fps, first: Tick(90), ..Trial::default() };
            trial.run().unwrap().unwrap().to_string()
        };
        for (text, at_30, at_60) in [
            ("fps", "30", "60"),
            ("time", "3", "1.5"),
            ("sum(v, 100ticks)", "3", "2"),
            ("age(v)", "1.5", "1.5"),
        ] {
            assert_eq!((run(text, 30), run(text, 60)), (at_30.into(), at_60.into()), "{text}");
        }
    }

    #[test]
    fn a_failure_lasts_until_it_is_computed_anew() {
        let run = |text, ticks| Trial { text, ticks, ..Trial::default() }.run();
        assert!(run("1 / min(tick - 2, 0)", 3).is_err());
        assert!(run("1 / min(tick - 2, 0)", 9).is_err());
        assert!(run("1 / (tick - 2)", 4).is_ok());
    }
}
