//! `eval`: one formula, and many.

use engine::formula::functions::{FUNCTIONS, Function};

use super::cli::{check, tinydisplay};

#[test]
fn the_result_alone_is_printed() {
    for (arguments, expected) in [
        (&["1 + 2 * 3"][..], "7"),
        (&["0.1 + 0.2"], "0.30000000000000004"),
        (&["-7 % 3"], "2"),
        (&["5 > 3"], "1"),
        (&["nil"], "nil"),
        (&[""], "nil"),
        (&["'a' .. 1"], "a1"),
        (&["--set", "cpu=81.5", "if(cpu > 80, 'hot', 'fine')"], "hot"),
        (&["--set", "a=1", "--set", "a=2", "a"], "2"),
        (&["--set", "a=nil", "a + 1"], "nil"),
        (&["--set", "on=true", "on and 3 > 2"], "1"),
        (&["--set", "room.state=open", "room.state == 'open'"], "1"),
        (&["--set", "state=open", "-1"], "-1"),
        (&["coalesce(nil, 4)"], "4"),
        (&["--set", "a=\u{1b}[31m", "a .. 'red'"], "\\u{1b}[31mred"),
    ] {
        let arguments = [&["eval"], arguments].concat();
        assert_eq!(check(&arguments, 0), (format!("{expected}\n"), String::new()), "{arguments:?}");
    }
}

#[test]
fn limits_of_scripts_need_a_script() {
    for limit in ["--budget", "--memory"] {
        let (_, err) = check(&["eval", limit, "2000000", "1 + 1"], 2);
        assert!(err.contains("--script <FILE>"), "{err}");
        let (_, err) = check(&["eval", limit, "2000000", "--batch"], 2);
        assert!(err.contains("cannot be used with '--batch'"), "{err}");
        let with = &["eval", "--script", "tests/it/data/two.lua", limit, "2000000", "two()"];
        assert_eq!(check(with, 0).0, "2\n");
    }
}

#[test]
fn an_error_has_a_caret() {
    let (out, err) = check(&["eval", "--set", "cpu_load=1", "2 * cpu_laod + 1 / 0"], 1);
    assert!(out.is_empty(), "{out}");
    insta::assert_snapshot!(err);
}

#[test]
fn a_batch_answers_each_line() {
    let output = tinydisplay(&["eval", "--batch"], BATCH.as_bytes());
    assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0));
    let answers = String::from_utf8(output.stdout).unwrap();
    for answer in answers.lines() {
        serde_json::from_str::<serde_json::Value>(answer).unwrap();
    }
    let pairs = BATCH.lines().zip(answers.lines()).map(|(line, answer)| format!("{line}\n    {answer}\n"));
    assert_eq!(answers.lines().count(), BATCH.lines().count());
    insta::assert_snapshot!(pairs.collect::<String>());
}

const BATCH: &str = r#"{"expression": "1 + 2"}
{"expression": "a * b", "variables": {"a": 3, "b": -0.5}}
{"expression": "s .. '!'", "variables": {"s": "say \"so\""}}
{"expression": "on", "variables": {"on": true}}
{"expression": "a + 1", "variables": {"a": null}}
{"expression": ""}
{"expression": "value / 2", "samples": {"room.value": [[60, 1], [0, 5], [30, 9]]}}
{"expression": "x", "samples": {"x": []}}
{"expression": "x", "samples": {"x": [[0, 1]]}, "variables": {"x": 2}}
{"expression": "1 / (a - a)", "variables": {"a": 1}}
{"expression": "'é' .. nope"}
{"expression": "foo + bar(1)"}
{"expression": "coalesce(x, 'none') .. upper(y)", "variables": {"x": null, "y": "a"}}
{"expression": "upper(x)", "variables": {"x": null}}
{"expression": "1 + sum(v, 1m)", "samples": {"v": [[3, 1e308], [2, 1e308]]}}
{"expression": "1", "variables": {"a": [1]}}
{"expression": "1", "variables": 5}
{"expression": "v", "samples": {"v": 5}}
{"expression": "v", "samples": {"v": [[1, 2], [0]]}}
{"expression": "v", "samples": {"v": [[0, null]]}}
null
{"expression": "1", "varaibles": {}}
{"variables": {}}
{"expression": 5}
{"expression": "1e308 * 10"}

[1, 2]
{"expression": "1 + 1"
{"expression": "still here"}
{"expression": "2 ^ 10"}
"#;

#[test]
fn a_batch_outlives_bytes_that_are_no_text_and_endless_lines() {
    let endless = format!("{{\"expression\": \"{}\"}}", "1 + ".repeat(400_000));
    let input = [b"\xff\xfe\n", endless.as_bytes(), b"\n{\"expression\": \"7\"}"].concat();
    let output = tinydisplay(&["eval", "--batch"], &input);
    let answers = String::from_utf8(output.stdout).unwrap();
    let answers: Vec<&str> = answers.lines().collect();
    assert_eq!(answers.len(), 3, "{answers:?}");
    assert!(answers[0].starts_with("{\"error\":"));
    assert_eq!(answers[1], "{\"error\":\"a line has at most 1048576 bytes\",\"offset\":1048576}");
    assert_eq!(answers[2], "{\"value\":7}");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn functions_are_listed() {
    let (out, _) = check(&["functions"], 0);
    assert!(out.contains("\n  sqrt(x)"), "{out}");
    let (out, _) = check(&["functions", "--json"], 0);
    let functions: Vec<serde_json::Value> = serde_json::from_str(&out).unwrap();
    assert!(functions.len() >= 21);
    for function in &functions {
        for field in ["name", "signature", "category", "description", "example", "result"] {
            assert!(function[field].as_str().is_some_and(|text| !text.is_empty()), "{function}");
        }
        let example = function["example"].as_str().unwrap();
        let is_over_samples =
            |known: &&Function| known.name == function["name"] && !known.example_samples.is_empty();
        if FUNCTIONS.iter().any(|known| is_over_samples(&known)) {
            continue;
        }
        let (out, err) = check(&["eval", example], 0);
        assert_eq!(out.trim_end(), function["result"], "{example}: {err}");
    }
}
