//! Graphs for Graphviz.

use std::fmt::Write as _;

use super::{Graph, Kind, Node};

/// The longest formula in a label, in characters.
const FORMULA_SHOWN: usize = 60;

impl Graph {
    /// The graph for Graphviz, without the keys that nothing uses.
    pub fn dot(&self) -> String {
        let mut text = String::from(
            "digraph panel {\n  rankdir=LR;\n  node [shape=box, style=rounded, fontname=\"sans-serif\"];\n",
        );
        let drawn = self.without_idle_keys();
        for node in &drawn.nodes {
            let shape = shape(node.kind).map(|shape| format!(", shape={shape}")).unwrap_or_default();
            let trouble = if node.error.is_some() { ", color=red" } else { "" };
            // Writing to a String cannot fail.
            let _ = writeln!(
                text,
                "  {} [label={}{shape}{trouble}];",
                quoted(&node.id),
                quoted(&label(node, "\n"))
            );
        }
        for edge in &drawn.edges {
            let _ = writeln!(text, "  {} -> {};", quoted(&edge.from), quoted(&edge.to));
        }
        text + "}\n"
    }
}

/// What is written on a node: its name, what it is, how it is computed, what it is now.
pub(super) fn label(node: &Node, line_break: &str) -> String {
    let mut lines = vec![node.name.clone()];
    lines.push(match &node.detail {
        Some(detail) => format!("{} · {}", node.kind.name(), super::shortened(detail, FORMULA_SHOWN)),
        None => node.kind.name().into(),
    });
    lines.extend(node.formula.iter().map(|formula| super::shortened(formula, FORMULA_SHOWN)));
    lines.extend(node.value.iter().map(|value| format!("= {}", super::shortened(&value.to_string(), 30))));
    lines.extend(node.samples.map(samples));
    lines.extend(node.error.iter().map(|error| super::shortened(error, FORMULA_SHOWN)));
    lines.extend(node.cost.map(|cost| format!("{} ns", cost.as_nanos())));
    lines.extend(node.steps.map(super::steps));
    lines.join(line_break)
}

/// `1 sample`, `300 samples`.
pub(super) fn samples(count: u64) -> String {
    format!("{count} {}", if count == 1 { "sample" } else { "samples" })
}

fn shape(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Source => Some("cylinder"),
        Kind::Key => Some("oval"),
        Kind::Window => Some("folder"),
        Kind::Script => Some("component"),
        Kind::Template => Some("note"),
        Kind::Signal | Kind::Trigger => Some("hexagon"),
        Kind::Value | Kind::Animation | Kind::Widget => None,
    }
}

fn quoted(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n").replace('\r', " ");
    format!("\"{escaped}\"")
}
