//! What a formula is evaluated with: the panel's own names, kinds and values, and what the question has
//! instead of them.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use actors::expression::trial::{Course, Draft, Holding, Seen, youngest};
use actors::handle::{Reported, Told};
use actors::panel::Panel;
use engine::diagnostic::Diagnostic;
use engine::formula::derived::{Derived, Span};
use engine::formula::{Environment, Given, Key, Kind, Type, parser};
use engine::paint::Color;
use engine::tick::{Fps, Tick};
use engine::value::Value;
use engine::window::Memory;

/// All that a formula may name, and what it holds.
pub(super) struct Known {
    panel: Arc<Panel>,
    /// The panel's, then those that came with the question.
    keys: Vec<Key>,
    /// By key.
    held: Vec<Holding>,
    /// The keys that hold what came with the question.
    told: BTreeSet<usize>,
    given: Vec<Given>,
    /// By given value; none for one that fails.
    values: Vec<Option<Value>>,
    /// By given value: why it fails.
    errors: Vec<Option<String>>,
    first: (Tick, i64),
    answers: Vec<Option<Option<f64>>>,
}

/// Ages in seconds and numbers.
type Ages = Vec<(f64, f64)>;

impl Known {
    /// What a panel holds at a tick.
    pub(super) fn of(panel: Arc<Panel>, reported: &[Reported], tick: Tick) -> Known {
        let known = |is_key: bool| {
            let some = reported.iter().filter(|one| one.formula.is_none() == is_key);
            some.map(|one| (&*one.name, one)).collect::<BTreeMap<&str, &Reported>>()
        };
        let (keys, values) = (known(true), known(false));
        let held = panel.keys.iter().map(|key| {
            let now = keys.get(key.name.as_str());
            Holding {
                value: now.and_then(|now| now.value.clone()),
                state: now.map(|now| now.state).unwrap_or_default(),
                stale_after: key.stale_after.map(|after| panel.fps.ticks_in(after.as_millis() as u64)),
                seen: Seen::Samples(Vec::new(), None),
            }
        });
        let held = held.collect();
        let names = panel.values.iter().map(|(name, _)| values.get(name.as_str()));
        let errors: Vec<_> = names.map(|now| now.and_then(|now| now.error.clone())).collect();
        let current = panel.values.iter().zip(&errors).map(|((name, _), error)| {
            let now = values.get(name.as_str()).filter(|_| error.is_none());
            now.and_then(|now| now.value.clone())
        });
        let given =
            |(name, id): &(String, _)| Given { name: name.clone(), result: panel.program.result(*id) };
        Known {
            keys: panel.keys.iter().map(|key| Key { name: key.name.clone(), kind: key.kind }).collect(),
            held,
            told: BTreeSet::new(),
            given: panel.values.iter().map(given).collect(),
            values: current.collect(),
            errors,
            first: (tick, 0),
            answers: Vec::new(),
            panel,
        }
    }

    /// Takes a value from the question. What the panel knows by that name keeps its kind.
    ///
    /// # Errors
    /// Where it is of another kind.
    pub(super) fn take(&mut self, name: String, value: Option<Value>) -> Result<(), String> {
        if let Some(index) = self.given.iter().position(|given| given.name == name) {
            let result = self.given[index].result.or(value.as_ref().map(type_of));
            check(&name, result, value.as_ref())?;
            self.given[index].result = result;
            (self.values[index], self.errors[index]) = (value, None);
            return Ok(());
        }
        let index = self.key(name, value.as_ref().map(type_of))?;
        check(&self.keys[index].name, Some(Type::from(self.keys[index].kind)), value.as_ref())?;
        let stale_after = self.held[index].stale_after;
        self.held[index] = Holding { value, stale_after, ..Holding::default() };
        Ok(())
    }

    /// Takes samples from the question.
    ///
    /// # Errors
    /// Where nothing of that name has samples.
    pub(super) fn take_samples(&mut self, name: String, ages: Ages) -> Result<(), String> {
        if self.given.iter().any(|given| given.name == name) {
            return Err(format!("`{name}` is a value, which has no samples: name a key"));
        }
        let is_new = self.keys.iter().all(|key| key.name != name);
        let index = self.key(name, None)?;
        if is_new {
            self.held[index].value = youngest(&ages).map(Value::Number);
        }
        self.held[index].seen = Seen::Ages(ages);
        Ok(())
    }

    /// The index of a key, which from now on holds what comes with the question.
    fn key(&mut self, name: String, of: Option<Type>) -> Result<usize, String> {
        let known = self.keys.iter().position(|key| key.name == name);
        let index = known.unwrap_or_else(|| {
            self.keys.push(Key { name, kind: of.map_or(Kind::Number, Type::kind) });
            self.held.push(Holding::default());
            self.keys.len() - 1
        });
        self.told.insert(index);
        Ok(index)
    }

    /// Reads and checks a formula as the configuration does.
    pub(super) fn draft(&self, text: &str) -> Result<Draft, Vec<Diagnostic>> {
        let Panel { constants, scripts, fps, .. } = &*self.panel;
        let scripts = &*scripts.functions;
        Draft::new(text, &Environment { keys: &self.keys, given: &self.given, constants, scripts, fps: *fps })
    }

    /// Whether a draft asks for the past of a key of the panel.
    pub(super) fn is_asked(&self, draft: &Draft) -> bool {
        draft.asks().iter().any(|asked| self.is_own(asked.key))
    }

    fn is_own(&self, key: u32) -> bool {
        !self.told.contains(&(key as usize))
    }

    /// Takes the pasts that a draft asks for, from what the panel's own windows and its ring hold. Returns
    /// what is to be said of it.
    pub(super) fn remember(
        &mut self,
        (text, draft): (&str, &Draft),
        windows: &Memory,
        ring: &Told,
    ) -> Vec<Diagnostic> {
        self.first = (windows.tick(), windows.now_ms());
        let own = self.panel.program.derived();
        let answer = |asked: &Derived| {
            let known = own.iter().position(|own| own == asked).filter(|_| self.is_own(asked.key));
            known.map(|index| windows.value(index))
        };
        // What the panel asks itself is answered: also by panes, which are no samples any more.
        self.answers = draft.asks().iter().map(answer).collect();
        let mut spans: BTreeMap<u32, Option<i64>> = BTreeMap::new();
        for (asked, answer) in draft.asks().iter().zip(&self.answers) {
            if self.is_own(asked.key) {
                let longest = spans.entry(asked.key).or_default();
                let ms = asked.span.filter(|_| answer.is_none()).map(|span| ms_of(span, self.panel.fps));
                *longest = (*longest).max(ms);
            }
        }
        let mut said = Vec::new();
        for (key, span_ms) in spans {
            let past = Remembered::of(key, windows, ring, self.panel.persistence.is_some());
            let after_ms = span_ms.map(|span_ms| windows.now_ms().saturating_sub(span_ms));
            if after_ms.is_some_and(|after_ms| past.whole_after_ms > after_ms) {
                let seconds = windows.now_ms().saturating_sub(past.whole_after_ms).max(0) as f64 / 1_000.0;
                let name = &self.keys[key as usize].name;
                let message = format!(
                    "of `{name}` the samples of the last {seconds:.0} s are at hand, and the window is longer"
                );
                let is_key = |found: &str| {
                    name.strip_suffix(found).is_some_and(|of| of.is_empty() || of.ends_with('.'))
                };
                let note = Diagnostic::warning("short-past", place(text, is_key), message);
                said.push(note.with_help("in the panel it would hold all that came since it was started"));
            }
            self.held[key as usize].seen = Seen::Samples(past.samples, windows.arrived(key));
        }
        said
    }

    /// The values that a draft names and that fail now.
    pub(super) fn failing(&self, text: &str, draft: &Draft) -> Vec<Diagnostic> {
        let needs = draft.needs().into_iter().filter_map(|input| input.checked_sub(self.keys.len()));
        let failing = needs.filter_map(|index| Some((&self.given[index].name, self.errors[index].as_ref()?)));
        let warning = |(name, error): (&String, &String)| {
            let span = place(text, |found| found == name);
            let message = format!("`{name}` fails: {error}");
            Diagnostic::warning("failing-value", span, message)
                .with_help("until it recovers it has no value for other formulas")
        };
        failing.map(warning).collect()
    }

    /// The result of a draft.
    pub(super) fn run(self, draft: Draft) -> Result<Option<Value>, Vec<Diagnostic>> {
        let names = self.keys.iter().map(|key| key.name.as_str());
        let keys: Vec<_> = names.zip(self.held).collect();
        let names = self.given.iter().map(|given| given.name.as_str());
        let given: Vec<_> = names.zip(self.values).collect();
        let Panel { scripts: library, fps, seed, .. } = &*self.panel;
        let (answers, first) = (&self.answers[..], self.first);
        let (keys, given, fps, seed) = (&keys[..], &given[..], *fps, *seed);
        draft.run(Course { keys, given, answers, first, ticks: 1, fps, seed, library })
    }
}

/// What is known of a key's past one by one.
struct Remembered {
    samples: Vec<(i64, f64)>,
    /// The time after which nothing is missing.
    whole_after_ms: i64,
}

impl Remembered {
    /// From the panel's windows or from its ring: where more is.
    fn of(key: u32, windows: &Memory, ring: &Told, has_history: bool) -> Remembered {
        let of_key = ring.numbers.iter().filter(|held| held.key == key);
        let in_ring: Vec<_> = of_key.map(|held| (held.timestamp_ms, held.number)).collect();
        let in_windows: Vec<_> = windows.samples(key).into_iter().flatten().collect();
        let oldest_ms = |samples: &[(i64, f64)]| samples.first().map_or(windows.now_ms(), |(ms, _)| *ms);
        // Windows can be filled with what came before the run, and that never was in the ring.
        let is_all = ring.since_ms.is_none() && !has_history && in_ring.len() >= in_windows.len();
        let ring_after_ms =
            if is_all { i64::MIN } else { ring.since_ms.unwrap_or_else(|| oldest_ms(&in_ring)) };
        let windows_after_ms = windows.whole_after_ms(key).unwrap_or_else(|| oldest_ms(&in_windows));
        if windows_after_ms <= ring_after_ms {
            Remembered { samples: in_windows, whole_after_ms: windows_after_ms }
        } else {
            Remembered { samples: in_ring, whole_after_ms: ring_after_ms }
        }
    }
}

/// Where a formula first has such a name; all of it where it has none.
fn place(text: &str, is_it: impl Fn(&str) -> bool) -> Range<usize> {
    let mut place = None;
    if let Some(tree) = parser::parse(text).tree {
        tree.names(&mut |found, at| {
            if place.is_none() && is_it(found) {
                place = Some(at.clone());
            }
        });
    }
    place.unwrap_or(0..text.len())
}

fn ms_of(span: Span, fps: Fps) -> i64 {
    i64::try_from(match span {
        Span::Milliseconds(ms) => ms,
        Span::Ticks(ticks) => fps.millis_at(Tick(ticks)),
    })
    .unwrap_or(i64::MAX)
}

fn type_of(value: &Value) -> Type {
    match value {
        Value::Number(_) => Type::Number,
        Value::Bool(_) => Type::Truth,
        Value::Text(_) => Type::Text,
    }
}

/// Whether a value from the question is of the kind that its name has in the panel.
fn check(name: &str, result: Option<Type>, value: Option<&Value>) -> Result<(), String> {
    let (Some(result), Some(value)) = (result, value) else { return Ok(()) };
    let fits = match (result.kind(), value) {
        (Kind::Number, value) => value.number().is_some(),
        (Kind::Text, value) => matches!(value, Value::Text(_)),
        (Kind::Color, Value::Text(text)) => Color::parse(text).is_some(),
        (Kind::Color, _) => false,
    };
    if fits {
        return Ok(());
    }
    let (wanted, found) = (result.noun(), type_of(value).noun());
    Err(format!("variable `{name}` is {found}, and the panel's `{name}` {wanted}"))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use engine::window::{Limits, Windows};

    use super::*;

    const PANEL: &str = r#"
        version = 1
        [source.room]
        kind = "push"
        [keys]
        "room.heat" = {}
        [value]
        mean = "avg(heat, 1h)"
        [page.main]
        widgets = [{ kind = "text", id = "text", at = [0, 0], size = [9, 9], text = "x" }]
    "#;

    /// A window of which much is in panes is as in the panel, to the bit; no samples could give that.
    #[test]
    fn what_the_panel_asks_itself_is_answered_by_its_own_windows() {
        let panel = Arc::new(crate::config::parse("room.toml", PANEL, Path::new("")).unwrap().panel);
        let limits = Limits { samples: 16, panes: 30 };
        let mut windows = Windows::limited(panel.program.derived(), &[], panel.fps, limits);
        for n in 0..2_000_i32 {
            windows.advance(Tick(n as u64), i64::from(n) * 1_000);
            windows.push(0, i64::from(n) * 1_000, &Value::Number(f64::from(n % 17) / 3.0));
        }
        windows.settle();
        let run = |text: &str| {
            let mut known = Known::of(panel.clone(), &[], Tick(0));
            let draft = known.draft(text).unwrap();
            let said = known.remember((text, &draft), &windows.memory(), &Told::default());
            (known.run(draft).unwrap().and_then(|value| value.number()), said.len())
        };
        let own = windows.value(0).unwrap();
        assert_eq!(run("avg(heat, 1h)"), (Some(own), 0));
        assert_eq!(run("avg(heat, 1h) + count(heat, 3s)"), (Some(own + 3.0), 0));
        assert_eq!(run("count(heat, 10m)"), (Some(16.0), 1), "what is in panes is not at hand");
        assert_eq!(run("age(heat)"), (Some(0.0), 0));
        assert_eq!(run("1 + 1"), (Some(2.0), 0));
    }
}
