//! Formulas that differ in their operands alone, and the code that they share.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

use super::{LOCALS, Layout, Lowering, PRELUDE, Places, Store, line, literal, may_be_negative_zero};
use crate::formula::ir::{Bits, Ir};
use crate::formula::names::Builtin;
use crate::formula::program::Dependents;

/// The most operands of shared code, so that they fit into Luau's registers.
const MAX_OPERANDS: usize = 24;

/// Something that a formula computes with, by which it differs from others of its shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::formula) enum Operand {
    /// A number that is the same in all formulas of the shape: it is written into the code.
    Same(Bits),
    Number(Bits),
    Key(u32),
    Derived(u32),
    Node(u32),
    Builtin(Builtin),
}

impl Operand {
    /// The lane of one that is no number.
    pub(super) fn lane(self, layout: Layout) -> usize {
        match self {
            Operand::Same(_) | Operand::Number(_) => 0,
            Operand::Key(index) => layout.key(index as usize),
            Operand::Derived(index) => layout.derived(index as usize),
            Operand::Node(index) => layout.node(index as usize),
            Operand::Builtin(builtin) => layout.builtin(builtin as usize),
        }
    }

    /// Its bytes in the table.
    fn len(self) -> usize {
        match self {
            Operand::Same(_) => 0,
            Operand::Number(_) => 8,
            _ => 4,
        }
    }
}

/// What a formula is apart from its operands.
#[derive(Clone, Debug)]
pub(in crate::formula) struct Shape {
    /// Luau that computes it from the operands `p0`, `p1` and so on: equal for all of one shape.
    text: String,
    operands: Vec<Operand>,
    has_dependents: bool,
}

impl Shape {
    /// The shape of a formula, unless it has a code of its own in any case: one that calls scripts, whose calls are
    /// numbered, and one with too many operands or none.
    pub(in crate::formula) fn of(ir: &Ir, has_dependents: bool) -> Option<Shape> {
        if ir.calls_script() || ir.size() > 8 * MAX_OPERANDS {
            return None;
        }
        let mut operands = Vec::new();
        let mut lowering = Lowering::new(Places::Shared(&mut operands), 0);
        let result = lowering.value(ir, 0);
        let store = Store { bit: "m".into(), lane: "at".into(), error: "error + (at - lane) / 2".into() };
        let marks = if has_dependents { MARKS } else { "" };
        let mut text = String::new();
        lowering.compute(&mut text, &result, may_be_negative_zero(ir), &store, marks);
        let fits = lowering.temporaries <= LOCALS && operands.len() <= MAX_OPERANDS;
        // One without a lane is a constant.
        let fits = fits && operands.iter().any(|operand| !matches!(operand, Operand::Number(_)));
        // Code may look the same over lanes and over numbers, which are read in other ways.
        let kinds: String =
            operands.iter().map(|o| if matches!(o, Operand::Number(_)) { 'n' } else { 'l' }).collect();
        fits.then_some(Shape { text: format!("-- {kinds}\n{text}"), operands, has_dependents })
    }

    /// Finds the numbers that are the same in all formulas of this shape.
    pub(in crate::formula) fn unite<'a>(all: impl Iterator<Item = &'a mut Shape>) {
        let mut all: Vec<_> = all.collect();
        let Some((first, rest)) = all.split_first() else { return };
        let is_same = |index: usize, operand: &Operand| {
            matches!(operand, Operand::Number(_))
                && rest.iter().all(|shape| shape.operands.get(index) == Some(operand))
        };
        let same: Vec<bool> =
            first.operands.iter().enumerate().map(|(index, operand)| is_same(index, operand)).collect();
        for shape in &mut all {
            for (operand, _) in shape.operands.iter_mut().zip(&same).filter(|(_, same)| **same) {
                if let Operand::Number(bits) = *operand {
                    *operand = Operand::Same(bits);
                }
            }
        }
    }

    /// Gives the nodes that it reads other numbers: `new`, by the old ones.
    pub(in crate::formula) fn renumber(&mut self, new: &[u32]) {
        for operand in &mut self.operands {
            if let Operand::Node(node) = operand {
                *node = new[*node as usize];
            }
        }
    }

    /// What all of its shape have in common.
    pub(in crate::formula) fn text(&self) -> &str {
        &self.text
    }

    /// The bytes of a row of the table.
    pub(in crate::formula) fn row_len(&self) -> usize {
        self.operands.iter().map(|operand| operand.len()).sum::<usize>()
            + if self.has_dependents { 8 } else { 0 }
    }

    /// Writes a row of the table: what is to be read for each operand, and where the marks begin and end.
    pub(in crate::formula) fn write_row(&self, layout: Layout, marks: Range<usize>, table: &mut Vec<u8>) {
        for operand in &self.operands {
            match operand {
                Operand::Same(_) => {}
                Operand::Number(bits) => table.extend(bits.number().to_le_bytes()),
                operand => table.extend(place(operand.lane(layout))),
            }
        }
        if self.has_dependents {
            table.extend(place(marks.start));
            table.extend(place(marks.end));
        }
    }

    /// The code of a chunk that returns a function of four places: the first row of a group's table, its last, the
    /// lane of its first node and its error. That one returns the group's function.
    pub(in crate::formula) fn code(&self) -> String {
        format!(
            "{PRELUDE}\
return function(first, last, lane, error)
return function(d)
local b, f, m, at = b, 0, 1, lane
for i = first, last, {row} do
if band(d, m) ~= 0 then
{text}end
m += m at += 8
end
return f, d
end
end
",
            row = self.row_len(),
            text = self.head() + &self.text,
        )
    }

    /// Reads the operands.
    fn head(&self) -> String {
        let mut text = String::new();
        let mut offset = 0;
        for (index, operand) in self.operands.iter().enumerate() {
            let value = match operand {
                Operand::Same(bits) => literal(bits.number()),
                Operand::Number(_) => format!("rd(b, i + {offset})"),
                _ => format!("rd(b, ru(b, i + {offset}))"),
            };
            line(&mut text, format_args!("local p{index} = {value}"));
            offset += operand.len();
        }
        if self.has_dependents {
            let end = offset + 4;
            line(&mut text, format_args!("local marks, marked = ru(b, i + {offset}), ru(b, i + {end})"));
        }
        text
    }
}

/// Writes what a node marks: the place of a mask and the mask, for each.
pub(in crate::formula) fn write_marks(dependents: &[Dependents], layout: Layout, table: &mut Vec<u8>) {
    for Dependents { group, mask } in dependents {
        table.extend(place(layout.dirty(*group as usize)));
        table.extend(mask.to_le_bytes());
    }
}

/// The marks of a node, from a list that ends at `marked`.
const MARKS: &str = "\
for j = marks, marked - 8, 8 do
local k = ru(b, j)
we(b, k, bor(ru(b, k), ru(b, j + 4)))
end
";

/// A place in the buffer, as the table has it.
fn place(offset: usize) -> [u8; 4] {
    u32::try_from(offset).unwrap_or(u32::MAX).to_le_bytes()
}
