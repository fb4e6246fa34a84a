//! Checks calls.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::operators::{all, any, negate};
use super::{AnyKind, Checker, Typed, suggest};
use crate::diagnostic::{Diagnostic, nearest};
use crate::formula::ast::{self, Expr, Span};
use crate::formula::functions::{FUNCTIONS, Fault, Function, Rule};
use crate::formula::ir::{Ir, SiteIndex};
use crate::formula::names::Meaning;
use crate::formula::site::Problem;

impl Checker<'_, '_> {
    pub(super) fn call(&mut self, call: &ast::Call, span: &Span) -> Typed {
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
    pub(super) fn numeric_call(&mut self, name: &'static str, arguments: Vec<Ir>, span: &Span) -> Ir {
        let Some(index) = FUNCTIONS.iter().position(|function| function.name == name) else { return Ir::Nil };
        match FUNCTIONS[index].rule {
            Rule::Min => Ir::Min(arguments),
            Rule::Max => Ir::Max(arguments),
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
