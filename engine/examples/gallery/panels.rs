//! Three panels of different character, with values as a machine might have them.

use engine::effect::easing::Easing;
use engine::formula::{FormulaId, Results};
use engine::paint::{Color, Frame, Point, Size};
use engine::sample::{SourceId, SourceState};
use engine::scene::{Scene, Stage, Step};
use engine::template::{Format, Part, Style, Template};
use engine::tick::{Fps, Tick};
use engine::value::Value;
use engine::widget::{
    Align, Anchor, Direction, Figure, Look, Progress, Shape, Sparkline, Stroke, Text, Transition, Weight,
    Widget, WidgetId,
};

/// A scene with values for its formulas.
pub(crate) struct Panel {
    scene: Scene,
    values: Vec<Option<Value>>,
    pasts: Vec<(WidgetId, Vec<(i64, f64)>)>,
    pub(crate) states: Vec<SourceState>,
}

/// The time at which the pictures are taken, in unix milliseconds.
pub(crate) const NOW_MS: i64 = 1_800_000_000_000;

impl Panel {
    pub(crate) fn new(background: u32) -> Panel {
        let scene = Scene { size: Size::new(160, 128), background: Color::hex(background), widgets: vec![] };
        Panel { scene, values: vec![], pasts: vec![], states: vec![SourceState::Live] }
    }

    /// The panel on show, not stepped yet, with its formulas' results and its sources' states.
    pub(crate) fn stage(&self) -> (Stage, Results, Vec<SourceState>) {
        let mut results = Results::new(self.values.len());
        for (id, value) in (0..).zip(&self.values) {
            results.set(FormulaId(id), value.clone());
        }
        let mut stage = Stage::new(self.scene.clone(), Fps::default());
        for (widget, past) in &self.pasts {
            stage.fill_series(*widget, past);
        }
        (stage, results, self.states.clone())
    }

    /// The panel as it is when all bars have come to rest.
    pub(crate) fn paint(&self) -> Frame {
        let (mut stage, results, states) = self.stage();
        for tick in 0..20 {
            let (now_ms, tick) = (NOW_MS + tick * 16, Tick(tick as u64));
            stage.step(&Step { tick, now_ms, results: &results, poses: &[], states: &states });
        }
        stage.paint();
        stage.frame().clone()
    }

    pub(crate) fn value(&mut self, value: Option<Value>) -> FormulaId {
        self.values.push(value);
        FormulaId(self.values.len() as u32 - 1)
    }

    pub(crate) fn add(&mut self, at: (i32, i32), size: (u32, u32), look: Look) -> &mut Widget {
        let name = format!("{:03}", self.scene.widgets.len());
        let (at, size) = (Point::new(at.0, at.1), Size::new(size.0, size.1));
        let (anchor, z, opacity, visible, sources) = (Anchor::TopLeft, 0, 1.0, None, vec![SourceId(0)]);
        let widgets = &mut self.scene.widgets;
        widgets.push(Widget { name, at, size, anchor, z, opacity, visible, sources, look });
        widgets.last_mut().expect("one was just added")
    }

    /// `{}` in the text stands for the value with `precision` digits.
    pub(crate) fn text(
        &mut self,
        at: (i32, i32),
        size: (u32, u32),
        style: (f64, Weight, u32, Align),
        text: &str,
        values: &[(Option<Value>, Option<u8>)],
    ) {
        let mut parts = vec![];
        let mut values = values.iter();
        for (index, literal) in text.split("{}").enumerate() {
            if index > 0 {
                let (value, precision) = values.next().cloned().unwrap_or_default();
                let id = self.value(value);
                parts.push(Part::Formula(id, format(precision)));
            }
            parts.push(Part::Literal(literal.into()));
        }
        let (font_size, weight, color, align) = style;
        let template = Template { parts };
        self.add(
            at,
            size,
            Look::Text(Text { template, font_size, weight, color: Color::hex(color).into(), align }),
        );
    }

    pub(crate) fn bar(
        &mut self,
        at: (i32, i32),
        size: (u32, u32),
        colors: (u32, u32),
        value: Option<f64>,
        range: (f64, f64),
    ) -> &mut Progress {
        let value = self.value(value.map(Value::Number));
        let transition = Transition { duration: 18, easing: Easing::EaseOut };
        let (color, track) = (Color::hex(colors.0).into(), Color::hex(colors.1).into());
        let radius = f64::from(size.0.min(size.1)) / 2.0;
        let bar = Progress {
            value,
            range,
            color,
            levels: vec![],
            track,
            radius,
            direction: Direction::Right,
            transition,
        };
        match &mut self.add(at, size, Look::Progress(bar)).look {
            Look::Progress(bar) => bar,
            _ => unreachable!("a bar was just added"),
        }
    }

    pub(crate) fn line(
        &mut self,
        at: (i32, i32),
        size: (u32, u32),
        color: u32,
        range: Option<(f64, f64)>,
        past: Vec<(i64, f64)>,
    ) -> &mut Sparkline {
        let last = past.last().map(|(_, value)| *value).filter(|value| value.is_finite());
        let value = self.value(last.map(Value::Number));
        self.pasts.push((WidgetId(self.scene.widgets.len() as u32), past));
        let (color, fill) = (Color::hex(color).into(), Some(Color::hex(color).with_alpha(56).into()));
        let line = Sparkline { value, span_ms: 60_000, range, color, fill, thickness: 1.5, dot: true };
        match &mut self.add(at, size, Look::Sparkline(line)).look {
            Look::Sparkline(line) => line,
            _ => unreachable!("a sparkline was just added"),
        }
    }

    pub(crate) fn rect(&mut self, at: (i32, i32), size: (u32, u32), color: u32, radius: f64) -> &mut Widget {
        let fill = Some(Color::hex(color).into());
        self.add(at, size, Look::Shape(Shape { figure: Figure::Rectangle { radius }, fill, stroke: None }))
    }
}

fn format(precision: Option<u8>) -> Format {
    let style = if precision.is_some() { Style::Fixed } else { Style::Plain };
    Format { precision, style, ..Format::default() }
}

/// Numbers that move like a machine's load: a slow wave, a faster one and some noise.
pub(crate) fn load(seed: u64, low: f64, high: f64) -> Vec<(i64, f64)> {
    let noise = |index: u64| engine::hash::unit(seed, 1, index) - 0.5;
    let mut level = 0.4;
    let mut past = vec![];
    for second in 0..90u64 {
        level += noise(second) * 0.28 + (0.4 - level) * 0.12;
        if second == 61 {
            level += 0.4;
        }
        let value = low + level.clamp(0.0, 1.0) * (high - low);
        past.push((NOW_MS - 89_000 + second as i64 * 1_000, value));
    }
    past
}

pub(crate) fn number(value: f64) -> Option<Value> {
    Some(Value::Number(value))
}

pub(crate) fn text(value: &str) -> Option<Value> {
    Some(value.into())
}

pub(crate) fn all() -> Vec<(&'static str, Panel)> {
    vec![("midnight", midnight()), ("paper", paper()), ("phosphor", phosphor())]
}

use Align::{Center, Left, Right};
use Weight::{Bold, Regular};

const INK: u32 = 0xf2f5fa;
const SOFT: u32 = 0x8e98ab;
const ACCENT: u32 = 0x4cc9f0;
const TRACK: u32 = 0x1d2431;

fn midnight() -> Panel {
    let mut panel = Panel::new(0x0b0e14);
    let p = &mut panel;
    p.text((8, 8), (96, 8), (11.0, Regular, SOFT, Left), "{}", &[(text("raspberrypi"), None)]);
    p.text((104, 8), (48, 8), (11.0, Regular, SOFT, Right), "{}", &[(text("14:32"), None)]);
    p.text((8, 24), (56, 10), (14.0, Regular, INK, Left), "CPU", &[]);
    p.text((8, 42), (64, 8), (11.0, Regular, SOFT, Left), "load {}", &[(number(0.42), Some(2))]);
    p.text((64, 24), (73, 26), (36.0, Bold, INK, Right), "{}", &[(number(37.0), Some(0))]);
    p.text((138, 40), (14, 10), (14.0, Regular, SOFT, Right), "%", &[]);
    p.line((8, 56), (144, 26), ACCENT, Some((0.0, 100.0)), load(5, 0.0, 100.0));
    p.text((8, 89), (56, 8), (11.0, Regular, SOFT, Left), "Memory", &[]);
    let memory = [(number(1.24), Some(1)), (number(3.7), Some(1))];
    p.text((64, 89), (88, 8), (11.0, Regular, INK, Right), "{} / {} GB", &memory);
    p.bar((8, 101), (144, 4), (ACCENT, TRACK), Some(33.5), (0.0, 100.0));
    p.text((8, 112), (48, 8), (11.0, Regular, SOFT, Left), "{} °C", &[(number(51.2), Some(0))]);
    p.text((52, 112), (52, 8), (11.0, Regular, SOFT, Right), "↓ {}k", &[(number(842.0), Some(0))]);
    p.text((104, 112), (48, 8), (11.0, Regular, SOFT, Right), "↑ {}k", &[(number(36.0), Some(0))]);
    panel
}

fn paper() -> Panel {
    let (ink, soft, accent, track) = (0x22252b, 0x6f6a60, 0xc8402f, 0xe2ddd1);
    let mut panel = Panel::new(0xf6f3ec);
    let p = &mut panel;
    for (day, letter) in (0..).zip(["M", "T", "W", "T", "F", "S", "S"]) {
        let color = if day == 5 { ink } else { soft };
        p.text((8 + day * 22, 12), (12, 8), (11.0, Regular, color, Center), letter, &[]);
        if day == 5 {
            p.rect((8 + day * 22, 24), (12, 2), accent, 1.0);
        }
    }
    p.text((0, 40), (160, 38), (52.0, Bold, ink, Center), "{}", &[(text("14:32"), None)]);
    p.bar((8, 90), (144, 3), (accent, track), Some(41.0), (0.0, 60.0));
    p.text(
        (8, 106),
        (80, 10),
        (14.0, Regular, ink, Left),
        "{}.{}.",
        &[(number(21.0), None), (number(11.0), None)],
    );
    p.text((88, 106), (64, 10), (14.0, Regular, soft, Right), "{}", &[(number(2026.0), None)]);
    panel
}

fn phosphor() -> Panel {
    let (bright, dim, grid) = (0x8dffa8, 0x4fb36c, 0x12331d);
    let mut panel = Panel::new(0x050a06);
    let p = &mut panel;
    for step in 0..5 {
        p.rect((8 + step * 28, 8), (1, 73), grid, 0.0);
    }
    for step in 0..5 {
        p.rect((8, 8 + step * 18), (113, 1), grid, 0.0);
    }
    // The glow is a wider, faint line below; five pixels need as much room as the trace's dot does.
    let glow = p.line((8, 8), (113, 73), bright, Some((-1.0, 1.0)), wave());
    (glow.span_ms, glow.thickness, glow.dot) = (10_000, 5.0, false);
    (glow.color, glow.fill) = (Color::hex(bright).with_alpha(44).into(), Some(Color::TRANSPARENT.into()));
    let trace = p.line((8, 8), (113, 73), bright, Some((-1.0, 1.0)), wave());
    (trace.span_ms, trace.fill) = (10_000, Some(Color::TRANSPARENT.into()));
    for (index, value) in (0..).zip([0.62, 0.35, 0.86]) {
        let bar = p.bar((129 + index * 9, 8), (5, 73), (dim, grid), Some(value), (0.0, 1.0));
        bar.direction = Direction::Up;
        bar.radius = 1.0;
        bar.levels = vec![(0.8, Color::hex(bright))];
    }
    p.text((8, 90), (64, 8), (11.0, Regular, dim, Left), "SINE", &[]);
    p.text((8, 103), (76, 17), (24.0, Bold, bright, Left), "{}", &[(number(0.71), Some(2))]);
    p.text((88, 90), (64, 8), (11.0, Regular, dim, Right), "WALK", &[]);
    p.text((84, 103), (68, 17), (24.0, Bold, bright, Right), "{}", &[(number(42.7), Some(1))]);
    panel
}

/// Ten seconds of a sine of four seconds, sampled twenty times a second.
fn wave() -> Vec<(i64, f64)> {
    let turn = |step: i64| step as f64 / 80.0 * core::f64::consts::TAU;
    (0..=240).map(|step| (NOW_MS - 12_000 + step * 50, libm::sin(turn(step)) * 0.9)).collect()
}

/// An outline, for the pictures of states.
pub(crate) fn outline(color: u32) -> Shape {
    let stroke = Some(Stroke { color: Color::hex(color).into(), thickness: 1.0 });
    Shape { figure: Figure::Rectangle { radius: 3.0 }, fill: None, stroke }
}
