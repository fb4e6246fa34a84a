//! Supervision: what the file says over what is usual.

use std::time::Duration as Time;

use actors::supervisor::policy::{Exceptions, Policy, Supervision, TIME_MAX};
use engine::restart::{Backoff, Intensity, RestartType};

use super::Setting;
use super::source::positive;
use crate::config::duration::Duration;
use crate::config::file::source::Source;
use crate::config::file::supervision as form;
use crate::config::place::Place;
use crate::config::problems::Problems;

/// The shortest silence after which an actor may be held for hanging.
const HANG_AFTER_MIN: Time = Time::from_millis(100);

/// How long a restart counts where the file does not say so.
const PERIOD: Time = Time::from_secs(10);

/// The policy of a run.
pub(super) fn resolve(setting: Setting<'_>, problems: &mut Problems) -> Supervision {
    let (file, usual) = (&setting.file.supervision, Supervision::default());
    let at = setting.clean.get("supervision");
    let mut group = |name, group: &form::Group, usual: Policy| {
        let mut section = Section { setting, at: at.get(name), problems };
        section.group(group, usual)
    };
    let (sources, outputs) =
        (group("sources", &file.sources, usual.sources), group("outputs", &file.outputs, usual.outputs));
    let (writer, http) = (group("writer", &file.writer, usual.writer), group("http", &file.http, usual.http));
    let form::Core { restarts, period, backoff, hang_after, shutdown } = file.core;
    let restarts = restarts.or(usual.core.intensity.map(|intensity| intensity.restarts));
    let core = form::Group { restart: None, restarts, period, backoff, hang_after, shutdown };
    let core = group("core", &core, usual.core);
    let form::Recorder { hang_after, shutdown } = file.recorder;
    let recorder = form::Group { hang_after, shutdown, ..form::Group::default() };
    let recorder = group("recorder", &recorder, usual.recorder);
    Supervision { http, outputs, recorder, writer, core, sources, abandoned_max: file.abandoned_max }
}

/// Where a source differs from other sources.
pub(super) fn exceptions(
    setting: Setting<'_>,
    source: &Source,
    at: Place<'_>,
    problems: &mut Problems,
) -> Exceptions {
    let mut section = Section { setting, at, problems };
    Exceptions {
        restart: source.restart.map(restart_type),
        hang_after: section.hang_after(source.hang_after),
        give_up_after: section.time("give_up_after", source.give_up_after),
    }
}

fn restart_type(restart: form::Restart) -> RestartType {
    match restart {
        form::Restart::Permanent => RestartType::Permanent,
        form::Restart::Transient => RestartType::Transient,
        form::Restart::Temporary => RestartType::Temporary,
    }
}

/// A table of the file that is being resolved.
struct Section<'a, 'b> {
    setting: Setting<'a>,
    at: Place<'a>,
    problems: &'b mut Problems,
}

impl Section<'_, '_> {
    fn group(&mut self, group: &form::Group, usual: Policy) -> Policy {
        let period = self.time("period", group.period);
        if group.period.is_some() && group.restarts.is_none() {
            self.problems.error_help(
                "useless-key",
                self.at.get("period").key_span(),
                "`period` says nothing without `restarts`",
                "add `restarts`, or leave it out",
            );
        }
        let intensity =
            group.restarts.map(|restarts| Intensity { restarts, period: period.unwrap_or(PERIOD) });
        Policy {
            restart: group.restart.map_or(usual.restart, restart_type),
            intensity: intensity.or(usual.intensity),
            backoff: self.backoff(&group.backoff, usual.backoff),
            hang_after: self.hang_after(group.hang_after).unwrap_or(usual.hang_after),
            shutdown: self.time("shutdown", group.shutdown).unwrap_or(usual.shutdown),
        }
    }

    fn backoff(&mut self, backoff: &form::Backoff, usual: Backoff) -> Backoff {
        let at = self.at.get("backoff");
        let mut section = Section { setting: self.setting, at, problems: self.problems };
        let (base, cap) = (section.time("base", backoff.base), section.time("cap", backoff.cap));
        let healthy = section.time("healthy", backoff.healthy).unwrap_or(usual.healthy);
        let (longest, first) = (cap.unwrap_or(usual.cap), base.unwrap_or(usual.base));
        if first > longest {
            let named = if base.is_some() { "base" } else { "cap" };
            let message = format!("`base` is {first:?}, which is above `cap`, {longest:?}");
            self.problems.error_help(
                "empty-range",
                at.get(named).span(),
                message,
                "make `cap` the longer one",
            );
        }
        Backoff { base: first, cap: longest, healthy }
    }

    fn hang_after(&mut self, span: Option<Duration>) -> Option<Time> {
        let time = self.time("hang_after", span)?;
        if time < HANG_AFTER_MIN {
            let message = "so short a silence is no sign of hanging";
            let help = format!("write at least \"{}ms\"", HANG_AFTER_MIN.as_millis());
            self.problems.error_help("too-short", self.at.get("hang_after").span(), message, help);
        }
        Some(time)
    }

    fn time(&mut self, key: &str, span: Option<Duration>) -> Option<Time> {
        let at = self.at.get(key);
        let time = positive(span?, at, self.setting.fps(), self.problems);
        if time > TIME_MAX {
            let help = format!("write at most \"{}h\"", TIME_MAX.as_secs() / 3_600);
            self.problems.error_help("too-long", at.span(), "this time is too long", help);
        }
        Some(time)
    }
}
