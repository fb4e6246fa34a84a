//! The third step: names get their meaning, kinds and numbers of arguments are checked, what is constant is
//! computed, and what would fail for certain is an error now.

mod calls;
mod habits;
mod operators;

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::ast::{Expr, Node, Operator, Span};
use super::functions::Function;
use super::ir::{Ir, SiteIndex};
use super::names::{Meaning, Names};
use super::site::{Problem, Site};
use super::{Key, Kind};
use crate::diagnostic::Diagnostic;
use crate::tick::Fps;
use operators::negate;

/// The longest text that a formula may put together, in bytes.
pub const MAX_TEXT: usize = 4 * 1024;

/// The kind of an expression; `None` where it is unknown or has no value, which fits everywhere.
pub(super) type AnyKind = Option<Kind>;

/// What other formulas have become, by their entries' indices.
#[derive(Clone, Copy, Debug)]
pub(super) enum Known {
    /// It has a node and a kind.
    Node(u32, AnyKind),
    /// It is in error, and said so already.
    Failed,
}

/// The texts of a program, each once.
#[derive(Default)]
pub(super) struct Texts {
    pub(super) all: Vec<Arc<str>>,
    index: BTreeMap<Arc<str>, u32>,
}

impl Texts {
    fn intern(&mut self, text: &str) -> u32 {
        if let Some(index) = self.index.get(text) {
            return *index;
        }
        let (text, index): (Arc<str>, _) = (text.into(), u32::try_from(self.all.len()).unwrap_or(u32::MAX));
        self.all.push(text.clone());
        self.index.insert(text, index);
        index
    }
}

/// A formula that is free of errors, or `None`; its warnings and errors either way.
pub(super) struct Checked {
    pub(super) formula: Option<(Ir, AnyKind, Vec<Site>)>,
    pub(super) diagnostics: Vec<Diagnostic>,
}

/// Checks one formula, after those that it names.
pub(super) fn check(
    tree: &Expr,
    names: &Names<'_>,
    keys: &[Key],
    known: &[Known],
    texts: &mut Texts,
) -> Checked {
    let mut checker = Checker {
        names,
        keys,
        known,
        texts,
        diagnostics: Vec::new(),
        sites: Vec::new(),
        lazy: 0,
        needs_failed: false,
        failed: false,
    };
    let typed = checker.expression(tree);
    let Checker { diagnostics, sites, needs_failed, failed, .. } = checker;
    let formula = (!failed && !needs_failed).then_some((typed.ir, typed.kind, sites));
    Checked { formula, diagnostics }
}

struct Typed {
    ir: Ir,
    kind: AnyKind,
}

impl Typed {
    fn number(ir: Ir) -> Typed {
        Typed { ir, kind: Some(Kind::Number) }
    }

    fn unknown() -> Typed {
        Typed { ir: Ir::Nil, kind: None }
    }
}

struct Checker<'a, 'n> {
    names: &'a Names<'n>,
    keys: &'a [Key],
    known: &'a [Known],
    texts: &'a mut Texts,
    diagnostics: Vec<Diagnostic>,
    sites: Vec<Site>,
    /// How many branches that may not be taken are around this place.
    lazy: usize,
    needs_failed: bool,
    failed: bool,
}

impl Checker<'_, '_> {
    fn expression(&mut self, expr: &Expr) -> Typed {
        match &expr.node {
            Node::Number(n) => Typed::number(Ir::number(*n)),
            Node::Duration(duration) => Typed::number(Ir::number(duration.seconds(Fps::default()))),
            Node::Text(text) => Typed { ir: Ir::Text(self.texts.intern(text)), kind: Some(Kind::Text) },
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
                Typed::number(negate(ir))
            }
            Node::Chain(first, links) => match links[0].operator {
                Operator::And | Operator::Or => self.logic(first, links),
                Operator::Join => self.join(first, links),
                _ => self.arithmetic(first, links, &expr.span),
            },
            Node::Power(a, b) => {
                let arguments = [self.numeric(a, "^"), self.numeric(b, "^")].into();
                Typed::number(self.numeric_call("pow", arguments, &expr.span))
            }
            Node::Compare(a, comparison, b) => self.compare(a, *comparison, b, &expr.span),
            Node::Call(call) => self.call(call, &expr.span),
        }
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        self.failed |= diagnostic.severity == crate::diagnostic::Severity::Error;
        self.diagnostics.push(diagnostic);
    }

    fn site(&mut self, span: &Span, problem: Problem) -> SiteIndex {
        let index = SiteIndex::try_from(self.sites.len()).unwrap_or(SiteIndex::MAX);
        self.sites.push(Site { span: span.clone(), problem });
        index
    }

    /// Something that fails for certain: an error now, unless it stands where it may never be computed.
    fn certain(&mut self, span: &Span, problem: Problem) {
        if self.lazy == 0 {
            self.report(Site { span: span.clone(), problem }.diagnostic());
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
        if typed.kind == Some(Kind::Text) {
            let message = format!("`{wanted_by}` needs a number, this is a text");
            let error = Diagnostic::error("wrong-kind", expr.span.clone(), message);
            let help = if wanted_by == "+" { "texts are joined with `..`" } else { "" };
            self.report(if help.is_empty() { error } else { error.with_help(help) });
        }
        typed.ir
    }

    fn condition(&mut self, expr: &Expr, wanted_by: &str) -> Ir {
        let typed = self.expression(expr);
        if typed.kind == Some(Kind::Text) {
            let message = format!("`{wanted_by}` needs a condition, this is a text");
            let error = Diagnostic::error("wrong-kind", expr.span.clone(), message);
            self.report(error.with_help("compare it: `text == '\u{2026}'`"));
        }
        typed.ir
    }
}

/// Names.
impl Checker<'_, '_> {
    fn name(&mut self, name: &str, span: &Span) -> Typed {
        match self.names.meaning(name) {
            Meaning::Key(key) => {
                Typed { ir: Ir::Key(key), kind: self.keys.get(key as usize).map(|key| key.kind) }
            }
            Meaning::Builtin(builtin) => Typed::number(Ir::Builtin(builtin)),
            Meaning::Value(entry) => match self.known.get(entry as usize) {
                Some(Known::Node(node, kind)) => Typed { ir: Ir::Node(*node), kind: *kind },
                Some(Known::Failed) | None => {
                    self.needs_failed = true;
                    Typed::unknown()
                }
            },
            Meaning::Ambiguous(keys) => {
                let all: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
                let message = format!("`{name}` can mean {}", all.join(" or "));
                let error = Diagnostic::error("ambiguous-name", span.clone(), message);
                let candidates = keys.iter().map(ToString::to_string).collect();
                self.report(error.with_help("write the full name").with_candidates(candidates));
                Typed::unknown()
            }
            Meaning::Unknown => self.unknown_name(name, span),
        }
    }

    fn unknown_name(&mut self, name: &str, span: &Span) -> Typed {
        let error = Diagnostic::error(
            "unknown-name",
            span.clone(),
            format!("there is no key or value called `{name}`"),
        );
        let error = match name {
            "True" | "TRUE" => error.with_help("write `true`"),
            "False" | "FALSE" => error.with_help("write `false`"),
            "None" | "null" | "NULL" | "Nil" | "NIL" | "undefined" => error.with_help("write `nil`"),
            "pi" | "PI" | "Pi" => error.with_help("write `rad(180)`"),
            "end" | "then" | "else" => error.with_help("a choice is written `if(condition, a, b)`"),
            _ => match Function::named(name) {
                Some(function) => {
                    error.with_help(format!("`{name}` is a function: write `{}`", function.signature))
                }
                None => suggest(error, self.names.suggestions(name)),
            },
        };
        self.report(error);
        Typed::unknown()
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
