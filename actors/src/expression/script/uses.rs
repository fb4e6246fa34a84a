//! What a script's text says that it reads and does: the names that stand written out in calls such as
//! `get("room.celsius")`. What it makes up while it runs is not known here.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::token::{Kind, Token};

/// What scripts do with a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verb {
    /// Reads a key or a named value.
    Get,
    /// Gives a key of the source `script` a value.
    Set,
    /// Starts an animation.
    Start,
    /// Stops an animation.
    Stop,
    /// Sends a signal.
    Signal,
}

impl Verb {
    const ALL: [Verb; 5] = [Verb::Get, Verb::Set, Verb::Start, Verb::Stop, Verb::Signal];

    /// As scripts write it.
    pub fn name(self) -> &'static str {
        match self {
            Verb::Get => "get",
            Verb::Set => "set",
            Verb::Start => "start",
            Verb::Stop => "stop",
            Verb::Signal => "signal",
        }
    }
}

/// A name that is written out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    /// What is done with it.
    pub verb: Verb,
    /// The name.
    pub name: String,
    /// Where it stands, with its quotes.
    pub span: Range<usize>,
}

/// What a script reads and does, as far as its text says so.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Uses {
    all: Vec<Use>,
    /// The functions at the top level, and behind them what stands outside of functions.
    places: Vec<Place>,
    /// The functions of each name.
    named: BTreeMap<String, Vec<usize>>,
    computed: BTreeSet<Verb>,
}

/// A part of a script's text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Place {
    /// What is used there, by its index.
    uses: Vec<usize>,
    /// The functions of the file that are named there.
    names: BTreeSet<String>,
}

impl Uses {
    /// All of them, in the text's order.
    pub fn all(&self) -> &[Use] {
        &self.all
    }

    /// What a call of a function at the top level may come to, through other functions of the file too, in the
    /// text's order. What stands outside of functions is a part of every call, since the text is run anew for it.
    pub fn of(&self, function: &str) -> Vec<&Use> {
        let Some(first) = self.named.get(function) else { return Vec::new() };
        let (mut seen, mut found) = (vec![false; self.places.len()], BTreeSet::new());
        let mut open = first.clone();
        open.extend(self.places.len().checked_sub(1));
        while let Some(place) = open.pop() {
            if !std::mem::replace(&mut seen[place], true) {
                let Place { uses, names } = &self.places[place];
                found.extend(uses.iter().copied());
                open.extend(names.iter().filter_map(|name| self.named.get(name)).flatten());
            }
        }
        found.into_iter().filter_map(|index| self.all.get(index)).collect()
    }

    /// Whether it also does this with names that it makes up.
    pub fn is_computed(&self, verb: Verb) -> bool {
        self.computed.contains(&verb)
    }
}

/// A function at the top level: its name, and its words from `function` to behind `end`, by their indices.
pub(super) type Body = (String, Range<usize>);

/// What the words of a script say.
pub(super) fn uses(tokens: &[Token<'_>], bodies: &[Body]) -> Uses {
    let mut uses = Uses { places: vec![Place::default(); bodies.len() + 1], ..Uses::default() };
    for (index, (name, _)) in bodies.iter().enumerate() {
        uses.named.entry(name.clone()).or_default().push(index);
    }
    let mut body = 0;
    for at in 0..tokens.len() {
        while bodies.get(body).is_some_and(|(_, words)| words.end <= at) {
            body += 1;
        }
        let is_inside = bodies.get(body).is_some_and(|(_, words)| words.contains(&at));
        let place = &mut uses.places[if is_inside { body } else { bodies.len() }];
        let Some(word) = word(tokens, at) else { continue };
        if uses.named.contains_key(word) {
            place.names.insert(word.into());
        } else if let Some(verb) = Verb::ALL.into_iter().find(|verb| verb.name() == word) {
            match written(tokens, at) {
                Some((name, span)) => {
                    place.uses.push(uses.all.len());
                    uses.all.push(Use { verb, name, span });
                }
                None => drop(uses.computed.insert(verb)),
            }
        }
    }
    uses
}

/// The name at `at`, unless it is a part of something: `a.get`, `{ get = 1 }`.
fn word<'t>(tokens: &[Token<'t>], at: usize) -> Option<&'t str> {
    let token = tokens.get(at).filter(|token| token.kind == Kind::Name)?;
    let before = at.checked_sub(1).map_or("", |before| tokens[before].text);
    let behind = tokens.get(at + 1).map_or("", |behind| behind.text);
    let is_own = matches!(before, "." | ":") || behind == "=" && matches!(before, "{" | "," | ";");
    (!is_own).then_some(token.text)
}

/// The text that a call begins with: `get("a")`, `get "a"`.
fn written(tokens: &[Token<'_>], at: usize) -> Option<(String, Range<usize>)> {
    let is_called = tokens.get(at + 1)?.text == "(";
    let text = tokens.get(at + 1 + usize::from(is_called)).filter(|token| token.kind == Kind::Text)?;
    let behind = tokens.get(at + 3).map_or("", |behind| behind.text);
    if is_called && !matches!(behind, ")" | ",") {
        return None;
    }
    let inner = text.text.strip_prefix("[[").and_then(|rest| rest.strip_suffix("]]"));
    let quoted = |quote| text.text.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
    let inner = inner.or_else(|| ['"', '\'', '`'].into_iter().find_map(quoted))?;
    (!inner.contains('\\')).then(|| (inner.to_owned(), text.span()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expression::script::outline::outline;

    /// What a function of the text may come to, as `verb name`.
    fn of(text: &str, function: &str) -> Vec<String> {
        let uses = outline(text).uses;
        uses.of(function).into_iter().map(|one| format!("{} {}", one.verb.name(), one.name)).collect()
    }

    #[test]
    fn names_that_are_written_out() {
        for (body, expected) in [
            ("return get('a.b') + get(\"c\")", &["get a.b", "get c"][..]),
            ("return get 'a' .. get [[b]] .. get(`c`)", &["get a", "get b", "get c"]),
            ("return get(name) + get('a' .. n) + get(`a{n}`) + get('a\\n')", &[]),
            ("return t.get('a') + t:get('b')", &[]),
            ("return { get = 1, set = 2 }", &[]),
            ("set('n', 1) start('x') stop('y') signal('z', {})", &["set n", "start x", "stop y", "signal z"]),
            ("-- get('a')\nreturn \"get('a')\"", &[]),
            (
                "if get('a') then return if get('b') then 1 else 2 end return get('c')",
                &["get a", "get b", "get c"],
            ),
        ] {
            assert_eq!(of(&format!("function f(name, n, t) {body} end"), "f"), expected, "{body}");
        }
    }

    #[test]
    fn what_a_function_calls_is_its_own_too() {
        let text = "local seen = get('always')\n\
             local function inner() return get('deep') end\n\
             local function other() return get('other') end\n\
             function f() return inner() end\n\
             function g() local t = function() return get('own') end return t() end\n\
             function loop() return loop() + round() end\n\
             function round() return loop() + get('turn') end\n\
             local late = function() return get('late') end";
        assert_eq!(of(text, "f"), ["get always", "get deep", "get late"]);
        assert_eq!(of(text, "g"), ["get always", "get own", "get late"]);
        assert_eq!(of(text, "loop"), ["get always", "get turn", "get late"]);
        assert_eq!(of(text, "nowhere"), [""; 0]);
        assert_eq!(outline(text).uses.all().len(), 6);
    }

    #[test]
    fn names_that_are_made_up_are_known_to_be() {
        for (text, expected) in [
            ("function f(n) return get('a' .. n) end", true),
            ("local g = get", true),
            ("function f() return get('a') end", false),
            ("function f(t) return t.get(1) end", false),
        ] {
            assert_eq!(outline(text).uses.is_computed(Verb::Get), expected, "{text}");
        }
    }
}
