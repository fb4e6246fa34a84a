//! The keys that sources provide by themselves.

use actors::source::{Kind as Source, playback};
use engine::formula::Kind;

/// A key that a source provides.
pub(super) struct Provided {
    /// Its name behind the source's.
    pub(super) name: String,
    /// What it holds.
    pub(super) kind: Kind,
    /// Its expected values.
    pub(super) range: (f64, f64),
    /// Its unit, for people.
    pub(super) unit: String,
}

/// The keys of `source`; `Err` says why they cannot be known.
pub(super) fn of(source: &Source) -> Result<Vec<Provided>, String> {
    match source {
        Source::System(_) => Ok(table(&SYSTEM)),
        Source::Time(_) => Ok(table(&TIME)),
        Source::Generator(options) => Ok(vec![Provided {
            name: "value".into(),
            kind: Kind::Number,
            range: (options.min, options.max),
            unit: String::new(),
        }]),
        Source::Playback(options) => recorded(options),
    }
}

const SYSTEM: [(&str, f64, f64, &str); 3] =
    [("cpu", 0.0, 100.0, "%"), ("memory", 0.0, 100.0, "%"), ("load", 0.0, 8.0, "")];
const TIME: [(&str, f64, f64, &str); 9] = [
    ("unix", 0.0, 4_102_444_800.0, "s"),
    ("year", 1970.0, 2100.0, ""),
    ("month", 1.0, 12.0, ""),
    ("day", 1.0, 31.0, ""),
    ("weekday", 1.0, 7.0, ""),
    ("hour", 0.0, 23.0, ""),
    ("minute", 0.0, 59.0, ""),
    ("second", 0.0, 59.0, ""),
    ("utc_offset", -720.0, 840.0, "min"),
];

fn table(keys: &[(&str, f64, f64, &str)]) -> Vec<Provided> {
    let provided = |(name, least, most, unit): &(&str, f64, f64, &str)| Provided {
        name: (*name).into(),
        kind: Kind::Number,
        range: (*least, *most),
        unit: (*unit).into(),
    };
    keys.iter().map(provided).collect()
}

fn recorded(options: &playback::Options) -> Result<Vec<Provided>, String> {
    let _ = options;
    Ok(Vec::new())
}
