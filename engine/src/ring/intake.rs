//! The intake: what happens to data between its arrival and the seal of a tick. Readings are checked and
//! appended to the ring as they come; at a tick everything that came since is sealed, in the order of its
//! arrival, together with the states of the sources.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::formula::Kind;
use crate::ring::keys::{KEY_BYTES_MAX, KeyError, Keys};
use crate::ring::{Cursor, Limits, Ring};
use crate::sample::{KeyId, Reading, Sample, SourceId, SourceState};
use crate::script::{Ended, Script};
use crate::signal::{self, Signal};
use crate::tick::{Fps, Tick};
use crate::value::Value;

/// The longest text that a sample may hold, in bytes.
pub const TEXT_BYTES_MAX: usize = 4_096;

/// How far a timestamp may lie from the engine's time, in milliseconds: one day.
pub const SKEW_MS_MAX: i64 = 86_400_000;

/// The inputs of one tick. With the tick before them they determine everything that follows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sealed {
    /// The tick.
    pub tick: Tick,
    /// The engine's time: Unix time in milliseconds.
    pub now_ms: i64,
    /// Keys that appeared since the last seal, with their full names.
    pub new_keys: Arc<[(KeyId, Arc<str>)]>,
    /// The samples that arrived since the last seal, in the order of their arrival.
    pub samples: Arc<[Sample]>,
    /// Sources whose state is another one than at the last seal.
    pub states: Arc<[(SourceId, SourceState)]>,
    /// Signals that came since the last seal, in the order of their coming.
    pub signals: Arc<[Signal]>,
    /// Actors that were started anew since the last seal, in this order.
    pub restarts: Arc<[Restarted]>,
    /// Scripts whose text is another one from this tick on.
    pub scripts: Arc<[Script]>,
    /// Calls of scripts that end at this tick as the clock once ended them, in a run that is shown again.
    pub ended: Arc<[Ended]>,
    /// Milliseconds by which the clock was set forward (or back, below 0) at this tick; 0 nearly always.
    pub rebased_ms: i64,
}

/// An actor failed and is started anew.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Restarted {
    /// The actor's name.
    pub actor: Arc<str>,
    /// How it ended: `normal`, `error`, `panic` or `hang`.
    pub cause: Arc<str>,
    /// How often it was started anew so far, this time included.
    pub restarts: u64,
}

/// Why a value was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rejection {
    /// A number that is infinite or not a number.
    NotFinite,
    /// A text above [`TEXT_BYTES_MAX`].
    TextTooLong,
    /// A key without a name.
    KeyEmpty,
    /// A key above [`crate::ring::keys::KEY_BYTES_MAX`].
    KeyTooLong,
    /// One key more than the limit allows.
    TooManyKeys,
    /// A text where a number is declared, or the reverse.
    WrongKind,
    /// A timestamp further than [`SKEW_MS_MAX`] from the engine's time.
    Timestamp,
    /// Input that the source itself could not read; counted there.
    Malformed,
}

impl Rejection {
    /// Every reason, in the order of [`SourceStatus::rejected`].
    pub const ALL: [Rejection; 8] = [
        Rejection::NotFinite,
        Rejection::TextTooLong,
        Rejection::KeyEmpty,
        Rejection::KeyTooLong,
        Rejection::TooManyKeys,
        Rejection::WrongKind,
        Rejection::Timestamp,
        Rejection::Malformed,
    ];

    /// The word for it in metrics and messages.
    pub fn name(self) -> &'static str {
        match self {
            Rejection::NotFinite => "not_finite",
            Rejection::TextTooLong => "text_too_long",
            Rejection::KeyEmpty => "key_empty",
            Rejection::KeyTooLong => "key_too_long",
            Rejection::TooManyKeys => "too_many_keys",
            Rejection::WrongKind => "wrong_kind",
            Rejection::Timestamp => "timestamp",
            Rejection::Malformed => "malformed",
        }
    }
}

/// What the intake knows of a source.
#[derive(Clone, Debug, Default)]
pub struct SourceStatus {
    /// How it is doing.
    pub state: SourceState,
    /// Values that reached the ring.
    pub samples: u64,
    /// Values refused, by reason.
    pub rejected: [u64; Rejection::ALL.len()],
    sealed_state: SourceState,
    stale_after: Option<u64>,
    /// When the newest values were, or will be, sealed.
    newest: Tick,
    /// The number after that of the newest value.
    next_sequence: u64,
}

/// A source, as the intake has to know it.
#[derive(Clone, Debug)]
pub struct SourceSpec {
    /// Its name.
    pub name: String,
    /// Ticks of silence after which it is stale; `None` never.
    pub stale_after: Option<u64>,
}

/// How much a ring takes before what nobody has seen yet is overwritten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// In samples.
    pub samples: usize,
    /// In bytes, texts included.
    pub bytes: u64,
    /// Whether nothing waits for the next seal.
    pub is_whole: bool,
}

impl Room {
    /// Whether all of `reading` has room. One that is larger than the whole ring is let in alone.
    pub fn fits(self, reading: &Reading) -> bool {
        self.is_whole || (reading.values.len() <= self.samples && Ring::bytes_for(reading) <= self.bytes)
    }

    /// What is left of it when `reading` is in.
    pub fn without(self, reading: &Reading) -> Room {
        Room {
            samples: self.samples.saturating_sub(reading.values.len()),
            bytes: self.bytes.saturating_sub(Ring::bytes_for(reading)),
            is_whole: false,
        }
    }
}

/// The ring, its keys and the states of its sources.
#[derive(Clone, Debug)]
pub struct Intake {
    ring: Ring,
    keys: Keys,
    sources: Vec<SourceStatus>,
    /// Those that wait for the next seal.
    signals: Vec<Signal>,
    cursor: Cursor,
    keys_sealed: usize,
    fps: Fps,
    /// Bytes pushed into the ring up to the last seal.
    pushed_sealed: u64,
    /// Whether states are only told and never derived, as when a recording is replayed that has them all.
    states_told: bool,
    /// Restarts that wait to be sealed.
    restarts: Vec<Restarted>,
    /// Texts of scripts that wait to be sealed.
    scripts: Vec<Script>,
    /// Ends of calls that wait to be sealed.
    ended: Vec<Ended>,
    /// Unix time in milliseconds at tick 0.
    start_ms: i64,
    next: Tick,
    none: Nothing,
}

/// Shared empty lists, so that a tick without data allocates none.
#[derive(Clone, Debug, Default)]
struct Nothing {
    keys: Arc<[(KeyId, Arc<str>)]>,
    samples: Arc<[Sample]>,
    states: Arc<[(SourceId, SourceState)]>,
    signals: Arc<[Signal]>,
    restarts: Arc<[Restarted]>,
    scripts: Arc<[Script]>,
    ended: Arc<[Ended]>,
}

impl Intake {
    /// An empty intake that begins with tick 0 at Unix time `start_ms`. A declared key at index `i` of
    /// `declared` becomes `KeyId(i)`.
    ///
    /// # Errors
    /// The index of the first declared key that cannot be interned, and why.
    pub fn new(
        sources: &[SourceSpec],
        declared: &[(SourceId, String, Kind)],
        limits: Limits,
        fps: Fps,
        start_ms: i64,
    ) -> Result<Intake, (usize, KeyError)> {
        let names = sources.iter().map(|source| source.name.clone()).collect();
        let mut keys = Keys::new(names, limits.keys.max(declared.len()));
        for (index, (source, key, kind)) in declared.iter().enumerate() {
            keys.declare(*source, key, *kind).map_err(|error| (index, error))?;
        }
        let sources = sources
            .iter()
            .map(|source| SourceStatus { stale_after: source.stale_after, ..SourceStatus::default() })
            .collect();
        let none = Nothing::default();
        let ring = Ring::new(limits);
        let (cursor, next) = (Cursor::default(), Tick(0));
        let (keys_sealed, pushed_sealed, states_told) = (0, 0, false);
        Ok(Intake {
            ring,
            keys,
            sources,
            signals: Vec::new(),
            cursor,
            keys_sealed,
            fps,
            pushed_sealed,
            states_told,
            restarts: Vec::new(),
            scripts: Vec::new(),
            ended: Vec::new(),
            start_ms,
            next,
            none,
        })
    }

    /// From now on sources have the states that are [reported](Intake::report), whatever arrives: for the
    /// replay of a recording, which has every change of a state.
    pub fn only_told_states(&mut self) {
        self.states_told = true;
    }

    /// How much more the ring takes before the next seal. What is accepted beyond that overwrites what
    /// nobody has seen yet.
    pub fn room(&self) -> Room {
        let bytes = self.ring.pushed_bytes() - self.pushed_sealed;
        let unread = self.ring.unread(&self.cursor);
        Room {
            samples: self.ring.capacity().saturating_sub(unread),
            bytes: (self.ring.bytes_max() as u64).saturating_sub(bytes),
            is_whole: unread == 0,
        }
    }

    /// Takes the values of a reading into the ring. Each is checked by itself: a refused one is counted
    /// and the others go on. A reading makes its source live.
    pub fn accept(&mut self, reading: &Reading) {
        let Some(status) = self.sources.get_mut(usize::from(reading.source.0)) else { return };
        let now_ms = now_ms(self.start_ms, self.fps, self.next);
        let timestamp_ms = reading.timestamp_ms.unwrap_or(now_ms);
        if !self.states_told {
            status.state = SourceState::Live;
        }
        status.newest = self.next;
        status.next_sequence = reading.sequence.saturating_add(reading.values.len() as u64);
        for (sequence, (key, value)) in (reading.sequence..).zip(&reading.values) {
            let checked =
                check(&mut self.keys, reading.source, key, value, timestamp_ms.saturating_sub(now_ms));
            match checked {
                Err(reason) => status.rejected[reason as usize] += 1,
                Ok(key) => {
                    status.samples += 1;
                    let value = value.clone();
                    self.ring.push(Sample { source: reading.source, key, value, timestamp_ms, sequence });
                }
            }
        }
    }

    /// Takes note of what a supervisor says of a source. `sequence` is the number that the source's next
    /// value had at that time: where values from after that were accepted already, the source has been
    /// started anew since, and they speak for themselves.
    pub fn report(&mut self, source: SourceId, state: SourceState, sequence: u64) {
        let status = self.sources.get_mut(usize::from(source.0));
        if let Some(status) = status.filter(|status| status.next_sequence <= sequence) {
            status.state = state;
        }
    }

    /// Takes a signal for the next tick. It is refused where that has [`signal::PER_TICK_MAX`] already.
    pub fn signal(&mut self, signal: Signal) -> bool {
        let has_room = self.signals.len() < signal::PER_TICK_MAX;
        self.signals.extend(has_room.then_some(signal));
        has_room
    }

    /// Takes note of an actor that was started anew.
    pub fn restarted(&mut self, restarted: Restarted) {
        self.restarts.push(restarted);
    }

    /// Takes a new text of a script, for the next tick.
    pub fn reload(&mut self, script: Script) {
        self.scripts.retain(|waiting| waiting.file != script.file);
        self.scripts.push(script);
    }

    /// Takes note of a call that is to end at the next tick as the clock once ended it.
    pub fn end(&mut self, ended: Ended) {
        self.ended.push(ended);
    }

    /// Seals everything that arrived since the last seal for the next tick, after setting the clock
    /// forward by `rebase_ms` (back, where that is below 0). Returns the inputs and how many samples were overwritten before they could
    /// be sealed.
    pub fn seal(&mut self, rebase_ms: i64) -> (Sealed, u64) {
        let tick = self.next;
        self.next = tick.next();
        self.start_ms = self.start_ms.saturating_add(rebase_ms);
        let (missed, unread) = self.ring.read(&mut self.cursor);
        let samples = collect(unread.cloned(), &self.none.samples);
        let states = changed_states(&mut self.sources, tick, !self.states_told);
        let states = collect(states, &self.none.states);
        self.pushed_sealed = self.ring.pushed_bytes();
        let signals = collect(self.signals.drain(..), &self.none.signals);
        let new_keys = self.keys.all().iter().enumerate().skip(self.keys_sealed);
        let new_keys = new_keys.map(|(id, key)| (KeyId(id as u32), key.name.clone()));
        let new_keys = collect(new_keys, &self.none.keys);
        self.keys_sealed = self.keys.all().len();
        let restarts = collect(self.restarts.drain(..), &self.none.restarts);
        let scripts = collect(self.scripts.drain(..), &self.none.scripts);
        let ended = collect(self.ended.drain(..), &self.none.ended);
        let now_ms = now_ms(self.start_ms, self.fps, tick);
        let rebased_ms = rebase_ms;
        let sealed =
            Sealed { tick, now_ms, new_keys, samples, states, signals, restarts, scripts, ended, rebased_ms };
        (sealed, missed)
    }

    /// The tick that the next seal is for.
    pub fn next_tick(&self) -> Tick {
        self.next
    }

    /// The ring itself.
    pub fn ring(&self) -> &Ring {
        &self.ring
    }

    /// The table of keys.
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// How many samples of each source were overwritten so far, by [`SourceId`].
    pub fn overwritten(&self) -> Vec<u64> {
        let mut totals = vec![0; self.sources.len()];
        for (id, key) in (0..).zip(self.keys.all()) {
            if let Some(total) = totals.get_mut(usize::from(key.source.0)) {
                *total += self.ring.overwritten(KeyId(id));
            }
        }
        totals
    }

    /// The sources, by [`SourceId`].
    pub fn sources(&self) -> &[SourceStatus] {
        &self.sources
    }
}

/// The engine's time at a tick: Unix time in milliseconds.
fn now_ms(start_ms: i64, fps: Fps, tick: Tick) -> i64 {
    start_ms.saturating_add_unsigned(fps.millis_at(tick))
}

/// What is wrong with a value, as far as it shows without the table of keys: everything but
/// [`Rejection::TooManyKeys`]. `kind` is what the key is declared to hold, `skew_ms` how far the timestamp
/// lies from the engine's time.
///
/// # Errors
/// The first reason for which the intake would refuse it.
pub fn examine(key: &str, value: &Value, kind: Option<Kind>, skew_ms: i64) -> Result<(), Rejection> {
    let is_text = matches!(value, Value::Text(_));
    match value {
        Value::Number(number) if !number.is_finite() => Err(Rejection::NotFinite),
        Value::Text(text) if text.len() > TEXT_BYTES_MAX => Err(Rejection::TextTooLong),
        _ if skew_ms.unsigned_abs() > SKEW_MS_MAX.unsigned_abs() => Err(Rejection::Timestamp),
        _ if key.is_empty() => Err(Rejection::KeyEmpty),
        _ if key.len() > KEY_BYTES_MAX => Err(Rejection::KeyTooLong),
        _ if kind.is_some_and(|kind| (kind == Kind::Text) != is_text) => Err(Rejection::WrongKind),
        _ => Ok(()),
    }
}

fn check(
    keys: &mut Keys,
    source: SourceId,
    key: &str,
    value: &Value,
    skew_ms: i64,
) -> Result<KeyId, Rejection> {
    let known = keys.find(source, key);
    let kind = known.and_then(|id| keys.get(id)).and_then(|key| key.kind);
    examine(key, value, kind, skew_ms)?;
    match known {
        Some(id) => Ok(id),
        None => keys.intern(source, key).map_err(|error| match error {
            KeyError::Empty => Rejection::KeyEmpty,
            KeyError::TooLong => Rejection::KeyTooLong,
            KeyError::TooMany => Rejection::TooManyKeys,
        }),
    }
}

/// Finds sources that have been silent for too long, then all whose state is new.
fn changed_states(
    sources: &mut [SourceStatus],
    tick: Tick,
    go_stale: bool,
) -> impl Iterator<Item = (SourceId, SourceState)> {
    sources.iter_mut().zip(0..).filter_map(move |(status, id)| {
        let silent = status.stale_after.is_some_and(|ticks| tick.since(status.newest) > ticks);
        if go_stale && status.state == SourceState::Live && silent {
            status.state = SourceState::Stale;
        }
        let changed = status.state != status.sealed_state;
        status.sealed_state = status.state;
        changed.then_some((SourceId(id), status.state))
    })
}

fn collect<T>(items: impl Iterator<Item = T>, none: &Arc<[T]>) -> Arc<[T]> {
    let mut items = items.peekable();
    if items.peek().is_none() { none.clone() } else { items.collect() }
}

#[cfg(test)]
mod tests;
