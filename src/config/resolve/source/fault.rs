//! Faults of made-up data.

use std::time::Duration;

use actors::source::generator::{Fault, FaultKind, When};
use engine::tick::Fps;

use super::positive;
use crate::config::file::source as form;
use crate::config::place::Place;
use crate::config::problems::Problems;

/// The faults of a generator that has a sample `every` so often. Times become numbers of samples, so that a
/// fault strikes the same sample in every run. `raw` is the list as the file has it, with what is wrong in it.
pub(super) fn resolve(
    faults: &[form::Fault],
    every: Duration,
    at: Place<'_>,
    raw: Place<'_>,
    fps: Fps,
    problems: &mut Problems,
) -> Vec<Fault> {
    let resolve = |(index, fault): (usize, &form::Fault)| {
        let at = at.item(index);
        let kind = kind(&fault.kind, at, fps, problems);
        if fault.at.is_none() && fault.every.is_none() && fault.chance.is_none() {
            // What it says wrongly has been told.
            let said = at.twin(raw);
            let says = |key: &&str| said.find(key).is_some();
            if !["at", "every", "chance"].iter().any(says) {
                let help = "write one of `at = \"5s\"`, `every = \"20s\"` and `chance = 0.01`";
                problems.error_help("fault", at.span(), "this fault does not say when it strikes", help);
            }
            return None;
        }
        Some(Fault { kind, when: when(fault, every, at, fps, problems)? })
    };
    faults.iter().enumerate().filter_map(resolve).collect()
}

fn kind(kind: &form::FaultKind, at: Place<'_>, fps: Fps, problems: &mut Problems) -> FaultKind {
    let span = |span, problems: &mut Problems| positive(span, at.get("for"), fps, problems);
    match kind {
        form::FaultKind::Error {} => FaultKind::Error,
        form::FaultKind::Panic {} => FaultKind::Panic,
        form::FaultKind::Hang { span: None } => FaultKind::Hang(None),
        form::FaultKind::Hang { span: Some(long) } => FaultKind::Hang(Some(span(*long, problems))),
        form::FaultKind::Flood { rate, span: long } => {
            FaultKind::Flood { rate: *rate, span: span(*long, problems) }
        }
        form::FaultKind::Garbage {} => FaultKind::Garbage,
    }
}

/// When a fault strikes, which the file must say in one way alone.
fn when(
    fault: &form::Fault,
    every: Duration,
    at: Place<'_>,
    fps: Fps,
    problems: &mut Problems,
) -> Option<When> {
    match (fault.at, fault.every, fault.chance) {
        (Some(moment), None, None) => Some(When::At(samples(moment.time(fps), every))),
        (None, Some(span), None) => {
            let span = positive(span, at.get("every"), fps, problems);
            Some(When::Every(samples(span, every).max(1)))
        }
        (None, None, Some(chance)) => Some(When::Chance(chance)),
        _ => {
            let help = "keep one of `at`, `every` and `chance`, and write a second fault for the other";
            problems.error_help("fault", at.span(), "this fault says twice when it strikes", help);
            None
        }
    }
}

/// The number of the first sample that is due after `span`, or at that very moment.
fn samples(span: Duration, every: Duration) -> u64 {
    u64::try_from(span.as_nanos().div_ceil(every.as_nanos().max(1))).unwrap_or(u64::MAX)
}
