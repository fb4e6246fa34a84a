//! The wall clock, as samples: the only wall time that formulas see.

use std::sync::Arc;
use std::time::Duration;

use engine::value::Value;
use jiff::Timestamp;
use jiff::civil::Weekday;
use jiff::tz::{Offset, TimeZone};

use crate::source::{self, Context, Error, KeySpec};
use crate::world::World;

/// Which clock is read.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Minutes east of UTC, at most [`MAX_OFFSET_MINUTES`] either way; `None` takes the machine's own time
    /// zone, or UTC in a simulation.
    pub utc_offset_minutes: Option<i32>,
}

/// Where it is: behind the second that it sent last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// That second: whole seconds since 1970-01-01T00:00:00Z.
    pub unix: i64,
    /// [`World::now`] when it was due.
    pub at: Duration,
}

/// How many seconds that passed while it could not send are sent late, the newest of them: an hour.
pub const LATE_SECONDS_MAX: i64 = 3_600;

/// The largest offset from UTC, in minutes. The farthest that is in use anywhere is 14 hours.
pub const MAX_OFFSET_MINUTES: i32 = 18 * 60;

const WEEKDAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// What it sends each second. Weekdays count as in ISO 8601: Monday is 1, Sunday is 7.
///
/// # Errors
/// [`Error::Configuration`] when the offset is out of range.
pub fn keys(options: &Options) -> Result<Vec<KeySpec>, Error> {
    offset(options)?;
    let number = KeySpec::number;
    // 2020 to 2040: no walk is ever made over it, but a chart may want a range.
    let unix = (1_577_836_800.0, 2_208_988_800.0);
    Ok(vec![
        number("unix", unix, "s", "Whole seconds since 1970-01-01T00:00:00Z"),
        number("hour", (0.0, 23.0), "h", "Hour of the day, 0 to 23"),
        number("minute", (0.0, 59.0), "min", "Minute of the hour"),
        number("second", (0.0, 59.0), "s", "Second of the minute"),
        number("weekday", (1.0, 7.0), "", "Day of the week: 1 is Monday, 7 is Sunday"),
        number("day", (1.0, 31.0), "", "Day of the month"),
        number("month", (1.0, 12.0), "", "Month of the year"),
        number("year", (2020.0, 2040.0), "", "Year"),
        number("utc_offset", (-720.0, 840.0), "min", "Minutes that local time is ahead of UTC"),
        KeySpec::text("weekday_name", "Day of the week in English, as in Monday"),
        KeySpec::text("month_name", "Month in English, as in January"),
    ])
}

/// Emits the time at once and then at each whole second of the wall clock, whichever way that is set
/// meanwhile. Seconds that went by while it was down or waited for room are sent late, at most
/// [`LATE_SECONDS_MAX`]; none is sent twice.
///
/// # Errors
/// [`Error::Configuration`] when the offset is out of range, and [`Error::Stopped`].
pub async fn run(options: &Options, context: &mut Context) -> Result<(), Error> {
    let fixed = offset(options)?;
    let names: Vec<Arc<str>> = keys(options)?.into_iter().map(|key| key.name).collect();
    let mut last = match context.place() {
        Some(source::Place::Time(place)) => *place,
        _ => Place { unix: context.world.unix_ms().div_euclid(1_000) - 1, at: context.world.now() },
    };
    // So that a start that comes to nothing begins with the same second.
    context.mark(source::Place::Time(last))?;
    loop {
        let second = next_second(last, context).await?;
        let at = context.world.now();
        for unix in late(last, second, at).chain([second]) {
            let values = names.iter().cloned().zip(values_at(unix, zone(fixed, &context.world))).collect();
            let place = Place { unix, at: at.saturating_sub(Duration::from_secs(second.abs_diff(unix))) };
            // Under the engine's time, not the wall's: a step of the wall clock must not reach the windows.
            context.emit(None, values, source::Place::Time(place)).await?;
            last = place;
        }
    }
}

/// Sleeps until the wall clock shows another second than the `last` one, and returns that.
async fn next_second(last: Place, context: &mut Context) -> Result<i64, Error> {
    loop {
        let now_ms = context.world.unix_ms();
        let second = now_ms.div_euclid(1_000);
        if last.unix != second {
            return Ok(second);
        }
        // A slewed wall clock and a coarse timer may wake this early, hence the loop.
        let wait_ms = (second + 1) * 1_000 - now_ms;
        let at = context.world.now() + Duration::from_millis(wait_ms.unsigned_abs());
        context.sleep_until(at).await?;
    }
}

/// The seconds between the `last` and this one, where so much time has passed. Where not, the wall clock was
/// set, and they never were.
fn late(last: Place, second: i64, now: Duration) -> std::ops::Range<i64> {
    let passed = now.saturating_sub(last.at).as_secs();
    let between = second.saturating_sub(last.unix).saturating_sub(1);
    if between > 0 && between.unsigned_abs() <= passed {
        second - between.min(LATE_SECONDS_MAX)..second
    } else {
        second..second
    }
}

/// The values of one second, in the order of [`keys`].
fn values_at(unix: i64, zone: TimeZone) -> [Value; 11] {
    let timestamp = Timestamp::from_second(unix).unwrap_or_default();
    let offset = zone.to_offset(timestamp);
    let local = offset.to_datetime(timestamp);
    let number = |n: i64| Value::Number(n as f64);
    [
        number(unix),
        number(local.hour().into()),
        number(local.minute().into()),
        number(local.second().into()),
        number(local.weekday().to_monday_one_offset().into()),
        number(local.day().into()),
        number(local.month().into()),
        number(local.year().into()),
        number((offset.seconds() / 60).into()),
        Value::from(WEEKDAYS[local.weekday().since(Weekday::Monday) as usize]),
        Value::from(MONTHS[local.month() as usize - 1]),
    ]
}

fn zone(fixed: Option<Offset>, world: &World) -> TimeZone {
    match fixed {
        Some(offset) => TimeZone::fixed(offset),
        None if world.is_simulated() => TimeZone::UTC,
        // Asked for each time, since it may change while this runs; jiff keeps it for some minutes.
        None => TimeZone::system(),
    }
}

fn offset(options: &Options) -> Result<Option<Offset>, Error> {
    let Some(minutes) = options.utc_offset_minutes else { return Ok(None) };
    let allowed = -MAX_OFFSET_MINUTES..=MAX_OFFSET_MINUTES;
    let offset = allowed.contains(&minutes).then(|| Offset::from_seconds(minutes * 60).ok()).flatten();
    let problem = || {
        format!(
            "an offset of {minutes} minutes from UTC is out of range; write {allowed:?}, as in 120 for UTC+2"
        )
    };
    offset.map(Some).ok_or_else(|| Error::Configuration(problem()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::rig::{self, Rig};
    use crate::source::{Kind, Policy};

    #[test]
    fn a_reading_comes_with_each_second() {
        let run =
            Rig::new(Policy::DropOldest).run(Kind::Time(Options::default()), Duration::from_secs(86_400));
        assert_eq!(run.readings.len(), 86_401);
        for (n, (at, reading)) in run.readings.iter().enumerate() {
            assert_eq!(at.as_millis(), n as u128 * 1_000);
            assert_eq!(reading.sequence, n as u64 * 11);
        }
        let ends = [run.readings[0].clone(), run.readings[86_400].clone()];
        assert_eq!(
            rig::print(&ends),
            "0 unix=1767225600 hour=0 minute=0 second=0 weekday=4 day=1 month=1 year=2026 utc_offset=0 \
             weekday_name=Thursday month_name=January\n\
             86400000 unix=1767312000 hour=0 minute=0 second=0 weekday=5 day=2 month=1 year=2026 utc_offset=0 \
             weekday_name=Friday month_name=January\n"
        );
    }

    #[test]
    fn calendar() {
        let check = |unix: i64, minutes: i32, expected: &str| {
            let zone = TimeZone::fixed(Offset::from_seconds(minutes * 60).unwrap());
            let values = values_at(unix, zone);
            let found: Vec<String> = values[1..].iter().map(Value::to_string).collect();
            assert_eq!(found.join(" "), expected, "{unix} {minutes}");
        };
        check(0, 0, "0 0 0 4 1 1 1970 0 Thursday January");
        check(-1, 0, "23 59 59 3 31 12 1969 0 Wednesday December");
        check(1_709_251_199, 0, "23 59 59 4 29 2 2024 0 Thursday February");
        check(1_709_251_199, 1, "0 0 59 5 1 3 2024 1 Friday March");
        check(1_767_225_600, 330, "5 30 0 4 1 1 2026 330 Thursday January");
        check(1_767_225_600, -570, "14 30 0 3 31 12 2025 -570 Wednesday December");
        check(1_767_484_800, 0, "0 0 0 7 4 1 2026 0 Sunday January");
    }

    #[test]
    fn an_offset_out_of_range_is_refused() {
        let check = |minutes, ok| {
            let result = keys(&Options { utc_offset_minutes: Some(minutes) });
            assert_eq!(result.is_ok(), ok, "{minutes}");
        };
        check(MAX_OFFSET_MINUTES, true);
        check(-MAX_OFFSET_MINUTES, true);
        check(MAX_OFFSET_MINUTES + 1, false);
        check(-MAX_OFFSET_MINUTES - 1, false);
        check(i32::MIN, false);
    }

    #[test]
    fn a_configured_offset_holds_in_a_simulation() {
        let options = Options { utc_offset_minutes: Some(90) };
        let run = Rig::new(Policy::DropOldest).run(Kind::Time(options), Duration::ZERO);
        assert!(rig::print(&run.readings).contains(" hour=1 minute=30 "), "{}", rig::print(&run.readings));
    }

    #[test]
    fn seconds_that_went_by_are_late_and_those_that_never_were_are_not() {
        let check = |last: i64, at_ms: u64, second, now_ms, expected: std::ops::Range<i64>| {
            let ms = Duration::from_millis;
            let last = Place { unix: last, at: ms(at_ms) };
            assert_eq!(late(last, second, ms(now_ms)), expected, "{last:?} {second} {now_ms}");
        };
        check(100, 0, 101, 1_000, 101..101);
        // Down for three seconds, the first of them begun.
        check(100, 900, 103, 3_000, 101..103);
        // Set forward, back, and both at once.
        check(100, 0, 4_000, 1_000, 4_000..4_000);
        check(100, 0, 50, 1_000, 50..50);
        check(100, 0, 400, 10_000, 400..400);
        let most = LATE_SECONDS_MAX;
        check(0, 0, most + 1, 4_000_000, 1..most + 1);
        check(0, 0, most + 2, 4_000_000, 2..most + 2);
    }
}
