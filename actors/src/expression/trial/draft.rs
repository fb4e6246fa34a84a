//! Formulas that are read and checked first, and evaluated then, with whatever they ask for.

use std::sync::Arc;

use engine::diagnostic::{Diagnostic, Severity};
use engine::formula::derived::Derived;
use engine::formula::{Entry, Environment, FormulaId, Program, compile};
use engine::sample::{SourceId, SourceState};
use engine::tick::{Fps, Tick};
use engine::value::Value;
use engine::window::{KeyFacts, Windows};

use super::TICKS_MAX;
use crate::expression::chunk::Evaluator;
use crate::expression::script::Library;
use crate::expression::script::View;
use crate::expression::script::calls::Calls;

/// A formula that is free of errors. It goes from thread to thread.
#[derive(Clone, Debug)]
pub struct Draft {
    program: Program,
    warnings: Vec<Diagnostic>,
    length: usize,
}

/// What a key holds while a formula is evaluated.
#[derive(Clone, Debug, Default)]
pub struct Holding {
    /// Its newest value.
    pub value: Option<Value>,
    /// What windows see of it.
    pub seen: Seen,
    /// How its source is doing.
    pub state: SourceState,
    /// After so many ticks without a sample it is stale, whatever its source says.
    pub stale_after: Option<u64>,
}

/// What windows see of a key.
#[derive(Clone, Debug, Default)]
pub enum Seen {
    /// Its value, which has just come.
    #[default]
    Now,
    /// Ages in seconds and numbers, in the order of their arrival.
    Ages(Vec<(f64, f64)>),
    /// Unix time in milliseconds and number, and the tick at which the newest of all came.
    Samples(Vec<(i64, f64)>, Option<i64>),
}

/// What a draft is evaluated with.
#[derive(Clone, Copy, Debug)]
pub struct Course<'a> {
    /// The keys' names and what they hold, in the order of the environment's keys.
    pub keys: &'a [(&'a str, Holding)],
    /// The given values' names and what they are, in the order of the environment's.
    pub given: &'a [(&'a str, Option<Value>)],
    /// What is known already of what the draft [asks](Draft::asks), by the same indices, for the first tick.
    pub answers: &'a [Option<Option<f64>>],
    /// The tick at which it begins, and its time (Unix time in milliseconds).
    pub first: (Tick, i64),
    /// It is evaluated at so many ticks, at least at one and at most at [`TICKS_MAX`]; the last one counts.
    pub ticks: u64,
    /// Ticks a second.
    pub fps: Fps,
    /// What scripts' dice begin with.
    pub seed: u64,
    /// The scripts whose functions it may call. Only those are loaded that it does call.
    pub library: &'a Library,
}

impl Draft {
    /// Reads and checks a formula.
    ///
    /// # Errors
    /// All that is wrong with it, warnings included.
    pub fn new(text: &str, environment: &Environment<'_>) -> Result<Draft, Vec<Diagnostic>> {
        let compiled = compile(&[Entry { name: None, text }], environment);
        let warnings: Vec<Diagnostic> = compiled.problems.into_iter().map(|(_, problem)| problem).collect();
        if warnings.iter().any(|problem| problem.severity == Severity::Error) {
            return Err(warnings);
        }
        Ok(Draft { program: compiled.program, warnings, length: text.len() })
    }

    /// What is hardly meant as it is written.
    pub fn warnings(&self) -> &[Diagnostic] {
        &self.warnings
    }

    /// What it asks of keys' pasts.
    pub fn asks(&self) -> &[Derived] {
        self.program.derived()
    }

    /// What it names: the indices of keys, and behind them those of given values.
    pub fn needs(&self) -> Vec<usize> {
        self.program.keys_of(FormulaId(0))
    }

    /// The formula's result.
    ///
    /// # Errors
    /// Why it fails.
    pub fn run(self, course: Course<'_>) -> Result<Option<Value>, Vec<Diagnostic>> {
        let Draft { program, length, .. } = self;
        let failure = |error: String| vec![Diagnostic::error("internal", 0..length, error)];
        let mut windows = remembering(&program, &course);
        let sites: Vec<u32> = program.script_calls().iter().map(|site| site.function).collect();
        let kinds: Vec<_> = (0..program.key_count()).map(|index| program.key_kind(index)).collect();
        let mut evaluator =
            Evaluator::new(program, course.fps).map_err(|error| failure(error.to_string()))?;
        if !sites.is_empty() {
            let library = called(course.library, &sites);
            let keys = course.keys.iter().map(|(name, _)| *name);
            let given = course.given.iter().map(|(name, _)| *name);
            // What is tried is nothing that the panel does: it says nothing in the panel's log.
            let view = View::new(keys, given, course.fps).with_kinds(kinds).quiet();
            let calls = Calls::with(&library, sites, view, course.seed);
            evaluator = evaluator.with_scripts(calls.map_err(|error| failure(error.to_string()))?, []);
        }
        let values = course.keys.iter().map(|(_, held)| &held.value);
        let values = values.chain(course.given.iter().map(|(_, value)| value));
        values.enumerate().for_each(|(index, value)| evaluator.set_key(index, value.as_ref()));
        let (first, now_ms) = course.first;
        let start_ms = now_ms.saturating_sub_unsigned(course.fps.millis_at(first));
        let mut failed = Vec::new();
        for tick in (0..course.ticks.clamp(1, TICKS_MAX)).map(|tick| first + tick) {
            windows.advance(tick, start_ms.saturating_add_unsigned(course.fps.millis_at(tick)));
            windows.settle();
            for index in windows.changed() {
                let index = *index as usize;
                evaluator.set_derived(index, windows.value(index));
            }
            if tick == first {
                let known = course.answers.iter().enumerate();
                known.for_each(|(index, known)| {
                    known.iter().for_each(|one| evaluator.set_derived(index, *one))
                });
            }
            evaluator.run(tick).map_err(|error| failure(error.to_string()))?;
            drop(evaluator.take_script_failures());
            let errors = evaluator.errors().map(|(id, site)| evaluator.diagnostic(id, site));
            let panics = evaluator.panics().iter().map(|(_, text)| {
                Diagnostic::error("internal", 0..length, format!("a defect of tinydisplay: {text}"))
            });
            failed = errors.chain(panics).chain(failed).collect();
            failed.truncate(1);
        }
        if evaluator.is_failing(FormulaId(0)) { Err(failed) } else { Ok(evaluator.value(FormulaId(0))) }
    }
}

/// What a program asks of keys' pasts, answered from what they hold.
fn remembering(program: &Program, course: &Course<'_>) -> Windows {
    let id = |index: usize| SourceId(u16::try_from(index).unwrap_or(u16::MAX));
    let asked = program.derived();
    let facts = |(index, (_, held)): (usize, &(&str, Holding))| KeyFacts {
        source: Some(id(index)),
        stale_after: held.stale_after,
    };
    let facts: Vec<KeyFacts> = course.keys.iter().enumerate().map(facts).collect();
    let mut windows = Windows::new(asked, &facts, course.fps);
    let (tick, now_ms) = course.first;
    windows.advance(tick, now_ms);
    let mut keys: Vec<u32> = asked.iter().map(|asked| asked.key).collect();
    keys.sort_unstable();
    keys.dedup();
    for key in keys {
        let Some((_, held)) = course.keys.get(key as usize) else { continue };
        fill(&mut windows, key, held, course);
        windows.set_state(id(key as usize), held.state);
    }
    windows
}

fn fill(windows: &mut Windows, key: u32, held: &Holding, course: &Course<'_>) {
    let (tick, now_ms) = course.first;
    match &held.seen {
        Seen::Now => held.value.iter().for_each(|value| windows.push(key, now_ms, value)),
        Seen::Ages(samples) => {
            for (age, number) in samples {
                // A conversion holds to the range of what it converts to.
                windows.fill(key, now_ms.saturating_sub((age * 1_000.0).round() as i64), *number);
                let ticks = (age * f64::from(course.fps.per_second())).floor() as i64;
                if ticks >= 0 {
                    windows.arrive(key, tick.0.cast_signed().saturating_sub(ticks));
                }
            }
        }
        Seen::Samples(samples, arrived) => {
            samples.iter().for_each(|(ms, number)| windows.fill(key, *ms, *number));
            arrived.iter().for_each(|arrived| windows.arrive(key, *arrived));
        }
    }
}

/// The library without the scripts that none of these functions is from: each is a machine of its own.
fn called(library: &Library, functions: &[u32]) -> Library {
    let owner = |function: &u32| library.owners.get(*function as usize).copied();
    let mut files: Vec<usize> = functions.iter().filter_map(owner).collect();
    files.sort_unstable();
    files.dedup();
    let place = |file: &usize| files.binary_search(file).unwrap_or_default();
    Library {
        files: files.iter().filter_map(|file| library.files.get(*file).cloned()).collect(),
        owners: library.owners.iter().map(place).collect(),
        handlers: files.iter().filter_map(|file| library.handlers.get(*file).cloned()).collect(),
        uses: files.iter().filter_map(|file| library.uses.get(*file).cloned()).collect(),
        functions: Arc::clone(&library.functions),
        limits: library.limits,
        folder: None,
    }
}

#[cfg(test)]
mod tests {
    use engine::formula::{Given, Key, Kind, Type, UserFunction};

    use super::*;
    use crate::expression::script::File;

    #[test]
    fn only_scripts_that_are_called_are_loaded() {
        let file = |name: &str, text: &str| File { name: name.into(), text: text.into() };
        let function = |name: &str| UserFunction {
            name: name.into(),
            max_arguments: Some(0),
            ..UserFunction::default()
        };
        // The first one cannot be loaded at all: who calls it fails.
        let files = [file("a.lua", "function ("), file("b.lua", "function two() return 2 end")];
        let library = Library {
            files: files.into(),
            functions: [function("one"), function("two")].into(),
            owners: [0, 1].into(),
            handlers: [Vec::new(), Vec::new()].into(),
            ..Library::default()
        };
        let run = |text: &str| {
            let environment = Environment { scripts: &library.functions, ..Environment::default() };
            let first = (Tick(0), 0);
            let (fps, library) = (Fps::default(), &library);
            let course =
                Course { keys: &[], given: &[], answers: &[], first, ticks: 1, fps, seed: 0, library };
            Draft::new(text, &environment).unwrap().run(course)
        };
        assert_eq!(run("1 + 1"), Ok(Some(Value::Number(2.0))));
        assert_eq!(run("two() + 1"), Ok(Some(Value::Number(3.0))));
        assert!(run("one() + two()").is_err());
    }

    #[test]
    fn given_values_are_inputs_of_their_own_kind() {
        let keys = [Key { name: "room.heat".into(), kind: Kind::Number }];
        let given = [("hue", Type::Color), ("word", Type::Text), ("span", Type::Duration)];
        let given = given.map(|(name, of)| Given { name: name.into(), result: Some(of) });
        let environment = Environment { given: &given, ..Environment::of(&keys) };
        let values = [
            ("hue", Some("#ff0000".into())),
            ("word", Some("on".into())),
            ("span", Some(Value::Number(5.0))),
        ];
        let held = [("room.heat", Holding { value: Some(Value::Number(1.0)), ..Holding::default() })];
        let library = Library::default();
        let run = |text: &str| {
            let (fps, library) = (Fps::default(), &library);
            let (keys, given, first) = (&held[..], &values[..], (Tick(7), 1_000));
            let answers = &[Some(Some(9.0))];
            let course = Course { keys, given, answers, first, ticks: 1, fps, seed: 0, library };
            Draft::new(text, &environment).and_then(|draft| draft.run(course))
        };
        assert_eq!(run("mix(hue, '#000000', 1)"), Ok(Some("#000000".into())));
        assert_eq!(run("word .. span .. heat"), Ok(Some("on51".into())));
        assert_eq!(run("sum(heat, 5m) + tick"), Ok(Some(Value::Number(16.0))), "what is known is taken");
        assert_eq!(run("if(span, 1, 2)").unwrap_err()[0].code, "wrong-kind");
        assert_eq!(run("avg(hue, 5m)").unwrap_err()[0].code, "no-key");
    }
}
