//! What wrong scripts are told, all of it, to be read.

use std::rc::Rc;
use std::time::Duration;

use engine::tick::Fps;

use super::*;

/// Wrong scripts, each with the call that shows it; without one, running it does.
const WRONG: [(&str, &str); 36] = [
    ("local x = = 1", ""),
    ("function f(a, b) return a + b", ""),
    ("return 1 +", ""),
    ("local text = 'open", ""),
    ("if x then return 1", ""),
    ("for i = 1 do end", ""),
    ("x = 1 end", ""),
    ("return {1, 2", ""),
    ("local local = 1", ""),
    ("goto done ::done::", ""),
    ("function f() break end", ""),
    ("local a <const> = 1 a = 2", ""),
    ("--[[ never closed", ""),
    ("return `{1`", ""),
    ("return 1 ! = 2", ""),
    ("while true do end", ""),
    ("local t = {} while true do t[#t + 1] = table.create(60000, 1) end", ""),
    ("local function f() return f() + 1 end return f()", ""),
    ("return string.rep('x', 1e9)", ""),
    ("return string.find(string.rep('a', 1e5), 'a-b')", ""),
    ("return table.sort(table.create(20000, 1))", ""),
    ("print('hello')", ""),
    ("return os.time()", ""),
    ("local json = require('json')", ""),
    ("return io.open('/etc/passwd')", ""),
    ("return math.sinn(1)", ""),
    ("return gte('room.celsius')", ""),
    ("return get('room.celcius')", ""),
    ("return get(1)", ""),
    ("return rgb('red')", ""),
    ("set('level', 1)", ""),
    ("return nil .. 'x'", ""),
    ("return 1 < 'x'", ""),
    ("return ({}).a.b", ""),
    ("function f() state.n = 1 end", "f"),
    ("total = 0 function f() total = total + 1 end", "f"),
];

#[test]
fn every_wrong_script_is_told_what_is_wrong() {
    let mut all = String::new();
    for (text, name) in WRONG {
        let view = View::new(["room.celsius", "room.humidity"], ["dew"], Fps::default());
        let limits = Limits { backstop: Duration::from_secs(60), ..Limits::default() };
        let loaded = Script::load("wrong.lua", text.as_bytes(), limits, Rc::new(view));
        let done = loaded.and_then(
            |mut script| {
                if name.is_empty() { script.run() } else { script.call_shown(name, &[]) }
            },
        );
        let failure = done.expect_err(text);
        all.push_str(&format!("{text}\n  {failure}\n"));
        if let Some(help) = &failure.help {
            all.push_str(&format!("  help: {help}\n"));
        }
    }
    insta::assert_snapshot!(all);
}
