//! From a file's form to a [`Panel`]: names become indices, formulas become a program, and everything
//! that only makes sense together is checked.

mod animation;
mod color;
mod formula;
mod key;
mod output;
mod source;
mod widget;

use std::path::Path;

use actors::panel::Panel;
use engine::coordination::Trigger;
use engine::paint::Size;
use engine::scene::Scene;
use engine::tick::Fps;

use super::Http;
use super::file::File;
use super::place::Place;
use super::problems::Problems;
use color::Colors;
use formula::Formulas;

/// Resolves `file`, whose values stand at `clean`. `raw` is the file with all that is wrong in it: what it
/// names exists, even where it had to be left out of `clean`. Relative file names count from `folder`.
pub(super) fn resolve(
    file: &File,
    clean: Place<'_>,
    raw: Place<'_>,
    folder: &Path,
    problems: &mut Problems,
) -> (Panel, Http) {
    let fps = Fps::new(file.display.fps).unwrap_or_default();
    let colors = Colors::resolve(file, clean, problems);
    let (sources, provided) = source::resolve(&file.source, clean.get("source"), fps, folder, problems);
    let named = key::Names { sources: &sources, raw: raw.get("source") };
    let keys = key::resolve(&file.keys, clean.get("keys"), named, provided, problems);

    let mut formulas = Formulas::default();
    let at = clean.get("value");
    let values: Vec<_> = (file.value.0.iter())
        .map(|(name, text)| (name.clone(), formulas.named(name, &text.0, at.get(name))))
        .collect();

    let [width, height] = file.display.size;
    let size = Size { width, height };
    let (page, mut widgets) = widget::resolve(
        &file.page,
        clean.get("page"),
        &mut widget::Surroundings { fps, size, colors: &colors, formulas: &mut formulas, problems },
    );
    let animations =
        animation::resolve(&file.animation, clean.get("animation"), &widgets, raw, fps, problems);
    let triggers: Vec<Trigger> = animation::resolve_triggers(
        &file.trigger,
        clean.get("trigger"),
        &file.animation,
        raw,
        fps,
        &mut formulas,
        problems,
    );
    if !problems.any_error() {
        // What starts an animation may be among what is wrong.
        animation::warn_of_idle(&animations, &triggers, clean.get("animation"), problems);
    }

    let program = formulas.compile(&keys, &sources, &mut widgets, problems);
    let background =
        colors.resolve_one(&file.display.background, clean.get("display").find("background"), problems);
    let panel = Panel {
        name: String::new(),
        page,
        fps,
        seed: file.display.seed,
        fingerprint: 0,
        ring: output::ring(&file.ring, &keys, clean.get("ring"), problems),
        sources,
        keys,
        program,
        values,
        triggers,
        animations,
        scene: Scene { size, background, widgets },
        outputs: output::resolve(&file.output, clean.get("output"), fps, folder, problems),
        persistence: output::persistence(
            file.persistence.as_ref(),
            clean.get("persistence"),
            fps,
            folder,
            problems,
        ),
    };
    (panel, output::http(&file.http))
}
