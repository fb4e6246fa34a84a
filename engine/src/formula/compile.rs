//! From texts to a program: parses and checks all formulas, puts equal ones together, orders them by what
//! they need, and has each group of them lowered.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;

use super::arrange::{self, Order};
use super::ast::{self, Expr};
use super::check::{AnyType, Interner, Known, Surroundings, Texts, check};
use super::derived::Derived;
use super::graph;
use super::ir::Ir;
use super::lower::shape::{Shape, write_marks};
use super::lower::{self, GROUP, Layout};
use super::names::{Builtin, Meaning, Names};
use super::parser::parse;
use super::program::{Dependents, Formula, Group, Node, Program};
use super::site::Site;
use super::typing::Type;
use super::{Compiled, Entry, Environment, FormulaId, Kind};
use crate::diagnostic::{Diagnostic, Severity};

/// The largest group, in parts of formulas, unless one formula alone is larger: a function that is too large is not
/// compiled to native code, since that is done within a tick.
const MAX_GROUP_SIZE: usize = 500;

/// See [`super::compile`].
pub(super) fn compile(entries: &[Entry<'_>], environment: &Environment<'_>) -> Compiled {
    let names = Names::new(entries, environment);
    let mut build = Build {
        entries,
        environment,
        names: &names,
        trees: Vec::with_capacity(entries.len()),
        problems: Vec::new(),
        in_error: Vec::with_capacity(entries.len()),
        known: vec![Known::Failed; entries.len()],
        texts: Texts::default(),
        derived: Interner::default(),
        program: Program::default(),
        irs: Vec::new(),
        nodes: BTreeMap::new(),
    };
    build.parse();
    build.check_names();
    let edges = build.edges();
    for component in graph::components(&edges) {
        match component.as_slice() {
            [one] if !edges[*one as usize].contains(one) => build.check(*one),
            several => build.report_cycle(&edges, several),
        }
    }
    build.problems.sort_by_key(|(id, diagnostic)| (*id, diagnostic.span.start, diagnostic.span.end));
    let needs = edges.into_iter().map(|needed| needed.into_iter().map(FormulaId).collect());
    Compiled { needs: needs.collect(), ..build.finish() }
}

struct Build<'a> {
    entries: &'a [Entry<'a>],
    environment: &'a Environment<'a>,
    names: &'a Names<'a>,
    trees: Vec<Option<Expr>>,
    problems: Vec<(FormulaId, Diagnostic)>,
    /// By entry: whether its text or its name is wrong already.
    in_error: Vec<bool>,
    /// By entry.
    known: Vec<Known>,
    texts: Texts,
    derived: Interner<Derived>,
    program: Program,
    /// By node.
    irs: Vec<Ir>,
    nodes: BTreeMap<Ir, u32>,
}

impl Build<'_> {
    fn parse(&mut self) {
        for (index, entry) in (0..).zip(self.entries) {
            let parsed = parse(entry.text);
            self.trees.push(parsed.tree);
            self.in_error.push(parsed.diagnostics.iter().any(|d| d.severity == Severity::Error));
            self.problems
                .extend(parsed.diagnostics.into_iter().map(|diagnostic| (FormulaId(index), diagnostic)));
            self.program.formulas.push(Formula {
                name: entry.name.map(ToString::to_string),
                text: entry.text.into(),
                ..Formula::default()
            });
        }
    }

    /// Two values of one name, or one that hides a built-in name.
    fn check_names(&mut self) {
        for (index, entry) in (0..).zip(self.entries) {
            let Some(name) = entry.name else { continue };
            let (code, message) = if Builtin::named(name).is_some() {
                ("reserved-name", format!("`{name}` is a built-in name, a value cannot be called that"))
            } else if self.names.value(name) != Some(index) {
                ("duplicate-name", format!("there is another value called `{name}`"))
            } else {
                continue;
            };
            self.in_error[index as usize] = true;
            self.problems.push((FormulaId(index), Diagnostic::error(code, 0..entry.text.len(), message)));
        }
    }

    /// Which entries each entry names.
    fn edges(&self) -> Vec<Vec<u32>> {
        let named = |tree: &Option<Expr>| {
            let mut needed = Vec::new();
            if let Some(tree) = tree {
                tree.names(&mut |name, _| {
                    if let Meaning::Value(entry) = self.names.meaning(name) {
                        needed.push(entry);
                    }
                });
            }
            needed
        };
        self.trees.iter().map(named).collect()
    }

    fn check(&mut self, entry: u32) {
        let id = FormulaId(entry);
        let Some(tree) = &self.trees[entry as usize] else {
            // An empty formula has no value and is no error.
            self.program.formulas[entry as usize].certainty = Some(false);
            self.known[entry as usize] = self.node(id, Ir::Nil, None, Vec::new());
            return;
        };
        let known = Surroundings { names: self.names, environment: self.environment, known: &self.known };
        let checked = check(tree, known, &mut self.texts, &mut self.derived);
        // What a formula in error says always or never is not what was meant.
        let is_whole = checked.formula.is_some() && !self.in_error[entry as usize];
        let told = checked.diagnostics.into_iter().filter(|d| is_whole || !d.code.starts_with("always-"));
        self.problems.extend(told.map(|diagnostic| (id, diagnostic)));
        if let Some((ir, of, sites)) = checked.formula.filter(|_| !self.in_error[entry as usize]) {
            // Constants are other ones on other machines.
            let certainty = ir.as_truth().filter(|_| !self.names.names_constant(tree));
            self.program.formulas[entry as usize].certainty = certainty;
            self.known[entry as usize] = match (ir, &tree.node) {
                // No more than another's name: it is that value, last good result and all.
                (Ir::Node(node), ast::Node::Name(_)) => self.formula(id, node, of, Vec::new()),
                (ir, _) => self.node(id, ir, of, sites),
            };
        }
    }

    /// Has `ir` computed by a node: an old one if it is known already.
    fn node(&mut self, id: FormulaId, ir: Ir, of: AnyType, sites: Vec<Site>) -> Known {
        let next = u32::try_from(self.irs.len()).unwrap_or(u32::MAX);
        let node = *self.nodes.entry(ir.clone()).or_insert(next);
        if node == next {
            self.program.nodes.push(node_of(&ir, of, self.derived.all()));
            self.irs.push(ir);
        }
        self.formula(id, node, of, sites)
    }

    fn formula(&mut self, id: FormulaId, node: u32, of: AnyType, sites: Vec<Site>) -> Known {
        self.program.nodes[node as usize].formulas.push(id);
        let formula = &mut self.program.formulas[id.0 as usize];
        formula.node = Some(node);
        formula.result = of;
        formula.sites = sites;
        Known::Node(node, of)
    }

    fn report_cycle(&mut self, edges: &[Vec<u32>], component: &[u32]) {
        let Some(&first) = component.first() else { return };
        let name = |entry: u32| self.entries[entry as usize].name.unwrap_or_default();
        let way = graph::cycle(edges, component, first);
        let shown: Vec<&str> = way.iter().map(|entry| name(*entry)).collect();
        let message = format!("this value depends on itself: {}", graph::shorten(&shown).join(" -> "));
        let next = way.get(1).copied().unwrap_or(first);
        let mut span = 0..0;
        if let Some(tree) = &self.trees[first as usize] {
            tree.names(&mut |name, at| {
                if span.is_empty() && self.names.meaning(name) == Meaning::Value(next) {
                    span = at.clone();
                }
            });
        }
        let error = Diagnostic::error("cycle", span, message);
        let error = match self.names.key_called(name(first)).filter(|_| next == first) {
            Some(key) => error.with_help(format!("for the key write its full name, `{}`", key.name)),
            None if next == first => error.with_help("a formula has no earlier result of its own; a key's past is seen by windows, as `avg(key, 1m)`"),
            None => error.with_help("write one of them so that it does without the others"),
        };
        self.problems.push((FormulaId(first), error));
    }

    fn finish(mut self) -> Compiled {
        let given = self.environment.given.iter().map(|given| given.result.map_or(Kind::Number, Type::kind));
        self.program.key_kinds = self.environment.keys.iter().map(|key| key.kind).chain(given).collect();
        let keys = self.program.key_kinds.len();
        self.program.derived = self.keep_derived();
        self.program.keys = vec![Vec::new(); keys];
        self.program.derived_dependents = vec![Vec::new(); self.program.derived.len()];
        self.program.nodes.iter_mut().for_each(|node| node.formulas.sort_unstable());
        let shapes = self.arrange();
        let group_of = self.group(&shapes);
        let inputs = (keys, self.program.derived.len());
        self.program.layout = Layout::new(inputs, self.irs.len(), self.program.groups.len());
        self.depend(&group_of);
        self.share(&shapes);
        self.lower(&group_of);
        self.program.texts = self.texts.into_all();
        Compiled { program: self.program, problems: self.problems, needs: Vec::new() }
    }

    /// Puts the nodes in order; gives the shapes that they share.
    fn arrange(&mut self) -> Vec<Option<Shape>> {
        let Order { old, mut shapes } = arrange::order(&self.irs, &self.program.nodes);
        if old.is_empty() {
            return shapes;
        }
        let mut new = vec![0; old.len()];
        for (index, old) in (0..).zip(&old) {
            new[*old as usize] = index;
        }
        self.irs = moved(core::mem::take(&mut self.irs), &old);
        self.program.nodes = moved(core::mem::take(&mut self.program.nodes), &old);
        self.irs.iter_mut().for_each(|ir| ir.renumber(&new));
        shapes.iter_mut().flatten().for_each(|shape| shape.renumber(&new));
        for node in &mut self.program.nodes {
            node.needs_nodes.iter_mut().for_each(|need| *need = new[*need as usize]);
            node.needs_nodes.sort_unstable();
        }
        for node in self.program.formulas.iter_mut().filter_map(|formula| formula.node.as_mut()) {
            *node = new[*node as usize];
        }
        shapes
    }

    /// The derived inputs that a node reads, by new numbers. What was asked in formulas in error, and in parts
    /// that are never computed, is not kept up.
    fn keep_derived(&mut self) -> Vec<Derived> {
        let all = core::mem::take(&mut self.derived).into_all();
        let mut is_read = vec![false; all.len()];
        for ir in &self.irs {
            ir.walk(&mut |part| {
                if let Ir::Derived(index) = part {
                    is_read[*index as usize] = true;
                }
            });
        }
        let mut kept = Vec::new();
        let mut numbers = Vec::with_capacity(all.len());
        for (derived, is_read) in all.into_iter().zip(is_read) {
            numbers.push(u32::try_from(kept.len()).unwrap_or(u32::MAX));
            if is_read {
                kept.push(derived);
            }
        }
        if kept.len() < numbers.len() {
            self.irs.iter_mut().for_each(|ir| ir.renumber_derived(&numbers));
        }
        kept
    }

    /// Cuts the nodes into groups; gives the group of each.
    fn group(&mut self, shapes: &[Option<Shape>]) -> Vec<u32> {
        let shape = |index: usize| shapes.get(index)?.as_ref().map(Shape::text);
        let is_apart = |node: &Node, group: &Group| {
            node.needs_nodes.iter().all(|need| !group.nodes.contains(&(*need as usize)))
        };
        let mut group_of = Vec::with_capacity(self.irs.len());
        let mut size = 0;
        for (index, ir) in self.irs.iter().enumerate() {
            size += ir.size();
            match self.program.groups.last_mut() {
                Some(group)
                    if group.nodes.len() < GROUP
                        && shape(index) == shape(group.nodes.start)
                        && match shape(index) {
                            Some(_) => is_apart(&self.program.nodes[index], group),
                            None => size <= MAX_GROUP_SIZE,
                        } =>
                {
                    group.nodes.end += 1;
                }
                _ => {
                    self.program.groups.push(Group { code: 0, shared: None, nodes: index..index + 1 });
                    size = ir.size();
                }
            }
            group_of.push(u32::try_from(self.program.groups.len() - 1).unwrap_or(u32::MAX));
        }
        group_of
    }

    /// Writes the table of what is different in nodes that share their code, and that code.
    fn share(&mut self, shapes: &[Option<Shape>]) {
        let Program { groups, nodes, codes, table, layout, .. } = &mut self.program;
        let mut known = BTreeMap::<&str, usize>::new();
        for group in groups {
            let Some(Some(shape)) = shapes.get(group.nodes.start) else { continue };
            group.code = *known.entry(shape.text()).or_insert_with(|| {
                codes.push(shape.code());
                codes.len() - 1
            });
            let at = |table: &Vec<u8>| layout.table() + table.len();
            let mut marks = Vec::with_capacity(group.nodes.len());
            for node in group.nodes.clone() {
                let start = at(table);
                write_marks(&nodes[node].dependents, *layout, table);
                marks.push(start..at(table));
            }
            let first = at(table);
            for (node, marks) in group.nodes.clone().zip(marks) {
                // All of a group have the same shape.
                if let Some(Some(shape)) = shapes.get(node) {
                    shape.write_row(*layout, marks, table);
                }
            }
            let last = at(table) - shape.row_len();
            group.shared =
                Some([first, last, layout.node(group.nodes.start), layout.error(group.nodes.start)]);
        }
        layout.hold(table.len());
    }

    /// Makes the code of the groups that share none.
    fn lower(&mut self, group_of: &[u32]) {
        let inside = self.inside(group_of);
        for group in self.program.groups.iter_mut().filter(|group| group.shared.is_none()) {
            let at = group.nodes.clone();
            let (irs, nodes) = (&self.irs[at.clone()], &self.program.nodes[at.clone()]);
            let reach = lower::Reach { nodes, inside: &inside[at.clone()] };
            let calls = &mut self.program.script_calls;
            let (code, scratch) = lower::group(irs, at.start, &reach, self.program.layout, calls);
            group.code = self.program.codes.len();
            self.program.codes.push(code);
            self.program.layout.reserve(scratch);
        }
    }

    /// Notes for every input and node which nodes of which groups read it.
    fn depend(&mut self, group_of: &[u32]) {
        for (index, ir) in self.irs.iter().enumerate() {
            let group = group_of[index];
            let bit = 1u32 << (index - self.program.groups[group as usize].nodes.start);
            let program = &mut self.program;
            ir.walk(&mut |part| match part {
                Ir::Key(key) => depends(&mut program.keys[*key as usize], group, bit),
                Ir::Derived(index) => depends(&mut program.derived_dependents[*index as usize], group, bit),
                Ir::Builtin(builtin) => depends(&mut program.builtins[*builtin as usize], group, bit),
                Ir::Node(node) if group_of[*node as usize] != group => {
                    depends(&mut program.nodes[*node as usize].dependents, group, bit);
                }
                _ => {}
            });
        }
    }

    /// For each node the mask of those of its own group that read it.
    fn inside(&self, group_of: &[u32]) -> Vec<u32> {
        let mut inside = vec![0; self.irs.len()];
        for (index, node) in self.program.nodes.iter().enumerate() {
            let group = group_of[index];
            let bit = 1u32 << (index - self.program.groups[group as usize].nodes.start);
            for needed in node.needs_nodes.iter().filter(|needed| group_of[**needed as usize] == group) {
                inside[*needed as usize] |= bit;
            }
        }
        inside
    }
}

fn node_of(ir: &Ir, of: AnyType, derived: &[Derived]) -> Node {
    let (mut needs_keys, mut needs_nodes) = (Vec::new(), Vec::new());
    ir.walk(&mut |part| match part {
        Ir::Key(key) => needs_keys.push(*key),
        Ir::Derived(index) => needs_keys.extend(derived.get(*index as usize).map(|derived| derived.key)),
        Ir::Node(node) => needs_nodes.push(*node),
        _ => {}
    });
    for needs in [&mut needs_keys, &mut needs_nodes] {
        needs.sort_unstable();
        needs.dedup();
    }
    Node {
        kind: of.map_or(Kind::Number, Type::kind),
        formulas: Vec::new(),
        dependents: Vec::new(),
        needs_keys,
        needs_nodes,
    }
}

/// Things in another order, by their old places.
fn moved<T>(things: Vec<T>, old: &[u32]) -> Vec<T> {
    let mut things: Vec<Option<T>> = things.into_iter().map(Some).collect();
    old.iter().filter_map(|place| things[*place as usize].take()).collect()
}

/// Adds a bit; groups come in ascending order, so that only the last can be the same one.
fn depends(on: &mut Vec<Dependents>, group: u32, bit: u32) {
    match on.last_mut() {
        Some(last) if last.group == group => last.mask |= bit,
        _ => on.push(Dependents { group, mask: bit }),
    }
}
