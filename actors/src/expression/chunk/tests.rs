//! The evaluator against a table of formulas, a plain interpreter, and itself in native code.

use super::*;
use crate::expression::script;

/// A row's variables: a JSON object of numbers, texts, truth values and null.
fn variables(json: &str) -> Vec<(String, Option<Value>)> {
    let object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(json).unwrap();
    let value = |json: serde_json::Value| match json {
        serde_json::Value::Null => None,
        serde_json::Value::Bool(b) => Some(Value::Bool(b)),
        serde_json::Value::Number(n) => Some(Value::Number(n.as_f64().unwrap())),
        serde_json::Value::String(text) => Some(Value::Text(text.into())),
        other => panic!("no variable can be {other}"),
    };
    object.into_iter().map(|(name, json)| (name, value(json))).collect()
}

/// Whether a result is what a row expects: a number, a text in quotes, NULL or ERROR.
fn agrees(result: &Result<Option<Value>, Vec<Diagnostic>>, expected: &str) -> bool {
    match (result, expected) {
        (Err(_), "ERROR") | (Ok(None), "NULL") => true,
        (Ok(Some(Value::Text(text))), _) => {
            expected.strip_prefix('\'').and_then(|e| e.strip_suffix('\'')) == Some(&**text)
        }
        (Ok(Some(Value::Number(n))), _) => {
            expected.parse().is_ok_and(|expected: f64| (n - expected).abs() <= 1e-9 * expected.abs().max(1.0))
        }
        _ => false,
    }
}

#[test]
fn the_table_of_formulas() {
    let mut wrong = Vec::new();
    for row in include_str!("formulas.tsv").lines().filter(|row| !row.starts_with('#') && !row.is_empty()) {
        let [text, json, expected] = row.split('\t').collect::<Vec<_>>()[..] else { panic!("no row: {row}") };
        let result = evaluate(text, &variables(json));
        if !agrees(&result, expected) {
            wrong.push(format!("{row}\n    gives {result:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// An evaluator of numbers over the keys `s.a`, `s.b` and the text `s.t`, and what it says.
struct Bench {
    evaluator: Evaluator,
    tick: u64,
}

impl Bench {
    fn new(formulas: &[(&str, &str)]) -> Bench {
        let entries: Vec<Entry<'_>> = formulas
            .iter()
            .map(|(name, text)| Entry { name: (!name.is_empty()).then_some(*name), text })
            .collect();
        let keys = [("s.a", Kind::Number), ("s.b", Kind::Number), ("s.t", Kind::Text)];
        let keys = keys.map(|(name, kind)| Key { name: name.into(), kind });
        let compiled = compile(&entries, &Environment::of(&keys));
        let is_error = |problem: &Diagnostic| problem.severity == Severity::Error;
        assert!(!compiled.problems.iter().any(|(_, problem)| is_error(problem)), "{:?}", compiled.problems);
        Bench { evaluator: Evaluator::new(compiled.program, Fps::default()).unwrap(), tick: 0 }
    }

    /// Runs a tick; gives the formulas that changed and those in error.
    fn run(&mut self) -> (Vec<u32>, Vec<u32>) {
        self.evaluator.run(Tick(self.tick)).unwrap();
        self.tick += 1;
        (
            self.evaluator.changed().map(|id| id.0).collect(),
            self.evaluator.errors().map(|(id, _)| id.0).collect(),
        )
    }

    fn set(&mut self, key: usize, value: impl Into<Value>) -> &mut Bench {
        self.evaluator.set_key(key, Some(&value.into()));
        self
    }

    fn shown(&self) -> Vec<String> {
        let ids = 0..u32::try_from(self.evaluator.program().len()).unwrap();
        ids.map(|id| self.evaluator.value(FormulaId(id)).map_or("nil".into(), |value| value.to_string()))
            .collect()
    }
}

#[test]
fn only_what_changed_is_computed_and_told() {
    let mut bench = Bench::new(&[("x", "a > 10"), ("", "if(x, 1, 2) + b * 0"), ("", "b"), ("", "7")]);
    assert_eq!(bench.run(), (vec![3], vec![]));
    assert_eq!(bench.set(0, 5.0).set(1, 1.0).run(), (vec![0, 1, 2], vec![]));
    assert_eq!(bench.shown(), ["0", "2", "1", "7"]);
    // x stays 0, so that nothing goes on.
    assert_eq!(bench.set(0, 6.0).run(), (vec![], vec![]));
    assert_eq!(bench.set(0, 6.0).set(1, 1.0).run(), (vec![], vec![]));
    assert_eq!(bench.set(0, 11.0).run(), (vec![0, 1], vec![]));
    bench.evaluator.set_key(0, None);
    assert_eq!(bench.run(), (vec![0, 1], vec![]));
    assert_eq!(bench.shown(), ["nil", "2", "1", "7"]);
}

#[test]
fn computing_again_changes_nothing() {
    let mut bench = Bench::new(&[
        ("ratio", "100 / a"),
        ("", "coalesce(ratio, -1) + tick"),
        ("", "t .. 'x'"),
        ("", "ratio > 5"),
        ("", "nil"),
    ]);
    for (a, text) in [(4.0, "p"), (0.0, "q"), (0.0, "q"), (8.0, "p")] {
        let told = bench.set(0, a).set(2, text).run();
        let shown = bench.shown();
        let timed = (0..9).filter(|id| bench.evaluator.again(FormulaId(*id)).unwrap());
        assert_eq!(timed.collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
        assert_eq!(bench.shown(), shown);
        assert_eq!(bench.evaluator.changed().map(|id| id.0).collect::<Vec<_>>(), told.0);
        assert_eq!(bench.evaluator.errors().map(|(id, _)| id.0).collect::<Vec<_>>(), told.1);
    }
    // Only what goes by the tick is new.
    assert_eq!(bench.run(), (vec![1], vec![]));
}

#[test]
fn timing_a_script_takes_no_change_from_the_next_tick() {
    let text = "function f(): number return get('a') end".into();
    let file = script::File { name: "t.lua".into(), text };
    let view = Rc::new(script::View::new(["s.cpu"], ["a"], Fps::default()));
    let (library, problems) = script::Library::check(vec![file], script::Limits::default(), &view, |_| false);
    assert_eq!(problems, []);
    let keys = [Key { name: "s.cpu".into(), kind: Kind::Number }];
    let environment = Environment { scripts: &library.functions, ..Environment::of(&keys) };
    let entries = [("a", "round(cpu)"), ("b", "f()"), ("c", "b + 1")];
    let entries = entries.map(|(name, text)| Entry { name: Some(name), text });
    let program = compile(&entries, &environment).program;
    let sites: Vec<_> = program.script_calls().iter().map(|call| call.function).collect();
    let calls = calls::Calls::new(&library, sites, ["s.cpu"], ["a"], Fps::default(), 0).unwrap();
    let evaluator = Evaluator::new(program, Fps::default()).unwrap();
    let mut evaluator = evaluator.with_scripts(calls, [FormulaId(0)]);
    let mut changed = |tick: u64, cpu: f64| {
        evaluator.set_key(0, Some(&Value::Number(cpu)));
        evaluator.run(Tick(tick)).unwrap();
        let timed: Vec<_> = (0..3).filter(|id| evaluator.again(FormulaId(*id)).unwrap()).collect();
        assert!(!timed.contains(&1), "{timed:?}");
        let number = |id| evaluator.value(FormulaId(id)).and_then(|value| value.number());
        (evaluator.changed().map(|id| id.0).collect::<Vec<_>>(), number(1), number(2))
    };
    changed(0, 1.0);
    assert_eq!(changed(1, 1.0), (vec![1, 2], Some(1.0), Some(2.0)));
    assert_eq!(changed(2, 5.0), (vec![0], Some(1.0), Some(2.0)));
    assert_eq!(changed(3, 5.0), (vec![1, 2], Some(5.0), Some(6.0)));
    assert_eq!(changed(4, 5.0), (vec![], Some(5.0), Some(6.0)));
}

#[test]
fn a_failing_formula_keeps_its_last_good_result() {
    let mut bench =
        Bench::new(&[("ratio", "100 / a"), ("", "ratio"), ("", "coalesce(ratio, -1)"), ("", "ratio > 5")]);
    bench.set(0, 4.0).run();
    assert_eq!(bench.shown(), ["25", "25", "25", "1"]);
    assert!(bench.evaluator.holds(FormulaId(3)) && bench.evaluator.holds(FormulaId(0)));
    // Whoever reads it sees no value.
    assert_eq!(bench.set(0, 0.0).run(), (vec![2, 3], vec![0]));
    assert_eq!(bench.shown(), ["25", "25", "-1", "nil"]);
    let (id, site) = bench.evaluator.errors().map(|(id, site)| (id, site.clone())).next().unwrap();
    assert_eq!((id, site.span.clone(), site.problem.code()), (FormulaId(0), 0..7, "division-by-zero"));
    assert!(bench.evaluator.is_failing(FormulaId(0)) && !bench.evaluator.is_failing(FormulaId(2)));
    assert!(!bench.evaluator.holds(FormulaId(0)), "a condition in error does not hold");
    // Not computed again, so not told again.
    assert_eq!(bench.run(), (vec![], vec![]));
    // Back to the value that is shown still.
    assert_eq!(bench.set(0, 4.0).run(), (vec![2, 3], vec![]));
    // From an error to no value.
    bench.set(0, 0.0).run();
    bench.evaluator.set_key(0, None);
    assert_eq!(bench.run(), (vec![0, 1], vec![]));
    assert_eq!(bench.shown(), ["nil", "nil", "-1", "nil"]);
}

#[test]
fn ticks_and_time() {
    let mut bench = Bench::new(&[("", "tick"), ("", "time * fps"), ("", "tick // 2"), ("", "fps")]);
    assert_eq!(bench.run().0, [0, 1, 2, 3]);
    assert_eq!(bench.run().0, [0, 1]);
    assert_eq!(bench.run().0, [0, 1, 2]);
    assert_eq!(bench.shown(), ["2", "2", "1", "60"]);
}

#[test]
fn texts_come_and_go() {
    let mut bench = Bench::new(&[("", "t .. ' ' .. a"), ("", "t == 'on'"), ("", "t"), ("", "t .. t")]);
    bench.set(2, "on").set(0, 1.5).run();
    assert_eq!(bench.shown(), ["on 1.5", "1", "on", "onon"]);
    for n in 0..20_000 {
        bench.set(2, format!("text {n}").as_str()).run();
        let expected =
            [format!("text {n} 1.5"), "0".into(), format!("text {n}"), format!("text {n}text {n}")];
        assert_eq!(bench.shown(), expected);
    }
    bench.set(2, "x".repeat(3_000).as_str());
    assert_eq!(bench.run().1, [3], "too long a text is an error");
    assert_eq!(bench.shown()[3], "text 19999text 19999");
    bench.set(2, 5.0).run();
    assert_eq!(bench.shown()[2], "5", "a number for a key of texts is written");
    bench.set(0, "no number").run();
    assert_eq!(bench.shown()[0], "nil", "a text for a key of numbers is no value");
}

#[test]
fn an_error_is_one_however_a_sum_is_put_together() {
    // What was found by chance: the border of `coalesce` was lost, and with it the error in it.
    let long = format!("later{}", " + 1 / (a - 1)".repeat(40));
    let mut bench = Bench::new(&[
        ("later", "b"),
        ("", "floor(later) - coalesce(a / (a == 2)) / a"),
        ("", "later + if(1, 1 / (a - 1), 0)"),
        ("", "later + (a - 1 + (a / (a - 1) * 3))"),
        ("", &long),
        ("", "later / (a - 1) + later * 1e308 * 1e308"),
    ]);
    bench.set(0, 1.0);
    assert_eq!(bench.run().1, [1, 2, 3, 4]);
    bench.set(1, 1.0);
    assert_eq!(bench.run().1, [1, 2, 3, 4, 5]);
    bench.set(0, 2.0);
    assert_eq!(bench.run().1, [5]);
    assert_eq!(bench.shown()[..5], ["1", "0", "2", "8", "41"]);
}

#[test]
fn what_keys_pasts_say() {
    let mut bench =
        Bench::new(&[("", "avg(a, 5m) + 1"), ("", "if(stale(b), 'old', 'new')"), ("", "age(b) > 30s")]);
    assert_eq!(bench.run(), (vec![1], vec![]));
    bench.evaluator.set_derived(0, Some(2.5));
    bench.evaluator.set_derived(1, Some(1.0));
    assert_eq!(bench.run(), (vec![0, 1], vec![]));
    assert_eq!(bench.shown(), ["3.5", "old", "nil"]);
    bench.evaluator.set_derived(0, Some(2.5));
    assert_eq!(bench.run(), (vec![], vec![]), "the same again is no change");
    let memory = bench.evaluator.memory();
    bench.evaluator = Evaluator::new(bench.evaluator.program().clone(), Fps::default()).unwrap();
    bench.evaluator.restore(&memory);
    bench.evaluator.set_derived(2, Some(31.0));
    assert_eq!(bench.run(), (vec![2], vec![]));
    assert_eq!(bench.shown(), ["3.5", "old", "1"]);
    bench.evaluator.set_derived(0, Some(f64::NAN));
    bench.evaluator.set_derived(9, Some(1.0));
    assert_eq!(bench.run(), (vec![0], vec![]));
    assert_eq!(bench.shown()[0], "nil");
}

#[test]
fn a_window_beyond_the_largest_number_is_an_error() {
    let mut bench = Bench::new(&[("", "sum(a, 5m)"), ("", "1 + sum(a, 5m)"), ("", "avg(a, 5m)")]);
    for answer in [Some(2.0), Some(f64::INFINITY), Some(f64::NEG_INFINITY), None, Some(3.0)] {
        bench.evaluator.set_derived(0, answer);
        let failed = answer.is_some_and(f64::is_infinite);
        assert_eq!(bench.run().1, if failed { vec![0, 1] } else { vec![] }, "{answer:?}");
    }
    assert_eq!(bench.shown(), ["3", "4", "nil"]);
}

#[test]
fn places_of_errors() {
    for (text, span, code) in [
        ("1 + 2 / a", 4..9, "division-by-zero"),
        ("b * (1 / a) + 3", 5..10, "division-by-zero"),
        ("b / 2 / a / 3", 0..9, "division-by-zero"),
        ("1 % a + 1", 0..5, "division-by-zero"),
        ("5 // a", 0..6, "division-by-zero"),
        ("sqrt(b - 100) + 1", 0..13, "domain"),
        ("1 + log(a)", 4..10, "domain"),
        ("exp(b * 1000)", 0..13, "overflow"),
        ("b * 1e308 * 10", 0..14, "overflow"),
        ("if(b > 0, 1 / a, sqrt(-b))", 10..15, "division-by-zero"),
        ("b > 0 and 1 / a", 10..15, "division-by-zero"),
        ("sqrt(-b) + 1 / a", 0..8, "domain"),
        ("mod(b, a)", 0..9, "domain"),
        // The first in the order of computation.
        ("1 / a + 2 / a", 0..5, "division-by-zero"),
        ("b * 1e308 * 10 + 1 / a", 0..22, "overflow"),
        ("substr('abc', a)", 0..16, "domain"),
        ("1 + len(replace('aa', substr('', 1), b .. ''))", 8..45, "domain"),
    ] {
        let mut bench = Bench::new(&[("", text)]);
        bench.set(0, 0.0).set(1, 5.0).run();
        let found = bench.evaluator.errors().map(|(_, site)| (site.span.clone(), site.problem.code())).next();
        assert_eq!(found, Some((span, code)), "{text}");
    }
}

#[test]
fn ten_thousand_formulas_in_a_chain_and_the_last_knows_the_first() {
    let formulas: Vec<(String, String)> = (0..10_000)
        .map(|n| (format!("v{n}"), if n == 0 { "a + 1".into() } else { format!("v{} + 1", n - 1) }))
        .collect();
    let formulas: Vec<(&str, &str)> =
        formulas.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let mut bench = Bench::new(&formulas);
    bench.set(0, 1.0).run();
    assert_eq!(bench.evaluator.value(FormulaId(9_999)), Some(Value::Number(10_001.0)));
    assert_eq!(bench.set(0, 2.0).run().0.len(), 10_000);
}

#[test]
fn large_and_deep_formulas_fit_into_luau() {
    let nested =
        |before: &str, depth: usize, after: &str| format!("{}a{}", before.repeat(depth), after.repeat(depth));
    for (text, expected) in [
        (format!("a{}", "+a".repeat(4_000)), 4_001.0),
        (format!("a{}", "+a*a/a".repeat(1_300)), 1_301.0),
        (format!("and(1{})", ",a".repeat(2_000)), 1.0),
        (format!("or(0{},1)", ",a-1".repeat(1_500)), 1.0),
        (format!("max(0{})", ",a".repeat(2_000)), 1.0),
        (format!("coalesce(nil{})", ",b".repeat(2_000)), f64::NAN),
        (format!("a{}", " and a".repeat(1_300)), 1.0),
        (nested("(1+", 98, ")"), 99.0),
        (nested("map(0,0,1,", 90, ",1)"), 1.0),
        (nested("if(a,", 95, ",0)"), 1.0),
        (nested("if(0*a,0,", 95, ")"), 1.0),
        (nested("1+2*abs(3-abs(", 45, "))"), f64::INFINITY),
        (nested("lerp(a-1,a+1,", 90, ")"), f64::INFINITY),
        (nested("not(", 98, ")"), 1.0),
        (nested("(1 or 1 and 1 < 1 + 1 * -", 49, ")"), 1.0),
        (nested("(a and a or a < a + a * -", 49, ")"), 1.0),
        (nested("a % max(2, 1 + ", 45, ")"), f64::INFINITY),
    ] {
        let mut bench = Bench::new(&[("", &text)]);
        bench.set(0, 1.0).run();
        let interpreted = bench.evaluator.value(FormulaId(0)).and_then(|value| value.number());
        match expected {
            _ if expected.is_nan() => assert_eq!(interpreted, None, "{text}"),
            // Only that it has one.
            _ if expected.is_infinite() => assert!(interpreted.is_some(), "{text}"),
            _ => assert_eq!(interpreted, Some(expected), "{text}"),
        }
        let mut native = Bench::new(&[("", &text)]);
        native.evaluator.compile_native().unwrap();
        native.set(0, 1.0).run();
        assert_eq!(
            native.evaluator.value(FormulaId(0)).and_then(|value| value.number()),
            interpreted,
            "{text}"
        );
    }
}

#[test]
fn native_code_takes_over_where_it_stands() {
    // Three shapes.
    let shaped = |n: usize| match n % 3 {
        0 => format!("a * {n} + b"),
        1 => format!("abs(a) + b * {n}"),
        _ => format!("max(a, b) - {n}"),
    };
    let formulas: Vec<String> = (0..100).map(shaped).collect();
    let formulas: Vec<(&str, &str)> = formulas.iter().map(|text| ("", text.as_str())).collect();
    let mut bench = Bench::new(&formulas);
    bench.set(0, 2.0).set(1, 1.0).run();
    let before = bench.shown();
    assert!(!bench.evaluator.compile_native_step(1).unwrap());
    assert_eq!(bench.run().0, [0; 0]);
    bench.evaluator.compile_native().unwrap();
    assert!(bench.evaluator.compile_native_step(1).unwrap());
    assert_eq!((bench.run().0.len(), bench.shown()), (0, before));
    assert_eq!(bench.set(0, 3.0).run().0.len(), 99);
}

#[test]
fn the_examples_of_the_catalogue_are_right() {
    let plain = engine::formula::functions::FUNCTIONS.iter().filter(|f| f.example_samples.is_empty());
    for function in plain {
        let result = evaluate(function.example, &[]).unwrap().map_or("nil".into(), |value| value.to_string());
        assert_eq!(result, function.example_result, "{}", function.example);
    }
}

#[test]
fn a_formula_that_panics_is_switched_off_and_no_other() {
    let formulas =
        [("good", "sin(a) + 1"), ("bad", "cos(a) + 1"), ("after", "coalesce(bad, 7)"), ("b2", "b * 2")];
    let mut bench = Bench::new(&formulas);
    let compiled = bench.evaluator.program().clone();
    bench.set(0, 0.0).set(1, 1.0).run();
    let before = bench.shown();
    trampoline::FAULTY.set(Some("cos"));
    bench.set(0, 1.0).run();
    trampoline::FAULTY.set(None);
    let panics: Vec<_> =
        bench.evaluator.panics().iter().map(|(id, text)| (id.0, text.contains("a fault in cos"))).collect();
    assert_eq!(panics, [(1, true)]);
    let after = bench.shown();
    assert_eq!(after[1], before[1], "the last good result");
    assert!(after[0] != before[0] && after[3] == before[3]);
    let is_failing = |evaluator: &Evaluator| [0, 1, 2, 3].map(|id| evaluator.is_failing(FormulaId(id)));
    assert_eq!(is_failing(&bench.evaluator), [false, true, false, false]);
    // For good, and for its successor too.
    let memory = bench.evaluator.memory();
    bench.evaluator = Evaluator::new(compiled, Fps::default()).unwrap();
    bench.evaluator.restore(&memory);
    bench.set(0, 2.0).set(1, 5.0).run();
    assert_eq!(is_failing(&bench.evaluator), [false, true, false, false]);
    let last = bench.shown();
    assert!(last[0] != after[0] && last[1] == before[1] && last[3] != after[3]);
    assert_eq!(bench.evaluator.value(FormulaId(2)), Some(Value::Number(7.0)), "others see no value");
    assert_eq!((bench.evaluator.panics().len(), bench.evaluator.disabled()), (0, 1), "told once");
}

#[test]
fn of_formulas_that_share_their_code_those_that_panic_are_switched_off() {
    let formulas: Vec<String> = (0..40).map(|n| format!("if(a > {n}, cos(a), b + {n})")).collect();
    let formulas: Vec<(&str, &str)> = formulas.iter().map(|text| ("", text.as_str())).collect();
    for native in [false, true] {
        let mut bench = Bench::new(&formulas);
        assert_eq!(bench.evaluator.program().codes().len(), 1);
        if native {
            bench.evaluator.compile_native().unwrap();
        }
        bench.set(0, -1.0).set(1, 1.0).run();
        let before = bench.shown();
        trampoline::FAULTY.set(Some("cos"));
        bench.set(0, 33.5).run();
        trampoline::FAULTY.set(None);
        let panics: Vec<_> = bench.evaluator.panics().iter().map(|(id, _)| id.0).collect();
        assert_eq!(panics, (0..34).collect::<Vec<_>>());
        assert_eq!(bench.shown(), before, "last good results, and those that did not depend on it");
        let changed = bench.set(0, -1.0).set(1, 2.0).run().0;
        assert_eq!(changed, (34..40).collect::<Vec<_>>());
        assert_eq!((bench.evaluator.panics().len(), bench.evaluator.disabled()), (0, 34));
    }
}

#[test]
fn a_trial_tells_of_a_panic() {
    let variables = [("v".to_string(), Some(Value::Number(1.0)))];
    trampoline::FAULTY.set(Some("cos"));
    let result = Trial { text: "cos(v)", variables: &variables, ticks: 3, ..Trial::default() }.run();
    trampoline::FAULTY.set(None);
    let problems = result.unwrap_err();
    assert_eq!((problems.len(), problems[0].code, problems[0].span.clone()), (1, "internal", 0..6));
    assert!(problems[0].message.contains("a fault in cos"), "{}", problems[0].message);
}

#[test]
fn a_value_is_passed_on_to_every_group_that_reads_it() {
    // From none over those whose marks are written out to those whose marks are made in a loop.
    for readers in [0, 1, 31, 32, 100, 129, 1_000] {
        let readers: Vec<String> = (0..readers).map(|n| format!("v * {n} + b")).collect();
        let formulas: Vec<(&str, &str)> =
            std::iter::once(("v", "a + 1")).chain(readers.iter().map(|text| ("", text.as_str()))).collect();
        for native in [false, true] {
            let mut bench = Bench::new(&formulas);
            if native {
                bench.evaluator.compile_native().unwrap();
            }
            bench.set(0, 1.0).set(1, 0.5).run();
            let told = bench.set(0, 2.0).run().0;
            // One reader multiplies by 0.
            assert_eq!(told.len(), formulas.len() - usize::from(!readers.is_empty()), "{}", readers.len());
            let last = FormulaId(readers.len() as u32);
            let expected = if readers.is_empty() { 3.0 } else { 3.0 * (readers.len() - 1) as f64 + 0.5 };
            assert_eq!(bench.evaluator.value(last), Some(Value::Number(expected)));
        }
    }
}

#[test]
fn another_evaluator_of_the_same_code_goes_on_as_the_first() {
    let formulas = [("x", "a * 2"), ("", "x + b"), ("", "t .. x")];
    let mut bench = Bench::new(&formulas);
    let program = bench.evaluator.program().clone();
    let code = Code::default();
    let built = || Evaluator::built(program.clone(), &code, Fps::default(), &mut || ()).unwrap();
    bench.evaluator = built();
    bench.set(0, 1.0).set(1, 2.0).set(2, "p").run();
    // What is set and not yet evaluated is passed on too.
    bench.set(0, 4.0);
    let mut successor = built();
    successor.restore(&bench.evaluator.memory());
    let told = bench.run();
    assert_eq!(told, (vec![0, 1, 2], vec![]));
    let shown = bench.shown();
    bench.evaluator = successor;
    assert_eq!((bench.run(), bench.shown()), (told, shown));
}

#[test]
fn functions_that_are_written_out_agree_with_those_in_rust() {
    let numbers = [-1e308, -7.5, -1.0, -0.0, 0.0, 0.1, 1.0, 3.0, 1e308, 5e-324];
    for (name, arguments) in [("clamp", 3), ("lerp", 3), ("map", 5)] {
        let function = engine::formula::functions::Function::named(name).unwrap();
        let names = ["a", "b", "c", "d", "e"][..arguments].join(", ");
        let keys = ["a", "b", "c", "d", "e"];
        let keys = keys.map(|name| Key { name: format!("s.{name}"), kind: Kind::Number });
        let text = format!("{name}({names})");
        let compiled = compile(&[Entry { name: None, text: &text }], &Environment::of(&keys));
        let mut evaluators = [false, true].map(|native| {
            let mut evaluator = Evaluator::new(compiled.program.clone(), Fps::default()).unwrap();
            if native {
                evaluator.compile_native().unwrap();
            }
            evaluator
        });
        for case in 0..20_000_usize {
            let given: Vec<f64> =
                (0..arguments).map(|n| numbers[case * (2 * n + 3) / (n + 1) % numbers.len()]).collect();
            for evaluator in &mut evaluators {
                for (key, number) in given.iter().enumerate() {
                    evaluator.set_key(key, Some(&Value::Number(*number)));
                }
                evaluator.run(Tick(case as u64)).unwrap();
                // Formulas see no -0.
                let given: Vec<f64> = given.iter().map(|number| number + 0.0).collect();
                let expected = function.compute(&given).unwrap();
                let is_failing = evaluator.is_failing(FormulaId(0));
                assert_eq!(is_failing, expected.is_err(), "{name} {given:?} {expected:?}");
                if let Ok(expected) = expected {
                    let value = evaluator.value(FormulaId(0)).and_then(|value| value.number()).unwrap();
                    assert_eq!(value.to_bits(), (expected + 0.0).to_bits(), "{name} {given:?}");
                }
            }
        }
    }
}
