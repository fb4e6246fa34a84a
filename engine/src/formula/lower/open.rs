//! Functions that are no part of Luau and no more than a few exact operations, written out. The operations are
//! the same, in the same order, as those of the function in Rust.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::{Lowering, NIL};
use crate::formula::functions::Open;
use crate::formula::ir::{Ir, SiteIndex};

impl Lowering<'_> {
    /// The sites are those of a domain error and of an overflow.
    pub(super) fn open(
        &mut self,
        open: Open,
        arguments: &[Ir],
        sites: (SiteIndex, SiteIndex),
        at: usize,
    ) -> String {
        let mut values = Vec::with_capacity(arguments.len());
        for (argument, place) in arguments.iter().zip(at + 1..) {
            values.push(self.value(argument, place));
        }
        let there = values.iter().zip(arguments).filter(|(_, ir)| ir.may_be_nil());
        let there = there.fold(String::new(), |all, (value, _)| format!("{all} and {value} == {value}"));
        let (domain, overflow) = (sites.0 + 1, sites.1 + 1);
        match (open, values.as_slice()) {
            (Open::Clamp, [x, low, high]) => {
                let value = format!("if {x} < {low} then {low} elseif {x} > {high} then {high} else {x}");
                let result = self.assign(at, &value);
                if !in_order(&arguments[1], &arguments[2]) {
                    let wrong = format!("not ({low} <= {high})");
                    self.unless(&wrong, &format!("{low} > {high}{there}"), &format!("{domain}"), at);
                }
                result
            }
            (Open::Lerp, [a, b, t]) => {
                let result = self.assign(at, &format!("{a} + ({b} - {a}) * {t}"));
                let wrong = format!("{result} - {result} ~= 0");
                self.unless(&wrong, &format!("true{there}"), &format!("{overflow}"), at);
                result
            }
            (Open::Map, [x, in_low, in_high, out_low, out_high]) => {
                let span = self.assign(at + 6, &format!("{in_high} - {in_low}"));
                let value = format!("{out_low} + ({x} - {in_low}) * ({out_high} - {out_low}) / {span}");
                let result = self.assign(at, &value);
                let site = format!("if {span} == 0 then {domain} else {overflow}");
                self.unless(&format!("{result} - {result} ~= 0"), &format!("true{there}"), &site, at);
                result
            }
            // The checker lets no other number of arguments through.
            _ => NIL.into(),
        }
    }

    /// Where `wrong` holds there is no value in the temporary at `at`; where `fails` holds too it is an error.
    fn unless(&mut self, wrong: &str, fails: &str, site: &str, at: usize) {
        self.fails = true;
        self.emit(format_args!("if {wrong} then"));
        self.emit(format_args!("if not e and {fails} then e = {site} end"));
        self.assign(at, NIL);
        self.emit(format_args!("end"));
    }
}

/// Whether two numbers are known now, and in order.
fn in_order(low: &Ir, high: &Ir) -> bool {
    low.as_number().zip(high.as_number()).is_some_and(|(low, high)| low <= high)
}
