//! The table of functions: the one place that names them. The checker, the lowering, the trampolines, the
//! catalogue and the manual are all made from it.

use super::ast::Span;
use crate::diagnostic::Diagnostic;

/// A built-in function.
#[derive(Clone, Copy, Debug)]
pub struct Function {
    /// Its name in small letters; formulas may write it in any case.
    pub name: &'static str,
    /// How it is called, `round(x[, digits])`.
    pub signature: &'static str,
    /// The group that it stands in.
    pub category: Category,
    /// What it returns, in a sentence without a full stop.
    pub description: &'static str,
    /// A call.
    pub example: &'static str,
    /// What the example gives.
    pub example_result: &'static str,
    /// The fewest arguments.
    pub min_arguments: usize,
    /// The most arguments; `None` for any number.
    pub max_arguments: Option<usize>,
    pub(crate) rule: Rule,
}

/// The groups of the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Category {
    /// Numbers to a number.
    Math,
    /// Conditions.
    Logic,
    /// Values that may not be there.
    Values,
}

impl Category {
    /// The group's title.
    pub fn name(self) -> &'static str {
        match self {
            Category::Math => "Math",
            Category::Logic => "Logic",
            Category::Values => "Values",
        }
    }
}

/// How a call is checked and computed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Rule {
    If,
    And,
    Or,
    Not,
    Coalesce,
    Min,
    Max,
    /// The same as the operator.
    Modulo,
    /// The argument times the first number, divided by the second.
    Scale(f64, f64),
    /// Exact in every implementation of IEEE 754, so that the generated code computes it itself.
    Exact(Exact),
    /// Computed in Rust, so that every machine computes the same bits.
    Call(Numeric),
    /// Exact with one argument, computed in Rust with more.
    ExactOrCall(Exact, Numeric),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exact {
    Abs,
    Floor,
    Ceil,
    Trunc,
    Sign,
    Round,
    Sqrt,
}

/// A function on finite numbers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Numeric {
    /// NaN outside the domain, an infinity where the result is too large.
    eval: fn(&[f64]) -> f64,
    /// What is wrong outside the domain.
    pub(crate) domain: &'static str,
}

/// Why a function has no result for its arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is not defined for them.
    Domain,
    /// The result is too large for a number.
    Overflow,
}

impl Function {
    /// The function of that name, in any case.
    ///
    /// ```
    /// use engine::formula::functions::Function;
    /// assert_eq!(Function::named("SQRT").map(|f| f.signature), Some("sqrt(x)"));
    /// ```
    pub fn named(name: &str) -> Option<&'static Function> {
        FUNCTIONS.iter().find(|function| function.name.eq_ignore_ascii_case(name))
    }

    /// Computes a function of numbers, `None` for those that are no plain function of numbers.
    /// The arguments have to be finite and of the right number.
    ///
    /// ```
    /// use engine::formula::functions::{Fault, Function};
    /// let sqrt = Function::named("sqrt").unwrap();
    /// assert_eq!(sqrt.compute(&[9.0]), Some(Ok(3.0)));
    /// assert_eq!(sqrt.compute(&[-9.0]), Some(Err(Fault::Domain)));
    /// ```
    pub fn compute(&self, arguments: &[f64]) -> Option<Result<f64, Fault>> {
        let result = match self.rule {
            Rule::Call(numeric) | Rule::ExactOrCall(_, numeric) => (numeric.eval)(arguments),
            Rule::Exact(exact) => exact.eval(*arguments.first()?),
            Rule::Modulo => floored_modulo(*arguments.first()?, *arguments.get(1)?),
            _ => return None,
        };
        Some(match result {
            r if r.is_nan() => Err(Fault::Domain),
            r if r.is_infinite() => Err(Fault::Overflow),
            r => Ok(r),
        })
    }

    /// Why this number of arguments does not fit, if so.
    pub(crate) fn arity_problem(&self, count: usize, span: Span) -> Option<Diagnostic> {
        let fits = count >= self.min_arguments && self.max_arguments.is_none_or(|max| count <= max);
        if fits {
            return None;
        }
        let wanted = match (self.min_arguments, self.max_arguments) {
            (min, None) => alloc::format!("{min} or more"),
            (min, Some(max)) if min == max => alloc::format!("{min}"),
            (min, Some(max)) => alloc::format!("{min} or {max}"),
        };
        let noun = if wanted == "1" { "argument" } else { "arguments" };
        let message = alloc::format!("`{}` takes {wanted} {noun}, not {count}", self.name);
        Some(
            Diagnostic::error("wrong-arity", span, message)
                .with_help(alloc::format!("write `{}`", self.signature)),
        )
    }

    /// The numbers of arguments that the call's trampoline has to be made for; empty where none is called.
    pub fn trampolines(&self) -> core::ops::RangeInclusive<usize> {
        match (self.rule, self.max_arguments) {
            (Rule::Call(_) | Rule::Modulo, Some(max)) => self.min_arguments..=max,
            (Rule::ExactOrCall(..), Some(max)) => self.min_arguments + 1..=max,
            #[allow(clippy::reversed_empty_ranges, reason = "it is to be empty")]
            _ => 1..=0,
        }
    }
}

impl Exact {
    pub(crate) fn eval(self, x: f64) -> f64 {
        match self {
            Exact::Abs => x.abs(),
            Exact::Floor => libm::floor(x),
            Exact::Ceil => libm::ceil(x),
            Exact::Trunc => libm::trunc(x),
            Exact::Sign => match x {
                _ if x > 0.0 => 1.0,
                _ if x < 0.0 => -1.0,
                _ => x,
            },
            Exact::Round => round(x),
            Exact::Sqrt => libm::sqrt(x),
        }
    }
}

/// Halves away from zero, as the generated code does it.
fn round(x: f64) -> f64 {
    let whole = libm::floor(x.abs());
    let magnitude = if x.abs() - whole >= 0.5 { whole + 1.0 } else { whole };
    if x < 0.0 { -magnitude } else { magnitude }
}

/// The remainder of the floored division, with the sign of the divisor; exact. NaN for a divisor of 0.
pub(crate) fn floored_modulo(a: f64, b: f64) -> f64 {
    let remainder = libm::fmod(a, b);
    if remainder != 0.0 && (remainder < 0.0) != (b < 0.0) { remainder + b } else { remainder }
}

/// `x` with `digits` decimals, halves away from zero. It is the decimal that is shown for `x` which is
/// rounded, so that `round(2.345, 2)` is 2.35 although the double nearest to 2.345 may lie below it.
fn round_to(x: f64, digits: f64) -> f64 {
    if digits != libm::trunc(digits) || digits.abs() > 300.0 {
        return f64::NAN;
    }
    #[allow(clippy::cast_possible_truncation, reason = "a whole number of at most 300")]
    let digits = digits as i32;
    let mut decimal = Decimal::of(x);
    decimal.round(digits);
    decimal.value()
}

/// The shortest decimal that reads back as a number: `0.d1d2d3... * 10^exponent`.
struct Decimal {
    negative: bool,
    digits: [u8; 17],
    len: usize,
    exponent: i32,
}

impl Decimal {
    fn of(x: f64) -> Decimal {
        let mut text = Scratch { bytes: [0; 32], len: 0 };
        // Fits: a sign, 17 digits, a point and an exponent of at most 4 characters.
        let _ = core::fmt::Write::write_fmt(&mut text, format_args!("{:e}", x.abs()));
        let written = core::str::from_utf8(&text.bytes[..text.len]).unwrap_or("0e0");
        let (mantissa, exponent) = written.split_once('e').unwrap_or((written, "0"));
        let mut decimal = Decimal {
            negative: x < 0.0,
            digits: [0; 17],
            len: 0,
            exponent: exponent.parse::<i32>().unwrap_or(0) + 1,
        };
        for digit in mantissa.bytes().filter(u8::is_ascii_digit).take(17) {
            decimal.digits[decimal.len] = digit - b'0';
            decimal.len += 1;
        }
        decimal
    }

    /// Keeps so many digits after the point.
    fn round(&mut self, decimals: i32) {
        let keep = self.exponent + decimals;
        let Ok(kept) = usize::try_from(keep) else {
            self.len = 0;
            return;
        };
        if kept >= self.len {
            return;
        }
        let up = self.digits[kept] >= 5;
        self.len = kept;
        if up {
            self.increment();
        }
    }

    fn increment(&mut self) {
        while let Some(last) = self.len.checked_sub(1) {
            if self.digits[last] < 9 {
                self.digits[last] += 1;
                return;
            }
            self.len = last;
        }
        self.digits[0] = 1;
        self.len = 1;
        self.exponent += 1;
    }

    fn value(&self) -> f64 {
        let mut text = Scratch { bytes: [0; 32], len: 0 };
        let sign = if self.negative { "-" } else { "" };
        let _ = core::fmt::Write::write_fmt(&mut text, format_args!("{sign}0."));
        for digit in &self.digits[..self.len] {
            text.bytes[text.len] = b'0' + digit;
            text.len += 1;
        }
        let _ = core::fmt::Write::write_fmt(&mut text, format_args!("0e{}", self.exponent));
        core::str::from_utf8(&text.bytes[..text.len])
            .ok()
            .and_then(|text| text.parse().ok())
            .unwrap_or(f64::NAN)
    }
}

/// A short text without an allocation.
struct Scratch {
    bytes: [u8; 32],
    len: usize,
}

impl core::fmt::Write for Scratch {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        let end = self.len + text.len();
        self.bytes.get_mut(self.len..end).ok_or(core::fmt::Error)?.copy_from_slice(text.as_bytes());
        self.len = end;
        Ok(())
    }
}

const fn math(
    name: &'static str,
    signature: &'static str,
    description: &'static str,
    (example, example_result): (&'static str, &'static str),
    (min_arguments, max_arguments): (usize, usize),
    rule: Rule,
) -> Function {
    Function {
        name,
        signature,
        category: Category::Math,
        description,
        example,
        example_result,
        min_arguments,
        max_arguments: Some(max_arguments),
        rule,
    }
}

const fn any_number(of: Function) -> Function {
    Function { max_arguments: None, ..of }
}

const fn within(category: Category, of: Function) -> Function {
    Function { category, ..of }
}

const fn call(domain: &'static str, eval: fn(&[f64]) -> f64) -> Rule {
    Rule::Call(Numeric { eval, domain })
}

/// The domain's message for functions that are defined everywhere.
const EVERYWHERE: &str = "the result is not a number";

/// NaN where a logarithm is not defined: libm's own infinity for 0 would count as an overflow.
fn positive(x: f64, log: fn(f64) -> f64) -> f64 {
    if x > 0.0 { log(x) } else { f64::NAN }
}

/// Every function, by category and then from the common to the special.
pub static FUNCTIONS: [Function; 34] = [
    math("abs", "abs(x)", "x without its sign", ("abs(-2.5)", "2.5"), (1, 1), Rule::Exact(Exact::Abs)),
    math(
        "sign",
        "sign(x)",
        "-1, 0 or 1, as x is below, at or above 0",
        ("sign(-3)", "-1"),
        (1, 1),
        Rule::Exact(Exact::Sign),
    ),
    any_number(math(
        "min",
        "min(x, ...)",
        "The least of its arguments",
        ("min(3, 1, 2)", "1"),
        (1, 1),
        Rule::Min,
    )),
    any_number(math(
        "max",
        "max(x, ...)",
        "The greatest of its arguments",
        ("max(3, 1, 2)", "3"),
        (1, 1),
        Rule::Max,
    )),
    math(
        "clamp",
        "clamp(x, low, high)",
        "x, but at least low and at most high",
        ("clamp(120, 0, 100)", "100"),
        (3, 3),
        call("the lower bound of `clamp` is above the upper one", |a| match (a[0], a[1], a[2]) {
            (_, low, high) if low > high => f64::NAN,
            (x, low, _) if x < low => low,
            (x, _, high) if x > high => high,
            (x, ..) => x,
        }),
    ),
    math(
        "round",
        "round(x[, digits])",
        "x rounded to that many decimals, or to a whole number; halves away from zero",
        ("round(2.5)", "3"),
        (1, 2),
        Rule::ExactOrCall(
            Exact::Round,
            Numeric {
                eval: |a| match a {
                    [x] => round(*x),
                    _ => round_to(a[0], a[1]),
                },
                domain: "the digits of `round` are not a whole number between -300 and 300",
            },
        ),
    ),
    math(
        "floor",
        "floor(x)",
        "The greatest whole number that is not above x",
        ("floor(-2.5)", "-3"),
        (1, 1),
        Rule::Exact(Exact::Floor),
    ),
    math(
        "ceil",
        "ceil(x)",
        "The least whole number that is not below x",
        ("ceil(2.1)", "3"),
        (1, 1),
        Rule::Exact(Exact::Ceil),
    ),
    math(
        "trunc",
        "trunc(x)",
        "x without its fraction",
        ("trunc(-3.7)", "-3"),
        (1, 1),
        Rule::Exact(Exact::Trunc),
    ),
    math(
        "mod",
        "mod(a, b)",
        "The remainder of the floored division, as `a % b`",
        ("mod(-7, 3)", "2"),
        (2, 2),
        Rule::Modulo,
    ),
    math(
        "map",
        "map(x, in_low, in_high, out_low, out_high)",
        "x carried over from one range to another, without a limit",
        ("map(5, 0, 10, 100, 200)", "150"),
        (5, 5),
        call("the range that `map` maps from is empty", |a| {
            let (in_span, out_span) = (a[2] - a[1], a[4] - a[3]);
            if in_span == 0.0 { f64::NAN } else { overflow(a[3] + (a[0] - a[1]) * out_span / in_span) }
        }),
    ),
    math(
        "lerp",
        "lerp(a, b, t)",
        "The value between a (at t = 0) and b (at t = 1)",
        ("lerp(10, 20, 0.25)", "12.5"),
        (3, 3),
        call(EVERYWHERE, |a| overflow(a[0] + (a[1] - a[0]) * a[2])),
    ),
    math("sqrt", "sqrt(x)", "The square root", ("sqrt(9)", "3"), (1, 1), Rule::Exact(Exact::Sqrt)),
    math(
        "pow",
        "pow(x, y)",
        "x to the power of y, as `x ^ y`",
        ("pow(2, 10)", "1024"),
        (2, 2),
        call("a negative number has no power with a fraction", |a| libm::pow(a[0], a[1])),
    ),
    math(
        "exp",
        "exp(x)",
        "e to the power of x",
        ("exp(0)", "1"),
        (1, 1),
        call(EVERYWHERE, |a| libm::exp(a[0])),
    ),
    math(
        "log",
        "log(x)",
        "The natural logarithm",
        ("log(1)", "0"),
        (1, 1),
        call("the logarithm of zero or less is not defined", |a| positive(a[0], libm::log)),
    ),
    math(
        "log10",
        "log10(x)",
        "The logarithm to base 10",
        ("log10(1000)", "3"),
        (1, 1),
        call("the logarithm of zero or less is not defined", |a| positive(a[0], libm::log10)),
    ),
    math(
        "log2",
        "log2(x)",
        "The logarithm to base 2",
        ("log2(8)", "3"),
        (1, 1),
        call("the logarithm of zero or less is not defined", |a| positive(a[0], libm::log2)),
    ),
    math(
        "hypot",
        "hypot(x, y)",
        "The length of the vector (x, y)",
        ("hypot(3, 4)", "5"),
        (2, 2),
        call(EVERYWHERE, |a| libm::hypot(a[0], a[1])),
    ),
    math(
        "sin",
        "sin(x)",
        "The sine of x radians",
        ("sin(0)", "0"),
        (1, 1),
        call(EVERYWHERE, |a| libm::sin(a[0])),
    ),
    math(
        "cos",
        "cos(x)",
        "The cosine of x radians",
        ("cos(0)", "1"),
        (1, 1),
        call(EVERYWHERE, |a| libm::cos(a[0])),
    ),
    math(
        "tan",
        "tan(x)",
        "The tangent of x radians",
        ("tan(0)", "0"),
        (1, 1),
        call(EVERYWHERE, |a| libm::tan(a[0])),
    ),
    math(
        "asin",
        "asin(x)",
        "The angle in radians whose sine is x",
        ("asin(0)", "0"),
        (1, 1),
        call("`asin` is defined from -1 to 1 only", |a| libm::asin(a[0])),
    ),
    math(
        "acos",
        "acos(x)",
        "The angle in radians whose cosine is x",
        ("acos(1)", "0"),
        (1, 1),
        call("`acos` is defined from -1 to 1 only", |a| libm::acos(a[0])),
    ),
    math(
        "atan",
        "atan(x)",
        "The angle in radians whose tangent is x",
        ("atan(0)", "0"),
        (1, 1),
        call(EVERYWHERE, |a| libm::atan(a[0])),
    ),
    math(
        "atan2",
        "atan2(y, x)",
        "The angle in radians of the vector (x, y)",
        ("atan2(0, 1)", "0"),
        (2, 2),
        call(EVERYWHERE, |a| libm::atan2(a[0], a[1])),
    ),
    math(
        "deg",
        "deg(x)",
        "x radians in degrees",
        ("deg(0)", "0"),
        (1, 1),
        Rule::Scale(180.0, core::f64::consts::PI),
    ),
    math(
        "rad",
        "rad(x)",
        "x degrees in radians",
        ("rad(0)", "0"),
        (1, 1),
        Rule::Scale(core::f64::consts::PI, 180.0),
    ),
    within(
        Category::Logic,
        math(
            "if",
            "if(condition, a, b)",
            "a if the condition holds, else b; the other one is not computed",
            ("if(2 > 1, 10, 20)", "10"),
            (3, 3),
            Rule::If,
        ),
    ),
    within(
        Category::Logic,
        any_number(math(
            "and",
            "and(a, b, ...)",
            "1 if all conditions hold, else 0; it stops at the first that does not",
            ("and(1, 2 > 1)", "1"),
            (2, 2),
            Rule::And,
        )),
    ),
    within(
        Category::Logic,
        any_number(math(
            "or",
            "or(a, b, ...)",
            "1 if a condition holds, else 0; it stops at the first that does",
            ("or(0, 2 > 1)", "1"),
            (2, 2),
            Rule::Or,
        )),
    ),
    within(
        Category::Logic,
        math("not", "not(a)", "1 if the condition does not hold, else 0", ("not(0)", "1"), (1, 1), Rule::Not),
    ),
    within(
        Category::Logic,
        math(
            "approx",
            "approx(a, b[, eps])",
            "1 if a and b differ by no more than eps (1e-9), relative to the greater of 1, |a| and |b|; else 0",
            ("approx(0.1 + 0.2, 0.3)", "1"),
            (2, 3),
            call("the tolerance of `approx` is negative", |a| {
                let eps = a.get(2).copied().unwrap_or(1e-9);
                let scale = if a[0].abs() > a[1].abs() { a[0].abs() } else { a[1].abs() };
                let near = (a[0] - a[1]).abs() <= eps * if scale > 1.0 { scale } else { 1.0 };
                if eps < 0.0 { f64::NAN } else { f64::from(u8::from(near)) }
            }),
        ),
    ),
    within(
        Category::Values,
        any_number(math(
            "coalesce",
            "coalesce(a, b, ...)",
            "The first of its arguments that has a value",
            ("coalesce(nil, 7)", "7"),
            (1, 1),
            Rule::Coalesce,
        )),
    ),
];

/// An indefinite result of finite arguments came about through an overflow on the way.
fn overflow(result: f64) -> f64 {
    if result.is_nan() { f64::INFINITY } else { result }
}
