//! The dependency graph of a panel: what flows from where to where. The command `graph` prints it, and the
//! API, which knows its values, states and costs too; both draw it with the same code.

mod dot;
mod layout;
mod mermaid;
mod model;
mod script;
mod svg;
mod window;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use engine::value::Value;
use serde::{Serialize, Serializer};

pub use model::Live;
pub use svg::{NODES_DRAWN, STYLE, TooLarge};

/// The forms in which a graph is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// Graphviz
    Dot,
    /// A picture
    Svg,
    /// Mermaid, for Markdown
    Mermaid,
    /// Nodes and edges
    #[default]
    Json,
}

/// What a node stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names say it")]
pub enum Kind {
    Source,
    Key,
    Window,
    Script,
    Value,
    Template,
    Signal,
    Trigger,
    Animation,
    Widget,
}

impl Kind {
    /// All of them, in the order of the way from data to picture.
    pub const ALL: [Kind; 10] = [
        Kind::Source,
        Kind::Key,
        Kind::Window,
        Kind::Script,
        Kind::Value,
        Kind::Template,
        Kind::Signal,
        Kind::Trigger,
        Kind::Animation,
        Kind::Widget,
    ];

    /// As people and programs call it.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Source => "source",
            Kind::Key => "key",
            Kind::Window => "window",
            Kind::Script => "script",
            Kind::Value => "value",
            Kind::Template => "template",
            Kind::Signal => "signal",
            Kind::Trigger => "trigger",
            Kind::Animation => "animation",
            Kind::Widget => "widget",
        }
    }
}

/// A part of the panel.
#[derive(Clone, Debug, Serialize)]
pub struct Node {
    /// Its kind and its name, unique: `value:hot`.
    pub id: String,
    /// What it stands for.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// What it is in particular: a source's kind, a widget's look.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The formula that it is computed by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub formula: Option<String>,
    /// What it is now: of keys, windows and values of a panel that runs.
    #[serde(serialize_with = "plain")]
    pub value: Option<Value>,
    /// How many samples a window holds, in a panel that runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub samples: Option<u64>,
    /// How the sources behind it are doing, in a panel that runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<&'static str>,
    /// Why its formula failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// How long one evaluation of its formulas takes, on average.
    #[serde(rename = "cost_ns", skip_serializing_if = "Option::is_none", serialize_with = "nanos")]
    pub cost: Option<Duration>,
    /// How many steps of its budget a script's function took when it was last called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps: Option<u64>,
}

/// Something flows from one node to another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Edge {
    /// The id of the node that is needed.
    pub from: String,
    /// The id of the one that needs it.
    pub to: String,
}

/// Nodes, and what flows from one to another: data first, what is shown last.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Graph {
    /// The nodes.
    pub nodes: Vec<Node>,
    /// The edges, each once.
    pub edges: Vec<Edge>,
}

impl Graph {
    /// The graph as JSON, indented.
    pub fn json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// The edges by the indices of their nodes; those that lead nowhere are left out.
    fn links(&self) -> Vec<(usize, usize)> {
        let index: BTreeMap<&str, usize> =
            self.nodes.iter().enumerate().map(|(index, node)| (node.id.as_str(), index)).collect();
        let end = |id: &String| index.get(id.as_str()).copied();
        let links: BTreeSet<_> =
            self.edges.iter().filter_map(|edge| Some((end(&edge.from)?, end(&edge.to)?))).collect();
        links.into_iter().collect()
    }
}

fn plain<S: Serializer>(value: &Option<Value>, serializer: S) -> Result<S::Ok, S::Error> {
    match value {
        None => serializer.serialize_none(),
        Some(Value::Number(number)) => serializer.serialize_f64(*number),
        Some(Value::Bool(truth)) => serializer.serialize_bool(*truth),
        Some(Value::Text(text)) => serializer.serialize_str(text),
    }
}

fn nanos<S: Serializer>(cost: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    let nanos = cost.map(|cost| u64::try_from(cost.as_nanos()).unwrap_or(u64::MAX));
    nanos.serialize(serializer)
}

/// `1 step`, `41 steps`.
fn steps(count: u64) -> String {
    format!("{count} {}", if count == 1 { "step" } else { "steps" })
}

/// A text of at most so many characters, on one line.
fn shortened(text: &str, most: usize) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if line.chars().count() <= most {
        return line;
    }
    let kept: String = line.chars().take(most.saturating_sub(1)).collect();
    kept.trim_end().to_owned() + "\u{2026}"
}

#[cfg(test)]
mod tests;
