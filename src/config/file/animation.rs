//! Animations and triggers, as written.

use std::borrow::Cow;

use engine::diagnostic::{Diagnostic, nearest};
use engine::effect::easing;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};

use super::{Formula, Name};
use crate::config::duration::Duration;
use crate::config::limits;

/// A movement of a widget.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Animation {
    /// The `id` of the widget that it moves.
    #[schemars(extend("examples" = ["title"]))]
    pub widget: Name,
    /// The length of one cycle.
    pub duration: Duration,
    /// How progress becomes motion.
    #[serde(default)]
    pub easing: Easing,
    /// Where it begins.
    #[serde(default)]
    pub from: Pose,
    /// Where it ends.
    #[serde(default)]
    pub to: Pose,
    /// How many cycles it runs.
    #[serde(default)]
    pub repeat: Repeat,
    /// What odd cycles do.
    #[serde(default)]
    pub mode: Mode,
    /// `load` starts it with the panel. Without it a trigger must.
    pub start: Option<Start>,
}

/// One end of an animation. What neither end names is left alone; what one end alone names is at rest at
/// the other.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Pose {
    /// Pixels to the right of the widget's own place.
    #[schemars(range(min = -limits::DISTANCE, max = limits::DISTANCE))]
    pub x: Option<f64>,
    /// Pixels below the widget's own place.
    #[schemars(range(min = -limits::DISTANCE, max = limits::DISTANCE))]
    pub y: Option<f64>,
    /// Factor on the widget's opacity.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub opacity: Option<f64>,
}

/// How many cycles an animation runs.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Repeat {
    /// This many.
    Cycles(#[schemars(range(min = 1))] u32),
    /// Without end.
    Endless(Endless),
}

impl Default for Repeat {
    fn default() -> Repeat {
        Repeat::Cycles(1)
    }
}

/// The word for "without end".
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Endless {
    /// Until it is stopped.
    Infinite,
}

/// What odd cycles of an animation do.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Run like the others.
    #[default]
    Restart,
    /// Run back.
    Reverse,
    /// The same as `reverse`.
    Mirror,
}

/// When an animation starts by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Start {
    /// With the panel, at tick 0.
    Load,
}

/// A condition, or a signal, and what it sets off.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Trigger {
    /// Its name in events.
    pub name: Name,
    /// Fires when this begins to hold: its value is true or a number other than 0.
    pub when: Option<Formula>,
    /// Fires when a signal of this name comes, instead of `when`.
    #[schemars(extend("examples" = ["doorbell"]))]
    pub signal: Option<Name>,
    /// How long after a firing it does not fire again.
    #[serde(default = "cooldown")]
    pub cooldown: Duration,
    /// The animations that it starts.
    #[serde(default)]
    #[schemars(length(min = 1, max = limits::ACTIONS), extend("examples" = [["pulse"]]))]
    pub start: Vec<Name>,
    /// The animations that it stops, before it starts any.
    #[serde(default)]
    #[schemars(length(min = 1, max = limits::ACTIONS), extend("examples" = [["pulse"]]))]
    pub stop: Vec<Name>,
}

fn cooldown() -> Duration {
    Duration::millis(100)
}

/// How progress becomes motion.
#[derive(Clone, Copy, Debug, Default)]
pub struct Easing(pub easing::Easing);

impl Easing {
    /// Reads an easing's name; `Err` says what is wrong with it.
    pub fn parse(text: &str) -> Result<Easing, Diagnostic> {
        let names = || easing::Easing::ALL.iter().map(|(name, _)| *name);
        match easing::Easing::ALL.iter().find(|(name, _)| *name == text) {
            Some((_, easing)) => Ok(Easing(*easing)),
            None => {
                Err(Diagnostic::error("unknown-easing", 0..text.len(), format!("unknown easing `{text}`"))
                    .with_help(format!("the easings are {}", names().collect::<Vec<_>>().join(", ")))
                    .with_candidates(nearest(text, names())))
            }
        }
    }
}

impl<'de> Deserialize<'de> for Easing {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Easing, D::Error> {
        let text = Cow::<'de, str>::deserialize(input)?;
        Easing::parse(&text).map_err(|problem| de::Error::custom(problem.message))
    }
}

impl JsonSchema for Easing {
    fn schema_name() -> Cow<'static, str> {
        "Easing".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "title": "an easing",
            "type": "string",
            "format": "easing",
            "examples": easing::Easing::ALL.map(|(name, _)| name),
        })
    }
}
