//! The stage as a whole: painting in pieces, now and then, and in any order of events.

use alloc::string::String;
use alloc::vec::Vec;

use proptest::prelude::*;

use super::*;
use crate::animation::Pose;
use crate::effect::easing::Easing;
use crate::formula::{FormulaId, Results};
use crate::paint::{Point, Rect, damage, picture};
use crate::sample::{SourceId, SourceState};
use crate::template::{Format, Part, Style, Template};
use crate::tick::{Fps, Tick};
use crate::value::Value;
use crate::widget::{
    Align, Anchor, Direction, Figure, Look, Progress, Shape, Sparkline, Stroke, Text, Transition, Weight,
    Widget, WidgetId,
};

const SIZE: Size = Size::new(48, 40);
const FORMULAS: u32 = 4;

fn widget(name: &str, rect: Rect, look: Look) -> Widget {
    let Rect { at, size } = rect;
    let (z, opacity, visible, sources) = (0, 1.0, None, alloc::vec![SourceId(0)]);
    Widget { name: name.into(), at, size, anchor: Anchor::TopLeft, z, opacity, visible, sources, look }
}

fn text(literal: &str, value: u32, font_size: f64) -> Look {
    let formula = Part::Formula(
        FormulaId(value),
        Format { precision: Some(0), style: Style::Fixed, ..Format::default() },
    );
    let template = Template { parts: alloc::vec![Part::Literal(literal.into()), formula] };
    Look::Text(Text { template, font_size, weight: Weight::Regular, color: WHITE.into(), align: Align::Left })
}

fn bar(value: u32) -> Progress {
    let transition = Transition { duration: 4, easing: Easing::Linear };
    let (color, track) = (WHITE.into(), Color::hex(0x404040).into());
    let (range, direction) = ((0.0, 100.0), Direction::Right);
    let value = FormulaId(value);
    Progress { value, range, color, levels: Vec::new(), track, radius: 2.0, direction, transition }
}

fn sparkline(value: u32) -> Sparkline {
    let (color, fill) = (WHITE.into(), Some(WHITE.with_alpha(64).into()));
    let value = FormulaId(value);
    Sparkline { value, span_ms: 10_000, range: None, color, fill, thickness: 1.5, dot: true }
}

fn rectangle(color: Color) -> Look {
    let figure = Figure::Rectangle { radius: 0.0 };
    Look::Shape(Shape { figure, fill: Some(color.into()), stroke: None })
}

const WHITE: Color = Color::rgb(255, 255, 255);

fn scene(widgets: Vec<Widget>) -> Scene {
    Scene { size: SIZE, background: Color::hex(0x000000), widgets }
}

/// A stage with its inputs, for tests that tell a story.
struct Story {
    stage: Stage,
    tick: u64,
    now_ms: i64,
    results: Results,
    poses: Vec<Pose>,
    states: Vec<SourceState>,
}

impl Story {
    fn new(widgets: Vec<Widget>) -> Story {
        let stage = Stage::new(scene(widgets), Fps::default());
        let results = Results::new(FORMULAS as usize);
        Story {
            stage,
            tick: 0,
            now_ms: 0,
            results,
            poses: Vec::new(),
            states: alloc::vec![SourceState::Live],
        }
    }

    fn set(&mut self, formula: u32, value: f64) {
        self.results.set(FormulaId(formula), Some(Value::Number(value)));
    }

    /// Takes a tick and paints it.
    fn step(&mut self) -> Vec<Rect> {
        let (tick, now_ms) = (Tick(self.tick), self.now_ms);
        let (results, poses, states) = (&self.results, &self.poses[..], &self.states[..]);
        self.stage.step(&Step { tick, now_ms, results, poses, states });
        self.tick += 1;
        self.now_ms += 16;
        self.stage.paint().to_vec()
    }

    fn picture(&self, rect: Rect) -> String {
        picture::of(self.stage.frame(), rect)
    }
}

#[test]
fn an_unchanged_tick_damages_nothing() {
    let looks =
        [text("a ", 0, 11.0), Look::Progress(bar(1)), Look::Sparkline(sparkline(2)), rectangle(WHITE)];
    let widgets = looks.into_iter().enumerate();
    let widgets =
        widgets.map(|(row, look)| widget("w", Rect::new(2, row as i32 * 10, 40, 8), look)).collect();
    let mut story = Story::new(widgets);
    (0..3).for_each(|formula| story.set(formula, 42.0));
    assert_eq!(story.step(), [Rect::new(0, 0, 48, 40)], "everything is new");
    // The bar comes to rest, and the sparkline fills: ten seconds.
    (0..640).for_each(|_| drop(story.step()));
    for _ in 0..120 {
        assert_eq!(story.step(), [], "a constant value shifts through the sparkline without a change");
    }
    story.set(1, 43.0);
    story.step();
    let moved = story.step();
    assert!(moved.len() == 1 && moved[0].area() < 8 * 10, "only the bar's end: {moved:?}");
}

#[test]
fn higher_widgets_are_in_front_and_equal_ones_go_by_name() {
    let layer = |name: &str, x: i32, z: i32, grey: u8| {
        let look = rectangle(Color::rgb(grey, grey, grey));
        Widget { z, ..widget(name, Rect::new(x, 0, 6, 3), look) }
    };
    let mut story =
        Story::new(alloc::vec![layer("b", 0, 0, 255), layer("a", 3, 0, 60), layer("c", 6, -1, 140)]);
    story.step();
    insta::assert_snapshot!(story.picture(Rect::new(0, 0, 14, 3)), @r"
    @@@@@@---+++..
    @@@@@@---+++..
    @@@@@@---+++..
    ");
}

#[test]
fn anchors_poses_and_conditions_place_a_widget() {
    let mut shape = widget("w", Rect::new(6, 3, 4, 2), rectangle(WHITE));
    (shape.anchor, shape.visible) = (Anchor::Center, Some(FormulaId(0)));
    let mut story = Story::new(alloc::vec![shape]);
    let part = Rect::new(0, 0, 12, 6);
    story.step();
    let empty = story.picture(part);
    story.set(0, 1.0);
    assert_eq!(story.step(), [Rect::new(4, 2, 4, 2)]);
    insta::assert_snapshot!(story.picture(part), @r"
    ............
    ............
    ....@@@@....
    ....@@@@....
    ............
    ............
    ");
    story.poses = alloc::vec![Pose { x: 2.5, y: -1.5, opacity: 0.5 }];
    assert_eq!(story.step(), [Rect::new(4, 1, 7, 3)], "from where it was to where it is");
    insta::assert_snapshot!(story.picture(part), @r"
    ............
    .......++++.
    .......++++.
    ............
    ............
    ............
    ");
    story.poses = alloc::vec![Pose { x: f64::NAN, y: f64::INFINITY, opacity: 1.0 }];
    story.step();
    assert_eq!(story.picture(part), empty, "far away");
    story.poses.clear();
    story.step();
    story.results.set(FormulaId(0), None);
    story.step();
    assert_eq!(story.picture(part), empty, "a condition without a value does not hold");
}

#[test]
fn old_and_missing_values_have_looks_of_their_own() {
    let widgets = alloc::vec![
        widget("text", Rect::new(1, 1, 30, 9), text("T ", 0, 11.0)),
        widget("bar", Rect::new(1, 15, 30, 4), Look::Progress(bar(0))),
        widget("line", Rect::new(1, 21, 30, 9), Look::Sparkline(sparkline(0))),
    ];
    let mut story = Story::new(widgets);
    let part = Rect::new(0, 0, 32, 31);
    story.step();
    insta::assert_snapshot!(story.picture(part), @r"
    ................................
    .=xxxxx+........................
    .:::x-::........................
    ...:x:..........................
    ...:x:..........................
    ...:x:.....*****=...............
    ...:x:.....::::::...............
    ...:x:..........................
    ...:x:..........................
    ................................
    ................................
    ................................
    ................................
    ................................
    ................................
    .:----------------------------:.
    .------------------------------.
    .------------------------------.
    .:----------------------------:.
    ................................
    ................................
    ................................
    ................................
    ................................
    ................................
    .=...=...=...=...=...=...=...=..
    ................................
    ................................
    ................................
    ................................
    ................................
    ");
    for value in [60.0, 20.0, 80.0, 60.0, 60.0] {
        story.set(0, value);
        for _ in 0..62 {
            story.step();
        }
    }
    insta::assert_snapshot!(story.picture(part), @r"
    ..............::.....:..........
    .+@@@@@*....:x%%=..-x%%-........
    .:::@-::....x+:=%::x+:=%:.......
    ...:@-.....:%:-:::-%:.:%=.......
    ...:@-.....-%x%%+.=%...x=.......
    ...:@-.....=@=.-%-=x...x=.......
    ...:@-.....-%:.:%--%:.:%=.......
    ...:@-.....:%+:=%::x+:=%:.......
    ...:@-......-%%%=..-%%%-........
    ..............:......:..........
    ................................
    ................................
    ................................
    ................................
    ................................
    .+%@@@@@@@@@@@@@@%+-----------:.
    .%@@@@@@@@@@@@@@@@%------------.
    .%@@@@@@@@@@@@@@@@%------------.
    .+%@@@@@@@@@@@@@@%+-----------:.
    ................................
    ................................
    ................................
    ....................-.......-...
    ...................+@x+:..:x@x:.
    ..............-%-.-@xx@%%%%@@@+.
    ..............:%%:x%--=****@@@=.
    ...............=@*@=-------*x+..
    ...............:+@+::::::::::...
    ...............::=:::::::::::...
    ...............::::::::::::::...
    ................................
    ");
    story.states[0] = SourceState::Stale;
    (0..100).for_each(|_| drop(story.step()));
    insta::assert_snapshot!(story.picture(part), @r"
    ..............::.....:..........
    .=xxxxx+....:*x*-..:*x*-........
    .:::x-::....+=:-x::*=:=*:.......
    ...:x:.....:x:::::-x:.:*-.......
    ...:x:.....-*+*x=.-*...*=.......
    ...:x:.....-x-.-x:-*...*=.......
    ...:x:.....-x:.:*--x:.:*-.......
    ...:x:.....:*=:=x::*=:=*:.......
    ...:x:......-*x*-..-*x*-........
    ..............:......:..........
    ................................
    .x..x..x..x..x..x..x..x.........
    ................................
    ................................
    ................................
    .=*x-xxx-xxx-xxx-*+-----------:.
    .*xx-xxx-xxx-xxx-x*------------.
    .*xx-xxx-xxx-xxx-x*------------.
    .=*x-xxx-xxx-xxx-*+-----------:.
    ................................
    ................................
    ................................
    ...............-......:.........
    ..............=x*=:.:***:.......
    .........-*-.-x+*xx*==:==.......
    .........:**:**-:-++=*-+=.......
    ..........-x+x=::::::+*=........
    ..........:=x=:::::::::.........
    ..........::-::::::::::.........
    ..........:::::::::::::.........
    ................................
    ");
    story.states[0] = SourceState::Failed;
    (0..20).for_each(|_| drop(story.step()));
    insta::assert_snapshot!(story.picture(part), @r"
    ................................
    .=xxxxx+........................
    .:::x-::........................
    ...:x:..........................
    ...:x:..........................
    ...:x:.....*****=...............
    ...:x:.....::::::...............
    ...:x:..........................
    ...:x:..........................
    ................................
    ................................
    ................................
    ................................
    ................................
    ................................
    .:----------------------------:.
    .------------------------------.
    .------------------------------.
    .:----------------------------:.
    ................................
    ................................
    ................................
    ..............-......:..........
    .............=x*=:.:***:........
    ........-*-.-x+*xx*==:==........
    ........:**:**-:-++=*-+=........
    .........-x+x=::::::+*=.........
    .........:=x=:::::::::..........
    .........::-::::::::::..........
    .........:::::::::::::..........
    ................................
    ");
}

#[test]
fn history_is_there_at_the_first_frame() {
    let widgets = alloc::vec![widget("line", Rect::new(0, 0, 32, 10), Look::Sparkline(sparkline(0)))];
    let mut story = Story::new(widgets);
    story.now_ms = 10_000;
    let points: Vec<(i64, f64)> = (0..20).map(|index| (index * 500, (index % 5) as f64)).collect();
    story.stage.fill_series(WidgetId(0), &points);
    story.stage.fill_series(WidgetId(7), &points);
    story.set(0, 2.0);
    story.step();
    insta::assert_snapshot!(story.picture(Rect::new(0, 0, 32, 10)), @r"
    ................................
    .....-......-.......-......-....
    ...-x@-....+@=....-x@-....+@+...
    ..=@%@+...+@%*...=@%@+...+@*@@*.
    .=%x-%*.-x@**@:.=%x-%*.-x@*+@@@+
    *@x=-x%:x%=--@+*@x=-x%:x%=-+@@@+
    @*---+@%@=---x%@*---+@%@=---x@*.
    :::::=@x=::::=@+::::=@x=::::::..
    ::::::=:::::::=::::::=::::::::..
    ::::::::::::::::::::::::::::::..
    ");
}

#[test]
fn a_size_of_nothing_and_places_at_the_end_of_the_world_are_no_trouble() {
    let looks =
        || [text("x", 0, 300.0), Look::Progress(bar(0)), Look::Sparkline(sparkline(0)), rectangle(WHITE)];
    let corners = [i32::MIN, -1, i32::MAX];
    let sizes = [0, 1, u32::MAX];
    let mut widgets = Vec::new();
    for (at, size) in corners.into_iter().flat_map(|at| sizes.map(|size| (at, size))) {
        widgets.extend(looks().map(|look| widget("w", Rect::new(at, at, size, size.min(4_000)), look)));
    }
    let mut story = Story::new(widgets);
    story.set(0, 1e300);
    story.step();
    story.poses = alloc::vec![Pose { x: 1e300, y: -1e300, opacity: -1.0 }; 12];
    story.step();
}

fn any_look() -> impl Strategy<Value = Look> {
    let formula = 0..FORMULAS;
    let color = prop_oneof![Just(WHITE.into()), Just(Color::hex(0x4cc9f0).with_alpha(120).into())];
    let direction = prop_oneof![
        Just(Direction::Right),
        Just(Direction::Left),
        Just(Direction::Up),
        Just(Direction::Down)
    ];
    let align = prop_oneof![Just(Align::Left), Just(Align::Center), Just(Align::Right)];
    let figure = prop_oneof![
        (0.0..9.0f64).prop_map(|radius| Figure::Rectangle { radius }),
        Just(Figure::Ellipse),
        any::<bool>().prop_map(|rising| Figure::Line { rising }),
    ];
    let stroke = prop::option::of((color.clone(), 0.5..4.0f64));
    prop_oneof![
        (formula.clone(), "[a-zA-Z ]{0,6}", 8.0..16.0f64, align).prop_map(|(value, literal, size, align)| {
            match text(&literal, value, size) {
                Look::Text(text) => Look::Text(Text { align, ..text }),
                other => other,
            }
        }),
        (formula.clone(), direction, 0.0..9.0f64, color.clone()).prop_map(
            |(value, direction, radius, color)| {
                let levels = alloc::vec![(60.0, Color::hex(0xffb454))];
                Look::Progress(Progress { direction, radius, color, levels, ..bar(value) })
            }
        ),
        (formula, any::<bool>(), 0.5..5.0f64, prop::option::of(Just((0.0, 100.0)))).prop_map(
            |(value, dot, thickness, range)| Look::Sparkline(Sparkline {
                dot,
                thickness,
                range,
                ..sparkline(value)
            })
        ),
        (figure, prop::option::of(color), stroke).prop_map(|(figure, fill, stroke)| {
            let stroke = stroke.map(|(color, thickness)| Stroke { color, thickness });
            Look::Shape(Shape { figure, fill, stroke })
        }),
    ]
}

fn any_widget() -> impl Strategy<Value = Widget> {
    let rect = (-6..46i32, -6..38i32, 0..40u32, 0..24u32).prop_map(|(x, y, w, h)| Rect::new(x, y, w, h));
    let opacity = prop_oneof![3 => Just(1.0), 1 => 0.0..1.0f64];
    let visible = prop::option::weighted(0.2, (0..FORMULAS).prop_map(FormulaId));
    ("[abc]", rect, any_look(), -1..2i32, opacity, visible, 0..3u16).prop_map(
        |(name, rect, look, z, opacity, visible, source)| {
            let sources = if source == 2 { Vec::new() } else { alloc::vec![SourceId(source)] };
            Widget { z, opacity, visible, sources, ..widget(&name, rect, look) }
        },
    )
}

/// What one tick brings, as far as it differs from the tick before.
#[derive(Clone, Debug)]
struct Change {
    value: Option<(u32, Option<f64>)>,
    pose: Option<(usize, Pose)>,
    state: Option<(usize, SourceState)>,
    passed_ms: i64,
    painted: bool,
}

fn any_change() -> impl Strategy<Value = Change> {
    let number = prop_oneof![4 => 0.0..120.0f64, 1 => Just(0.0), 1 => Just(-1e300)];
    let value = prop::option::weighted(0.4, (0..FORMULAS, prop::option::weighted(0.9, number)));
    let opacity = prop_oneof![Just(1.0), Just(0.0), 0.0..1.0f64];
    let pose = (-20.0..20.0f64, -20.0..20.0f64, opacity).prop_map(|(x, y, opacity)| Pose { x, y, opacity });
    let state = prop::sample::select(SourceState::ALL.to_vec());
    let passed_ms = prop_oneof![8 => Just(16i64), 2 => 17..3_000i64, 1 => Just(9_000), 1 => Just(-500)];
    let pose = prop::option::weighted(0.2, (0..5usize, pose));
    (value, pose, prop::option::weighted(0.1, (0..2usize, state)), passed_ms, any::<bool>()).prop_map(
        |(value, pose, state, passed_ms, painted)| Change { value, pose, state, passed_ms, painted },
    )
}

std::thread_local! {
    /// How many calls the guard lets pass before one fails, and how many fail then.
    static FAULTS: core::cell::Cell<(usize, usize)> = const { core::cell::Cell::new((usize::MAX, 0)) };
}

/// Does all of its work before it fails, so that pixels of what failed are left behind.
fn faulty(run: &mut dyn FnMut()) -> bool {
    let (pass, fail) = FAULTS.get();
    run();
    match pass {
        0 if fail > 0 => FAULTS.set((0, fail - 1)),
        0 => return true,
        _ => FAULTS.set((pass - 1, fail)),
    }
    pass > 0
}

/// Two rectangles beside each other, of which the first one changes with formula 0.
fn pair() -> Story {
    let left = Widget { visible: Some(FormulaId(0)), ..widget("l", Rect::new(0, 0, 6, 4), rectangle(WHITE)) };
    let right = widget("r", Rect::new(6, 0, 3, 4), rectangle(Color::hex(0x404040)));
    let mut story = Story::new(alloc::vec![left, right]);
    story.stage = story.stage.guarded(faulty);
    story.set(0, 1.0);
    story
}

#[test]
fn a_widget_that_fails_in_a_step_is_a_box_ever_after() {
    let mut story = pair();
    story.step();
    FAULTS.set((0, 1));
    story.step();
    FAULTS.set((usize::MAX, 0));
    assert_eq!(story.stage.broken().collect::<Vec<_>>(), [WidgetId(0)]);
    let part = Rect::new(0, 0, 10, 4);
    let broken = story.picture(part);
    insta::assert_snapshot!(broken, @r"
    ======---.
    =:====---.
    =:====---.
    ======---.
    ");
    story.set(0, 0.0);
    assert_eq!(story.step(), [], "it takes no more steps");
    assert_eq!(story.picture(part), broken);
    let mut restored = Stage::new(story.stage.scene().clone(), Fps::default());
    restored.restore(&story.stage.memory());
    restored.paint();
    assert_eq!(restored.frame(), story.stage.frame(), "and is remembered");
}

#[test]
fn a_widget_that_fails_in_painting_is_a_box_until_it_changes() {
    // The first painting calls the guard for both widgets, to compare and to paint.
    for (call, widget) in [(0, 0), (1, 1), (2, 0), (3, 1)] {
        let mut story = pair();
        let (tick, now_ms) = (Tick(0), 0);
        let (results, poses, states) = (&story.results, &story.poses[..], &story.states[..]);
        FAULTS.set((usize::MAX, 0));
        story.stage.step(&Step { tick, now_ms, results, poses, states });
        let mut well = story.stage.clone();
        FAULTS.set((call, 1));
        story.stage.paint();
        FAULTS.set((usize::MAX, 0));
        well.paint();
        assert_eq!(story.stage.broken().collect::<Vec<_>>(), [WidgetId(widget)], "call {call}");
        for rect in damage::diff(story.stage.frame(), well.frame(), 0) {
            let box_at = [Rect::new(0, 0, 6, 4), Rect::new(6, 0, 3, 4)][widget as usize];
            assert_eq!(rect.intersection(&box_at), rect, "call {call}: the other one is not touched");
        }
        story.tick = 1;
        story.set(0, 0.0);
        story.step();
        story.set(0, 1.0);
        story.step();
        let broken: Vec<_> = story.stage.broken().collect();
        let expected: &[WidgetId] = if widget == 0 { &[] } else { &[WidgetId(1)] };
        assert_eq!(broken, expected, "call {call}: tried again where it changed");
    }
}

#[test]
fn when_everything_fails_there_are_boxes() {
    let mut story = pair();
    FAULTS.set((0, usize::MAX));
    story.step();
    FAULTS.set((usize::MAX, 0));
    assert_eq!(story.stage.broken().count(), 2);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// The promise of the stage: a frame depends on what was stepped alone, and damage is complete.
    #[test]
    fn painting_in_pieces_or_seldom_gives_the_same_pixels(
        widgets in prop::collection::vec(any_widget(), 0..5),
        changes in prop::collection::vec(any_change(), 1..40),
    ) {
        let mut story = Story::new(widgets);
        story.poses = alloc::vec![Pose::REST; 5];
        story.states = alloc::vec![SourceState::Live; 2];
        let mut seldom = story.stage.clone();
        for change in changes {
            if let Some((formula, value)) = change.value {
                story.results.set(FormulaId(formula), value.map(Value::Number));
            }
            if let Some((widget, pose)) = change.pose {
                story.poses[widget] = pose;
            }
            if let Some((source, state)) = change.state {
                story.states[source] = state;
            }
            story.now_ms += change.passed_ms - 16;
            let (tick, now_ms) = (Tick(story.tick), story.now_ms);
            let (results, poses, states) = (&story.results, &story.poses[..], &story.states[..]);
            seldom.step(&Step { tick, now_ms, results, poses, states });
            let before = story.stage.frame().clone();
            let painted = story.step();
            for rect in damage::diff(&before, story.stage.frame(), 0) {
                for at in (0..rect.area()).map(|index| {
                    let (x, y) = (index % u64::from(rect.size.width), index / u64::from(rect.size.width));
                    Point::new(rect.at.x + x as i32, rect.at.y + y as i32)
                }) {
                    let changed = before.pixel(at) != story.stage.frame().pixel(at);
                    prop_assert!(!changed || painted.iter().any(|rect| rect.contains(at)), "{:?}", at);
                }
            }
            let mut anew = story.stage.clone();
            anew.invalidate();
            anew.paint();
            prop_assert_eq!(anew.frame(), story.stage.frame(), "in pieces");
            let mut restored = Stage::new(story.stage.scene().clone(), Fps::default());
            restored.restore(&story.stage.memory());
            restored.paint();
            prop_assert_eq!(restored.frame(), story.stage.frame(), "restored");
            if change.painted {
                seldom.paint();
                prop_assert_eq!(seldom.frame(), story.stage.frame(), "seldom");
            }
        }
    }
}
