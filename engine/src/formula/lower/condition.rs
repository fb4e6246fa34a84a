//! Comparisons, and conditions: what decides in `if`, `and`, `or` and `not`.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::{Lowering, NIL, ORDER, symbol};
use crate::formula::ast::Comparison;
use crate::formula::ir::{Ir, Subject};

/// The longest condition to which another is added, in bytes: Luau compiles none that is very deep.
const CONDITION: usize = 400;

impl Lowering<'_> {
    /// Emits what computes a condition. The result is a Luau expression that is true or false.
    pub(super) fn condition(&mut self, ir: &Ir, at: usize) -> String {
        match ir {
            Ir::Compare(comparison, subject, operands)
                if *comparison == Comparison::Equal
                    || *comparison != Comparison::NotEqual && *subject == Subject::Numbers =>
            {
                // Without a value every comparison but this is false.
                let a = self.value(&operands[0], at);
                let b = self.value(&operands[1], at + 1);
                format!("{a} {} {b}", symbol(*comparison))
            }
            Ir::IsNil(operand) => {
                let operand = self.reusable(operand, at);
                format!("{operand} ~= {operand}")
            }
            Ir::Not(operand) => format!("not ({})", self.condition(operand, at)),
            Ir::All(parts) => self.sequence(parts, "~=", at),
            Ir::Any(parts) => self.sequence(parts, "==", at),
            _ => {
                let value = self.reusable(ir, at);
                if ir.may_be_nil() {
                    format!("({value} ~= 0 and {value} == {value})")
                } else {
                    format!("{value} ~= 0")
                }
            }
        }
    }

    /// Conditions one after the other, as long as the result so far is `go_on` 0. Those that are mere
    /// expressions are put together.
    fn sequence(&mut self, parts: &[Ir], go_on: &str, at: usize) -> String {
        let join = if go_on == "~=" { " and " } else { " or " };
        let mut so_far = String::new();
        for (index, part) in parts.iter().enumerate() {
            let before = core::mem::take(&mut self.body);
            let condition = self.condition(part, at);
            let own = core::mem::replace(&mut self.body, before);
            if index == 0 {
                self.body.push_str(&own);
                so_far = format!("({condition})");
            } else if own.is_empty() && so_far.len() < CONDITION {
                so_far = format!("{so_far}{join}({condition})");
            } else {
                let result = self.assign(at, &format!("if {so_far} then 1 else 0"));
                self.emit(format_args!("if {result} {go_on} 0 then"));
                self.body.push_str(&own);
                self.assign(at, &format!("if {condition} then 1 else 0"));
                self.emit(format_args!("end"));
                so_far = format!("({result} ~= 0)");
            }
        }
        so_far
    }

    pub(super) fn compare(
        &mut self,
        comparison: Comparison,
        subject: Subject,
        [a, b]: &[Ir; 2],
        at: usize,
    ) -> String {
        let nil = [a, b].map(Ir::may_be_nil);
        let ordered =
            subject == Subject::Texts && !matches!(comparison, Comparison::Equal | Comparison::NotEqual);
        let left = self.reusable(a, at + 1);
        let right = self.reusable(b, at + 2);
        if ordered {
            // -1, 0 or 1, or NaN where one has no value.
            let order = self.assign(at, &format!("{ORDER}({left}, {right})"));
            let sign = symbol(comparison);
            return self.assign(
                at,
                &format!("if {order} {sign} 0 then 1 elseif {order} == {order} then 0 else {NIL}"),
            );
        }
        let there: Vec<String> = [&left, &right]
            .into_iter()
            .zip(nil)
            .filter(|(_, nil)| *nil)
            .map(|(v, _)| format!("{v} == {v}"))
            .collect();
        let sign = symbol(comparison);
        let value = if there.is_empty() {
            format!("if {left} {sign} {right} then 1 else 0")
        } else if comparison == Comparison::NotEqual {
            format!("if {left} == {right} then 0 elseif {} then 1 else {NIL}", there.join(" and "))
        } else {
            format!("if {left} {sign} {right} then 1 elseif {} then 0 else {NIL}", there.join(" and "))
        };
        self.assign(at, &value)
    }
}
