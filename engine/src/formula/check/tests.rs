//! What the checker says of kinds, keys' pasts and conditions that never change: the place, the code, the
//! message and the help.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::diagnostic::Diagnostic;
use crate::formula::{Entry, Environment, Key, Kind, compile};
use crate::value::Value;

fn problems(text: &str) -> Vec<Diagnostic> {
    let keys = ["room.heat", "room.co2", "room.state", "room.name", "attic.co2"].map(|name| Key {
        name: name.into(),
        kind: if ["room.state", "room.name"].contains(&name) { Kind::Text } else { Kind::Number },
    });
    let constants = [("host".into(), Value::from("pi"))];
    let environment = Environment { keys: &keys, constants: &constants, ..Environment::default() };
    let values =
        [("warm", "heat > 20"), ("shade", "rgb(heat, 0, 0)"), ("double", "heat * 2"), ("heat", "room.heat")];
    let values = values.map(|(name, text)| Entry { name: Some(name), text });
    let entries: Vec<Entry<'_>> = values.into_iter().chain([Entry { name: None, text }]).collect();
    compile(&entries, &environment).problems.into_iter().map(|(_, problem)| problem).collect()
}

/// The first problem: what it points at, its code, its message and its help.
fn told(text: &str) -> [String; 4] {
    let problems = problems(text);
    let Some(problem) = problems.first() else { return ["in order", "", "", ""].map(String::from) };
    let place = text[problem.span.clone()].into();
    [place, problem.code.into(), problem.message.clone(), problem.help.clone().unwrap_or_default()]
}

#[track_caller]
fn check(rows: &[[&str; 5]]) {
    let wrong = rows.iter().filter(|[text, expected @ ..]| told(text) != *expected);
    let wrong: Vec<String> = wrong.map(|[text, ..]| format!("{text}\n    {:?}", told(text))).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

const NUMBER_OF: &str = "`number(text)` reads a number from a text";
const TEXT_OF: &str = "make a text of the number: `number .. ''`, or `fmt(number, '.1f')`";
const WINDOW: &str = "write a number and its unit: `500ms`, `30s`, `5m`, `1h`, `7d` or `120ticks`";

const KINDS: &[[&str; 5]] = &[
    ["state * 2", "state", "wrong-kind", "`*` needs a number, this is a text", NUMBER_OF],
    ["sqrt(state)", "state", "wrong-kind", "`sqrt` needs a number, this is a text", NUMBER_OF],
    [
        "state + '!'",
        "state",
        "wrong-kind",
        "`+` needs a number, this is a text",
        "texts are joined with `..`, and `number(text)` reads a number from one",
    ],
    [
        "shade + 1",
        "shade",
        "wrong-kind",
        "`+` needs a number, this is a colour",
        "colours are mixed with `mix(a, b, amount)`",
    ],
    ["upper(heat)", "heat", "wrong-kind", "`upper` needs a text, this is a number", TEXT_OF],
    ["len(warm)", "warm", "wrong-kind", "`len` needs a text, this is a truth value", TEXT_OF],
    ["trim(5m)", "5m", "wrong-kind", "`trim` needs a text, this is a duration", TEXT_OF],
    [
        "lower(shade)",
        "shade",
        "wrong-kind",
        "`lower` needs a text, this is a colour",
        "make a text of the colour: `color .. ''`",
    ],
    [
        "mix(heat, 'red', 0.5)",
        "heat",
        "wrong-kind",
        "`mix` needs a colour, this is a number",
        "write '#ff8800', or `rgb(255, 136, 0)`",
    ],
    [
        "alpha(state, 0.5)",
        "state",
        "wrong-kind",
        "`alpha` needs a colour, this is a text",
        "`color(text)` reads a colour from a text",
    ],
    ["alpha('oragne', 0.5)", "'oragne'", "no-color", "`oragne` is no colour", "did you mean `orange`?"],
    [
        "alpha('#12345', 0.5)",
        "'#12345'",
        "no-color",
        "`#12345` is no colour",
        "write '#ff8800', '#f80', '#ff880080' or a name such as 'orange'",
    ],
    [
        "shade and 1 > heat",
        "shade",
        "wrong-kind",
        "`and` needs a condition, this is a colour",
        "compare it: `color == '#ff0000'`",
    ],
    [
        "if(30s, 1, 2)",
        "30s",
        "wrong-kind",
        "`if` needs a condition, this is a duration",
        "compare it: `age(key) > 30s`",
    ],
    [
        "if(warm, 'a', 1)",
        "if(warm, 'a', 1)",
        "wrong-kind",
        "the branches of `if` are a text and a number",
        "make a text of the number: `number .. ''`",
    ],
    [
        "coalesce(shade, heat)",
        "coalesce(shade, heat)",
        "wrong-kind",
        "the arguments of `coalesce` are a colour and a number",
        "",
    ],
    [
        "if(warm, shade, state)",
        "state",
        "wrong-kind",
        "`if` needs a colour, this is a text",
        "`color(text)` reads a colour from a text",
    ],
    ["state == heat", "state == heat", "wrong-kind", "`==` compares a text with a number", NUMBER_OF],
    ["shade != heat", "shade != heat", "wrong-kind", "`!=` compares a colour with a number", ""],
    [
        "shade < '#fff'",
        "shade < '#fff'",
        "wrong-kind",
        "`<` compares colours, which have no order",
        "colours are compared with `==` and `!=`",
    ],
    ["fmt(heat, 2)", "2", "wrong-kind", "`fmt` needs a text, this is a number", TEXT_OF],
    ["sqrt('a' .. 1)", "'a' .. 1", "wrong-kind", "`sqrt` needs a number, this is a text", NUMBER_OF],
];

#[test]
fn kinds_that_do_not_fit() {
    check(KINDS);
    // The place within the text.
    assert_eq!(told("fmt(heat, '.2q')")[..2], ["q", "unknown-format"]);
    assert_eq!(told("fmt(heat, '\\u{3e}q')")[..2], ["'\\u{3e}q'", "unknown-format"]);
}

const PASTS: &[[&str; 5]] = &[
    [
        "avg(heat + 1, 5m)",
        "heat + 1",
        "no-key",
        "`avg` looks at a key's past, this is an expression",
        "write the key's name: `avg(key, window)`",
    ],
    [
        "avg(double, 5m)",
        "double",
        "no-key",
        "`avg` looks at a key's past, `double` is a value",
        "name a key that the value is computed from",
    ],
    [
        "avg(heat, 5m)",
        "heat",
        "no-key",
        "`avg` looks at a key's past, `heat` is a value",
        "for the key write its full name, `room.heat`",
    ],
    ["sum(tick, 5m)", "tick", "no-key", "`sum` looks at a key's past, `tick` is no key", ""],
    ["age(host)", "host", "no-key", "`age` looks at a key's past, `host` is no key", ""],
    ["avg('haet', 5m)", "'haet'", "unknown-name", "there is no key called `haet`", "did you mean `heat`?"],
    [
        "avg(co2, 5m)",
        "co2",
        "ambiguous-name",
        "`co2` can mean `room.co2` or `attic.co2`",
        "write the full name",
    ],
    ["median(state, 5m)", "state", "wrong-kind", "`median` needs a key of numbers, `state` holds texts", ""],
    [
        "avg(room.heat, 5)",
        "5",
        "malformed-duration",
        "the window `5` has no unit",
        "add a unit: `5s` or `5m`, for example",
    ],
    [
        "avg(room.heat, '5 parsecs')",
        "'5 parsecs'",
        "malformed-duration",
        "`5 parsecs` is no duration",
        WINDOW,
    ],
    ["avg(room.heat, 0s)", "0s", "empty-window", "a window of 0 holds nothing", WINDOW],
    ["avg(room.heat, 2 * 5m)", "2 * 5m", "not-constant", "the window of `avg` has to be written out", WINDOW],
    [
        "percentile(room.heat, 101, 5m)",
        "101",
        "out-of-range",
        "p is a number from 0 to 100",
        "write for example `percentile(key, 95, 1h)`",
    ],
    [
        "percentile(room.heat, heat, 5m)",
        "heat",
        "not-constant",
        "the p of `percentile` has to be written out",
        "write for example `percentile(key, 95, 1h)`",
    ],
    [
        "rate(room.heat)",
        "rate(room.heat)",
        "wrong-arity",
        "`rate` takes 2 arguments, not 1",
        "write `rate(key, window)`",
    ],
];

#[test]
fn keys_pasts() {
    check(PASTS);
    for text in [
        "percentile(room.heat, 50 + 45, '5m')",
        "age(state) > 30s",
        "stale('room.state')",
        "count(`room.heat`, 1tick)",
    ] {
        assert_eq!(problems(text), [], "{text}");
    }
}

const CERTAINTIES: &[(&str, Option<bool>)] = &[
    ("1 < 2", Some(true)),
    ("'a' == 'b'", Some(false)),
    ("heat > heat", Some(false)),
    ("heat <= heat", Some(true)),
    ("heat > 5", None),
    ("warm == 2", None),
    ("(heat > 20) == 2", Some(false)),
    ("(heat > 20) <= 1", Some(true)),
    ("abs(heat) < 0", Some(false)),
    ("abs(heat) <= 0", None),
    ("sqrt(heat) >= 0", Some(true)),
    ("sin(heat) > 1", Some(false)),
    ("2 * sin(heat) + 1 >= 3.5", Some(false)),
    ("2 * sin(heat) + 1 >= 2.5", None),
    ("heat % 10 > 10", Some(false)),
    ("heat % 10 > 9", None),
    ("clamp(heat, 0, 100) > 100", Some(false)),
    ("max(heat, 5) < 5", Some(false)),
    ("min(heat, 5) > 4", None),
    ("min(heat, 5, 3) > 4", Some(false)),
    ("if(warm, 1, 2) > 2", Some(false)),
    ("coalesce(sin(heat), 5) > 5", Some(false)),
    ("count(room.heat, 5m) < 0", Some(false)),
    ("stale(room.heat) == 1", None),
    ("age(room.heat) < 0", Some(false)),
    ("len(state) > 5000", Some(false)),
    ("contains(state, 'a') > 1", Some(false)),
    ("tick >= 0", Some(true)),
    ("fps > 60", None),
    ("fps < 1", Some(false)),
    ("heat * 0 > 1", None),
    ("1 / heat > 1", None),
    ("1 / (abs(heat) + 1) > 2", Some(false)),
    ("heat > 80 and heat < 20", Some(false)),
    ("heat > 20 and heat < 80", None),
    ("heat >= 20 and heat <= 20", None),
    ("heat >= 20 and 20 > heat", Some(false)),
    ("heat == 1 && heat == 2", Some(false)),
    ("heat < 80 or heat > 20", Some(true)),
    ("heat < 20 or heat > 80", None),
    ("heat != 1 or heat != 2", Some(true)),
    ("state == 'on' and state == 'off'", Some(false)),
    ("state != 'on' or state != 'off'", Some(true)),
    ("state == 'on' and name == 'off'", None),
    ("and(heat > 80, heat < 20)", Some(false)),
    ("host == 'pi'", None),
    ("approx(heat, 1) > 1", Some(false)),
    ("sign(heat) > 1", None),
];

#[test]
fn conditions_that_never_change() {
    let always = |text| match told(text) {
        [place, code, message, _] if place == text => match (code.as_str(), message.as_str()) {
            ("always-true", "this comparison always holds" | "this condition always holds") => Some(true),
            ("always-false", "this comparison never holds" | "this condition never holds") => Some(false),
            _ => panic!("{text}: {code}: {message}"),
        },
        [place, ..] if place == "in order" => None,
        other => panic!("{text}: {other:?}"),
    };
    for &(text, expected) in CERTAINTIES {
        assert_eq!(always(text), expected, "{text}");
    }
    check(&[
        ["if(1, heat, 2)", "1", "always-true", "this condition always holds", ""],
        ["heat > 5 and false", "false", "always-false", "this condition never holds", ""],
        ["not nil", "nil", "always-false", "this condition never holds", ""],
        ["heat > 5 and (1 > 2 or warm)", "1 > 2", "always-false", "this comparison never holds", ""],
        ["if(host == 'pi', 1, 2)", "in order", "", "", ""],
        [
            "if(host, 1, 2)",
            "host",
            "wrong-kind",
            "`if` needs a condition, this is a text",
            "compare it: `text == '\u{2026}'`",
        ],
    ]);
}
