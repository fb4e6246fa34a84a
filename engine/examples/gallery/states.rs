//! Widgets in every state: live, stale, failed, waiting; one value, constant, huge and negative ones.

use engine::paint::Color;
use engine::sample::SourceState;
use engine::widget::{Align, Direction, Figure, Look, Shape, Stroke, Weight};

use crate::panels::{NOW_MS, Panel, load, number, outline, text};

pub(crate) fn all() -> Vec<(&'static str, Panel)> {
    let state = |state| {
        let mut panel = widgets(state != SourceState::Connecting);
        panel.states = vec![state];
        panel
    };
    vec![
        ("live", state(SourceState::Live)),
        ("stale", state(SourceState::Stale)),
        ("failed", state(SourceState::Failed)),
        ("waiting", state(SourceState::Connecting)),
        ("sparklines", sparklines()),
        ("bars", bars()),
        ("shapes", shapes()),
        ("texts", texts()),
    ]
}

const INK: (f64, Weight, u32, Align) = (11.0, Weight::Regular, 0xf2f5fa, Align::Left);

fn widgets(present: bool) -> Panel {
    let mut panel = Panel::new(0x0b0e14);
    let p = &mut panel;
    let value = |value: f64| if present { number(value) } else { None };
    p.text((8, 8), (100, 24), (32.0, Weight::Bold, 0xf2f5fa, Align::Left), "{}", &[(value(61.5), Some(1))]);
    p.text((100, 8), (52, 10), INK, "{} °C", &[(value(61.5), Some(0))]);
    p.text(
        (100, 24),
        (52, 10),
        (11.0, Weight::Regular, 0x4cc9f0, Align::Right),
        "{} kB/s",
        &[(value(8.0), Some(0))],
    );
    let past = if present { load(3, 0.0, 100.0) } else { vec![] };
    p.line((8, 44), (144, 32), 0x4cc9f0, None, past);
    p.bar((8, 88), (144, 6), (0x4cc9f0, 0x1d2431), present.then_some(64.0), (0.0, 100.0));
    p.bar((8, 102), (144, 12), (0xffb454, 0x1d2431), present.then_some(37.0), (0.0, 100.0)).radius = 2.0;
    panel
}

fn sparklines() -> Panel {
    let mut panel = Panel::new(0x0b0e14);
    let p = &mut panel;
    let at = |second: i64| NOW_MS - 60_000 + second * 1_000;
    let pasts: [Vec<(i64, f64)>; 8] = [
        vec![(NOW_MS, 5.0)],
        vec![(at(0), 5.0), (NOW_MS, 5.0)],
        load(9, -1e300, 1e300),
        load(11, -80.0, -20.0),
        vec![
            (at(0), 1.0),
            (at(15), 3.0),
            (at(25), f64::NAN),
            (at(40), 2.0),
            (at(50), f64::NAN),
            (at(51), 3.0),
            (at(52), 1.5),
        ],
        (0..60).map(|second| (at(second), f64::from(second as u32 % 2))).collect(),
        (0..60).map(|second| (at(second), if second == 30 { 100.0 } else { 1.0 })).collect(),
        vec![],
    ];
    for (index, past) in (0..).zip(pasts) {
        let corner = (6 + index % 2 * 78, 6 + index / 2 * 30);
        p.add(corner, (70, 26), Look::Shape(outline(0x1d2431)));
        p.line(corner, (70, 26), 0x4cc9f0, None, past);
    }
    panel
}

fn bars() -> Panel {
    let mut panel = Panel::new(0x0b0e14);
    let p = &mut panel;
    for (index, value) in (0..).zip([0.0, 0.5, 1.0, 2.0, 4.0, 50.0, 96.0, 99.0, 100.0, 250.0]) {
        p.bar((6, 6 + index * 8), (96, 5), (0x4cc9f0, 0x1d2431), Some(value), (0.0, 100.0));
    }
    for (index, direction) in (0..).zip([Direction::Up, Direction::Down]) {
        let bar = p.bar((110 + index * 14, 6), (8, 76), (0xffb454, 0x1d2431), Some(60.0), (0.0, 100.0));
        bar.direction = direction;
    }
    for (index, value) in (0..).zip([10.0, 70.0, 95.0]) {
        let bar = p.bar((6, 92 + index * 12), (148, 8), (0x4cc9f0, 0x1d2431), Some(value), (0.0, 100.0));
        bar.levels = vec![(60.0, Color::hex(0xffb454)), (90.0, Color::hex(0xff5c57))];
        bar.direction = Direction::Left;
        bar.radius = 3.0;
    }
    panel
}

fn shapes() -> Panel {
    let mut panel = Panel::new(0xf6f3ec);
    let p = &mut panel;
    let stroke = |thickness| Some(Stroke { color: Color::hex(0x22252b).into(), thickness });
    let fill = Some(Color::hex(0xe8a33d).into());
    let shape = |figure, fill, stroke| Look::Shape(Shape { figure, fill, stroke });
    for (index, radius) in (0..).zip([0.0, 2.0, 4.0, 8.0, 99.0]) {
        p.add((6 + index * 30, 6), (26, 20), shape(Figure::Rectangle { radius }, fill, None));
        p.add(
            (6 + index * 30, 32),
            (26, 20),
            shape(Figure::Rectangle { radius }, fill, stroke(1.0 + radius / 4.0)),
        );
    }
    for (index, (width, height)) in (0..).zip([(26, 26), (26, 12), (8, 26), (3, 3), (26, 4)]) {
        p.add((6 + index * 30, 58), (width, height), shape(Figure::Ellipse, fill, None));
        p.add((6 + index * 30, 90), (width, height), shape(Figure::Ellipse, None, stroke(1.5)));
    }
    p.add((6, 120), (100, 1), shape(Figure::Line { rising: false }, None, stroke(1.0)));
    p.add((110, 88), (44, 34), shape(Figure::Line { rising: true }, None, stroke(1.5)));
    p.add((110, 88), (44, 34), shape(Figure::Line { rising: false }, None, stroke(4.0)));
    panel
}

fn texts() -> Panel {
    let mut panel = Panel::new(0x0b0e14);
    let p = &mut panel;
    p.text((6, 6), (148, 10), INK, "A name that is far too long to fit here", &[]);
    p.text((6, 20), (148, 10), INK, "Füße Ωμέγα Привет ñ €", &[]);
    p.text((6, 34), (148, 10), INK, "box \u{6f22}\u{5b57} and \u{1f600} here", &[]);
    p.text((6, 48), (70, 10), INK, "{}", &[(number(-1.234e300), None)]);
    p.text(
        (6, 62),
        (148, 10),
        INK,
        "{} {} {}",
        &[(number(-0.0), None), (text("\u{202e}x\ty"), None), (None, None)],
    );
    p.text((6, 76), (20, 10), INK, "cut", &[]);
    p.text((40, 76), (4, 10), INK, "cut", &[]);
    p.text((60, 76), (40, 10), (8.0, INK.1, INK.2, INK.3), "8 px type", &[]);
    p.text((6, 92), (148, 28), (40.0, Weight::Bold, 0xf2f5fa, Align::Right), "{}", &[(number(1234.0), None)]);
    panel
}
