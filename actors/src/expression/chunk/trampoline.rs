//! What the generated code calls in Rust: functions that have to give the same bits everywhere, and texts.

use std::cell::RefCell;
use std::fmt::Write;
use std::rc::Rc;

use engine::formula::MAX_TEXT;
use engine::formula::functions::{FUNCTIONS, Fault, Function};
use engine::formula::lower::{JOIN, ORDER, TEXT, trampoline};
use mlua::Lua;

use super::texts::Texts;

/// Defines all of them as globals.
pub(super) fn register(lua: &Lua, texts: &Rc<RefCell<Texts>>) -> mlua::Result<()> {
    for function in &FUNCTIONS {
        for arguments in function.trampolines() {
            lua.globals().set(trampoline(function.name, arguments), numeric(lua, function, arguments)?)?;
        }
    }
    let of = texts.clone();
    lua.globals().set(TEXT, lua.create_function(move |_, n: f64| Ok(text_of(&mut of.borrow_mut(), n)))?)?;
    let of = texts.clone();
    lua.globals()
        .set(JOIN, lua.create_function(move |_, (a, b): (f64, f64)| Ok(join(&mut of.borrow_mut(), a, b)))?)?;
    let of = texts.clone();
    lua.globals().set(ORDER, lua.create_function(move |_, (a, b): (f64, f64)| Ok(order(&of.borrow(), a, b)))?)
}

fn numeric(lua: &Lua, function: &'static Function, arguments: usize) -> mlua::Result<mlua::Function> {
    match arguments {
        1 => lua.create_function(|_, a: f64| Ok(answer(function, &[a]))),
        2 => lua.create_function(|_, (a, b): (f64, f64)| Ok(answer(function, &[a, b]))),
        3 => lua.create_function(|_, (a, b, c): (f64, f64, f64)| Ok(answer(function, &[a, b, c]))),
        4 => lua.create_function(|_, (a, b, c, d): (f64, f64, f64, f64)| Ok(answer(function, &[a, b, c, d]))),
        _ => lua.create_function(|_, (a, b, c, d, e): (f64, f64, f64, f64, f64)| {
            Ok(answer(function, &[a, b, c, d, e]))
        }),
    }
}

/// NaN where an argument has no value, infinity outside the domain, negative infinity for an overflow.
fn answer(function: &Function, arguments: &[f64]) -> f64 {
    if arguments.iter().any(|argument| argument.is_nan()) {
        return f64::NAN;
    }
    match function.compute(arguments) {
        Some(Ok(result)) => result,
        Some(Err(Fault::Overflow)) => f64::NEG_INFINITY,
        Some(Err(Fault::Domain)) | None => f64::INFINITY,
    }
}

fn text_of(texts: &mut Texts, n: f64) -> f64 {
    if n.is_nan() {
        return f64::NAN;
    }
    texts.with_scratch(|scratch| {
        // Adding 0 makes 0 of -0. Writing to a string cannot fail.
        let _ = write!(scratch, "{}", n + 0.0);
    })
}

fn join(texts: &mut Texts, a: f64, b: f64) -> f64 {
    let (Some(a), Some(b)) = (texts.get(a), texts.get(b)) else { return f64::NAN };
    if a.len() + b.len() > MAX_TEXT {
        return -1.0;
    }
    texts.with_scratch(|scratch| {
        scratch.push_str(&a);
        scratch.push_str(&b);
    })
}

fn order(texts: &Texts, a: f64, b: f64) -> f64 {
    match (texts.get(a), texts.get(b)) {
        (Some(a), Some(b)) => f64::from(a.cmp(&b) as i8),
        _ => f64::NAN,
    }
}
