//! A checked formula: names resolved, kinds known, aliases gone. It has no places in it, so that equal
//! formulas are equal here however they are written; where something can go wrong there is the number of
//! a site, and the formula's own list of sites says where that is in its text.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::Kind;
use super::ast::Comparison;
use super::functions::{Exact, Function};
use super::names::Builtin;
use crate::paint::Color;

/// The number of a site within a formula, from 0.
pub(super) type SiteIndex = u32;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Ir {
    Nil,
    Number(Bits),
    /// One of the program's texts.
    Text(u32),
    Key(u32),
    /// One of the program's derived inputs.
    Derived(u32),
    /// An input that may be infinite, which is an error at this site.
    Finite(Box<Ir>, SiteIndex),
    /// The result of another formula.
    Node(u32),
    Builtin(Builtin),
    Negate(Box<Ir>),
    Chain(Box<Chain>),
    /// Texts and what is made texts of, put together; the site of a result that is too long.
    Join(Vec<Piece>, SiteIndex),
    Compare(Comparison, Subject, Box<[Ir; 2]>),
    IsNil(Box<Ir>),
    Not(Box<Ir>),
    All(Vec<Ir>),
    Any(Vec<Ir>),
    If(Box<[Ir; 3]>),
    Coalesce(Vec<Ir>),
    Min(Vec<Ir>),
    Max(Vec<Ir>),
    /// The site is that of a root of a negative number.
    Exact(Exact, Box<Ir>, SiteIndex),
    /// An index into the table of functions; the sites of a domain error and of an overflow.
    Call(usize, Vec<Ir>, SiteIndex, SiteIndex),
    /// The same for a function of texts; the second site is that of a text that is too long.
    Textual(usize, Vec<Piece>, SiteIndex, SiteIndex),
    /// The function of a user's script, what it returns, and the site of a failure.
    Script(u32, Kind, Vec<Piece>, SiteIndex),
}

/// Sums and products. As long as all results are finite, nothing has to be checked in between: an
/// infinity or NaN never becomes finite again by addition, subtraction, multiplication or as a dividend.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Chain {
    pub(super) first: Ir,
    pub(super) links: Vec<Link>,
    /// The site of a result that is too large.
    pub(super) overflow: SiteIndex,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Link {
    pub(super) arithmetic: Arithmetic,
    pub(super) operand: Ir,
    /// The site of a division by zero; where nothing is divided, that of the chain.
    pub(super) site: SiteIndex,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
    FloorDivide,
}

/// An operand whose kind counts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Piece {
    pub(super) ir: Ir,
    pub(super) kind: Kind,
}

/// What a comparison compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Subject {
    Numbers,
    Texts,
}

/// A number by its bits, so that it has an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Bits(u64);

impl Bits {
    pub(super) fn of(n: f64) -> Bits {
        Bits(n.to_bits())
    }

    pub(super) fn number(self) -> f64 {
        f64::from_bits(self.0)
    }
}

impl Ir {
    pub(super) fn number(n: f64) -> Ir {
        Ir::Number(Bits::of(n))
    }

    pub(super) fn truth(holds: bool) -> Ir {
        Ir::number(f64::from(u8::from(holds)))
    }

    /// The number, if it is known now.
    pub(super) fn as_number(&self) -> Option<f64> {
        match self {
            Ir::Number(bits) => Some(bits.number()),
            _ => None,
        }
    }

    /// The colour, if it is known now.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "colours are whole numbers")]
    pub(super) fn as_color(&self) -> Option<Color> {
        self.as_number().map(|packed| Color::unpack(packed as u32))
    }

    /// Whether it holds as a condition, if that is known now.
    pub(super) fn as_truth(&self) -> Option<bool> {
        match self {
            Ir::Nil => Some(false),
            Ir::Number(bits) => Some(bits.number() != 0.0),
            _ => None,
        }
    }

    /// Whether it can be without a value.
    pub(super) fn may_be_nil(&self) -> bool {
        match self {
            Ir::Number(_) | Ir::Text(_) | Ir::Builtin(_) => false,
            Ir::IsNil(_) | Ir::Not(_) | Ir::All(_) | Ir::Any(_) => false,
            Ir::Negate(a) => a.may_be_nil(),
            Ir::Compare(.., ab) => ab.iter().any(Ir::may_be_nil),
            _ => true,
        }
    }

    /// What it is made of, directly.
    fn parts(&self) -> Vec<&Ir> {
        match self {
            Ir::Nil | Ir::Number(_) | Ir::Text(_) | Ir::Builtin(_) => Vec::new(),
            Ir::Key(_) | Ir::Derived(_) | Ir::Node(_) => Vec::new(),
            Ir::Negate(a) | Ir::IsNil(a) | Ir::Not(a) | Ir::Exact(_, a, _) | Ir::Finite(a, _) => {
                alloc::vec![&**a]
            }
            Ir::Chain(chain) => {
                core::iter::once(&chain.first).chain(chain.links.iter().map(|link| &link.operand)).collect()
            }
            Ir::Join(pieces, _) | Ir::Textual(_, pieces, ..) | Ir::Script(_, _, pieces, _) => {
                pieces.iter().map(|piece| &piece.ir).collect()
            }
            Ir::Compare(_, _, ab) => ab.iter().collect(),
            Ir::If(abc) => abc.iter().collect(),
            Ir::All(all) | Ir::Any(all) | Ir::Coalesce(all) | Ir::Min(all) | Ir::Max(all) => {
                all.iter().collect()
            }
            Ir::Call(_, arguments, ..) => arguments.iter().collect(),
        }
    }

    /// Calls `visit` for itself and everything that it is made of.
    pub(super) fn walk<'a>(&'a self, visit: &mut impl FnMut(&'a Ir)) {
        visit(self);
        for part in self.parts() {
            part.walk(visit);
        }
    }

    /// What it is made of, directly, to be changed.
    fn parts_mut(&mut self) -> Vec<&mut Ir> {
        match self {
            Ir::Nil | Ir::Number(_) | Ir::Text(_) | Ir::Builtin(_) => Vec::new(),
            Ir::Key(_) | Ir::Derived(_) | Ir::Node(_) => Vec::new(),
            Ir::Negate(a) | Ir::IsNil(a) | Ir::Not(a) | Ir::Exact(_, a, _) | Ir::Finite(a, _) => {
                alloc::vec![&mut **a]
            }
            Ir::Chain(chain) => {
                let Chain { first, links, .. } = &mut **chain;
                core::iter::once(first).chain(links.iter_mut().map(|link| &mut link.operand)).collect()
            }
            Ir::Join(pieces, _) | Ir::Textual(_, pieces, ..) | Ir::Script(_, _, pieces, _) => {
                pieces.iter_mut().map(|piece| &mut piece.ir).collect()
            }
            Ir::Compare(_, _, ab) => ab.iter_mut().collect(),
            Ir::If(abc) => abc.iter_mut().collect(),
            Ir::All(all) | Ir::Any(all) | Ir::Coalesce(all) | Ir::Min(all) | Ir::Max(all) => {
                all.iter_mut().collect()
            }
            Ir::Call(_, arguments, ..) => arguments.iter_mut().collect(),
        }
    }

    /// Gives the nodes that it reads other numbers: `new`, by the old ones.
    pub(super) fn renumber(&mut self, new: &[u32]) {
        if let Ir::Node(node) = self {
            *node = new[*node as usize];
        }
        self.parts_mut().into_iter().for_each(|part| part.renumber(new));
    }

    /// Gives the derived inputs in it other numbers.
    pub(super) fn renumber_derived(&mut self, numbers: &[u32]) {
        if let Ir::Derived(index) = self {
            *index = numbers.get(*index as usize).copied().unwrap_or(u32::MAX);
        }
        self.parts_mut().into_iter().for_each(|part| part.renumber_derived(numbers));
    }

    /// Whether a function of a user's script has a part in it.
    pub(super) fn calls_script(&self) -> bool {
        let mut calls = false;
        self.walk(&mut |part| calls |= matches!(part, Ir::Script(..)));
        calls
    }

    /// How large its code will be, about: how many parts it has, itself included, of which pieces of texts
    /// take three times as much, and conditions twice.
    pub(super) fn size(&self) -> usize {
        let mut size = 0;
        self.walk(&mut |part| {
            size += match part {
                Ir::Join(pieces, _) => 1 + 2 * pieces.len(),
                Ir::All(parts) | Ir::Any(parts) => 1 + parts.len(),
                _ => 1,
            };
        });
        size
    }
}

/// The function at an index of the table.
pub(super) fn function(index: usize) -> &'static Function {
    &super::functions::FUNCTIONS[index]
}
