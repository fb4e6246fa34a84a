//! A plain interpreter of the tree as written, to hold the evaluator against. It shares nothing with the
//! checker, the lowering and the virtual machine but the parser and the table of functions.

use std::collections::BTreeMap;

use engine::formula::ast::{Call, Comparison, Expr, Link, Node, Operator};
use engine::formula::functions::Function;
use engine::tick::Fps;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Plain {
    Number(f64),
    Text(String),
}

/// An error, no value, or a value.
pub(super) type Outcome = Result<Option<Plain>, ()>;

pub(super) type Variables = BTreeMap<String, Option<Plain>>;

/// The result as a formula has it: no -0.
pub(super) fn result(expr: &Expr, variables: &Variables) -> Outcome {
    Ok(eval(expr, variables)?.map(|value| match value {
        Plain::Number(n) => Plain::Number(n + 0.0),
        text => text,
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
        Some(Plain::Text(text)) => panic!("{text:?} got past the checker"),
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
            Some(Plain::Number(n)) => Some((n + 0.0).to_string()),
            Some(Plain::Text(text)) => Some(text),
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
        (None, _) | (_, None) => None,
        mixed => panic!("{mixed:?} got past the checker"),
    })
}

/// Sums and products without a value in them have none; else nothing may be infinite on the way.
fn arithmetic(first: &Expr, links: &[Link], variables: &Variables) -> Result<Option<f64>, ()> {
    let mut nil = false;
    let total = raw(first, links, variables, &mut nil)?;
    close(total, nil)
}

fn close(total: f64, nil: bool) -> Result<Option<f64>, ()> {
    match total {
        _ if total.is_finite() => Ok(Some(total)),
        _ if nil => Ok(None),
        _ => Err(()),
    }
}

fn raw(first: &Expr, links: &[Link], variables: &Variables, nil: &mut bool) -> Result<f64, ()> {
    let mut total = operand(first, variables, nil)?;
    for link in links {
        total = match link.operator {
            Operator::Add => total + operand(&link.operand, variables, nil)?,
            Operator::Subtract => total - operand(&link.operand, variables, nil)?,
            Operator::Multiply => total * operand(&link.operand, variables, nil)?,
            Operator::Divide => total / leaf(&link.operand, variables, nil)?,
            floored => {
                let left = close(total, *nil)?;
                let right = number(&link.operand, variables)?;
                *nil = left.is_none() || right.is_none();
                match left.zip(right) {
                    None => f64::NAN,
                    Some((_, 0.0)) => return Err(()),
                    Some((a, b)) if floored == Operator::Modulo => {
                        let rest = a % b;
                        if rest != 0.0 && rest.is_sign_negative() != b.is_sign_negative() {
                            rest + b
                        } else {
                            rest
                        }
                    }
                    Some((a, b)) => close((a / b).floor(), false)?.unwrap(),
                }
            }
        };
    }
    Ok(total)
}

/// An operand that is a sum or product of its own is computed as if it had no parentheses' border.
fn operand(expr: &Expr, variables: &Variables, nil: &mut bool) -> Result<f64, ()> {
    match &expr.node {
        Node::Plus(inner) => operand(inner, variables, nil),
        Node::Chain(first, links)
            if links.iter().all(|link| {
                "+-*/".contains(link.operator.symbol()) && link.operator != Operator::FloorDivide
            }) =>
        {
            raw(first, links, variables, nil)
        }
        _ => leaf(expr, variables, nil),
    }
}

fn leaf(expr: &Expr, variables: &Variables, nil: &mut bool) -> Result<f64, ()> {
    let value = number(expr, variables)?;
    *nil |= value.is_none();
    Ok(value.unwrap_or(f64::NAN))
}

fn call(call: &Call, variables: &Variables) -> Outcome {
    let arguments = call.arguments.as_slice();
    let numbers =
        || arguments.iter().map(|argument| number(argument, variables)).collect::<Result<Vec<_>, ()>>();
    let one = |f: fn(f64) -> f64| Ok(numbers()?[0].map(|x| Plain::Number(f(x))));
    match call.name.to_ascii_lowercase().as_str() {
        "if" => eval(&arguments[if holds(&arguments[0], variables)? { 1 } else { 2 }], variables),
        "and" => Ok(truth(all(arguments.iter(), variables)?)),
        "or" => Ok(truth(any(arguments.iter(), variables)?)),
        "not" => Ok(truth(!holds(&arguments[0], variables)?)),
        "coalesce" => {
            for argument in arguments {
                if let Some(value) = eval(argument, variables)? {
                    return Ok(Some(value));
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
        name => numeric(name, &numbers()?),
    }
}

fn least(numbers: &[Option<f64>], better: fn(f64, f64) -> bool) -> Option<Plain> {
    let numbers: Option<Vec<f64>> = numbers.iter().copied().collect();
    numbers?.into_iter().reduce(|best, n| if better(n, best) { n } else { best }).map(Plain::Number)
}

fn scale(n: Option<f64>, factor: f64, divisor: f64) -> Outcome {
    Ok(close(n.unwrap_or(f64::NAN) * factor / divisor, n.is_none())?.map(Plain::Number))
}

fn numeric(name: &str, arguments: &[Option<f64>]) -> Outcome {
    let Some(arguments) = arguments.iter().copied().collect::<Option<Vec<f64>>>() else { return Ok(None) };
    let result = Function::named(name).and_then(|function| function.compute(&arguments)).unwrap();
    result.map(|n| Some(Plain::Number(n))).map_err(drop)
}
