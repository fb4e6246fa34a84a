//! Users' scripts as nodes of the graph: their functions with what these read, and their handlers with what these
//! read, set, start, stop and signal.

use std::collections::{BTreeMap, BTreeSet};

use actors::expression::script::reads::Reads;
use actors::expression::script::uses::{Use, Verb};
use actors::panel::Panel;

use super::Kind;
use super::model::{Build, End, node};

/// What scripts read and do in a panel, as far as they write out the names.
pub(super) struct Scripts<'a> {
    reads: Reads<'a>,
    /// By node of the program: the functions that are called there.
    calls: BTreeMap<usize, BTreeSet<usize>>,
    /// By file with handlers: what these use.
    handlers: Vec<(usize, Vec<&'a Use>)>,
}

impl<'a> Scripts<'a> {
    pub(super) fn of(panel: &'a Panel) -> Scripts<'a> {
        let keys = panel.keys.iter().map(|key| key.name.as_str());
        let library = &panel.scripts;
        let mut calls = BTreeMap::<usize, BTreeSet<usize>>::new();
        for call in panel.program.script_calls() {
            calls.entry(call.node as usize).or_default().insert(call.function as usize);
        }
        let used = |(file, handlers): (usize, &Vec<&str>)| {
            let uses = library.uses.get(file).filter(|_| !handlers.is_empty())?;
            Some((file, handlers.iter().flat_map(|handler| uses.of(handler)).collect()))
        };
        Scripts {
            reads: Reads::new(&panel.program, library, keys, &panel.values),
            calls,
            handlers: library.handlers.iter().enumerate().filter_map(used).collect(),
        }
    }

    /// The functions that a node of the program calls.
    pub(super) fn called_by(&self, node: usize) -> Vec<usize> {
        self.calls.get(&node).into_iter().flatten().copied().collect()
    }

    /// Whether a handler sets this key.
    pub(super) fn is_set(&self, key: &str) -> bool {
        self.named(Verb::Set).any(|name| key_of(name) == key)
    }

    /// The signals that handlers send.
    pub(super) fn signals(&self) -> impl Iterator<Item = &'a str> {
        self.named(Verb::Signal)
    }

    fn named(&self, verb: Verb) -> impl Iterator<Item = &'a str> {
        let uses = self.handlers.iter().flat_map(|(_, uses)| uses.iter());
        uses.filter(move |one| one.verb == verb).map(|one| one.name.as_str())
    }
}

/// The key that `set(name, …)` sets.
fn key_of(name: &str) -> String {
    format!("script.{}", name.strip_prefix("script.").unwrap_or(name))
}

impl Build<'_> {
    /// The functions and handlers, and what they read and do.
    pub(super) fn scripts(&mut self) {
        self.drop_idle_source();
        let panel = self.panel;
        let is_present = |index: usize| panel.scripts.owners[index] < panel.scripts.files.len();
        for (index, function) in panel.scripts.functions.iter().enumerate().filter(|(at, _)| is_present(*at))
        {
            let mut node = node(Kind::Script, &function.name);
            node.detail = Some(format!("{}:{}", short(&function.file), function.line));
            let called = self.live.called.and_then(|called| called.get(&index));
            node.steps = called.map(|called| called.steps);
            node.error = called.and_then(|called| called.error.as_deref().map(str::to_owned));
            self.graph.nodes.push(node);
            let read = match called {
                // What it has truly read.
                Some(called) => called.reads.iter().copied().collect(),
                None => self.scripts.reads.of(index).to_vec(),
            };
            read.into_iter().for_each(|read| self.read(read, (Kind::Script, &function.name)));
        }
        for signal in self.scripts.signals().collect::<BTreeSet<_>>() {
            self.graph.nodes.push(node(Kind::Signal, signal));
        }
        for (file, uses) in self.scripts.handlers.clone() {
            let name = called(panel, file);
            let mut node = node(Kind::Script, name);
            node.detail = Some(panel.scripts.handlers[file].join(", "));
            self.graph.nodes.push(node);
            uses.into_iter().for_each(|one| self.handles(one, (Kind::Script, name)));
        }
    }

    /// A key flows to `to`, or behind the keys a named value.
    fn read(&mut self, index: usize, to: End<'_>) {
        let panel = self.panel;
        match index.checked_sub(panel.keys.len()) {
            None => self.edge((Kind::Key, &panel.keys[index].name), to),
            Some(value) => {
                let named = panel.values.get(value).into_iter();
                named.for_each(|(name, _)| self.edge((Kind::Value, name), to));
            }
        }
    }

    /// What a handler does with a name.
    fn handles(&mut self, one: &Use, handler: End<'_>) {
        let panel = self.panel;
        let name = one.name.as_str();
        match one.verb {
            Verb::Get => {
                let read = self.scripts.reads.index(name);
                read.into_iter().for_each(|read| self.read(read, handler));
            }
            Verb::Set if panel.keys.iter().any(|key| key.name == key_of(name)) => {
                self.edge(handler, (Kind::Key, &key_of(name)));
            }
            Verb::Start | Verb::Stop if panel.animations.iter().any(|known| known.name == name) => {
                self.edge(handler, (Kind::Animation, name));
            }
            Verb::Signal => self.edge(handler, (Kind::Signal, name)),
            Verb::Set | Verb::Start | Verb::Stop => {}
        }
    }

    /// Leaves out the source that stands for scripts, unless it has keys that no handler is seen to set.
    fn drop_idle_source(&mut self) {
        let scripts = self.panel.sources.iter().position(|source| source.kind.name() == "script");
        let Some(index) = scripts else { return };
        let mut keys = self.panel.keys.iter().filter(|key| usize::from(key.source.0) == index);
        if keys.all(|key| self.scripts.is_set(&key.name)) {
            let name = &self.panel.sources[index].name;
            self.graph.nodes.retain(|node| node.kind != Kind::Source || node.name != *name);
        }
    }
}

/// What a file is called: its name without its folder, unless another one has that too.
fn called(panel: &Panel, file: usize) -> &str {
    let files = &panel.scripts.files;
    let name = short(&files[file].name);
    let is_clear = files.iter().filter(|other| short(&other.name) == name).count() == 1;
    if is_clear { name } else { &files[file].name }
}

/// A file's name without its folder.
fn short(file: &str) -> &str {
    file.rsplit('/').next().unwrap_or(file)
}
