//! What is printed is read as the same tree.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use proptest::prelude::*;
use proptest::sample::select;

use super::super::ast::{Call, Comparison, Expr, Link, Node, Operator};
use super::super::duration::{Duration, Unit};
use super::super::parser::{MAX_DEPTH, MAX_LENGTH, parse};
use super::print;
use crate::diagnostic::Severity;

#[test]
fn one_way_to_write_each() {
    for (text, expected) in [
        ("1+2*3", "1 + 2 * 3"),
        ("(1+2)*3", "(1 + 2) * 3"),
        ("((1))+(2*3)", "1 + 2 * 3"),
        ("a - (b - c) - d", "a - (b - c) - d"),
        ("(a - b) - c", "(a - b) - c"),
        ("(2 ** 3) ** (4 ^ 5)", "(2 ^ 3) ^ 4 ^ 5"),
        ("-(2 ^ 2) + (-2) ^ 2", "-2 ^ 2 + (-2) ^ 2"),
        ("2 ^ (-1)", "2 ^ -1"),
        ("- - 1 - -1", "- -1 - -1"),
        ("(not a) + not b + c", "(not a) + not b + c"),
        ("not(a < b)", "not(a < b)"),
        ("!a && !b || c~=d", "not a and not b or c != d"),
        ("(a or b) and c", "(a or b) and c"),
        ("(a < b) == (c < d)", "(a < b) == (c < d)"),
        ("\"it's\" .. '\"' .. 'it\\'s \"so\"'", "\"it's\" .. '\"' .. 'it\\'s \"so\"'"),
        ("'a\\u{7}\\n\\t\\\\'", "'a\\u{7}\\n\\t\\\\'"),
        ("`cpu` + `not` + `a b` + `1a` + `a..b`", "cpu + `not` + `a b` + `1a` + `a..b`"),
        ("IF(TRUE,1e300,0x10)", "IF(TRUE, 1e300, 16)"),
        ("1e15 + 1e16 + 0.00001 + 1e-6", "1000000000000000 + 1e16 + 0.00001 + 1e-6"),
        ("90m + 0s + 3tick", "90m + 0s + 3ticks"),
        ("1 .. 2", "1 .. 2"),
    ] {
        let tree = parse(text).tree.unwrap();
        assert_eq!(print(&tree), expected, "{text}");
        assert_same(&tree);
    }
}

/// Without its places, and `not (a)` as the call that it is written as.
fn bare(expr: &Expr) -> Expr {
    let inner = |e: &Expr| Box::new(bare(e));
    let node = match &expr.node {
        Node::Negate(a) => Node::Negate(inner(a)),
        Node::Plus(a) => Node::Plus(inner(a)),
        Node::Not(a) => call("not", Vec::from([bare(a)])),
        Node::Power(a, b) => Node::Power(inner(a), inner(b)),
        Node::Compare(a, comparison, b) => Node::Compare(inner(a), *comparison, inner(b)),
        Node::Chain(first, links) => {
            let link = |l: &Link| Link { span: 0..0, operand: bare(&l.operand), ..l.clone() };
            Node::Chain(inner(first), links.iter().map(link).collect())
        }
        Node::Call(c) => call(&c.name, c.arguments.iter().map(bare).collect()),
        leaf => leaf.clone(),
    };
    Expr { span: 0..0, node }
}

fn call(name: &str, arguments: Vec<Expr>) -> Node {
    Node::Call(Call { name: name.into(), name_span: 0..0, arguments })
}

#[track_caller]
fn assert_same(tree: &Expr) {
    let text = print(tree);
    let again = parse(&text);
    let errors: Vec<_> = again.diagnostics.iter().filter(|d| d.severity == Severity::Error).collect();
    assert!(errors.is_empty(), "{text}: {errors:?}");
    let again = again.tree.unwrap();
    assert_eq!(bare(&again), bare(tree), "{text}");
    assert_eq!(print(&again), text, "what is printed is printed the same");
}

fn leaf() -> impl Strategy<Value = Node> {
    prop_oneof![
        2 => any::<f64>().prop_filter("finite", |n| n.is_finite()).prop_map(|n| Node::Number(n.abs())),
        2 => (0u32..1_000).prop_map(|n| Node::Number(f64::from(n) / 8.0)),
        2 => (0u32..10_000, select(&Unit::ALL[..]))
            .prop_map(|(n, unit)| Node::Duration(Duration { amount: f64::from(n) / 4.0, unit })),
        1 => ".{0,12}".prop_map(Node::Text),
        1 => "[a'\"\\\\\n\u{1}{}`$]{0,6}".prop_map(Node::Text),
        1 => Just(Node::Nil),
        4 => name().prop_map(Node::Name),
    ]
}

/// Plain names, words that mean something, and names that only backquotes can hold.
fn name() -> impl Strategy<Value = String> {
    const WORDS: &[&str] = &[
        "if", "not", "NOT", "and", "OR", "nil", "true", "false", "let", "return", "case", "when", "is", "in",
        "else", "then", "end", "local", "f", "function", "between", "xor", "mod", "None", "s", "m", "e5",
        "ticks", "lambda", "select", "x\u{b2}", "\u{3c0}", "a.b", "a..b", "a.", ".5", "5m", "-", "//", "--",
        "#", "a=b",
    ];
    prop_oneof![3 => "[a-z_][a-zA-Z0-9_]{0,4}(\\.[a-z0-9]{1,3}){0,2}", 2 => select(WORDS).prop_map(String::from), 1 => "[^`\r\n$]{1,6}"]
}

fn comparison() -> impl Strategy<Value = Comparison> {
    use Comparison::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};
    select(&[Less, LessOrEqual, Greater, GreaterOrEqual, Equal, NotEqual][..])
}

fn operators() -> impl Strategy<Value = &'static [Operator]> {
    use Operator::{Add, And, Divide, FloorDivide, Join, Modulo, Multiply, Or, Subtract};
    const LEVELS: [&[Operator]; 5] =
        [&[Or], &[And], &[Join], &[Add, Subtract], &[Multiply, Divide, Modulo, FloorDivide]];
    select(&LEVELS[..])
}

fn at_no_place(node: Node) -> Expr {
    Expr { span: 0..0, node }
}

fn tree() -> impl Strategy<Value = Expr> {
    leaf().prop_map(at_no_place).prop_recursive(7, 80, 4, |inner| {
        let operands =
            (operators(), inner.clone(), proptest::collection::vec((any::<u8>(), inner.clone()), 1..5));
        let chain = operands.prop_map(|(level, first, rest)| {
            let link = |(pick, operand): (u8, Expr)| Link {
                operator: level[usize::from(pick) % level.len()],
                span: 0..0,
                operand,
            };
            Node::Chain(Box::new(first), rest.into_iter().map(link).collect())
        });
        let functions = select(&["if", "not", "and", "Max", "avg", "no_such", "math.sin", "f"][..]);
        let calls = (functions, proptest::collection::vec(inner.clone(), 0..4));
        prop_oneof![
            4 => chain,
            2 => (inner.clone(), comparison(), inner.clone())
                .prop_map(|(a, c, b)| Node::Compare(Box::new(a), c, Box::new(b))),
            2 => (inner.clone(), inner.clone()).prop_map(|(a, b)| Node::Power(Box::new(a), Box::new(b))),
            1 => inner.clone().prop_map(|a| Node::Negate(Box::new(a))),
            1 => inner.clone().prop_map(|a| Node::Plus(Box::new(a))),
            2 => inner.clone().prop_map(|a| Node::Not(Box::new(a))),
            2 => calls.prop_map(|(name, arguments)| call(name, arguments)),
        ]
        .prop_map(at_no_place)
    })
}

/// Good formulas to be mutated.
const SEEDS: [&str; 10] = [
    "if(cpu > 80 and not later == nil, 'hot ' .. round(cpu, 1), \"fine\")",
    "-2 ^ 2 ^ -x // 3 % `a b` - - 1",
    "avg(\"voltage\", 5m) + percentile(v, 95, '1h') - 120ticks / 1.5h",
    "1 < 2 or (3 < 4) == (5 > 6) and !a.b.c",
    "not(a) > b .. c .. 'it\\'s \\u{b0}'",
    "max(0, min(240, 240 - (temperature - 20) * 6)) ** .5e-3",
    "((((1)))) + 0x1F + 1_000",
    "if cpu > 5 then 'a' elseif cpu > 3 then 'b' else 'c' end",
    "a ? b : c ? d : e; x = 5 & y | ~z",
    "`${cpu}` + f\"{x}\" + a[0].b() -- note",
];

/// Signs that can tear a formula apart.
const PIECES: [&str; 42] = [
    "(",
    ")",
    ",",
    "+",
    "-",
    "*",
    "/",
    "%",
    "^",
    "..",
    "<",
    "==",
    "=",
    "!",
    "?",
    ":",
    ";",
    "'",
    "\"",
    "`",
    "\\",
    "{",
    "}",
    "[",
    "]",
    "$",
    "#",
    ".",
    "not ",
    " and ",
    " if ",
    " else ",
    "then ",
    "5m",
    "1e",
    "0x",
    "\u{e9}",
    "\u{201c}",
    "\u{b2}",
    "\u{1f600}",
    "\u{200b}",
    "--",
];

/// Cuts, doubles or puts pieces in, at any place.
fn mutated() -> impl Strategy<Value = String> {
    let edit = (any::<proptest::sample::Index>(), 0u8..3, select(&PIECES[..]), 0usize..6);
    (select(&SEEDS[..]), proptest::collection::vec(edit, 0..6)).prop_map(|(seed, edits)| {
        let mut chars: Vec<char> = seed.chars().collect();
        for (place, what, piece, length) in edits {
            let at = place.index(chars.len() + 1);
            let end = (at + length).min(chars.len());
            let put: Vec<char> = match what {
                0 => Vec::new(),
                1 => chars[at..end].repeat(2),
                _ => piece.chars().collect(),
            };
            let end = if what == 2 { at } else { end };
            chars.splice(at..end, put);
        }
        chars.into_iter().collect()
    })
}

/// Whatever is read, and however wrong it is, every place is a place in the text.
fn check_places(text: &str) -> Option<Expr> {
    let parsed = parse(text);
    let errors = parsed.diagnostics.iter().filter(|d| d.severity == Severity::Error).count();
    for diagnostic in &parsed.diagnostics {
        assert!(text.get(diagnostic.span.clone()).is_some(), "{diagnostic:?} in {text:?}");
        assert!(!diagnostic.message.is_empty() && !diagnostic.message.ends_with('.'), "{diagnostic:?}");
    }
    let tree = parsed.tree?;
    check_spans(&tree, text);
    (errors == 0).then_some(tree)
}

fn check_spans(expr: &Expr, text: &str) {
    assert!(text.get(expr.span.clone()).is_some(), "{expr:?} in {text:?}");
    match &expr.node {
        Node::Negate(a) | Node::Plus(a) | Node::Not(a) => check_spans(a, text),
        Node::Power(a, b) | Node::Compare(a, _, b) => [a, b].iter().for_each(|e| check_spans(e, text)),
        Node::Chain(first, links) => {
            check_spans(first, text);
            for link in links {
                assert!(text.get(link.span.clone()).is_some(), "{link:?} in {text:?}");
                check_spans(&link.operand, text);
            }
        }
        Node::Call(call) => {
            assert!(text.get(call.name_span.clone()).is_some(), "{call:?} in {text:?}");
            call.arguments.iter().for_each(|argument| check_spans(argument, text));
        }
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn trees_are_read_as_they_were_printed(tree in tree()) {
        let text = print(&tree);
        prop_assume!(text.len() <= MAX_LENGTH);
        let problems = parse(&text).diagnostics;
        // `c and 'a' or 'b'` has the wrong kinds, and is read as the choice that it is elsewhere.
        prop_assume!(problems.iter().all(|d| d.code != "foreign-conditional"));
        let too_deep = problems.iter().any(|d| d.code == "too-deep");
        prop_assert!(!too_deep || text.len() > MAX_DEPTH, "{}", text);
        if !too_deep {
            assert_same(&tree);
        }
    }

    #[test]
    fn what_is_right_is_read_as_it_was_printed(text in mutated()) {
        if let Some(tree) = check_places(&text) {
            assert_same(&tree);
        }
    }

    #[test]
    fn any_text_has_its_problems_in_their_places(text in "\\PC{0,80}|.{0,60}|[-+*/%^<>=!&|?:;.,()\\[\\]{}'\"`$#@a-f0-9_ \u{e9}\u{b2}\u{d7}]{0,80}") {
        if let Some(tree) = check_places(&text) {
            assert_same(&tree);
        }
    }

    #[test]
    fn any_bytes_have_their_problems_in_their_places(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        check_places(&String::from_utf8_lossy(&bytes));
    }
}

#[test]
fn every_name_has_a_text_that_is_read_as_it() {
    for name in ["if", "nil", "TRUE", "Not", "AND", "a.b", "\u{e9}t\u{e9}", "a b", "..", "5", "\u{a0}x"] {
        assert_same(&at_no_place(Node::Name(name.to_string())));
    }
}
