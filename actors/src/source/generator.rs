//! Made-up data: waves, steps and random walks, seeded, for demonstrations and tests. Things can go wrong with
//! it on purpose, to see that everything else goes on.

use std::sync::Arc;

pub use engine::generator::{Course, Fault, FaultKind, Garbage, Generator as Wave, Shape, Step, When};
use engine::value::Value;

use crate::source::{Context, Error, KeySpec, Place};

/// What is made up.
#[derive(Clone, Debug)]
pub struct Options {
    /// The data.
    pub wave: Wave,
    /// What goes wrong with it.
    pub faults: Vec<Fault>,
}

/// The only key.
pub const KEY: &str = "value";

/// What it sends: [`KEY`] alone.
///
/// # Errors
/// [`Error::Configuration`] when a time is zero, or the limits are not finite or the wrong way round.
pub fn keys(options: &Options) -> Result<Vec<KeySpec>, Error> {
    let Wave { shape, min, max, period, every } = options.wave;
    let problem = if every.is_zero() {
        "`every` must be longer than 0".into()
    } else if period.is_zero() && shape != Shape::Walk {
        "`period` must be longer than 0".into()
    } else if !(min.is_finite() && max.is_finite()) {
        "`min` and `max` must be finite numbers".into()
    } else if min > max {
        format!("`min` ({min}) is above `max` ({max}); swap them")
    } else {
        return Ok(vec![KeySpec::number(KEY, (min, max), "", "The made-up number")]);
    };
    Err(Error::Configuration(problem))
}

/// Emits sample n of the sequence at n times `every` since the world began, and does before it what its faults
/// say. Started anew it goes on with the next sample; what went wrong already does not do so again. After a
/// pause of more than a second the rest comes as much later.
///
/// # Errors
/// As [`keys`], [`Error::Transient`] for a fault, and [`Error::Stopped`].
///
/// # Panics
/// For a fault.
pub async fn run(options: &Options, context: &mut Context) -> Result<(), Error> {
    keys(options)?;
    let Options { wave, faults } = options;
    let key: Arc<str> = KEY.into();
    let mut course = match context.place() {
        Some(Place::Generator(course)) => *course,
        _ => Course::new(wave.every, context.world.now()),
    };
    // So that a start that comes to nothing begins with the same sample.
    context.mark(Place::Generator(course))?;
    // Generators of one seed differ from each other, but not from run to run.
    let (seed, stream) = (context.seed, u64::from(context.id.0));
    loop {
        let (at, step) = course.next(context.world.now(), faults, seed, stream);
        context.sleep_until(at).await?;
        let place = Place::Generator(course);
        match step {
            Step::Sample(n) | Step::Flooded(n) => {
                let value = Value::Number(wave.value(n, seed, stream));
                context.emit(None, vec![(key.clone(), value)], place).await?;
            }
            Step::Fault(n, FaultKind::Garbage) => {
                let garbage = Garbage::chosen(n, seed, stream);
                let skew_ms = Some(garbage.skew_ms()).filter(|skew_ms| *skew_ms != 0);
                let timestamp_ms = skew_ms.map(|skew_ms| context.world.unix_ms() + skew_ms);
                context.emit(timestamp_ms, vec![garbage.value(&key)], place).await?;
            }
            Step::Fault(n, kind) => {
                // Noted before, since nothing is after it.
                context.mark(place)?;
                go_wrong(n, kind, context).await?;
            }
        }
    }
}

async fn go_wrong(n: u64, kind: FaultKind, context: &mut Context) -> Result<(), Error> {
    match kind {
        FaultKind::Error => Err(Error::Transient(format!("a fault: an error before sample {n}"))),
        FaultKind::Panic => panic!("a fault: a panic before sample {n}"),
        FaultKind::Hang(span) => {
            context.world.hang(span).await;
            Ok(())
        }
        FaultKind::Flood { .. } | FaultKind::Garbage => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::source::rig::{self, Rig};
    use crate::source::{Kind, Policy};

    const MS: Duration = Duration::from_millis(1);

    fn options(shape: Shape) -> Options {
        let wave = Wave { shape, min: 0.0, max: 100.0, period: MS * 1_000, every: MS * 250 };
        Options { wave, faults: Vec::new() }
    }

    #[test]
    fn samples_come_on_time_and_never_drift() {
        let kind = Kind::Generator(options(Shape::Saw));
        let run = Rig::new(Policy::Block).run(kind, MS * 3_600_000);
        assert_eq!(run.readings.len(), 4 * 3_600 + 1);
        assert_eq!(
            rig::print(&run.readings[..6]),
            "0 value=0\n250 value=25\n500 value=50\n750 value=75\n1000 value=0\n1250 value=25\n"
        );
        let (at, last) = run.readings.last().unwrap();
        assert_eq!((at.as_millis(), last.sequence), (3_600_000, 4 * 3_600));
    }

    #[test]
    fn one_seed_gives_one_sequence() {
        let walk = |seed| {
            let rig = Rig { seed, ..Rig::new(Policy::Block) };
            rig::print(&rig.run(Kind::Generator(options(Shape::Walk)), MS * 10_000).readings)
        };
        assert_eq!(walk(7), walk(7));
        assert_ne!(walk(7), walk(8));
    }

    #[test]
    fn options_that_cannot_work_are_refused() {
        let check = |change: fn(&mut Options), expected: &str| {
            let mut options = options(Shape::Sine);
            change(&mut options);
            assert_eq!(keys(&options).unwrap_err().to_string(), expected);
        };
        check(|o| o.wave.every = Duration::ZERO, "`every` must be longer than 0");
        check(|o| o.wave.period = Duration::ZERO, "`period` must be longer than 0");
        check(|o| o.wave.max = f64::NAN, "`min` and `max` must be finite numbers");
        check(|o| o.wave.min = 200.5, "`min` (200.5) is above `max` (100); swap them");
    }
}
