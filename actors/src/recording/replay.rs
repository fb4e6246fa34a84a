//! Replay: gives a recording's inputs back, tick by tick.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use engine::ring::intake::Restarted;
use engine::sample::{Reading, SourceId, SourceState};
use engine::script::{Ended, Script};
use engine::signal::Signal;
use engine::tick::Tick;

use super::{Inputs, RecordedSample, Recording};

/// Samples from before a run, by the full name of their key: Unix time in milliseconds and number, the oldest
/// first.
pub type Past = BTreeMap<String, Vec<(i64, f64)>>;

/// Plays a recording's inputs back, tick by tick. Clones share the recording.
#[derive(Clone, Debug)]
pub struct Replay {
    /// Ascending by tick.
    inputs: Arc<[Inputs]>,
    sources: BTreeMap<String, SourceId>,
}

/// The inputs of one tick as the intake takes them.
#[derive(Debug, Default)]
pub struct Replayed {
    /// What arrived.
    pub readings: Vec<Reading>,
    /// What was said of sources.
    pub states: Vec<(SourceId, SourceState)>,
    /// Signals that came.
    pub signals: Vec<Signal>,
    /// Actors that were started anew.
    pub restarts: Vec<Restarted>,
    /// New texts of scripts.
    pub scripts: Vec<Script>,
    /// Calls of scripts that the clock ended.
    pub ended: Vec<Ended>,
    /// Milliseconds by which the clock was set forward, or back below 0.
    pub rebased_ms: i64,
}

impl Replay {
    /// A replay for a panel with these sources. What others sent is left out, with one warning that names
    /// them all.
    pub fn new(recording: Recording, sources: impl IntoIterator<Item = String>) -> Replay {
        let sources: BTreeMap<_, _> = sources.into_iter().zip((0..).map(SourceId)).collect();
        let unknown = unknown(&recording, &sources);
        if !unknown.is_empty() {
            let names = Vec::from_iter(unknown).join(", ");
            tracing::warn!("the panel lacks sources of the recording, whose data is left out: {names}");
        }
        Replay { inputs: recording.inputs.into(), sources }
    }

    /// The inputs of `tick`.
    pub fn inputs(&self, tick: Tick) -> Replayed {
        let mut replayed = Replayed::default();
        let first = self.inputs.partition_point(|inputs| inputs.tick < tick.0);
        for inputs in self.inputs.iter().skip(first).take_while(|inputs| inputs.tick == tick.0) {
            replayed.rebased_ms = replayed.rebased_ms.saturating_add(inputs.rebased_ms);
            let readings = inputs.samples.iter().cloned().filter_map(|sample| {
                let source = *self.sources.get(&*sample.source)?;
                let RecordedSample { key, value, timestamp_ms, sequence, .. } = sample;
                Some(Reading { source, sequence, timestamp_ms, values: vec![(key, value)] })
            });
            replayed.readings.extend(readings);
            let states = inputs.states.iter();
            let states = states.filter_map(|(name, state)| Some((*self.sources.get(&**name)?, state.0)));
            replayed.states.extend(states);
            replayed.signals.extend(inputs.signals.iter().map(|signal| signal.0.clone()));
            replayed.restarts.extend(inputs.restarts.iter().cloned());
            replayed.scripts.extend(inputs.scripts.iter().cloned());
            replayed.ended.extend(inputs.ended.iter().copied());
        }
        replayed
    }
}

/// The names in a recording that are no sources of the panel's.
pub(super) fn unknown<'a>(
    recording: &'a Recording,
    sources: &BTreeMap<String, SourceId>,
) -> BTreeSet<&'a str> {
    let named = recording.inputs.iter().flat_map(|inputs| {
        let samples = inputs.samples.iter().map(|sample| &*sample.source);
        samples.chain(inputs.states.iter().map(|(name, _)| &**name))
    });
    named.filter(|name| !sources.contains_key(*name)).collect()
}
