//! The nodes and edges of a panel.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use actors::expression::script::calls::Called;
use actors::handle::Reported;
use actors::panel::{NamedTemplate, Panel};
use engine::coordination::{Action, When};
use engine::formula::FormulaId;
use engine::value::Value;
use engine::widget::{Look, Widget};
use engine::window::Memory;

use super::script::Scripts;
use super::window::{self, Reads};
use super::{Edge, Graph, Kind, Node};

/// What is known of a panel that runs.
#[derive(Clone, Copy, Debug, Default)]
pub struct Live<'a> {
    /// The values and keys as they are.
    pub values: &'a [Reported],
    /// How long one evaluation takes, by formula, on average; zero where that was not measured yet.
    pub costs: &'a [Duration],
    /// What windows hold.
    pub windows: Option<&'a Memory>,
    /// What the functions of scripts came to, by function; nothing of those that were not called yet.
    pub called: Option<&'a BTreeMap<usize, Called>>,
}

impl Graph {
    /// The graph of `panel`; with [`Live::default`] as it is written.
    pub fn new(panel: &Panel, live: Live<'_>) -> Graph {
        let reads = Reads::of(&panel.program);
        let (found, scripts) = (Found::of(panel), Scripts::of(panel));
        let mut build = Build { panel, live, reads, found, scripts, graph: Graph::default() };
        build.data();
        build.scripts();
        build.values();
        build.templates();
        build.widgets();
        build.animations();
        build.triggers();
        let mut graph = build.graph;
        // A trigger may stop what it starts; one line is enough.
        let mut seen = BTreeSet::new();
        graph.edges.retain(|edge| seen.insert(edge.clone()));
        graph
    }
}

pub(super) type End<'a> = (Kind, &'a str);

pub(super) struct Build<'a> {
    pub(super) panel: &'a Panel,
    pub(super) live: Live<'a>,
    reads: Reads,
    found: Found<'a>,
    pub(super) scripts: Scripts<'a>,
    pub(super) graph: Graph,
}

/// What is looked up for each formula and each widget: nothing is searched for among all.
struct Found<'a> {
    /// By node: the first value that it computes.
    values: BTreeMap<usize, &'a str>,
    templates: BTreeMap<&'a str, &'a NamedTemplate>,
    /// By widget: the templates that it includes.
    included: BTreeMap<usize, Vec<&'a NamedTemplate>>,
}

impl<'a> Found<'a> {
    fn of(panel: &'a Panel) -> Found<'a> {
        let mut found =
            Found { values: BTreeMap::new(), templates: BTreeMap::new(), included: BTreeMap::new() };
        for (name, id) in &panel.values {
            if let Some(node) = panel.program.node_of(*id) {
                found.values.entry(node).or_insert(name.as_str());
            }
        }
        for template in &panel.templates {
            found.templates.entry(&template.name).or_insert(template);
            for widget in &template.widgets {
                found.included.entry(*widget).or_default().push(template);
            }
        }
        found
    }

    fn by_widget(&self, widget: usize) -> &[&'a NamedTemplate] {
        self.included.get(&widget).map_or(&[], Vec::as_slice)
    }
}

impl<'a> Build<'a> {
    fn data(&mut self) {
        for source in &self.panel.sources {
            let mut node = node(Kind::Source, &source.name);
            node.detail = Some(source.kind.name().into());
            self.graph.nodes.push(node);
        }
        let mut now = BTreeMap::new();
        for key in self.live.values.iter().filter(|value| value.formula.is_none()) {
            now.insert(&*key.name, key);
        }
        for key in &self.panel.keys {
            let mut node = node(Kind::Key, &key.name);
            node.detail = Some(key.unit.clone()).filter(|unit| !unit.is_empty());
            tell(&mut node, now.get(key.name.as_str()).copied());
            self.graph.nodes.push(node);
            let source = self.panel.sources.get(usize::from(key.source.0));
            // Who sets a key in a script is a node of its own.
            if let Some(source) = source.filter(|_| !self.scripts.is_set(&key.name)) {
                self.edge((Kind::Source, &source.name), (Kind::Key, &key.name));
            }
        }
        for (index, derived) in self.panel.program.derived().iter().enumerate() {
            let name = window::name(self.panel, derived);
            let mut node = node(Kind::Window, &name);
            if let Some(windows) = self.live.windows {
                node.value = windows.value(index).filter(|n| n.is_finite()).map(Value::Number);
                node.samples = windows.count(derived);
                let of = self.panel.keys.get(derived.key as usize).and_then(|key| now.get(key.name.as_str()));
                node.state = of.map(|now| now.state.name());
            }
            self.graph.nodes.push(node);
            if let Some(key) = self.panel.keys.get(derived.key as usize) {
                self.edge((Kind::Key, &key.name), (Kind::Window, &name));
            }
        }
    }

    fn values(&mut self) {
        let mut now = BTreeMap::new();
        for value in self.live.values.iter().filter(|value| value.formula.is_some()) {
            now.insert(&*value.name, value);
        }
        for (name, id) in &self.panel.values {
            let mut node = node(Kind::Value, name);
            node.formula = Some(self.panel.program.text(*id).into());
            node.cost = self.cost([*id]);
            tell(&mut node, now.get(name.as_str()).copied());
            self.graph.nodes.push(node);
            self.needs(*id, (Kind::Value, name));
        }
    }

    fn templates(&mut self) {
        for template in &self.panel.templates {
            let mut node = node(Kind::Template, &template.name);
            node.detail = Some(template.text.clone());
            node.cost = self.cost(template.formulas.iter().copied());
            self.graph.nodes.push(node);
            let to = (Kind::Template, template.name.as_str());
            for id in &template.formulas {
                self.uses(*id, to);
            }
            for name in &template.includes {
                self.edge((Kind::Template, name), to);
            }
        }
    }

    fn widgets(&mut self) {
        let panel = self.panel;
        for (index, widget) in panel.scene.widgets.iter().enumerate() {
            let mut node = node(Kind::Widget, &widget.name);
            let look = match widget.look {
                Look::Text(_) => "text",
                Look::Progress(_) => "progress",
                Look::Sparkline(_) => "sparkline",
                Look::Shape(_) => "shape",
            };
            node.detail = Some(look.into());
            let included = self.included(index);
            let own: Vec<FormulaId> = formulas(widget).filter(|id| !included.contains(id)).collect();
            node.cost = self.cost(own.iter().copied());
            self.graph.nodes.push(node);
            let to = (Kind::Widget, widget.name.as_str());
            for id in own {
                self.uses(id, to);
            }
            for template in self.found.by_widget(index).to_vec() {
                self.edge((Kind::Template, &template.name), to);
            }
        }
    }

    /// The formulas that a widget has from templates, which stand for them.
    fn included(&self, widget: usize) -> BTreeSet<FormulaId> {
        let templates = self.found.by_widget(widget).iter();
        let mut open: Vec<&str> = templates.map(|template| template.name.as_str()).collect();
        let (mut seen, mut found) = (BTreeSet::new(), BTreeSet::new());
        while let Some(name) = open.pop() {
            if let Some(template) = self.found.templates.get(name).filter(|_| seen.insert(name)) {
                found.extend(template.formulas.iter().copied());
                open.extend(template.includes.iter().map(String::as_str));
            }
        }
        found
    }

    fn animations(&mut self) {
        for animation in &self.panel.animations {
            self.graph.nodes.push(node(Kind::Animation, &animation.name));
            if let Some(widget) = self.panel.scene.widgets.get(animation.widget.0 as usize) {
                self.edge((Kind::Animation, &animation.name), (Kind::Widget, &widget.name));
            }
        }
    }

    fn triggers(&mut self) {
        let mut signals: BTreeSet<&str> = self.scripts.signals().collect();
        for trigger in &self.panel.triggers {
            let to = (Kind::Trigger, trigger.name.as_str());
            let mut node = node(to.0, to.1);
            match &trigger.when {
                When::Holds(id) => {
                    node.formula = Some(self.panel.program.text(*id).into());
                    node.cost = self.cost([*id]);
                    self.graph.nodes.push(node);
                    self.uses(*id, to);
                }
                When::Signal(signal) => {
                    self.graph.nodes.push(node);
                    if signals.insert(signal.as_str()) {
                        self.graph.nodes.push(self::node(Kind::Signal, signal));
                    }
                    self.edge((Kind::Signal, signal), to);
                }
            }
            for action in &trigger.actions {
                let (Action::Start(id) | Action::Stop(id)) = action;
                if let Some(animation) = self.panel.animations.get(id.0 as usize) {
                    self.edge(to, (Kind::Animation, &animation.name));
                }
            }
        }
    }

    /// What a formula speaks of flows to `to`.
    fn needs(&mut self, id: FormulaId, to: End<'_>) {
        let panel = self.panel;
        let (_, values) = panel.program.needs_of(id);
        if let Some(node) = panel.program.node_of(id) {
            let (keys, windows) = (self.reads.keys(node).to_vec(), self.reads.windows(node).to_vec());
            for key in keys.into_iter().filter_map(|key| panel.keys.get(key)) {
                self.edge((Kind::Key, &key.name), to);
            }
            for derived in windows.into_iter().filter_map(|index| panel.program.derived().get(index)) {
                self.edge((Kind::Window, &window::name(panel, derived)), to);
            }
            for function in self.scripts.called_by(node) {
                self.edge((Kind::Script, &panel.scripts.functions[function].name), to);
            }
        }
        for name in values.iter().filter_map(|id| panel.program.name(*id)) {
            self.edge((Kind::Value, name), to);
        }
    }

    /// The same, but a formula that is a value's as well comes from there.
    fn uses(&mut self, id: FormulaId, to: End<'_>) {
        let value = self.panel.program.node_of(id).and_then(|node| self.found.values.get(&node).copied());
        match value {
            Some(name) => self.edge((Kind::Value, name), to),
            None => self.needs(id, to),
        }
    }

    pub(super) fn edge(&mut self, from: End<'_>, to: End<'_>) {
        let (from, to) = (id(from.0, from.1), id(to.0, to.1));
        if from != to {
            self.graph.edges.push(Edge { from, to });
        }
    }

    /// How long formulas take together; `None` where none of them was measured.
    fn cost(&self, formulas: impl IntoIterator<Item = FormulaId>) -> Option<Duration> {
        let cost = |id: FormulaId| self.live.costs.get(id.0 as usize).copied().unwrap_or_default();
        Some(formulas.into_iter().map(cost).sum::<Duration>()).filter(|cost| !cost.is_zero())
    }
}

fn formulas(widget: &Widget) -> impl Iterator<Item = FormulaId> {
    let mut seen = BTreeSet::new();
    widget.formulas().into_iter().filter(move |id| seen.insert(*id))
}

fn id(kind: Kind, name: &str) -> String {
    format!("{}:{name}", kind.name())
}

pub(super) fn node(kind: Kind, name: &str) -> Node {
    Node {
        id: id(kind, name),
        kind,
        name: name.into(),
        detail: None,
        formula: None,
        value: None,
        samples: None,
        state: None,
        error: None,
        cost: None,
        steps: None,
    }
}

fn tell(node: &mut Node, now: Option<&Reported>) {
    if let Some(now) = now {
        node.value = now.value.clone();
        node.state = Some(now.state.name());
        node.error.clone_from(&now.error);
    }
}
