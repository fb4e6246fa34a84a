//! Text: a line with values in it.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::formula::Results;
use crate::paint::{Canvas, Color, Fonts, Line, Point, Rect, Size, Style};
use crate::value::Value;
use crate::widget::tint::Given;
use crate::widget::tone::{Fade, Mood, faded};
use crate::widget::{Align, Text};

/// What a text remembers.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct State {
    /// What it says.
    text: String,
    /// The results that it was rendered from, in the template's order; `None` before the first step.
    inputs: Option<Vec<Option<Value>>>,
    color: Given,
    fade: Fade,
    mood: Mood,
    /// How often it was rendered.
    #[cfg(test)]
    #[serde(skip)]
    renderings: u32,
    /// The text before the last rendering; kept for its memory.
    #[serde(skip)]
    before: String,
}

/// What a text's pixels depend on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Drawing {
    line: Line,
    /// Where the pen starts, from the widget's upper left corner.
    pen: Point,
    color: Color,
    /// How visible the mark of a stale value is.
    mark: u8,
}

impl State {
    /// Takes one tick and says whether anything changed.
    pub(crate) fn step(&mut self, text: &Text, results: &Results, mood: Mood, fade_ticks: u64) -> bool {
        let (old_mood, old_fade) = (self.mood, self.fade);
        self.mood = mood;
        let rendered = (self.take(text, results) || (mood == Mood::Failed) != (old_mood == Mood::Failed))
            && self.render(text, results);
        let inputs = self.inputs.as_deref().unwrap_or(&[]);
        let empty = !inputs.is_empty() && inputs.iter().all(Option::is_none);
        self.fade.step(mood != Mood::Live || empty, fade_ticks);
        let colored = self.color.step(&text.color, results, mood);
        rendered || colored || self.mood != old_mood || self.fade != old_fade
    }

    /// Takes the template's newest inputs and says whether any changed.
    fn take(&mut self, text: &Text, results: &Results) -> bool {
        let newest = text.template.formulas().map(|id| results.get(id));
        let Some(inputs) = &mut self.inputs else {
            self.inputs = Some(newest.map(Option::<&Value>::cloned).collect());
            return true;
        };
        let mut changed = false;
        for (input, newest) in inputs.iter_mut().zip(newest) {
            if !same(input.as_ref(), newest) {
                *input = newest.cloned();
                changed = true;
            }
        }
        changed
    }

    /// Renders the template and says whether the text changed.
    fn render(&mut self, text: &Text, results: &Results) -> bool {
        #[cfg(test)]
        {
            self.renderings += 1;
        }
        core::mem::swap(&mut self.text, &mut self.before);
        self.text.clear();
        if self.mood == Mood::Failed {
            // Without any result every value is a dash.
            text.template.render(&Results::default(), &mut self.text);
        } else {
            text.template.render(results, &mut self.text);
        }
        self.text != self.before
    }

    /// Sets what is to be painted in a widget of `size`.
    pub(crate) fn draw(&self, drawing: &mut Drawing, text: &Text, size: Size, fonts: &mut Fonts) {
        let style = Style::new(text.weight, text.font_size);
        let metrics = fonts.metrics(style);
        let width = i32::try_from(size.width).unwrap_or(i32::MAX);
        let width_max = width.saturating_add(metrics.bearing * 2);
        drawing.line.lay_out(&self.text, style, width_max, fonts);
        let (before, after) = drawing.line.bearings(fonts);
        let x = match text.align {
            Align::Left => -before,
            Align::Center => (width - drawing.line.width()).div_euclid(2),
            Align::Right => width.saturating_add(after) - drawing.line.width(),
        };
        let height = i32::try_from(size.height).unwrap_or(i32::MAX);
        let capital = i32::try_from(metrics.capital).unwrap_or(0);
        drawing.pen = Point { x, y: (height - capital).div_euclid(2) + capital };
    }

    /// Sets the colours of what is to be painted.
    pub(crate) fn tint(&self, drawing: &mut Drawing, text: &Text, background: Color, fade_ticks: u64) {
        let level = self.fade.level(fade_ticks);
        drawing.color = faded(self.color.color(&text.color), background, level);
        drawing.mark = if self.mood == Mood::Stale { level } else { 0 };
    }
}

fn same(a: Option<&Value>, b: Option<&Value>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => a.same(b),
        (None, None) => true,
        _ => false,
    }
}

impl Drawing {
    /// The pixels that it covers in a widget whose upper left corner is `at`.
    pub(crate) fn ink(&self, at: Point, fonts: &mut Fonts) -> Rect {
        let ink = self.line.ink(self.pen_at(at), fonts);
        if self.mark == 0 { ink } else { ink.union(&self.underline(at, fonts)) }
    }

    /// The pixels in which two drawings of the same widget at the same place differ.
    pub(crate) fn difference(&self, other: &Drawing, at: Point, fonts: &mut Fonts) -> Rect {
        if self == other {
            return Rect::default();
        }
        if self.color != other.color || self.mark != 0 || other.mark != 0 {
            return self.ink(at, fonts).union(&other.ink(at, fonts));
        }
        self.line.difference(self.pen_at(at), &other.line, other.pen_at(at), fonts)
    }

    /// Paints the text in a widget whose upper left corner is `at`.
    pub(crate) fn paint(&self, at: Point, canvas: &mut Canvas<'_>, fonts: &mut Fonts) {
        self.line.paint(canvas, self.pen_at(at), self.color, fonts);
        if self.mark > 0 {
            let Rect { at, size } = self.underline(at, fonts);
            let color = self.color.with_alpha(crate::paint::scale(self.color.a, self.mark));
            for x in (0..size.width).step_by(3) {
                canvas.fill(Rect::new(at.x.saturating_add_unsigned(x), at.y, 1, 1), color);
            }
        }
    }

    fn pen_at(&self, at: Point) -> Point {
        Point { x: at.x.saturating_add(self.pen.x), y: at.y.saturating_add(self.pen.y) }
    }

    /// Where the mark of a stale text stands: dots along its foot.
    fn underline(&self, at: Point, fonts: &mut Fonts) -> Rect {
        let pen = self.pen_at(at);
        let ink = self.line.ink(pen, fonts);
        Rect::new(ink.at.x, pen.y.saturating_add(2), ink.size.width, 1)
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;
    use crate::formula::FormulaId;
    use crate::paint::picture::{WHITE, picture};
    use crate::template::{Format, Part, Template};
    use crate::widget::Weight;

    fn text(align: Align, parts: Vec<Part>) -> Text {
        Text {
            template: Template { parts },
            font_size: 11.0,
            weight: Weight::Bold,
            color: WHITE.into(),
            align,
        }
    }

    fn value(id: u32) -> Part {
        Part::Formula(FormulaId(id), Format::default())
    }

    fn shown(text: &Text, size: Size) -> String {
        let (mut state, mut drawing, mut fonts) = (State::default(), Drawing::default(), Fonts::bundled());
        state.step(text, &Results::default(), Mood::Live, 15);
        state.draw(&mut drawing, text, size, &mut fonts);
        state.tint(&mut drawing, text, Color::hex(0), 15);
        picture(size.width, size.height, |canvas| drawing.paint(Point::default(), canvas, &mut fonts))
    }

    #[test]
    fn stands_at_its_edge_and_in_the_middle_of_its_height() {
        let set = |align| text(align, vec![Part::Literal("HI".into())]);
        insta::assert_snapshot!(shown(&set(Align::Left), Size::new(24, 12)), @r"
        ........................
        ........................
        -@-..:@=-@-.............
        -@-..:@=-@-.............
        -@-..:@=-@-.............
        -@****@=-@-.............
        -@****@=-@-.............
        -@-..:@=-@-.............
        -@-..:@=-@-.............
        -@-..:@=-@-.............
        ........................
        ........................
        ");
        insta::assert_snapshot!(shown(&set(Align::Center), Size::new(24, 10)), @r"
        ........................
        ......-@-..:@=-@-.......
        ......-@-..:@=-@-.......
        ......-@-..:@=-@-.......
        ......-@****@=-@-.......
        ......-@****@=-@-.......
        ......-@-..:@=-@-.......
        ......-@-..:@=-@-.......
        ......-@-..:@=-@-.......
        ........................
        ");
        insta::assert_snapshot!(shown(&set(Align::Right), Size::new(24, 8)), @r"
        .............-@-..:@=-@-
        .............-@-..:@=-@-
        .............-@-..:@=-@-
        .............-@****@=-@-
        .............-@****@=-@-
        .............-@-..:@=-@-
        .............-@-..:@=-@-
        .............-@-..:@=-@-
        ");
    }

    #[test]
    fn is_rendered_anew_only_where_an_input_changed() {
        let text = text(Align::Left, vec![value(0), Part::Literal("/".into()), value(1)]);
        let (mut state, mut results) = (State::default(), Results::new(3));
        let mut step = |results: &Results, mood| {
            let changed = state.step(&text, results, mood, 1);
            (changed, state.text.clone(), state.renderings)
        };
        assert_eq!(step(&results, Mood::Live), (true, "–/–".into(), 1));
        assert_eq!(step(&results, Mood::Live), (false, "–/–".into(), 1));
        results.set(FormulaId(0), Some(4.0.into()));
        assert_eq!(step(&results, Mood::Live), (true, "4/–".into(), 2));
        results.set(FormulaId(2), Some(5.0.into()));
        assert_eq!(step(&results, Mood::Live), (false, "4/–".into(), 2), "not its formula");
        results.set(FormulaId(1), Some("x".into()));
        assert_eq!(step(&results, Mood::Live), (true, "4/x".into(), 3));
        assert_eq!(step(&results, Mood::Stale), (true, "4/x".into(), 3));
        assert_eq!(step(&results, Mood::Failed), (true, "–/–".into(), 4), "a failed source has no values");
        assert_eq!(step(&results, Mood::Live), (true, "4/x".into(), 5));
    }
}
