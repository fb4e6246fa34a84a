//! Ports and their policies, in virtual time.

use std::time::Duration;

use actix::{Actor, Context, Handler};

use super::*;
use crate::source::rig::simulate;
use crate::supervisor::fence::Fence;

/// Counts how often it is rung.
struct Ring {
    rung: Arc<AtomicU64>,
}

impl Actor for Ring {
    type Context = Context<Ring>;
}

impl Handler<Arrived> for Ring {
    type Result = ();
    fn handle(&mut self, _: Arrived, _: &mut Context<Ring>) {
        self.rung.fetch_add(1, Ordering::Relaxed);
    }
}

fn port(policy: Policy) -> (Port, Arrivals) {
    Port::new(SourceId(3), World::simulated(false), policy, Doorbell::default())
}

/// One value, which takes one number.
fn letter() -> Letter {
    Letter { timestamp_ms: None, values: vec![("a".into(), Value::Number(1.0))] }
}

async fn send(inlet: &Inlet) -> Result<(), Error> {
    inlet.send(inlet.room().await, letter(), None, 0)
}

fn taken(arrivals: &Arrivals) -> Vec<u64> {
    std::iter::from_fn(|| arrivals.take()).map(|posted| posted.reading.sequence).collect()
}

#[test]
fn a_full_port_does_as_its_policy_says() {
    const EXCESS: u64 = 10;
    const ALL: u64 = PORT_READINGS as u64 + EXCESS;
    let check = |policy, first: u64| {
        simulate(async {
            let (port, arrivals) = port(policy);
            let inlet = port.open(Pass::unlimited());
            for _ in 0..ALL {
                send(&inlet).await.unwrap();
            }
            let expected: Vec<u64> = (first..first + PORT_READINGS as u64).collect();
            assert_eq!(taken(&arrivals), expected, "{policy:?}");
            let counts = port.counts();
            assert_eq!(counts.offered.load(Ordering::Relaxed), ALL, "{policy:?}");
            assert_eq!(counts.dropped.load(Ordering::Relaxed), EXCESS, "{policy:?}");
            assert_eq!(counts.accepted(), PORT_READINGS as u64, "{policy:?}");
        });
    };
    check(Policy::DropOldest, EXCESS);
    check(Policy::DropNewest, 0);
}

#[test]
fn what_is_dropped_leaves_a_gap_and_what_is_refused_does_not() {
    const FULL: u64 = PORT_READINGS as u64;
    simulate(async {
        let (port, arrivals) = port(Policy::DropNewest);
        let inlet = port.open(Pass::unlimited());
        let _serving = inlet.serve().unwrap();
        for _ in 0..FULL {
            port.push(letter()).unwrap();
        }
        // Nobody was told that the first was dropped; the second is sent again by whoever was.
        send(&inlet).await.unwrap();
        assert_eq!(port.push(letter()), Err(Refusal::Full));
        assert_eq!(port.next_sequence(), FULL + 1);
        assert_eq!(arrivals.take().unwrap().reading.sequence, 0);
        port.push(letter()).unwrap();
        let expected: Vec<u64> = (1..FULL).chain([FULL + 1]).collect();
        assert_eq!(taken(&arrivals), expected);
        let counts = port.counts();
        assert_eq!((counts.accepted(), counts.dropped.load(Ordering::Relaxed)), (FULL + 1, 2));
    });
}

#[test]
fn a_generation_that_ends_late_does_not_keep_others_from_pushing() {
    let fence = Fence::default();
    let (port, _arrivals) = port(Policy::DropNewest);
    let first = port.open(fence.admit(1)).serve().unwrap();
    let second = port.open(fence.admit(2)).serve().unwrap();
    drop(first);
    assert_eq!(port.push(letter()), Ok(()));
    drop(second);
    assert_eq!(port.push(letter()), Err(Refusal::Stopped));
}

#[test]
fn a_blocking_port_loses_nothing() {
    simulate(async {
        let (port, arrivals) = port(Policy::Block);
        let inlet = port.open(Pass::unlimited());
        for _ in 0..PORT_READINGS {
            send(&inlet).await.unwrap();
        }
        let one_more = send(&inlet);
        tokio::pin!(one_more);
        let patience = tokio::time::timeout(Duration::from_secs(3_600), &mut one_more).await;
        assert!(patience.is_err(), "it found room where there is none");
        assert_eq!(port.counts().accepted(), PORT_READINGS as u64, "what waits is not offered yet");

        assert_eq!(arrivals.take().unwrap().reading.sequence, 0);
        one_more.await.unwrap();
        assert_eq!(taken(&arrivals).last(), Some(&(PORT_READINGS as u64)));
        assert_eq!(port.counts().accepted(), PORT_READINGS as u64 + 1);
        assert_eq!(port.counts().dropped.load(Ordering::Relaxed), 0);
    });
}

#[test]
fn what_is_taken_makes_room_once() {
    simulate(async {
        let (port, arrivals) = port(Policy::Block);
        let fence = Fence::default();
        let inlet = port.open(fence.admit(1));
        // Room that was asked for and never used is given back, and a fenced sender's too.
        drop(inlet.room().await);
        let next = port.open(fence.admit(2));
        assert!(matches!(send(&inlet).await, Err(Error::Stopped)));
        for _ in 0..3 {
            for _ in 0..PORT_READINGS {
                send(&next).await.unwrap();
            }
            assert!(tokio::time::timeout(Duration::from_secs(1), next.room()).await.is_err());
            assert_eq!(taken(&arrivals).len(), PORT_READINGS);
        }
        assert!(arrivals.is_empty());
    });
}

#[test]
fn the_doorbell_rings_once_until_it_is_answered() {
    simulate(async {
        let rung = Arc::new(AtomicU64::new(0));
        let ring = Ring { rung: rung.clone() }.start();
        let doorbell = Doorbell::default();
        doorbell.connect(ring.downgrade().recipient());
        let world = World::simulated(false);
        let (port, _arrivals) = Port::new(SourceId(0), world, Policy::DropOldest, doorbell.clone());
        let inlet = port.open(Pass::unlimited());
        let ring_times = async |readings: u64| {
            for _ in 0..readings {
                send(&inlet).await.unwrap();
            }
            world.sleep_until(world.now() + Duration::from_millis(1)).await;
            rung.load(Ordering::Relaxed)
        };
        assert_eq!(ring_times(5).await, 1);
        assert_eq!(ring_times(5).await, 1);
        doorbell.answer();
        assert_eq!(ring_times(5).await, 2);
    });
}

#[test]
fn the_next_generation_goes_on_behind_what_was_accepted() {
    simulate(async {
        let (port, arrivals) = port(Policy::DropOldest);
        let fence = Fence::default();
        let place = |unix| Some(Place::Time(crate::source::time::Place { unix, at: Duration::ZERO }));
        let first = port.open(fence.admit(1));
        assert_eq!(first.place(), None);
        first.send(first.room().await, letter(), place(7), 2).unwrap();
        first.send(first.room().await, letter(), place(8), 1).unwrap();

        let second = port.open(fence.admit(2));
        assert_eq!(second.place(), place(8).as_ref());
        let late = first.send(first.room().await, letter(), place(9), 1);
        assert!(matches!(late, Err(Error::Stopped)));
        assert!(matches!(first.mark(place(9), 1), Err(Error::Stopped)));
        assert_eq!((port.next_sequence(), port.place()), (2, place(8)), "nothing of it is left");
        second.mark(place(10), 1).unwrap();
        // What does not say where it is leaves the place as it was.
        send(&second).await.unwrap();

        assert_eq!(port.open(fence.admit(3)).place(), place(10).as_ref());
        assert_eq!(taken(&arrivals), [0, 1, 2]);
        assert_eq!(port.counts().rejected.load(Ordering::Relaxed), 4);
        assert_eq!(port.counts().accepted(), 3);
    });
}
