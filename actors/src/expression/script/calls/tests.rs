use engine::diagnostic::Severity;
use engine::formula::Kind;

use super::*;
use crate::expression::script::library::Problem;
use crate::expression::script::{File, Limits};

fn library(text: &str) -> Library {
    let file = File { name: "t.lua".into(), text: text.into() };
    let (library, problems) =
        Library::check(vec![file], Limits::default(), &Rc::new(View::default()), |_| false);
    let is_warning = |problem: &Problem| problem.diagnostic.severity == Severity::Warning;
    assert!(problems.iter().all(is_warning), "{problems:?}");
    library
}

fn calls(library: &Library, sites: &[&str]) -> Calls {
    let function = |name: &&str| library.functions.iter().position(|one| one.name == **name).unwrap() as u32;
    Calls::new(library, sites.iter().map(function), ["room.celsius"], ["dew"], Fps::default(), 7).unwrap()
}

fn number(n: f64) -> Option<Value> {
    Some(Value::Number(n))
}

#[test]
fn signatures_come_from_the_script() {
    let library = library(
        "--- Adds.\nfunction add(a: number, b: number?): number return a + (b or 0) end \
         function name(...): string return 'x' end function red(): color return rgb(255, 0, 0) end \
         function on_tick(n) end local function own() end",
    );
    let shown =
        |function: &UserFunction| (function.signature(), function.result, function.description.clone());
    let all: Vec<_> = library.functions.iter().map(shown).collect();
    let expected =
        [("add(a[, b])", Kind::Number, "Adds."), ("name(...)", Kind::Text, ""), ("red()", Kind::Color, "")];
    assert_eq!(all, expected.map(|(signature, kind, text)| (signature.into(), kind, text.to_string())));
    assert_eq!(library.handlers[0], ["on_tick"]);
}

#[test]
fn a_site_calls_again_only_where_something_changed() {
    let library = library(
        "function f(a) log('called') return (get('celsius') or 0) + a end function t(): number return tick() end \
         function r(): number return math.random() end",
    );
    let mut calls = calls(&library, &["f", "t", "r"]);
    let steps = |calls: &Calls| calls.scripts[0].used().0;
    assert_eq!(calls.answer(0, &[number(1.0)]), Some(number(1.0)));
    assert_eq!(calls.answer(1, &[]), Some(number(0.0)));
    let rolled = calls.answer(2, &[]);
    let before = steps(&calls);
    assert_eq!(calls.answer(0, &[number(1.0)]), Some(number(1.0)));
    assert_eq!((calls.answer(2, &[]), steps(&calls)), (rolled.clone(), before), "nothing is called");
    let mut marked = Vec::new();
    calls.show(0, number(20.0), |site| marked.push(site));
    assert_eq!(marked, [0]);
    assert_eq!(calls.answer(0, &[number(1.0)]), Some(number(21.0)));
    assert_eq!(calls.answer(0, &[number(2.0)]), Some(number(22.0)));
    let mut marked = Vec::new();
    calls.begin(Tick(5), |site| marked.push(site));
    assert_eq!(marked, [1, 2]);
    assert_eq!(calls.answer(1, &[]), Some(number(5.0)));
    assert_ne!(calls.answer(2, &[]), rolled);
    calls.show(1, number(3.0), |site| panic!("nobody reads it, not even {site}"));
}

#[test]
fn a_memory_is_taken_up_by_others() {
    let library =
        library("function f(a) return get('celsius') + a end function loop() while true do end end");
    let mut first = calls(&library, &["f", "loop"]);
    first.show(0, number(1.0), |_| ());
    assert_eq!(first.answer(0, &[number(1.0)]), Some(number(2.0)));
    assert_eq!(first.answer(1, &[]), None);
    let mut second = calls(&library, &["f", "loop"]);
    second.restore(&first.memory());
    assert_eq!(second.answer(0, &[number(1.0)]), Some(number(2.0)));
    assert_eq!(second.problem(1), first.problem(1));
    let mut marked = Vec::new();
    second.show(0, number(5.0), |site| marked.push(site));
    assert_eq!((marked, second.answer(0, &[number(1.0)])), (vec![0], Some(number(6.0))));
}

#[test]
fn failures_are_told_once_and_offences_counted() {
    let library = library(
        "function fails(a) error('no ' .. a) end function loop(a) while true do end end \
         function text(): string return 1 end function plain() return 'x' end function red(): color return -1 end \
         function table_(): number return {} end",
    );
    let mut calls = calls(&library, &["fails", "loop", "text", "plain", "red", "table_"]);
    assert_eq!(calls.answer(0, &[number(1.0)]), None);
    assert_eq!(calls.answer(0, &[number(1.0)]), None);
    assert_eq!(calls.problem(0).map(|problem| &**problem), Some("runtime: t.lua:1: no 1"));
    assert_eq!(calls.take_failures().len(), 1);
    for (site, expected) in [
        (2, "`text` returned a number, and is to give a text"),
        (3, "`plain` returned a text, and is to give a number"),
        (4, "`red` returned a number, and is to give a colour"),
        (5, "`table_` returned what is no value for a formula: table"),
    ] {
        assert_eq!(calls.answer(site, &[]), None);
        let problem = calls.problem(site).unwrap();
        assert!(problem.contains(expected), "{problem}");
    }
    for n in 0..OFFENCES_MAX {
        assert_eq!(
            (calls.answer(1, &[number(n.into())]), calls.disabled()),
            (None, usize::from(n + 1 == OFFENCES_MAX))
        );
    }
    assert_eq!(calls.answer(0, &[number(2.0)]), None);
    assert!(calls.problem(0).unwrap().contains("switched off"));
}

#[test]
fn dice_are_rolled_again_at_the_next_tick_though_they_failed() {
    let library = library(
        "function r() if math.random() >= 0 then error('no luck') end end function t() error(tick()) end",
    );
    let mut calls = calls(&library, &["r", "t"]);
    assert_eq!((calls.answer(0, &[]), calls.answer(1, &[])), (None, None));
    let mut marked = Vec::new();
    calls.begin(Tick(1), |site| marked.push(site));
    assert_eq!(marked, [0, 1]);
}

#[test]
fn long_texts_are_refused() {
    let library = library("function long(n): string return string.rep('x', n) end");
    let mut calls = calls(&library, &["long"]);
    let length = |answer: Option<Option<Value>>| match answer {
        Some(Some(Value::Text(text))) => Some(text.len()),
        _ => None,
    };
    assert_eq!(length(calls.answer(0, &[number(4096.0)])), Some(4096));
    assert_eq!(calls.answer(0, &[number(4097.0)]), None);
    let problem = calls.problem(0).unwrap();
    assert!(problem.contains("returned a text of 4097 bytes, and texts have 4096 at most"), "{problem}");
}

#[test]
fn a_tick_has_so_many_steps() {
    let mut library = library("function f(n) for i = 1, 900 do end return n end");
    library.limits.tick_budget = 2_000;
    let beats = Rc::new(std::cell::Cell::new(0));
    let at = beats.clone();
    let mut calls = calls(&library, &["f"; 4]).beating(move || at.set(at.get() + 1));
    let answers = |calls: &mut Calls, n| [0, 1, 2, 3].map(|site| calls.answer(site, &[number(n)]).is_some());
    assert_eq!(answers(&mut calls, 1.0), [true, true, true, false]);
    let problem = calls.problem(3).unwrap();
    assert!(problem.contains("the 2000 steps that a tick has for scripts"), "{problem}");
    let mut marked = Vec::new();
    calls.begin(Tick(1), |site| marked.push(site));
    assert_eq!((marked, answers(&mut calls, 1.0)), (vec![3], [true; 4]), "its turn comes with the next");
    assert_eq!((calls.take_failures(), calls.disabled(), beats.get()), (Vec::new(), 0, 4));
}

#[test]
fn a_truth_value_is_another_value_than_a_number() {
    let library = library("function f() return if get('celsius') == true then 1 else 2 end");
    let mut calls = calls(&library, &["f"]);
    let mut marked = Vec::new();
    calls.show(0, number(1.0), |_| ());
    assert_eq!(calls.answer(0, &[]), Some(number(2.0)));
    calls.show(0, Some(Value::Bool(true)), |site| marked.push(site));
    calls.show(0, Some(Value::Bool(true)), |site| marked.push(site));
    assert_eq!((marked, calls.answer(0, &[])), (vec![0], Some(number(1.0))));
}

#[test]
fn colours_are_numbers_to_scripts() {
    let library = library("function f(): color return get('shade') or 0 end");
    let view = View::new(["s.shade"], [], Fps::default()).with_kinds([Some(Kind::Color)]);
    let mut calls = Calls::with(&library, [0], view, 7).unwrap();
    for (sent, expected) in [("#ff8000", 0xff80_00ff_u32), ("red", 0xff00_00ff), ("no colour", 0)] {
        calls.show(0, Some(Value::from(sent)), |_| ());
        assert_eq!(calls.answer(0, &[]), Some(number(expected.into())), "{sent}");
    }
}

#[test]
fn parameters_are_what_they_are_declared() {
    let library = library(
        "function f(on: boolean, n: number, s: string?, c: color?, x: any) return if on then 1 else 0 end function g(a) return a end",
    );
    use ParameterKind::{Any, Color, Number, Text, Truth};
    assert_eq!(library.functions[0].kinds, [Truth, Number, Text, Color, Any]);
    assert_eq!(library.functions[1].kinds, [Any]);
    let mut calls = calls(&library, &["f"]);
    for (given, expected) in [(Some(Value::Number(0.0)), 0.0), (number(2.0), 1.0), (None, 0.0)] {
        assert_eq!(calls.answer(0, &[given, number(1.0)]), Some(number(expected)));
    }
}

fn renewed(library: &Library, text: &str) -> Library {
    let script = engine::script::Script { file: "t.lua".into(), text: text.into() };
    library.renewed(&[script], &[]).unwrap()
}

#[test]
fn a_script_that_is_another_one_is_called_anew() {
    let first = library("function f(a) return a end function loop(a) while true do end end");
    let mut calls = calls(&first, &["f", "loop"]);
    assert_eq!(calls.answer(0, &[number(1.0)]), Some(number(1.0)));
    for n in 0..OFFENCES_MAX {
        assert_eq!(calls.answer(1, &[number(n.into())]), None);
    }
    assert_eq!((calls.answer(0, &[number(2.0)]), calls.disabled()), (None, 1));
    // The functions have other places now.
    let second = renewed(&first, "function loop(a) return 3 end function f(a) return a * 10 end");
    let mut marked = Vec::new();
    calls.reload(&second, |site| marked.push(site)).unwrap();
    assert_eq!((marked, calls.disabled()), (vec![0, 1], 0));
    assert_eq!(
        [0, 1].map(|site| calls.answer(site, &[number(2.0)])),
        [Some(number(20.0)), Some(number(3.0))]
    );
    let memory = calls.memory();
    let broken = renewed(&second, "function f(a) return a * 10 end function loop(a) return ( end");
    let failure = calls.reload(&broken, |site| panic!("{site} is as before")).unwrap_err();
    assert!(failure.to_string().starts_with("syntax: t.lua:1: "), "{failure}");
    assert_eq!(calls.answer(0, &[number(4.0)]), Some(number(40.0)));
    // Another one of the first library takes all of it up.
    let mut other = self::calls(&first, &["f", "loop"]);
    other.restore(&memory);
    assert_eq!(
        [0, 1].map(|site| other.answer(site, &[number(2.0)])),
        [Some(number(20.0)), Some(number(3.0))]
    );
}

/// A library whose clock ends whatever takes more than a moment.
fn impatient(text: &str) -> Library {
    let library = library(text);
    Library { limits: Limits { backstop: std::time::Duration::ZERO, ..Limits::default() }, ..library }
}

#[test]
fn what_the_clock_ended_ends_there_again() {
    const TEXT: &str = "function slow(a)\n  local n = get('celsius') or 0\n  for i = 1, 20000 do n += i end\n  return n + a\nend\n\
                        function quick() return 7 end";
    let library = impatient(TEXT);
    let mut first = calls(&library, &["slow", "quick"]);
    first.time(true, &[]);
    assert_eq!((first.answer(1, &[]), first.answer(0, &[number(1.0)])), (Some(number(7.0)), None));
    let ended = first.take_ended();
    assert_eq!((ended.len(), ended[0].call, ended[0].line, first.take_ended()), (1, 0, 3, vec![]));
    let told = first.problem(0).cloned();
    assert_eq!(told.as_deref(), Some("timeout: t.lua:3: it took longer than 0 ms"));

    // Where the clock has no say, it does so only where it did.
    let mut second = calls(&library, &["slow", "quick"]);
    second.time(false, &ended);
    assert_eq!((second.answer(1, &[]), second.answer(0, &[number(1.0)])), (Some(number(7.0)), None));
    assert_eq!((second.problem(0).cloned(), second.take_ended()), (told, ended));
    assert_eq!(first.offences.all(By::Functions), second.offences.all(By::Functions));
    // It is tried again at the next tick.
    let mut marked = Vec::new();
    second.begin(Tick(1), |site| marked.push(site));
    second.time(false, &[]);
    assert_eq!((marked, second.answer(0, &[number(1.0)])), (vec![0], Some(number(200_010_001.0))));
}
