//! The page and its widgets.

use std::collections::BTreeSet;

use engine::diagnostic::Diagnostic;
use engine::paint::{Color, Point, Size};
use engine::template::{self, DraftPart, Format};
use engine::tick::Fps;
use engine::widget::{self as engine_widget, Anchor, Look, Tint, Widget};

use super::Setting;
use super::color::Colors;
use super::formula::Formulas;
use super::key::check_range;
use super::source::positive;
use super::template::Templates;
use crate::config::file;
use crate::config::file::widget as form;
use crate::config::place::Place;
use crate::config::problems::Problems;

/// What a widget depends on.
struct Surroundings<'c, 't> {
    fps: Fps,
    size: Size,
    colors: &'c Colors,
    templates: &'c mut Templates<'t>,
    formulas: &'c mut Formulas<'t>,
    problems: &'c mut Problems,
}

/// The one page's name and widgets.
pub(super) fn resolve<'t>(
    setting: Setting<'t>,
    colors: &Colors,
    templates: &mut Templates<'t>,
    formulas: &mut Formulas<'t>,
    problems: &mut Problems,
) -> (String, Vec<Widget>) {
    let (pages, at) = (&setting.file.page, setting.clean.get("page"));
    let (fps, size) = (setting.fps(), setting.size());
    let around = &mut Surroundings { fps, size, colors, templates, formulas, problems };
    if let Some((second, _)) = pages.0.get(1) {
        around.problems.error_help(
            "one-page",
            at.get(second).key_span(),
            format!("`{second}` is a second page, and this version shows one"),
            "put all widgets on one page, or write one file for each",
        );
    }
    let mut widgets = Vec::new();
    for (name, page) in &pages.0 {
        let at = at.get(name).get("widgets");
        let page =
            page.widgets.iter().enumerate().map(|(index, widget)| one(index, widget, at.item(index), around));
        let page: Vec<Widget> = page.collect();
        check_ids(&page, at, around.problems);
        widgets.extend(page);
    }
    (pages.0.first().map(|(name, _)| name.clone()).unwrap_or_default(), widgets)
}

fn one<'t>(index: usize, widget: &form::Widget, at: Place<'t>, around: &mut Surroundings<'_, 't>) -> Widget {
    let [x, y] = widget.at;
    let [width, height] = widget.size;
    let resolved = Widget {
        // `#` begins no name, so that these meet none; digits of equal length keep the file's order.
        name: widget.id.as_ref().map_or_else(|| format!("#{index:04}"), |id| id.0.clone()),
        at: Point { x, y },
        size: Size { width, height },
        anchor: anchor(widget.anchor),
        z: widget.z,
        opacity: widget.opacity,
        visible: widget.visible.as_ref().map(|when| around.formulas.condition(&when.0, at.get("visible"))),
        sources: Vec::new(),
        look: look(index, &widget.look, at, widget.size, around),
    };
    check_on_panel(&resolved, at, around);
    resolved
}

fn look<'t>(
    index: usize,
    look: &form::Look,
    at: Place<'t>,
    size: [u32; 2],
    around: &mut Surroundings<'_, 't>,
) -> Look {
    match look {
        form::Look::Text(text) => Look::Text(self::text(index, text, at, around)),
        form::Look::Progress(bar) => Look::Progress(progress(bar, at, size, around)),
        form::Look::Sparkline(chart) => Look::Sparkline(sparkline(chart, at, around)),
        form::Look::Shape(figure) => Look::Shape(shape(figure, at, around)),
    }
}

fn text<'t>(
    index: usize,
    text: &form::Text,
    at: Place<'t>,
    around: &mut Surroundings<'_, 't>,
) -> engine_widget::Text {
    let (written, place) = (&text.text.0, at.get("text"));
    engine_widget::Text {
        template: around.templates.text(index, written, place, around.formulas, around.problems),
        font_size: text.font_size,
        weight: match text.weight {
            form::Weight::Regular => engine_widget::Weight::Regular,
            form::Weight::Bold => engine_widget::Weight::Bold,
        },
        color: around.tint(&text.color, "text", at.find("color")),
        align: match text.align {
            form::Align::Left => engine_widget::Align::Left,
            form::Align::Center => engine_widget::Align::Center,
            form::Align::Right => engine_widget::Align::Right,
        },
    }
}

fn progress<'t>(
    bar: &form::Progress,
    at: Place<'t>,
    size: [u32; 2],
    around: &mut Surroundings<'_, 't>,
) -> engine_widget::Progress {
    let range = (bar.range[0], bar.range[1]);
    check_range(range, at.get("range"), around.problems);
    let thickness = f64::from(size[0].min(size[1]));
    engine_widget::Progress {
        value: around.formulas.number(&bar.value.0, at.get("value")),
        range,
        color: around.tint(&bar.color, "accent", at.find("color")),
        levels: levels(&bar.levels, at.get("levels"), around),
        track: around.tint(&bar.track, "track", at.find("track")),
        radius: bar.radius.unwrap_or(thickness / 2.0),
        direction: match bar.direction {
            form::Direction::Right => engine_widget::Direction::Right,
            form::Direction::Left => engine_widget::Direction::Left,
            form::Direction::Up => engine_widget::Direction::Up,
            form::Direction::Down => engine_widget::Direction::Down,
        },
        transition: engine_widget::Transition {
            duration: bar.transition.duration.ticks(around.fps),
            easing: bar.transition.easing.0,
        },
    }
}

fn levels(levels: &[form::Level], at: Place<'_>, around: &mut Surroundings<'_, '_>) -> engine_widget::Levels {
    for (index, pair) in levels.windows(2).enumerate() {
        if pair[0].from >= pair[1].from {
            around.problems.error_help(
                "not-ascending",
                at.item(index + 1).get("from").span(),
                format!("{} does not come after {}", pair[1].from, pair[0].from),
                "list the levels from the lowest to the highest",
            );
        }
    }
    let level = |(index, level): (usize, &form::Level)| {
        (level.from, around.color(&level.color, at.item(index).find("color")))
    };
    levels.iter().enumerate().map(level).collect()
}

fn sparkline<'t>(
    chart: &form::Sparkline,
    at: Place<'t>,
    around: &mut Surroundings<'_, 't>,
) -> engine_widget::Sparkline {
    if let Some([least, most]) = chart.range {
        check_range((least, most), at.get("range"), around.problems);
    }
    let span = positive(chart.span, at.get("span"), around.fps, around.problems);
    engine_widget::Sparkline {
        value: around.formulas.number(&chart.value.0, at.get("value")),
        span_ms: u64::try_from(span.as_millis()).unwrap_or(u64::MAX),
        range: chart.range.map(|[least, most]| (least, most)),
        color: around.tint(&chart.color, "accent", at.find("color")),
        fill: chart.fill.as_ref().map(|fill| around.tint(fill, "track", at.find("fill"))),
        thickness: chart.thickness,
        dot: chart.dot,
    }
}

fn shape<'t>(shape: &form::Shape, at: Place<'t>, around: &mut Surroundings<'_, 't>) -> engine_widget::Shape {
    let fill = shape.fill.as_ref().map(|fill| around.tint(fill, "accent", at.find("fill")));
    let stroke = shape.stroke.as_ref().map(|stroke| engine_widget::Stroke {
        color: around.tint(&stroke.color, "muted", at.get("stroke").find("color")),
        thickness: stroke.thickness,
    });
    let figure = match shape.figure {
        form::Figure::Rectangle => {
            engine_widget::Figure::Rectangle { radius: shape.radius.unwrap_or_default() }
        }
        form::Figure::Ellipse => engine_widget::Figure::Ellipse,
        form::Figure::Line => engine_widget::Figure::Line { rising: shape.rising.unwrap_or_default() },
    };
    check_shape(shape, at, around.problems);
    engine_widget::Shape { figure, fill, stroke }
}

/// Notes keys that this figure has no use for, and a figure that nothing would be seen of.
fn check_shape(shape: &form::Shape, at: Place<'_>, problems: &mut Problems) {
    let mut useless = |key: &str, message: &str| {
        problems.error_help("useless-key", at.get(key).key_span(), message, "leave it out");
    };
    let is_line = shape.figure == form::Figure::Line;
    if shape.radius.is_some() && shape.figure != form::Figure::Rectangle {
        useless("radius", "only a rectangle has a `radius`");
    }
    if shape.rising.is_some() && !is_line {
        useless("rising", "only a line can be `rising`");
    }
    if shape.fill.is_some() && is_line {
        useless("fill", "a line has no inside to `fill`");
    }
    if shape.stroke.is_none() && (is_line || shape.fill.is_none()) {
        let help = if is_line {
            "write `stroke = { color = \"muted\" }`"
        } else {
            "write `fill = \"accent\"` or `stroke = { color = \"muted\" }`"
        };
        let message = "this shape has no colour, so that nothing of it is seen";
        problems.add(Diagnostic::warning("invisible", at.get("figure").span(), message).with_help(help));
    }
}

impl<'t> Surroundings<'_, 't> {
    /// A colour, or a formula that gives one: `otherwise` is the colour while it gives none.
    fn tint(&mut self, tint: &file::Tint, otherwise: &str, place: Option<Place<'t>>) -> Tint {
        let (Some(place), true) = (place, tint.0.trim_start().starts_with('{')) else {
            return self.color(&file::Color(tint.0.clone()), place).into();
        };
        let (draft, found) = template::parse(tint.0.trim_end());
        let is_readable = found.is_empty();
        for problem in found {
            self.problems.add_within(problem, |span| place.within(span));
        }
        match draft.parts.as_slice() {
            [DraftPart::Formula { text, span, format }] if *format == Format::default() => {
                self.colors.check_texts(text, place, span.start, self.problems);
                let formula = Some(self.formulas.color(text, place, span.start));
                Tint { color: self.colors.named(otherwise), formula }
            }
            _ if !is_readable => Tint::default(),
            _ => {
                let message = "a colour is one formula in braces, and nothing beside it";
                let help = "write for example `{mix(theme.ok, theme.critical, cpu / 100)}`";
                self.problems.error_help("unknown-color", place.span(), message, help);
                Tint::default()
            }
        }
    }

    fn color(&mut self, color: &file::Color, place: Option<Place<'_>>) -> Color {
        self.colors.resolve_one(color, place, self.problems)
    }
}

fn check_ids(widgets: &[Widget], at: Place<'_>, problems: &mut Problems) {
    let mut seen = BTreeSet::new();
    for (index, widget) in widgets.iter().enumerate() {
        if !seen.insert(&widget.name) {
            problems.error_help(
                "duplicate-id",
                at.item(index).get("id").span(),
                format!("there is a widget `{}` already", widget.name),
                "give each widget an `id` of its own",
            );
        }
    }
}

/// Warns of a widget of which nothing lies on the panel.
fn check_on_panel(widget: &Widget, at: Place<'_>, around: &mut Surroundings<'_, '_>) {
    let Size { width, height } = around.size;
    let (left, top) = upper_left(widget);
    let outside = |start: i64, len: u32, panel: u32| start >= i64::from(panel) || start + i64::from(len) <= 0;
    if outside(left, widget.size.width, width) || outside(top, widget.size.height, height) {
        let message = format!("nothing of this widget lies on the panel, which is {width} x {height}");
        around.problems.add(
            Diagnostic::warning("off-panel", at.get("at").span(), message)
                .with_help(format!("its upper left corner would be at [{left}, {top}]")),
        );
    }
}

fn upper_left(widget: &Widget) -> (i64, i64) {
    let (width, height) = (i64::from(widget.size.width), i64::from(widget.size.height));
    let (across, down) = match widget.anchor {
        Anchor::TopLeft => (0, 0),
        Anchor::Top => (width / 2, 0),
        Anchor::TopRight => (width, 0),
        Anchor::Left => (0, height / 2),
        Anchor::Center => (width / 2, height / 2),
        Anchor::Right => (width, height / 2),
        Anchor::BottomLeft => (0, height),
        Anchor::Bottom => (width / 2, height),
        Anchor::BottomRight => (width, height),
    };
    (i64::from(widget.at.x) - across, i64::from(widget.at.y) - down)
}

fn anchor(anchor: form::Anchor) -> Anchor {
    match anchor {
        form::Anchor::TopLeft => Anchor::TopLeft,
        form::Anchor::Top => Anchor::Top,
        form::Anchor::TopRight => Anchor::TopRight,
        form::Anchor::Left => Anchor::Left,
        form::Anchor::Center => Anchor::Center,
        form::Anchor::Right => Anchor::Right,
        form::Anchor::BottomLeft => Anchor::BottomLeft,
        form::Anchor::Bottom => Anchor::Bottom,
        form::Anchor::BottomRight => Anchor::BottomRight,
    }
}
