//! What the generated code calls in Rust: functions that have to give the same bits everywhere, and texts.

use std::cell::{Cell, RefCell};
use std::fmt::Write;
use std::rc::Rc;
use std::sync::Arc;

use engine::formula::Kind;
use engine::formula::MAX_TEXT;
use engine::formula::functions::{Argument, FUNCTIONS, Fault, Function, Output};
use engine::formula::lower::{BLAME, COLOR, JOIN, ORDER, SCRIPT, TEXT, blame, text_trampoline, trampoline};
use engine::paint::Color;
use engine::value::Value;
use mlua::{Lua, LuaString, Variadic};

use super::scripting::Scripting;
use super::texts::Texts;
use crate::supervisor::panics;

/// Where a function that panicked leaves the panic's text. The generated code goes on with no value.
#[derive(Clone, Default)]
pub(super) struct Trap(Rc<Cell<Option<String>>>);

impl Trap {
    /// The text of the last panic, once.
    pub(super) fn take(&self) -> Option<String> {
        self.0.take()
    }

    fn guard(&self, work: impl FnOnce() -> f64) -> f64 {
        panics::catch(work).unwrap_or_else(|text| {
            self.0.set(Some(text));
            f64::NAN
        })
    }
}

/// Defines all of them as globals.
pub(super) fn register(
    lua: &Lua,
    texts: &Rc<RefCell<Texts>>,
    trap: &Trap,
    scripting: &Scripting,
) -> mlua::Result<()> {
    for function in &FUNCTIONS {
        for arguments in function.trampolines() {
            if function.is_textual() {
                for kinds in function.kinds(arguments) {
                    let name = text_trampoline(function.name, kinds.iter().copied());
                    lua.globals().set(name, textual(lua, function, kinds, texts.clone(), trap.clone())?)?;
                }
                continue;
            }
            let numeric = numeric(lua, function, arguments, trap.clone())?;
            lua.globals().set(trampoline(function.name, arguments), numeric)?;
        }
    }
    let (of, at) = (texts.clone(), trap.clone());
    let text = move |_: &Lua, n: f64| Ok(at.guard(|| text_of(&mut of.borrow_mut(), n)));
    lua.globals().set(TEXT, lua.create_function(text)?)?;
    let (of, at) = (texts.clone(), trap.clone());
    let color = move |_: &Lua, packed: f64| Ok(at.guard(|| text_of_color(&mut of.borrow_mut(), packed)));
    lua.globals().set(COLOR, lua.create_function(color)?)?;
    let blamed = |_: &Lua, (steps, overflow, operands): (LuaString, f64, Variadic<f64>)| {
        Ok(blame(&steps.as_bytes(), overflow, &operands))
    };
    lua.globals().set(BLAME, lua.create_function(blamed)?)?;
    let (of, at, scripts) = (texts.clone(), trap.clone(), scripting.clone());
    let script = move |_: &Lua, lanes: Variadic<f64>| Ok(at.guard(|| scripts.call(&of, &lanes)));
    lua.globals().set(SCRIPT, lua.create_function(script)?)?;
    let (of, at) = (texts.clone(), trap.clone());
    let both = move |_: &Lua, (a, b): (f64, f64)| Ok(at.guard(|| join(&mut of.borrow_mut(), a, b)));
    lua.globals().set(JOIN, lua.create_function(both)?)?;
    let (of, at) = (texts.clone(), trap.clone());
    let compared = move |_: &Lua, (a, b): (f64, f64)| Ok(at.guard(|| order(&of.borrow(), a, b)));
    lua.globals().set(ORDER, lua.create_function(compared)?)
}

fn numeric(
    lua: &Lua,
    function: &'static Function,
    arguments: usize,
    trap: Trap,
) -> mlua::Result<mlua::Function> {
    let answer = move |arguments: &[f64]| Ok(trap.guard(|| answer(function, arguments)));
    match arguments {
        1 => lua.create_function(move |_, a: f64| answer(&[a])),
        2 => lua.create_function(move |_, (a, b): (f64, f64)| answer(&[a, b])),
        3 => lua.create_function(move |_, (a, b, c): (f64, f64, f64)| answer(&[a, b, c])),
        4 => lua.create_function(move |_, (a, b, c, d): (f64, f64, f64, f64)| answer(&[a, b, c, d])),
        _ => {
            lua.create_function(move |_, (a, b, c, d, e): (f64, f64, f64, f64, f64)| answer(&[a, b, c, d, e]))
        }
    }
}

/// A function that takes or returns texts, for arguments of these kinds.
fn textual(
    lua: &Lua,
    function: &'static Function,
    kinds: Vec<Kind>,
    texts: Rc<RefCell<Texts>>,
    trap: Trap,
) -> mlua::Result<mlua::Function> {
    let answer =
        move |lanes: &[f64]| Ok(trap.guard(|| answer_text(function, &kinds, lanes, &mut texts.borrow_mut())));
    lua.create_function(move |_, lanes: Variadic<f64>| answer(&lanes))
}

/// As [`answer`]; a negative infinity stands for a text that is too long.
fn answer_text(function: &Function, kinds: &[Kind], lanes: &[f64], texts: &mut Texts) -> f64 {
    if lanes.iter().any(|lane| lane.is_nan()) {
        return f64::NAN;
    }
    #[cfg(test)]
    fault(function);
    let held: Vec<Option<Arc<str>>> = lanes.iter().map(|lane| texts.get(*lane)).collect();
    let arguments: Vec<Argument<'_>> = (kinds.iter().zip(lanes).zip(&held))
        .map(|((kind, lane), text)| match kind {
            Kind::Number => Argument::Number(*lane + 0.0),
            Kind::Text => Argument::Text(text.as_deref().unwrap_or_default()),
            Kind::Color => Argument::Color(color(*lane)),
        })
        .collect();
    let mut result = None;
    let text = texts.with_scratch_if(|scratch| {
        result = function.compute_text(&arguments, scratch);
        result == Some(Ok(Output::Text))
    });
    match (result, text) {
        (Some(Ok(Output::Text)), Some(text)) => text,
        (Some(Ok(Output::Number(number))), _) => number,
        (Some(Err(Fault::TooLong)), _) => f64::NEG_INFINITY,
        _ => f64::INFINITY,
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "colours are whole numbers")]
pub(super) fn color(packed: f64) -> Color {
    Color::unpack(packed as u32)
}

/// NaN where an argument has no value, infinity outside the domain, negative infinity for an overflow.
fn answer(function: &Function, arguments: &[f64]) -> f64 {
    if arguments.iter().any(|argument| argument.is_nan()) {
        return f64::NAN;
    }
    #[cfg(test)]
    fault(function);
    match function.compute(arguments) {
        Some(Ok(result)) => result,
        Some(Err(Fault::Overflow)) => f64::NEG_INFINITY,
        Some(Err(_)) | None => f64::INFINITY,
    }
}

fn text_of(texts: &mut Texts, n: f64) -> f64 {
    if n.is_nan() {
        return f64::NAN;
    }
    texts.with_scratch(|scratch| {
        // Adding 0 makes 0 of -0. Writing to a string cannot fail.
        let _ = write!(scratch, "{}", Value::Number(n + 0.0));
    })
}

fn text_of_color(texts: &mut Texts, packed: f64) -> f64 {
    if packed.is_nan() {
        return f64::NAN;
    }
    texts.with_scratch(|scratch| {
        let _ = write!(scratch, "{}", color(packed));
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

#[cfg(test)]
std::thread_local! {
    /// The function that panics, for tests: a correct one never does.
    pub(super) static FAULTY: Cell<Option<&'static str>> = const { Cell::new(None) };
}

#[cfg(test)]
fn fault(function: &Function) {
    assert!(FAULTY.get() != Some(function.name), "a fault in {}", function.name);
}
