//! The second step: tokens become a tree, by operator precedence (Pratt 1973). Every problem is reported
//! and parsing goes on behind it; habits from other languages are recognised and answered with this
//! language's way to write them.

mod foreign;

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use super::ast::{Call, Expr, Link, Node, Operator, Span};
use super::lexer::{self, Token, TokenKind};
use crate::diagnostic::Diagnostic;

/// The longest formula, in bytes.
pub const MAX_LENGTH: usize = 8 * 1024;

/// How deep parentheses, calls and prefix operators may be nested.
pub const MAX_DEPTH: usize = 100;

/// What [`parse`] returns.
#[derive(Clone, Debug, PartialEq)]
pub struct Parsed {
    /// The tree, with [`Node::Error`] where something could not be read; `None` for an empty text.
    pub tree: Option<Expr>,
    /// All problems, in the order of their places.
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
    let mut parser = Parser { text, tokens, at: 0, depth: 0, too_deep: false, diagnostics };
    let tree = (parser.peek() != &TokenKind::End).then(|| parser.formula());
    let mut diagnostics = parser.diagnostics;
    diagnostics.sort_by_key(|d| (d.span.start, d.span.end));
    Parsed { tree, diagnostics }
}

/// How tightly operators bind, loosest first.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
enum Level {
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
}

/// What stands in an operator's place.
enum Infix {
    Chain(Operator, Level),
    Compare(super::ast::Comparison),
    Power,
    Question,
    If,
}

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
    too_deep: bool,
    diagnostics: Vec<Diagnostic>,
}

impl Parser<'_> {
    /// The whole text. What follows a complete expression is reported and read too.
    fn formula(&mut self) -> Expr {
        let mut first: Option<Expr> = None;
        loop {
            let expr = self.expression(Level::Lowest);
            let expr = first.get_or_insert(expr);
            match self.peek() {
                TokenKind::End => return expr.clone(),
                _ if self.too_deep => return expr.clone(),
                TokenKind::Close => {
                    self.error(
                        "unexpected-parenthesis",
                        self.span(),
                        "this parenthesis closes nothing".into(),
                    );
                    self.advance();
                }
                TokenKind::Comma => self.stray_comma(),
                TokenKind::Broken | TokenKind::Colon => self.stray(),
                _ => self.missing_operator(),
            }
            if self.peek() == &TokenKind::End {
                return first.unwrap_or(Expr { span: 0..0, node: Node::Error });
            }
        }
    }

    fn expression(&mut self, above: Level) -> Expr {
        self.depth += 1;
        let expr = if self.depth > MAX_DEPTH { self.nested_too_deep() } else { self.operators(above) };
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
        let bare_not_call = self.is_word("not") || self.peek() == &TokenKind::Bang;
        let mut left = self.prefix(above);
        // The level whose chain `left` is, if this loop made it.
        let mut chain: Option<Level> = None;
        let mut compared = false;
        loop {
            let span = self.span();
            match self.infix(above) {
                None => return left,
                Some(Infix::Chain(operator, level)) => {
                    self.advance();
                    let operand = self.operand_of(level, &span);
                    let link = Link { operator, span, operand };
                    left = extend(left, link, chain == Some(level));
                    chain = Some(level);
                }
                Some(Infix::Power) => {
                    self.advance();
                    // Grouped to the right, and `2^-1` needs no parentheses.
                    let right = self.operand_of(Level::Unary, &span);
                    left = join(left, right, Node::Power);
                    chain = None;
                }
                Some(Infix::Compare(comparison)) => {
                    self.advance();
                    let right = self.operand_of(Level::Compare, &span);
                    if compared {
                        self.chained_comparison(&left, comparison, &right, span);
                    } else if bare_not_call {
                        self.warn_not_call(&left, comparison, &right, span);
                    }
                    left = join(left, right, |a, b| Node::Compare(a, comparison, b));
                    compared = true;
                    chain = None;
                }
                Some(Infix::Question) => left = self.question(left),
                Some(Infix::If) => left = self.trailing_if(left),
            }
        }
    }

    /// The operator at the current place, if it binds tighter than `above`.
    fn infix(&self, above: Level) -> Option<Infix> {
        let (infix, level) = match self.peek() {
            TokenKind::Operator(operator) => {
                let level = level_of(*operator);
                (Infix::Chain(*operator, level), level)
            }
            TokenKind::Compare(comparison) => (Infix::Compare(*comparison), Level::Compare),
            TokenKind::Power => (Infix::Power, Level::Power),
            TokenKind::Question => (Infix::Question, Level::Or),
            // In an operator's place no name can stand, so that any case will do.
            TokenKind::Word(word) if word.eq_ignore_ascii_case("and") => {
                (Infix::Chain(Operator::And, Level::And), Level::And)
            }
            TokenKind::Word(word) if word.eq_ignore_ascii_case("or") => {
                (Infix::Chain(Operator::Or, Level::Or), Level::Or)
            }
            TokenKind::Word(word) if word == "if" => (Infix::If, Level::Or),
            _ => return None,
        };
        (level > above).then_some(infix)
    }

    /// What stands before the first operator.
    fn prefix(&mut self, above: Level) -> Expr {
        let token = self.tokens[self.at].clone();
        let span = token.span.clone();
        match token.kind {
            TokenKind::Number(n) => self.leaf(Node::Number(n)),
            TokenKind::Duration(duration) => self.leaf(Node::Duration(duration)),
            TokenKind::Text(text) => self.leaf(Node::Text(text)),
            TokenKind::Quoted(name) => self.leaf(Node::Name(name)),
            TokenKind::Broken => self.leaf(Node::Error),
            TokenKind::Word(word) => self.word(word, above),
            TokenKind::Open => self.parenthesis(),
            TokenKind::Bang if self.peek_second() == &TokenKind::Open => self.call("not".into()),
            TokenKind::Bang => self.unary(max(Level::Not, above), Node::Not),
            TokenKind::Operator(Operator::Subtract) => self.unary(max(Level::Unary, above), Node::Negate),
            TokenKind::Operator(Operator::Add) => self.unary(max(Level::Unary, above), Node::Plus),
            TokenKind::Operator(_) | TokenKind::Compare(_) | TokenKind::Power | TokenKind::Question => {
                let symbol = self.text[span.clone()].trim();
                let message = format!("a value is missing before `{symbol}`");
                self.error("missing-value", span.start..span.start, message);
                Expr { span: span.start..span.start, node: Node::Error }
            }
            TokenKind::Close | TokenKind::Comma | TokenKind::Colon | TokenKind::End => self.missing_value(),
        }
    }

    fn missing_value(&mut self) -> Expr {
        let at = self.span().start;
        // Right behind what came before, not behind the space after it.
        let end = self.at.checked_sub(1).map_or(at, |before| self.tokens[before].span.end);
        let message = match self.at.checked_sub(1).map(|before| &self.text[self.tokens[before].span.clone()])
        {
            Some("(") if self.peek() == &TokenKind::Close => {
                "there is nothing between the parentheses".into()
            }
            Some(before) => format!("a value is missing after `{before}`"),
            None => "a value is missing here".into(),
        };
        self.error("missing-value", end..end, message);
        Expr { span: end..end, node: Node::Error }
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
            self.error(
                "missing-value",
                operator.end..operator.end,
                format!("a value is missing after `{symbol}`"),
            );
            return Expr { span: operator.end..operator.end, node: Node::Error };
        }
        // Only powers group to the right; the others' operands bind tighter each time, which cannot go deep.
        if level == Level::Unary { self.expression(level) } else { self.operators(level) }
    }

    /// A name, a call or a keyword in an operand's place.
    fn word(&mut self, word: String, above: Level) -> Expr {
        if self.peek_second() == &TokenKind::Open {
            return self.call(word);
        }
        match word.as_str() {
            "true" => self.leaf(Node::Number(1.0)),
            "false" => self.leaf(Node::Number(0.0)),
            "nil" => self.leaf(Node::Nil),
            _ if word.eq_ignore_ascii_case("not") && (word == "not" || self.starts_operand()) => {
                self.unary(max(Level::Not, above), Node::Not)
            }
            "if" => self.leading_if(),
            "and" | "or" => {
                let span = self.span();
                self.error(
                    "missing-value",
                    span.start..span.start,
                    format!("a value is missing before `{word}`"),
                );
                Expr { span: span.start..span.start, node: Node::Error }
            }
            _ => self.leaf(Node::Name(word)),
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
                if self.peek() != &TokenKind::Comma {
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
                TokenKind::Close => return self.advance(),
                TokenKind::End => {
                    let message = "this parenthesis is never closed".into();
                    return self.error("unclosed-parenthesis", open.clone(), message);
                }
                TokenKind::Comma => self.stray_comma(),
                TokenKind::Broken | TokenKind::Colon => self.stray(),
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
        self.diagnostics.push(Diagnostic::error(code, span, message));
    }

    fn peek(&self) -> &TokenKind {
        &self.tokens[self.at].kind
    }

    fn peek_second(&self) -> &TokenKind {
        &self.tokens[(self.at + 1).min(self.tokens.len() - 1)].kind
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(self.peek(), TokenKind::Word(w) if w == word)
    }

    /// Whether the next token can only be the start of an operand.
    fn starts_operand(&self) -> bool {
        let word = |word: &str| !["and", "or", "if"].iter().any(|keyword| word.eq_ignore_ascii_case(keyword));
        match self.peek_second() {
            TokenKind::Number(_) | TokenKind::Duration(_) | TokenKind::Text(_) | TokenKind::Quoted(_) => true,
            TokenKind::Word(next) => word(next),
            _ => false,
        }
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

fn level_of(operator: Operator) -> Level {
    match operator {
        Operator::Or => Level::Or,
        Operator::And => Level::And,
        Operator::Join => Level::Join,
        Operator::Add | Operator::Subtract => Level::Sum,
        Operator::Multiply | Operator::Divide | Operator::Modulo | Operator::FloorDivide => Level::Product,
    }
}

fn max(a: Level, b: Level) -> Level {
    if a > b { a } else { b }
}

/// `left` with one more operator and operand, on the chain that it is or as the start of one.
fn extend(left: Expr, link: Link, on_chain: bool) -> Expr {
    let span = left.span.start..link.operand.span.end;
    match left.node {
        Node::Chain(first, mut links) if on_chain => {
            links.push(link);
            Expr { span, node: Node::Chain(first, links) }
        }
        _ => Expr { span, node: Node::Chain(Box::new(left), vec![link]) },
    }
}

fn join(left: Expr, right: Expr, make: impl FnOnce(Box<Expr>, Box<Expr>) -> Node) -> Expr {
    Expr { span: left.span.start..right.span.end, node: make(Box::new(left), Box::new(right)) }
}
