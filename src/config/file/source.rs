//! Sources and keys, as written.

use schemars::JsonSchema;
use serde::Deserialize;

use super::supervision::Restart;
use super::{FileName, UtcOffset};
use crate::config::duration::Duration;
use crate::config::limits;

/// Where data comes from.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[schemars(extend("unevaluatedProperties" = false))]
pub struct Source {
    /// Silence longer than this makes the source stale. Without it, none does.
    pub stale_after: Option<Duration>,
    /// What happens to a reading when too many wait: `block` by default for `playback`, `drop_newest` for
    /// `push`, `drop_oldest` for the others.
    pub on_full: Option<OnFull>,
    /// After which ends it is started anew, where that is not what `[supervision.sources]` says.
    pub restart: Option<Restart>,
    /// The silence after which it is held for hanging, where that is not what `[supervision.sources]` says.
    pub hang_after: Option<Duration>,
    /// How long it may fail without a healthy spell until it is left alone. Without it, it is tried for ever.
    pub give_up_after: Option<Duration>,
    /// What it reads.
    #[serde(flatten)]
    pub kind: Kind,
}

/// What happens to a reading when too many wait.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnFull {
    /// The source waits; nothing is lost.
    Block,
    /// The oldest waiting reading makes room.
    DropOldest,
    /// The new reading is dropped.
    DropNewest,
}

/// What a source reads.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Kind {
    /// This machine's own metrics.
    System {
        /// The time between two readings.
        #[serde(default = "one_second")]
        every: Duration,
    },
    /// The wall clock, once a second.
    Time {
        /// Which time is shown; without it, this machine's own time zone.
        utc_offset: Option<UtcOffset>,
    },
    /// Made-up data under the key `value`.
    Generator {
        /// The form of the data.
        shape: Wave,
        /// The lowest value.
        #[serde(default)]
        min: f64,
        /// The highest value.
        #[serde(default = "hundred")]
        max: f64,
        /// The length of one wave; for `step` how long a step is held. `walk` has none.
        period: Option<Duration>,
        /// The time between two samples.
        #[serde(default = "one_second")]
        every: Duration,
        /// What goes wrong with it, for trials.
        #[serde(default)]
        #[schemars(length(max = limits::FAULTS))]
        faults: Vec<Fault>,
    },
    /// Recorded data.
    Playback {
        /// A file whose name ends in `.csv` or `.jsonl`. A relative name counts from the
        /// configuration's folder.
        #[schemars(extend("examples" = ["recording.csv"]))]
        file: FileName,
        /// How many times faster than recorded.
        #[serde(default = "one")]
        #[schemars(range(min = 0.001, max = 1_000.0))]
        speed: f64,
        /// Whether it starts anew at the end.
        #[serde(default)]
        repeat: bool,
    },
    /// What others write into it while it runs, over HTTP.
    Push {},
    /// How the panel's other sources are doing.
    Status {
        /// The time between two readings.
        #[serde(default = "one_second")]
        every: Duration,
    },
}

fn one_second() -> Duration {
    Duration::millis(1_000)
}

fn hundred() -> f64 {
    100.0
}

fn one() -> f64 {
    1.0
}

/// The forms of made-up data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Wave {
    /// A sine wave.
    Sine,
    /// The highest value for half a period, then the lowest.
    Square,
    /// Up, then at once down.
    Saw,
    /// Up, then down, steadily.
    Triangle,
    /// A new random value each period.
    Step,
    /// A random walk.
    Walk,
}

/// Something that goes wrong with made-up data: at one moment, ever again, or by chance.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[schemars(extend("unevaluatedProperties" = false))]
pub struct Fault {
    /// Before the first sample that is due then, after the beginning of the run.
    pub at: Option<Duration>,
    /// Before every sample that is due a multiple of this after the beginning of the run.
    pub every: Option<Duration>,
    /// Before any sample, with this probability.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub chance: Option<f64>,
    /// What goes wrong.
    #[serde(flatten)]
    pub kind: FaultKind,
}

/// What goes wrong.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FaultKind {
    /// The source ends with an error.
    Error {},
    /// The source panics.
    Panic {},
    /// The source hangs.
    Hang {
        /// How long; for ever without it.
        #[serde(rename = "for")]
        span: Option<Duration>,
    },
    /// Readings come at a high rate beside the usual ones.
    Flood {
        /// Readings a second.
        #[schemars(range(min = 1, max = limits::FLOOD_RATE))]
        rate: u32,
        /// How long.
        #[serde(rename = "for", default = "one_second")]
        span: Duration,
    },
    /// A reading comes that no display can use.
    Garbage {},
}

/// What is known about a key.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Key {
    /// What it holds.
    pub kind: Option<KeyKind>,
    /// Its value until the first sample arrives.
    pub default: Option<KeyDefault>,
    /// Its expected values. A simulation without input walks over them.
    #[schemars(extend("examples" = [[0, 100]]))]
    pub range: Option<[f64; 2]>,
    /// Its unit, for people.
    #[schemars(length(max = limits::NAME_BYTES))]
    pub unit: Option<String>,
    /// Silence longer than this makes it stale to `stale(key)`, whatever its source says.
    pub stale_after: Option<Duration>,
}

/// What a key holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyKind {
    /// Numbers and truth values.
    Number,
    /// Texts.
    Text,
}

/// A key's value until the first sample arrives.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum KeyDefault {
    /// A number.
    Number(f64),
    /// A text.
    Text(#[schemars(length(max = limits::TEXT_BYTES))] String),
    /// A truth value.
    Bool(bool),
}
