use super::*;
use crate::formula::Results;
use crate::template::parse;
use crate::value::Value;
use alloc::string::ToString;
use alloc::vec;

/// Templates as `name text`, each formula's id its place among all of them.
fn library(named: &[(&str, &str)]) -> (Library, Vec<(usize, Diagnostic)>, u32) {
    let drafts: Vec<(String, Draft)> = named
        .iter()
        .map(|(name, text)| {
            let (draft, problems) = parse(text);
            assert_eq!(problems, [], "{text}");
            (name.to_string(), draft)
        })
        .collect();
    let mut next = 0;
    let (library, problems) = Library::new(&drafts, |_, _, _, _| {
        next += 1;
        FormulaId(next - 1)
    });
    (library, problems, next)
}

fn shown(library: &Library, text: &str, first: u32) -> String {
    let mut ids = (first..).map(FormulaId);
    let (template, problems) = library.resolve(&parse(text).0, |_, _, _| ids.next().unwrap());
    assert_eq!(problems, [], "{text}");
    let mut results = Results::new(20);
    for id in 0..20 {
        results.set(FormulaId(id), Some(Value::Number(f64::from(id))));
    }
    let mut out = String::new();
    template.render(&results, &mut out);
    out
}

#[test]
fn what_is_included_is_shown_in_its_place() {
    let (library, problems, next) =
        library(&[("row", "{include(unit)}: {include('unit')}!"), ("unit", "<{x:.1f} {y}>")]);
    assert_eq!(problems, []);
    assert_eq!(
        shown(&library, "a {include(row)} {z} {include(unit)}", next),
        "a <0.0 1>: <0.0 1>! 2 <0.0 1>"
    );
    assert_eq!(shown(&library, "plain", next), "plain");
}

/// Each formula is compiled once, however often its template is included.
#[test]
fn a_formula_that_is_included_twice_is_one() {
    let (library, _, next) =
        library(&[("a", "{x}"), ("b", "{include(a)}{include(a)}"), ("c", "{include(b)}{y}")]);
    assert_eq!(next, 2);
    let (template, _) = library.resolve(&parse("{include(b)}{include(c)}").0, |_, _, _| unreachable!());
    let ids: Vec<u32> = template.formulas().map(|id| id.0).collect();
    assert_eq!(ids, [0, 0, 0, 0, 1]);
}

#[test]
fn texts_beside_each_other_become_one() {
    let (library, ..) = library(&[("a", "b"), ("n", "")]);
    let (template, _) = library.resolve(&parse("a{include(a)}{include(n)}c").0, |_, _, _| unreachable!());
    assert_eq!(template.parts, vec![Part::Literal("abc".into())]);
}

#[test]
fn cycles_are_found_and_printed() {
    let (library, problems, _) = library(&[
        ("top", "{include(a)}"),
        ("c", "{include(a)}"),
        ("a", "x {include(b)}"),
        ("b", "{include(c)}"),
        ("own", "{include(own)}"),
    ]);
    let found: Vec<_> = problems
        .iter()
        .map(|(index, problem)| (*index, problem.span.clone(), problem.message.as_str()))
        .collect();
    assert_eq!(
        found,
        [
            (1, 9..10, "this template includes itself: c -> a -> b -> c"),
            (4, 9..12, "this template includes itself: own -> own"),
        ],
        "and nothing is said of who includes them"
    );
    assert_eq!(shown(&library, "left {include(top)}out", 0), "left out");
}

#[test]
fn unknown_names_have_suggestions() {
    let (library, problems, _) = library(&[("header", "{include(foter)} {include(zzz)}"), ("footer", "")]);
    let said: Vec<_> = problems
        .iter()
        .map(|(_, p)| {
            (p.span.clone(), p.message.as_str(), p.candidates.clone(), p.help.clone().unwrap_or_default())
        })
        .collect();
    assert_eq!(
        said,
        [
            (9..14, "there is no template `foter`", vec!["footer".to_string()], String::new()),
            (26..29, "there is no template `zzz`", vec![], "the templates are `footer`, `header`".into()),
        ]
    );
    let (_, problems) = library.resolve(&parse("{include(heder)}").0, |_, _, _| unreachable!());
    assert_eq!(problems[0].candidates, ["header"]);
    let (_, problems) = Library::default().resolve(&parse("{include(a)}").0, |_, _, _| unreachable!());
    assert_eq!(problems[0].help.as_deref(), Some("write a section `[template.a]` with its `text`"));
}

#[test]
fn depth_is_limited() {
    let name = |index: u32| alloc::format!("t{index}");
    let chain = |deep: u32| -> Vec<(String, Draft)> {
        let text =
            |index| if index == 0 { "x".into() } else { alloc::format!("{{include(t{})}}", index - 1) };
        (0..=deep).map(|index| (name(index), parse(&text(index)).0)).collect()
    };
    for (deep, expected) in [(MAX_DEPTH - 1, 0), (MAX_DEPTH, 0), (MAX_DEPTH + 1, 1), (MAX_DEPTH + 9, 1)] {
        let (_, problems) = Library::new(&chain(deep), |_, _, _, _| unreachable!());
        assert_eq!(problems.len(), expected, "{deep}");
    }
    let (_, problems) = Library::new(&chain(MAX_DEPTH + 1), |_, _, _, _| unreachable!());
    assert_eq!((problems[0].0, problems[0].1.code), (MAX_DEPTH as usize + 1, "too-deep"));
}

#[test]
fn parts_are_limited() {
    let (library, ..) = library(&[("ten", &"{x},".repeat(5))]);
    let of = |times: usize, more: &str| {
        let text = "{include(ten)}".repeat(times) + more;
        library.resolve(&parse(&text).0, |_, _, _| FormulaId(9)).1.len()
    };
    assert_eq!((of(MAX_PARTS / 10, ""), of(MAX_PARTS / 10 + 1, "")), (0, 1));
    // Doubling over and over comes to an end too.
    let doubling: Vec<(String, Draft)> = (0..MAX_DEPTH)
        .map(|n| {
            let text = if n == 0 {
                "{x}".into()
            } else {
                alloc::format!("{{include(t{0})}}{{include(t{0})}}", n - 1)
            };
            (alloc::format!("t{n}"), parse(&text).0)
        })
        .collect();
    let (_, problems) = Library::new(&doubling, |_, _, _, _| FormulaId(0));
    assert_eq!(problems.iter().map(|(_, p)| p.code).collect::<Vec<_>>(), ["too-many"]);
}

#[test]
fn text_is_limited() {
    let (library, ..) = library(&[("kilo", &"x".repeat(1_024)), ("formula", "{x}")]);
    let of = |times: usize, more: &str| {
        let text = "{include(kilo)}{include(formula)}".repeat(times) + more;
        let (template, problems) = library.resolve(&parse(&text).0, |_, _, _| unreachable!());
        let mut out = String::new();
        template.render(&Results::new(1), &mut out);
        (out.len(), problems)
    };
    let most = MAX_TEXT / 1_024;
    let dashes = most * crate::template::NO_VALUE.len();
    assert_eq!(of(most, ""), (MAX_TEXT + dashes, vec![]));
    for (times, more) in [(most, "y"), (most + 1, "")] {
        let (_, problems) = of(times, more);
        let said: Vec<_> = problems.iter().map(|p| (p.code, p.message.as_str())).collect();
        let message = "with all that it includes this template has more than 16384 bytes of text";
        assert_eq!(said, [("too-long", message)], "{times} {more}");
        assert!(problems[0].help.is_some());
    }
}

/// Texts beside each other are one part: the number of parts does not see them grow.
#[test]
fn texts_do_not_grow_without_bound() {
    let mut named = vec![(String::from("t0"), parse(&"x".repeat(4_096)).0)];
    for n in 1..MAX_DEPTH {
        let text = alloc::format!("{{include(t{})}}", n - 1).repeat(250);
        named.push((alloc::format!("t{n}"), parse(&text).0));
    }
    let (library, problems) = Library::new(&named, |_, _, _, _| unreachable!());
    let said: Vec<_> = problems.iter().map(|(index, p)| (*index, p.code, p.span.clone())).collect();
    assert_eq!(said, [(1, "too-long", 4 * 13 + 9..4 * 13 + 11)], "the fifth is one too many");
    assert_eq!(shown(&library, "left {include(t9)}out", 0), "left out");
}

#[test]
fn the_first_of_two_has_the_name() {
    let (library, problems, _) = library(&[("a", "first"), ("a", "second")]);
    assert_eq!(problems, []);
    assert_eq!(shown(&library, "{include(a)}", 0), "first");
}
