//! Colours: themes, and what a colour's name means.

use std::collections::BTreeMap;

use engine::diagnostic::{Diagnostic, nearest};
use engine::formula::ast::{Expr, Node, Span};
use engine::formula::parser;
use engine::paint::Color;
use engine::value::Value;

use super::Setting;
use crate::config::file;
use crate::config::file::File;
use crate::config::place::Place;
use crate::config::problems::{Problems, with_known};

/// What the names of colours mean where no theme says otherwise.
const BUILT_IN: [(&str, Color); 8] = [
    ("background", Color::hex(0x0b_0e14)),
    ("text", Color::hex(0xe8_ecf2)),
    ("muted", Color::hex(0x8a_94a6)),
    ("track", Color::hex(0x1f_2733)),
    ("accent", Color::hex(0x4f_c3f7)),
    ("ok", Color::hex(0x5a_d18f)),
    ("warning", Color::hex(0xf5_b94a)),
    ("critical", Color::hex(0xff_6b6b)),
];

/// The named colours of a configuration.
pub(super) struct Colors(BTreeMap<String, Color>);

impl Colors {
    /// The chosen theme's colours over the built-in ones. All themes are checked.
    pub(super) fn resolve(setting: Setting<'_>, problems: &mut Problems) -> Colors {
        let Setting { file, clean: at, .. } = setting;
        let chosen = chosen_theme(file, at, problems);
        let mut named: BTreeMap<String, Color> =
            BUILT_IN.iter().map(|(name, color)| ((*name).into(), *color)).collect();
        for (theme, colors) in &file.theme.0 {
            for (name, text) in &colors.0.0 {
                let place = at.get("theme").get(theme).get(name);
                match Color::parse(&text.0) {
                    Some(color) if chosen == Some(theme) => {
                        named.insert(name.clone(), color);
                    }
                    Some(_) => {}
                    None => problems.add(unknown(&text.0, place, &Color::names().collect::<Vec<_>>())),
                }
            }
        }
        Colors(named)
    }

    /// What formulas know of them: `theme.accent` and the like.
    pub(super) fn constants(&self) -> impl Iterator<Item = (String, Value)> + '_ {
        let constant = |(name, color): (&String, &Color)| {
            (format!("theme.{name}"), Value::from(color.to_string().as_str()))
        };
        self.0.iter().map(constant)
    }

    /// The colour of this name, which is built in.
    pub(super) fn named(&self, name: &str) -> Color {
        self.0.get(name).copied().unwrap_or_default()
    }

    /// Notes the texts in a formula that are to be its result and are no colours. It stands `offset` bytes
    /// into its place.
    pub(super) fn check_texts(
        &self,
        formula: &str,
        place: Place<'_>,
        offset: usize,
        problems: &mut Problems,
    ) {
        let Some(tree) = parser::parse(formula).tree else { return };
        results(&tree, &mut |text, span| {
            if Color::parse(text).is_none() {
                let span = place.within(offset + span.start..offset + span.end);
                let error = Diagnostic::error("unknown-color", span, format!("`{text}` is no colour"));
                problems.add(match self.0.contains_key(text) {
                    true => error.with_help(format!("in a formula the theme's colour is `theme.{text}`")),
                    false => error
                        .with_help(
                            "write `#rrggbb`, a colour's CSS name, or a colour of the theme, `theme.NAME`",
                        )
                        .with_candidates(nearest(text, Color::names())),
                });
            }
        });
    }

    /// The colour behind all widgets.
    pub(super) fn background(&self, setting: Setting<'_>, problems: &mut Problems) -> Color {
        let place = setting.clean.get("display").find("background");
        self.resolve_one(&setting.file.display.background, place, problems)
    }

    /// The colour that `color` means. `place` is where the file says it; a default has none.
    pub(super) fn resolve_one(
        &self,
        color: &file::Color,
        place: Option<Place<'_>>,
        problems: &mut Problems,
    ) -> Color {
        if let Some(named) = self.0.get(&color.0) {
            return *named;
        }
        let parsed = Color::parse(&color.0);
        if let (None, Some(place)) = (parsed, place) {
            let own = self.0.keys().map(String::as_str);
            let names: Vec<&str> = own.chain(Color::names().map(|name| name as &str)).collect();
            problems.add(unknown(&color.0, place, &names));
        }
        parsed.unwrap_or_default()
    }
}

fn chosen_theme<'f>(file: &'f File, at: Place<'_>, problems: &mut Problems) -> Option<&'f String> {
    let names = || file.theme.0.iter().map(|(name, _)| name);
    match &file.display.theme {
        Some(chosen) => {
            let found = names().find(|name| **name == chosen.0);
            if found.is_none() && at.get("theme").find(&chosen.0).is_none() {
                let span = at.get("display").get("theme").span();
                let problem =
                    Diagnostic::error("unknown-theme", span, format!("there is no theme `{}`", chosen.0));
                problems.add(with_known(problem, &chosen.0, "themes", names().map(String::as_str)));
            }
            found
        }
        None if file.theme.0.len() > 1 => {
            let list: Vec<&str> = names().map(String::as_str).collect();
            problems.error_help(
                "which-theme",
                at.get("theme").get(list[1]).key_span(),
                format!("there are {} themes, and nothing says which one is used", list.len()),
                format!("write `theme = \"{}\"` in `[display]`", list[0]),
            );
            None
        }
        None => names().next(),
    }
}

/// Calls `visit` for each text that can be a formula's result as it stands there.
fn results(expr: &Expr, visit: &mut impl FnMut(&str, &Span)) {
    match &expr.node {
        Node::Text(text) => visit(text, &expr.span),
        Node::Call(call) if call.name.eq_ignore_ascii_case("if") => {
            call.arguments.iter().skip(1).for_each(|argument| results(argument, visit));
        }
        Node::Call(call) if call.name.eq_ignore_ascii_case("coalesce") => {
            call.arguments.iter().for_each(|argument| results(argument, visit));
        }
        _ => {}
    }
}

fn unknown(text: &str, place: Place<'_>, names: &[&str]) -> Diagnostic {
    let problem = Diagnostic::error("unknown-color", place.span(), format!("`{text}` is no colour"));
    let help = if text.trim_start().starts_with('{') {
        "no formula can give this one: `color`, `track`, `fill` and a stroke's `color` are those that follow data"
    } else if text.contains('(') {
        "a formula that gives a colour stands in braces: `{mix(theme.ok, theme.critical, cpu / 100)}`"
    } else if text.starts_with('#') {
        "a colour by value is `#rgb`, `#rrggbb` or `#rrggbbaa` with digits from 0 to f"
    } else {
        "write `#rrggbb`, a colour's CSS name, or a name that the theme gives"
    };
    problem.with_help(help).with_candidates(nearest(text, names.iter().copied()))
}
