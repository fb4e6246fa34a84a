use std::time::Duration;

use engine::ring::intake::{Intake, SourceSpec};
use engine::sample::SourceId;
use engine::tick::Fps;
use engine::value::Value;

use super::*;
use crate::source::Policy;
use crate::source::port::{Doorbell, Inlet, Letter, Port};
use crate::source::rig::simulate;
use crate::supervisor::fence::Fence;
use crate::world::World;

const LIMITS: Limits = Limits { samples: 8, bytes: 100_000, keys: 8 };

const MUCH: Room = Room { samples: 1_000, bytes: 1_000_000, is_whole: false };

/// A journal of a small ring, a fence, and a port.
struct Desk {
    journal: Journal,
    fence: Fence,
    inlet: Inlet,
    arrivals: Arrivals,
}

fn desk() -> Desk {
    let (port, arrivals) =
        Port::new(SourceId(0), World::simulated(false), Policy::DropNewest, Doorbell::default());
    let inlet = port.open(Pass::unlimited());
    Desk { journal: Journal::new(LIMITS), fence: Fence::default(), inlet, arrivals }
}

impl Desk {
    async fn send(&self, readings: usize) {
        for _ in 0..readings {
            let letter = Letter { timestamp_ms: None, values: vec![("a".into(), Value::Number(1.0))] };
            self.inlet.send(self.inlet.room().await, letter, None, 0).unwrap();
        }
    }

    fn take(&self, pass: &Pass, room: Room) -> Option<Vec<u64>> {
        let taken = self.journal.take(pass, &self.arrivals, usize::MAX, room)?;
        Some(taken.iter().map(|posted| posted.reading.sequence).collect())
    }

    /// What a successor would take in.
    fn logged(&self, pass: &Pass) -> Vec<u64> {
        let taken = self.journal.log(pass).into_iter().filter_map(|entry| match entry {
            Entry::Taken(taken) => Some(taken),
            _ => None,
        });
        taken
            .flat_map(|taken| taken.iter().map(|posted| posted.reading.sequence).collect::<Vec<_>>())
            .collect()
    }
}

fn sealing(tick: u64) -> Sealing {
    let rhythm = Rhythm { origin: Duration::ZERO, start_ms: None };
    Sealing { tick: Tick(tick), rebase_ms: 0, paint: true, rhythm }
}

#[test]
fn a_reading_is_in_its_port_or_in_the_log() {
    simulate(async {
        let desk = desk();
        let first = desk.fence.admit(1);
        desk.send(5).await;
        assert_eq!(
            desk.take(&first, Room { samples: 2, ..MUCH }),
            Some(vec![0, 1]),
            "as much as there is room for"
        );
        assert_eq!(desk.logged(&first), [0, 1]);
        let second = desk.fence.admit(2);
        assert_eq!(desk.take(&first, MUCH), None, "one of the past takes nothing");
        assert_eq!((desk.arrivals.len(), desk.logged(&first).len()), (3, 0));
        assert_eq!(desk.journal.seal(&first, sealing(0)), None);
        assert_eq!(desk.journal.finish(&first, Tick(0)), None);
        assert_eq!(desk.journal.resumption(), None, "nor does it seal");
        assert_eq!(desk.logged(&second), [0, 1]);
        assert_eq!(desk.take(&second, MUCH), Some(vec![2, 3, 4]));
        assert_eq!(desk.logged(&second), [0, 1, 2, 3, 4]);
    });
}

/// Whatever the sizes of readings, ring and port: as long as there is room in the port, every value is sealed,
/// once and in order, and nothing is overwritten before.
#[test]
fn a_ring_takes_readings_as_wholes() {
    simulate(async {
        for seed in 0..200 {
            let random = |index, below: u64| (engine::hash::unit(seed, 3, index) * below as f64) as u64;
            let limits = Limits { samples: 1 + random(0, 12) as usize, ..LIMITS };
            let (port, arrivals) =
                Port::new(SourceId(0), World::simulated(false), Policy::Block, Doorbell::default());
            let (journal, pass) = (Journal::new(limits), Pass::unlimited());
            let spec = SourceSpec { name: "a".into(), stale_after: None };
            let mut intake = Intake::new(&[spec], &[], limits, Fps::new(60).unwrap(), 0).unwrap();
            let inlet = port.open(pass.clone());
            let mut sizes = Vec::new();
            for index in 0..40 {
                // None is larger than the ring, of which there is no whole.
                let size = random(100 + index, limits.samples as u64 + 1);
                let value = || if random(200 + index, 2) == 0 { "text".into() } else { Value::Number(1.0) };
                let values = (0..size).map(|_| ("x".into(), value())).collect();
                inlet.send(inlet.room().await, Letter { timestamp_ms: None, values }, None, 0).unwrap();
                sizes.push(size);
            }
            let mut sealed = Vec::new();
            while !arrivals.is_empty() {
                let before = arrivals.len();
                while let Some(taken) = journal.take(&pass, &arrivals, 3, intake.room())
                    && !taken.is_empty()
                {
                    taken.iter().for_each(|posted| intake.accept(&posted.reading));
                }
                assert!(arrivals.len() < before, "{seed}: nothing more is taken");
                let (tick, missed) = intake.seal(0);
                assert_eq!(missed, 0, "{seed}: a sample was overwritten");
                sealed.extend(tick.samples.iter().map(|sample| sample.sequence));
                // As after a checkpoint.
                journal.0.look(|state| state.weight = Weight::default());
            }
            let rejected = intake.sources()[0].rejected.iter().sum::<u64>();
            assert_eq!(sealed.len() as u64 + rejected, sizes.iter().sum::<u64>(), "{seed}");
            assert!(sealed.is_sorted_by(|one, other| one < other), "{seed}");
        }
    });
}

#[test]
fn a_reading_that_is_larger_than_the_ring_is_let_in_alone() {
    simulate(async {
        let desk = desk();
        let pass = desk.fence.admit(1);
        let values = (0..LIMITS.samples + 1).map(|_| ("a".into(), Value::Number(1.0))).collect();
        desk.send(1).await;
        desk.inlet.send(desk.inlet.room().await, Letter { timestamp_ms: None, values }, None, 0).unwrap();
        let whole = Room { samples: LIMITS.samples, bytes: 100_000, is_whole: true };
        assert_eq!(desk.take(&pass, whole), Some(vec![0]));
        assert_eq!((desk.take(&pass, Room { samples: 7, ..MUCH }), desk.arrivals.len()), (Some(vec![]), 1));
        assert_eq!(desk.take(&pass, whole), Some(vec![1]));
        assert!(desk.arrivals.is_empty());
    });
}

#[test]
fn the_log_is_bounded_and_asks_for_a_checkpoint_in_time() {
    simulate(async {
        let desk = desk();
        let pass = desk.fence.admit(1);
        desk.send(40).await;
        let few = Room { samples: LIMITS.samples - 1, ..MUCH };
        assert_eq!(desk.take(&pass, few).unwrap().len(), 7);
        assert_eq!(desk.journal.seal(&pass, sealing(0)), Some(false), "one less than the ring");
        assert_eq!(desk.take(&pass, Room { samples: 1, ..MUCH }).unwrap().len(), 1);
        assert_eq!(desk.journal.seal(&pass, sealing(1)), Some(true), "as much as the ring");
        // Where the checkpoint does not come about, readings wait.
        let most = LIMITS.samples * RINGS_MAX;
        assert_eq!(desk.take(&pass, MUCH).unwrap().len(), most - 8);
        assert_eq!(desk.take(&pass, MUCH).unwrap().len(), 0);
        assert_eq!((desk.arrivals.len(), desk.logged(&pass).len()), (40 - most, most));
    });
}

#[test]
fn a_checkpoint_is_due_now_and_then() {
    let desk = desk();
    let pass = desk.fence.admit(1);
    for tick in 0..CHECKPOINT_EVERY - 1 {
        assert_eq!(desk.journal.seal(&pass, sealing(tick)), Some(false), "{tick}");
        assert_eq!(desk.journal.finish(&pass, Tick(tick)), Some(true), "{tick}");
    }
    let last = CHECKPOINT_EVERY - 1;
    assert_eq!(desk.journal.seal(&pass, sealing(last)), Some(true));
    let resumption = desk.journal.resumption().unwrap();
    assert_eq!((resumption.sealed, resumption.is_done), (sealing(last), false));
    assert_eq!(desk.journal.finish(&pass, Tick(last)), Some(true));
    assert_eq!(desk.journal.finish(&pass, Tick(last)), Some(false), "told once");
    assert!(desk.journal.resumption().unwrap().is_done);
    assert!(desk.journal.checkpoint().is_none(), "nobody has given a part");
}

#[test]
fn a_sink_comes_back_from_a_panic() {
    let sink = Sink::new(Some(Vec::new()));
    sink.call(|list| list.push(1));
    let clone = sink.clone();
    std::thread::spawn(move || clone.call(|_| panic!("in the sink"))).join().unwrap_err();
    sink.call(|list| {
        // Whoever comes meanwhile goes on without.
        sink.call(|list| list.push(7));
        list.push(2);
    });
    let mut seen = Vec::new();
    sink.call(|list| seen.clone_from(list));
    assert_eq!(seen, [1, 2]);
}
