//! The tree of a formula, as written: names are not resolved and kinds not checked yet.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

use super::duration::Duration;

/// Bytes of the formula's text.
pub type Span = Range<usize>;

/// A part of a formula and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    /// The bytes it was read from, parentheses around it included.
    pub span: Span,
    /// What it is.
    pub node: Node,
}

impl Expr {
    /// What it is made of, directly.
    pub fn parts(&self) -> Vec<&Expr> {
        match &self.node {
            Node::Number(_) | Node::Duration(_) | Node::Text(_) | Node::Nil | Node::Name(_) | Node::Error => {
                Vec::new()
            }
            Node::Negate(a) | Node::Plus(a) | Node::Not(a) => Vec::from([&**a]),
            Node::Power(a, b) | Node::Compare(a, _, b) => Vec::from([&**a, &**b]),
            Node::Chain(first, links) => {
                core::iter::once(&**first).chain(links.iter().map(|link| &link.operand)).collect()
            }
            Node::Call(call) => call.arguments.iter().collect(),
        }
    }

    /// The same, to be changed.
    pub fn parts_mut(&mut self) -> Vec<&mut Expr> {
        match &mut self.node {
            Node::Number(_) | Node::Duration(_) | Node::Text(_) | Node::Nil | Node::Name(_) | Node::Error => {
                Vec::new()
            }
            Node::Negate(a) | Node::Plus(a) | Node::Not(a) => Vec::from([&mut **a]),
            Node::Power(a, b) | Node::Compare(a, _, b) => Vec::from([&mut **a, &mut **b]),
            Node::Chain(first, links) => {
                core::iter::once(&mut **first).chain(links.iter_mut().map(|link| &mut link.operand)).collect()
            }
            Node::Call(call) => call.arguments.iter_mut().collect(),
        }
    }

    /// Calls `visit` for every name in it, calls left out, with the place of the name.
    pub fn names<'a>(&'a self, visit: &mut impl FnMut(&'a str, &'a Span)) {
        match &self.node {
            Node::Name(name) => visit(name, &self.span),
            Node::Number(_) | Node::Duration(_) | Node::Text(_) | Node::Nil | Node::Error => {}
            Node::Negate(a) | Node::Plus(a) | Node::Not(a) => a.names(visit),
            Node::Power(a, b) | Node::Compare(a, _, b) => {
                a.names(visit);
                b.names(visit);
            }
            Node::Chain(first, links) => {
                first.names(visit);
                links.iter().for_each(|link| link.operand.names(visit));
            }
            Node::Call(call) => call.arguments.iter().for_each(|argument| argument.names(visit)),
        }
    }
}

/// What a part of a formula is.
///
/// Operators that group to the left and share a level are one flat [`Node::Chain`], so that a sum of a
/// thousand terms is no thousand levels deep; the parser bounds the depth of everything else.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// A finite number.
    Number(f64),
    /// A duration.
    Duration(Duration),
    /// A text, its escapes resolved.
    Text(String),
    /// `nil`: no value.
    Nil,
    /// A key, a named value or a built-in name; dots are part of it.
    Name(String),
    /// `-x`.
    Negate(Box<Expr>),
    /// `+x`.
    Plus(Box<Expr>),
    /// `not x`, `!x`.
    Not(Box<Expr>),
    /// `a + b - c`: the first operand, and each further one after its operator. All operators are of
    /// one level.
    Chain(Box<Expr>, Vec<Link>),
    /// `a ^ b`.
    Power(Box<Expr>, Box<Expr>),
    /// `a < b`.
    Compare(Box<Expr>, Comparison, Box<Expr>),
    /// `name(arguments)`.
    Call(Call),
    /// What could not be read; a diagnostic says why.
    Error,
}

/// An operator of a chain and what follows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Link {
    /// The operator.
    pub operator: Operator,
    /// Where the operator stands.
    pub span: Span,
    /// Its right operand.
    pub operand: Expr,
}

/// A function call.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// The function's name as written.
    pub name: String,
    /// Where the name stands.
    pub name_span: Span,
    /// The arguments.
    pub arguments: Vec<Expr>,
}

/// Operators that group to the left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Operator {
    Or,
    And,
    Join,
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
    FloorDivide,
}

impl Operator {
    /// How it is written.
    pub fn symbol(self) -> &'static str {
        match self {
            Operator::Or => "or",
            Operator::And => "and",
            Operator::Join => "..",
            Operator::Add => "+",
            Operator::Subtract => "-",
            Operator::Multiply => "*",
            Operator::Divide => "/",
            Operator::Modulo => "%",
            Operator::FloorDivide => "//",
        }
    }
}

/// Comparisons. They do not chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Comparison {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Equal,
    NotEqual,
}

impl Comparison {
    /// How it is written.
    pub fn symbol(self) -> &'static str {
        match self {
            Comparison::Less => "<",
            Comparison::LessOrEqual => "<=",
            Comparison::Greater => ">",
            Comparison::GreaterOrEqual => ">=",
            Comparison::Equal => "==",
            Comparison::NotEqual => "!=",
        }
    }

    /// Whether it holds between two values of one kind that are both there.
    pub fn holds<T: PartialOrd>(self, a: T, b: T) -> bool {
        match self {
            Comparison::Less => a < b,
            Comparison::LessOrEqual => a <= b,
            Comparison::Greater => a > b,
            Comparison::GreaterOrEqual => a >= b,
            Comparison::Equal => a == b,
            Comparison::NotEqual => a != b,
        }
    }
}
