//! The third step: names get their meaning, kinds and numbers of arguments are checked, what is constant is
//! computed, and what would fail for certain is an error now.

mod bounds;
mod calls;
mod habits;
mod operators;
mod past;

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::Environment;
use super::ast::{Expr, Node, Operator, Span};
use super::derived::Derived;
use super::functions::Function;
use super::ir::{Ir, SiteIndex};
use super::names::{Meaning, Names};
use super::site::{Problem, Site};
use super::typing::Type;
use crate::diagnostic::Diagnostic;
use crate::value::Value;
use operators::negate;

/// The longest text that a formula may put together, in bytes.
pub const MAX_TEXT: usize = 4 * 1024;

/// What an expression is; `None` where that is unknown or it has no value, which fits everywhere.
pub(super) type AnyType = Option<Type>;

/// What other formulas have become, by their entries' indices.
#[derive(Clone, Copy, Debug)]
pub(super) enum Known {
    /// It has a node and a type.
    Node(u32, AnyType),
    /// It is in error, and said so already.
    Failed,
}

/// Things that a program has, each once and by its number.
pub(super) struct Interner<T> {
    all: Vec<T>,
    index: BTreeMap<T, u32>,
}

impl<T> Default for Interner<T> {
    fn default() -> Interner<T> {
        Interner { all: Vec::new(), index: BTreeMap::new() }
    }
}

impl<T: Clone + Ord> Interner<T> {
    pub(super) fn all(&self) -> &[T] {
        &self.all
    }

    pub(super) fn into_all(self) -> Vec<T> {
        self.all
    }

    fn intern(&mut self, thing: T) -> u32 {
        if let Some(index) = self.index.get(&thing) {
            return *index;
        }
        let index = u32::try_from(self.all.len()).unwrap_or(u32::MAX);
        self.all.push(thing.clone());
        self.index.insert(thing, index);
        index
    }
}

/// The texts of a program, each once.
pub(super) type Texts = Interner<Arc<str>>;

/// A formula that is free of errors, or `None`; its warnings and errors either way.
pub(super) struct Checked {
    pub(super) formula: Option<(Ir, AnyType, Vec<Site>)>,
    pub(super) diagnostics: Vec<Diagnostic>,
}

/// What a formula is checked against.
#[derive(Clone, Copy)]
pub(super) struct Surroundings<'a, 'n> {
    pub(super) names: &'a Names<'n>,
    pub(super) environment: &'a Environment<'a>,
    pub(super) known: &'a [Known],
}

/// Checks one formula, after those that it names.
pub(super) fn check<'a>(
    tree: &'a Expr,
    around: Surroundings<'a, '_>,
    texts: &'a mut Texts,
    derived: &'a mut Interner<Derived>,
) -> Checked {
    let mut checker = Checker {
        tree,
        around,
        texts,
        derived,
        diagnostics: Vec::new(),
        sites: Vec::new(),
        lazy: 0,
        needs_failed: false,
        failed: false,
    };
    let typed = checker.expression(tree);
    let Checker { diagnostics, sites, needs_failed, failed, .. } = checker;
    let formula = (!failed && !needs_failed).then_some((typed.ir, typed.of, sites));
    Checked { formula, diagnostics }
}

struct Typed {
    ir: Ir,
    of: AnyType,
}

impl Typed {
    fn new(of: Type, ir: Ir) -> Typed {
        Typed { ir, of: Some(of) }
    }

    fn number(ir: Ir) -> Typed {
        Typed::new(Type::Number, ir)
    }

    fn truth(ir: Ir) -> Typed {
        Typed::new(Type::Truth, ir)
    }

    fn unknown() -> Typed {
        Typed { ir: Ir::Nil, of: None }
    }
}

struct Checker<'a, 'n> {
    /// All of the formula.
    tree: &'a Expr,
    around: Surroundings<'a, 'n>,
    texts: &'a mut Texts,
    derived: &'a mut Interner<Derived>,
    diagnostics: Vec<Diagnostic>,
    sites: Vec<Site>,
    /// How many branches that may not be taken are around this place.
    lazy: usize,
    needs_failed: bool,
    failed: bool,
}

/// A key is one of numbers unless it is said to be another.
const KEY_OF_TEXTS: &str =
    "make a text of the number: `number .. ''`; a key of texts has `kind = \"text\"` under `[keys]`";

impl Checker<'_, '_> {
    fn expression(&mut self, expr: &Expr) -> Typed {
        match &expr.node {
            Node::Number(n) => Typed::number(Ir::number(*n)),
            Node::Duration(duration) => {
                let seconds = duration.seconds(self.around.environment.fps);
                Typed::new(Type::Duration, Ir::number(seconds))
            }
            Node::Text(text) => self.text(text),
            Node::Nil => Typed::unknown(),
            Node::Error => {
                self.failed = true;
                Typed::unknown()
            }
            Node::Name(name) => self.name(name, &expr.span),
            Node::Plus(operand) => Typed::number(self.numeric(operand, "+")),
            Node::Negate(operand) => Typed::number(match self.numeric(operand, "-") {
                Ir::Number(bits) => Ir::number(-bits.number()),
                Ir::Nil => Ir::Nil,
                ir => Ir::Negate(Box::new(ir)),
            }),
            Node::Not(operand) => {
                let ir = self.condition(operand, "not");
                Typed::truth(negate(ir))
            }
            Node::Chain(first, links) => match links[0].operator {
                Operator::And | Operator::Or => self.logic(first, links),
                Operator::Join => self.join(first, links),
                _ => self.arithmetic(first, links, &expr.span),
            },
            Node::Power(a, b) => {
                let arguments = [self.numeric(a, "^"), self.numeric(b, "^")].into();
                let pow = Function::index_of("pow");
                Typed::number(pow.map_or(Ir::Nil, |pow| self.numeric_call(pow, arguments, &expr.span)))
            }
            Node::Compare(a, comparison, b) => self.compare(a, *comparison, b, &expr.span),
            Node::Call(call) => self.call(call, &expr.span),
        }
    }

    fn text(&mut self, text: &str) -> Typed {
        Typed::new(Type::Text, Ir::Text(self.texts.intern(text.into())))
    }

    /// A text that is known now.
    fn known_text(&self, ir: &Ir) -> Option<Arc<str>> {
        match ir {
            Ir::Text(index) => self.texts.all().get(*index as usize).cloned(),
            _ => None,
        }
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        self.failed |= diagnostic.severity == crate::diagnostic::Severity::Error;
        // `a < b < c` is read as `a < b and b < c`, and what is wrong with b is wrong once.
        if !self.diagnostics.contains(&diagnostic) {
            self.diagnostics.push(diagnostic);
        }
    }

    fn site(&mut self, span: &Span, problem: Problem) -> SiteIndex {
        let index = SiteIndex::try_from(self.sites.len()).unwrap_or(SiteIndex::MAX);
        self.sites.push(Site { span: span.clone(), problem });
        index
    }

    /// Something that fails for certain: an error now, unless it stands where it may never be computed.
    fn certain(&mut self, span: &Span, problem: Problem) {
        if self.lazy == 0 {
            self.report(Site { span: span.clone(), problem }.diagnostic_in(Some(self.tree)));
        }
    }

    fn in_branch<T>(&mut self, work: impl FnOnce(&mut Self) -> T) -> T {
        self.lazy += 1;
        let result = work(self);
        self.lazy -= 1;
        result
    }

    /// An operand that has to be a number.
    fn numeric(&mut self, expr: &Expr, wanted_by: &str) -> Ir {
        let typed = self.expression(expr);
        match typed.of {
            Some(of) if !of.is_number() => self.wrong(expr, wanted_by, "a number", of),
            _ => typed.ir,
        }
    }

    fn condition(&mut self, expr: &Expr, wanted_by: &str) -> Ir {
        let typed = self.expression(expr);
        match typed.of {
            Some(of @ (Type::Text | Type::Color | Type::Duration)) => {
                self.wrong(expr, wanted_by, "a condition", of)
            }
            _ => {
                self.warn_of_condition(&typed.ir, expr);
                typed.ir
            }
        }
    }

    /// Whether it is a key, about whose kind its declaration decides.
    fn is_key(&self, expr: &Expr) -> bool {
        matches!(&expr.node, Node::Name(name) if matches!(self.around.names.meaning(name), Meaning::Key(_)))
    }

    /// Reports an operand that is not what it has to be.
    fn wrong(&mut self, expr: &Expr, wanted_by: &str, wanted: &str, of: Type) -> Ir {
        let message = format!("`{wanted_by}` needs {wanted}, this is {}", of.noun());
        let error = Diagnostic::error("wrong-kind", expr.span.clone(), message);
        let help = match (wanted, of) {
            ("a condition", Type::Text) => "compare it: `text == '\u{2026}'`",
            ("a condition", Type::Color) => "compare it: `color == '#ff0000'`",
            ("a condition", Type::Duration) => "compare it: `age(key) > 30s`",
            ("a number", Type::Text) if wanted_by == "+" => {
                "texts are joined with `..`, and `number(text)` reads a number from one"
            }
            ("a number", Type::Text) => "`number(text)` reads a number from a text",
            ("a number", Type::Color) => "colours are mixed with `mix(a, b, amount)`",
            ("a text", Type::Number) if self.is_key(expr) => KEY_OF_TEXTS,
            ("a text", Type::Number | Type::Truth | Type::Duration) => {
                "make a text of the number: `number .. ''`, or `fmt(number, '.1f')`"
            }
            ("a text", Type::Color) => "make a text of the colour: `color .. ''`",
            ("a colour", Type::Text) => "`color(text)` reads a colour from a text",
            ("a colour", _) => "write '#ff8800', or `rgb(255, 136, 0)`",
            _ => "",
        };
        self.report(if help.is_empty() { error } else { error.with_help(help) });
        Ir::Nil
    }
}

/// Names.
impl Checker<'_, '_> {
    fn name(&mut self, name: &str, span: &Span) -> Typed {
        match self.around.names.meaning(name) {
            Meaning::Key(key) => {
                let known = self.around.environment.keys.get(key as usize);
                Typed { ir: Ir::Key(key), of: known.map(|key| key.kind.into()) }
            }
            Meaning::Given(index) => {
                let Environment { keys, given, .. } = self.around.environment;
                let input = u32::try_from(keys.len()).unwrap_or(u32::MAX).saturating_add(index);
                Typed { ir: Ir::Key(input), of: given.get(index as usize).and_then(|given| given.result) }
            }
            Meaning::Builtin(builtin) => Typed::number(Ir::Builtin(builtin)),
            Meaning::Constant(index) => match &self.around.environment.constants[index].1 {
                Value::Text(text) => self.text(text),
                Value::Bool(holds) => Typed::truth(Ir::truth(*holds)),
                Value::Number(n) => Typed::number(Ir::number(*n)),
            },
            Meaning::Value(entry) => match self.around.known.get(entry as usize) {
                Some(Known::Node(node, of)) => Typed { ir: Ir::Node(*node), of: *of },
                Some(Known::Failed) | None => {
                    self.needs_failed = true;
                    Typed::unknown()
                }
            },
            Meaning::Ambiguous(keys) => {
                self.ambiguous(name, &keys, span);
                Typed::unknown()
            }
            Meaning::Unknown => self.unknown_name(name, span),
        }
    }

    fn ambiguous(&mut self, name: &str, keys: &[&str], span: &Span) {
        let all: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
        let message = format!("`{name}` can mean {}", all.join(" or "));
        let error = Diagnostic::error("ambiguous-name", span.clone(), message);
        let candidates = keys.iter().map(ToString::to_string).collect();
        self.report(error.with_help("write the full name").with_candidates(candidates));
    }

    fn unknown_name(&mut self, name: &str, span: &Span) -> Typed {
        let error = Diagnostic::error(
            "unknown-name",
            span.clone(),
            format!("there is no key or value called `{name}`"),
        );
        let error = match (habits::instead_of_name(name), self.signature_of(name)) {
            (Some(help), _) => error.with_help(help),
            (None, Some(signature)) => {
                error.with_help(format!("`{name}` is a function: write `{signature}`"))
            }
            (None, None) => match name.rsplit_once('.') {
                Some((text, "length" | "size")) if self.around.names.meaning(text) != Meaning::Unknown => {
                    error.with_help(format!("write `len({text})`"))
                }
                _ => suggest(error, self.around.names.suggestions(name)),
            },
        };
        self.report(error);
        Typed::unknown()
    }
}

impl Checker<'_, '_> {
    fn signature_of(&self, function: &str) -> Option<String> {
        match Function::named(function) {
            Some(function) => Some(function.signature.into()),
            None => self.script(function).map(|index| self.around.environment.scripts[index].signature()),
        }
    }

    /// The index of a script's function.
    fn script(&self, name: &str) -> Option<usize> {
        self.around.environment.scripts.iter().position(|function| function.name == name)
    }
}

/// `did you mean`, and the names themselves for editors.
fn suggest(error: Diagnostic, candidates: Vec<String>) -> Diagnostic {
    let quoted: Vec<String> = candidates.iter().map(|candidate| format!("`{candidate}`")).collect();
    let error = error.with_candidates(candidates);
    match quoted.as_slice() {
        [] => error,
        [one] => error.with_help(format!("did you mean {one}?")),
        [several @ .., last] => error.with_help(format!("did you mean {} or {last}?", several.join(", "))),
    }
}

#[cfg(test)]
mod tests;
