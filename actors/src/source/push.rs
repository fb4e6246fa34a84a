//! Data that is pushed: the source itself reads nothing, but others write into it while it runs, over HTTP
//! say. A writer never waits: what there is no room for is refused, and it is told so.

use std::sync::Arc;
use std::time::Duration;

use engine::formula::Kind;
use engine::ring::intake::{self, Rejection};
use engine::value::Value;

use crate::panel::Panel;
use crate::source::port::{Letter, Port};
use crate::source::{self, Context, Error, KeySpec};
use crate::world::World;

/// The time between two steps of the walk that stands in for what is pushed in a simulation.
pub const WALK_EVERY: Duration = Duration::from_secs(1);

/// The most bytes that may wait in the port of a push source: 4 MiB. A single reading may always wait.
pub const PORT_BYTES: usize = 4 << 20;

/// None but those that `[keys]` declares, and any other that comes.
///
/// # Errors
/// None.
pub fn keys() -> Result<Vec<KeySpec>, Error> {
    Ok(Vec::new())
}

/// Lets others write, until it is stopped.
///
/// # Errors
/// [`Error::Stopped`].
pub async fn run(context: &mut Context) -> Result<(), Error> {
    let serving = context.serve()?;
    context.sleep_until(Duration::MAX).await?;
    drop(serving);
    Ok(())
}

/// The way to the push sources of a run. Clones lead to the same.
#[derive(Clone)]
pub struct Push {
    world: World,
    sources: Arc<[Target]>,
}

struct Target {
    name: String,
    /// What is declared of its keys, without its name.
    keys: Vec<(String, Kind)>,
    /// `None` for a source of another kind.
    port: Option<Port>,
}

/// Why a whole reading was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No source has that name.
    #[error("there is no such source")]
    Unknown,
    /// The source reads by itself.
    #[error("nothing can be pushed into this source; its kind is not `push`")]
    NotPush,
    /// Too much waits already: worth another try soon.
    #[error("the source is full; try again")]
    Full,
    /// The source does not run: the panel ends, or shows a recording.
    #[error("the source does not run")]
    Stopped,
}

impl Push {
    /// The way to the sources of `panel`, whose ports are these.
    pub fn new(world: World, panel: &Panel, ports: &[Port]) -> Push {
        let target = |(source, port): (&source::Source, &Port)| Target {
            name: source.name.clone(),
            keys: declared(panel, &source.name),
            port: matches!(source.kind, source::Kind::Push).then(|| port.clone()),
        };
        Push { world, sources: panel.sources.iter().zip(ports).map(target).collect() }
    }

    /// Writes one reading into the source called `source`: its values are sealed in one tick, under
    /// `timestamp_ms` (Unix time), or under the engine's time if that is `None`. Never waits.
    ///
    /// Returns for each value whether it will be taken, or why not; the others are. One reason cannot be
    /// known here: a new key where the ring has as many as it may have is only counted.
    ///
    /// # Errors
    /// [`Refusal`]: nothing was taken.
    pub fn offer(
        &self,
        source: &str,
        timestamp_ms: Option<i64>,
        values: Vec<(Arc<str>, Value)>,
    ) -> Result<Vec<Result<(), Rejection>>, Refusal> {
        let target = self.sources.iter().find(|target| target.name == source).ok_or(Refusal::Unknown)?;
        let port = target.port.as_ref().ok_or(Refusal::NotPush)?;
        let skew_ms = timestamp_ms.map_or(0, |stamp| stamp.saturating_sub(self.world.unix_ms()));
        let examine = |(key, value): &(Arc<str>, Value)| {
            let kind = target.keys.iter().find(|(name, _)| **name == **key).map(|(_, kind)| *kind);
            intake::examine(key, value, kind, skew_ms)
        };
        let results = values.iter().map(examine).collect();
        port.push(Letter { timestamp_ms, values })?;
        Ok(results)
    }
}

fn declared(panel: &Panel, source: &str) -> Vec<(String, Kind)> {
    let key = |key: &crate::panel::Key| {
        let name = key.name.strip_prefix(source)?.strip_prefix('.')?;
        Some((name.to_string(), key.kind))
    };
    panel.keys.iter().filter_map(key).collect()
}

#[cfg(test)]
mod tests {
    use engine::ring::intake::TEXT_BYTES_MAX;
    use engine::sample::SourceId;
    use tokio::sync::watch;

    use super::*;
    use crate::source::Policy;
    use crate::source::port::{Arrivals, Doorbell, PORT_READINGS};
    use crate::source::rig::{self, Rig};
    use crate::supervisor::worker;

    fn push(world: World, policy: Policy) -> (Push, Port, Arrivals) {
        let (port, arrivals) = Port::new(SourceId(0), world, policy, Doorbell::default());
        let keys = vec![("heat".into(), Kind::Number), ("mode".into(), Kind::Text)];
        let door = Target { name: "door".into(), keys, port: Some(port.clone()) };
        let clock = Target { name: "clock".into(), keys: Vec::new(), port: None };
        (Push { world, sources: [door, clock].into() }, port, arrivals)
    }

    /// Runs the source in whose port others push, and tells it to stop where that returns.
    async fn running(port: &Port, world: World, pushing: impl AsyncFnOnce()) -> Result<(), Error> {
        let (stop, stopped) = watch::channel(false);
        let mut context = Context::new(SourceId(0), 7, port, worker::Context::unsupervised(world, stopped));
        let running = actix::spawn(async move { run(&mut context).await });
        tokio::task::yield_now().await;
        pushing().await;
        stop.send_replace(true);
        running.await.unwrap()
    }

    fn one(value: impl Into<Value>) -> Vec<(Arc<str>, Value)> {
        vec![("heat".into(), value.into())]
    }

    #[test]
    fn what_is_pushed_arrives_while_the_source_runs() {
        rig::simulate(async {
            let world = World::simulated(false);
            let (push, port, arrivals) = push(world, Policy::DropNewest);
            assert_eq!(push.offer("door", None, one(1.0)), Err(Refusal::Stopped));
            let ended = running(&port, world, async || {
                assert_eq!(push.offer("door", Some(7), one(1.0)), Ok(vec![Err(Rejection::Timestamp)]));
                assert_eq!(push.offer("door", None, one(2.0)), Ok(vec![Ok(())]));
                assert_eq!(push.offer("clock", None, one(1.0)), Err(Refusal::NotPush));
                assert_eq!(push.offer("gate", None, one(1.0)), Err(Refusal::Unknown));
            });
            assert!(matches!(ended.await, Err(Error::Stopped)));
            assert_eq!(push.offer("door", None, one(1.0)), Err(Refusal::Stopped));
            let taken: Vec<_> = std::iter::from_fn(|| arrivals.take()).map(|posted| posted.reading).collect();
            let told: Vec<_> = taken.iter().map(|reading| (reading.sequence, reading.timestamp_ms)).collect();
            assert_eq!(told, [(0, Some(7)), (1, None)]);
        });
    }

    #[test]
    fn every_value_is_answered() {
        let text = "x".repeat(TEXT_BYTES_MAX + 1);
        let table: [(&str, Value, Result<(), Rejection>); 7] = [
            ("heat", 1.0.into(), Ok(())),
            ("heat", "warm".into(), Err(Rejection::WrongKind)),
            ("heat", f64::NAN.into(), Err(Rejection::NotFinite)),
            ("mode", "day".into(), Ok(())),
            ("mode", text.as_str().into(), Err(Rejection::TextTooLong)),
            ("", 1.0.into(), Err(Rejection::KeyEmpty)),
            ("new", 1.0.into(), Ok(())),
        ];
        rig::simulate(async {
            let world = World::simulated(false);
            let (push, port, _arrivals) = push(world, Policy::DropNewest);
            let _ = running(&port, world, async || {
                let values = table.iter().map(|(key, value, _)| ((*key).into(), value.clone())).collect();
                let expected: Vec<_> = table.iter().map(|(_, _, expected)| *expected).collect();
                assert_eq!(push.offer("door", None, values), Ok(expected));
            })
            .await;
        });
    }

    #[test]
    fn a_full_port_refuses_or_makes_room() {
        let check = |policy, refused: bool| {
            rig::simulate(async {
                let world = World::simulated(false);
                let (push, port, arrivals) = push(world, policy);
                let _ = running(&port, world, async || {
                    for _ in 0..PORT_READINGS {
                        assert_eq!(push.offer("door", None, one(1.0)), Ok(vec![Ok(())]));
                    }
                    let one_more = push.offer("door", None, one(1.0));
                    assert_eq!(one_more == Err(Refusal::Full), refused, "{policy:?}: {one_more:?}");
                    assert_eq!(arrivals.take().unwrap().reading.sequence, u64::from(!refused));
                    assert_eq!(push.offer("door", None, one(1.0)), Ok(vec![Ok(())]));
                })
                .await;
                assert_eq!(port.counts().dropped.load(std::sync::atomic::Ordering::Relaxed), 1);
                assert_eq!(port.counts().accepted(), PORT_READINGS as u64 + 1);
            });
        };
        check(Policy::DropNewest, true);
        check(Policy::DropOldest, false);
    }

    #[test]
    fn what_waits_is_bounded_in_bytes() {
        rig::simulate(async {
            let world = World::simulated(false);
            let (push, port, arrivals) = push(world, Policy::DropNewest);
            let offer = |bytes: usize| {
                push.offer("door", None, vec![("mode".into(), "x".repeat(bytes).as_str().into())])
            };
            let _ = running(&port, world, async || {
                // The largest may wait by itself, and nothing beside it.
                assert!(offer(PORT_BYTES).is_ok());
                assert_eq!(offer(1), Err(Refusal::Full));
                arrivals.take().unwrap();
                assert!(offer(PORT_BYTES / 2).is_ok());
                assert_eq!(offer(PORT_BYTES / 2), Err(Refusal::Full));
                assert!(offer(PORT_BYTES / 4).is_ok());
            })
            .await;
        });
    }

    #[test]
    fn a_simulation_walks_over_the_declared_keys() {
        let keys = vec![KeySpec::number("heat", (10.0, 20.0), "", ""), KeySpec::text("mode", "")];
        let kind = source::Kind::Push;
        let run = Rig::new(Policy::DropNewest)
            .run_with(WALK_EVERY * 3, async move |context| kind.run(&keys, context).await);
        assert_eq!(run.readings.len(), 4);
        for (_, reading) in run.readings {
            let [(_, Value::Number(heat)), (_, Value::Text(mode))] = &reading.values[..] else {
                panic!("{reading:?}")
            };
            assert!((10.0..=20.0).contains(heat) && &**mode == "mode", "{heat} {mode}");
        }
    }
}
