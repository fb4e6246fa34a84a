//! The stand-in for live sources in a simulation: seeded random walks over their keys.

use std::sync::Arc;
use std::time::Duration;

use engine::formula;
use engine::generator::{self, Steps};
use engine::hash;
use engine::value::Value;

use crate::source::{Context, Error, KeySpec, Place};

/// Emits, each `every`, a seeded random walk over the range of every number in `keys`; a text says its
/// key's name. A key's walk depends on the seed and its name alone, not on its neighbours: it is the same
/// on machines with more cores or disks. Started anew it goes on with its next step.
///
/// # Errors
/// [`Error::Stopped`] alone.
pub async fn walk(keys: &[KeySpec], every: Duration, context: &mut Context) -> Result<(), Error> {
    let streams: Vec<u64> = keys.iter().map(|key| hash::of(key.name.as_bytes())).collect();
    let mut steps = match context.place() {
        Some(Place::Walk(steps)) => *steps,
        _ => Steps::new(every, context.world.now()),
    };
    context.mark(Place::Walk(steps))?;
    loop {
        let (n, at) = steps.next(context.world.now());
        context.sleep_until(at).await?;
        let values = keys.iter().zip(&streams).map(|(key, stream)| step(key, n, context.seed, *stream));
        let values = values.collect();
        context.emit(None, values, Place::Walk(steps)).await?;
    }
}

fn step(key: &KeySpec, n: u64, seed: u64, stream: u64) -> (Arc<str>, Value) {
    let value = match key.kind {
        formula::Kind::Text | formula::Kind::Color => Value::Text(key.name.clone()),
        formula::Kind::Number => {
            let (min, max) = key.range;
            Value::Number(generator::between(min, max, generator::walk(n, seed, stream)))
        }
    };
    (key.name.clone(), value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Policy;
    use crate::source::rig::{self, Rig};

    fn walked(seed: u64, keys: &[KeySpec]) -> String {
        let rig = Rig { seed, ..Rig::new(Policy::DropOldest) };
        let keys = keys.to_vec();
        let second = Duration::from_secs(1);
        let run = rig.run_with(second * 3, async move |context| walk(&keys, second, context).await);
        rig::print(&run.readings)
    }

    #[test]
    fn a_walk_depends_on_the_seed_and_the_name_alone() {
        let cpu = KeySpec::number("cpu", (0.0, 100.0), "%", "");
        let load = KeySpec::number("load", (2.0, 2.0), "", "");
        let host = KeySpec::text("host", "");
        let alone = walked(7, std::slice::from_ref(&cpu));
        assert_eq!(alone.lines().count(), 4);
        assert_ne!(alone, walked(8, std::slice::from_ref(&cpu)));

        let together = walked(7, &[load, cpu, host]);
        for (alone, together) in alone.lines().zip(together.lines()) {
            let (_, cpu) = alone.split_once(' ').unwrap();
            assert!(together.ends_with(&format!("load=2 {cpu} host=host")), "{together}");
        }
    }
}
