//! A plain interpreter of the tree as written, to hold the evaluator against. It shares nothing with the
//! checker, the lowering and the virtual machine but the parser and the table of functions.

use std::collections::BTreeMap;

use engine::formula::ast::{Call, Comparison, Expr, Link, Node, Operator};
use engine::formula::functions::{Argument, Function, Output};
use engine::paint::Color;
use engine::tick::Fps;
use engine::value::Value;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Plain {
    Number(f64),
    Text(String),
    Color(Color),
}

/// An error, no value, or a value.
pub(super) type Outcome = Result<Option<Plain>, ()>;

pub(super) type Variables = BTreeMap<String, Option<Plain>>;

/// The result as a formula has it: no -0.
pub(super) fn result(expr: &Expr, variables: &Variables) -> Outcome {
    Ok(eval(expr, variables)?.map(|value| match value {
        Plain::Number(n) => Plain::Number(n + 0.0),
        other => other,
    }))
}

fn eval(expr: &Expr, variables: &Variables) -> Outcome {
    Ok(match &expr.node {
        Node::Number(n) => Some(Plain::Number(*n)),
        Node::Duration(duration) => Some(Plain::Number(duration.seconds(Fps::default()))),
        Node::Text(text) => Some(Plain::Text(text.clone())),
        Node::Nil => None,
        Node::Error => return Err(()),
        Node::Name(name) => variables[name].clone(),
        Node::Plus(a) => eval(a, variables)?,
        Node::Negate(a) => number(a, variables)?.map(|n| Plain::Number(-n)),
        Node::Not(a) => truth(!holds(a, variables)?),
        Node::Power(a, b) => numeric("pow", &[number(a, variables)?, number(b, variables)?])?,
        Node::Compare(a, comparison, b) => compare(a, *comparison, b, variables)?,
        Node::Chain(first, links) => match links[0].operator {
            Operator::And => {
                truth(all([&**first].into_iter().chain(links.iter().map(|l| &l.operand)), variables)?)
            }
            Operator::Or => {
                truth(any([&**first].into_iter().chain(links.iter().map(|l| &l.operand)), variables)?)
            }
            Operator::Join => join(first, links, variables)?,
            _ => arithmetic(first, links, variables)?.map(Plain::Number),
        },
        Node::Call(call) => self::call(call, variables)?,
    })
}

fn number(expr: &Expr, variables: &Variables) -> Result<Option<f64>, ()> {
    match eval(expr, variables)? {
        Some(Plain::Number(n)) => Ok(Some(n)),
        Some(other) => panic!("{other:?} got past the checker"),
        None => Ok(None),
    }
}

fn truth(holds: bool) -> Option<Plain> {
    Some(Plain::Number(if holds { 1.0 } else { 0.0 }))
}

fn holds(expr: &Expr, variables: &Variables) -> Result<bool, ()> {
    Ok(number(expr, variables)?.is_some_and(|n| n != 0.0))
}

fn all<'a>(parts: impl Iterator<Item = &'a Expr>, variables: &Variables) -> Result<bool, ()> {
    for part in parts {
        if !holds(part, variables)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn any<'a>(parts: impl Iterator<Item = &'a Expr>, variables: &Variables) -> Result<bool, ()> {
    for part in parts {
        if holds(part, variables)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn join(first: &Expr, links: &[Link], variables: &Variables) -> Outcome {
    let mut joined = Some(String::new());
    for (index, operand) in [first].into_iter().chain(links.iter().map(|link| &link.operand)).enumerate() {
        let piece = match eval(operand, variables)? {
            Some(Plain::Number(n)) => Some(Value::Number(n + 0.0).to_string()),
            Some(Plain::Text(text)) => Some(text),
            Some(Plain::Color(color)) => Some(color.to_string()),
            None => None,
        };
        joined = joined.zip(piece).map(|(joined, piece)| joined + &piece);
        if index > 0 && joined.as_ref().is_some_and(|joined| joined.len() > engine::formula::MAX_TEXT) {
            return Err(());
        }
    }
    Ok(joined.map(Plain::Text))
}

fn compare(a: &Expr, comparison: Comparison, b: &Expr, variables: &Variables) -> Outcome {
    let (left, right) = (eval(a, variables)?, eval(b, variables)?);
    if matches!(comparison, Comparison::Equal | Comparison::NotEqual)
        && (a.node == Node::Nil || b.node == Node::Nil)
    {
        return Ok(truth((left == right) == (comparison == Comparison::Equal)));
    }
    Ok(match (left, right) {
        (Some(Plain::Number(a)), Some(Plain::Number(b))) => truth(comparison.holds(a, b)),
        (Some(Plain::Text(a)), Some(Plain::Text(b))) => truth(comparison.holds(a, b)),
        (Some(a @ Plain::Color(_)), Some(b)) | (Some(a), Some(b @ Plain::Color(_))) => {
            truth((as_color(a) == as_color(b)) == (comparison == Comparison::Equal))
        }
        (None, _) | (_, None) => None,
        mixed => panic!("{mixed:?} got past the checker"),
    })
}

/// Operation by operation. One on no value has none; one on two values is infinite in an error alone.
fn arithmetic(first: &Expr, links: &[Link], variables: &Variables) -> Result<Option<f64>, ()> {
    let mut total = number(first, variables)?;
    for link in links {
        let operand = number(&link.operand, variables)?;
        total = match total.zip(operand) {
            None => None,
            Some((a, b)) => Some(finite(match link.operator {
                Operator::Add => a + b,
                Operator::Subtract => a - b,
                Operator::Multiply => a * b,
                Operator::Divide => a / b,
                Operator::Modulo => modulo(a, b),
                _ => (a / b).floor(),
            })?),
        };
    }
    Ok(total)
}

fn modulo(a: f64, b: f64) -> f64 {
    let rest = a % b;
    if rest != 0.0 && rest.is_sign_negative() != b.is_sign_negative() { rest + b } else { rest }
}

fn finite(n: f64) -> Result<f64, ()> {
    if n.is_finite() { Ok(n) } else { Err(()) }
}

fn call(call: &Call, variables: &Variables) -> Outcome {
    let arguments = call.arguments.as_slice();
    let numbers =
        || arguments.iter().map(|argument| number(argument, variables)).collect::<Result<Vec<_>, ()>>();
    let one = |f: fn(f64) -> f64| Ok(numbers()?[0].map(|x| Plain::Number(f(x))));
    match call.name.to_ascii_lowercase().as_str() {
        "if" => {
            let taken = eval(&arguments[if holds(&arguments[0], variables)? { 1 } else { 2 }], variables)?;
            Ok(if is_color(&arguments[1]) || is_color(&arguments[2]) {
                taken.map(as_plain_color)
            } else {
                taken
            })
        }
        "age" | "sum" | "stale" => Ok(variables.get(&call.name).cloned().flatten()),
        "and" => Ok(truth(all(arguments.iter(), variables)?)),
        "or" => Ok(truth(any(arguments.iter(), variables)?)),
        "not" => Ok(truth(!holds(&arguments[0], variables)?)),
        "coalesce" => {
            for argument in arguments {
                if let Some(value) = eval(argument, variables)? {
                    let color = arguments.iter().any(is_color);
                    return Ok(Some(if color { as_plain_color(value) } else { value }));
                }
            }
            Ok(None)
        }
        "abs" => one(f64::abs),
        "floor" => one(f64::floor),
        "ceil" => one(f64::ceil),
        "trunc" => one(f64::trunc),
        "round" if arguments.len() == 1 => one(|x| x.abs().round().copysign(x) + 0.0),
        "sign" => one(|x| if x == 0.0 { x } else { x.signum() }),
        "sqrt" => match numbers()?[0] {
            Some(x) if x < 0.0 => Err(()),
            x => Ok(x.map(|x| Plain::Number(x.sqrt()))),
        },
        "min" => Ok(least(&numbers()?, |a, b| a < b)),
        "max" => Ok(least(&numbers()?, |a, b| a > b)),
        "deg" => scale(numbers()?[0], 180.0, std::f64::consts::PI),
        "rad" => scale(numbers()?[0], std::f64::consts::PI, 180.0),
        name if TEXTUAL.contains(&name) => textual(name, arguments, variables),
        name @ ("rgb" | "hsl" | "mix" | "alpha") => colored(name, arguments, variables),
        name => numeric(name, &numbers()?),
    }
}

fn least(numbers: &[Option<f64>], better: fn(f64, f64) -> bool) -> Option<Plain> {
    let numbers: Option<Vec<f64>> = numbers.iter().copied().collect();
    numbers?.into_iter().reduce(|best, n| if better(n, best) { n } else { best }).map(Plain::Number)
}

fn scale(n: Option<f64>, factor: f64, divisor: f64) -> Outcome {
    n.map(|n| finite(n * factor / divisor).map(Plain::Number)).transpose()
}

fn numeric(name: &str, arguments: &[Option<f64>]) -> Outcome {
    let Some(arguments) = arguments.iter().copied().collect::<Option<Vec<f64>>>() else { return Ok(None) };
    let result = Function::named(name).and_then(|function| function.compute(&arguments)).unwrap();
    result.map(|n| Some(Plain::Number(n))).map_err(drop)
}

const TEXTUAL: [&str; 13] = [
    "fmt",
    "upper",
    "lower",
    "len",
    "trim",
    "contains",
    "starts_with",
    "ends_with",
    "replace",
    "substr",
    "pad",
    "number",
    "color",
];

/// The functions of texts: all but `fmt` in other words than the table's.
fn textual(name: &str, arguments: &[Expr], variables: &Variables) -> Outcome {
    let values =
        arguments.iter().map(|argument| eval(argument, variables)).collect::<Result<Vec<_>, ()>>()?;
    let Some(values) = values.into_iter().collect::<Option<Vec<Plain>>>() else { return Ok(None) };
    let text = |at: usize| match &values[at] {
        Plain::Text(text) => text.as_str(),
        other => panic!("{other:?} got past the checker"),
    };
    let chars = |at: usize| text(at).chars().collect::<Vec<char>>();
    let whole = |at: usize| match values[at] {
        Plain::Number(n) if n.fract() == 0.0 => Ok(n),
        _ => Err(()),
    };
    let result = match name {
        "fmt" => fmt(&values)?,
        "upper" => Plain::Text(text(0).chars().flat_map(char::to_uppercase).collect()),
        "lower" => Plain::Text(text(0).to_lowercase()),
        "len" => Plain::Number(chars(0).len() as f64),
        "trim" => Plain::Text(text(0).trim_start().trim_end().into()),
        "contains" => return Ok(truth(text(0).match_indices(text(1)).count() > 0)),
        "starts_with" => return Ok(truth(text(0).get(..text(1).len()) == Some(text(1)))),
        "ends_with" => return Ok(truth(text(0).strip_suffix(text(1)).is_some())),
        "replace" if text(1).is_empty() => return Err(()),
        "replace" => Plain::Text(text(0).replace(text(1), text(2))),
        "substr" => {
            let (all, first) = (chars(0), whole(1)?);
            let count = if values.len() == 3 { whole(2)? } else { f64::MAX };
            if first == 0.0 || count < 0.0 {
                return Err(());
            }
            let from = if first > 0.0 { first } else { (all.len() as f64 + first + 1.0).max(1.0) };
            let taken = (1..).zip(all).filter(|(n, _)| f64::from(*n) >= from && f64::from(*n) < from + count);
            Plain::Text(taken.map(|(_, c)| c).collect())
        }
        "pad" => {
            let (all, width) = (chars(0), whole(1)?);
            let fill = if values.len() == 3 { chars(2) } else { vec![' '] };
            if fill.len() != 1 || width.abs() > 200.0 {
                return Err(());
            }
            let missing = (width.abs() as usize).saturating_sub(all.len());
            let filling = fill[0].to_string().repeat(missing);
            Plain::Text(if width < 0.0 { filling + text(0) } else { text(0).to_string() + &filling })
        }
        "number" => Plain::Number(finite(text(0).trim().parse().map_err(drop)?)?),
        _ => Plain::Color(Color::parse(text(0).trim()).ok_or(())?),
    };
    match &result {
        Plain::Text(text) if text.len() > engine::formula::MAX_TEXT => Err(()),
        _ => Ok(Some(result)),
    }
}

fn fmt(values: &[Plain]) -> Result<Plain, ()> {
    let argument = |value: &'_ Plain| match value {
        Plain::Number(n) => Argument::Number(*n + 0.0),
        Plain::Color(color) => Argument::Color(*color),
        Plain::Text(_) => Argument::Text(""),
    };
    let mut arguments: Vec<Argument<'_>> = values.iter().map(argument).collect();
    for (argument, value) in arguments.iter_mut().zip(values) {
        if let Plain::Text(text) = value {
            *argument = Argument::Text(text);
        }
    }
    let mut out = String::new();
    match Function::named("fmt").and_then(|fmt| fmt.compute_text(&arguments, &mut out)) {
        Some(Ok(Output::Text)) => Ok(Plain::Text(out)),
        _ => Err(()),
    }
}

fn colored(name: &str, arguments: &[Expr], variables: &Variables) -> Outcome {
    let values =
        arguments.iter().map(|argument| eval(argument, variables)).collect::<Result<Vec<_>, ()>>()?;
    let Some(values) = values.into_iter().collect::<Option<Vec<Plain>>>() else { return Ok(None) };
    let byte = |n: f64| n.clamp(0.0, 255.0).round() as u8;
    let part = |at: usize| match values.get(at) {
        Some(Plain::Number(n)) => *n,
        _ => 1.0,
    };
    let alpha = |at: usize| byte(part(at).clamp(0.0, 1.0) * 255.0);
    let color = |at: usize| as_color(values[at].clone());
    Ok(Some(Plain::Color(match name {
        "rgb" => Color { r: byte(part(0)), g: byte(part(1)), b: byte(part(2)), a: alpha(3) },
        "mix" => color(0).mix(color(1), alpha(2)),
        "alpha" => color(0).with_alpha(alpha(1)),
        _ => {
            let numbers: Vec<f64> = (0..values.len()).map(part).collect();
            let packed =
                Function::named("hsl").and_then(|hsl| hsl.compute(&numbers)).unwrap().map_err(drop)?;
            Color::unpack(packed as u32)
        }
    })))
}

/// Whether an expression is a colour whatever the variables hold.
fn is_color(expr: &Expr) -> bool {
    match &expr.node {
        Node::Call(call) => match call.name.as_str() {
            "rgb" | "hsl" | "mix" | "alpha" | "color" => true,
            "if" => call.arguments[1..].iter().any(is_color),
            "coalesce" => call.arguments.iter().any(is_color),
            _ => false,
        },
        _ => false,
    }
}

fn as_color(value: Plain) -> Color {
    match value {
        Plain::Color(color) => color,
        Plain::Text(text) => Color::parse(text.trim()).unwrap(),
        number => panic!("{number:?} got past the checker"),
    }
}

fn as_plain_color(value: Plain) -> Plain {
    Plain::Color(as_color(value))
}
