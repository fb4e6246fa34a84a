//! Sources.

mod fault;

use std::fs::File;

use actors::handle::Slot;
use actors::source::{
    Error, KeySpec, Kind, Policy, SCRIPT, Source, generator, playback, status, system, time,
};
use engine::diagnostic::Diagnostic;
use engine::tick::Fps;

use super::{Setting, supervision};
use crate::config::duration::Duration;
use crate::config::file::source as form;
use crate::config::place::Place;
use crate::config::problems::Problems;
use crate::config::utc_offset;

/// The shortest time between two samples of one source, in milliseconds.
const SHORTEST_MS: u64 = 1;

/// The sources of a configuration, and what each says that it sends.
pub(super) fn resolve(setting: Setting<'_>, problems: &mut Problems) -> (Vec<Source>, Vec<Vec<KeySpec>>) {
    let (at, fps) = (setting.clean.get("source"), setting.fps());
    let resolve = |(name, source): &(String, form::Source)| {
        let at = at.get(name);
        let before = problems.len();
        let kind = kind(&source.kind, at, setting, name, problems);
        let policy = policy(source.on_full, &kind, at, problems);
        let supervision = supervision::exceptions(setting, source, at, problems);
        let stale_after = source.stale_after.map(|span| positive(span, at.get("stale_after"), fps, problems));
        // What is wrong with the options has been said; the source would only say it again.
        let keys = if problems.len() == before { keys(&kind, at, problems) } else { Vec::new() };
        (Source { name: name.clone(), kind, stale_after, policy, supervision }, keys)
    };
    let (mut sources, mut keys): (Vec<Source>, Vec<_>) = setting.file.source.0.iter().map(resolve).unzip();
    let scripts = &setting.file.scripts;
    if !scripts.files.is_empty() || scripts.folder.is_some() {
        if let Some(own) = setting.raw.get("source").find(SCRIPT) {
            let message = "`script` is the source of what scripts set";
            problems.error_help("taken", own.key_span(), message, "give this source another name");
        } else {
            let (name, policy) = (SCRIPT.into(), Policy::DropNewest);
            let kind = Kind::Script;
            sources.push(Source { name, kind, stale_after: None, policy, supervision: Default::default() });
            keys.push(Vec::new());
        }
    }
    (sources, keys)
}

fn policy(on_full: Option<form::OnFull>, kind: &Kind, at: Place<'_>, problems: &mut Problems) -> Policy {
    match (on_full, kind) {
        (Some(form::OnFull::Block), Kind::Push) => {
            let span = at.get("on_full").span();
            let message = "who pushes cannot be made to wait";
            let help = "write \"drop_newest\", which tells who pushes to try again, or \"drop_oldest\"";
            problems.error_help("source", span, message, help);
            Policy::DropNewest
        }
        (Some(form::OnFull::Block), _) | (None, Kind::Playback(_)) => Policy::Block,
        (Some(form::OnFull::DropNewest), _) | (None, Kind::Push) => Policy::DropNewest,
        (Some(form::OnFull::DropOldest) | None, _) => Policy::DropOldest,
    }
}

/// What a source says that it sends. One that cannot say it today may well tomorrow.
fn keys(kind: &Kind, at: Place<'_>, problems: &mut Problems) -> Vec<KeySpec> {
    let error = match kind.keys() {
        Ok(keys) => return keys,
        Err(error) => error,
    };
    let message = error.to_string();
    // A message about an option names it first.
    let option = message.split('`').nth(1).and_then(|option| at.find(option));
    let span = option.or_else(|| at.find("file")).map_or_else(|| at.span(), Place::span);
    problems.add(match error {
        Error::Configuration(_) if may_start(kind) => Diagnostic::error("source", span, message),
        // A dead source stops nothing else. It is tried again, and shown as what it is.
        _ => Diagnostic::warning("source", span, message)
            .with_help("the source tries again while the panel runs; until then formulas know the keys in `[keys]` alone"),
    });
    Vec::new()
}

fn kind(kind: &form::Kind, at: Place<'_>, setting: Setting<'_>, name: &str, problems: &mut Problems) -> Kind {
    let fps = setting.fps();
    match kind {
        form::Kind::System { every } => {
            Kind::System(system::Options { every: positive(*every, at.get("every"), fps, problems) })
        }
        form::Kind::Time { utc_offset } => Kind::Time(time::Options {
            utc_offset_minutes: utc_offset.as_ref().and_then(|offset| utc_offset::parse(&offset.0).ok()),
        }),
        form::Kind::Generator { shape, min, max, period, every, faults } => {
            if min >= max {
                let span = at.find("max").map_or_else(|| at.get("min").span(), Place::span);
                let message = format!("`min` is {min}, which is not below `max`, {max}");
                problems.error_help("empty-range", span, message, "make `min` the lower one");
            }
            let wave = generator::Wave {
                shape: shape_of(*shape),
                min: *min,
                max: *max,
                period: wave_period(*shape, *period, at, fps, problems),
                every: positive(*every, at.get("every"), fps, problems),
            };
            let raw = setting.raw.get("source").get(name).get("faults");
            let faults = fault::resolve(faults, wave.every, at.get("faults"), raw, fps, problems);
            Kind::Generator(generator::Options { wave, faults })
        }
        form::Kind::Playback { file, speed, repeat } => Kind::Playback(playback::Options {
            file: setting.folder.join(&file.0),
            speed: *speed,
            repeat: *repeat,
        }),
        form::Kind::Push {} => Kind::Push,
        form::Kind::Status { every } => {
            let others = setting.file.source.0.iter().map(|(other, _)| other).filter(|other| *other != name);
            Kind::Status(status::Options {
                every: positive(*every, at.get("every"), fps, problems),
                sources: others.cloned().collect(),
                answers: Slot::default(),
            })
        }
    }
}

/// Whether what the source reads is there.
fn may_start(kind: &Kind) -> bool {
    match kind {
        Kind::Playback(options) => File::open(&options.file).is_ok(),
        _ => true,
    }
}

fn wave_period(
    shape: form::Wave,
    period: Option<Duration>,
    at: Place<'_>,
    fps: Fps,
    problems: &mut Problems,
) -> std::time::Duration {
    const USUAL: Duration = Duration::millis(60_000);
    if period.is_some() && shape == form::Wave::Walk {
        let span = at.get("period").key_span();
        problems.error_help(
            "useless-key",
            span,
            "a walk has no `period`",
            "leave it out, or choose another `shape`",
        );
    }
    positive(period.unwrap_or(USUAL), at.get("period"), fps, problems)
}

/// The time that `span` is, which must not be shorter than a millisecond.
pub(super) fn positive(
    span: Duration,
    at: Place<'_>,
    fps: Fps,
    problems: &mut Problems,
) -> std::time::Duration {
    let least = std::time::Duration::from_millis(SHORTEST_MS);
    let time = span.time(fps);
    if time < least {
        problems.error_help("too-short", at.span(), "this time is too short", "write at least \"1ms\"");
    }
    time.max(least)
}

fn shape_of(wave: form::Wave) -> generator::Shape {
    match wave {
        form::Wave::Sine => generator::Shape::Sine,
        form::Wave::Square => generator::Shape::Square,
        form::Wave::Saw => generator::Shape::Saw,
        form::Wave::Triangle => generator::Shape::Triangle,
        form::Wave::Step => generator::Shape::Step,
        form::Wave::Walk => generator::Shape::Walk,
    }
}
