use std::format;
use std::string::{String, ToString};
use std::vec;
use std::vec::Vec;

use super::*;
use crate::animation::{Keyframe, Repeat};
use crate::effect::easing::Easing;
use crate::widget::WidgetId;

/// Runs a trigger that starts animation `flash` (2 ticks long), with its condition true at the ticks
/// marked `#`, and writes down every event as `tick type id`.
fn check(condition: &str, cooldown: u64, expected: &[&str]) {
    let trigger = Trigger {
        name: "hot".to_string(),
        when: When::Holds(FormulaId(0)),
        cooldown,
        actions: vec![Action::Start(AnimationId(0))],
    };
    let mut coordinator = Coordinator::new("main", vec![trigger], vec![flash(false)]);
    assert_eq!(run(&mut coordinator, condition), expected, "{condition}");
}

fn flash(starts_at_load: bool) -> Animation {
    Animation {
        name: "flash".to_string(),
        widget: WidgetId(0),
        duration: 2,
        from: Keyframe::default(),
        to: Keyframe { opacity: Some(0.0), ..Keyframe::default() },
        easing: Easing::Linear,
        cycles: Some(1),
        repeat: Repeat::Restart,
        starts_at_load,
    }
}

fn run(coordinator: &mut Coordinator, condition: &str) -> Vec<String> {
    let mut results = Results::new(1);
    let mut log = Vec::new();
    for (tick, holds) in condition.bytes().enumerate() {
        results.set(FormulaId(0), Some(f64::from(u8::from(holds == b'#')).into()));
        let tick = Tick(tick as u64);
        let step = Step { tick, results: &results, states: &[], signals: &[], restarts: &[], rebased_ms: 0 };
        let events = coordinator.step(&step).iter();
        log.extend(events.map(|event| format!("{} {} {}", event.tick, event.kind.name(), event.id)));
    }
    log
}

#[test]
fn triggers_fire_on_the_edge() {
    check(".", 0, &["0 page_shown main"]);
    check(
        ".###..#",
        0,
        &[
            "0 page_shown main",
            "1 trigger_activated hot",
            "1 animation_started flash",
            "4 animation_completed flash",
            "4 trigger_deactivated hot",
            "6 trigger_activated hot",
            "6 animation_started flash",
        ],
    );
}

#[test]
fn an_edge_within_the_cooldown_waits_for_its_end() {
    check(
        "#.##..#.....",
        4,
        &[
            "0 page_shown main",
            "0 trigger_activated hot",
            "0 animation_started flash",
            "1 trigger_deactivated hot",
            "3 animation_completed flash",
            "6 trigger_activated hot",
            "6 animation_started flash",
            "7 trigger_deactivated hot",
            "9 animation_completed flash",
        ],
    );
    check(
        "#.####",
        4,
        &[
            "0 page_shown main",
            "0 trigger_activated hot",
            "0 animation_started flash",
            "1 trigger_deactivated hot",
            "3 animation_completed flash",
            "4 trigger_activated hot",
            "4 animation_started flash",
        ],
    );
}

#[test]
fn animations_start_at_load_and_stop() {
    let stop = Trigger {
        name: "calm".to_string(),
        when: When::Holds(FormulaId(0)),
        cooldown: 0,
        actions: vec![Action::Stop(AnimationId(0))],
    };
    let mut coordinator = Coordinator::new("main", vec![stop], vec![flash(true)]);
    let expected = [
        "0 page_shown main",
        "0 animation_started flash",
        "1 trigger_activated calm",
        "1 animation_stopped flash",
        "2 trigger_deactivated calm",
        "3 trigger_activated calm",
    ];
    assert_eq!(run(&mut coordinator, ".#.#"), expected, "what does not run is not stopped");
    assert_eq!(coordinator.starts(), [None]);
}

#[test]
fn a_condition_without_a_value_does_not_hold() {
    let trigger =
        Trigger { name: "t".to_string(), when: When::Holds(FormulaId(0)), cooldown: 0, actions: vec![] };
    let mut coordinator = Coordinator::new("main", vec![trigger], vec![]);
    let results = Results::new(1);
    let step =
        Step { tick: Tick(1), results: &results, states: &[], signals: &[], restarts: &[], rebased_ms: 0 };
    assert_eq!(coordinator.step(&step), []);
}

#[test]
fn inputs_that_matter_are_told() {
    let mut coordinator = Coordinator::new("main", vec![], vec![]);
    let results = Results::new(0);
    let states = [("room", SourceState::Stale)];
    let restarts = [Restarted { actor: "ring".into(), cause: "panic".into(), restarts: 3 }];
    let step = Step {
        tick: Tick(9),
        results: &results,
        states: &states,
        signals: &[],
        restarts: &restarts,
        rebased_ms: 6_000,
    };
    let told: Vec<_> = coordinator.step(&step).iter().map(|e| (e.kind, e.data[0].1.clone())).collect();
    let expected = [
        (EventKind::ClockRebased, 6_000.0.into()),
        (EventKind::ActorRestarted, Value::from("panic")),
        (EventKind::SourceState, Value::from("stale")),
    ];
    assert_eq!(told, expected);
}

#[test]
fn signals_are_told_and_fire_triggers() {
    let trigger = Trigger {
        name: "bell".to_string(),
        when: When::Signal("ring".to_string()),
        cooldown: 3,
        actions: vec![Action::Start(AnimationId(0))],
    };
    let mut coordinator = Coordinator::new("main", vec![trigger], vec![flash(false)]);
    let results = Results::new(0);
    let signal = |name, facts: &[(&str, f64)]| {
        let facts = facts.iter().map(|(name, n)| (name.to_string(), Value::Number(*n)));
        Signal::new(name, facts.collect()).unwrap()
    };
    let mut log = Vec::new();
    for (tick, signals) in [
        (1, vec![signal("knock", &[("times", 2.0), ("at", 1.0)]), signal("ring", &[])]),
        (2, vec![signal("ring", &[])]),
        (3, vec![]),
        (4, vec![signal("ring", &[]), signal("ring", &[])]),
        (5, vec![]),
    ] {
        let step = Step {
            tick: Tick(tick),
            results: &results,
            states: &[],
            signals: &signals,
            restarts: &[],
            rebased_ms: 0,
        };
        let events = coordinator.step(&step).iter();
        let facts =
            |event: &Event| event.data.iter().map(|(name, n)| format!(" {name}={n}")).collect::<String>();
        log.extend(events.map(|e| format!("{} {} {}{}", e.tick, e.kind.name(), e.id, facts(e))));
    }
    let expected = [
        "1 signal_received knock at=1 times=2",
        "1 signal_received ring",
        "1 trigger_activated bell",
        "1 animation_started flash",
        "2 signal_received ring",
        "4 signal_received ring",
        "4 signal_received ring",
        "4 animation_completed flash",
        "4 trigger_activated bell",
        "4 animation_started flash",
    ];
    assert_eq!(log, expected, "once a tick, and not within the cooldown");
}
