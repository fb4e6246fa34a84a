//! The second step: tokens become a tree, by operator precedence (Pratt 1973). Every problem is reported
//! and parsing goes on behind it; habits from other languages are recognised and answered with this
//! language's way to write them.

mod foreign;
mod leftover;
mod words;

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use super::ast::{Call, Comparison, Expr, Link, Node, Operator, Span};
use super::lexer::{self, Foreign, Token, TokenKind};
use crate::diagnostic::{Diagnostic, Severity};
use foreign::joins_texts;
use words::{Habit, is_choice};

/// The longest formula, in bytes.
pub const MAX_LENGTH: usize = 8 * 1024;

/// How deep parentheses, calls and prefix operators may be nested.
pub const MAX_DEPTH: usize = 100;

/// The most errors of one formula that are reported, and the most warnings.
pub const MAX_PROBLEMS: usize = 20;

/// What [`parse`] returns.
#[derive(Clone, Debug, PartialEq)]
pub struct Parsed {
    /// The tree, with [`Node::Error`] where something could not be read; `None` for an empty text.
    pub tree: Option<Expr>,
    /// The first problems, in the order of their places.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads a formula.
///
/// ```
/// use engine::formula::parser::parse;
/// assert!(parse("1 + 2 * cpu").diagnostics.is_empty());
/// assert_eq!(parse("1 +* 2 )").diagnostics.len(), 2);
/// assert_eq!(parse("  ").tree, None);
/// ```
pub fn parse(text: &str) -> Parsed {
    let mut diagnostics = Vec::new();
    if text.len() > MAX_LENGTH {
        let message = format!("the formula has {} bytes, at most {MAX_LENGTH} are allowed", text.len());
        let error = Diagnostic::error("too-long", 0..text.len(), message);
        diagnostics.push(error.with_help("split it into named values"));
        return Parsed { tree: Some(Expr { span: 0..text.len(), node: Node::Error }), diagnostics };
    }
    let tokens = lexer::tokens(text, &mut diagnostics);
    let give_up_at = diagnostics.len() + 5 * MAX_PROBLEMS;
    let mut parser = Parser { text, tokens, at: 0, depth: 0, too_deep: false, give_up_at, diagnostics };
    let tree = (parser.peek() != &TokenKind::End).then(|| parser.formula());
    Parsed { tree, diagnostics: first_problems(parser.diagnostics) }
}

/// In the order of their places, and of each severity only as many as anybody reads.
fn first_problems(mut diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
    diagnostics.sort_by_key(|d| (d.span.start, d.span.end));
    let mut left = [MAX_PROBLEMS; 2];
    diagnostics.retain(|diagnostic| {
        let left = &mut left[usize::from(diagnostic.severity == Severity::Error)];
        let kept = *left > 0;
        *left = left.saturating_sub(1);
        kept
    });
    for diagnostic in &mut diagnostics {
        diagnostic.help.take_if(|help| is_wrong_too(help));
    }
    diagnostics
}

/// Whether a formula is to be written that is wrong itself, since it was put together from what is.
fn is_wrong_too(help: &str) -> bool {
    let Some(instead) = help.strip_prefix("write `").and_then(|rest| rest.strip_suffix('`')) else {
        return false;
    };
    if instead.contains(['`', '\u{2026}']) {
        return false;
    }
    let mut diagnostics = Vec::new();
    let tokens = lexer::tokens(instead, &mut diagnostics);
    // A sign or a word by itself is no formula.
    if tokens.len() <= 2 {
        return false;
    }
    let give_up_at = diagnostics.len() + MAX_PROBLEMS;
    let mut parser =
        Parser { text: instead, tokens, at: 0, depth: 0, too_deep: false, give_up_at, diagnostics };
    parser.formula();
    parser.diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
}

/// How tightly operators bind, loosest first.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub(super) enum Level {
    Lowest,
    Or,
    And,
    Not,
    Compare,
    Join,
    Sum,
    Product,
    Unary,
    Power,
    /// What stands behind an operand and belongs to it, in other languages.
    Behind,
}

/// What stands in an operator's place.
enum Infix {
    Chain(Operator, Level),
    Compare(Comparison),
    Power,
    /// Something of another language, which is reported.
    Foreign(Foreign),
    /// A word of another language, likewise.
    Word(Habit),
    /// `x++`, `x--`
    Step,
    /// `80%`
    Percent,
}

/// What an operand and the operators behind it have become so far.
struct Operators {
    left: Expr,
    /// The level whose chain `left` is, if it was made here.
    chain: Option<Level>,
    compared: bool,
    /// The second of two comparisons in a row.
    chained: Option<Span>,
    /// Whether `left` began as `not(…)`.
    not_call: bool,
}

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
    too_deep: bool,
    /// How many problems are looked for.
    give_up_at: usize,
    diagnostics: Vec<Diagnostic>,
}

impl Parser<'_> {
    /// The whole text. What follows a complete expression is reported and read too.
    fn formula(&mut self) -> Expr {
        let mut first: Option<Expr> = None;
        loop {
            let expr = self.expression(Level::Lowest);
            let first = first.get_or_insert(expr);
            if self.peek() == &TokenKind::End || self.too_deep {
                return first.clone();
            }
            self.leftover(first);
            if self.peek() == &TokenKind::End {
                return first.clone();
            }
        }
    }

    fn expression(&mut self, above: Level) -> Expr {
        self.deeper(|parser| parser.operators(above))
    }

    /// Reads something that may contain itself.
    fn deeper(&mut self, read: impl FnOnce(&mut Self) -> Expr) -> Expr {
        self.depth += 1;
        // The whole is no nesting yet.
        let expr = if self.depth > MAX_DEPTH + 1 { self.nested_too_deep() } else { read(self) };
        self.depth -= 1;
        expr
    }

    fn nested_too_deep(&mut self) -> Expr {
        let span = self.span();
        if !self.too_deep {
            self.too_deep = true;
            let message = format!("this is nested more than {MAX_DEPTH} levels deep");
            let error = Diagnostic::error("too-deep", span.clone(), message);
            self.diagnostics.push(error.with_help("split the formula into named values"));
        }
        // Nothing behind it can be told any more.
        self.at = self.tokens.len() - 1;
        Expr { span, node: Node::Error }
    }

    /// An operand and all operators behind it that bind tighter than `above`.
    fn operators(&mut self, above: Level) -> Expr {
        let not_call = self.is_word("not") || self.peek() == &TokenKind::Bang;
        let left = self.prefix(above);
        let mut so_far = Operators { left, chain: None, compared: false, chained: None, not_call };
        while let Some(infix) = self.infix(above) {
            self.operator(infix, &mut so_far);
        }
        if let Some(span) = so_far.chained {
            self.chained_comparison(&so_far.left, span);
        }
        so_far.left
    }

    /// Takes an operator and its right operand in.
    fn operator(&mut self, infix: Infix, so_far: &mut Operators) {
        let token = self.tokens[self.at].clone();
        let span = token.span;
        let left = core::mem::replace(&mut so_far.left, Expr { span: span.clone(), node: Node::Error });
        match infix {
            Infix::Chain(operator, level) => {
                self.advance();
                let operand = self.operand_of(level, &span);
                if token.foreign {
                    self.foreign_operator(&left, operator.symbol(), &operand, &span);
                }
                if token.foreign && joins_texts(&left, operator, &operand) {
                    so_far.left = extend(left, Link { operator: Operator::Join, span, operand }, false);
                    so_far.chain = None;
                    return;
                }
                if operator == Operator::Or && is_choice(&left, &operand) {
                    so_far.left = self.and_or(left, operand, span);
                    so_far.chain = None;
                    return;
                }
                let link = Link { operator, span, operand };
                so_far.left = extend(left, link, so_far.chain == Some(level));
                so_far.chain = Some(level);
                return;
            }
            Infix::Power => {
                self.advance();
                // Grouped to the right, and `2^-1` needs no parentheses.
                let right = self.operand_of(Level::Unary, &span);
                so_far.left = join(left, right, Node::Power);
            }
            Infix::Compare(comparison) => {
                self.advance();
                let right = self.operand_of(Level::Compare, &span);
                if token.foreign {
                    self.foreign_operator(&left, comparison.symbol(), &right, &span);
                }
                self.compare(left, comparison, right, span, so_far);
            }
            Infix::Foreign(foreign) => so_far.left = self.foreign(foreign, left),
            Infix::Word(habit) => self.habit(habit, left, so_far),
            Infix::Step => so_far.left = self.step(left),
            Infix::Percent => so_far.left = self.percent(left),
        }
        so_far.chain = None;
    }

    /// `left < right`; a second comparison in a row is read as `a < b and b < c`.
    fn compare(&mut self, left: Expr, by: Comparison, right: Expr, span: Span, so_far: &mut Operators) {
        if !so_far.compared {
            if so_far.not_call {
                self.warn_not_call(&left, by, &right, span);
            }
            so_far.left = join(left, right, |a, b| Node::Compare(a, by, b));
            so_far.compared = true;
            return;
        }
        so_far.chained.get_or_insert(span.clone());
        let middle = match last_operand(&left).node.clone() {
            Node::Compare(_, _, middle) => *middle,
            node => Expr { span: left.span.clone(), node },
        };
        let operand = join(middle, right, |a, b| Node::Compare(a, by, b));
        let on_chain = matches!(left.node, Node::Chain(..));
        so_far.left = extend(left, Link { operator: Operator::And, span, operand }, on_chain);
    }

    /// The operator at the current place, if it binds tighter than `above`.
    fn infix(&self, above: Level) -> Option<Infix> {
        let (infix, level) = match self.peek() {
            TokenKind::Operator(operator) if self.is_step(*operator) => (Infix::Step, Level::Behind),
            TokenKind::Operator(Operator::Modulo) if self.ends_behind() => (Infix::Percent, Level::Behind),
            TokenKind::Operator(operator) => {
                let level = level_of(*operator);
                (Infix::Chain(*operator, level), level)
            }
            TokenKind::Compare(comparison) => (Infix::Compare(*comparison), Level::Compare),
            TokenKind::Power => (Infix::Power, Level::Power),
            TokenKind::Foreign(foreign) => (Infix::Foreign(*foreign), self.foreign_level(*foreign)?),
            // In an operator's place no name can stand, so that any case will do.
            TokenKind::Word(word) if word.eq_ignore_ascii_case("and") => {
                (Infix::Chain(Operator::And, Level::And), Level::And)
            }
            TokenKind::Word(word) if word.eq_ignore_ascii_case("or") => {
                (Infix::Chain(Operator::Or, Level::Or), Level::Or)
            }
            TokenKind::Word(word) => {
                let habit = self.habit_called(word)?;
                (Infix::Word(habit), habit.level())
            }
            _ => return None,
        };
        (level > above).then_some(infix)
    }

    /// What stands before the first operator.
    fn prefix(&mut self, above: Level) -> Expr {
        let token = self.tokens[self.at].clone();
        match token.kind {
            TokenKind::Number(n) => self.leaf(Node::Number(n)),
            TokenKind::Duration(duration) => self.leaf(Node::Duration(duration)),
            TokenKind::Text(text) => self.leaf(Node::Text(text)),
            TokenKind::Quoted(name) if name.contains("${") => self.interpolation(&name, token.span),
            TokenKind::Quoted(name) => self.leaf(Node::Name(name)),
            TokenKind::Broken => self.leaf(Node::Error),
            TokenKind::Word(word) => self.word(word, above),
            TokenKind::Open => self.parenthesis(),
            TokenKind::Bang => {
                let expr = if self.peek_second() == &TokenKind::Open {
                    self.call("not".into())
                } else {
                    self.unary(tighter(Level::Not, above), Node::Not)
                };
                if token.foreign {
                    self.foreign_not(&expr, token.span);
                }
                expr
            }
            TokenKind::Operator(Operator::Subtract) => self.unary(tighter(Level::Unary, above), Node::Negate),
            TokenKind::Operator(Operator::Add) => self.unary(tighter(Level::Unary, above), Node::Plus),
            TokenKind::Foreign(foreign) => self.foreign_prefix(foreign),
            TokenKind::Operator(_) | TokenKind::Compare(_) | TokenKind::Power => self.operator_first(),
            TokenKind::Close | TokenKind::Comma | TokenKind::End => self.missing_value(),
        }
    }

    fn leaf(&mut self, node: Node) -> Expr {
        let span = self.span();
        self.advance();
        Expr { span, node }
    }

    fn unary(&mut self, above: Level, make: fn(Box<Expr>) -> Node) -> Expr {
        let start = self.span().start;
        self.advance();
        let operand = self.expression(above);
        Expr { span: start..operand.span.end, node: make(Box::new(operand)) }
    }

    fn operand_of(&mut self, level: Level, operator: &Span) -> Expr {
        if self.peek() == &TokenKind::End {
            let symbol = self.text[operator.clone()].trim();
            let message = format!("a value is missing after `{symbol}`");
            self.error("missing-value", operator.end..operator.end, message);
            return Expr { span: operator.end..operator.end, node: Node::Error };
        }
        // Only powers group to the right; the others' operands bind tighter each time, which cannot go deep.
        if level == Level::Unary { self.expression(level) } else { self.operators(level) }
    }

    /// A name, a call or a keyword in an operand's place.
    fn word(&mut self, word: String, above: Level) -> Expr {
        if self.peek_second() == &TokenKind::Open {
            return match word.as_str() {
                "if" if self.is_statement() => self.leading_if(),
                "function" => self.function(),
                _ => self.call(word),
            };
        }
        match word.as_str() {
            "true" => self.leaf(Node::Number(1.0)),
            "false" => self.leaf(Node::Number(0.0)),
            "nil" => self.leaf(Node::Nil),
            _ if word.eq_ignore_ascii_case("not") && (word == "not" || self.starts_operand()) => {
                self.unary(tighter(Level::Not, above), Node::Not)
            }
            "if" => self.leading_if(),
            "and" | "or" => self.operator_first(),
            _ => match self.foreign_word(&word) {
                Some(expr) => expr,
                None => self.leaf(Node::Name(word)),
            },
        }
    }

    fn parenthesis(&mut self) -> Expr {
        let open = self.span();
        self.advance();
        let inner = self.expression(Level::Lowest);
        self.close(&open);
        Expr { span: open.start..self.behind(), ..inner }
    }

    fn call(&mut self, name: String) -> Expr {
        let name_span = self.span();
        self.advance();
        let open = self.span();
        self.advance();
        let mut arguments = vec![];
        if self.peek() != &TokenKind::Close {
            loop {
                arguments.push(self.expression(Level::Lowest));
                if self.peek() == &TokenKind::Foreign(Foreign::Semicolon) {
                    self.semicolon_for_comma();
                } else if self.peek() != &TokenKind::Comma {
                    break;
                }
                self.advance();
            }
        }
        self.close(&open);
        Expr { span: name_span.start..self.behind(), node: Node::Call(Call { name, name_span, arguments }) }
    }

    /// Goes past the parenthesis that closes `open`.
    fn close(&mut self, open: &Span) {
        while !self.too_deep {
            match self.peek() {
                TokenKind::Close => {
                    if self.tokens[self.at].foreign {
                        self.foreign_sign(")");
                    }
                    return self.advance();
                }
                TokenKind::End => {
                    let error = Diagnostic::error(
                        "unclosed-parenthesis",
                        open.clone(),
                        "this parenthesis is never closed",
                    );
                    return self.diagnostics.push(error.with_help("write `)` behind what belongs to it"));
                }
                TokenKind::Comma => self.stray_comma(),
                TokenKind::Broken | TokenKind::Foreign(_) => self.stray(),
                _ => self.missing_operator(),
            }
            if !matches!(self.peek(), TokenKind::Close | TokenKind::End) {
                self.expression(Level::Lowest);
            }
        }
    }
}

impl Parser<'_> {
    fn error(&mut self, code: &'static str, span: Span, message: String) {
        self.push(Diagnostic::error(code, span, message));
    }

    /// Notes a problem. Behind so many nobody reads on, and nothing more is looked for.
    fn push(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
        if self.diagnostics.len() > self.give_up_at {
            self.at = self.tokens.len() - 1;
        }
    }

    fn peek(&self) -> &TokenKind {
        &self.tokens[self.at].kind
    }

    fn peek_second(&self) -> &TokenKind {
        &self.tokens[(self.at + 1).min(self.tokens.len() - 1)].kind
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(self.peek(), TokenKind::Word(w) if w.eq_ignore_ascii_case(word))
    }

    /// Whether the token behind this one can only be the start of an operand.
    fn starts_operand(&self) -> bool {
        starts_operand(self.peek_second())
    }

    fn span(&self) -> Span {
        self.tokens[self.at].span.clone()
    }

    /// The end of the token before.
    fn behind(&self) -> usize {
        self.tokens[self.at.saturating_sub(1)].span.end
    }

    /// Goes on by a token, but never past the end.
    fn advance(&mut self) {
        self.at = (self.at + 1).min(self.tokens.len() - 1);
    }
}

fn starts_operand(token: &TokenKind) -> bool {
    match token {
        TokenKind::Number(_) | TokenKind::Duration(_) | TokenKind::Text(_) | TokenKind::Quoted(_) => true,
        TokenKind::Word(word) => !["and", "or", "if"].iter().any(|other| word.eq_ignore_ascii_case(other)),
        _ => false,
    }
}

pub(super) fn level_of(operator: Operator) -> Level {
    match operator {
        Operator::Or => Level::Or,
        Operator::And => Level::And,
        Operator::Join => Level::Join,
        Operator::Add | Operator::Subtract => Level::Sum,
        Operator::Multiply | Operator::Divide | Operator::Modulo | Operator::FloorDivide => Level::Product,
    }
}

pub(super) fn tighter(a: Level, b: Level) -> Level {
    if a > b { a } else { b }
}

/// The operand that stands last in a chain, or the whole.
fn last_operand(expr: &Expr) -> &Expr {
    match &expr.node {
        Node::Chain(first, links) => links.last().map_or(first, |link| &link.operand),
        _ => expr,
    }
}

/// `left` with one more operator and operand, on the chain that it is or as the start of one.
fn extend(left: Expr, link: Link, on_chain: bool) -> Expr {
    let span = left.span.start..link.operand.span.end.max(left.span.start);
    match left.node {
        Node::Chain(first, mut links) if on_chain => {
            links.push(link);
            Expr { span, node: Node::Chain(first, links) }
        }
        _ => Expr { span, node: Node::Chain(Box::new(left), vec![link]) },
    }
}

fn join(left: Expr, right: Expr, make: impl FnOnce(Box<Expr>, Box<Expr>) -> Node) -> Expr {
    let span = left.span.start..right.span.end.max(left.span.start);
    Expr { span, node: make(Box::new(left), Box::new(right)) }
}
