//! Sources that fail, panic and hang: the ring receives what it would have received otherwise.

use std::fs;
use std::path::Path;
use std::time::Duration;

use engine::formula;
use engine::ring::intake;
use engine::sample::Reading;
use proptest::prelude::*;

use super::generator::{self, Shape, Wave};
use super::{Kind, Policy, playback, rig, time};
use crate::fault::{Chance, Fault, Faults, Rule};

const MS: Duration = Duration::from_millis(1);

fn wave(faults: Vec<generator::Fault>) -> Kind {
    let wave = Wave { shape: Shape::Walk, min: 0.0, max: 1.0, period: MS, every: MS * 20 };
    Kind::Generator(generator::Options { wave, faults })
}

/// A file of a row each 50 ms, with one that cannot be read here and there.
fn tape(folder: &Path, repeat: bool) -> Kind {
    let row = |n: u32| if n % 7 == 3 { "broken\n".into() } else { format!("{},{n}\n", f64::from(n) / 20.0) };
    let file = folder.join("tape.csv");
    fs::write(&file, format!("time,a\n{}", (0..100).map(row).collect::<String>())).unwrap();
    Kind::Playback(playback::Options { file, speed: 1.0, repeat })
}

/// What the ring receives in a run with these faults.
fn received(kind: &Kind, faults: &Faults, span: Duration, taken_every: Duration) -> (Vec<Reading>, u64) {
    let run = rig::supervise(kind, Policy::Block, faults, span, taken_every);
    assert_eq!((run.readings.len() as u64, run.dropped), (run.offered, 0));
    (run.readings, run.starts)
}

/// Runs `kind` with and without faults: the ring must receive the beginning of the very same, and at least
/// `least` of it.
fn check(kind: &Kind, faults: &Faults, span: Duration, taken_every: Duration, least: usize) -> u64 {
    let (expected, _) = received(kind, &Faults::default(), span, taken_every);
    let (found, starts) = received(kind, faults, span, taken_every);
    assert!(found.len() >= least, "{} of {} in {starts} starts", found.len(), expected.len());
    let plain = |reading: &Reading| (reading.sequence, reading.values.clone());
    for (found, expected) in found.iter().zip(&expected) {
        assert_eq!(plain(found), plain(expected), "after {starts} starts");
    }
    starts
}

fn any_faults() -> impl Strategy<Value = Faults> {
    let fault = prop_oneof![
        Just(Fault::Error),
        Just(Fault::Panic),
        // One that is over before it is noticed, one that wakes up late, and one that never does.
        Just(Fault::Hang(Some(rig::HANG_AFTER / 2))),
        Just(Fault::Hang(Some(rig::HANG_AFTER * 3))),
        Just(Fault::Hang(None)),
    ];
    let point = prop_oneof![Just("source.emit"), Just("source.emitted")];
    let chance = (point, 0.0..0.03f64, fault).prop_map(|(point, probability, fault)| Chance {
        point: point.into(),
        probability,
        fault,
    });
    (any::<u64>(), prop::collection::vec(chance, 1..4))
        .prop_map(|(seed, chances)| Faults::seeded(seed, chances))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn nothing_is_lost_and_nothing_comes_twice(
        faults in any_faults(),
        which in 0..4usize,
        taken_every_ms in prop_oneof![Just(16u32), Just(30_000)],
    ) {
        let folder = tempfile::tempdir().unwrap();
        let kinds = [
            wave(Vec::new()),
            tape(folder.path(), false),
            tape(folder.path(), true),
            Kind::Time(time::Options::default()),
        ];
        check(&kinds[which], &faults, MS * 60_000, MS * taken_every_ms, 10);
    }
}

#[test]
fn a_source_goes_on_around_every_single_reading() {
    let folder = tempfile::tempdir().unwrap();
    let kinds = [tape(folder.path(), true), wave(Vec::new()), Kind::Time(time::Options::default())];
    for kind in kinds {
        for point in ["source.emit", "source.emitted"] {
            // Each generation is struck at its first reading, twenty times.
            let rule = |after| Rule { point: point.into(), actor: None, after, fault: Fault::Panic };
            let starts = check(&kind, &Faults::listed((0..20).map(rule)), MS * 30_000, MS * 16, 21);
            assert_eq!(starts, 21, "{} at {point}", kind.name());
        }
    }
}

#[test]
fn made_up_data_with_faults_is_whole_and_each_fault_happens_once() {
    let fault = |kind, when| generator::Fault { kind, when };
    let flood = generator::FaultKind::Flood { rate: 1_000, span: MS * 2_000 };
    let faults = vec![
        fault(generator::FaultKind::Error, generator::When::Every(70)),
        fault(generator::FaultKind::Panic, generator::When::At(100)),
        fault(flood, generator::When::At(100)),
        fault(generator::FaultKind::Hang(Some(rig::HANG_AFTER * 3)), generator::When::At(150)),
        fault(generator::FaultKind::Hang(None), generator::When::At(160)),
        fault(generator::FaultKind::Garbage, generator::When::Every(10)),
    ];
    let (clean, _) = received(&wave(Vec::new()), &Faults::default(), MS * 20_000, MS * 16);
    let (found, starts) = received(&wave(faults), &Faults::default(), MS * 20_000, MS * 16);
    let numbers: Vec<u64> = found.iter().map(|reading| reading.sequence).collect();
    let expected: Vec<u64> = (0..found.len() as u64).collect();
    assert_eq!(numbers, expected, "every reading has one value");
    let is_usual = |reading: &&Reading| {
        let (key, value) = &reading.values[0];
        let fits = intake::examine(key, value, Some(formula::Kind::Number), 0);
        fits.is_ok() && reading.timestamp_ms.is_none()
    };
    let (usual, garbage): (Vec<&Reading>, Vec<&Reading>) = found.iter().partition(is_usual);
    // A flood repeats the value of the sample after it.
    let mut samples: Vec<_> = usual.iter().map(|reading| &reading.values).collect();
    samples.dedup();
    assert_eq!(usual.len() - samples.len(), 2_000, "the flood comes whole, and once");
    assert!(samples.len() > 300, "{}", samples.len());
    for (sample, expected) in samples.iter().zip(&clean) {
        assert_eq!(**sample, expected.values);
    }
    // The last sample may have its garbage before it and not come itself.
    assert!(garbage.len() - (samples.len() - 1) / 10 <= 1, "{} of {}", garbage.len(), samples.len());
    assert_eq!(starts, 1 + (samples.len() as u64 - 1) / 70 + 3, "errors, a panic and two hangs");
}

#[test]
fn what_a_flood_loses_is_counted() {
    let flood = generator::FaultKind::Flood { rate: 100_000, span: MS * 1_000 };
    let kind = wave(vec![generator::Fault { kind: flood, when: generator::When::At(5) }]);
    // 1,024 readings wait at most, and the flood brings 10,000 in the time between two looks into the port.
    for policy in [Policy::DropOldest, Policy::DropNewest] {
        let run = rig::supervise(&kind, policy, &Faults::default(), MS * 5_000, MS * 100);
        let (taken, dropped) = (run.readings.len() as u64, run.dropped);
        // The flood, and a sample each 20 ms before the end.
        assert_eq!(run.offered, 100_000 + 250, "{policy:?}");
        assert_eq!(taken + dropped, run.offered, "{policy:?}");
        assert!((70_000..95_000).contains(&dropped), "{policy:?}: {dropped}");
        let numbers: Vec<u64> = run.readings.iter().map(|reading| reading.sequence).collect();
        assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]), "{policy:?}: no number twice");
    }
}
