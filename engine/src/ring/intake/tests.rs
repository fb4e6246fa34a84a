use std::string::ToString;
use std::vec;

use super::*;

fn intake() -> Intake {
    let source = |name: &str, stale_after| SourceSpec { name: name.to_string(), stale_after };
    let sources = [source("room", Some(3)), source("tape", None)];
    let declared = [(SourceId(0), "heat".to_string(), Kind::Number)];
    let limits = Limits { samples: 8, keys: 3, ..Limits::default() };
    Intake::new(&sources, &declared, limits, Fps::default(), 1_000_000).unwrap()
}

fn reading(source: u16, key: &str, value: impl Into<Value>) -> Reading {
    let values = vec![(key.into(), value.into())];
    Reading { source: SourceId(source), sequence: 7, timestamp_ms: None, values }
}

#[test]
fn a_tick_seals_what_arrived_before_it() {
    let mut intake = intake();
    intake.accept(&reading(1, "lamp", 1.0));
    intake.accept(&reading(0, "heat", 21.5));
    let (sealed, _) = intake.seal(0);
    let names: Vec<_> = sealed.new_keys.iter().map(|(_, name)| &**name).collect();
    assert_eq!(names, ["room.heat", "tape.lamp"]);
    let order: Vec<_> = sealed.samples.iter().map(|s| (s.key.0, s.sequence)).collect();
    assert_eq!(order, [(1, 7), (0, 7)], "in the order of arrival");
    assert_eq!(sealed.now_ms, 1_000_000);
    assert_eq!(sealed.states.len(), 2);

    let (sealed, _) = intake.seal(0);
    assert!(sealed.samples.is_empty() && sealed.states.is_empty() && sealed.new_keys.is_empty());
    assert_eq!((sealed.tick, sealed.now_ms), (Tick(1), 1_000_016));
}

#[test]
fn bad_values_are_refused_one_by_one() {
    let long_key = "k".repeat(300);
    let long_text = "t".repeat(TEXT_BYTES_MAX + 1);
    let table: [(&str, Value, Option<Rejection>); 9] = [
        ("heat", 1.0.into(), None),
        ("heat", f64::NAN.into(), Some(Rejection::NotFinite)),
        ("heat", f64::NEG_INFINITY.into(), Some(Rejection::NotFinite)),
        ("heat", "warm".into(), Some(Rejection::WrongKind)),
        ("note", long_text.as_str().into(), Some(Rejection::TextTooLong)),
        ("note", long_text[1..].into(), None),
        ("", 1.0.into(), Some(Rejection::KeyEmpty)),
        (&long_key, 1.0.into(), Some(Rejection::KeyTooLong)),
        (&long_key[..KEY_MAX], 1.0.into(), None),
    ];
    const KEY_MAX: usize = crate::ring::keys::KEY_BYTES_MAX;
    for (key, value, expected) in table {
        let mut intake = intake();
        intake.accept(&reading(0, key, value.clone()));
        let rejected = intake.sources()[0].rejected;
        let found = Rejection::ALL.into_iter().find(|reason| rejected[*reason as usize] > 0);
        assert_eq!(found, expected, "{key:.20} = {value:.20}");
        assert_eq!(intake.sources()[0].samples, u64::from(expected.is_none()));
    }
}

#[test]
fn a_tick_takes_so_many_signals() {
    let mut intake = intake();
    let signal = |n: usize| Signal::new(&std::format!("s{n}"), Default::default()).unwrap();
    for n in 0..signal::PER_TICK_MAX + 2 {
        assert_eq!(intake.signal(signal(n)), n < signal::PER_TICK_MAX, "{n}");
    }
    let (sealed, _) = intake.seal(0);
    assert_eq!(sealed.signals.len(), signal::PER_TICK_MAX);
    assert_eq!((sealed.signals[0].name(), sealed.signals[63].name()), ("s0", "s63"));
    assert!(intake.signal(signal(0)), "the next tick has room");
    assert_eq!(intake.seal(0).0.signals.len(), 1);
    assert_eq!(intake.seal(0).0.signals.len(), 0);
}

#[test]
fn keys_and_timestamps_are_bounded() {
    let mut intake = intake();
    for key in ["a", "b", "c", "a"] {
        intake.accept(&reading(1, key, 1.0));
    }
    assert_eq!(intake.sources()[1].rejected[Rejection::TooManyKeys as usize], 1);
    assert_eq!(intake.sources()[1].samples, 3);
    for (timestamp_ms, refused) in
        [(1_000_000 + SKEW_MS_MAX, 0), (1_000_001 + SKEW_MS_MAX, 1), (-SKEW_MS_MAX, 2)]
    {
        intake.accept(&Reading { timestamp_ms: Some(timestamp_ms), ..reading(1, "a", 1.0) });
        assert_eq!(intake.sources()[1].rejected[Rejection::Timestamp as usize], refused);
    }
}

#[test]
fn silence_makes_stale_and_a_sample_live_again() {
    let mut intake = intake();
    intake.accept(&reading(0, "heat", 1.0));
    let mut states = Vec::new();
    for tick in 0..8 {
        if tick == 6 {
            intake.accept(&reading(0, "heat", 1.0));
        }
        let (sealed, _) = intake.seal(0);
        states.extend(sealed.states.iter().map(|(_, state)| (tick, *state)));
    }
    assert_eq!(states, [(0, SourceState::Live), (4, SourceState::Stale), (6, SourceState::Live)]);
}

#[test]
fn a_reader_learns_what_it_missed() {
    let mut intake = intake();
    for _ in 0..11 {
        intake.accept(&reading(0, "heat", 1.0));
    }
    let (sealed, missed) = intake.seal(0);
    assert_eq!((sealed.samples.len(), missed), (8, 3));
}

#[test]
fn what_is_overwritten_is_counted_by_source() {
    let sources = ["a", "b", "c"].map(|name| SourceSpec { name: name.into(), stale_after: None });
    let limits = Limits { samples: 2, ..Limits::default() };
    let mut intake = Intake::new(&sources, &[], limits, Fps::default(), 0).unwrap();
    for (source, key) in [(0, "x"), (1, "x"), (0, "y"), (0, "x"), (2, "z")] {
        intake.accept(&reading(source, key, 1.0));
    }
    assert_eq!(intake.overwritten(), [2, 1, 0]);
}
