//! The walk: a file's tree held against the schema. It finds every unknown key, wrong type, missing
//! key, misspelt word and number out of range at once, each in its place, and hands on a tree from
//! which what is wrong has been left out, so that the checks behind it see the rest.

mod format;
mod rules;
mod scalar;
mod words;

use std::ops::Range;

use engine::diagnostic::{Diagnostic, nearest};
use serde_json::Value as Json;
use toml::Spanned;
use toml::de::{DeArray, DeString, DeTable, DeValue};

use super::place::first_line;
use super::problems::{Problems, with_known};
use rules::{Rules, one_of};
use words::{Trail, found};

type Tree<'t> = Spanned<DeValue<'t>>;

/// Holds `root`, the parsed `text`, against `schema`. The tree that comes back is clean: serde reads it.
pub(super) fn walk<'t>(schema: &Json, text: &'t str, root: Tree<'t>, problems: &mut Problems) -> Tree<'t> {
    let mut walk = Walk { schema, text, problems };
    let empty = Spanned::new(0..0, DeValue::Table(DeTable::new()));
    walk.value(&Trail::root(), schema, root).unwrap_or(empty)
}

/// Whether the table has a key that was probably meant to be the key `name`.
fn misspelt(name: &str, rules: &Rules<'_>, table: &DeTable<'_>) -> bool {
    let unknown = table.keys().map(Spanned::get_ref).filter(|key| rules.property(key).is_none());
    unknown.into_iter().any(|key| nearest(key, rules.properties()).iter().any(|near| near == name))
}

/// Adds that full names of keys need quotes: `sensor.temp = { … }` below `[keys]` is a table in a table.
fn with_quotes(problem: Diagnostic, trail: &Trail<'_>, value: &DeValue<'_>) -> Diagnostic {
    let inner = value.as_table().and_then(|table| table.iter().next());
    match inner {
        Some((key, inner)) if trail.is_in("keys") && inner.get_ref().is_table() => {
            let (source, key) = (trail.name(), key.get_ref());
            problem.with_help(format!("a key's full name stands in quotes: \"{source}.{key}\" = {{ … }}"))
        }
        _ => problem,
    }
}

struct Walk<'s, 't, 'p> {
    schema: &'s Json,
    text: &'t str,
    problems: &'p mut Problems,
}

impl<'s, 't> Walk<'s, 't, '_> {
    /// The value as far as it follows the rules; `None` if what holds it cannot do with it.
    fn value(&mut self, trail: &Trail<'_>, schema: &'s Json, value: Tree<'t>) -> Option<Tree<'t>> {
        let rules = Rules::of(self.schema, schema, value.get_ref());
        if !rules.accept(value.get_ref()) {
            self.wrong_type(trail, &rules, &value);
            return None;
        }
        let span = value.span();
        match value.into_inner() {
            DeValue::Table(table) => {
                let table = self.table(trail, rules, span.clone(), table)?;
                Some(Spanned::new(span, DeValue::Table(table)))
            }
            DeValue::Array(items) => {
                let items = self.array(trail, &rules, span.clone(), items)?;
                Some(Spanned::new(span, DeValue::Array(items)))
            }
            scalar => {
                let value = Spanned::new(span, scalar);
                match scalar::check(self.text, trail, &rules, &value) {
                    Ok(()) => Some(value),
                    Err(problem) => {
                        self.problems.add(problem);
                        None
                    }
                }
            }
        }
    }

    fn table(
        &mut self,
        trail: &Trail<'_>,
        mut rules: Rules<'s>,
        span: Range<usize>,
        table: DeTable<'t>,
    ) -> Option<DeTable<'t>> {
        let header = self.header(span, &table);
        if rules.has_variants() && !self.choose_variant(trail, &mut rules, &header, &table) {
            return None;
        }
        let mut complete = self.required(trail, &rules, &header, &table);
        if let Some(most) = rules.limit("maxProperties").filter(|most| table.len() as u64 > *most) {
            let message = format!("{} has at most {most} entries, found {}", trail.section(), table.len());
            self.problems.error("too-many", header, message);
            return None;
        }
        let mut kept = DeTable::new();
        for (key, value) in table {
            let name = key.get_ref().clone();
            let required = rules.requires(&name);
            match self.entry(&trail.key(&name), &rules, &key, value) {
                Some(value) => {
                    kept.insert(key, value);
                }
                None => complete &= !required,
            }
        }
        (complete || trail.is_root()).then_some(kept)
    }

    /// What stands for a whole table: its header; of one in braces, the kind that it says it is.
    fn header(&self, span: Range<usize>, table: &DeTable<'t>) -> Range<usize> {
        match table.get("kind") {
            Some(kind) if self.text[span.start..].starts_with('{') => kind.span(),
            _ => first_line(self.text, span),
        }
    }

    /// The rules of the kind that the table says it is; false if it does not say so well.
    fn choose_variant(
        &mut self,
        trail: &Trail<'_>,
        rules: &mut Rules<'s>,
        header: &Range<usize>,
        table: &DeTable<'t>,
    ) -> bool {
        let kinds = rules.kinds();
        let Some((_, kind)) = table.get_key_value("kind") else {
            let problem = Diagnostic::error(
                "missing-key",
                header.clone(),
                format!("{} does not say its `kind`", trail.section()),
            );
            self.problems.add(problem.with_help(format!("write `kind = …`: {}", one_of(&kinds))));
            return false;
        };
        let Some(name) = kind.get_ref().as_str() else {
            let message = format!("`kind` is a text, found {}", found(kind.get_ref()));
            let help = format!("write `kind = …`: {}", one_of(&kinds));
            self.problems.error_help("wrong-type", kind.span(), message, help);
            return false;
        };
        if rules.choose(name) {
            return true;
        }
        let problem = Diagnostic::error("unknown-word", kind.span(), format!("unknown kind `{name}`"));
        self.problems.add(with_known(problem, name, "kinds", kinds));
        false
    }

    /// Whether all keys are there that must be.
    fn required(
        &mut self,
        trail: &Trail<'_>,
        rules: &Rules<'s>,
        header: &Range<usize>,
        table: &DeTable<'t>,
    ) -> bool {
        let mut complete = true;
        for name in rules.required().filter(|name| !table.contains_key(*name)) {
            complete = false;
            if misspelt(name, rules, table) {
                // The misspelt key is reported, and that is enough.
                continue;
            }
            let message = format!("{} lacks `{name}`", trail.section_of(rules.kind()));
            let problem = Diagnostic::error("missing-key", header.clone(), message);
            self.problems.add(match rules.property(name) {
                Some(property) => problem.with_help(words::example(self.schema, name, property)),
                None => problem,
            });
        }
        complete
    }

    fn entry(
        &mut self,
        trail: &Trail<'_>,
        rules: &Rules<'s>,
        key: &Spanned<DeString<'t>>,
        value: Tree<'t>,
    ) -> Option<Tree<'t>> {
        let name = key.get_ref();
        if let Some(property) = rules.property(name) {
            return self.value(trail, property, value);
        }
        let Some(entry) = rules.entries() else {
            self.unknown_key(trail, rules, key);
            return None;
        };
        if let Some(Err(problem)) = rules.name_format().map(|format| format::check(format, name)) {
            // The key may be written with escapes: the whole of it is at fault.
            self.problems.add_within(with_quotes(problem, trail, value.get_ref()), |_| key.span());
            return None;
        }
        self.value(trail, entry, value)
    }

    fn unknown_key(&mut self, trail: &Trail<'_>, rules: &Rules<'s>, key: &Spanned<DeString<'t>>) {
        let name = key.get_ref();
        let message = format!("unknown key `{name}` in {}", trail.parent_section(rules.kind()));
        let problem = Diagnostic::error("unknown-key", key.span(), message);
        self.problems.add(with_known(problem, name, "keys here", rules.properties()));
    }

    fn array(
        &mut self,
        trail: &Trail<'_>,
        rules: &Rules<'s>,
        span: Range<usize>,
        items: DeArray<'t>,
    ) -> Option<DeArray<'t>> {
        let least = rules.limit("minItems").unwrap_or(0);
        let most = rules.limit("maxItems").unwrap_or(u64::MAX);
        let len = items.len() as u64;
        if len < least || len > most {
            let name = trail.name();
            let message = if least == most {
                format!("`{name}` has {most} entries, found {len}")
            } else if len == 0 {
                format!("`{name}` is empty")
            } else {
                format!("`{name}` has at most {most} entries, found {len}")
            };
            let problem = Diagnostic::error("wrong-length", first_line(self.text, span), message);
            self.problems.add(match words::sample(rules) {
                Some(value) => problem.with_help(format!("for example `{name} = {value}`")),
                None => problem,
            });
            return None;
        }
        let Some(item) = rules.items() else { return Some(items) };
        let exact = least == most;
        let kept: DeArray<'t> =
            items.into_iter().filter_map(|value| self.value(trail, item, value)).collect();
        (!exact || kept.len() as u64 == len).then_some(kept)
    }

    fn wrong_type(&mut self, trail: &Trail<'_>, rules: &Rules<'s>, value: &Tree<'t>) {
        let message =
            format!("{} is {}, found {}", trail.subject(), rules.expected(), found(value.get_ref()));
        let problem = Diagnostic::error("wrong-type", first_line(self.text, value.span()), message);
        let raw = self.text.get(value.span()).unwrap_or("");
        self.problems.add(match words::correction(trail, rules, value.get_ref(), raw) {
            Some(help) => problem.with_help(help),
            None => problem,
        });
    }
}
