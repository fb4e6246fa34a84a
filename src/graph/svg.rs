//! Graphs as pictures.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fmt::{self, Write as _};
use std::time::Duration;

use engine::template::Format;
use engine::value::Value;

use super::dot::samples;
use super::layout::{self, Layout, Size};
use super::{Graph, Kind, Node, shortened};

/// The most nodes in a picture: more cannot be overlooked.
pub const NODES_DRAWN: usize = 1_000;

/// How a picture looks, in light and dark. It is a part of each picture, and of the studio's page.
pub const STYLE: &str = include_str!("graph.css");

/// A graph that is too large to be drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLarge(usize);

impl fmt::Display for TooLarge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let TooLarge(nodes) = self;
        write!(
            f,
            "this graph has {nodes} nodes, and a picture at most {NODES_DRAWN}: take json, dot or mermaid"
        )
    }
}

impl Error for TooLarge {}

/// The room around everything, in pixels.
const MARGIN: f64 = 24.0;
/// The room between a node's edge and what is written in it.
const PADDING: f64 = 12.0;
/// Where a name begins, behind its mark.
const INDENT: f64 = 34.0;
const WIDTHS: (f64, f64) = (112.0, 264.0);
/// The height of a node of one line and of two.
const HEIGHTS: (f64, f64) = (32.0, 50.0);
const NAME_SHOWN: usize = 28;
const VALUE_SHOWN: usize = 14;
const LEGEND: f64 = 40.0;

impl Graph {
    /// The graph as a picture, an SVG document that follows the viewer's light or dark. Keys that nothing
    /// uses are left out.
    ///
    /// # Errors
    /// [`TooLarge`].
    pub fn svg(&self, title: &str) -> Result<String, TooLarge> {
        let drawn = self.without_idle_keys();
        if drawn.nodes.len() > NODES_DRAWN {
            return Err(TooLarge(drawn.nodes.len()));
        }
        let boxes: Vec<Drawn<'_>> = drawn.nodes.iter().map(Drawn::new).collect();
        let sizes: Vec<Size> = boxes.iter().map(|drawn| drawn.size).collect();
        let links = drawn.links();
        let layout = layout::lay_out(&sizes, &links);
        let kinds: Vec<Kind> =
            Kind::ALL.into_iter().filter(|kind| drawn.nodes.iter().any(|node| node.kind == *kind)).collect();
        let width = layout.width.max(legend_width(&kinds)) + 2.0 * MARGIN;
        let height = layout.height + LEGEND + 2.0 * MARGIN;
        let title = escaped(&format!("What depends on what: {title}"));
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"graph\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{title}\">\n<title>{title}</title>\n\
             <style>\n{STYLE}</style>\n<rect class=\"ground\" width=\"{width}\" height=\"{height}\"/>\n\
             <g transform=\"translate({MARGIN} {MARGIN})\">\n"
        );
        svg += &drawn.edges_drawn(&links, &layout);
        for (drawn, (x, y)) in boxes.iter().zip(&layout.nodes) {
            svg += &drawn.draw(*x, *y);
        }
        svg += &legend(&kinds, layout.height + LEGEND - 8.0);
        Ok(svg + "</g>\n</svg>\n")
    }

    /// The same without the keys that nothing needs, of which their sources say how many there are, and without
    /// scripts' functions that nothing calls.
    pub(super) fn without_idle_keys(&self) -> Graph {
        let needed: BTreeSet<&str> = self.edges.iter().map(|edge| edge.from.as_str()).collect();
        // Handlers go by their file's name, which has a point. They are there for what they do.
        let is_function = |id: &str| id.starts_with("script:") && !id.contains('.');
        let is_idle = |id: &str| (id.starts_with("key:") || is_function(id)) && !needed.contains(id);
        let mut unused: BTreeMap<&str, usize> = BTreeMap::new();
        for edge in self.edges.iter().filter(|edge| is_idle(&edge.to)) {
            *unused.entry(edge.from.as_str()).or_default() += 1;
        }
        let mut drawn = self.clone();
        drawn.nodes.retain(|node| !is_idle(&node.id));
        drawn.edges.retain(|edge| !is_idle(&edge.to));
        for node in drawn.nodes.iter_mut().filter(|node| node.kind == Kind::Source) {
            if let Some(unused) = unused.get(node.id.as_str()).copied() {
                let unused = format!("{unused} unused {}", if unused == 1 { "key" } else { "keys" });
                node.detail = Some(match &node.detail {
                    Some(detail) => format!("{detail} \u{b7} {unused}"),
                    None => unused,
                });
            }
        }
        drawn
    }

    fn edges_drawn(&self, links: &[(usize, usize)], layout: &Layout) -> String {
        let mut svg = String::from("<g class=\"edges\">\n");
        for ((from, to), way) in links.iter().zip(&layout.ways) {
            let (from, to) = (escaped(&self.nodes[*from].id), escaped(&self.nodes[*to].id));
            // Writing to a String cannot fail.
            let _ = writeln!(
                svg,
                "<path class=\"edge\" data-from=\"{from}\" data-to=\"{to}\" d=\"{}\"/>",
                path(way)
            );
        }
        let mut tips: Vec<(f64, f64)> = layout.ways.iter().filter_map(|way| way.last().copied()).collect();
        tips.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        tips.dedup();
        for (x, y) in tips {
            let _ = writeln!(svg, "<path class=\"tip\" d=\"M{} {}l-6 -3.5v7z\"/>", x, y);
        }
        svg + "</g>\n"
    }
}

/// A smooth line through points, level in each of them; it ends below its tip.
fn path(way: &[(f64, f64)]) -> String {
    let Some(((x, y), rest)) = way.split_first() else { return String::new() };
    let mut path = format!("M{x} {y}");
    let (mut x, mut y) = (*x, *y);
    for (index, (to_x, to_y)) in rest.iter().enumerate() {
        let end = if index + 1 == rest.len() { to_x - 5.0 } else { *to_x };
        let _ = if y == *to_y {
            write!(path, "H{end}")
        } else {
            // A way back, as in a cycle, swings out.
            let bend = if end > x { (end - x) / 2.0 } else { 60.0 };
            write!(path, "C{} {y} {} {to_y} {end} {to_y}", x + bend, end - bend)
        };
        (x, y) = (end, *to_y);
    }
    path
}

/// A node and what is written in it.
struct Drawn<'a> {
    node: &'a Node,
    size: Size,
    name: String,
    now: String,
    below: String,
    cost: String,
}

impl<'a> Drawn<'a> {
    fn new(node: &'a Node) -> Drawn<'a> {
        let name = shortened(&shown_name(node), NAME_SHOWN);
        let now = node.value.as_ref().map(short).unwrap_or_default();
        let cost = node.cost.map(time).or(node.steps.map(super::steps)).unwrap_or_default();
        let formula = node.error.as_ref().or(node.formula.as_ref()).or(node.detail.as_ref());
        let mut below = formula.cloned().or_else(|| node.samples.map(samples)).unwrap_or_default();
        let room = |text: &str, size: f64| if text.is_empty() { 0.0 } else { PADDING + measured(text, size) };
        // A value may become longer than it is now.
        let room_now = if node.state.is_some() { room(&now, 13.0).max(72.0) } else { 0.0 };
        let first = INDENT + measured(&name, 13.5) + room_now + PADDING;
        let is_mono = node.formula.is_some() && node.error.is_none();
        let letter = if is_mono { 6.8 } else { 6.0 };
        let second = PADDING * 2.0 + below.chars().count() as f64 * letter + room(&cost, 11.0);
        let width = first.max(second).clamp(WIDTHS.0, WIDTHS.1).max(first.min(WIDTHS.1 + 60.0)).ceil();
        let letters = (width - PADDING * 2.0 - room(&cost, 11.0)) / letter;
        below = shortened(&below, letters.max(4.0) as usize);
        let height = if below.is_empty() { HEIGHTS.0 } else { HEIGHTS.1 };
        let (is_last, is_near) = (node.kind == Kind::Widget, node.kind == Kind::Script);
        let size = Size { width, height, is_last, is_near };
        Drawn { node, size, name, now, below, cost }
    }

    fn draw(&self, x: f64, y: f64) -> String {
        let Drawn { node, size: Size { width, height, .. }, .. } = self;
        let mut classes = node.kind.name().to_owned();
        if node.error.is_some() {
            classes += " wrong";
        } else if node.state.is_some_and(|state| state != "live") {
            classes += " stale";
        }
        let mut svg = format!(
            "<g class=\"node {classes}\" data-id=\"{}\" transform=\"translate({x} {y})\">\n<title>{}</title>\n\
             <rect class=\"box\" x=\".5\" y=\".5\" width=\"{}\" height=\"{}\" rx=\"8\"/>\n\
             <path class=\"mark\" transform=\"translate(12 10)\" d=\"{}\"/>\n\
             <text class=\"name\" x=\"{INDENT}\" y=\"21\">{}</text>\n",
            escaped(&node.id),
            escaped(&super::dot::label(node, "\n")),
            width - 1.0,
            height - 1.0,
            mark(node.kind),
            escaped(&self.name),
        );
        let right = width - PADDING;
        if node.state.is_some() {
            let _ = writeln!(svg, "<text class=\"now\" x=\"{right}\" y=\"21\">{}</text>", escaped(&self.now));
        }
        if !self.below.is_empty() {
            let is_formula = node.formula.is_some() && node.error.is_none();
            let class = if is_formula { "formula" } else { "detail" };
            let below = escaped(&self.below);
            let _ = writeln!(svg, "<text class=\"{class}\" x=\"{PADDING}\" y=\"39\">{below}</text>");
        }
        if !self.cost.is_empty() {
            let cost = escaped(&self.cost);
            let _ = writeln!(svg, "<text class=\"cost\" x=\"{right}\" y=\"39\">{cost}</text>");
        }
        svg + "</g>\n"
    }
}

/// A widget without a name of its own goes by its look.
fn shown_name(node: &Node) -> String {
    let number = node.name.strip_prefix('#').and_then(|number| number.parse::<usize>().ok());
    match (number, &node.detail) {
        (Some(number), Some(look)) if node.kind == Kind::Widget => format!("{look} {}", number + 1),
        _ => node.name.clone(),
    }
}

/// What each kind is marked with, in a square of 12 pixels: they differ in shape, not in colour alone.
fn mark(kind: Kind) -> &'static str {
    match kind {
        Kind::Source => "M1.5 3c0-2 9-2 9 0v6.5c0 2-9 2-9 0zc0 2 9 2 9 0",
        Kind::Key => "M6 1 11 6 6 11 1 6z",
        Kind::Window => "M1 2.5h10v7.5h-10zM4.3 2.5v7.5M7.7 2.5v7.5",
        Kind::Script => "M4 2 1 6l3 4M8 2l3 4-3 4",
        Kind::Value => "M1.5 4h9M1.5 8h9",
        Kind::Template => "M2 2h8M6 2v8.5",
        Kind::Signal => "M1 11V8.5M4.5 11V6M8 11V3.5M11.5 11V1",
        Kind::Trigger => "M7 .5 2.5 6.5h3.5l-1 5 4.5-6.5h-3.5z",
        Kind::Animation => "M.5 6c1.8-6 3.7-6 5.5 0s3.7 6 5.5 0",
        Kind::Widget => "M1 1.5h10v9h-10zM1 4.5h10",
    }
}

fn legend_width(kinds: &[Kind]) -> f64 {
    kinds.iter().map(|kind| legend_room(*kind)).sum()
}

fn legend_room(kind: Kind) -> f64 {
    (20.0 + measured(kind.name(), 11.0) + 22.0).ceil()
}

fn legend(kinds: &[Kind], y: f64) -> String {
    let mut svg = String::from("<g class=\"legend\">\n");
    let mut x = 0.0;
    for kind in kinds {
        let (name, mark, top) = (kind.name(), mark(*kind), y - 10.0);
        let _ = writeln!(
            svg,
            "<path class=\"mark {name}\" transform=\"translate({x} {top})\" d=\"{mark}\"/>\
             <text x=\"{}\" y=\"{y}\">{name}</text>",
            x + 20.0
        );
        x += legend_room(*kind);
    }
    svg + "</g>\n"
}

/// About how wide a text is in a sans-serif type, which the viewer's machine chooses.
fn measured(text: &str, size: f64) -> f64 {
    let width = |c: char| match c {
        'i' | 'j' | 'l' | 'I' | '.' | ',' | '\'' | ':' | '|' | '!' | ' ' | '(' | ')' | '[' | ']' => 0.36,
        'm' | 'w' | 'M' | 'W' | '@' | '%' => 0.92,
        'A'..='Z' | '#' | '_' => 0.68,
        c if c.is_ascii() => 0.60,
        c if u32::from(c) < 0x1100 => 0.64,
        _ => 1.0,
    };
    text.chars().map(width).sum::<f64>() * size
}

/// A value in a few characters.
fn short(value: &Value) -> String {
    let Value::Number(number) = value else { return shortened(&value.to_string(), VALUE_SHOWN) };
    let is_whole = number.trunc() == *number && number.abs() < 1e9;
    let mut shown = String::new();
    if let Ok(format) = Format::parse(if is_whole { "d" } else { ".5g" }, 0) {
        format.write(Some(value), &mut shown);
    }
    shown
}

/// `850 ns`, `1.2 µs`.
fn time(cost: Duration) -> String {
    match cost.as_nanos() {
        nanos @ 0..1_000 => format!("{nanos} ns"),
        nanos @ 1_000..10_000 => format!("{:.1} \u{b5}s", nanos as f64 / 1e3),
        nanos @ 10_000..1_000_000 => format!("{} \u{b5}s", nanos / 1_000),
        nanos => format!("{:.1} ms", nanos as f64 / 1e6),
    }
}

/// A text inside a document or an attribute. XML has no control characters at all.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' => escaped.push_str("&#10;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}
