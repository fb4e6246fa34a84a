use proptest::prelude::*;

use super::pauses::{OPERATORS_MAX, PAUSE};
use super::*;

/// A function as `name(parameters): result`, with what is written above it.
fn signatures(text: &str) -> Vec<String> {
    let outline = outline(text);
    assert_eq!(outline.problems, [], "{text}");
    let parameter = |parameter: &Parameter| {
        let kind = parameter.kind.as_ref().map_or(String::new(), |(kind, _)| format!(": {kind}"));
        format!("{}{kind}{}", parameter.name, if parameter.is_optional { "?" } else { "" })
    };
    let signature = |function: &Declared| {
        let mut parameters: Vec<_> = function.parameters.iter().map(parameter).collect();
        parameters.extend(function.is_variadic.then(|| "...".into()));
        let result = function.result.as_ref().map_or(String::new(), |(result, _)| format!(": {result}"));
        let documentation = &function.documentation;
        format!("{}({}){result} {documentation}", function.name, parameters.join(", "))
    };
    outline.functions.iter().map(|function| signature(function).trim().into()).collect()
}

#[test]
fn global_functions_are_found_with_their_signatures() {
    for (text, expected) in [
        ("function f() end", &["f()"][..]),
        (
            "function f(a, b: number, c: string?): string return '' end",
            &["f(a, b: number, c: string?): string"],
        ),
        ("function f(...: number) end", &["f(...)"]),
        ("function f<T>(a: T): {[string]: T} end function g() end", &["f(a: T): {[string]:T}", "g()"]),
        (
            "function f(a: (number, string) -> string?, b: A.B<C>) end",
            &["f(a: (number,string)->string?, b: A.B<C>)"],
        ),
        ("local function f() end local g = function() end", &[]),
        ("local t = {} function t.f() end function t:g() end", &[]),
        ("do function f() end end", &[]),
        ("if x then function f() end end", &[]),
        ("function f() function g() end end", &["f()"]),
        ("local f function f() end", &[]),
        ("--- The dew point.\n--- In degrees.\nfunction dew(t) end", &["dew(t) The dew point. In degrees."]),
        ("--- lost\n\nfunction f() end", &["f()"]),
        ("-- no\nfunction f() end", &["f()"]),
        ("local a = if b then c else d function f() end", &["f()"]),
        ("local a = if b then if c then d else e else f function g() end", &["g()"]),
        ("return if a then b elseif c then d else e", &[]),
        ("f(if a then b else c) function g() end", &["g()"]),
        ("local a = `x{if b then c else d}y{1}` function g() end", &["g()"]),
        ("for i = 1, 3 do end while a do end repeat until b function f() end", &["f()"]),
        ("for k in (function() for i = 1, 2 do end end)() do end function f() end", &["f()"]),
        ("if a then elseif b then else end function f() end", &["f()"]),
        ("type A = {x: number} | nil export type B = (a: A) -> () function f(a: A) end", &["f(a: A)"]),
        ("local type = 1 type = 2 function f() end", &["f()"]),
        ("local x = y :: number function f() end", &["f()"]),
        ("f'text' g{1} function h() end", &["h()"]),
        ("@native function f() end", &["f()"]),
    ] {
        assert_eq!(signatures(text), expected, "{text}");
    }
}

#[test]
fn what_functions_would_forget_is_told() {
    let lost =
        |text: &str| outline(text).warnings.first().map(|problem| text[problem.span.clone()].to_string());
    for (text, expected) in [
        ("local n = 0 function f() n = n + 1 end", Some("n")),
        ("local n = 0 function f() n += 1 end", Some("n")),
        ("local n, m = 0, 0 function f() local x; x, m = 1, 2 end", Some("m")),
        ("local t = {} function f(k) t[k] = 1 end", Some("t")),
        ("local t = {} function f(k) t.a.b = 1 end", Some("t")),
        ("local t = {} function f(k) if k then t[g(k)].x ..= 'a' end end", Some("t")),
        ("local n = 0 local function g() return function() n = 1 end end", Some("n")),
        ("local g function f() function g() end end", Some("g")),
        ("local n = 0 do local m = 1 function g() m = 2 end end", Some("m")),
        ("local n = 0 n = 1 do n = 2 end", None),
        ("local n = 0 function f() local n = 1 n = 2 end", None),
        ("local n = 0 function f(n) n = 2 end", None),
        ("local n = 0 function f() for n = 1, 2 do n = 2 end end", None),
        ("function f() local n = 0 local function g() n += 1 end g() return n end", None),
        ("local t = {} function f() return t.n == 1 end", None),
        ("local t = {} function f() local u = {n = t} t = t return {t = 1} end", Some("t")),
        ("local g = h function f() g(1).n = 2 end", None),
        ("function f() state.n = 1 end", None),
    ] {
        assert_eq!(lost(text).as_deref(), expected, "{text}");
    }
}

#[test]
fn nesting_and_chains_end_at_their_limits() {
    let is_plain = |text: String| outline(&text).problems.is_empty();
    let nested = |count, open: &str, close: &str| format!("{}1{}", open.repeat(count), close.repeat(count));
    for (open, close) in [("(", ")"), ("{", "}"), ("a[", "]"), ("f(", ")"), ("`{", "}`")] {
        assert!(is_plain(format!("return {}", nested(NESTING_MAX, open, close))), "{open}");
        assert!(!is_plain(format!("return {}", nested(NESTING_MAX + 1, open, close))), "{open}");
    }
    for (open, close) in
        [("do ", " end "), ("if a then ", " end "), ("repeat ", " until a "), ("while a do ", " end ")]
    {
        assert!(is_plain(nested(NESTING_MAX, open, close)), "{open}");
        assert!(!is_plain(nested(NESTING_MAX + 1, open, close)), "{open}");
    }
    assert!(!is_plain(nested(NESTING_MAX + 1, "return function() ", " end")));
    for (start, link) in [
        ("return a", " .. a"),
        ("return a", ".a"),
        ("return a", "'x'"),
        ("a", "(1)"),
        ("a", "[1]"),
        ("return ", "not "),
        ("if a then", " elseif a then"),
        ("return a", " and a"),
    ] {
        assert!(is_plain(format!("{start}{}", link.repeat(CHAIN_MAX))), "{link}");
        assert!(!is_plain(format!("{start}{}", link.repeat(CHAIN_MAX + 1))), "{link}");
    }
    assert!(!is_plain(format!("return {}1", "if a then b else ".repeat(CHAIN_MAX))));
    assert!(is_plain("local a = 1 + 2 f(a, 3)\n".repeat(1_000)), "statements are no chain");
    assert!(is_plain(format!("return {{{}}}", "a .. 1, ".repeat(1_000))), "elements are no chain");
    let types = |count| format!("local a: {}number = 1", "number | ".repeat(count));
    assert!(is_plain(types(10)));
}

#[test]
fn files_of_functions_and_constants_alone_are_plain() {
    for (text, expected) in [
        ("", true),
        ("local function g() end function f(a: number): number return g(a) end", true),
        (
            "local a: number = -1 local b = 'x' local c = true local d local sin = math.sin function f() end",
            true,
        ),
        ("type A = {x: number} export type B = A function f() end", true),
        ("local T = table.freeze({ [0] = 'a', b = 1.5, 'c' }) function f() return T[0] end", true),
        (
            "local g = function() return 1 end function f() local t = {} t.x = 1 t, x = 1, 2 return {a = t} end",
            true,
        ),
        ("@native function f() end", true),
        ("local T = {} function f() end", false),
        ("local T = table.freeze({ {} }) function f() end", false),
        ("local T = table.freeze({ g() }) function f() end", false),
        ("local a = g() function f() end", false),
        ("local a = 1 + 2 function f() end", false),
        ("local a, b = 1, {} function f() end", false),
        ("a = 1 function f() end", false),
        ("do local a end function f() end", false),
        ("local t function t.f() end", false),
        ("local n = 0 function f() n += 1 end", false),
        ("local n = 0 function f() g().x, n = 1, 2 end", false),
        ("local n = 0 function f() n, g().x = 1, 2 end", false),
        ("local n = 0 function f(m) for i = 1, 2 do if m then n = i end end end", false),
        ("local g local function h() g = 1 end", false),
        ("return 1", false),
    ] {
        assert_eq!(outline(text).is_plain, expected, "{text}");
    }
}

#[test]
fn what_luau_reads_as_brackets_counts_however_it_is_hidden() {
    let deep = "(".repeat(NESTING_MAX + 1);
    for hidden in [
        "local s = 'a\\z\n' .. {D}",
        "local s = 'a\\\r\nb' .. {D}",
        "-- c\r local s = {D}",
        "local s = `\\u{41` .. {D}",
    ] {
        let text = hidden.replace("{D}", &deep);
        assert!(!outline(&text).problems.is_empty(), "{hidden}");
    }
    for shown in ["local s = 'a\\z\n{D}'", "local s = 'a\\\r\n{D}'", "local s = [[{D}]] --[[{D}]]"] {
        let text = shown.replace("{D}", &deep);
        assert!(outline(&text).problems.is_empty(), "{shown}");
    }
}

/// Texts of a file's full size, of which each word once cost as much as all before it. Nothing is timed: in a
/// test run they are what takes minutes.
#[test]
fn large_texts_are_outlined_in_one_pass() {
    let full = |part: &str| part.repeat(crate::expression::script::SOURCE_BYTES_MAX / part.len());
    for part in
        ["local a ", "a=", "a,", "a,a(", "(a) ", "function f()end ", "local function f(a,b,c)end ", "n[a]=1 "]
    {
        outline(&full(part));
        outline(&format!("local n function f() {}", full(part)));
    }
}

proptest! {
    #[test]
    fn any_text_has_an_outline(text in r#"(function|local|end|if|then|else|do|for|in|type|[a-c]|[0-9.:,;=(){}\[\]`<>|?&@"-]| |\n){0,60}"#) {
        outline(&text);
    }
}

/// A file may have more functions than an expression has operators.
#[test]
fn functions_are_no_row_of_operators() {
    let text: String =
        (0..2 * CHAIN_MAX).map(|n| format!("function f{n}() end\nfunction t.f{n}() end\n")).collect();
    assert_eq!(outline(&text).problems, []);
}

#[test]
fn operators_have_points_at_which_they_can_be_ended() {
    let max = OPERATORS_MAX;
    for (around, operator) in [
        ("return a@", " + a"),
        ("return a@", " <= a"),
        ("return @a", "- "),
        ("return {@}", "-a, "),
        ("return {@}", "a // 1, "),
        ("t[@1] = 2", "s * "),
        ("if @then end", "a < b or "),
        ("if a then f(@) end", "a > b, "),
    ] {
        let problems =
            |count: usize| outline(&around.replace('@', &operator.repeat(count))).problems.is_empty();
        assert_eq!((problems(max), problems(max + 1)), (true, false), "{around} {operator}");
    }
    let paused =
        |text: String| outline(&text).paused(&text).map_or(0, |paused| paused.matches(PAUSE).count());
    for (text, expected) in [
        ("n = s + 1 ".repeat(32 * 5), 4),
        ("local n = s + 1 ".repeat(32 * 5), 4),
        ("n += s ".repeat(32 * 5), 4),
        ("for i = s, 0 do end ".repeat(11 * 5), 4),
        ("if s * 1 < s then end ".repeat(16 * 5), 4),
        ("while s < 1 do end repeat until s > 1 ".repeat(16 * 5), 4),
        // A branch with a pause need not be taken.
        (format!("{}if b then {} end n = s + 1 n = 1", "n = s + 1 ".repeat(31), "m = s + 1 ".repeat(34)), 3),
        (format!("if b then {} else {} end n = s + 1", "n = s + 1 ".repeat(31), "x = 1 ".repeat(34)), 0),
        (format!("if b then {} else {} end n = s + 1", "n = s + 1 ".repeat(32), "x = 1 ".repeat(34)), 1),
        (format!("if b then else{} end n = s + 1 n = 1", "if s < 1 then ".repeat(32)), 1),
        // The body of a function begins with its call.
        (format!("{}function f() n = s + 1 end m = 1", "n = s + 1 ".repeat(31)), 0),
        (format!("local f = function() {} end m = 1", "n = s + 1 ".repeat(33)), 1),
        // What is written out, and what looks at no text, is no work.
        (format!("local t = {{{}}} n = 1", "-1, 2 + 3, ".repeat(300)), 0),
        (format!("local t = {{{}}} n = 1", "a == b, ".repeat(300)), 0),
        ("local x = if s < 1 then 1 else s + 1 ".repeat(17), 1),
    ] {
        assert_eq!(paused(text.clone()), expected, "{text:.60}");
    }
}

/// What is put between statements changes none of them.
#[test]
fn what_has_pauses_is_the_same_program() {
    let text = "local t = {}\nlocal s = 3 local function add(n) return s + n end\n".to_string()
        + &"t[#t + 1] = add(s * 2) if #t > 40 then t = {} end\nlocal x: number = s // 2 t.x = x do local y = x - s t.y = y end\n"
            .repeat(40)
        + "@native local function g() return t.x end\nreturn #t, t.x, t.y, g()";
    let paused = outline(&text).paused(&text).unwrap();
    assert_eq!(paused.lines().count(), text.lines().count());
    let run = |text: &str| mlua::Lua::new().load(text).eval::<(f64, f64, f64, f64)>().unwrap();
    assert_eq!(run(&text), run(&paused));
}
