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
