use engine::diagnostic::Severity;
use engine::event::EventKind;
use engine::signal::Act;

use super::*;
use crate::expression::script::{File, Limits, OFFENCES_MAX};

fn handlers(text: &str) -> Handlers {
    let file = File { name: "t.lua".into(), text: text.into() };
    let view = Rc::new(View::default());
    let (library, problems) = Library::check(vec![file], Limits::default(), &view, |_| false);
    assert!(problems.iter().all(|problem| problem.diagnostic.severity == Severity::Warning), "{problems:?}");
    let names = Names {
        keys: [("room.celsius", Kind::Number), ("script.level", Kind::Number), ("script.word", Kind::Text)]
            .map(|(name, kind)| (name.into(), kind))
            .into(),
        values: vec![("dew".into(), FormulaId(0), None)],
        defaults: vec![Some(Value::Number(21.5))],
        animations: vec!["blink".into()],
    };
    Handlers::new(&library, &names, Fps::default(), 7).unwrap().unwrap()
}

fn event(kind: EventKind, id: &str) -> Event {
    Event { tick: Tick(3), kind, id: id.into(), data: vec![("n".into(), Value::Number(5.0))] }
}

#[test]
fn handlers_act_through_signals() {
    let mut handlers = handlers(
        "function on_event(name, event) \
           if name == 'signal_received' then set('level', event.data.n) start('blink') stop('blink') signal('done', {id = event.id}) end \
         end \
         function on_tick(n) if n == 4 then set('script.word', 'four') end end",
    );
    let events = [event(EventKind::PageShown, "main"), event(EventKind::SignalReceived, "door")];
    let Handled { acts, failures, .. } = handlers.run(Tick(3), &events, &mut || ());
    assert_eq!(failures, []);
    let five = Value::Number(5.0);
    let expected =
        [Some(Act::Set("level", &five)), Some(Act::Start("blink")), Some(Act::Stop("blink")), None];
    assert_eq!(acts.iter().map(Signal::act).collect::<Vec<_>>(), expected);
    assert_eq!(acts[3], Signal::new("done", [("id".into(), "door".into())].into()).unwrap());
    let Handled { acts, .. } = handlers.run(Tick(4), &[], &mut || ());
    assert_eq!(acts.iter().map(Signal::act).collect::<Vec<_>>(), [Some(Act::Set("word", &"four".into()))]);
}

#[test]
fn state_lasts_and_nothing_else_does() {
    let mut handlers = handlers(
        "local count = 0 \
         function on_tick(n) count += 1 state.n = (state.n or 0) + 1 state.list = {1, {a = true}} set('level', state.n * 10 + count) end",
    );
    let level = |handlers: &mut Handlers, tick| {
        let Handled { acts, failures, .. } = handlers.run(Tick(tick), &[], &mut || ());
        assert_eq!(failures, []);
        match acts[0].act() {
            Some(Act::Set(_, value)) => value.number().unwrap(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!([1, 2, 3].map(|tick| level(&mut handlers, tick)), [11.0, 21.0, 31.0]);
    let memory = handlers.memory();
    assert_eq!(level(&mut handlers, 4), 41.0);
    handlers.restore(&memory);
    assert_eq!(level(&mut handlers, 4), 41.0);
}

#[test]
fn of_a_call_that_fails_nothing_is_done() {
    for (body, expected) in [
        ("state.n = 1 set('level', 1) error('no')", "no"),
        ("set('levle', 1)", "did you mean `level`?"),
        ("set('level', {})", "a value is a finite number"),
        ("set('level', 'four')", "`script.level` holds numbers, and this is a text"),
        ("set('word', 4)", "`script.word` holds texts, and this is a number: write tostring(…)"),
        ("set('word', true)", "`script.word` holds texts, and this is a truth value"),
        ("set('word', '\\xff')", "a value is a text that is no UTF-8"),
        ("set('word', string.rep('x', 4097))", "a text of more than 4096 bytes"),
        ("signal('a', 5)", "facts are a table of names and values, not a number"),
        ("signal('a', {b = {}})", "a fact is a finite number"),
        ("start('blnik')", "did you mean `blink`?"),
        ("signal('no name')", "is no name"),
        ("state.f = function() end", "`state.f` is a function, which is no plain data"),
        ("state.a = {} state.a.b = state.a", "or contains itself"),
        ("state.n = 0/0", "is not a finite number"),
        ("state.x = string.rep('x', 70000)", "`state` has more than 65536 bytes"),
        ("for i = 1, 33 do set('level', i) end", "32 things at once"),
        ("x = 1", "readonly"),
        ("get('room.celcius')", "did you mean `room.celsius`?"),
    ] {
        let mut handlers = handlers(&format!("function on_tick(n) {body} end"));
        let Handled { acts, failures, kept, .. } = handlers.run(Tick(0), &[], &mut || ());
        assert!(acts.is_empty() && kept.is_empty(), "{body}");
        let failure = failures[0].to_string();
        assert!(failure.starts_with("runtime: t.lua:1: ") && failure.contains(expected), "{body}: {failure}");
        assert_eq!(*handlers.memory().states[0], Plain::default(), "{body}");
    }
}

#[test]
fn who_breaks_limits_is_switched_off() {
    let mut handlers = handlers("function on_tick(n) while true do end end");
    for tick in 0..OFFENCES_MAX {
        assert_eq!(handlers.run(Tick(tick.into()), &[], &mut || ()).failures.len(), 1);
    }
    assert_eq!((handlers.run(Tick(9), &[], &mut || ()).failures.len(), handlers.disabled()), (0, 1));
}

#[test]
fn keys_begin_with_their_defaults() {
    let mut handlers = handlers("function on_tick(n) set('level', get('celsius') + (get('level') or 1)) end");
    let Handled { acts, .. } = handlers.run(Tick(0), &[], &mut || ());
    assert_eq!(acts.iter().map(Signal::act).collect::<Vec<_>>(), [Some(Act::Set("level", &22.5.into()))]);
}

#[test]
fn a_tick_has_so_many_steps_and_a_heart_beats_before_each_call() {
    let mut handlers = handlers("function on_event(name) for i = 1, 900 do end set('word', name) end");
    handlers.library.limits.tick_budget = 2_000;
    let events: Vec<Event> = (0..9).map(|_| event(EventKind::PageShown, "main")).collect();
    let mut beats = 0;
    for tick in 0..3 {
        let Handled { acts, failures, .. } = handlers.run(Tick(tick), &events, &mut || beats += 1);
        let told: Vec<_> = failures.iter().map(|failure| failure.message.as_str()).collect();
        let expected = "the calls before it took the 2000 steps that a tick has for scripts: its turn comes with the next";
        assert_eq!((acts.len(), told), (3, vec![expected]));
    }
    assert_eq!((beats, handlers.disabled()), (9, 0), "that is no offence");
}

#[test]
fn functions_and_handlers_are_counted_together() {
    let offences = Offences::new(1);
    let mut handlers = handlers("function on_tick(n) while true do end end").counting(offences.clone());
    offences.add(0, By::Functions);
    let told =
        |failures: Vec<Failure>| failures.first().map(|failure| failure.message.contains("switched off"));
    assert_eq!(told(handlers.run(Tick(0), &[], &mut || ()).failures), Some(false));
    assert_eq!(told(handlers.run(Tick(1), &[], &mut || ()).failures), Some(true));
    assert_eq!((told(handlers.run(Tick(2), &[], &mut || ()).failures), offences.disabled()), (None, 1));
    offences.restore(By::Functions, &[0]);
    assert_eq!(told(handlers.run(Tick(3), &[], &mut || ()).failures), Some(true), "a core that begins anew");
}

fn renewed(handlers: &Handlers, text: &str) -> Library {
    let script = engine::script::Script { file: "t.lua".into(), text: text.into() };
    handlers.library().renewed(&[script], &[]).unwrap()
}

#[test]
fn a_script_that_is_another_one_keeps_its_state() {
    let mut handlers = handlers("function on_tick(n) state.n = (state.n or 0) + 1 end");
    let kept = handlers.run(Tick(0), &[], &mut || ()).kept;
    assert_eq!(kept, [("t.lua".into(), Arc::new(Plain::table([("n", Value::Number(1.0).into())])))]);
    // Without handlers nothing is done, and nothing forgotten.
    handlers.reload(&renewed(&handlers, "-- nothing yet")).unwrap();
    let Handled { kept, acts, .. } = handlers.run(Tick(1), &[], &mut || ());
    assert_eq!((kept, acts), (vec![], vec![]));
    let memory = handlers.memory();
    let level = "function on_tick(n) set('level', state.n) while true do end end";
    handlers.reload(&renewed(&handlers, level)).unwrap();
    for tick in 2..9 {
        handlers.run(Tick(tick), &[], &mut || ());
    }
    assert_eq!(handlers.disabled(), 1);
    handlers.reload(&renewed(&handlers, "function on_tick(n) set('level', state.n) end")).unwrap();
    let acts = handlers.run(Tick(9), &[], &mut || ()).acts;
    let one = Value::Number(1.0);
    assert_eq!(acts.iter().map(Signal::act).collect::<Vec<_>>(), [Some(Act::Set("level", &one))]);
    let library = renewed(&handlers, "function on_tick(n) return ( end");
    assert!(handlers.reload(&library).is_err());
    assert_eq!((handlers.run(Tick(10), &[], &mut || ()).acts, handlers.disabled()), (acts, 0));
    handlers.restore(&memory);
    assert_eq!((handlers.run(Tick(11), &[], &mut || ()).acts, handlers.disabled()), (vec![], 0));
}

#[test]
fn what_was_kept_is_given_back() {
    let text = "function on_tick(n) set('level', state.n) end";
    let mut handlers = handlers(text);
    let state = Arc::new(Plain::table([("n", Value::Number(4.0).into())]));
    handlers.remember(&[("t.lua".into(), state), ("gone.lua".into(), Arc::default())].into());
    let Handled { acts, kept, .. } = handlers.run(Tick(0), &[], &mut || ());
    assert_eq!((acts[0].act(), kept), (Some(Act::Set("level", &Value::Number(4.0))), vec![]));
}

#[test]
fn what_the_clock_ended_ends_there_again() {
    let text = "function on_event(name, event) state.events = (state.events or 0) + 1 end\n\
                function on_tick(n) state.n = n\n  for i = 1, 20000 do end\nend";
    let events = [event(EventKind::PageShown, "main")];
    let impatient = |handlers: &mut Handlers| {
        let limits = Limits { backstop: std::time::Duration::ZERO, ..Limits::default() };
        let library = Library { limits, ..handlers.library.clone() };
        let loaded = Handling::new(&library, 0, &handlers.view).unwrap();
        handlers.scripts[0] = loaded;
    };
    let mut first = handlers(text);
    impatient(&mut first);
    first.time(true, &[]);
    let handled = first.run(Tick(5), &events, &mut || ());
    assert_eq!(handled.ended, [Ended { caller: Caller::Handler, call: 1, line: 3 }]);
    let mut second = handlers(text);
    impatient(&mut second);
    second.time(false, &handled.ended);
    let again = second.run(Tick(5), &events, &mut || ());
    assert_eq!((again.ended, again.kept, again.failures), (handled.ended, handled.kept, handled.failures));
    second.time(false, &[]);
    assert!(second.run(Tick(6), &[], &mut || ()).failures.is_empty());
}
