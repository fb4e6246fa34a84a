//! Tints: colours that formulas give.

use serde::{Deserialize, Serialize};

use crate::formula::{FormulaId, Results};
use crate::paint::Color;
use crate::widget::tone::Mood;

/// A colour, or a formula that gives one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tint {
    /// The colour; of a formula's, the one while it gives none.
    pub color: Color,
    /// The formula, if there is one.
    pub formula: Option<FormulaId>,
}

impl From<Color> for Tint {
    fn from(color: Color) -> Tint {
        Tint { color, formula: None }
    }
}

/// What a tint's formula gave when it was looked at last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Given(Option<Color>);

impl Given {
    /// Looks at the newest results and says whether that changes the colour. A failed source gives none.
    pub(crate) fn step(&mut self, tint: &Tint, results: &Results, mood: Mood) -> bool {
        let id = tint.formula.filter(|_| mood != Mood::Failed);
        let before = core::mem::replace(&mut self.0, id.and_then(|id| results.color(id)));
        self.0 != before
    }

    /// The colour of `tint` now.
    pub(crate) fn color(self, tint: &Tint) -> Color {
        self.0.unwrap_or(tint.color)
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;
    use alloc::vec::Vec;

    use super::*;
    use crate::paint::{Point, Size};
    use crate::sample::{SourceId, SourceState};
    use crate::scene::{Scene, Stage, Step};
    use crate::template::{Part, Template};
    use crate::tick::{Fps, Tick};
    use crate::value::Value;
    use crate::widget::{
        Align, Anchor, Direction, Figure, Look, Progress, Shape, Sparkline, Text, Transition, Weight, Widget,
    };

    #[test]
    fn what_the_formula_gives_comes_first() {
        let (red, green) = (Color::hex(0xff0000), Color::hex(0x00ff00));
        let tint = Tint { color: red, formula: Some(FormulaId(0)) };
        let (mut given, mut results) = (Given::default(), Results::new(1));
        let mut step = |value: Option<Value>, mood| {
            results.set(FormulaId(0), value);
            (given.step(&tint, &results, mood), given.color(&tint))
        };
        assert_eq!(step(None, Mood::Live), (false, red), "no value yet");
        assert_eq!(step(Some("#00ff00".into()), Mood::Live), (true, green));
        assert_eq!(step(Some("#00FF00".into()), Mood::Live), (false, green), "the same colour");
        assert_eq!(step(Some("#00ff00".into()), Mood::Stale), (false, green), "the last good one");
        assert_eq!(step(Some("no colour".into()), Mood::Live), (true, red));
        assert_eq!(step(Some("lime".into()), Mood::Live), (true, green));
        assert_eq!(step(Some("lime".into()), Mood::Failed), (true, red));
        assert_eq!(step(Some(Value::Number(1.0)), Mood::Live), (false, red));
        let fixed = Tint::from(red);
        assert!(!given.step(&fixed, &results, Mood::Live));
        assert_eq!(given.color(&fixed), red);
    }

    /// Every look with all of its colours from formulas, and one shape whose colour stands fast.
    fn stage(tint: Tint) -> Stage {
        let template = Template { parts: vec![Part::Literal("HI".into())] };
        let (weight, align) = (Weight::Bold, Align::Left);
        let direction = Direction::Right;
        let (value, transition, stroke) = (FormulaId(1), Transition::default(), None);
        let looks = [
            Look::Text(Text { template, font_size: 11.0, weight, color: tint, align }),
            Look::Progress(Progress {
                value,
                range: (0.0, 100.0),
                color: tint,
                levels: vec![],
                track: Color::hex(0x202020).into(),
                radius: 0.0,
                direction,
                transition,
            }),
            Look::Sparkline(Sparkline {
                value,
                span_ms: 1_000,
                range: None,
                color: tint,
                fill: None,
                thickness: 2.0,
                dot: true,
            }),
            Look::Shape(Shape { figure: Figure::Ellipse, fill: Some(tint), stroke }),
            Look::Shape(Shape { figure: Figure::Ellipse, fill: Some(tint.color.into()), stroke }),
        ];
        let widget = |(index, look): (usize, Look)| Widget {
            name: alloc::format!("{index}"),
            at: Point::new(0, 12 * index as i32),
            size: Size::new(20, 12),
            anchor: Anchor::TopLeft,
            z: 0,
            opacity: 1.0,
            visible: None,
            sources: vec![SourceId(0)],
            look,
        };
        let widgets = looks.into_iter().enumerate().map(widget).collect();
        let scene = Scene { size: Size::new(20, 60), background: Color::hex(0), widgets };
        Stage::new(scene, Fps::default())
    }

    /// Which of the widgets show something of exactly this colour.
    fn showing(stage: &Stage, color: Color) -> Vec<i32> {
        let has = |row: i32| {
            let pixels = (0..12).flat_map(|y| (0..20).map(move |x| (x, 12 * row + y)));
            pixels.into_iter().any(|(x, y)| stage.frame().pixel(Point::new(x, y)) == Some(color))
        };
        (0..5).filter(|row| has(*row)).collect()
    }

    #[test]
    fn every_look_follows_its_formulas_and_paints_nothing_else() {
        let (red, green) = (Color::hex(0xff0000), Color::hex(0x00ff00));
        let mut stage = stage(Tint { color: red, formula: Some(FormulaId(0)) });
        let mut results = Results::new(2);
        results.set(FormulaId(1), Some(Value::Number(100.0)));
        let mut tick = 0;
        let mut step = |stage: &mut Stage, results: &Results, state: SourceState| {
            let (now_ms, states) = (1_000, &[state][..]);
            stage.step(&Step { tick: Tick(tick), now_ms, results, poses: &[], states });
            tick += 1;
            stage.paint().to_vec()
        };
        step(&mut stage, &results, SourceState::Live);
        assert_eq!(showing(&stage, red), [0, 1, 2, 3, 4], "without a value, the fixed colour");
        results.set(FormulaId(0), Some("#00ff00".into()));
        let damage = step(&mut stage, &results, SourceState::Live);
        assert_eq!((showing(&stage, green), showing(&stage, red)), (vec![0, 1, 2, 3], vec![4]));
        assert!(damage.iter().all(|rect| rect.bottom() <= 48), "{damage:?}");
        assert!(step(&mut stage, &results, SourceState::Live).is_empty(), "the same colour costs nothing");
        for _ in 0..20 {
            step(&mut stage, &results, SourceState::Stale);
        }
        assert_eq!((showing(&stage, green), showing(&stage, red)), (vec![], vec![4]), "faded");
    }
}
