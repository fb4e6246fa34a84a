//! Names and functions of other languages, and what to write here.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::formula::ast::{Call, Expr, Node};
use crate::formula::functions::Function;
use crate::formula::print::print;

/// What to write for a name that other languages know.
pub(super) fn instead_of_name(name: &str) -> Option<&'static str> {
    let lower = name.to_ascii_lowercase();
    let bare = lower.strip_prefix("math.").unwrap_or(&lower);
    Some(match bare {
        "true" | "yes" => "write `true`",
        "false" | "no" => "write `false`",
        "none" | "null" | "nil" | "undefined" => "write `nil`",
        "nan" | "inf" | "infinity" | "huge" => "no number is infinite or undefined; no value is `nil`",
        "pi" | "\u{3c0}" | "m_pi" => "write `rad(180)`",
        "tau" | "\u{3c4}" => "write `rad(360)`",
        "e" | "m_e" => "write `exp(1)`",
        "now" | "today" | "clock" => TIME_OF_DAY,
        "end" | "then" | "else" | "elseif" | "elif" => "a choice is written `if(condition, a, b)`",
        _ => return None,
    })
}

/// Where the time of day comes from.
const TIME_OF_DAY: &str = "the time of day comes from a source of kind `time`, as `clock.hour`";

/// What to write for a call of a function that other languages know.
pub(super) enum Instead {
    /// The function of this name.
    Function(&'static str),
    /// As it is said.
    Help(String),
}

pub(super) fn instead_of_call(call: &Call) -> Option<Instead> {
    let lower = call.name.to_ascii_lowercase();
    let function = match lower.as_str() {
        "ln" | "loge" => "log",
        "lg" => "log10",
        "ceiling" | "roundup" => "ceil",
        "rounddown" => "floor",
        "int" | "fix" | "truncate" => "trunc",
        "power" => "pow",
        "sgn" | "signum" => "sign",
        "iif" | "ifelse" | "cond" | "when" => "if",
        "ifnull" | "nvl" | "default" | "nz" => "coalesce",
        "degrees" => "deg",
        "radians" => "rad",
        "fmod" | "modulo" | "rem" => "mod",
        "limit" | "constrain" | "bound" => "clamp",
        "minimum" => "min",
        "maximum" => "max",
        "length" | "strlen" | "size" => "len",
        "ucase" | "toupper" | "uppercase" => "upper",
        "lcase" | "tolower" | "lowercase" => "lower",
        "format" | "sprintf" | "printf" | "tofixed" => "fmt",
        "float" | "double" | "tonumber" | "parsefloat" | "val" => "number",
        "strip" => "trim",
        "includes" | "instr" => "contains",
        "startswith" => "starts_with",
        "endswith" => "ends_with",
        "substring" | "mid" | "slice" => "substr",
        "rgba" => "rgb",
        "hsla" | "hsv" => "hsl",
        "blend" => "mix",
        "average" | "mean" => "avg",
        "std" | "stdev" | "sd" => "stddev",
        "quantile" => "percentile",
        "derivative" | "deriv" => "rate_of_change",
        _ => return in_other_words(&lower, &call.arguments).map(Instead::Help),
    };
    Function::named(function).map(|function| Instead::Function(function.name))
}

/// What to write for a function that has none like it here.
fn in_other_words(name: &str, arguments: &[Expr]) -> Option<String> {
    let shown: Vec<String> = arguments.iter().map(operand).collect();
    Some(match (name, shown.as_slice()) {
        ("now" | "today" | "date" | "datetime" | "clock", _) => TIME_OF_DAY.into(),
        ("include", _) => "an include stands alone in its braces: `{include(name)}`".into(),
        ("random" | "rand" | "rnd", _) => "random numbers come from a source of kind `generator`".into(),
        ("switch" | "choose" | "case" | "ifs", _) => "choices are nested: `if(a, 1, if(b, 2, 3))`".into(),
        ("str" | "string" | "tostring" | "text", [x]) => format!("write `{x} .. ''`, or `fmt({x}, '.1f')`"),
        ("concat" | "concatenate", [_, _, ..]) => format!("write `{}`", shown.join(" .. ")),
        ("square" | "sq", [x]) => format!("write `{x} ^ 2`"),
        ("cube", [x]) => format!("write `{x} ^ 3`"),
        ("cbrt", [x]) => format!("write `{x} ^ (1 / 3)`"),
        ("isnull" | "isnan" | "isnil" | "isnone", [x]) => format!("write `{x} == nil`"),
        ("exists" | "defined", [x]) => format!("write `{x} != nil`"),
        ("xor", [a, b]) => format!("write `({a}) != ({b})`"),
        ("between" | "inrange", [x, low, high]) => format!("write `{x} >= {low} and {x} <= {high}`"),
        ("print" | "echo" | "console.log" | "last" | "first", [x]) => {
            format!("a formula shows its result: write `{x}`")
        }
        _ => return None,
    })
}

/// An argument as an operand: in parentheses unless it is one already.
fn operand(expr: &Expr) -> String {
    let text = print(expr);
    match expr.node {
        Node::Chain(..) | Node::Compare(..) | Node::Power(..) | Node::Not(_) => format!("({text})"),
        _ => text,
    }
}

/// The call with another name, and perhaps with one more argument in front.
pub(super) fn renamed(call: &Call, name: &str, first: Option<&str>) -> String {
    let arguments = first.into_iter().map(String::from).chain(call.arguments.iter().map(print));
    format!("{name}({})", arguments.collect::<Vec<_>>().join(", "))
}
