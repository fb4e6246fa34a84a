//! The last step: checked formulas become Luau. The code is total: whatever its inputs hold, it never
//! raises an error, so that no formula can disturb another.
//!
//! - Everything lives in one buffer: a lane of 64 bits for each input and each result ([`Layout`]). No value
//!   is NaN; a text is the number under which the evaluator keeps it.
//! - The buffer is the global `B`; functions in Rust are the globals [`trampoline`], [`text_trampoline`],
//!   [`TEXT`], [`COLOR`], [`JOIN`], [`ORDER`], [`BLAME`] and [`SCRIPT`].
//! - A group of up to [`GROUP`] results is one Luau function. It takes a mask of those to compute, and
//!   returns two: those that failed, and those that were computed. A result that others need and that came out
//!   anew marks them: those of its own group in the mask, those of later groups in the buffer.
//! - The groups' functions are run by one more, [`driver`], so that a tick is one call into Luau.
//! - An operation that can fail writes the number of its site (from 1) and goes on with no value.
//! - Only operations that IEEE 754 defines exactly are computed in Luau: `+ - * /`, comparisons, floor,
//!   ceil, abs and sqrt. Everything else is called in Rust, where it is the same on every machine.
//! - Formulas of one shape share one function, which finds what is different in them in a table in
//!   the buffer. A large panel is mostly made of few shapes, and code that is run many times a tick stays in the
//!   processor's cache, which code for each formula does not.
//! - Nothing of what a user wrote gets into the code, only numbers and positions.

mod cluster;
mod condition;
mod layout;
mod open;
pub(super) mod shape;
mod steps;

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::Write;

use super::Kind;
use super::ast::Comparison;
use super::functions::Exact;
use super::ir::{Arithmetic, Bits, Ir, Link, Piece, SiteIndex, function};
use super::program::Node;
use super::script::ScriptCall;

pub use layout::{Layout, REPORT};
use shape::Operand;
pub use steps::blame;

/// The most results that one Luau function computes: the bits of its mask.
pub const GROUP: usize = 32;

/// The global function that makes a text of a number.
pub const TEXT: &str = "f_text";

/// The global function that makes a text of a colour.
pub const COLOR: &str = "f_color";

/// The global function that says what went wrong in a sum or product: [`blame`]. It takes the steps, the site of a result that is too large, and the operands.
pub const BLAME: &str = "f_blame";

/// The global function that calls a function of a user's script. It takes the number of the call, an index
/// into [`Program::script_calls`](super::Program::script_calls), and the lanes of the arguments, and answers
/// a lane, or an infinity if the function failed.
pub const SCRIPT: &str = "f_script";

/// The global function that puts two texts together; it answers -1 where the result is too long.
pub const JOIN: &str = "f_join";

/// The global function that compares two texts by their bytes: -1, 0 or 1.
pub const ORDER: &str = "f_order";

/// Temporaries that are Luau locals; the rest lives in the buffer, since Luau has 200 locals a function.
const LOCALS: usize = 48;

/// Marks of other groups that are written out one by one; more are made in a loop.
const MARKS: usize = 3;

/// Who depends on the nodes of a group.
pub(super) struct Reach<'a> {
    /// The nodes, with their dependents in other groups.
    pub(super) nodes: &'a [Node],
    /// By node: those of this very group that depend on it, as a mask.
    pub(super) inside: &'a [u32],
}

/// The Luau function of a group, and how much scratch it needs.
///
/// The calls of scripts' functions are numbered as they come, and noted in `calls`.
pub(super) fn group(
    irs: &[Ir],
    first: usize,
    reach: &Reach<'_>,
    layout: Layout,
    calls: &mut Vec<ScriptCall>,
) -> (String, usize) {
    let (mut lists, mut text) = (String::new(), String::new());
    let mut scratch = 0;
    for (index, ir) in irs.iter().enumerate() {
        let node = u32::try_from(first + index).unwrap_or(u32::MAX);
        let mut lowering = Lowering::new(Places::Own(layout, calls), node);
        let result = lowering.value(ir, 0);
        let marks = marks(reach, index, layout, &mut lists);
        let store = Store {
            bit: format!("{}", 1u32 << index),
            lane: layout.node(first + index).to_string(),
            error: layout.error(first + index).to_string(),
        };
        lowering.finish(&mut text, &result, may_be_negative_zero(ir), &store, &marks);
        scratch = scratch.max(lowering.temporaries.saturating_sub(LOCALS));
    }
    (format!("{PRELUDE}{lists}{BEGIN}{text}return f, d\nend\n"), scratch)
}

/// The code that marks what depends on a node: empty where nothing does.
fn marks(reach: &Reach<'_>, index: usize, layout: Layout, lists: &mut String) -> String {
    let (inside, outside) = (reach.inside[index], &reach.nodes[index].dependents);
    let mut text = String::new();
    if inside != 0 {
        line(&mut text, format_args!("d = bor(d, {inside})"));
    }
    let places = outside.iter().map(|d| (layout.dirty(d.group as usize), d.mask));
    if outside.len() <= MARKS {
        for (place, mask) in places {
            line(&mut text, format_args!("we(b, {place}, bor(ru(b, {place}), {mask}))"));
        }
        return text;
    }
    let list: Vec<String> = places.map(|(place, mask)| format!("{place},{mask}")).collect();
    line(lists, format_args!("local m{index} = {{{}}}", list.join(",")));
    line(&mut text, format_args!("for i = 1, {}, 2 do", 2 * outside.len()));
    line(&mut text, format_args!("we(b, m{index}[i], bor(ru(b, m{index}[i]), m{index}[i + 1]))\nend"));
    text
}

/// The Luau function that runs the groups that have something to compute, in their order.
///
/// It is a chunk that returns a function of a table with the groups' functions, which returns the driver.
/// That takes nothing, looks at the masks at [`Layout::dirty`], and returns how many groups were run; for each
/// there is a report at [`Layout::report`]: its index, and the masks that its function returned.
pub fn driver(groups: usize, layout: Layout) -> String {
    format!(
        "\
local b = B
local ru, wu = buffer.readu32, buffer.writeu32
return function(groups)
return function()
local b, at = b, {report}
for g = 0, {last} do
local d = ru(b, {dirty} + 4 * g)
if d ~= 0 then
local failed, computed = groups[g + 1](d)
wu(b, at, g)
wu(b, at + 4, failed)
wu(b, at + 8, computed)
at += {REPORT}
end
end
return (at - {report}) / {REPORT}
end
end
",
        report = layout.report(0),
        dirty = layout.dirty(0),
        last = groups as i64 - 1,
    )
}

/// `rd`, `wr`: read and write a lane. `ru`, `we`: read and write a mask or an error. `band`, `bor`: meet and
/// join masks.
const PRELUDE: &str = "\
local b = B
local rd, wr, ru, we, band, bor = \
buffer.readf64, buffer.writef64, buffer.readu32, buffer.writeu32, bit32.band, bit32.bor
local abs, floor, ceil, sqrt = math.abs, math.floor, math.ceil, math.sqrt
local min, max = math.min, math.max
";

/// The buffer as a local is read without a detour.
const BEGIN: &str = "\
return function(d)
local b, f = b, 0
";

const NIL: &str = "(0/0)";

/// Where operands are.
enum Places<'c> {
    /// In lanes that are known; calls of scripts' functions are noted.
    Own(Layout, &'c mut Vec<ScriptCall>),
    /// In locals, filled from a table.
    Shared(&'c mut Vec<Operand>),
}

/// Where the result of a node goes, each as an expression.
struct Store {
    /// Its bit in the masks.
    bit: String,
    lane: String,
    error: String,
}

struct Lowering<'c> {
    places: Places<'c>,
    node: u32,
    body: String,
    /// How many temporaries are used at most.
    temporaries: usize,
    fails: bool,
}

/// Whether -0 can come out, which is made 0 in results. No input and no result is -0.
fn may_be_negative_zero(ir: &Ir) -> bool {
    match ir {
        Ir::Nil | Ir::Text(_) | Ir::Key(_) | Ir::Derived(_) | Ir::Node(_) | Ir::Builtin(_) => false,
        Ir::Compare(..) | Ir::IsNil(_) | Ir::Not(_) | Ir::All(_) | Ir::Any(_) | Ir::Join(..) => false,
        Ir::Exact(Exact::Abs, ..) => false,
        Ir::Exact(Exact::Floor | Exact::Sqrt, operand, _) => may_be_negative_zero(operand),
        Ir::Finite(input, _) => may_be_negative_zero(input),
        Ir::Number(bits) => bits.number().to_bits() == (-0.0_f64).to_bits(),
        // A sum is -0 only where both parts are, a difference only where its first part is.
        Ir::Chain(chain) => {
            let is_sum = |link: &Link| matches!(link.arithmetic, Arithmetic::Add | Arithmetic::Subtract);
            may_be_negative_zero(&chain.first) || !chain.links.iter().all(is_sum)
        }
        Ir::If(parts) => parts[1..].iter().any(may_be_negative_zero),
        Ir::Coalesce(parts) | Ir::Min(parts) | Ir::Max(parts) => parts.iter().any(may_be_negative_zero),
        _ => true,
    }
}

impl<'c> Lowering<'c> {
    fn new(places: Places<'c>, node: u32) -> Lowering<'c> {
        Lowering { places, node, body: String::new(), temporaries: 0, fails: false }
    }
}

impl Lowering<'_> {
    /// Wraps the code of a node: its test, its result, and where others need it, what it marks.
    fn finish(&self, text: &mut String, result: &str, zero: bool, store: &Store, marks: &str) {
        line(text, format_args!("if band(d, {}) ~= 0 then", store.bit));
        self.compute(text, result, zero, store, marks);
        line(text, format_args!("end"));
    }

    /// The code of a node: its result, and where others need it, what it marks.
    fn compute(&self, text: &mut String, result: &str, zero: bool, store: &Store, marks: &str) {
        let Store { bit, lane, error } = store;
        let locals = self.temporaries.min(LOCALS);
        if locals > 0 {
            let names: Vec<String> = (0..locals).map(|n| format!("t{n}")).collect();
            line(text, format_args!("local {}", names.join(", ")));
        }
        if self.fails {
            line(text, format_args!("local e"));
        }
        text.push_str(&self.body);
        let zero = if zero { " + 0" } else { "" };
        line(text, format_args!("local r = {result}{zero}"));
        if self.fails {
            line(text, format_args!("if e then r = {NIL} f += {bit} we(b, {error}, e) end"));
        }
        if marks.is_empty() {
            line(text, format_args!("wr(b, {lane}, r)"));
        } else {
            line(text, format_args!("local o = rd(b, {lane})"));
            line(text, format_args!("if r ~= o and (r == r or o == o) then wr(b, {lane}, r)\n{marks}end"));
        }
    }

    fn emit(&mut self, arguments: core::fmt::Arguments<'_>) {
        line(&mut self.body, arguments);
    }

    /// A temporary as an expression.
    fn temporary(&mut self, index: usize) -> String {
        self.temporaries = self.temporaries.max(index + 1);
        self.temporary_name(index)
    }

    /// The name that a temporary has, without using it.
    fn temporary_name(&self, index: usize) -> String {
        match index.checked_sub(LOCALS) {
            None => format!("t{index}"),
            Some(spilled) => lane(self.scratch(spilled)),
        }
    }

    /// Where temporaries are that are no locals. Shared code has none of these.
    fn scratch(&self, spilled: usize) -> usize {
        match &self.places {
            Places::Own(layout, _) => layout.scratch(spilled),
            Places::Shared(_) => 0,
        }
    }

    /// Puts a number into a temporary, and gives it back as an expression.
    fn assign(&mut self, index: usize, value: &str) -> String {
        let place = self.temporary(index);
        if place != value {
            match index.checked_sub(LOCALS) {
                None => self.emit(format_args!("{place} = {value}")),
                Some(spilled) => {
                    let offset = self.scratch(spilled);
                    self.emit(format_args!("wr(b, {offset}, {value})"));
                }
            }
        }
        place
    }

    /// Emits what computes `ir`. The result is an expression that can be used more than once: a literal, a
    /// lane, or the temporary at `at`. It is finite or NaN. Temporaries from `at` on may be overwritten.
    fn value(&mut self, ir: &Ir, at: usize) -> String {
        match ir {
            Ir::Nil => NIL.into(),
            Ir::Number(bits) => self.operand_of(Operand::Number(*bits)),
            Ir::Text(index) => self.operand_of(Operand::Number(Bits::of(f64::from(*index)))),
            Ir::Key(key) => self.operand_of(Operand::Key(*key)),
            Ir::Derived(index) => self.operand_of(Operand::Derived(*index)),
            Ir::Node(node) => self.operand_of(Operand::Node(*node)),
            Ir::Builtin(builtin) => self.operand_of(Operand::Builtin(*builtin)),
            Ir::Negate(operand) => {
                let operand = self.value(operand, at);
                self.assign(at, &format!("-{operand}"))
            }
            Ir::Finite(input, site) => {
                let input = self.value(input, at);
                let result = self.assign(at, &input);
                self.infinite(&result, at, (*site, *site));
                result
            }
            Ir::Chain(chain) => self.chain(chain, at),
            Ir::Join(pieces, site) => self.join(pieces, *site, at),
            Ir::Compare(comparison, subject, operands) => self.compare(*comparison, *subject, operands, at),
            Ir::IsNil(_) | Ir::Not(_) | Ir::All(_) | Ir::Any(_) => {
                let condition = self.condition(ir, at);
                self.assign(at, &format!("if {condition} then 1 else 0"))
            }
            Ir::If(parts) => self.choice(parts, at),
            Ir::Coalesce(parts) => self.coalesce(parts, at),
            Ir::Min(parts) => self.extreme(parts, "<", at),
            Ir::Max(parts) => self.extreme(parts, ">", at),
            Ir::Exact(exact, operand, site) => self.exact(*exact, operand, *site, at),
            Ir::Call(index, arguments, domain, overflow) => match function(*index).open() {
                Some(open) => self.open(open, arguments, (*domain, *overflow), at),
                None => {
                    let name = trampoline(function(*index).name, arguments.len());
                    self.call(&name, arguments, (*domain, *overflow), at)
                }
            },
            Ir::Textual(index, pieces, domain, too_long) => {
                let kinds = pieces.iter().map(|piece| piece.kind);
                let name = text_trampoline(function(*index).name, kinds);
                self.call(&name, pieces.iter().map(|piece| &piece.ir), (*domain, *too_long), at)
            }
            Ir::Script(function, result, pieces, site) => {
                let number = self.note(ScriptCall {
                    function: *function,
                    node: self.node,
                    arguments: pieces.iter().map(|piece| piece.kind).collect(),
                    result: *result,
                });
                let arguments = self.arguments(pieces.iter().map(|piece| &piece.ir), at);
                let all = core::iter::once(number.to_string()).chain(arguments).collect::<Vec<_>>();
                let result = self.assign(at, &format!("{SCRIPT}({})", all.join(", ")));
                self.infinite(&result, at, (*site, *site));
                result
            }
        }
    }

    /// Notes a call of a script's function, and gives its number.
    fn note(&mut self, call: ScriptCall) -> usize {
        match &mut self.places {
            Places::Own(_, calls) => {
                calls.push(call);
                calls.len() - 1
            }
            Places::Shared(_) => 0,
        }
    }

    /// An operand as an expression.
    fn operand_of(&mut self, operand: Operand) -> String {
        match (&mut self.places, operand) {
            (Places::Own(..), Operand::Number(bits)) => literal(bits.number()),
            (Places::Own(layout, _), operand) => lane(operand.lane(*layout)),
            (Places::Shared(operands), operand) => {
                // Numbers may be equal by chance.
                let is_number = matches!(operand, Operand::Number(_));
                let known = operands.iter().position(|known| *known == operand && !is_number);
                let index = known.unwrap_or(operands.len());
                if index == operands.len() {
                    operands.push(operand);
                }
                format!("p{index}")
            }
        }
    }

    /// A value that is used several times, in a local unless it is a literal.
    fn reusable(&mut self, ir: &Ir, at: usize) -> String {
        let value = self.value(ir, at);
        let is_lane = matches!(ir, Ir::Key(_) | Ir::Derived(_) | Ir::Node(_) | Ir::Builtin(_));
        if is_lane && matches!(self.places, Places::Own(..)) { self.assign(at, &value) } else { value }
    }

    fn choice(&mut self, [condition, a, b]: &[Ir; 3], at: usize) -> String {
        let condition = self.condition(condition, at);
        self.emit(format_args!("if {condition} then"));
        let a = self.value(a, at);
        self.assign(at, &a);
        self.emit(format_args!("else"));
        let b = self.value(b, at);
        let result = self.assign(at, &b);
        self.emit(format_args!("end"));
        result
    }

    fn coalesce(&mut self, parts: &[Ir], at: usize) -> String {
        let mut result = String::from(NIL);
        for (index, part) in parts.iter().enumerate() {
            if index > 0 {
                self.emit(format_args!("if {result} ~= {result} then"));
            }
            let value = self.value(part, at);
            result = self.assign(at, &value);
            if index > 0 {
                self.emit(format_args!("end"));
            }
        }
        result
    }

    /// Luau's own function answers its first argument where it is NaN, and also where both are equal.
    fn extreme(&mut self, parts: &[Ir], better: &str, at: usize) -> String {
        let name = if better == "<" { "min" } else { "max" };
        let mut result = String::from(NIL);
        let (mut may_be_nil, mut may_be_negative) = (false, false);
        for (index, part) in parts.iter().enumerate() {
            let nil = part.may_be_nil();
            let negative = may_be_negative_zero(part);
            if index == 0 {
                let value = self.value(part, at);
                result = self.assign(at, &value);
            } else if (nil && may_be_nil) || negative || may_be_negative {
                let value = self.reusable(part, at + 1);
                let nil = if nil { format!(" or {value} ~= {value}") } else { String::new() };
                self.emit(format_args!("if {value} {better} {result}{nil} then"));
                self.assign(at, &value);
                self.emit(format_args!("end"));
            } else {
                let value = self.value(part, at + 1);
                let [first, second] = if nil { [value, result] } else { [result, value] };
                result = self.assign(at, &format!("{name}({first}, {second})"));
            }
            may_be_nil |= nil;
            may_be_negative |= negative;
        }
        result
    }

    fn exact(&mut self, exact: Exact, operand: &Ir, site: SiteIndex, at: usize) -> String {
        let x = self.reusable(operand, at + 1);
        let value = match exact {
            Exact::Abs => format!("abs({x})"),
            Exact::Floor => format!("floor({x})"),
            Exact::Ceil => format!("ceil({x})"),
            Exact::Trunc => format!("if {x} < 0 then ceil({x}) else floor({x})"),
            Exact::Sign => format!("if {x} > 0 then 1 elseif {x} < 0 then -1 else {x}"),
            Exact::Sqrt => format!("sqrt({x})"),
            // Half away from zero; the difference is exact, which `floor(x + 0.5)` is not.
            Exact::Round => {
                let whole = self.assign(at, &format!("floor(abs({x}))"));
                let value = format!("if abs({x}) - {whole} >= 0.5 then {whole} + 1 else {whole}");
                let magnitude = self.assign(at, &value);
                format!("if {x} < 0 then -{magnitude} else {magnitude}")
            }
        };
        let result = self.assign(at, &value);
        if exact == Exact::Sqrt {
            self.fails = true;
            let site = site + 1;
            self.emit(format_args!("if {x} < 0 and not e then e = {site} end"));
        }
        result
    }

    /// A function in Rust. It answers NaN where an argument is NaN, an infinity outside its domain, and a
    /// negative infinity where the result is too large.
    fn call<'i>(
        &mut self,
        name: &str,
        arguments: impl IntoIterator<Item = &'i Ir>,
        sites: (SiteIndex, SiteIndex),
        at: usize,
    ) -> String {
        let arguments = self.arguments(arguments, at);
        let result = self.assign(at, &format!("{name}({})", arguments.join(", ")));
        self.infinite(&result, at, sites);
        result
    }

    fn arguments<'i>(&mut self, arguments: impl IntoIterator<Item = &'i Ir>, at: usize) -> Vec<String> {
        let arguments = arguments.into_iter().enumerate();
        arguments.map(|(offset, argument)| self.value(argument, at + offset)).collect()
    }

    /// Turns infinities, by which trampolines report, into errors.
    fn infinite(&mut self, result: &str, at: usize, (positive, negative): (SiteIndex, SiteIndex)) {
        self.fails = true;
        let (positive, negative) = (positive + 1, negative + 1);
        self.emit(format_args!("if {result} - {result} ~= 0 then"));
        self.emit(format_args!("if not e then e = if {result} > 0 then {positive} elseif {result} < 0 then {negative} else nil end"));
        self.assign(at, NIL);
        self.emit(format_args!("end"));
    }

    fn join(&mut self, pieces: &[Piece], site: SiteIndex, at: usize) -> String {
        self.fails = true;
        let mut result = String::new();
        for (index, piece) in pieces.iter().enumerate() {
            let value = self.value(&piece.ir, at + usize::from(index > 0));
            if index == 0 {
                result = self.assign(at, &value);
                if let Some(writer) = writer(piece.kind) {
                    self.assign(at, &format!("{writer}({result})"));
                }
                continue;
            }
            let value = match writer(piece.kind) {
                Some(writer) => self.assign(at + 1, &format!("{writer}({value})")),
                None => value,
            };
            self.assign(at, &format!("{JOIN}({result}, {value})"));
            let site = site + 1;
            self.emit(format_args!("if {result} < 0 then"));
            self.emit(format_args!("if not e then e = {site} end"));
            self.assign(at, NIL);
            self.emit(format_args!("end"));
        }
        result
    }
}

/// A lane as an expression.
fn lane(offset: usize) -> String {
    format!("rd(b, {offset})")
}

fn line(text: &mut String, arguments: core::fmt::Arguments<'_>) {
    let _ = writeln!(text, "{arguments}");
}

/// The global name under which the generated code calls a function in Rust.
pub fn trampoline(name: &str, arguments: usize) -> String {
    format!("f_{name}_{arguments}")
}

/// The same for a function that takes or returns texts, which is called by its arguments' kinds.
pub fn text_trampoline(name: &str, kinds: impl IntoIterator<Item = Kind>) -> String {
    let letter = |kind| match kind {
        Kind::Number => 'n',
        Kind::Text => 't',
        Kind::Color => 'c',
    };
    format!("f_{name}_{}", kinds.into_iter().map(letter).collect::<String>())
}

/// What makes a text of a kind that is none.
fn writer(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Number => Some(TEXT),
        Kind::Color => Some(COLOR),
        Kind::Text => None,
    }
}

fn symbol(comparison: Comparison) -> &'static str {
    if comparison == Comparison::NotEqual { "~=" } else { comparison.symbol() }
}

/// The shortest decimal that reads back as the same number.
fn literal(n: f64) -> String {
    if n.is_sign_negative() { format!("({n:e})") } else { format!("{n:e}") }
}
