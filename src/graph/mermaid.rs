//! Graphs in Mermaid, which many pages of Markdown draw.

use std::fmt::Write as _;

use super::dot::label;
use super::{Graph, Kind};

impl Graph {
    /// The graph in Mermaid, without the keys that nothing uses.
    pub fn mermaid(&self) -> String {
        let mut text = String::from("flowchart LR\n");
        let drawn = self.without_idle_keys();
        for (index, node) in drawn.nodes.iter().enumerate() {
            let (open, close) = brackets(node.kind);
            let label = quoted(&label(node, "\n"));
            // Writing to a String cannot fail.
            let _ = writeln!(text, "  n{index}{open}{label}{close}");
        }
        for (from, to) in drawn.links() {
            let _ = writeln!(text, "  n{from} --> n{to}");
        }
        let failing = drawn.nodes.iter().enumerate().filter(|(_, node)| node.error.is_some());
        for (index, _) in failing {
            let _ = writeln!(text, "  style n{index} stroke:#d33,stroke-width:2px");
        }
        text
    }
}

fn brackets(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Source => ("[(", ")]"),
        Kind::Key => ("([", "])"),
        Kind::Window => ("[/", "/]"),
        Kind::Script | Kind::Template => ("[[", "]]"),
        Kind::Signal | Kind::Trigger => ("{{", "}}"),
        Kind::Value | Kind::Animation => ("(", ")"),
        Kind::Widget => ("[", "]"),
    }
}

/// In quotes, with what Mermaid takes for its own as entities.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '\n' => quoted.push_str("<br>"),
            '"' | '#' | '<' | '>' | '&' | '`' | '\\' => {
                let _ = write!(quoted, "#{};", u32::from(c));
            }
            c if c.is_control() => quoted.push(' '),
            c => quoted.push(c),
        }
    }
    quoted + "\""
}
