//! Hints: what a script's author probably meant, told beside an error.

use engine::diagnostic::nearest;

use super::Trouble;
use super::host::GIVEN;
use super::token::{Kind, Token, tokens};

/// What other Luas have and scripts have not, and what to write instead.
const ABSENT: [(&str, &str); 15] = [
    ("state", "functions keep nothing from call to call: `state` belongs to on_event and on_tick"),
    ("print", "scripts have no `print`: write log(...)"),
    ("os", "scripts have no clock: time() counts seconds since tick 0, and a `time` source sends the hour"),
    ("io", "scripts reach no files: let a source send what is needed, and read it with get(...)"),
    ("debug", "scripts have no `debug`"),
    ("package", "each script stands alone: put what it needs into its own file"),
    ("require", "each script stands alone: put what it needs into its own file"),
    ("dofile", "each script stands alone: put what it needs into its own file"),
    ("load", "scripts cannot make code of texts"),
    ("loadstring", "scripts cannot make code of texts"),
    ("setfenv", "a script's environment is its own and stays as it is"),
    ("getfenv", "a script's environment is its own and stays as it is"),
    ("collectgarbage", "memory is looked after; `[scripts] memory` says how much there is"),
    ("newproxy", "use a table with a metatable"),
    ("buffer", "scripts have no buffers: use tables, or string.pack"),
];

/// Lua's own names that scripts have, for those who misspell one.
const KNOWN: [&str; 26] = [
    "assert",
    "bit32",
    "coroutine",
    "error",
    "getmetatable",
    "ipairs",
    "math",
    "next",
    "pairs",
    "pcall",
    "rawequal",
    "rawget",
    "rawlen",
    "rawset",
    "select",
    "setmetatable",
    "string",
    "table",
    "tonumber",
    "tostring",
    "type",
    "typeof",
    "unpack",
    "utf8",
    "xpcall",
    "_G",
];

/// What helps with an error in this line of a script.
pub(super) fn hint(trouble: Trouble, message: &str, line: &str) -> Option<String> {
    match trouble {
        Trouble::Timeout => Some("do less at once, or raise `[scripts] budget`".into()),
        Trouble::Memory => Some("keep less at once, or raise `[scripts] memory`".into()),
        Trouble::TooLarge | Trouble::Syntax => None,
        Trouble::Runtime if message.contains("readonly table") => Some(
            "what functions would leave in globals is forgotten: handlers keep in `state` what has to last"
                .into(),
        ),
        Trouble::Runtime if message.contains("nil") => unknown(line),
        Trouble::Runtime => None,
    }
}

/// What is probably the name in `line` that stands for nothing.
fn unknown(line: &str) -> Option<String> {
    let all = tokens(line);
    let names: Vec<&Token<'_>> = (0..all.len()).filter_map(|index| global(&all, index)).collect();
    let absent = |name: &&Token<'_>| ABSENT.iter().find(|(absent, _)| *absent == name.text);
    if let Some((_, hint)) = names.iter().copied().find_map(|name| absent(&name)) {
        return Some((*hint).into());
    }
    let given: Vec<&str> = GIVEN.iter().map(|given| given.name).chain(KNOWN).collect();
    names.iter().find_map(|name| {
        let is_known = given.contains(&name.text) || name.text.len() < 3;
        let near = if is_known { Vec::new() } else { nearest(name.text, given.iter().copied()) };
        near.first().map(|near| format!("did you mean `{near}`?"))
    })
}

/// The name at `index`, if it is one of its own and is called or looked into.
fn global<'t, 'a>(tokens: &'t [Token<'a>], index: usize) -> Option<&'t Token<'a>> {
    let before = index.checked_sub(1).map_or("", |before| tokens[before].text);
    let after = tokens.get(index + 1).map_or("", |after| after.text);
    let is_used = matches!(after, "(" | "." | "[" | ":" | "{") && !matches!(before, "." | ":");
    tokens.get(index).filter(|token| token.kind == Kind::Name && is_used)
}
