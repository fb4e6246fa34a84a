//! Replay: gives a recording's inputs back, tick by tick.

use std::collections::{BTreeMap, BTreeSet};

use engine::ring::intake::Restarted;
use engine::sample::{Reading, SourceId, SourceState};
use engine::signal::Signal;
use engine::tick::Tick;

use super::{Inputs, RecordedSample, Recording};

/// Plays a recording's inputs back, tick by tick.
#[derive(Debug)]
pub struct Replay {
    inputs: std::iter::Peekable<std::vec::IntoIter<Inputs>>,
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
        Replay { inputs: recording.inputs.into_iter().peekable(), sources }
    }

    /// The inputs of `tick`; ask for every tick, in order.
    pub fn inputs(&mut self, tick: Tick) -> Replayed {
        let mut replayed = Replayed::default();
        while let Some(inputs) = self.inputs.next_if(|inputs| inputs.tick <= tick.0) {
            replayed.rebased_ms = replayed.rebased_ms.saturating_add(inputs.rebased_ms);
            let readings = inputs.samples.into_iter().filter_map(|sample| {
                let source = *self.sources.get(&*sample.source)?;
                let RecordedSample { key, value, timestamp_ms, sequence, .. } = sample;
                Some(Reading { source, sequence, timestamp_ms, values: vec![(key, value)] })
            });
            replayed.readings.extend(readings);
            let states = inputs.states.iter();
            let states = states.filter_map(|(name, state)| Some((*self.sources.get(&**name)?, state.0)));
            replayed.states.extend(states);
            replayed.signals.extend(inputs.signals.into_iter().map(|signal| signal.0));
            replayed.restarts.extend(inputs.restarts);
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
