//! Formulas, templates and scripts that are made to do harm, by way of HTTP and of configurations: each ends in an
//! error that says why, and the panel shows what it would have shown without them.

mod configured;
mod evaluated;

/// `count` times `open`, what is `inside`, and `count` times `close`.
fn nested(open: &str, inside: &str, close: &str, count: usize) -> String {
    open.repeat(count) + inside + &close.repeat(count)
}

/// Functions of scripts that do harm: how each is called, its text, and what may be said of it.
const HARMFUL: [(&str, &str, &[&str]); 15] = [
    ("forever()", "function forever() while true do end end", &["timeout"]),
    (
        "swallow()",
        "function swallow() while true do pcall(function() while true do end end) end end",
        &["timeout"],
    ),
    (
        "wrapped()",
        "function wrapped() local f = coroutine.wrap(function() while true do end end) return f() end",
        &["timeout"],
    ),
    ("deep()", "function deep() return deep() + 1 end", &["runtime", "timeout", "memory"]),
    (
        "eat()",
        "function eat() local t = {} while true do t[#t + 1] = table.create(60000, 1) end end",
        &["memory", "timeout"],
    ),
    (
        "long()",
        "function long(): string local s = 'x' for _ = 1, 40 do s ..= s end return s end",
        &["memory", "runtime", "timeout"],
    ),
    (
        "match()",
        "function match() return #string.rep('a', 60000):match('(.-)*(.-)*(.-)*b') end",
        &["timeout", "runtime", "memory"],
    ),
    ("fail()", "function fail() error('\\u{1b}[31m\\0\\u{202e}') end", &["runtime"]),
    (
        "raise()",
        "function raise() error(setmetatable({}, { __tostring = function() while true do end end })) end",
        &["runtime", "timeout"],
    ),
    ("table_()", "function table_() return {} end", &["runtime"]),
    ("infinite()", "function infinite() return 1 / 0 end", &["runtime"]),
    ("text()", "function text() return 'a text' end", &["runtime"]),
    ("acts()", "function acts() set('count', 1) return 1 end", &["runtime"]),
    ("outside()", "function outside() return get('no.key') end", &["runtime"]),
    (
        "tamper()",
        "function tamper() string.format = nil math.floor = nil getmetatable('').__index = nil return 1 end",
        &["runtime"],
    ),
];
