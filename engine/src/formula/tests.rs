//! Programs: what they say of themselves. Their results are tested with the evaluator.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use super::derived::{Derived, Measure, Percent};
use super::functions::{Category, FUNCTIONS, Function};
use super::parser::{MAX_DEPTH, MAX_LENGTH, parse};
use super::script::MAX_ARGUMENTS;
use super::*;

fn program(entries: &[(Option<&str>, &str)]) -> Program {
    let entries: Vec<Entry<'_>> = entries.iter().map(|(name, text)| Entry { name: *name, text }).collect();
    let keys = ["s.a", "s.b", "s.text"].map(|name| Key {
        name: name.into(),
        kind: if name == "s.text" { Kind::Text } else { Kind::Number },
    });
    let compiled = compile(&entries, &Environment::of(&keys));
    assert!(compiled.problems.is_empty(), "{:?}", compiled.problems);
    compiled.program
}

#[test]
fn kinds_and_keys() {
    let program = program(&[
        (Some("x"), "a + 1"),
        (Some("y"), "x * b"),
        (None, "text .. y"),
        (None, "tick"),
        (None, ""),
        (None, "coalesce(nil, text)"),
    ]);
    let told: Vec<_> =
        (0..6).map(|id| (program.kind(FormulaId(id)), program.keys_of(FormulaId(id)))).collect();
    let (number, text) = (Some(Kind::Number), Some(Kind::Text));
    assert_eq!(
        told,
        [
            (number, vec![0]),
            (number, vec![0, 1]),
            (text, vec![0, 1, 2]),
            (number, vec![]),
            (number, vec![]),
            (text, vec![2])
        ]
    );
    assert_eq!((program.name(FormulaId(1)), program.text(FormulaId(1))), (Some("y"), "x * b"));
    assert_eq!(program.kind(FormulaId(6)), None);
}

#[test]
fn equal_formulas_are_one_node() {
    let program = program(&[
        (Some("x"), "a + 1/b"),
        (None, "(a+1 / b)"),
        (None, "x"),
        (None, "s.a + 1.0 / `s.b`"),
        (None, "1/b + a"),
    ]);
    let nodes: Vec<_> = (0..5).map(|id| program.node_of(FormulaId(id))).collect();
    assert_eq!(nodes, [Some(0), Some(0), Some(0), Some(0), Some(1)]);
    // Each keeps its own places.
    let places: Vec<_> =
        [0, 1, 3].map(|id| program.site(FormulaId(id), 1).map(|site| site.span.clone())).into();
    assert_eq!(places, [Some(4..7), Some(3..8), Some(6..17)]);
}

#[test]
fn dependents_come_later() {
    let entries: Vec<String> = (0..200).map(|n| format!("v{} + {n}", n + 1)).collect();
    let names: Vec<String> = (0..=200).map(|n| format!("v{n}")).collect();
    let mut list: Vec<_> = names.iter().zip(&entries).map(|(n, e)| (Some(n.as_str()), e.as_str())).collect();
    list.push((Some("v200"), "a"));
    let program = program(&list);
    for node in 0..program.node_count() {
        let group = program.groups().iter().position(|group| group.nodes.contains(&node)).unwrap();
        for dependents in program.dependents_of_node(node) {
            assert!(dependents.group as usize > group);
        }
    }
    assert_eq!(program.keys_of(FormulaId(0)), [0]);
}

#[test]
fn a_chain_of_ten_thousand_values() {
    let texts: Vec<String> =
        (1..=10_000).map(|n| if n == 10_000 { "a".into() } else { format!("v{n} + 1") }).collect();
    let names: Vec<String> = (0..10_000).map(|n| format!("v{n}")).collect();
    let list: Vec<_> = names.iter().zip(&texts).map(|(n, t)| (Some(n.as_str()), t.as_str())).collect();
    assert_eq!(program(&list).keys_of(FormulaId(0)), [0]);
}

#[test]
fn what_is_asked_of_a_keys_past_is_asked_once() {
    let program = program(&[
        (None, "avg(a, 5m) + b"),
        (None, "MOVINGAVG('s.a', '300s') * 2"),
        (None, "percentile(`s.a`, 95, 120ticks) - age(text)"),
        (None, "delta(a)"),
    ]);
    let five = Some(derived::Span::Milliseconds(300_000));
    let rank = Measure::Percentile(Percent::new(95.0).unwrap());
    let asked = |measure, key, span| Derived { measure, key, span };
    assert_eq!(
        program.derived(),
        [
            asked(Measure::Average, 0, five),
            asked(rank, 0, Some(derived::Span::Ticks(120))),
            asked(Measure::Age, 2, None),
            asked(Measure::Delta, 0, None),
        ]
    );
    let dependents = |index| program.dependents_of_derived(index).to_vec();
    assert_eq!(dependents(0), [Dependents { group: 0, mask: 0b11 }]);
    assert_eq!(dependents(3), [Dependents { group: 0, mask: 0b1000 }]);
    assert_eq!(program.keys_of(FormulaId(2)), [0, 2], "they depend on the keys");
    assert!(program.dependents_of_key(0).is_empty(), "but not on the keys' values");
    let layout = program.layout();
    let lanes = [layout.key(2), layout.derived(0), layout.derived(3), layout.node(0)];
    assert_eq!(lanes.map(|lane| lane / 8), [5, 6, 9, 10]);
}

#[test]
fn arguments_of_scripts_functions_are_limited() {
    let function =
        |name: &str, max| UserFunction { name: name.into(), max_arguments: max, ..UserFunction::default() };
    let scripts = [function("any", None), function("many", Some(100)), function("few", Some(2))];
    let environment = Environment { scripts: &scripts, ..Environment::default() };
    let said = |name: &str, count: usize| {
        let text = format!("1 + {name}({})", vec!["1"; count].join(", "));
        let compiled = compile(&[Entry { name: None, text: &text }], &environment);
        compiled.problems.into_iter().map(|(_, p)| (p.span, p.message, p.help)).collect::<Vec<_>>()
    };
    for name in ["any", "many"] {
        assert_eq!(said(name, MAX_ARGUMENTS), [], "{name}");
        let message = format!("a script's function takes at most 32 arguments, not {}", MAX_ARGUMENTS + 1);
        let help = "split the call into several, or let the script read keys with `get`";
        let end = 4 + format!("{name}({})", vec!["1"; MAX_ARGUMENTS + 1].join(", ")).len();
        assert_eq!(said(name, MAX_ARGUMENTS + 1), [(4..end, message, Some(help.into()))], "{name}");
    }
    assert_eq!(said("few", 33)[0].1, "`few` takes 0 to 2 arguments, not 33");
}

#[test]
fn scripts_functions_say_what_they_take() {
    use ParameterKind::{Any, Color, Number, Text, Truth};
    let function = UserFunction {
        name: "f".into(),
        kinds: vec![Number, Truth, Text, Color, Any],
        ..UserFunction::default()
    };
    let environment = Environment { scripts: &[function], ..Environment::default() };
    let said = |text: &str| {
        let compiled = compile(&[Entry { name: None, text }], &environment);
        let told = |(_, problem): (_, Diagnostic)| format!("{}: {}", &text[problem.span], problem.message);
        compiled.problems.into_iter().map(told).collect::<Vec<_>>()
    };
    assert_eq!(said("f(1, tick > 2, 'a', 'red', '#fff')"), [""; 0]);
    assert_eq!(said("f(true, 1, 'a' .. 2, rgb(1, 2, 3), 5s)"), [""; 0]);
    assert_eq!(said("f(nil, nil, nil, nil, nil, 'more')"), [""; 0]);
    assert_eq!(
        said("f('a', 'b', 3, 4)"),
        [
            "'a': `f` needs a number, this is a text",
            "'b': `f` needs a condition, this is a text",
            "3: `f` needs a text, this is a number",
            "4: `f` needs a colour, this is a number",
        ]
    );
    assert_eq!(
        said("f(rgb(1, 2, 3), 5s, '', 'reddish')"),
        [
            "rgb(1, 2, 3): `f` needs a number, this is a colour",
            "5s: `f` needs a condition, this is a duration",
            "'reddish': `reddish` is no colour",
        ]
    );
}

#[test]
fn scripts_functions_and_constants() {
    let function = |name: &str, least, result| UserFunction {
        name: name.into(),
        parameters: vec!["a".into(), "b".into()],
        min_arguments: least,
        max_arguments: Some(2),
        result,
        ..UserFunction::default()
    };
    let scripts = [function("feels", 1, Kind::Number), function("shade", 2, Kind::Color)];
    let constants = [("host".to_string(), Value::from("pi")), ("load".to_string(), Value::Number(3.0))];
    let keys = [Key { name: "s.load".into(), kind: Kind::Number }];
    let environment =
        Environment { keys: &keys, scripts: &scripts, constants: &constants, ..Environment::default() };
    let entry = |text| Entry { name: None, text };
    let texts = [
        "feels(load) + feels(load, host)",
        "shade(1, '#fff') == '#112233'",
        "host .. '!'",
        "if(load > 1, shade(1, 2), 'red')",
        "feels()",
        "Feels(1)",
        "feels",
        "hots",
    ];
    let compiled = compile(&texts.map(entry), &environment);
    let call = |function, node, arguments: &[Kind], result| ScriptCall {
        function,
        node,
        arguments: arguments.to_vec(),
        result,
    };
    let (number, text, color) = (Kind::Number, Kind::Text, Kind::Color);
    assert_eq!(
        compiled.program.script_calls(),
        [
            call(0, 0, &[number], number),
            call(0, 0, &[number, text], number),
            call(1, 1, &[number, text], color),
            call(1, 3, &[number, number], color),
        ]
    );
    let code = &compiled.program.codes()[0];
    assert!((0..4).all(|n| code.contains(&format!("f_script({n}, "))), "{code}");
    let kinds: Vec<_> = (0..4).map(|id| compiled.program.kind(FormulaId(id))).collect();
    assert_eq!(kinds, [Some(number), Some(number), Some(text), Some(color)]);
    let problems: Vec<_> =
        compiled.problems.iter().map(|(id, p)| (id.0, p.code, p.help.as_deref())).collect();
    assert_eq!(
        problems,
        [
            (4, "wrong-arity", Some("write `feels(a[, b])`")),
            (5, "unknown-function", Some("did you mean `feels`?")),
            (6, "unknown-name", Some("`feels` is a function: write `feels(a[, b])`")),
            (7, "unknown-name", Some("did you mean `host`?")),
        ]
    );
}

#[test]
fn limits() {
    let codes = |text: &str| parse(text).diagnostics.iter().map(|d| d.code).collect::<Vec<_>>();
    let nested = |depth: usize| format!("{}1{}", "(".repeat(depth), ")".repeat(depth));
    assert_eq!(codes(&nested(MAX_DEPTH)), [""; 0]);
    assert_eq!(codes(&nested(MAX_DEPTH + 1)), ["too-deep"]);
    assert_eq!(codes(&nested(3_000)), ["too-deep"]);
    let all_levels =
        |depth: usize| format!("{}1{}", "(1 or 1 and 1 < 1 .. 1 + 1 * ".repeat(depth), ")".repeat(depth));
    assert_eq!(codes(&all_levels(MAX_DEPTH)), [""; 0]);
    assert_eq!(codes(&all_levels(MAX_DEPTH + 1)), ["too-deep"]);
    assert_eq!(codes(&format!("{}1", "-".repeat(8_000))), ["too-deep"]);
    assert_eq!(codes(&format!("{}1", "2^".repeat(4_000))), ["too-deep"]);
    assert_eq!(codes(&"f(".repeat(4_000)), ["too-deep"]);
    assert_eq!(codes(&format!("1{}", "+1".repeat((MAX_LENGTH - 1) / 2))), [""; 0]);
    assert_eq!(codes(&" ".repeat(MAX_LENGTH)), [""; 0]);
    assert_eq!(codes(&" ".repeat(MAX_LENGTH + 1)), ["too-long"]);
}

#[test]
fn no_word_of_the_user_is_in_the_code() {
    let program =
        program(&[(Some("os.exit(1)"), "text .. '\"]] os.exit(1) --' .. `s.a`"), (None, "`os.exit(1)`")]);
    for code in program.codes() {
        assert!(!code.contains("exit") && !code.contains('\''), "{code}");
    }
}

#[test]
fn the_table_of_functions_is_in_order() {
    let mut names: Vec<_> = FUNCTIONS.iter().map(|function| function.name).collect();
    assert!(FUNCTIONS.is_sorted_by_key(|function| function.category), "categories stand together");
    assert_eq!(Category::Logic.name(), "Logic");
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), FUNCTIONS.len());
    for function in &FUNCTIONS {
        assert!(function.signature.starts_with(&format!("{}(", function.name)), "{}", function.signature);
        assert!(function.example.contains(function.name), "{}", function.example);
        assert_eq!(function.name, function.name.to_lowercase());
        assert!(Function::named(function.name).is_some());
        assert!(!function.description.ends_with('.'));
    }
}

#[test]
fn formulas_of_one_shape_share_their_code() {
    let many = |text: fn(usize) -> String| (0..40).map(text).collect::<Vec<_>>();
    let codes = |texts: &[String]| {
        let names: Vec<_> = (0..texts.len()).map(|index| format!("v{index}")).collect();
        let list: Vec<_> = names.iter().zip(texts).map(|(n, t)| (Some(n.as_str()), t.as_str())).collect();
        let program = program(&list);
        let shared = program.groups().iter().filter(|group| group.shared.is_some()).count();
        (program.codes().len(), program.groups().len(), shared)
    };
    assert_eq!(codes(&many(|n| format!("a * {n} + b"))), (1, 2, 2));
    assert_eq!(codes(&many(|n| format!("if(a > {n}, b, {n}.5)"))), (1, 2, 2));
    // Seven are too few.
    assert_eq!(codes(&many(|n| format!("a * {n} + b"))[1..8]), (1, 1, 0));
    assert_eq!(codes(&many(|n| format!("a * {n} + b"))[1..9]), (1, 1, 1));
    // A chain of values is no group of equals, since each needs the one before.
    let chain = many(|n| if n == 0 { "a".into() } else { format!("v{} + {n}", n - 1) });
    assert_eq!(codes(&chain), (2, 2, 0));
    // Each value is read by one that reads no other: two shapes, on two levels.
    let pairs = many(|n| if n % 2 == 0 { format!("a + {n}") } else { format!("v{} * {n}", n - 1) });
    assert_eq!(codes(&pairs), (2, 2, 2));
}

#[test]
fn a_node_of_thousands_of_operands_is_lowered_in_pieces() {
    let sum = (0..1_200).map(|n| format!("a*{n}")).collect::<Vec<_>>().join("+");
    let calls = format!("{}1{}", "min(a,b*".repeat(90), ")".repeat(90));
    for text in [sum, calls] {
        let program = program(&[(None, &text)]);
        let longest = program.codes()[0].lines().map(str::len).max();
        assert!(longest < Some(1_500), "{longest:?}");
    }
}

proptest::proptest! {
    #[test]
    fn any_text_is_parsed_without_a_panic(text in "[-+*/%^<>=!&|?:.,()'\"`a-f0-9_ \\[{~\u{e9}]{0,80}|.{0,80}") {
        let parsed = parse(&text);
        for diagnostic in parsed.diagnostics {
            assert!(text.get(diagnostic.span.clone()).is_some(), "{diagnostic:?}");
        }
    }
}

#[test]
fn windows_that_nothing_reads_are_not_asked_for() {
    let asked = |texts: &[&str]| {
        let entries: Vec<_> = texts.iter().map(|text| Entry { name: None, text }).collect();
        let keys = [Key { name: "s.a".into(), kind: Kind::Number }];
        compile(&entries, &Environment::of(&keys)).program
    };
    let program = asked(&[
        "if(1 > 2, avg(a, 5m), 3)",
        "1 > 2 and sum(a, 5m) > 0",
        "coalesce(4, median(a, 5m))",
        "sum(a, 1h) + nowhere",
    ]);
    assert_eq!(program.derived(), []);
    let program = asked(&["if(1 > 2, avg(a, 5m), min_over(a, 1m)) + if(a > 2, sum(a, 7m), delta(a))"]);
    let measures: Vec<_> = program.derived().iter().map(|derived| derived.measure).collect();
    assert_eq!(measures, [Measure::Minimum, Measure::Sum, Measure::Delta]);
    for index in 0..3 {
        assert_eq!(program.dependents_of_derived(index), [Dependents { group: 0, mask: 1 }]);
        let lane = format!("{}", program.layout().derived(index));
        assert!(program.codes()[0].contains(&lane), "{lane} in {}", program.codes()[0]);
    }
}

/// What is said of a formula that fails while it runs: what to write instead of its own text.
#[test]
fn help_for_what_can_fail() {
    const LARGE: &str = "where it can be that large, bound what it is made of: `clamp(x, low, high)`";
    let keys = ["cpu", "power", "load"].map(|name| Key { name: name.into(), kind: Kind::Number });
    let check = |text: &str, expected: &[&str]| {
        let compiled = compile(&[Entry { name: None, text }], &Environment::of(&keys));
        assert!(compiled.problems.is_empty(), "{text}: {:?}", compiled.problems);
        let sites = (0..).map_while(|index| compiled.program.site(FormulaId(0), index));
        let helps = sites.filter_map(|site| site.diagnostic(text).help);
        // Any sum can be too large.
        let helps: Vec<_> = helps.filter(|help| help != LARGE || text == "cpu + power").collect();
        assert_eq!(helps, expected, "{text}");
    };
    check("1 + power / load", &["where it can be zero, write `if(load == 0, 0, power / load)`"]);
    check("1 * 2 % (cpu - 1)", &["where it can be zero, write `if(cpu - 1 == 0, 0, (1 * 2) % (cpu - 1))`"]);
    check(
        "(power or cpu) // (cpu < 5)",
        &["where it can be zero, write `if((cpu < 5) == 0, 0, (power or cpu) // (cpu < 5))`"],
    );
    check("2 * SQRT(cpu - 5)", &["where it can be negative, write `sqrt(max(0, cpu - 5))`"]);
    check(
        "log(cpu or power)",
        &["where it can be zero or less, write `if((cpu or power) > 0, log(cpu or power), 0)`"],
    );
    check("acos(cpu)", &["where it can be out of range, write `acos(clamp(cpu, -1, 1))`"]);
    check("(cpu - 1) ^ 0.5", &["where the base can be negative, write `max(0, cpu - 1) ^ 0.5`"]);
    check("exp(cpu * 2)", &["where it can be large, write `exp(min(700, cpu * 2))`"]);
    check("cpu + power", &[LARGE]);
    // What is long is told with letters.
    let long = vec!["cpu"; 60].join(" + ");
    check(&format!("sqrt({long})"), &["where it can be negative, write `sqrt(max(0, a))`"]);
}
