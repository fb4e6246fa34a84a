//! From a file's form to a [`Panel`]: names become indices, formulas become a program, and everything
//! that only makes sense together is checked.

mod animation;
mod color;
mod formula;
mod key;
mod output;
mod script;
mod source;
mod supervision;
mod template;
mod usage;
mod widget;

use std::path::Path;

use actors::expression::chunk::Code;
use actors::expression::script::reads::Reads;
use actors::panel::Panel;
use engine::formula::Program;
use engine::paint::Size;
use engine::scene::Scene;
use engine::tick::Fps;
use engine::value::Value;
use engine::window;

use super::file::File;
use super::place::Place;
use super::problems::Problems;
use super::{Http, Origin};
use color::Colors;
use formula::Formulas;
use template::Templates;

/// What every section is resolved with.
#[derive(Clone, Copy)]
pub(super) struct Setting<'a> {
    /// The file's form, without what is wrong in it.
    pub(super) file: &'a File,
    /// Where the values of `file` stand.
    pub(super) clean: Place<'a>,
    /// The file with all that is wrong in it: what it names exists, even where it had to be left out of
    /// `clean`.
    pub(super) raw: Place<'a>,
    /// What relative file names count from.
    pub(super) folder: &'a Path,
    /// What it depends on besides.
    pub(super) origin: Origin<'a>,
}

impl Setting<'_> {
    fn fps(self) -> Fps {
        Fps::new(self.file.display.fps).unwrap_or_default()
    }

    fn size(self) -> Size {
        let [width, height] = self.file.display.size;
        Size { width, height }
    }

    /// What formulas know by name besides keys and values.
    fn constants(self, colors: &Colors, problems: &mut Problems) -> Vec<(String, Value)> {
        let device = self.file.display.device.as_deref().unwrap_or(self.origin.host);
        if device.is_empty() {
            let span = self.clean.get("display").get("device").span();
            let help = "write a name, or leave `device` out: it is the machine's then";
            problems.error_help("bad-name", span, "a device needs a name", help);
        }
        let machine = [("host".into(), self.origin.host.into()), ("device".into(), device.into())];
        machine.into_iter().chain(colors.constants()).collect()
    }
}

/// Resolves a file. The panel's name and fingerprint are left to whoever knows the file's.
pub(super) fn resolve(setting: Setting<'_>, problems: &mut Problems) -> (Panel, Http) {
    let colors = Colors::resolve(setting, problems);
    let (sources, provided) = source::resolve(setting, problems);
    let keys = key::resolve(setting, &sources, provided, problems);
    let (scripts, places) = script::resolve(setting, &keys, problems);

    // Ids of formulas count through the file: values, then templates, widgets and triggers.
    let mut formulas = Formulas::default();
    let values = formulas.values(setting);
    let mut templates = Templates::resolve(setting, &mut formulas, problems);
    let (page, mut widgets) = widget::resolve(setting, &colors, &mut templates, &mut formulas, problems);
    templates.warn_of_unused(problems);
    let templates = templates.told();
    let animations = animation::resolve(setting, &widgets, problems);
    let triggers = animation::resolve_triggers(setting, &mut formulas, problems);
    if !problems.any_error() {
        script::warn_of_animations(&scripts, &places, &animations, problems);
        // What starts an animation may be among what is wrong.
        let started = script::started(&scripts);
        animation::warn_of_idle(&animations, &triggers, started, setting.clean.get("animation"), problems);
    }
    let constants = setting.constants(&colors, problems);
    let program = formulas.compile(setting, &keys, &scripts, &constants, problems);
    let reads = Reads::new(&program, &scripts, keys.iter().map(|key| key.name.as_str()), &values);
    formula::connect(&mut widgets, &reads, &keys);
    check_windows(&program, setting, problems);

    let panel = Panel {
        name: String::new(),
        page,
        fps: setting.fps(),
        seed: setting.file.display.seed,
        fingerprint: 0,
        host: setting.origin.host.into(),
        constants,
        ring: output::ring(setting, &keys, problems),
        sources,
        keys,
        program,
        code: Code::default(),
        scripts,
        values,
        templates,
        triggers,
        animations,
        scene: Scene { size: setting.size(), background: colors.background(setting, problems), widgets },
        outputs: output::resolve(setting, problems),
        persistence: output::persistence(setting, problems),
        supervision: supervision::resolve(setting, problems),
    };
    let http = output::http(setting, problems);
    (panel, http)
}

/// Notes an error where there are more windows over time than there can be.
fn check_windows(program: &Program, setting: Setting<'_>, problems: &mut Problems) {
    let (count, most) = (window::plan(program.derived(), setting.fps()).windows.len(), window::WINDOWS_MAX);
    if count > most {
        let message = format!("the formulas look back through {count} windows over time, at most {most} fit");
        let help = "let formulas share windows: one for each key and span serves all that look through it";
        problems.error_help("too-many", setting.clean.get("value").span(), message, help);
    }
}
