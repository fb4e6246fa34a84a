//! Between which bounds a result lies, as far as its formula alone says, and which conditions therefore
//! always hold, or never.

use alloc::format;
use alloc::vec::Vec;

use super::Checker;
use crate::diagnostic::Diagnostic;
use crate::formula::MAX_TEXT;
use crate::formula::ast::{Comparison, Expr, Node, Span};
use crate::formula::derived::{Derived, Measure};
use crate::formula::functions::{Exact, floored_modulo};
use crate::formula::ir::{Arithmetic, Chain, Ir, Subject, function};
use crate::formula::names::Builtin;
use crate::tick::Fps;

/// The least and the greatest that a number can be where it has a value. Computing with bounds is exact
/// enough, since rounding keeps the order of numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Bounds {
    low: f64,
    high: f64,
}

const ANY: Bounds = Bounds { low: f64::NEG_INFINITY, high: f64::INFINITY };
const TRUTH: Bounds = Bounds { low: 0.0, high: 1.0 };
const NOT_NEGATIVE: Bounds = Bounds { low: 0.0, high: f64::INFINITY };

impl Bounds {
    fn around(all: impl IntoIterator<Item = f64>) -> Bounds {
        let grow = |bounds: Option<Bounds>, n: f64| match bounds {
            _ if n.is_nan() => Some(ANY),
            None => Some(Bounds { low: n, high: n }),
            Some(Bounds { low, high }) => {
                Some(Bounds { low: if n < low { n } else { low }, high: if n > high { n } else { high } })
            }
        };
        all.into_iter().fold(None, grow).unwrap_or(ANY)
    }

    fn each(self, f: impl Fn(f64) -> f64) -> Bounds {
        Bounds::around([f(self.low), f(self.high)])
    }

    fn with(self, other: Bounds, f: impl Fn(f64, f64) -> f64) -> Bounds {
        let corners = [self.low, self.high].map(|a| [other.low, other.high].map(|b| f(a, b)));
        Bounds::around(corners.into_iter().flatten())
    }

    fn all(of: &[Ir], derived: &[Derived]) -> Vec<Bounds> {
        of.iter().map(|ir| Bounds::of(ir, derived)).collect()
    }

    /// The bounds of a number.
    pub(super) fn of(ir: &Ir, derived: &[Derived]) -> Bounds {
        let of = |ir: &Ir| Bounds::of(ir, derived);
        match ir {
            Ir::Number(bits) => Bounds { low: bits.number(), high: bits.number() },
            Ir::Builtin(Builtin::Fps) => Bounds { low: 1.0, high: f64::from(Fps::MAX) },
            Ir::Builtin(Builtin::Tick | Builtin::Time) => NOT_NEGATIVE,
            Ir::Finite(input, _) => Bounds::of(input, derived),
            Ir::Derived(index) => derived.get(*index as usize).map_or(ANY, |derived| match derived.measure {
                Measure::Count | Measure::Deviation | Measure::Age => NOT_NEGATIVE,
                Measure::Stale => TRUTH,
                _ => ANY,
            }),
            Ir::Negate(a) => of(a).each(|n| -n),
            Ir::Chain(chain) => Bounds::of_chain(chain, derived),
            Ir::Compare(..) | Ir::IsNil(_) | Ir::Not(_) | Ir::All(_) | Ir::Any(_) => TRUTH,
            Ir::If(parts) => {
                let [_, a, b] = &**parts;
                Bounds::around([of(a).low, of(a).high, of(b).low, of(b).high])
            }
            Ir::Coalesce(parts) => Bounds::around(
                Bounds::all(parts, derived).iter().flat_map(|bounds| [bounds.low, bounds.high]),
            ),
            Ir::Min(parts) => least(&Bounds::all(parts, derived), |a, b| a < b),
            Ir::Max(parts) => least(&Bounds::all(parts, derived), |a, b| a > b),
            Ir::Exact(exact, a, _) => Bounds::of_exact(*exact, of(a)),
            Ir::Call(index, arguments, ..) => {
                Bounds::of_call(function(*index).name, &Bounds::all(arguments, derived))
            }
            Ir::Textual(index, ..) => match function(*index).name {
                #[allow(clippy::cast_precision_loss, reason = "a small number")]
                "len" => Bounds { low: 0.0, high: MAX_TEXT as f64 },
                "contains" | "starts_with" | "ends_with" => TRUTH,
                _ => ANY,
            },
            Ir::Nil | Ir::Text(_) | Ir::Key(_) | Ir::Node(_) | Ir::Join(..) | Ir::Script(..) => ANY,
        }
    }

    fn of_chain(chain: &Chain, derived: &[Derived]) -> Bounds {
        chain.links.iter().fold(Bounds::of(&chain.first, derived), |left, link| {
            let right = Bounds::of(&link.operand, derived);
            match link.arithmetic {
                Arithmetic::Add => left.with(right, |a, b| a + b),
                Arithmetic::Subtract => left.with(right, |a, b| a - b),
                Arithmetic::Multiply => left.with(right, |a, b| a * b),
                Arithmetic::Modulo => remainder(right),
                // What is divided by numbers near 0 can be anything.
                _ if right.low <= 0.0 && right.high >= 0.0 => ANY,
                Arithmetic::Divide => left.with(right, |a, b| a / b),
                Arithmetic::FloorDivide => left.with(right, |a, b| libm::floor(a / b)),
            }
        })
    }

    fn of_exact(exact: Exact, of: Bounds) -> Bounds {
        match exact {
            Exact::Abs if of.low <= 0.0 && of.high >= 0.0 => {
                Bounds::around([0.0, of.low.abs(), of.high.abs()])
            }
            Exact::Sqrt => Bounds { low: 0.0, high: if of.high > 0.0 { libm::sqrt(of.high) } else { 0.0 } },
            exact => of.each(|n| if n.is_infinite() { n } else { exact.eval(n) }),
        }
    }

    fn of_call(name: &str, of: &[Bounds]) -> Bounds {
        match (name, of) {
            ("sin" | "cos", _) => Bounds { low: -1.0, high: 1.0 },
            ("asin" | "acos" | "atan" | "atan2", _) => Bounds { low: -4.0, high: 4.0 },
            ("exp" | "hypot", _) => NOT_NEGATIVE,
            ("approx", _) => TRUTH,
            ("mod", [_, divisor]) => remainder(*divisor),
            ("clamp", [_, low, high]) => Bounds { low: low.low, high: high.high },
            _ => ANY,
        }
    }
}

/// The bounds of a remainder, both included, since a rest just below the divisor is rounded to it.
fn remainder(divisor: Bounds) -> Bounds {
    debug_assert!(floored_modulo(-1e-20, 10.0) == 10.0);
    Bounds::around([0.0, divisor.low, divisor.high])
}

fn least(of: &[Bounds], is_better: fn(f64, f64) -> bool) -> Bounds {
    let best = |numbers: &mut dyn Iterator<Item = f64>| {
        numbers.reduce(|best, n| if is_better(n, best) { n } else { best }).unwrap_or(f64::NAN)
    };
    let low = best(&mut of.iter().map(|bounds| bounds.low));
    let high = best(&mut of.iter().map(|bounds| bounds.high));
    Bounds::around([low, high])
}

/// Whether a comparison always holds, or never, wherever both sides have a value.
fn decided(comparison: Comparison, a: Bounds, b: Bounds) -> Option<bool> {
    match comparison {
        Comparison::Less if a.high < b.low => Some(true),
        Comparison::Less if a.low >= b.high => Some(false),
        Comparison::LessOrEqual if a.high <= b.low => Some(true),
        Comparison::LessOrEqual if a.low > b.high => Some(false),
        Comparison::Greater | Comparison::GreaterOrEqual => decided(turned(comparison), b, a),
        Comparison::Equal | Comparison::NotEqual if a.high < b.low || a.low > b.high => {
            Some(comparison == Comparison::NotEqual)
        }
        Comparison::Equal | Comparison::NotEqual if a.low == a.high && a == b => {
            Some(comparison == Comparison::Equal)
        }
        _ => None,
    }
}

/// The comparison that says the same with the sides swapped.
fn turned(comparison: Comparison) -> Comparison {
    match comparison {
        Comparison::Less => Comparison::Greater,
        Comparison::LessOrEqual => Comparison::GreaterOrEqual,
        Comparison::Greater => Comparison::Less,
        Comparison::GreaterOrEqual => Comparison::LessOrEqual,
        equality => equality,
    }
}

/// The comparison that holds where this one does not.
fn negated(comparison: Comparison) -> Comparison {
    match comparison {
        Comparison::Less => Comparison::GreaterOrEqual,
        Comparison::LessOrEqual => Comparison::Greater,
        Comparison::Greater => Comparison::LessOrEqual,
        Comparison::GreaterOrEqual => Comparison::Less,
        Comparison::Equal => Comparison::NotEqual,
        Comparison::NotEqual => Comparison::Equal,
    }
}

/// Comparisons of one thing with constants, that are all to hold.
struct Demand<'i> {
    subject: &'i Ir,
    low: (f64, bool),
    high: (f64, bool),
}

impl Demand<'_> {
    /// Takes one more comparison; whether all can still hold together.
    fn add(&mut self, comparison: Comparison, n: f64) -> bool {
        let (lows, highs) = (
            matches!(comparison, Comparison::Greater | Comparison::GreaterOrEqual | Comparison::Equal),
            matches!(comparison, Comparison::Less | Comparison::LessOrEqual | Comparison::Equal),
        );
        let open = matches!(comparison, Comparison::Less | Comparison::Greater);
        if lows && (n > self.low.0 || n == self.low.0 && open) {
            self.low = (n, open);
        }
        if highs && (n < self.high.0 || n == self.high.0 && open) {
            self.high = (n, open);
        }
        self.low.0 < self.high.0 || self.low.0 == self.high.0 && !self.low.1 && !self.high.1
    }
}

/// Whether comparisons with constants, `a > 5` and `a < 3` say, cannot all hold.
fn contradict<'i>(parts: impl Iterator<Item = (Comparison, &'i Ir, f64)>) -> bool {
    let mut demands: Vec<Demand<'i>> = Vec::new();
    for (comparison, subject, n) in parts {
        let at = demands.iter().position(|demand| demand.subject == subject).unwrap_or_else(|| {
            let (low, high) = ((f64::NEG_INFINITY, false), (f64::INFINITY, false));
            demands.push(Demand { subject, low, high });
            demands.len() - 1
        });
        if !demands[at].add(comparison, n) {
            return true;
        }
    }
    false
}

/// A comparison with a constant, which stands right. Texts have numbers, but no order.
fn with_constant(ir: &Ir) -> Option<(Comparison, &Ir, f64)> {
    let Ir::Compare(comparison, subject, sides) = ir else { return None };
    let equality = matches!(comparison, Comparison::Equal | Comparison::NotEqual);
    let number = |ir: &Ir| match (subject, ir) {
        (Subject::Numbers, ir) => ir.as_number(),
        (Subject::Texts, Ir::Text(index)) if equality => Some(f64::from(*index)),
        _ => None,
    };
    let [a, b] = &**sides;
    match (number(a), number(b)) {
        (None, Some(n)) => Some((*comparison, a, n)),
        (Some(n), None) => Some((turned(*comparison), b, n)),
        _ => None,
    }
}

/// What never changes, and what to say of it.
impl Checker<'_, '_> {
    /// Warns of a comparison that always holds, or never.
    pub(super) fn warn_of_comparison(&mut self, ir: &Ir, written: [&Expr; 2], span: &Span) {
        let held = match ir {
            Ir::Number(_) => ir.as_truth(),
            Ir::Compare(comparison, subject, sides) => {
                let [a, b] = &**sides;
                let same = a == b && !a.calls_script();
                match subject {
                    _ if same => Some(comparison.holds(0, 0)),
                    Subject::Numbers => {
                        let derived = self.derived.all();
                        decided(*comparison, Bounds::of(a, derived), Bounds::of(b, derived))
                    }
                    Subject::Texts => None,
                }
            }
            _ => None,
        };
        // Constants are other ones on other machines.
        if let Some(held) = held
            && !written.into_iter().any(|side| self.around.names.names_constant(side))
        {
            self.warn_of_certainty(held, "this comparison", span);
        }
    }

    /// Warns of a condition that is known now, unless its parts were warned of.
    pub(super) fn warn_of_condition(&mut self, ir: &Ir, written: &Expr) {
        let is_plain = matches!(written.node, Node::Number(_) | Node::Nil | Node::Name(_) | Node::Negate(_));
        if let Some(holds) = ir.as_truth().filter(|_| is_plain && !self.failed)
            && !self.around.names.names_constant(written)
        {
            self.warn_of_certainty(holds, "this condition", &written.span);
        }
    }

    /// Warns of comparisons that rule each other out, joined by `and`; or leave nothing out, by `or`.
    pub(super) fn warn_of_contradiction(&mut self, ir: &Ir, span: &Span) {
        let compared = |parts: &[Ir], negate: bool| {
            let found = parts.iter().filter_map(with_constant);
            contradict(found.map(|(c, subject, n)| (if negate { negated(c) } else { c }, subject, n)))
        };
        match ir {
            Ir::All(parts) if compared(parts, false) => {
                self.warn_of_certainty(false, "this condition", span);
            }
            Ir::Any(parts) if compared(parts, true) => {
                self.warn_of_certainty(true, "this condition", span);
            }
            _ => {}
        }
    }

    fn warn_of_certainty(&mut self, holds: bool, what: &str, span: &Span) {
        let (code, when) = if holds { ("always-true", "always") } else { ("always-false", "never") };
        let message = format!("{what} {when} holds");
        self.report(Diagnostic::warning(code, span.clone(), message));
    }
}
