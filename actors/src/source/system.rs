//! This machine's own metrics: processor, memory, disks, network, temperatures, load, uptime.

mod gauge;
mod network;
mod probe;

use std::sync::Arc;
use std::time::Duration;

use engine::value::Value;

use crate::source::schedule::Schedule;
use crate::source::{self, Context, Error, KeySpec};
use gauge::Gauge;
use probe::Probe;

/// How the machine is read.
#[derive(Clone, Debug)]
pub struct Options {
    /// The time between two readings, [`MIN_EVERY`] or longer.
    pub every: Duration,
}

/// Where it is: behind its first reading. There is nothing to read again, since it reads the present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place;

/// The shortest time over which the kernel's counters give a meaningful processor load.
pub const MIN_EVERY: Duration = sysinfo::MINIMUM_CPU_UPDATE_INTERVAL;

/// What it sends. Cores, disks, interfaces and sensors are those that the machine has now; what it lacks
/// (a temperature, say) has its key all the same where formulas are likely to name it, and no value.
///
/// # Errors
/// [`Error::Configuration`] when `every` is too short, [`Error::Transient`] when the machine cannot be read.
pub fn keys(options: &Options) -> Result<Vec<KeySpec>, Error> {
    if options.every < MIN_EVERY {
        let least = MIN_EVERY.as_millis();
        return Err(Error::Configuration(format!("`every` must be {least}ms or longer")));
    }
    Ok(gauge::all(&Probe::new(Duration::ZERO)?).into_iter().map(|gauge| gauge.key).collect())
}

/// Emits a reading at once, without the rates, which need two; the rest follows as soon as it means
/// something, so that nobody waits for it; then a reading each `every`. Started anew it goes on with whole
/// readings at its usual times.
///
/// # Errors
/// As [`keys`], and [`Error::Stopped`].
pub async fn run(options: &Options, context: &mut Context) -> Result<(), Error> {
    keys(options)?;
    let start = context.world.now();
    let mut probe = Probe::new(start)?;
    let gauges = gauge::all(&probe);
    let warm = start + MIN_EVERY;
    let mut schedule = Schedule::new(options.every, warm + MIN_EVERY);
    let mut at = if context.place().is_some() { schedule.next(warm).1 } else { warm };
    if context.place().is_none() {
        context.emit(None, read(&gauges, &probe), source::Place::System(Place)).await?;
    }
    loop {
        context.sleep_until(at).await?;
        probe.refresh(context.world.now());
        context.emit(None, read(&gauges, &probe), source::Place::System(Place)).await?;
        at = schedule.next(context.world.now()).1;
    }
}

fn read(gauges: &[Gauge], probe: &Probe) -> Vec<(Arc<str>, Value)> {
    gauges.iter().filter_map(|gauge| Some((gauge.key.name.clone(), (gauge.read)(probe)?))).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use engine::formula;

    use super::*;
    use crate::source::rig::Rig;
    use crate::source::{Kind, Policy};

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn this_machine_is_read() {
        let options = Options { every: SECOND };
        let specs = keys(&options).unwrap();
        let run = Rig::new(Policy::DropOldest)
            .run_with(SECOND * 2, async move |context| run(&options, context).await);
        // Virtual time runs ahead of the kernel's counters, so only the schedule and the form are checked.
        let times: Vec<u128> = run.readings.iter().map(|(at, _)| at.as_millis()).collect();
        assert_eq!(times, [0, 200, 1_000, 2_000]);
        for (_, reading) in &run.readings {
            for (name, value) in &reading.values {
                let spec = specs.iter().find(|spec| spec.name == *name).unwrap();
                match (spec.kind, value) {
                    (formula::Kind::Number, Value::Number(n)) => assert!(n.is_finite(), "{name}: {n}"),
                    (formula::Kind::Text, Value::Text(_)) => {}
                    _ => panic!("{name} is {value:?}"),
                }
            }
        }
        let names: BTreeSet<&str> = run.readings[3].1.values.iter().map(|(name, _)| &**name).collect();
        for name in ["cpu", "cpu_0", "memory", "memory_total", "load_1", "uptime", "host", "net_rx"] {
            assert!(names.contains(name), "{name} not in {names:?}");
        }
    }

    #[test]
    fn keys_are_unique_plain_identifiers() {
        let specs = keys(&Options { every: SECOND }).unwrap();
        let names: BTreeSet<&str> = specs.iter().map(|spec| &*spec.name).collect();
        assert_eq!(names.len(), specs.len(), "{names:?}");
        for name in names {
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            assert!(name.starts_with(|c: char| c.is_ascii_lowercase()) && name.chars().all(plain), "{name}");
        }
    }

    #[test]
    fn a_simulation_walks_instead() {
        let run = |seed| {
            let rig = Rig { seed, ..Rig::new(Policy::DropOldest) };
            rig.run(Kind::System(Options { every: SECOND }), SECOND * 2).readings
        };
        let readings = run(7);
        assert_eq!(readings.len(), 3);
        assert_eq!(readings, run(7));
        assert_ne!(readings, run(8));
        assert!(readings[0].1.values.contains(&("host".into(), Value::from("host"))));
    }

    #[test]
    fn a_period_below_the_least_is_refused() {
        assert!(keys(&Options { every: MIN_EVERY }).is_ok());
        let error = keys(&Options { every: MIN_EVERY - Duration::from_nanos(1) }).unwrap_err();
        assert_eq!(error.to_string(), "`every` must be 200ms or longer");
    }
}
