//! The table itself.

use super::numeric::{floored_modulo, overflow, positive, round, round_to};
use super::{Category, Exact, Function, Numeric, Rule};

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
        call("the divisor of `mod` is zero", |a| floored_modulo(a[0], a[1])),
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
        call(EVERYWHERE, |a| a[0] * 180.0 / core::f64::consts::PI),
    ),
    math(
        "rad",
        "rad(x)",
        "x degrees in radians",
        ("rad(0)", "0"),
        (1, 1),
        call(EVERYWHERE, |a| a[0] * core::f64::consts::PI / 180.0),
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
