//! A formula that is evaluated by itself, apart from any panel: on the command line, in a browser, in tests.

mod draft;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use engine::diagnostic::Diagnostic;
use engine::formula::{Environment, Key, Kind};
use engine::tick::{Fps, Tick};
use engine::value::Value;

use super::script::Library;
pub use draft::{Course, Draft, Holding, Seen};

/// The most ticks of a trial: more than an hour of 60 a second.
pub const TICKS_MAX: u64 = 1_000_000;

/// So many keys that hold nothing are tried as other kinds.
const EMPTY_MAX: usize = 16;

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
        static NO_SCRIPTS: LazyLock<Library> = LazyLock::new(Library::default);
        let (samples, library) = (&NO_SAMPLES, &*NO_SCRIPTS);
        let (first, ticks, fps, seed) = (Tick(0), 1, Fps::default(), 0);
        Trial { text: "", variables: &[], samples, first, ticks, fps, seed, library }
    }
}

impl Trial<'_> {
    /// The formula's result.
    ///
    /// # Errors
    /// All that is wrong with the formula, or why it fails.
    pub fn run(&self) -> Result<Option<Value>, Vec<Diagnostic>> {
        let held = self.held();
        let Trial { ticks, fps, seed, library, .. } = *self;
        let draft = self.draft(&held)?;
        let first = (self.first, NOW_MS);
        draft.run(Course { keys: &held, given: &[], answers: &[], first, ticks, fps, seed, library })
    }

    /// The formula over these keys. One that holds nothing yet is of the kind with which the formula is right.
    fn draft(&self, held: &[(&str, Holding)]) -> Result<Draft, Vec<Diagnostic>> {
        let key =
            |(name, held): &(&str, Holding)| Key { name: (*name).into(), kind: kind(held.value.as_ref()) };
        let mut keys: Vec<Key> = held.iter().map(key).collect();
        let draft = |keys: &[Key]| {
            let environment =
                Environment { scripts: &self.library.functions, fps: self.fps, ..Environment::of(keys) };
            Draft::new(self.text, &environment)
        };
        let errors = |draft: &Result<_, Vec<Diagnostic>>| draft.as_ref().err().map_or(0, Vec::len);
        let mut best = draft(&keys);
        let empty = held.iter().enumerate().filter(|(_, (_, held))| held.value.is_none());
        for (index, _) in empty.take(EMPTY_MAX) {
            for kind in [Kind::Text, Kind::Color] {
                if best.is_ok() {
                    return best;
                }
                let before = std::mem::replace(&mut keys[index].kind, kind);
                let other = draft(&keys);
                if errors(&other) < errors(&best) {
                    best = other;
                } else {
                    keys[index].kind = before;
                }
            }
        }
        best
    }

    /// Every key and what it holds.
    fn held(&self) -> Vec<(&str, Holding)> {
        let seen = |name: &str| self.samples.get(name).map_or(Seen::Now, |ages| Seen::Ages(ages.clone()));
        let held = |name, value| (name, Holding { value, seen: seen(name), ..Holding::default() });
        let variables = self.variables.iter().map(|(name, value)| held(name.as_str(), value.clone()));
        let others = self.samples.iter().filter(|(name, _)| !self.is_variable(name));
        let others = others.map(|(name, samples)| held(name.as_str(), youngest(samples).map(Value::Number)));
        variables.chain(others).collect()
    }

    fn is_variable(&self, name: &str) -> bool {
        self.variables.iter().any(|(variable, _)| variable == name)
    }
}

/// The newest of samples, each an age in seconds and a number.
pub fn youngest(samples: &[(f64, f64)]) -> Option<f64> {
    let there = samples.iter().rev().filter(|(age, _)| *age >= 0.0);
    there.min_by(|one, other| one.0.total_cmp(&other.0)).map(|(_, number)| *number)
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
    fn what_holds_nothing_is_of_any_kind() {
        let variables = ["s", "t", "u"].map(|name| (name.to_string(), None));
        for (text, expected) in [
            ("s + t", None),
            ("upper(s)", None),
            ("upper(s) .. lower(t)", None),
            ("coalesce(s, 'none')", Some("none")),
            ("if(s == 'x', 'a', coalesce(t, 'b'))", Some("b")),
            ("mix(s, rgb(0, 0, 0), 0.5)", None),
            ("coalesce(u + 1, t, 2) + 1", Some("3")),
        ] {
            let result = Trial { text, variables: &variables, ..Trial::default() }.run();
            assert_eq!(
                result.map(|value| value.map(|v| v.to_string())),
                Ok(expected.map(String::from)),
                "{text}"
            );
        }
        let wrong = Trial { text: "abs(s) + len(s)", variables: &variables, ..Trial::default() }.run();
        assert_eq!(wrong.unwrap_err().len(), 1);
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
    fn what_is_written_to_be_written_instead_does_not_fail() {
        for (text, v, t) in [
            ("1 / v", 0.0, ""),
            ("v % (v - 1)", 1.0, ""),
            ("3 // v * 2", 0.0, ""),
            ("sqrt(v)", -1.0, ""),
            ("log(v)", 0.0, ""),
            ("log10(v)", -3.0, ""),
            ("log2(v)", 0.0, ""),
            ("asin(v)", 1.5, ""),
            ("acos(v - 5)", 0.0, ""),
            ("mod(5, v)", 0.0, ""),
            ("v ^ 0.5", -8.0, ""),
            ("pow(v, 0.5)", -8.0, ""),
            ("clamp(1, v, 2)", 3.0, ""),
            ("map(1, v, 2, 0, 1)", 2.0, ""),
            ("round(5, v)", 0.5, ""),
            ("exp(v)", 1_000.0, ""),
            ("number(t)", 0.0, ""),
            ("color(t)", 0.0, ""),
            ("replace('abc', t, 'x')", 0.0, ""),
        ] {
            let variables =
                [("v".to_string(), Some(Value::Number(v))), ("t".to_string(), Some(Value::from(t)))];
            let run = |text| Trial { text, variables: &variables, ..Trial::default() }.run();
            let problems = run(text).unwrap_err();
            let help = problems[0].help.as_deref().unwrap_or_default();
            let guarded = help.split('`').nth(1).unwrap_or_else(|| panic!("{text}: {problems:?}"));
            let instead = text.replace(&text[problems[0].span.clone()], guarded);
            assert!(run(&instead).is_ok(), "{text} -> {instead}: {:?}", run(&instead));
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
