//! Words of other languages: choices, comparisons by name, statements, and texts with formulas inside.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::foreign::{broken, call, comparison, is_broken};
use super::{Level, Operators, Parser, extend, parse};
use crate::formula::ast::{Comparison, Expr, Link, Node, Operator, Span};
use crate::formula::lexer::{Foreign, TokenKind, shortened};
use crate::formula::print::print;

/// A word of another language in an operator's place.
#[derive(Clone, Copy)]
pub(super) enum Habit {
    /// `a if c else b`
    If,
    /// `a xor b`
    Xor,
    /// `a mod b`, `a div b`
    Operator(Operator),
    /// `a eq b`
    Compare(Comparison),
    /// `a is b`, `a is not b`
    Is,
    /// `a in (b, c)`
    In,
    /// `a between b and c`
    Between,
    /// `a contains b`
    Call(&'static str),
}

impl Habit {
    pub(super) fn level(self) -> Level {
        match self {
            Habit::If | Habit::Xor => Level::Or,
            Habit::Operator(_) => Level::Product,
            Habit::Compare(_) | Habit::Is | Habit::In | Habit::Between | Habit::Call(_) => Level::Compare,
        }
    }
}

/// Whether `left or right` is `c and 'a' or 'b'`, which chooses in languages where any value is a condition.
pub(super) fn is_choice(left: &Expr, right: &Expr) -> bool {
    let Node::Chain(_, links) = &left.node else { return false };
    let last = links.last().filter(|link| link.operator == Operator::And);
    let is_text = |expr: &Expr| matches!(expr.node, Node::Text(_));
    last.is_some_and(|link| is_text(&link.operand) || is_text(right))
}

/// Words in an operator's place.
impl Parser<'_> {
    pub(super) fn habit_called(&self, word: &str) -> Option<Habit> {
        Some(match word.to_ascii_lowercase().as_str() {
            "if" => Habit::If,
            "xor" => Habit::Xor,
            "mod" | "rem" => Habit::Operator(Operator::Modulo),
            "div" => Habit::Operator(Operator::FloorDivide),
            "eq" | "equals" => Habit::Compare(Comparison::Equal),
            "ne" | "neq" => Habit::Compare(Comparison::NotEqual),
            "lt" => Habit::Compare(Comparison::Less),
            "le" | "lte" => Habit::Compare(Comparison::LessOrEqual),
            "gt" => Habit::Compare(Comparison::Greater),
            "ge" | "gte" => Habit::Compare(Comparison::GreaterOrEqual),
            "is" => Habit::Is,
            "in" => Habit::In,
            "between" => Habit::Between,
            "contains" | "includes" => Habit::Call("contains"),
            "startswith" => Habit::Call("starts_with"),
            "endswith" => Habit::Call("ends_with"),
            _ => return None,
        })
    }

    pub(super) fn habit(&mut self, habit: Habit, left: Expr, so_far: &mut Operators) {
        let span = self.span();
        if let Habit::If = habit {
            so_far.left = self.trailing_if(left);
            return;
        }
        self.advance();
        match habit {
            Habit::If => {}
            Habit::Xor => {
                let right = self.operators(Level::Or);
                let meant = comparison(truth(left), Comparison::NotEqual, truth(right));
                self.foreign_comparison(&meant, span);
                so_far.take_comparison(meant);
            }
            Habit::Operator(operator) => {
                let right = self.operators(Level::Product);
                let left = if matches!(left.node, Node::Chain(..)) { broken(left.span) } else { left };
                let link = Link { operator, span: span.clone(), operand: right };
                so_far.left = extend(left, link, false);
                let meant = so_far.left.clone();
                self.foreign_comparison(&meant, span);
            }
            Habit::Compare(by) => {
                let right = self.operators(Level::Compare);
                self.equality(left, by, right, span, so_far);
            }
            Habit::Is => {
                let negated = self.is_word("not");
                if negated {
                    self.advance();
                }
                let right = self.operators(Level::Compare);
                let by = if negated { Comparison::NotEqual } else { Comparison::Equal };
                self.equality(left, by, right, span, so_far);
            }
            Habit::In => self.one_of(&left, span, so_far),
            Habit::Between => self.between(&left, span, so_far),
            Habit::Call(function) => {
                let right = self.operators(Level::Compare);
                let meant = call(function, Vec::from([left, right]), &span);
                self.foreign_comparison(&meant, span);
                so_far.take_comparison(meant);
            }
        }
    }

    fn foreign_comparison(&mut self, meant: &Expr, span: Span) {
        let message = format!("`{}` is no operator here", &self.text[span.clone()]);
        let help = format!("write `{}`", self.shown(meant));
        self.report("foreign-operator", span, &message, help);
    }

    fn equality(&mut self, left: Expr, by: Comparison, right: Expr, span: Span, so_far: &mut Operators) {
        let right = match &right.node {
            Node::Name(name) if is_nil(name) => Expr { node: Node::Nil, ..right },
            _ => right,
        };
        let meant = comparison(left, by, right);
        self.foreign_comparison(&meant, span);
        so_far.take_comparison(meant);
    }

    /// `a in (b, c)`
    fn one_of(&mut self, left: &Expr, span: Span, so_far: &mut Operators) {
        let mut items = Vec::new();
        if matches!(self.peek(), TokenKind::Open | TokenKind::Foreign(Foreign::OpenBracket)) {
            loop {
                self.advance();
                items.push(self.expression(Level::Lowest));
                if self.peek() != &TokenKind::Comma {
                    break;
                }
            }
            if matches!(self.peek(), TokenKind::Close | TokenKind::Foreign(Foreign::CloseBracket)) {
                self.advance();
            }
        } else {
            items.push(self.operators(Level::Compare));
        }
        // Names and literals alone are repeated: anything larger could grow with each repetition.
        let left = if is_small(left) { left.clone() } else { broken(left.span.clone()) };
        let equals = |item| comparison(left.clone(), Comparison::Equal, item);
        let meant = items.into_iter().map(equals).reduce(|all, next| {
            let on_chain = matches!(all.node, Node::Chain(..));
            extend(all, Link { operator: Operator::Or, span: span.clone(), operand: next }, on_chain)
        });
        let meant = meant.unwrap_or_else(|| broken(span.clone()));
        self.foreign_comparison(&meant, span);
        so_far.take_comparison(meant);
    }

    /// `a between b and c`
    fn between(&mut self, left: &Expr, span: Span, so_far: &mut Operators) {
        let low = self.operators(Level::Not);
        if self.is_word("and") {
            self.advance();
        }
        let high = self.operators(Level::Not);
        let left = if is_small(left) { left.clone() } else { broken(left.span.clone()) };
        let meant = comparison(left.clone(), Comparison::GreaterOrEqual, low);
        let operand = comparison(left, Comparison::LessOrEqual, high);
        let meant = extend(meant, Link { operator: Operator::And, span: span.clone(), operand }, false);
        self.foreign_comparison(&meant, span);
        so_far.take_comparison(meant);
    }
}

/// Choices.
impl Parser<'_> {
    /// `c ? a : b`
    pub(super) fn question(&mut self, condition: Expr) -> Expr {
        let span = self.span();
        let reported = self.diagnostics.len();
        self.advance();
        let a = self.expression(Level::Lowest);
        let b = if self.peek() == &TokenKind::Foreign(Foreign::Colon) {
            self.advance();
            self.expression(Level::Lowest)
        } else {
            self.nothing()
        };
        self.choice(span, reported, [condition, a, b])
    }

    /// `c and 'a' or 'b'`
    pub(super) fn and_or(&mut self, left: Expr, b: Expr, span: Span) -> Expr {
        let Node::Chain(condition, mut links) = left.node else { return broken(left.span) };
        let Some(Link { operand: a, .. }) = links.pop() else { return broken(left.span) };
        let condition = match links.is_empty() {
            true => *condition,
            false => Expr { span: left.span, node: Node::Chain(condition, links) },
        };
        self.choice(span, self.diagnostics.len(), [condition, a, b])
    }

    /// `a if c else b`
    fn trailing_if(&mut self, a: Expr) -> Expr {
        let span = self.span();
        let reported = self.diagnostics.len();
        self.advance();
        let condition = self.expression(Level::Lowest);
        let b = if self.is_word("else") {
            self.advance();
            self.expression(Level::Lowest)
        } else {
            self.nothing()
        };
        self.choice(span, reported, [condition, a, b])
    }

    /// `if c then a elseif d then b else e end`, and what other languages write for it; also
    /// `case when c then a else b end`.
    pub(super) fn leading_if(&mut self) -> Expr {
        let span = self.span();
        let reported = self.diagnostics.len();
        self.advance();
        let condition = self.expression(Level::Lowest);
        if self.is_word("then") || self.peek() == &TokenKind::Foreign(Foreign::Colon) {
            self.advance();
        }
        let a = self.branch();
        let b = if ["elseif", "elif", "elsif", "when"].iter().any(|word| self.is_word(word)) {
            self.deeper(Parser::leading_if)
        } else if self.is_word("else") {
            self.advance();
            if self.peek() == &TokenKind::Foreign(Foreign::Colon) {
                self.advance();
            }
            self.branch()
        } else {
            self.nothing()
        };
        if self.is_word("end") {
            self.advance();
        }
        self.choice(span, reported, [condition, a, b])
    }

    /// What stands behind `then` or `else`, perhaps in braces.
    fn branch(&mut self) -> Expr {
        let in_braces = self.peek() == &TokenKind::Foreign(Foreign::OpenBrace);
        if in_braces {
            self.advance();
        }
        let expr = self.expression(Level::Lowest);
        if in_braces && self.peek() == &TokenKind::Foreign(Foreign::CloseBrace) {
            self.advance();
        }
        expr
    }

    fn nothing(&self) -> Expr {
        let at = self.span().start;
        broken(at..at)
    }

    /// What a choice of another language means. Those within it, reported since `reported`, are shown
    /// with it.
    fn choice(&mut self, span: Span, reported: usize, parts: [Expr; 3]) -> Expr {
        let inner = self.diagnostics.split_off(reported.min(self.diagnostics.len()));
        self.diagnostics.extend(inner.into_iter().filter(|d| d.code != CHOICE));
        let names = ["condition", "a", "b"];
        let shown: Vec<String> = (parts.iter().zip(names))
            .map(|(part, name)| if part.span.is_empty() { name.into() } else { self.shown(part) })
            .collect();
        let help = format!("write `if({})`", shown.join(", "));
        self.report(CHOICE, span.clone(), "a choice is written as a call of `if`", help);
        if parts.iter().any(is_broken) {
            let start = parts.iter().map(|part| part.span.start).min().unwrap_or(span.start).min(span.start);
            let end = parts.iter().map(|part| part.span.end).max().unwrap_or(span.end).max(span.end);
            return broken(start..end);
        }
        call("if", Vec::from(parts), &span)
    }

    /// Whether an `if(` begins a statement: its parenthesis holds the condition alone, and `then`, `else`
    /// or a brace comes behind.
    pub(super) fn is_statement(&self) -> bool {
        let mut depth = 0_usize;
        for (at, token) in self.tokens.iter().enumerate().skip(self.at + 1) {
            match &token.kind {
                TokenKind::Open => depth += 1,
                TokenKind::Close if depth == 1 => return self.branches_behind(at + 1),
                TokenKind::Close => depth -= 1,
                TokenKind::Comma | TokenKind::Foreign(Foreign::Semicolon) if depth == 1 => return false,
                _ => {}
            }
        }
        false
    }

    fn branches_behind(&self, at: usize) -> bool {
        self.tokens[at..].iter().any(|token| match &token.kind {
            TokenKind::Word(word) => ["then", "else"].iter().any(|other| word.eq_ignore_ascii_case(other)),
            TokenKind::Foreign(Foreign::OpenBrace) => true,
            _ => false,
        })
    }
}

/// The code of choices as other languages write them.
const CHOICE: &str = "foreign-conditional";

/// Words in an operand's place.
impl Parser<'_> {
    /// A word that begins something in another language.
    pub(super) fn foreign_word(&mut self, word: &str) -> Option<Expr> {
        let is_operator = ["and", "or", "if"].iter().any(|operator| self.second_is(operator));
        let next_is_word = matches!(self.peek_second(), TokenKind::Word(_)) && !is_operator;
        match word {
            "let" | "local" | "var" | "const" if next_is_word => self.assignment(),
            "return" if self.starts_operand() => Some(self.needless_return()),
            "case" if next_is_word && self.second_is("when") => {
                self.advance();
                Some(self.leading_if())
            }
            "function" | "lambda" | "def" | "fn" if next_is_word => Some(self.function()),
            _ if self.is_prefix_of_text(word) => Some(self.prefixed_text(word)),
            _ => None,
        }
    }

    fn second_is(&self, word: &str) -> bool {
        matches!(self.peek_second(), TokenKind::Word(second) if second.eq_ignore_ascii_case(word))
    }

    /// `let x = 5`
    fn assignment(&mut self) -> Option<Expr> {
        let [name, equals] = [1, 2].map(|next| self.tokens.get(self.at + next).cloned());
        let (name, equals) = (name?, equals?);
        if equals.kind != TokenKind::Compare(Comparison::Equal) || !equals.foreign {
            return None;
        }
        let span = self.span().start..equals.span.end;
        (0..3).for_each(|_| self.advance());
        let value = self.expression(Level::Lowest);
        let (name, shown) = (&self.text[name.span], self.shown(&value));
        let help = format!("give it a name under `[value]`: {name} = \"{shown}\"");
        self.report("statement", span, "a formula has no variables of its own", help);
        Some(value)
    }

    /// `return x`
    fn needless_return(&mut self) -> Expr {
        let span = self.span();
        self.advance();
        let value = self.expression(Level::Lowest);
        let help = format!("write `{}`", self.shown(&value));
        self.report("statement", span, "a formula is its result, without `return`", help);
        value
    }

    /// `function f(x) … end`
    pub(super) fn function(&mut self) -> Expr {
        let span = self.span().start..self.text.trim_end().len();
        self.at = self.tokens.len() - 1;
        let help = "define it in a Lua file under `scripts`, and call it here by its name";
        self.report("statement", span.clone(), "a formula defines no functions", help.to_string());
        broken(span)
    }

    /// `f"…"`, `r'…'`: a letter right in front of a text.
    fn is_prefix_of_text(&self, word: &str) -> bool {
        let touches = self.tokens.get(self.at + 1).is_some_and(|next| next.span.start == self.span().end);
        touches
            && matches!(self.peek_second(), TokenKind::Text(_))
            && ["f", "r", "b", "u", "fr", "rf"].iter().any(|prefix| word.eq_ignore_ascii_case(prefix))
    }

    fn prefixed_text(&mut self, prefix: &str) -> Expr {
        let start = self.span().start;
        self.advance();
        let span = start..self.span().end;
        let TokenKind::Text(text) = self.peek().clone() else { return self.leaf(Node::Error) };
        self.advance();
        if prefix.contains(['f', 'F']) {
            return self.interpolated(&text, "{", span);
        }
        let meant = Expr { span: span.clone(), node: Node::Text(text) };
        let help = format!("write `{}`", self.shown(&meant));
        self.report("foreign-text", span, "texts have no letter in front", help);
        meant
    }

    /// `` `CPU ${cpu}` ``
    pub(super) fn interpolation(&mut self, text: &str, span: Span) -> Expr {
        self.advance();
        self.interpolated(text, "${", span)
    }

    fn interpolated(&mut self, text: &str, open: &str, span: Span) -> Expr {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((literal, formula, behind)) = split_at_formula(rest, open) {
            if !literal.is_empty() {
                pieces.push(quoted(literal));
            }
            pieces.push(piece(formula));
            rest = behind;
        }
        if !rest.is_empty() || pieces.is_empty() {
            pieces.push(quoted(rest));
        }
        let help = format!("write `{}`", shortened(&pieces.join(" .. ")));
        let message = "texts are put together with `..`; templates alone have formulas inside";
        self.report("foreign-text", span.clone(), message, help);
        broken(span)
    }
}

/// The text in front of a formula in braces, the formula, and what follows.
fn split_at_formula<'a>(text: &'a str, open: &str) -> Option<(&'a str, &'a str, &'a str)> {
    let (literal, rest) = text.split_once(open)?;
    let (formula, behind) = rest.split_once('}')?;
    Some((literal, formula, behind))
}

fn quoted(text: &str) -> String {
    print(&Expr { span: 0..0, node: Node::Text(text.into()) })
}

/// A formula of an interpolated text, with its format if it has one.
fn piece(written: &str) -> String {
    let (formula, format) = match written.split_once(':') {
        Some((formula, format)) => (formula, Some(format)),
        None => (written, None),
    };
    let formula = match parse_plain(formula) {
        Some(tree) if matches!(tree.node, Node::Chain(..) | Node::Compare(..)) && format.is_none() => {
            format!("({})", print(&tree))
        }
        Some(tree) => print(&tree),
        None => formula.trim().into(),
    };
    match format {
        Some(format) => format!("fmt({formula}, {})", quoted(format)),
        None => formula,
    }
}

/// The tree of a formula that has no interpolated text of its own, if all of it is right.
fn parse_plain(text: &str) -> Option<Expr> {
    let parsed = if text.contains(['"', '\'', '`']) { return None } else { parse(text) };
    parsed.tree.filter(|_| parsed.diagnostics.is_empty())
}

/// Whether a tree is so small that repeating it does no harm.
fn is_small(expr: &Expr) -> bool {
    matches!(expr.node, Node::Number(_) | Node::Duration(_) | Node::Text(_) | Node::Name(_) | Node::Nil)
}

/// What other languages call no value.
fn is_nil(name: &str) -> bool {
    ["none", "null", "undefined", "nothing"].iter().any(|nil| name.eq_ignore_ascii_case(nil))
}

/// A condition as a truth value, so that two of them can be compared.
fn truth(expr: Expr) -> Expr {
    match expr.node {
        Node::Compare(..) | Node::Not(_) | Node::Error => expr,
        node => {
            let span = expr.span.clone();
            let inner = Expr { span: span.clone(), node };
            let zero = Box::new(Expr { span: span.clone(), node: Node::Number(0.0) });
            Expr { span, node: Node::Compare(Box::new(inner), Comparison::NotEqual, zero) }
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    #[test]
    fn interpolated_texts() {
        for (text, open, expected) in [
            ("CPU {cpu}%", "{", vec!["'CPU '", "cpu", "'%'"]),
            ("{a + 1} of {b:.1f}", "{", vec!["(a + 1)", "' of '", "fmt(b, '.1f')"]),
            ("${a}", "${", vec!["a"]),
        ] {
            let mut pieces = Vec::new();
            let mut rest = text;
            while let Some((literal, formula, behind)) = split_at_formula(rest, open) {
                if !literal.is_empty() {
                    pieces.push(quoted(literal));
                }
                pieces.push(piece(formula));
                rest = behind;
            }
            if !rest.is_empty() {
                pieces.push(quoted(rest));
            }
            assert_eq!(pieces, expected, "{text}");
        }
    }
}
