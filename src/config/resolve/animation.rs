//! Animations, and the triggers that start and stop them.

use std::collections::BTreeSet;

use engine::animation::{Animation, AnimationId, Keyframe, Pose, Repeat};
use engine::coordination::{Action, Trigger, When};
use engine::diagnostic::Diagnostic;
use engine::widget::{Widget, WidgetId};

use super::Setting;
use super::formula::Formulas;
use crate::config::file::Name;
use crate::config::file::animation as form;
use crate::config::names::Named;
use crate::config::place::Place;
use crate::config::problems::{Problems, with_known};

/// The animations of a configuration.
pub(super) fn resolve(setting: Setting<'_>, widgets: &[Widget], problems: &mut Problems) -> Vec<Animation> {
    let (at, fps) = (setting.clean.get("animation"), setting.fps());
    let resolve = |(name, animation): &(String, form::Animation)| {
        let at = at.get(name);
        if animation.duration.is_zero() {
            problems.error_help(
                "too-short",
                at.get("duration").span(),
                "an animation takes time",
                "write at least \"1tick\"",
            );
        }
        let (from, to) = (keyframe(animation.from), keyframe(animation.to));
        Animation {
            name: name.clone(),
            widget: widget(&animation.widget, at.get("widget"), widgets, setting.raw, problems),
            duration: animation.duration.ticks(fps).max(1),
            from,
            to,
            easing: animation.easing.0,
            cycles: match animation.repeat {
                form::Repeat::Cycles(cycles) => Some(cycles.into()),
                form::Repeat::Endless(form::Endless::Infinite) => None,
            },
            repeat: match animation.mode {
                form::Mode::Restart => Repeat::Restart,
                form::Mode::Reverse | form::Mode::Mirror => Repeat::Reverse,
            },
            starts_at_load: animation.start == Some(form::Start::Load),
        }
    };
    setting.file.animation.0.iter().map(resolve).collect()
}

fn keyframe(pose: form::Pose) -> Keyframe {
    let form::Pose { x, y, opacity } = pose;
    Keyframe { x, y, opacity }
}

/// Whether both ends are at rest. (Two equal ends that are not hold a widget where it is.)
fn is_idle(from: Keyframe, to: Keyframe) -> bool {
    let filled = |end: Keyframe| {
        let Pose { x, y, opacity } = Pose::REST;
        [end.x.unwrap_or(x), end.y.unwrap_or(y), end.opacity.unwrap_or(opacity)]
    };
    let rest = filled(Keyframe::default());
    filled(from) == rest && filled(to) == rest
}

fn widget(
    name: &Name,
    at: Place<'_>,
    widgets: &[Widget],
    raw: Place<'_>,
    problems: &mut Problems,
) -> WidgetId {
    let index = widgets.iter().position(|widget| widget.name == name.0);
    if index.is_none() && !names_widget(raw, &name.0) {
        let problem =
            Diagnostic::error("unknown-widget", at.span(), format!("there is no widget `{}`", name.0));
        // Those that the file does not name begin with `#`.
        let known = widgets.iter().map(|widget| &*widget.name).filter(|name| !name.starts_with('#'));
        problems.add(with_known(problem, &name.0, "widgets with an `id`", known));
    }
    WidgetId(small(index.unwrap_or_default()))
}

/// Whether any widget of the file, however broken, has this `id`.
fn names_widget(raw: Place<'_>, id: &str) -> bool {
    let pages = raw.get("page");
    let widgets = pages.keys().map(|page| pages.get(page).get("widgets")).flat_map(Place::items);
    widgets.filter_map(|widget| widget.find("id")?.str()).any(|found| found == id)
}

/// The triggers of a configuration.
pub(super) fn resolve_triggers<'t>(
    setting: Setting<'t>,
    formulas: &mut Formulas<'t>,
    problems: &mut Problems,
) -> Vec<Trigger> {
    let (triggers, animations) = (&setting.file.trigger, &setting.file.animation);
    let (at, fps) = (setting.clean.get("trigger"), setting.fps());
    let (raw_triggers, raw) = (setting.raw.get("trigger"), setting.raw.get("animation"));
    let mut names = BTreeSet::new();
    let mut resolved = Vec::new();
    for (index, trigger) in triggers.iter().enumerate() {
        let at = at.item(index);
        if !names.insert(&trigger.name.0) {
            problems.error_help(
                "duplicate-name",
                at.get("name").span(),
                format!("there is a trigger `{}` already", trigger.name.0),
                "give each trigger a name of its own",
            );
        }
        let mut find = |list: &str, names: &[Name]| -> Vec<AnimationId> {
            let find = |(index, name): (usize, &Name)| {
                animation(name, at.get(list).item(index), animations, raw, problems)
            };
            names.iter().enumerate().map(find).collect()
        };
        let stop = find("stop", &trigger.stop).into_iter().map(Action::Stop);
        let start = find("start", &trigger.start).into_iter().map(Action::Start);
        let actions: Vec<Action> = stop.chain(start).collect();
        if actions.is_empty()
            && ["start", "stop"].iter().all(|list| at.twin(raw_triggers).find(list).is_none())
        {
            let message = format!("trigger `{}` does nothing", trigger.name.0);
            problems.error_help(
                "no-action",
                at.get("name").span(),
                message,
                "write `start = [\"…\"]` or `stop = [\"…\"]`",
            );
        }
        resolved.push(Trigger {
            name: trigger.name.0.clone(),
            when: when(trigger, at, raw_triggers, formulas, problems),
            cooldown: trigger.cooldown.ticks(fps),
            actions,
        });
    }
    resolved
}

/// What fires a trigger: its condition or its signal, and not both.
fn when<'t>(
    trigger: &'t form::Trigger,
    at: Place<'t>,
    raw: Place<'_>,
    formulas: &mut Formulas<'t>,
    problems: &mut Problems,
) -> When {
    let name = &trigger.name.0;
    match (&trigger.when, &trigger.signal) {
        (Some(formula), None) => When::Holds(formulas.condition(&formula.0, at.get("when"))),
        (None, Some(signal)) => When::Signal(signal.0.clone()),
        (Some(_), Some(_)) => {
            let message = format!("trigger `{name}` has both `when` and `signal`");
            let help = "make two triggers of it: one with `when`, one with `signal`";
            problems.error_help("two-conditions", at.get("signal").span(), message, help);
            When::Signal(String::new())
        }
        (None, None) => {
            // What is wrong with one that is there was said already.
            if ["when", "signal"].iter().all(|key| at.twin(raw).find(key).is_none()) {
                let message = format!("trigger `{name}` has no condition");
                let help = "write `when = \"…\"`, a formula, or `signal = \"…\"`, a signal's name";
                problems.error_help("no-condition", at.get("name").span(), message, help);
            }
            When::Signal(String::new())
        }
    }
}

fn animation(
    name: &Name,
    at: Place<'_>,
    animations: &Named<form::Animation>,
    raw: Place<'_>,
    problems: &mut Problems,
) -> AnimationId {
    let names = || animations.0.iter().map(|(name, _)| name.as_str());
    let index = names().position(|known| known == name.0);
    if index.is_none() && raw.find(&name.0).is_none() {
        let message = format!("there is no animation `{}`", name.0);
        problems.add(with_known(
            Diagnostic::error("unknown-animation", at.span(), message),
            &name.0,
            "animations",
            names(),
        ));
    }
    AnimationId(small(index.unwrap_or_default()))
}

/// Warns of animations that nothing ever starts, or that change nothing. Scripts start those that are `started`;
/// where that is `None`, they may start any.
pub(super) fn warn_of_idle(
    animations: &[Animation],
    triggers: &[Trigger],
    started: Option<BTreeSet<&str>>,
    at: Place<'_>,
    problems: &mut Problems,
) {
    let actions = || triggers.iter().flat_map(|trigger| &trigger.actions);
    for (index, animation) in animations.iter().enumerate() {
        let at = at.get(&animation.name);
        if is_idle(animation.from, animation.to) {
            let message = "this animation changes nothing of its widget";
            let problem = Diagnostic::warning("idle-animation", at.key_span(), message);
            problems.add(problem.with_help("say what changes, such as `from = { y = 8, opacity = 0 }`"));
        }
        let start = Action::Start(AnimationId(small(index)));
        let by_script = started.as_ref().is_none_or(|started| started.contains(animation.name.as_str()));
        if !animation.starts_at_load && !by_script && !actions().any(|action| *action == start) {
            let message = format!("nothing starts animation `{}`", animation.name);
            let problem = Diagnostic::warning("unused", at.key_span(), message);
            problems.add(problem.with_help("write `start = \"load\"`, or name it in a trigger's `start`"));
        }
    }
}

fn small(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}
