//! Faults of made-up data: what goes wrong on purpose, to see that everything else goes on. Which sample a
//! fault strikes depends on the sample's number and the seed alone, so that a run can be repeated.

use alloc::string::{String, ToString};
use alloc::sync::Arc;
use core::time::Duration;

use crate::hash;
use crate::ring::intake::{SKEW_MS_MAX, TEXT_BYTES_MAX};
use crate::ring::keys::KEY_BYTES_MAX;
use crate::value::Value;

/// Something that goes wrong, and when.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fault {
    /// What goes wrong.
    pub kind: FaultKind,
    /// Before which samples.
    pub when: When,
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// The source ends with an error.
    Error,
    /// The source panics.
    Panic,
    /// The source hangs for so long, for ever without a time.
    Hang(Option<Duration>),
    /// Readings come at a high rate beside the usual ones.
    Flood {
        /// Readings a second; above 0.
        rate: u32,
        /// How long.
        span: Duration,
    },
    /// A reading comes that no display can use.
    Garbage,
}

/// Before which samples a fault strikes; the first one is sample 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum When {
    /// Before this one.
    At(u64),
    /// Before each whose number is a multiple of this, but not the first. Above 0.
    Every(u64),
    /// Before any, with this probability.
    Chance(f64),
}

impl When {
    /// Whether sample `n` is struck. `stream` tells the faults of all sources apart.
    pub fn strikes(self, n: u64, seed: u64, stream: u64) -> bool {
        match self {
            When::At(at) => n == at,
            When::Every(every) => n > 0 && n.is_multiple_of(every),
            When::Chance(probability) => hash::unit(seed, stream, n) < probability,
        }
    }
}

/// A value that the ring refuses: one of each reason there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Garbage {
    /// A number that is none.
    NotANumber,
    /// Above all numbers.
    Infinity,
    /// Below all numbers.
    NegativeInfinity,
    /// A text where numbers are.
    Text,
    /// One byte more than a text may have.
    LongText,
    /// A key without a name.
    EmptyKey,
    /// One byte more than a key may have.
    LongKey,
    /// A timestamp that is too far in the past.
    Past,
    /// A timestamp that is too far in the future.
    Future,
}

impl Garbage {
    /// Every kind.
    pub const ALL: [Garbage; 9] = [
        Garbage::NotANumber,
        Garbage::Infinity,
        Garbage::NegativeInfinity,
        Garbage::Text,
        Garbage::LongText,
        Garbage::EmptyKey,
        Garbage::LongKey,
        Garbage::Past,
        Garbage::Future,
    ];

    /// The kind that comes before sample `n`.
    pub fn chosen(n: u64, seed: u64, stream: u64) -> Garbage {
        let place = hash::unit(seed, !stream, n) * Garbage::ALL.len() as f64;
        Garbage::ALL[(place as usize).min(Garbage::ALL.len() - 1)]
    }

    /// How far its timestamp is from the engine's time, in milliseconds; 0 for none of its own.
    pub fn skew_ms(self) -> i64 {
        match self {
            Garbage::Past => -2 * SKEW_MS_MAX,
            Garbage::Future => 2 * SKEW_MS_MAX,
            _ => 0,
        }
    }

    /// Its key, where `key` is the one of the usual numbers, and its value.
    pub fn value(self, key: &Arc<str>) -> (Arc<str>, Value) {
        let long = |bytes: usize| -> String { "x".repeat(bytes) };
        match self {
            Garbage::NotANumber => (key.clone(), Value::Number(f64::NAN)),
            Garbage::Infinity => (key.clone(), Value::Number(f64::INFINITY)),
            Garbage::NegativeInfinity => (key.clone(), Value::Number(f64::NEG_INFINITY)),
            Garbage::Text => (key.clone(), Value::Text("garbage".to_string().into())),
            Garbage::LongText => (key.clone(), Value::Text(long(TEXT_BYTES_MAX + 1).into())),
            Garbage::EmptyKey => ("".into(), Value::Number(0.0)),
            Garbage::LongKey => (long(KEY_BYTES_MAX + 1).into(), Value::Number(0.0)),
            Garbage::Past | Garbage::Future => (key.clone(), Value::Number(0.0)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;
    use crate::formula::Kind;
    use crate::ring::intake::{Rejection, examine};

    fn struck(when: When) -> Vec<u64> {
        (0..1_000).filter(|n| when.strikes(*n, 7, 1)).collect()
    }

    #[test]
    fn faults_strike_when_they_are_due() {
        assert_eq!(struck(When::At(0)), [0]);
        assert_eq!(struck(When::At(5)), [5]);
        assert_eq!(struck(When::Every(300)), [300, 600, 900]);
        assert_eq!(struck(When::Every(1)).len(), 999);
        assert_eq!(struck(When::Chance(0.0)), [0u64; 0]);
        assert_eq!(struck(When::Chance(1.0)).len(), 1_000);
        let some = struck(When::Chance(0.1));
        assert!((70..130).contains(&some.len()), "{}", some.len());
        let others = (0..1_000).filter(|n| When::Chance(0.1).strikes(*n, 7, 2)).collect::<Vec<_>>();
        assert_ne!(some, others);
    }

    #[test]
    fn garbage_is_refused_for_every_reason() {
        let expected = [
            Rejection::NotFinite,
            Rejection::NotFinite,
            Rejection::NotFinite,
            Rejection::WrongKind,
            Rejection::TextTooLong,
            Rejection::KeyEmpty,
            Rejection::KeyTooLong,
            Rejection::Timestamp,
            Rejection::Timestamp,
        ];
        for (garbage, expected) in Garbage::ALL.into_iter().zip(expected) {
            let (key, value) = garbage.value(&"value".into());
            let found = examine(&key, &value, Some(Kind::Number), garbage.skew_ms());
            assert_eq!(found, Err(expected), "{garbage:?}");
        }
        let chosen: Vec<Garbage> = (0..1_000).map(|n| Garbage::chosen(n, 7, 1)).collect();
        assert!(Garbage::ALL.iter().all(|garbage| chosen.contains(garbage)));
    }
}
