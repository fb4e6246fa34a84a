//! Widgets: what is shown. The types here are the definitions, resolved from a configuration. Beside each
//! look's definition stands, in a module of its name, what it remembers from tick to tick (`State`), what
//! its pixels depend on (`Drawing`), and how it is painted; [`crate::scene`] puts them together.

pub(crate) mod broken;
pub(crate) mod progress;
pub(crate) mod series;
pub(crate) mod shape;
pub(crate) mod sparkline;
pub(crate) mod text;
pub(crate) mod tint;
pub(crate) mod tone;

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::effect::easing::Easing;
use crate::formula::FormulaId;
use crate::paint::{Color, Point, Size};
use crate::sample::SourceId;
use crate::template::Template;
pub use tint::Tint;

/// Names a widget: its index in the scene.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct WidgetId(pub u32);

/// A widget as configured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Widget {
    /// The name in the configuration.
    pub name: String,
    /// Where its anchor lies.
    pub at: Point,
    /// Its size in pixels.
    pub size: Size,
    /// Which point of the widget lies at `at`.
    pub anchor: Anchor,
    /// Higher ones are painted later; equal ones in the order of their names.
    pub z: i32,
    /// 0 (invisible) to 1.
    pub opacity: f64,
    /// Shown only while this holds; `None` always.
    pub visible: Option<FormulaId>,
    /// The sources behind its formulas: their worst state decides on the stale and the failed look.
    pub sources: Vec<SourceId>,
    /// What it draws.
    pub look: Look,
}

impl Widget {
    /// The formulas that it depends on, one named twice where it is used twice.
    pub fn formulas(&self) -> Vec<FormulaId> {
        let mut formulas: Vec<FormulaId> = self.visible.into_iter().collect();
        match &self.look {
            Look::Text(text) => formulas.extend(text.template.formulas()),
            Look::Progress(bar) => formulas.push(bar.value),
            Look::Sparkline(chart) => formulas.push(chart.value),
            Look::Shape(_) => {}
        }
        formulas.extend(self.look.tints().into_iter().flatten().filter_map(|tint| tint.formula));
        formulas
    }
}

/// A point of a widget's rectangle.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Look {
    /// A line of text.
    Text(Text),
    /// A bar that fills with a value.
    Progress(Progress),
    /// A small chart of a value's past.
    Sparkline(Sparkline),
    /// A rectangle, an ellipse or a line.
    Shape(Shape),
}

impl Look {
    /// Its colours.
    fn tints(&self) -> [Option<&Tint>; 2] {
        match self {
            Look::Text(text) => [Some(&text.color), None],
            Look::Progress(bar) => [Some(&bar.color), Some(&bar.track)],
            Look::Sparkline(chart) => [Some(&chart.color), chart.fill.as_ref()],
            Look::Shape(shape) => [shape.fill.as_ref(), shape.stroke.as_ref().map(|stroke| &stroke.color)],
        }
    }
}

/// Where a line of text stands in its widget.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Align {
    #[default]
    Left,
    Center,
    Right,
}

/// A face of the bundled family.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Weight {
    #[default]
    Regular,
    Bold,
}

/// A line of text, cut with an ellipsis where it does not fit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Text {
    /// What it says.
    pub template: Template,
    /// Height of the type in pixels per em.
    pub font_size: f64,
    /// The face.
    pub weight: Weight,
    /// The colour of the type.
    pub color: Tint,
    /// Where it stands across; down it is centred on its capitals' height.
    pub align: Align,
}

/// Colours by value: the last one whose bound is reached counts.
pub type Levels = Vec<(f64, Color)>;

/// A bar that fills with a value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// What it shows.
    pub value: FormulaId,
    /// The values that leave it empty and fill it.
    pub range: (f64, f64),
    /// The colour of the filled part.
    pub color: Tint,
    /// Other colours of the filled part from given values on, ascending.
    pub levels: Levels,
    /// The colour of the empty part.
    pub track: Tint,
    /// Radius of its corners in pixels; half the thickness gives round ends.
    pub radius: f64,
    /// Where it fills from.
    pub direction: Direction,
    /// How it moves to a new value.
    pub transition: Transition,
}

/// Which way a bar grows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Direction {
    #[default]
    Right,
    Left,
    Up,
    Down,
}

/// How a shown value moves to a new one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transition {
    /// How long it takes in ticks; 0 jumps.
    pub duration: u64,
    /// How progress becomes motion.
    pub easing: Easing,
}

/// A small chart of a value's past: a line over a faint fill, the newest value at the right edge.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sparkline {
    /// What it shows.
    pub value: FormulaId,
    /// How far back the left edge is, in milliseconds, at least 1.
    pub span_ms: u64,
    /// The values at the lower and upper edge; `None` fits them to what is shown.
    pub range: Option<(f64, f64)>,
    /// The colour of the line.
    pub color: Tint,
    /// The colour below the line; `None` for a faint tone of the line's.
    pub fill: Option<Tint>,
    /// Thickness of the line in pixels.
    pub thickness: f64,
    /// Whether the newest value is marked.
    pub dot: bool,
}

/// A figure, of which nothing changes but its colours.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shape {
    /// Which figure.
    pub figure: Figure,
    /// The colour inside, for closed figures.
    pub fill: Option<Tint>,
    /// The colour and thickness of the outline or line.
    pub stroke: Option<Stroke>,
}

/// The figures a shape can be. All fill the widget's rectangle.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Figure {
    /// A rectangle with corners of this radius in pixels.
    Rectangle {
        /// Radius of the corners in pixels.
        radius: f64,
    },
    /// An ellipse; a circle where the sides are equal.
    Ellipse,
    /// A line from the upper left to the lower right corner, or, where `rising`, from the lower left to
    /// the upper right one.
    Line {
        /// Whether it goes up to the right.
        rising: bool,
    },
}

/// A line's colour and thickness.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stroke {
    /// The colour.
    pub color: Tint,
    /// Thickness in pixels.
    pub thickness: f64,
}
