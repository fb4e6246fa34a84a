//! Checks calls.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::habits::{Instead, instead_of_call, renamed};
use super::operators::{compute_extreme, negate};
use super::{AnyType, Checker, Typed, suggest};
use crate::diagnostic::{Diagnostic, nearest};
use crate::formula::ast::{self, Expr, Operator, Span};
use crate::formula::functions::arity_problem;
use crate::formula::functions::{Argument, FUNCTIONS, Fault, Function, Output, Parameter, Rule};
use crate::formula::ir::{Ir, Piece, SiteIndex};
use crate::formula::names::Meaning;
use crate::formula::script::{MAX_ARGUMENTS, ParameterKind};
use crate::formula::site::Problem;
use crate::formula::typing::Type;
use crate::formula::{Kind, UserFunction};
use crate::paint::Color;
use crate::template::Format;

impl Checker<'_, '_> {
    pub(super) fn call(&mut self, call: &ast::Call, span: &Span) -> Typed {
        let Some(index) = Function::index_of(&call.name) else {
            return match self.script(&call.name) {
                Some(index) => self.script_call(index, call, span),
                None => self.unknown_function(call),
            };
        };
        let function = &FUNCTIONS[index];
        if let Some(problem) = function.arity_problem(call.arguments.len(), span.clone()) {
            self.report(problem);
            return self.only_inside(call);
        }
        let arguments = call.arguments.as_slice();
        match function.rule {
            Rule::If => self.choice(arguments, span),
            Rule::Coalesce => self.coalesce(arguments, span),
            Rule::And | Rule::Or => {
                let mut parts = Vec::from([self.condition(&arguments[0], function.name)]);
                self.in_branch(|c| {
                    parts.extend(arguments[1..].iter().map(|a| c.condition(a, function.name)))
                });
                let operator = if matches!(function.rule, Rule::And) { Operator::And } else { Operator::Or };
                self.joined(operator, parts, span)
            }
            Rule::Not => Typed::truth(negate(self.condition(&arguments[0], function.name))),
            Rule::Derived(measure) => self.past(function, Some(measure), call, span),
            Rule::Percentile => self.past(function, None, call, span),
            Rule::Textual(_) => {
                let ir = self.textual_call(index, arguments, span);
                Typed::new(function.result, ir)
            }
            _ => {
                let given = arguments.iter().enumerate();
                let given = given.map(|(at, argument)| self.argument(function, at, argument).ir).collect();
                Typed::new(function.result, self.numeric_call(index, given, span))
            }
        }
    }

    /// What is wrong inside of a call that is wrong itself is to be seen as well.
    fn only_inside(&mut self, call: &ast::Call) -> Typed {
        self.in_branch(|checker| {
            call.arguments.iter().for_each(|argument| drop(checker.expression(argument)))
        });
        Typed::unknown()
    }

    /// An argument as its parameter wants it.
    fn argument(&mut self, function: &Function, at: usize, argument: &Expr) -> Piece {
        let piece = |of: Type, ir| Piece { ir, kind: of.kind() };
        match function.parameter(at) {
            Parameter::Number => piece(Type::Number, self.numeric(argument, function.name)),
            Parameter::Color => {
                let typed = self.expression(argument);
                piece(Type::Color, self.as_color(typed, argument, function.name))
            }
            Parameter::Text => {
                let typed = self.expression(argument);
                let ir = match typed.of {
                    Some(of) if of != Type::Text => self.wrong(argument, function.name, "a text", of),
                    _ => typed.ir,
                };
                piece(Type::Text, ir)
            }
            _ => {
                let typed = self.expression(argument);
                piece(typed.of.unwrap_or(Type::Number), typed.ir)
            }
        }
    }

    /// A colour, or a text that is one and written out.
    pub(super) fn as_color(&mut self, typed: Typed, expr: &Expr, wanted_by: &str) -> Ir {
        match typed.of {
            None | Some(Type::Color) => typed.ir,
            Some(Type::Text) => match self.known_text(&typed.ir) {
                Some(text) => self.literal_color(&text, expr),
                None => self.wrong(expr, wanted_by, "a colour", Type::Text),
            },
            Some(of) => self.wrong(expr, wanted_by, "a colour", of),
        }
    }

    fn literal_color(&mut self, text: &str, expr: &Expr) -> Ir {
        if let Some(color) = Color::parse(text.trim()) {
            return Ir::number(f64::from(color.pack()));
        }
        let error = Diagnostic::error("no-color", expr.span.clone(), format!("`{text}` is no colour"));
        let near = nearest(text, Color::names());
        self.report(match near.is_empty() {
            true => error.with_help("write '#ff8800', '#f80', '#ff880080' or a name such as 'orange'"),
            false => suggest(error, near),
        });
        Ir::Nil
    }

    fn choice(&mut self, arguments: &[Expr], span: &Span) -> Typed {
        let condition = self.condition(&arguments[0], "if");
        let branches =
            self.in_branch(|checker| [&arguments[1], &arguments[2]].map(|branch| checker.expression(branch)));
        let (of, branches) =
            self.common_type(Vec::from(branches), &arguments[1..], ("the branches of `if`", "if"), span);
        let Ok([a, b]) = <[Ir; 2]>::try_from(branches) else { return Typed::unknown() };
        let ir = match condition.as_truth() {
            Some(true) => a,
            Some(false) => b,
            None => Ir::If(Box::new([condition, a, b])),
        };
        Typed { ir, of }
    }

    fn coalesce(&mut self, arguments: &[Expr], span: &Span) -> Typed {
        let mut parts = Vec::from([self.expression(&arguments[0])]);
        self.in_branch(|checker| {
            parts.extend(arguments[1..].iter().map(|argument| checker.expression(argument)))
        });
        let (of, mut irs) =
            self.common_type(parts, arguments, ("the arguments of `coalesce`", "coalesce"), span);
        irs.retain(|ir| *ir != Ir::Nil);
        if let Some(last) = irs.iter().position(|ir| !ir.may_be_nil()) {
            irs.truncate(last + 1);
        }
        let ir = match irs.len() {
            0 => Ir::Nil,
            1 => irs.remove(0),
            _ => Ir::Coalesce(irs),
        };
        Typed { ir, of }
    }

    /// The one type of all parts, and the parts as such. A text that is written out is a colour where
    /// another part is one; numbers, truth values and durations together are numbers.
    fn common_type(
        &mut self,
        parts: Vec<Typed>,
        written: &[Expr],
        (what, wanted_by): (&str, &str),
        span: &Span,
    ) -> (AnyType, Vec<Ir>) {
        let types = || parts.iter().filter_map(|part| part.of);
        if types().any(|of| of == Type::Color) && types().all(|of| matches!(of, Type::Color | Type::Text)) {
            let parts = parts.into_iter().zip(written);
            let colors = parts.map(|(part, expr)| self.as_color(part, expr, wanted_by));
            return (Some(Type::Color), colors.collect());
        }
        let first = types().next();
        let other = first.and_then(|first| types().find(|of| of.kind() != first.kind()));
        if let (Some(first), Some(other)) = (first, other) {
            let message = format!("{what} are {} and {}", first.noun(), other.noun());
            let error = Diagnostic::error("wrong-kind", span.clone(), message);
            let has_text = [first, other].contains(&Type::Text);
            let help = if has_text { "make a text of the number: `number .. ''`" } else { "" };
            self.report(if help.is_empty() { error } else { error.with_help(help) });
        }
        let of = match first {
            Some(first) if types().any(|of| of != first) => Some(Type::from(first.kind())),
            first => first,
        };
        (of, parts.into_iter().map(|part| part.ir).collect())
    }

    /// A function of numbers or colours whose arguments are checked.
    pub(super) fn numeric_call(&mut self, index: usize, arguments: Vec<Ir>, span: &Span) -> Ir {
        match FUNCTIONS[index].rule {
            Rule::Min => compute_extreme(&arguments, |a, b| a < b).unwrap_or(Ir::Min(arguments)),
            Rule::Max => compute_extreme(&arguments, |a, b| a > b).unwrap_or(Ir::Max(arguments)),
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
            Some(Err(_)) => self.certain(span, Problem::Overflow),
            None => {}
        }
        let domain = self.site(span, Problem::Domain(index));
        let overflow = self.site(span, Problem::Overflow);
        make(arguments, domain, overflow)
    }

    /// A function that takes or returns texts.
    fn textual_call(&mut self, index: usize, arguments: &[Expr], span: &Span) -> Ir {
        let function = &FUNCTIONS[index];
        let given = arguments.iter().enumerate();
        let pieces: Vec<Piece> = given.map(|(at, argument)| self.argument(function, at, argument)).collect();
        if function.name == "fmt" {
            match (self.format(&pieces[1].ir, &arguments[1]), pieces[0].kind) {
                (Err(problem), _) => {
                    self.report(problem);
                    return Ir::Nil;
                }
                (Ok(Some(format)), kind @ (Kind::Text | Kind::Color)) if format.is_of_numbers() => {
                    return self.wrong(&arguments[0], "fmt", "a number", kind.into());
                }
                (Ok(_), _) => {}
            }
        }
        let mut out = String::new();
        match self.compute_text(function, &pieces, &mut out) {
            Some(Ok(Output::Number(result))) => return Ir::number(result),
            Some(Ok(Output::Text)) => return self.text(&out).ir,
            Some(Err(Fault::Domain)) => self.certain(span, Problem::Domain(index)),
            Some(Err(_)) => self.certain(span, Problem::TextTooLong),
            None => {}
        }
        let domain = self.site(span, Problem::Domain(index));
        let too_long = self.site(span, Problem::TextTooLong);
        Ir::Textual(index, pieces, domain, too_long)
    }

    /// A format that is written out.
    fn format(&self, format: &Ir, written: &Expr) -> Result<Option<Format>, Diagnostic> {
        let Some(text) = self.known_text(format) else { return Ok(None) };
        Format::parse(&text, written.span.start + 1).map(Some).map_err(|mut problem| {
            // With escapes in it the places in the text are others than those in the formula.
            if !matches!(&written.node, ast::Node::Text(_)) || written.span.len() != text.len() + 2 {
                problem.span = written.span.clone();
            }
            problem
        })
    }

    /// The result where all arguments are known.
    fn compute_text(
        &self,
        function: &Function,
        pieces: &[Piece],
        out: &mut String,
    ) -> Option<Result<Output, Fault>> {
        let texts: Vec<_> = pieces.iter().map(|piece| self.known_text(&piece.ir)).collect();
        let known = pieces.iter().zip(&texts).map(|(piece, text)| match (piece.kind, text) {
            (Kind::Text, text) => text.as_deref().map(Argument::Text),
            (Kind::Number, _) => piece.ir.as_number().map(Argument::Number),
            (Kind::Color, _) => piece.ir.as_color().map(Argument::Color),
        });
        let arguments: Option<Vec<Argument<'_>>> = known.collect();
        function.compute_text(&arguments?, out)
    }

    /// A function of a user's script.
    fn script_call(&mut self, index: usize, call: &ast::Call, span: &Span) -> Typed {
        let function = &self.around.environment.scripts[index];
        if let Some(problem) = script_arity_problem(function, call.arguments.len(), span) {
            self.report(problem);
            return self.only_inside(call);
        }
        let given = call.arguments.iter().enumerate();
        let pieces = given.map(|(at, argument)| self.script_argument(function, at, argument)).collect();
        let site = self.site(span, Problem::Script);
        let number = u32::try_from(index).unwrap_or(u32::MAX);
        let ir = Ir::Script(number, function.result, pieces, site);
        Typed::new(function.result.into(), ir)
    }

    /// An argument as the script's function declares it.
    fn script_argument(&mut self, function: &UserFunction, at: usize, argument: &Expr) -> Piece {
        let typed = self.expression(argument);
        let (of, name) = (typed.of, function.name.as_str());
        let piece = |kind, ir| Piece { ir, kind };
        match (function.kinds.get(at).copied().unwrap_or_default(), of) {
            (ParameterKind::Color, _) => piece(Kind::Color, self.as_color(typed, argument, name)),
            (ParameterKind::Number, Some(of)) if !of.is_number() => {
                piece(Kind::Number, self.wrong(argument, name, "a number", of))
            }
            (ParameterKind::Truth, Some(of @ (Type::Text | Type::Color | Type::Duration))) => {
                piece(Kind::Number, self.wrong(argument, name, "a condition", of))
            }
            (ParameterKind::Text, Some(of)) if of != Type::Text => {
                piece(Kind::Text, self.wrong(argument, name, "a text", of))
            }
            (ParameterKind::Text, _) => piece(Kind::Text, typed.ir),
            _ => piece(of.map_or(Kind::Number, Type::kind), typed.ir),
        }
    }

    fn unknown_function(&mut self, call: &ast::Call) -> Typed {
        let name = call.name.as_str();
        let error = Diagnostic::error(
            "unknown-function",
            call.name_span.clone(),
            format!("there is no function `{name}`"),
        );
        let error = match (name.rsplit_once('.'), instead_of_call(call)) {
            (Some((before, bare)), _) if self.is_function(bare) => {
                let known = self.around.names.meaning(before) != Meaning::Unknown;
                let written = renamed(call, bare, known.then_some(before));
                error.with_help(format!("functions have no prefix: write `{written}`"))
            }
            _ if self.around.names.meaning(name) != Meaning::Unknown => {
                error.with_help(format!("`{name}` is a value; to multiply, write `{name} * (\u{2026})`"))
            }
            (_, Some(Instead::Function(function))) => {
                let written = renamed(call, function, None);
                error.with_help(format!("write `{written}`")).with_candidates(Vec::from([function.into()]))
            }
            (_, Some(Instead::Help(help))) => error.with_help(help),
            (_, None) => suggest(error, self.near_functions(name)),
        };
        self.report(error);
        self.only_inside(call)
    }

    fn is_function(&self, name: &str) -> bool {
        Function::named(name).is_some() || self.script(name).is_some()
    }

    /// The functions with names like this one.
    fn near_functions(&self, name: &str) -> Vec<String> {
        let scripts = self.around.environment.scripts.iter().map(|function| function.name.as_str());
        nearest(name, FUNCTIONS.iter().map(|function| function.name).chain(scripts))
    }
}

fn script_arity_problem(function: &UserFunction, count: usize, span: &Span) -> Option<Diagnostic> {
    let (min, max) = (function.min_arguments, function.max_arguments);
    if let Some(problem) = arity_problem(&function.name, (min, max), count, span.clone()) {
        return Some(problem.with_help(format!("write `{}`", function.signature())));
    }
    if count <= MAX_ARGUMENTS {
        return None;
    }
    let message = format!("a script's function takes at most {MAX_ARGUMENTS} arguments, not {count}");
    let help = "split the call into several, or let the script read keys with `get`";
    Some(Diagnostic::error("wrong-arity", span.clone(), message).with_help(help))
}
