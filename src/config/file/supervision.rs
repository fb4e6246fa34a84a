//! Supervision, as written.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::duration::Duration;
use crate::config::limits;

/// When and how often actors are started anew.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Supervision {
    /// The most threads of hanging actors that are left behind at a time. One more, and the process ends, to
    /// be started anew by the system.
    #[schemars(range(max = limits::ABANDONED))]
    pub abandoned_max: usize,
    /// The sources, each by itself.
    pub sources: Group,
    /// The outputs, each by itself.
    pub outputs: Group,
    /// The writer of the database.
    pub writer: Group,
    /// The web server.
    pub http: Group,
    /// Ring, expression, coordination, renderer and clock, which are started anew together.
    pub core: Core,
    /// The recorder of a recording, which is never started anew.
    pub recorder: Recorder,
}

impl Default for Supervision {
    fn default() -> Supervision {
        Supervision {
            abandoned_max: engine::restart::ABANDONED_MAX,
            sources: Group::default(),
            outputs: Group::default(),
            writer: Group::default(),
            http: Group::default(),
            core: Core::default(),
            recorder: Recorder::default(),
        }
    }
}

/// Actors that are started anew each by itself.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Group {
    /// After which ends one is started anew: `transient` by default for sources, `permanent` for the others.
    pub restart: Option<Restart>,
    /// How many restarts within `period` are borne. One more, and the process ends, to be started anew by the
    /// system. Without it any number is borne.
    #[schemars(range(max = limits::RESTARTS))]
    pub restarts: Option<u32>,
    /// How long a restart counts; 10 s by default.
    pub period: Option<Duration>,
    /// How long a restart waits.
    pub backoff: Backoff,
    /// The silence after which an actor is held for hanging: 10 s by default, 30 s for the writer.
    pub hang_after: Option<Duration>,
    /// How long an actor may take to end when it is told to: 1 s by default, 3 s for writer and web server.
    pub shutdown: Option<Duration>,
}

/// Actors that are started anew together.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Core {
    /// How many restarts within `period` are borne: 3 by default. One more, and the process ends, to be
    /// started anew by the system.
    #[schemars(range(max = limits::RESTARTS))]
    pub restarts: Option<u32>,
    /// How long a restart counts; 10 s by default.
    pub period: Option<Duration>,
    /// How long a restart waits: by default `base` is 1 ms and `cap` 1 s here.
    pub backoff: Backoff,
    /// The silence after which an actor is held for hanging: 5 s by default.
    pub hang_after: Option<Duration>,
    /// How long each may take to end when it is told to: 3 s by default.
    pub shutdown: Option<Duration>,
}

/// An actor that is never started anew.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Recorder {
    /// The silence after which it is held for hanging: 30 s by default.
    pub hang_after: Option<Duration>,
    /// How long it may take to end when it is told to: 3 s by default.
    pub shutdown: Option<Duration>,
}

/// How long a restart waits: a random time between 0 and `base`, which doubles with every failure up to `cap`.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Backoff {
    /// The longest wait before the first restart: 100 ms by default.
    pub base: Option<Duration>,
    /// The longest wait before any restart: 30 s by default.
    pub cap: Option<Duration>,
    /// How long an actor has to run well for its failures to be forgotten: 10 s by default.
    pub healthy: Option<Duration>,
}

/// After which ends an actor is started anew.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Restart {
    /// After all.
    Permanent,
    /// After all but those that are in order, as at the end of a recording that is played back.
    Transient,
    /// After none.
    Temporary,
}
