//! Signals: words from outside the panel, each with a few facts. They are sealed at a tick like data.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::ring::intake::TEXT_BYTES_MAX;
use crate::value::Value;

/// The longest name of a signal, and of one of its facts, in bytes.
pub const NAME_BYTES_MAX: usize = 64;

/// The most facts of one signal.
pub const FACTS_MAX: usize = 16;

/// The most signals that a tick takes.
pub const PER_TICK_MAX: usize = 64;

/// What a script's handler does to the panel. It comes as a signal with a name that no other can have.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Act<'a> {
    /// Gives the key `script.NAME` a value.
    Set(&'a str, &'a Value),
    /// Starts an animation.
    Start(&'a str),
    /// Stops an animation.
    Stop(&'a str),
}

const SET: &str = "script.set";
const START: &str = "script.start";
const STOP: &str = "script.stop";

/// The fact that names what is started or stopped.
const ANIMATION: &str = "animation";

/// A signal within all limits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked", into = "Unchecked")]
pub struct Signal {
    name: Arc<str>,
    facts: BTreeMap<String, Value>,
}

/// A signal before it is checked.
#[derive(Serialize, Deserialize)]
struct Unchecked(Arc<str>, BTreeMap<String, Value>);

/// Why something is no signal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Its name, or a fact's, is no name.
    #[error(
        "`{0}` is no name: names consist of at most {NAME_BYTES_MAX} letters (a to z), digits, `_` and `-`, and begin with a letter or `_`"
    )]
    Name(String),
    /// More than [`FACTS_MAX`] facts.
    #[error("a signal has at most {FACTS_MAX} facts, not {0}")]
    Facts(usize),
    /// A number that is infinite or not a number.
    #[error("`{0}` is not a finite number")]
    NotFinite(String),
    /// A text above [`TEXT_BYTES_MAX`].
    #[error("the text of `{0}` is longer than {TEXT_BYTES_MAX} bytes")]
    TextTooLong(String),
}

impl Signal {
    /// A signal called `name` with these facts.
    ///
    /// ```
    /// use engine::signal::Signal;
    /// assert!(Signal::new("door-open", [("hall".into(), 1.0.into())].into()).is_ok());
    /// assert!(Signal::new("door open", Default::default()).is_err());
    /// ```
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn new(name: &str, facts: BTreeMap<String, Value>) -> Result<Signal, Problem> {
        check_name(name)?;
        Signal::sealed(name, facts)
    }

    /// The same for one that was sealed before, which may be what a script's handler does.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn sealed(name: &str, facts: BTreeMap<String, Value>) -> Result<Signal, Problem> {
        if !matches!(name, SET | START | STOP) {
            check_name(name)?;
        }
        if facts.len() > FACTS_MAX {
            return Err(Problem::Facts(facts.len()));
        }
        facts.keys().try_for_each(|name| check_name(name))?;
        for (name, value) in &facts {
            match value {
                Value::Number(number) if !number.is_finite() => {
                    return Err(Problem::NotFinite(name.clone()));
                }
                Value::Text(text) if text.len() > TEXT_BYTES_MAX => {
                    return Err(Problem::TextTooLong(name.clone()));
                }
                _ => {}
            }
        }
        Ok(Signal { name: name.into(), facts })
    }

    /// What a script's handler does, as a signal.
    ///
    /// ```
    /// use engine::signal::{Act, Signal};
    /// let signal = Signal::acting(Act::Start("blink")).unwrap();
    /// assert_eq!(signal.act(), Some(Act::Start("blink")));
    /// assert!(Signal::new(signal.name(), signal.facts().clone()).is_err(), "nobody else can do it");
    /// ```
    ///
    /// # Errors
    /// What is wrong with its name or value.
    pub fn acting(act: Act<'_>) -> Result<Signal, Problem> {
        let (name, fact, value) = match act {
            Act::Set(key, value) => (SET, key, value.clone()),
            Act::Start(animation) => (START, ANIMATION, animation.into()),
            Act::Stop(animation) => (STOP, ANIMATION, animation.into()),
        };
        Signal::sealed(name, [(fact.into(), value)].into())
    }

    /// What a script's handler does with it, if it comes from one.
    pub fn act(&self) -> Option<Act<'_>> {
        let (fact, value) = self.facts.first_key_value()?;
        match (&*self.name, value) {
            (SET, value) => Some(Act::Set(fact, value)),
            (START, Value::Text(animation)) => Some(Act::Start(animation)),
            (STOP, Value::Text(animation)) => Some(Act::Stop(animation)),
            _ => None,
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What else is known, by name.
    pub fn facts(&self) -> &BTreeMap<String, Value> {
        &self.facts
    }
}

fn check_name(name: &str) -> Result<(), Problem> {
    if is_name(name) { Ok(()) } else { Err(Problem::Name(name.chars().take(NAME_BYTES_MAX).collect())) }
}

fn is_name(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    let begins = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    begins && text.len() <= NAME_BYTES_MAX && text.bytes().all(fits)
}

impl TryFrom<Unchecked> for Signal {
    type Error = Problem;
    fn try_from(Unchecked(name, facts): Unchecked) -> Result<Signal, Problem> {
        Signal::sealed(&name, facts)
    }
}

impl From<Signal> for Unchecked {
    fn from(signal: Signal) -> Unchecked {
        Unchecked(signal.name, signal.facts)
    }
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use super::*;

    fn check(name: &str, facts: &[(&str, Value)], expected: Result<(), Problem>) {
        let facts = facts.iter().map(|(name, value)| (name.to_string(), value.clone())).collect();
        assert_eq!(Signal::new(name, facts).map(drop), expected, "{name:.70}");
    }

    #[test]
    fn limits_are_kept() {
        let name = |text: &str| Err(Problem::Name(text.to_string()));
        check("a", &[], Ok(()));
        check("Door-open_2", &[], Ok(()));
        check("", &[], name(""));
        check("a b", &[], name("a b"));
        check("tür", &[], name("tür"));
        check("2a", &[], name("2a"));
        check("-a", &[], name("-a"));
        let long = "x".repeat(NAME_BYTES_MAX + 1);
        check(&long[1..], &[], Ok(()));
        check(&long, &[], name(&long[1..]));
        check("a", &[("", 1.0.into())], name(""));
        let text = "x".repeat(TEXT_BYTES_MAX + 1);
        check("a", &[("t", text[1..].into())], Ok(()));
        check("a", &[("t", text.as_str().into())], Err(Problem::TextTooLong("t".to_string())));
        check("a", &[("n", f64::INFINITY.into())], Err(Problem::NotFinite("n".to_string())));
        for (count, expected) in [(FACTS_MAX, Ok(())), (FACTS_MAX + 1, Err(Problem::Facts(FACTS_MAX + 1)))] {
            let facts = (0..count).map(|n| (std::format!("n{n}"), Value::Bool(true))).collect();
            assert_eq!(Signal::new("a", facts).map(drop), expected);
        }
    }
}
