use proptest::prelude::*;

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
        ("return a", " + a"),
        ("return a", ".a"),
        ("return a", "'x'"),
        ("a", "(1)"),
        ("a", "[1]"),
        ("return ", "not "),
        ("return ", "- "),
        ("if a then", " elseif a then"),
        ("return a", " and a"),
    ] {
        assert!(is_plain(format!("{start}{}", link.repeat(CHAIN_MAX))), "{link}");
        assert!(!is_plain(format!("{start}{}", link.repeat(CHAIN_MAX + 1))), "{link}");
    }
    assert!(!is_plain(format!("return {}1", "if a then b else ".repeat(CHAIN_MAX))));
    assert!(is_plain("local a = 1 + 2 f(a, 3)\n".repeat(1_000)), "statements are no chain");
    assert!(is_plain(format!("return {{{}}}", "a + 1, ".repeat(1_000))), "elements are no chain");
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
