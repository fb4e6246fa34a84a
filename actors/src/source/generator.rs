//! Made-up data: waves, steps and random walks, seeded, for demonstrations and tests.

use std::sync::Arc;

use engine::value::Value;

use crate::source::{Context, Error, KeySpec, Place, Steps};
pub use engine::generator::{Generator as Options, Shape};

/// The only key.
pub const KEY: &str = "value";

/// What it sends: [`KEY`] alone.
///
/// # Errors
/// [`Error::Configuration`] when a time is zero, or the limits are not finite or the wrong way round.
pub fn keys(options: &Options) -> Result<Vec<KeySpec>, Error> {
    let (min, max) = (options.min, options.max);
    let problem = if options.every.is_zero() {
        "`every` must be longer than 0".into()
    } else if options.period.is_zero() && options.shape != Shape::Walk {
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

/// Emits sample n of the sequence at n times `every` since the world began. Started anew it goes on with the
/// next sample; after a pause of more than a second the rest comes as much later.
///
/// # Errors
/// As [`keys`], and [`Error::Stopped`].
pub async fn run(options: &Options, context: &mut Context) -> Result<(), Error> {
    keys(options)?;
    let key: Arc<str> = KEY.into();
    let mut steps = match context.place() {
        Some(Place::Steps(steps)) => *steps,
        _ => Steps::new(options.every, context.world.now()),
    };
    context.mark(Place::Steps(steps))?;
    // Generators of one seed differ from each other, but not from run to run.
    let (seed, stream) = (context.seed, u64::from(context.id.0));
    loop {
        let (n, at) = steps.next(context.world.now());
        context.sleep_until(at).await?;
        let value = Value::Number(options.value(n, seed, stream));
        context.emit(None, vec![(key.clone(), value)], Place::Steps(steps)).await?;
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
        Options { shape, min: 0.0, max: 100.0, period: MS * 1_000, every: MS * 250 }
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
        check(|o| o.every = Duration::ZERO, "`every` must be longer than 0");
        check(|o| o.period = Duration::ZERO, "`period` must be longer than 0");
        check(|o| o.max = f64::NAN, "`min` and `max` must be finite numbers");
        check(|o| o.min = 200.5, "`min` (200.5) is above `max` (100); swap them");
    }
}
