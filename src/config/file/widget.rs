//! Widgets, as written.

use schemars::JsonSchema;
use serde::Deserialize;

use super::animation::Easing;
use super::{Color, Formula, Name, Template, Tint};
use crate::config::duration::Duration;
use crate::config::limits;

/// A part of a page.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[schemars(extend("unevaluatedProperties" = false))]
pub struct Widget {
    /// Its name, for animations and for the order of widgets with the same `z`.
    pub id: Option<Name>,
    /// Where its anchor lies, in pixels from the panel's upper left corner.
    #[schemars(inner(range(min = -limits::DISTANCE, max = limits::DISTANCE)), extend("examples" = [[8, 8]]))]
    pub at: [i32; 2],
    /// Width and height in pixels.
    #[schemars(inner(range(min = 1, max = limits::SIDE)), extend("examples" = [[144, 16]]))]
    pub size: [u32; 2],
    /// Which point of the widget lies at `at`.
    #[serde(default)]
    pub anchor: Anchor,
    /// Higher ones are painted later; equal ones in the order of their ids.
    #[serde(default)]
    pub z: i32,
    /// 0 is invisible, 1 opaque.
    #[serde(default = "one")]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub opacity: f64,
    /// A condition: the widget is shown only while it holds.
    pub visible: Option<Formula>,
    /// What it draws.
    #[serde(flatten)]
    pub look: Look,
}

fn one() -> f64 {
    1.0
}

/// A point of a widget's rectangle.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names say it")]
pub enum Anchor {
    #[default]
    TopLeft,
    Top,
    TopRight,
    Left,
    Center,
    Right,
    BottomLeft,
    Bottom,
    BottomRight,
}

/// What a widget draws.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Look {
    /// A line of text.
    Text(Text),
    /// A bar that fills with a value.
    Progress(Progress),
    /// A small chart of a value's past.
    Sparkline(Sparkline),
    /// A figure.
    Shape(Shape),
}

/// A line of text.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct Text {
    /// What it says.
    pub text: Template,
    /// Height of the type in pixels.
    #[serde(default = "font_size")]
    #[schemars(range(min = 4.0, max = 256.0))]
    pub font_size: f64,
    /// How strong the type is.
    #[serde(default)]
    pub weight: Weight,
    /// The colour of the type.
    #[serde(default = "text_color")]
    pub color: Tint,
    /// Where it stands across.
    #[serde(default)]
    pub align: Align,
}

/// A bar that fills with a value.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct Progress {
    /// What it shows.
    pub value: Formula,
    /// The values that leave it empty and fill it.
    #[serde(default = "percent")]
    #[schemars(extend("examples" = [[0, 100]]))]
    pub range: [f64; 2],
    /// The colour of the filled part.
    #[serde(default = "accent")]
    pub color: Tint,
    /// Other colours from given values on, ascending.
    #[serde(default)]
    #[schemars(length(max = limits::LEVELS))]
    pub levels: Vec<Level>,
    /// The colour of the empty part.
    #[serde(default = "track")]
    pub track: Tint,
    /// Radius of the corners in pixels; without it, the ends are round.
    #[schemars(range(min = 0.0, max = limits::SIDE))]
    pub radius: Option<f64>,
    /// Which way it grows.
    #[serde(default)]
    pub direction: Direction,
    /// How it moves to a new value.
    #[serde(default)]
    pub transition: Transition,
}

/// A small chart of a value's past.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct Sparkline {
    /// What it shows.
    pub value: Formula,
    /// How far back its left edge is.
    #[serde(default = "one_minute")]
    pub span: Duration,
    /// The values at the lower and upper edge; without it, they fit what is shown.
    #[schemars(extend("examples" = [[0, 100]]))]
    pub range: Option<[f64; 2]>,
    /// The colour of the line.
    #[serde(default = "accent")]
    pub color: Tint,
    /// The colour below the line; without it, a faint tone of the line's.
    pub fill: Option<Tint>,
    /// Thickness of the line in pixels.
    #[serde(default = "line")]
    #[schemars(range(min = 0.5, max = 16.0))]
    pub thickness: f64,
    /// Whether the newest value is marked.
    #[serde(default = "yes")]
    pub dot: bool,
}

/// A figure.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct Shape {
    /// Which figure. All fill the widget's rectangle.
    pub figure: Figure,
    /// Radius of a rectangle's corners in pixels.
    #[schemars(range(min = 0.0, max = limits::SIDE))]
    pub radius: Option<f64>,
    /// Whether a line goes up to the right.
    pub rising: Option<bool>,
    /// The colour inside.
    pub fill: Option<Tint>,
    /// The outline, or the line itself.
    pub stroke: Option<Stroke>,
}

fn font_size() -> f64 {
    14.0
}

fn line() -> f64 {
    1.5
}

fn yes() -> bool {
    true
}

fn percent() -> [f64; 2] {
    [0.0, 100.0]
}

fn one_minute() -> Duration {
    Duration::millis(60_000)
}

fn text_color() -> Tint {
    Tint("text".into())
}

fn accent() -> Tint {
    Tint("accent".into())
}

fn track() -> Tint {
    Tint("track".into())
}

/// How strong type is.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names say it")]
pub enum Weight {
    #[default]
    Regular,
    Bold,
}

/// Where a line of text stands in its widget.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names say it")]
pub enum Align {
    #[default]
    Left,
    Center,
    Right,
}

/// A colour from a value on.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Level {
    /// The lowest value that has this colour.
    pub from: f64,
    /// The colour.
    pub color: Color,
}

/// Which way a bar grows.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names say it")]
pub enum Direction {
    #[default]
    Right,
    Left,
    Up,
    Down,
}

/// How a shown value moves to a new one.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Transition {
    /// How long it takes; `"0ms"` jumps.
    pub duration: Duration,
    /// How progress becomes motion.
    pub easing: Easing,
}

impl Default for Transition {
    fn default() -> Transition {
        Transition {
            duration: Duration::millis(250),
            easing: Easing(engine::effect::easing::Easing::EaseOut),
        }
    }
}

/// The figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names say it")]
pub enum Figure {
    Rectangle,
    Ellipse,
    Line,
}

/// An outline or a line.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Stroke {
    /// Its colour.
    pub color: Tint,
    /// Its thickness in pixels.
    #[serde(default = "one")]
    #[schemars(range(min = 0.5, max = 64.0))]
    pub thickness: f64,
}
