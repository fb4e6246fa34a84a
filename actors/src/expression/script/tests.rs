use std::rc::Rc;
use std::time::Duration;

use engine::tick::Fps;

use super::*;

fn load(text: &str) -> Script {
    load_in(text, View::new(["room.celsius", "room.state"], ["dew"], Fps::default()))
}

fn load_in(text: &str, view: View) -> Script {
    Script::load("scripts/test.lua", text.as_bytes(), Limits::default(), Rc::new(view)).unwrap()
}

fn number(n: f64) -> Option<Value> {
    Some(Value::Number(n))
}

#[test]
fn a_chunk_is_run_and_its_results_are_texts() {
    for (text, expected) in [
        ("return 1 + 1", "2"),
        ("return 'a', nil, true, 2.5", "a\tnil\ttrue\t2.5"),
        ("return {}", "table"),
        ("return", ""),
        ("", ""),
        ("return ''", ""),
        ("return 0.1 + 0.2", "0.30000000000000004"),
        ("return math.sin(1)", "0.8414709848078965"),
        ("local s = 0 for i = 1, 100 do s += i end return s", "5050"),
        ("return ('x'):rep(3), ('%5.1f|%s'):format(2.25, 'a')", "xxx\t  2.2|a"),
        ("return table.concat({1, 2, 3}, '-')", "1-2-3"),
        ("return select('#', table.unpack({1, nil, 3}, 1, 3))", "3"),
        ("local t = {3, 1, 2} table.sort(t) return t[1], t[3]", "1\t3"),
        ("return (`{1 + 1}{'a'}`)", "2a"),
        ("return pcall(error, 'x')", "false\tx"),
        ("x = 1 return _G.x, getmetatable(_G)", "1\tlocked"),
    ] {
        assert_eq!(load(text).run().as_deref(), Ok(expected), "{text}");
    }
}

#[test]
fn functions_are_called() {
    let mut script = load("function add(a, b) return a + (b or 10) end function kind(x) return type(x) end");
    assert_eq!(script.call("add", &[number(1.0), number(2.0)], 0).unwrap(), number(3.0));
    assert_eq!(script.call("add", &[number(1.0)], 0).unwrap(), number(11.0));
    for (argument, kind) in
        [(None, "nil"), (Some(Value::Bool(true)), "boolean"), (Some(Value::from("a")), "string")]
    {
        assert_eq!(script.call("kind", &[argument], 0).unwrap(), Some(Value::from(kind)));
    }
    let failure = script.call("subtract", &[], 0).unwrap_err();
    assert_eq!(
        failure.to_string(),
        "runtime: scripts/test.lua:1: there is no function `subtract` in this script"
    );
}

#[test]
fn what_is_read_is_noted_and_rolled_dice_too() {
    let view = Rc::new(View::new(["room.celsius", "room.state"], ["dew"], Fps::default()));
    let text = "function a() return get('celsius') end function b() return tick() + math.random() * 0 end \
                function c() return get('dew'), get('room.state') end";
    let mut script = Script::load("t.lua", text.as_bytes(), Limits::default(), view.clone()).unwrap();
    view.show(0, number(21.5));
    view.begin(Tick(7));
    assert_eq!(script.call("a", &[], 0), Ok(number(21.5)));
    assert_eq!(view.take_reads(), [Read::Value(0)]);
    assert_eq!(script.call("b", &[], 0), Ok(number(7.0)));
    assert_eq!(view.take_reads(), [Read::Tick]);
    assert_eq!(script.call("c", &[], 0).unwrap(), None);
    assert_eq!(view.take_reads(), [Read::Value(1), Read::Value(2)]);
}

#[test]
fn nothing_is_left_of_a_call() {
    let view = Rc::new(View::default());
    let text = "local n = 0 t = {} function f() n = n + 1 return n end \
                function g() t.x = 1 end function h() x = 1 end function k() return math.random() end";
    let mut script = Script::load("t.lua", text.as_bytes(), Limits::default(), view.clone()).unwrap();
    let mut call = |name: &str, seed| script.call(name, &[], seed);
    assert_eq!((call("f", 0), call("f", 0)), (Ok(number(1.0)), Ok(number(1.0))));
    view.begin(Tick(1));
    assert_eq!(call("f", 0), Ok(number(1.0)));
    for name in ["g", "h"] {
        let failure = call(name, 0).unwrap_err();
        assert!(failure.message.contains("readonly"), "{failure}");
    }
    assert_eq!(call("k", 5), call("k", 5));
    assert_ne!(call("k", 5), call("k", 6));
}

#[test]
fn limits_hold_at_their_bounds() {
    let run = |budget, text: &str| {
        let limits = Limits { budget, backstop: Duration::from_secs(60), ..Limits::default() };
        let mut script = Script::load("t.lua", text.as_bytes(), limits, Rc::new(View::default())).unwrap();
        let done = script.run();
        (done.map_err(|failure| failure.trouble), script.used().0)
    };
    let text = "for i = 1, 1000 do end return 'done'";
    let (done, steps) = run(u64::from(u32::MAX), text);
    assert_eq!(done.as_deref(), Ok("done"));
    assert!((1_000..1_100).contains(&steps), "{steps}");
    assert_eq!(run(steps, text).0.as_deref(), Ok("done"));
    assert_eq!(run(steps - 1, text).0, Err(Trouble::Timeout));
    let source = |bytes: usize| {
        let text = format!("return 1 --{}", "x".repeat(bytes - 11));
        assert_eq!(text.len(), bytes);
        Script::load("t.lua", text.as_bytes(), Limits::default(), Rc::new(View::default())).map(drop)
    };
    assert_eq!(source(SOURCE_BYTES_MAX), Ok(()));
    assert_eq!(source(SOURCE_BYTES_MAX + 1).unwrap_err().trouble, Trouble::TooLarge);
}

#[test]
fn a_script_that_broke_a_limit_can_be_called_again() {
    let text = "function loop() while true do end end function fill() local t = {} while true do t[#t + 1] = table.create(60000, 1) end end \
                function fine() return 1 end";
    let mut script = load(text);
    for (name, trouble) in [("loop", Trouble::Timeout), ("fill", Trouble::Memory), ("loop", Trouble::Timeout)]
    {
        assert_eq!(script.call(name, &[], 0).unwrap_err().trouble, trouble, "{name}");
        assert_eq!(script.call("fine", &[], 0).unwrap(), number(1.0));
    }
}

#[test]
fn library_functions_do_so_much_at_once_and_no_more() {
    for (text, is_fine) in [
        ("string.rep('x', 1048576)", true),
        ("string.rep('x', 1048577)", false),
        ("string.find(string.rep('x', 65536), 'y')", true),
        ("string.find(string.rep('x', 65537), 'y')", false),
        ("string.find('x', string.rep('y', 256))", true),
        ("string.find('x', string.rep('y', 257))", false),
        ("string.find(string.rep('x', 4096), '%b()')", true),
        ("string.find(string.rep('x', 4097), '%b()')", false),
        ("string.find('x', string.rep('y', 1024), 1, true)", true),
        ("string.find('x', string.rep('y', 1025), 1, true)", false),
        ("string.format(string.rep('x', 4096))", true),
        ("string.format(string.rep('x', 4097))", false),
        ("table.unpack({}, 1, 4096)", true),
        ("table.unpack({}, 1, 4097)", false),
        ("string.byte(string.rep('x', 5000), 1, 4096)", true),
        ("string.byte(string.rep('x', 5000), 1, 4097)", false),
        ("table.create(65536)", true),
        ("table.create(65537)", false),
        ("table.sort(table.create(10000, 1))", true),
        ("table.sort(table.create(10001, 1))", false),
        ("table.move({}, 1, 65536, 1)", true),
        ("table.move({}, 1, 65537, 1)", false),
        ("string.split(string.rep('x', 65536), 'y')", true),
        ("string.split(string.rep('x', 65537), 'y')", false),
    ] {
        let done = load(text).run();
        assert_eq!(done.is_ok(), is_fine, "{text}: {done:?}");
    }
}

#[test]
fn errors_are_plain_and_say_where() {
    for (text, expected) in [
        ("\nerror('a')", "runtime: scripts/test.lua:2: a"),
        ("error('a', 0)", "runtime: scripts/test.lua:1: a"),
        ("error({})", "runtime: scripts/test.lua:1: an error was raised that is no text, but: table"),
        ("error('\\27[2J\\0')", "runtime: scripts/test.lua:1: \\u{1b}[2J\\u{0}"),
        (
            "\nlocal x = nil + 1",
            "runtime: scripts/test.lua:2: attempt to perform arithmetic (add) on nil and number",
        ),
        (
            "\n\nstring.rep('x', 1e9)",
            "runtime: scripts/test.lua:3: string.rep: the bytes of the result may be 1048576 at most, and would be 1000000000",
        ),
        (
            "get('celcius')",
            "runtime: scripts/test.lua:1: get: there is no key or value `celcius`; did you mean `celsius`?",
        ),
        ("\nwhile true do end", "timeout: scripts/test.lua:2: it took more than its budget of 200000 steps"),
    ] {
        assert_eq!(load(text).run().unwrap_err().to_string(), expected, "{text}");
    }
    let failure =
        Script::load("x.lua", b"local x = = 1", Limits::default(), Rc::new(View::default())).err().unwrap();
    assert!(failure.to_string().starts_with("syntax: x.lua:1: "), "{failure}");
    let long = load("error(string.rep('é', 1000))").run().unwrap_err();
    assert_eq!(long.message.chars().count(), MESSAGE_CHARS_MAX + 1);
}

/// What becomes of one call after others, in a script with so much memory.
fn after(text: &str, memory: usize, before: &[(&str, f64)], (name, n): (&str, f64)) -> Option<Trouble> {
    let limits = Limits { memory, backstop: Duration::from_secs(60), ..Limits::default() };
    let mut script = Script::load("t.lua", text.as_bytes(), limits, Rc::new(View::default())).unwrap();
    before.iter().for_each(|(name, n)| drop(script.call(name, &[number(*n)], 0)));
    script.call(name, &[number(n)], 0).err().map(|failure| failure.trouble)
}

#[test]
fn memory_is_judged_the_same_whatever_was_before() {
    let text = "function live(n) local t = {} for i = 1, n do t[i] = string.rep('x', 9000) .. i end return #t end \
                function waste(n) for i = 1, n do local s = string.rep('y', 90000) .. i end return n end \
                function both(n) waste(20) return live(n) end";
    let memory = 4 << 20;
    let mut verdicts = Vec::new();
    for n in (100..500).step_by(20) {
        for name in ["live", "both", "waste"] {
            let at_first = after(text, memory, &[], (name, n.into()));
            let waste = after(text, memory, &[("waste", 35.0), ("live", 90.0)], (name, n.into()));
            let live = after(text, memory, &[("live", 300.0), ("both", 30.0)], (name, n.into()));
            assert_eq!((waste, live), (at_first, at_first), "{name}({n})");
            verdicts.push((name, at_first));
        }
    }
    let fits = |name| verdicts.iter().filter(|(one, trouble)| *one == name && trouble.is_none()).count();
    // What is alive may be nearly all of the limit, and what is let go of as much as is collected in between.
    assert!((10..20).contains(&fits("live")) && fits("both").abs_diff(fits("live")) < 4, "{verdicts:?}");
    assert!(fits("waste") < 20 && verdicts.contains(&("waste", Some(Trouble::Memory))), "{verdicts:?}");
}

#[test]
fn nobody_catches_the_lack_of_memory() {
    for catch in [
        "pcall(fill)",
        "xpcall(fill, function() return 'fine' end)",
        "xpcall(error, function() fill() end)",
        "xpcall(fill, function() error('x') end)",
        "coroutine.resume(coroutine.create(fill))",
        "pcall(coroutine.wrap(fill))",
    ] {
        let text = format!(
            "local function fill() local t = {{}} while true do t[#t + 1] = table.create(60000, 1) end end \
             function f() {catch} return 1 end"
        );
        assert_eq!(after(&text, 4 << 20, &[], ("f", 0.0)), Some(Trouble::Memory), "{catch}");
    }
}

#[test]
fn no_table_is_weak() {
    for (text, expected) in [
        ("setmetatable({}, {__mode = 'k'})", "tables are never weak here"),
        ("local a, b = setmetatable({}, {__mode = 'v'}) return a", "tables are never weak here"),
    ] {
        let failure = load(text).run().unwrap_err();
        assert!(failure.message.contains(expected), "{failure}");
    }
    let text = "local t = setmetatable({}, {__index = {a = 1}}) return t.a, getmetatable(t).__index.a";
    assert_eq!(load(text).run().as_deref(), Ok("1\t1"));
}

#[test]
fn work_in_the_library_costs_by_its_size() {
    let steps = |text: &str| {
        let limits = Limits { backstop: Duration::from_secs(60), ..Limits::default() }.with_budget(2_000_000);
        let limits = Limits { backstop: Duration::from_secs(60), ..limits };
        let mut script = Script::load("t.lua", text.as_bytes(), limits, Rc::new(View::default())).unwrap();
        script.run().unwrap_or_else(|failure| panic!("{text}: {failure}"));
        script.used().0
    };
    let text = "local s, t = string.rep('x', 60000), {} for i = 1, 30000 do t['k' .. i] = i end ";
    let before = steps(text);
    for (work, least) in [
        ("string.sub(s, 2)", 900),
        ("local u = s:sub(2)", 900),
        ("string.split(s, 'x')", 60_000),
        ("string.find(s, 'y', 1, true)", 900),
        ("string.find(s, '[abcdefghijkl]')", 12_000),
        ("string.gsub(s, '.+', '%0%0%0')", 2_800),
        ("string.match(s, '.+')", 900),
        ("table.clone(t)", 30_000),
        ("table.clear(t)", 30_000),
        ("table.clone(table.create(60000, 1))", 7_000),
        ("table.concat(table.create(10000, 1))", 50_000),
        ("table.unpack(table.create(4096, 1))", 120),
        ("string.upper(s)", 900),
        ("string.rep(s, 10)", 9_000),
        ("string.format('%s', s)", 900),
    ] {
        let more = steps(&format!("{text}{work}")) - before;
        assert!((least..2 * least + 70_000).contains(&more), "{work}: {more}");
    }
}

#[test]
fn the_clock_gives_way_to_the_budget() {
    let run = |budget| {
        let limits = Limits::default().with_budget(budget);
        let mut script =
            Script::load("t.lua", b"while true do end", limits, Rc::new(View::default())).unwrap();
        script.run().unwrap_err()
    };
    for budget in [1, 200_000, BUDGET_MAX] {
        let failure = run(budget);
        assert_eq!((failure.by_clock, failure.trouble), (false, Trouble::Timeout), "{failure}");
    }
    assert_eq!(Limits::default().with_budget(u64::MAX).budget, BUDGET_MAX);
}

/// Each step of it puts a megabyte together.
#[test]
fn the_clock_gives_way_to_memory() {
    let text = b"local s = string.rep('x', 1e6) while true do local t = s .. 'y' end";
    let limits = Limits { backstop: Duration::from_millis(1), ..Limits::default() };
    let mut script = Script::load("t.lua", text, limits, Rc::new(View::default())).unwrap();
    let failure = script.run().unwrap_err();
    assert_eq!((failure.by_clock, failure.trouble), (false, Trouble::Memory), "{failure}");
}

/// Each operator reads a number from a text of four megabytes, or compares two of these.
#[test]
fn nothing_is_too_straight_to_be_ended() {
    let begin = "local s = string.rep('9', 1e6) s ..= s s ..= s local t, n, b = {}, 0, s .. '8' ";
    let limits = Limits { backstop: Duration::from_millis(1), ..Limits::default() };
    let limits = Limits { memory: 64 << 20, ..limits };
    let ended = |text: &str| {
        let script =
            Script::load("t.lua", (begin.to_string() + text).as_bytes(), limits, Rc::new(View::default()));
        let failure = script.and_then(|mut script| script.run()).expect_err(text);
        failure.trouble
    };
    for text in
        ["n = s + 1 ", "n = -s ", "n -= s ", "if s * 1 < 0 then end ", "for i = s, 0 do end ", "n = s < b "]
    {
        assert_eq!(ended(&text.repeat(2_000)), Trouble::Timeout, "{text}");
        assert_eq!(
            ended(&format!("local function f() {} end f()", text.repeat(2_000))),
            Trouble::Timeout,
            "{text}"
        );
    }
    assert_eq!(ended(&format!("t = {{{}}}", "-s, ".repeat(2_000))), Trouble::Syntax);
    for call in ["math.max(", "math.min(1, ", "bit32.band(", "string.char(", "utf8.char("] {
        let text = format!("for i = 1, 4000 do t[i] = s end return {call}unpack(t))");
        assert_eq!(ended(&text), Trouble::Runtime, "{call}");
    }
}

#[test]
fn numbers_beyond_those_of_c() {
    for (text, expected) in [
        ("return string.find('abc', 'b', 1e308), string.find('abc', 'b', -1/0)", "nil\t2\t2"),
        ("return string.find('abc', 'b', 1e308, true)", "nil"),
        ("return ('hello'):sub(2^31), ('hello'):sub(-2^40, 2^40), ('hello'):sub(0/0)", "\thello\thello"),
        ("return string.match('abc', 'b', 2^33)", "nil"),
        (
            "return string.format('%d %.1f', 2^53, 1/0)",
            "string.format: argument 3 is no whole number below 2^63",
        ),
        ("return string.format('%d', 0/0)", "string.format: argument 2 is no whole number below 2^63"),
        ("return string.format('%s %.1f', 2^53, 1/0)", "9007199254740992 inf"),
        (
            "return math.max(1, '3', 2), bit32.band('7', 12), math.max(unpack(table.create(4000, 2)))",
            "3\t4\t2",
        ),
    ] {
        let shown = load(text).run().unwrap_or_else(|failure| failure.message);
        assert_eq!(shown, expected, "{text}");
    }
}

#[test]
fn a_text_ends_where_it_ends() {
    let failure =
        Script::load("t.lua", b"return 1\n\0 error('x')", Limits::default(), Rc::new(View::default()));
    let failure = failure.err().unwrap();
    assert_eq!((failure.trouble, failure.line), (Trouble::Syntax, 2), "{failure}");
}

#[test]
fn errors_of_tostring_have_no_traceback() {
    let text = "local t = setmetatable({}, { __tostring = function()\nerror('odd') end })\nreturn t";
    let failure = load(text).run().unwrap_err();
    assert_eq!((failure.line, failure.message.as_str()), (2, "odd"));
}

#[test]
fn calls_see_nothing_of_each_other() {
    let text = "local n, seen = 0, {} function f() n += 1 seen[#seen + 1] = n return #seen end";
    let mut script = load(text);
    assert_eq!([(); 3].map(|()| script.call("f", &[], 0).unwrap()), [number(1.0), number(1.0), number(1.0)]);
}

#[test]
fn results_are_plain_on_a_terminal() {
    for (text, expected) in [
        ("return '\\27[2Jred\\0'", "\\u{1b}[2Jred\\u{0}"),
        ("return 'a\\xffb', 'c\\nd'", "a\\xffb\tc\nd"),
        ("return 'é…'", "é…"),
    ] {
        assert_eq!(load(text).run().as_deref(), Ok(expected), "{text}");
    }
    let failure = load("function f() return '\\xff' end").call("f", &[], 0).unwrap_err();
    assert!(failure.message.contains("a text that is no UTF-8"), "{failure}");
}

#[test]
fn missing_arguments_are_told_in_words() {
    for (text, expected) in [
        ("math.sin()", "math.sin: argument 1 is missing"),
        ("math.pow(2)", "math.pow: argument 2 is missing"),
        ("math.lerp(1, 2)", "math.lerp: argument 3 is missing"),
        ("math.cos({})", "math.cos: argument 1 has to be a number, and is a table"),
    ] {
        let failure = load(text).run().unwrap_err();
        assert_eq!(failure.message, expected, "{text}");
    }
    assert_eq!(load("return math.log(8, 2), math.pow(2, 0.5)").run().as_deref(), Ok("3\t1.4142135623730951"));
}

#[test]
fn state_is_no_business_of_the_file() {
    for text in ["state = {}", "state.n = state.n or 0", "\nif state['n'] then end"] {
        let failure =
            Script::load("t.lua", text.as_bytes(), Limits::default(), Rc::new(View::default())).err();
        let failure = failure.unwrap();
        assert!(failure.message.starts_with("there is no `state` while the file is read"), "{failure}");
        assert!(failure.help.unwrap().contains("state.count = state.count or 0"), "{text}");
    }
    load("local state = 1 state = 2 local t = {state = 1} t.state = 2 function f() state.n = 1 end");
}
