//! What depends on what: keys, values, widgets, triggers and animations, with their values now.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use actors::handle::{QueryValues, Reported};
use actors::panel::Panel;
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use engine::coordination::{Action, When};
use engine::formula::FormulaId;
use serde::{Deserialize, Serialize};

use super::App;
use super::api::bad_query;
use super::problem::Problem;
use super::wire::Plain;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GraphQuery {
    #[serde(default)]
    format: Format,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Format {
    #[default]
    Json,
    Dot,
}

pub(super) async fn graph(
    State(app): State<Arc<App>>,
    query: Result<Query<GraphQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let format = query.map_err(bad_query)?.0.format;
    let reported = app.values.answer(&app.handle.values, QueryValues).await?;
    let graph = Graph::new(&app.handle.panel, &reported);
    Ok(match format {
        Format::Json => Json(graph).into_response(),
        Format::Dot => {
            ([(header::CONTENT_TYPE, "text/vnd.graphviz; charset=utf-8")], graph.dot()).into_response()
        }
    })
}

/// Nodes, and what flows from one to another.
#[derive(Serialize)]
struct Graph<'a> {
    nodes: Vec<Node<'a>>,
    edges: Vec<Edge>,
}

#[derive(Serialize)]
struct Node<'a> {
    /// Its kind and its name, unique.
    id: String,
    kind: &'static str,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    formula: Option<&'a str>,
    /// Of keys and values.
    value: Option<Plain<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

#[derive(Debug, PartialEq, Serialize)]
struct Edge {
    from: String,
    to: String,
}

impl<'a> Graph<'a> {
    fn new(panel: &'a Panel, reported: &'a [Reported]) -> Graph<'a> {
        let mut graph = Graph { nodes: Vec::new(), edges: Vec::new() };
        let mut now = BTreeMap::new();
        for value in reported {
            now.insert((value.formula.is_some(), &*value.name), value);
        }
        for source in &panel.sources {
            graph.node("source", &source.name, None, None);
        }
        for key in &panel.keys {
            graph.node("key", &key.name, None, now.get(&(false, &*key.name)).copied());
            let source = panel.sources.get(usize::from(key.source.0)).map(|source| &*source.name);
            graph.edges.extend(source.map(|source| edge(("source", source), ("key", &key.name))));
        }
        for (name, id) in &panel.values {
            graph.node("value", name, Some(panel.program.text(*id)), now.get(&(true, &**name)).copied());
            graph.needs(panel, *id, ("value", name));
        }
        for widget in &panel.scene.widgets {
            graph.node("widget", &widget.name, None, None);
            for id in widget.formulas() {
                graph.uses(panel, id, ("widget", &widget.name));
            }
        }
        for animation in &panel.animations {
            graph.node("animation", &animation.name, None, None);
            let widget = panel.scene.widgets.get(animation.widget.0 as usize);
            let widget = widget.map(|widget| edge(("animation", &animation.name), ("widget", &widget.name)));
            graph.edges.extend(widget);
        }
        for trigger in &panel.triggers {
            let to = ("trigger", &*trigger.name);
            match &trigger.when {
                When::Holds(id) => {
                    graph.node("trigger", &trigger.name, Some(panel.program.text(*id)), None);
                    graph.uses(panel, *id, to);
                }
                When::Signal(signal) => {
                    graph.node("trigger", &trigger.name, None, None);
                    if graph.nodes.iter().all(|node| node.kind != "signal" || node.name != signal) {
                        graph.node("signal", signal, None, None);
                    }
                    graph.edges.push(edge(("signal", signal), to));
                }
            }
            for action in &trigger.actions {
                let (Action::Start(id) | Action::Stop(id)) = action;
                let animation = panel.animations.get(id.0 as usize);
                graph.edges.extend(animation.map(|animation| edge(to, ("animation", &animation.name))));
            }
        }
        // A trigger may stop what it starts; one line is enough.
        let mut seen = std::collections::BTreeSet::new();
        graph.edges.retain(|edge| seen.insert((edge.from.clone(), edge.to.clone())));
        graph
    }

    fn node(
        &mut self,
        kind: &'static str,
        name: &'a str,
        formula: Option<&'a str>,
        now: Option<&'a Reported>,
    ) {
        self.nodes.push(Node {
            id: format!("{kind}:{name}"),
            kind,
            name,
            formula,
            value: now.and_then(|now| now.value.as_ref()).map(Plain),
            state: now.map(|now| now.state.name()),
            error: now.and_then(|now| now.error.as_deref()),
        });
    }

    /// What a formula speaks of flows to `to`.
    fn needs(&mut self, panel: &Panel, id: FormulaId, to: (&str, &str)) {
        let (keys, values) = panel.program.needs_of(id);
        let keys = keys.iter().filter_map(|key| panel.keys.get(*key)).map(|key| edge(("key", &key.name), to));
        let names = values.iter().filter_map(|id| panel.program.name(*id));
        let values = names.map(|name| edge(("value", name), to));
        self.edges.extend(keys.chain(values).filter(|edge| edge.from != edge.to));
    }

    /// The same, but a formula that is a value's as well comes from there.
    fn uses(&mut self, panel: &Panel, id: FormulaId, to: (&str, &str)) {
        let node = panel.program.node_of(id);
        let same =
            |(_, value): &&(String, FormulaId)| node.is_some() && panel.program.node_of(*value) == node;
        match panel.values.iter().find(same) {
            Some((name, _)) => self.edges.push(edge(("value", name), to)),
            None => self.needs(panel, id, to),
        }
    }

    /// The same for Graphviz.
    fn dot(&self) -> String {
        let mut text =
            String::from("digraph panel {\n  rankdir=LR;\n  node [shape=box, fontname=\"sans-serif\"];\n");
        for node in &self.nodes {
            let mut label = format!("{}\n{}", node.name, node.kind);
            if let Some(formula) = node.formula {
                label += &format!("\n{formula}");
            }
            if let Some(Plain(value)) = &node.value {
                label += &format!("\n= {value}");
            }
            // Writing to a String cannot fail.
            let _ = writeln!(text, "  {} [label={}];", quoted(&node.id), quoted(&label));
        }
        for edge in &self.edges {
            let _ = writeln!(text, "  {} -> {};", quoted(&edge.from), quoted(&edge.to));
        }
        text + "}\n"
    }
}

fn edge(from: (&str, &str), to: (&str, &str)) -> Edge {
    Edge { from: format!("{}:{}", from.0, from.1), to: format!("{}:{}", to.0, to.1) }
}

fn quoted(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    format!("\"{escaped}\"")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn what_depends_on_what() {
        let text = r#"
            version = 1
            [source.room]
            kind = "generator"
            shape = "sine"
            [value]
            half = "room.value / 2"
            quarter = "half / 2"
            also = "room.value / 2"
            [animation.blink]
            widget = "lamp"
            duration = "1s"
            from = { opacity = 0 }
            [[trigger]]
            name = "hot"
            when = "quarter > 1 and room.value > 2"
            start = ["blink"]
            [[trigger]]
            name = "bell"
            signal = "ring"
            start = ["blink"]
            stop = ["blink"]
            [page.main]
            widgets = [
                { kind = "text", id = "a", at = [0, 0], size = [9, 9], text = "\"{half}\" {room.value}" },
                { kind = "shape", id = "lamp", at = [0, 0], size = [9, 9], figure = "ellipse", fill = "red" },
            ]
        "#;
        let panel = crate::config::parse("p", text, Path::new(""))
            .map_err(|report| report.render(false))
            .unwrap()
            .panel;
        let graph = Graph::new(&panel, &[]);
        let edges: Vec<_> = graph.edges.iter().map(|edge| format!("{} > {}", edge.from, edge.to)).collect();
        assert_eq!(
            edges,
            [
                "source:room > key:room.value",
                "key:room.value > value:half",
                "value:half > value:quarter",
                "key:room.value > value:also",
                "value:half > widget:a",
                "key:room.value > widget:a",
                "animation:blink > widget:lamp",
                "key:room.value > trigger:hot",
                "value:quarter > trigger:hot",
                "trigger:hot > animation:blink",
                "signal:ring > trigger:bell",
                "trigger:bell > animation:blink",
            ]
        );
        for edge in &graph.edges {
            for end in [&edge.from, &edge.to] {
                assert!(graph.nodes.iter().any(|node| node.id == *end), "{end}");
            }
        }
        assert!(graph.dot().contains(r#"  "key:room.value" -> "value:half";"#), "{}", graph.dot());
        assert_eq!(quoted("a\"b\\c\nd"), r#""a\"b\\c\nd""#);
    }
}
