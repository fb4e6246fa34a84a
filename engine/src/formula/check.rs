//! The third step: names get their meaning, kinds and numbers of arguments are checked, what is constant is
//! computed, and what would fail for certain is an error now.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::ast::{self, Comparison, Expr, Node, Operator, Span};
use super::functions::{FUNCTIONS, Fault, Function, Rule, floored_modulo};
use super::ir::{Arithmetic, Chain, Ir, Link, Piece, SiteIndex, Subject};
use super::names::{Meaning, Names};
use super::site::{Problem, Site};
use super::{Key, Kind};
use crate::diagnostic::{Diagnostic, nearest};

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

/// Operators.
impl Checker<'_, '_> {
    fn logic(&mut self, first: &Expr, links: &[ast::Link]) -> Typed {
        let operator = links[0].operator;
        let mut parts = Vec::from([self.condition(first, operator.symbol())]);
        self.in_branch(|checker| {
            parts.extend(links.iter().map(|link| checker.condition(&link.operand, operator.symbol())));
        });
        Typed::number(if operator == Operator::And { all(parts) } else { any(parts) })
    }

    fn join(&mut self, first: &Expr, links: &[ast::Link]) -> Typed {
        let mut pieces = Vec::new();
        for operand in core::iter::once(first).chain(links.iter().map(|link| &link.operand)) {
            let typed = self.expression(operand);
            pieces.push(Piece { ir: typed.ir, is_text: typed.kind == Some(Kind::Text) });
        }
        let span = first.span.start..links.last().map_or(first.span.end, |link| link.operand.span.end);
        let site = self.site(&span, Problem::TextTooLong);
        Typed { ir: Ir::Join(pieces, site), kind: Some(Kind::Text) }
    }

    fn arithmetic(&mut self, first: &Expr, links: &[ast::Link], span: &Span) -> Typed {
        let symbol = links[0].operator.symbol();
        let mut chain = Chain {
            first: self.numeric(first, symbol),
            links: Vec::new(),
            overflow: self.site(span, Problem::Overflow),
        };
        for link in links {
            let arithmetic = arithmetic(link.operator);
            let operand = self.numeric(&link.operand, link.operator.symbol());
            let around = first.span.start..link.operand.span.end;
            let problem = match arithmetic {
                Arithmetic::Modulo => Problem::ModuloByZero,
                _ => Problem::DivisionByZero,
            };
            let site = self.site(&around, problem);
            let divides =
                !matches!(arithmetic, Arithmetic::Add | Arithmetic::Subtract | Arithmetic::Multiply);
            if divides && operand.as_number() == Some(0.0) {
                self.certain(&around, problem);
            }
            self.extend(&mut chain, Link { arithmetic, operand, site }, &around);
        }
        Typed::number(if chain.links.is_empty() { chain.first } else { Ir::Chain(Box::new(chain)) })
    }

    /// Adds a link, or computes it now where both sides are known.
    fn extend(&mut self, chain: &mut Chain, link: Link, span: &Span) {
        let constants =
            chain.first.as_number().zip(link.operand.as_number()).filter(|_| chain.links.is_empty());
        if let Some((a, b)) = constants {
            let result = compute(link.arithmetic, a, b);
            if result.is_finite() {
                chain.first = Ir::number(result);
                return;
            }
            if b != 0.0 {
                self.certain(span, Problem::Overflow);
            }
        }
        chain.links.push(link);
    }

    fn compare(&mut self, a: &Expr, comparison: Comparison, b: &Expr, span: &Span) -> Typed {
        let equality = matches!(comparison, Comparison::Equal | Comparison::NotEqual);
        let (left, right) = (self.expression(a), self.expression(b));
        if equality && (a.node == Node::Nil || b.node == Node::Nil) {
            // The one test that sees whether there is a value; everything else has none then.
            let tested = if a.node == Node::Nil { right.ir } else { left.ir };
            let test = is_nil(tested);
            return Typed::number(if comparison == Comparison::Equal { test } else { negate(test) });
        }
        let subject = match (left.kind, right.kind) {
            (Some(a), Some(b)) if a != b => {
                let message = format!("`{}` compares a number with a text", comparison.symbol());
                self.report(Diagnostic::error("wrong-kind", span.clone(), message));
                Subject::Numbers
            }
            (Some(Kind::Text), _) | (_, Some(Kind::Text)) => Subject::Texts,
            _ => Subject::Numbers,
        };
        if equality && subject == Subject::Numbers && (has_fraction(a) || has_fraction(b)) {
            let message = format!("`{}` between fractions is rarely exact", comparison.symbol());
            let warning = Diagnostic::warning("inexact-equality", span.clone(), message);
            self.report(warning.with_help("compare with a tolerance: `approx(a, b)`"));
        }
        Typed::number(compare(comparison, subject, left.ir, right.ir))
    }
}

/// Calls.
impl Checker<'_, '_> {
    fn call(&mut self, call: &ast::Call, span: &Span) -> Typed {
        let Some(function) = Function::named(&call.name) else { return self.unknown_function(call) };
        if let Some(problem) = function.arity_problem(call.arguments.len(), span.clone()) {
            self.report(problem);
            // What is wrong inside is to be seen as well.
            self.in_branch(|checker| {
                call.arguments.iter().for_each(|argument| drop(checker.expression(argument)))
            });
            return Typed::unknown();
        }
        let arguments = call.arguments.as_slice();
        match function.rule {
            Rule::If => return self.choice(arguments, span),
            Rule::Coalesce => return self.coalesce(arguments, span),
            Rule::And | Rule::Or => {
                let mut parts = Vec::from([self.condition(&arguments[0], function.name)]);
                self.in_branch(|c| {
                    parts.extend(arguments[1..].iter().map(|a| c.condition(a, function.name)))
                });
                return Typed::number(if matches!(function.rule, Rule::And) {
                    all(parts)
                } else {
                    any(parts)
                });
            }
            Rule::Not => {
                let ir = self.condition(&arguments[0], function.name);
                return Typed::number(negate(ir));
            }
            _ => {}
        }
        let arguments: Vec<Ir> =
            arguments.iter().map(|argument| self.numeric(argument, function.name)).collect();
        Typed::number(self.numeric_call(function.name, arguments, span))
    }

    fn choice(&mut self, arguments: &[Expr], span: &Span) -> Typed {
        let condition = self.condition(&arguments[0], "if");
        let [a, b] =
            self.in_branch(|checker| [&arguments[1], &arguments[2]].map(|branch| checker.expression(branch)));
        let kind = self.common_kind(&[&a, &b], "the branches of `if`", span);
        let ir = match condition.as_truth() {
            Some(true) => a.ir,
            Some(false) => b.ir,
            None => Ir::If(Box::new([condition, a.ir, b.ir])),
        };
        Typed { ir, kind }
    }

    fn coalesce(&mut self, arguments: &[Expr], span: &Span) -> Typed {
        let mut parts = Vec::from([self.expression(&arguments[0])]);
        self.in_branch(|checker| {
            parts.extend(arguments[1..].iter().map(|argument| checker.expression(argument)))
        });
        let kind = self.common_kind(&parts.iter().collect::<Vec<_>>(), "the arguments of `coalesce`", span);
        let mut irs: Vec<Ir> = parts.into_iter().map(|part| part.ir).filter(|ir| *ir != Ir::Nil).collect();
        if let Some(last) = irs.iter().position(|ir| !ir.may_be_nil()) {
            irs.truncate(last + 1);
        }
        let ir = match irs.len() {
            0 => Ir::Nil,
            1 => irs.remove(0),
            _ => Ir::Coalesce(irs),
        };
        Typed { ir, kind }
    }

    fn common_kind(&mut self, parts: &[&Typed], what: &str, span: &Span) -> AnyKind {
        let mut kinds = parts.iter().filter_map(|part| part.kind);
        let first = kinds.next();
        if kinds.any(|kind| Some(kind) != first) {
            let error =
                Diagnostic::error("wrong-kind", span.clone(), format!("{what} are a number and a text"));
            self.report(error.with_help("make a text of the number: `number .. ''`"));
        }
        first
    }

    /// A function of numbers whose arguments are checked.
    fn numeric_call(&mut self, name: &'static str, mut arguments: Vec<Ir>, span: &Span) -> Ir {
        let Some(index) = FUNCTIONS.iter().position(|function| function.name == name) else { return Ir::Nil };
        match FUNCTIONS[index].rule {
            Rule::Min => Ir::Min(arguments),
            Rule::Max => Ir::Max(arguments),
            Rule::Modulo => {
                let operand = arguments.remove(1);
                let first = arguments.remove(0);
                self.single_link(first, Arithmetic::Modulo, operand, Problem::ModuloByZero, span)
            }
            Rule::Scale(factor, divisor) => {
                let scaled = self.single_link(
                    arguments.remove(0),
                    Arithmetic::Multiply,
                    Ir::number(factor),
                    Problem::Overflow,
                    span,
                );
                self.single_link(scaled, Arithmetic::Divide, Ir::number(divisor), Problem::Overflow, span)
            }
            Rule::Exact(exact) => self.computed(index, arguments, span, |mut arguments, domain, _| {
                Ir::Exact(exact, Box::new(arguments.remove(0)), domain)
            }),
            Rule::ExactOrCall(exact, _) if arguments.len() == 1 => {
                self.computed(index, arguments, span, |mut arguments, domain, _| {
                    Ir::Exact(exact, Box::new(arguments.remove(0)), domain)
                })
            }
            _ => self.computed(index, arguments, span, |arguments, domain, overflow| {
                Ir::Call(index, arguments, domain, overflow)
            }),
        }
    }

    fn single_link(
        &mut self,
        first: Ir,
        arithmetic: Arithmetic,
        operand: Ir,
        problem: Problem,
        span: &Span,
    ) -> Ir {
        let overflow = self.site(span, Problem::Overflow);
        let site = self.site(span, problem);
        if arithmetic == Arithmetic::Modulo && operand.as_number() == Some(0.0) {
            self.certain(span, problem);
        }
        let mut chain = Chain { first, links: Vec::new(), overflow };
        self.extend(&mut chain, Link { arithmetic, operand, site }, span);
        if chain.links.is_empty() { chain.first } else { Ir::Chain(Box::new(chain)) }
    }

    /// The result where the arguments are known, else what `make` makes of them and the sites.
    fn computed(
        &mut self,
        index: usize,
        arguments: Vec<Ir>,
        span: &Span,
        make: impl FnOnce(Vec<Ir>, SiteIndex, SiteIndex) -> Ir,
    ) -> Ir {
        let constants: Option<Vec<f64>> = arguments.iter().map(Ir::as_number).collect();
        match constants.and_then(|constants| FUNCTIONS[index].compute(&constants)) {
            Some(Ok(result)) => return Ir::number(result),
            Some(Err(Fault::Domain)) => self.certain(span, Problem::Domain(index)),
            Some(Err(Fault::Overflow)) => self.certain(span, Problem::Overflow),
            None => {}
        }
        let domain = self.site(span, Problem::Domain(index));
        let overflow = self.site(span, Problem::Overflow);
        make(arguments, domain, overflow)
    }

    fn unknown_function(&mut self, call: &ast::Call) -> Typed {
        let name = call.name.as_str();
        let error = Diagnostic::error(
            "unknown-function",
            call.name_span.clone(),
            format!("there is no function `{name}`"),
        );
        let bare = name.rsplit('.').next().unwrap_or(name);
        let error = match (Function::named(bare), self.names.meaning(name)) {
            (Some(function), _) => {
                error.with_help(format!("functions have no prefix: write `{}`", function.signature))
            }
            (None, Meaning::Unknown) => suggest(error, foreign_function(name)),
            (None, _) => {
                error.with_help(format!("`{name}` is a value; to multiply, write `{name} * (\u{2026})`"))
            }
        };
        self.report(error);
        self.in_branch(|checker| {
            call.arguments.iter().for_each(|argument| drop(checker.expression(argument)))
        });
        Typed::unknown()
    }
}

/// The functions that were probably meant: by the habits of other languages, else by their letters.
fn foreign_function(name: &str) -> Vec<String> {
    let lower = name.to_ascii_lowercase();
    let meant = match lower.as_str() {
        "ln" | "loge" => "log",
        "lg" => "log10",
        "ceiling" | "roundup" => "ceil",
        "int" | "fix" | "truncate" => "trunc",
        "power" => "pow",
        "sgn" | "signum" => "sign",
        "iif" | "ifelse" | "cond" | "when" => "if",
        "ifnull" | "nvl" | "isnull" | "default" => "coalesce",
        "degrees" => "deg",
        "radians" => "rad",
        "fmod" | "modulo" | "rem" => "mod",
        "limit" | "constrain" | "bound" => "clamp",
        "minimum" => "min",
        "maximum" => "max",
        _ => return nearest(name, FUNCTIONS.iter().map(|function| function.name)),
    };
    Vec::from([meant.into()])
}

/// Whether an operand of `==` is hardly ever met exactly: a literal with a fraction, or one in a sum.
fn has_fraction(expr: &Expr) -> bool {
    match &expr.node {
        Node::Number(n) => *n != libm::trunc(*n),
        Node::Negate(a) | Node::Plus(a) => has_fraction(a),
        Node::Chain(first, links) => {
            has_fraction(first) || links.iter().any(|link| has_fraction(&link.operand))
        }
        _ => false,
    }
}

fn arithmetic(operator: Operator) -> Arithmetic {
    match operator {
        Operator::Subtract => Arithmetic::Subtract,
        Operator::Multiply => Arithmetic::Multiply,
        Operator::Divide => Arithmetic::Divide,
        Operator::Modulo => Arithmetic::Modulo,
        Operator::FloorDivide => Arithmetic::FloorDivide,
        _ => Arithmetic::Add,
    }
}

fn compute(arithmetic: Arithmetic, a: f64, b: f64) -> f64 {
    match arithmetic {
        Arithmetic::Add => a + b,
        Arithmetic::Subtract => a - b,
        Arithmetic::Multiply => a * b,
        Arithmetic::Divide => a / b,
        Arithmetic::Modulo => floored_modulo(a, b),
        Arithmetic::FloorDivide => libm::floor(a / b),
    }
}

fn compare(comparison: Comparison, subject: Subject, a: Ir, b: Ir) -> Ir {
    match (a.as_number(), b.as_number()) {
        (Some(a), Some(b)) => Ir::truth(comparison.holds(a, b)),
        _ => Ir::Compare(comparison, subject, Box::new([a, b])),
    }
}

fn is_nil(ir: Ir) -> Ir {
    match ir {
        Ir::Nil => Ir::truth(true),
        Ir::Number(_) | Ir::Text(_) => Ir::truth(false),
        ir => Ir::IsNil(Box::new(ir)),
    }
}

fn negate(ir: Ir) -> Ir {
    match ir.as_truth() {
        Some(holds) => Ir::truth(!holds),
        None => Ir::Not(Box::new(ir)),
    }
}

/// 1 if all hold. What is known to hold is left out, and nothing behind what does not is computed.
fn all(parts: Vec<Ir>) -> Ir {
    let mut kept = Vec::new();
    for part in parts {
        match part.as_truth() {
            Some(true) => {}
            Some(false) if kept.is_empty() => return Ir::truth(false),
            Some(false) => {
                kept.push(Ir::truth(false));
                break;
            }
            None => kept.push(part),
        }
    }
    if kept.is_empty() { Ir::truth(true) } else { Ir::All(kept) }
}

/// 1 if one holds.
fn any(parts: Vec<Ir>) -> Ir {
    let mut kept = Vec::new();
    for part in parts {
        match part.as_truth() {
            Some(false) => {}
            Some(true) if kept.is_empty() => return Ir::truth(true),
            Some(true) => {
                kept.push(Ir::truth(true));
                break;
            }
            None => kept.push(part),
        }
    }
    if kept.is_empty() { Ir::truth(false) } else { Ir::Any(kept) }
}
