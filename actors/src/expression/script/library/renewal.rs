//! Libraries while they are in use: other texts of the same files.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use engine::diagnostic::Diagnostic;
use engine::formula::functions::Function;
use engine::formula::{Kind, ParameterKind, UserFunction};
use engine::script::Script;

use super::{FUNCTIONS_MAX, File, HANDLERS, Library, function};
use crate::expression::script::outline;
use crate::expression::script::uses::Uses;
use crate::expression::script::{SOURCE_BYTES_MAX, line_at};

/// What stands in the place of a function that is gone. No formula can call that.
const GONE: &str = "(gone)";

/// A function of a script as formulas call it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Used {
    /// Its name.
    pub name: String,
    /// How many arguments it is given.
    pub arguments: usize,
    /// What the formulas take it to return.
    pub result: Kind,
}

/// Why a script's new text is not taken up, so that the old one stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The script's file.
    pub file: Arc<str>,
    /// The line that is at fault, from 1.
    pub line: u32,
    /// What is wrong.
    pub message: String,
    /// What to write instead, if that is known.
    pub help: Option<String>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Refusal { file, line, message, .. } = self;
        write!(formatter, "{file}:{line}: {message}")
    }
}

impl Refusal {
    fn new(file: &Arc<str>, line: u32, message: impl Into<String>) -> Refusal {
        Refusal { file: file.clone(), line, message: message.into(), help: None }
    }

    /// What is wrong with a text.
    pub fn of(file: &File, problem: Diagnostic) -> Refusal {
        let line = line_at(&file.text, problem.span.start);
        Refusal { help: problem.help, ..Refusal::new(&file.name, line, problem.message) }
    }
}

/// Whether formulas have a function or an operator of this name, which scripts therefore cannot define.
pub fn is_builtin(name: &str) -> bool {
    Function::named(name).is_some() || matches!(name, "if" | "and" | "or" | "not")
}

impl Library {
    /// The files whose text is another one in `other`, by their index.
    pub fn changed(&self, other: &Library) -> Vec<usize> {
        let is_same =
            |(one, other): &(&File, &File)| Arc::ptr_eq(&one.text, &other.text) || one.text == other.text;
        let both = self.files.iter().zip(other.files.iter()).enumerate();
        both.filter(|(_, pair)| !is_same(pair)).map(|(index, _)| index).collect()
    }

    /// The functions that there are, each with the index of its file.
    pub fn present(&self) -> impl Iterator<Item = (&UserFunction, usize)> {
        let all = self.functions.iter().zip(self.owners.iter().copied());
        all.filter(|(_, owner)| *owner < self.files.len())
    }

    /// The same library with other texts of some of its files, if the functions that formulas use are still
    /// there as they use them. The texts are looked at and not run, so that it takes little time and comes to
    /// the same everywhere.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn renewed(&self, scripts: &[Script], used: &[Used]) -> Result<Library, Refusal> {
        let mut files = self.files.to_vec();
        for script in scripts {
            let file = files.iter_mut().find(|file| file.name == script.file);
            let file = file.ok_or_else(|| Refusal::new(&script.file, 1, "the panel has no such script"))?;
            if script.text.len() > SOURCE_BYTES_MAX {
                let message = format!("a script has {SOURCE_BYTES_MAX} bytes at most");
                return Err(Refusal::new(&script.file, 1, message));
            }
            file.text = script.text.clone();
        }
        let mut renewed = Library { files: files.into(), ..self.clone() };
        renewed.look_again(&self.changed(&renewed), self)?;
        renewed.fits(self, used)?;
        Ok(renewed)
    }

    /// Takes the functions and handlers of changed files from their texts, and the others from `old`. A function
    /// keeps its number, since formulas call it by that.
    fn look_again(&mut self, changed: &[usize], old: &Library) -> Result<(), Refusal> {
        let (mut handlers, mut uses) = (old.handlers.to_vec(), old.uses.to_vec());
        let mut taken: BTreeMap<String, Arc<str>> = BTreeMap::new();
        let mut found: Vec<(UserFunction, usize)> = Vec::new();
        for (index, file) in self.files.iter().enumerate() {
            let functions = if changed.contains(&index) {
                let declared = declared(file, &taken)?;
                (handlers[index], uses[index]) = (declared.handlers, declared.uses);
                declared.functions
            } else {
                let own = old.functions.iter().zip(old.owners.iter());
                own.filter(|(_, owner)| **owner == index).map(|(function, _)| function.clone()).collect()
            };
            for function in functions {
                if let Some(other) = taken.insert(function.name.clone(), file.name.clone()) {
                    let message = format!("{other} defines a function `{}` too", function.name);
                    return Err(Refusal::new(&file.name, 1, message));
                }
                found.push((function, index));
            }
        }
        if found.len() > FUNCTIONS_MAX {
            let message =
                format!("the scripts define {} functions, at most {FUNCTIONS_MAX} fit", found.len());
            return Err(Refusal::new(&self.files[*changed.first().unwrap_or(&0)].name, 1, message));
        }
        (self.functions, self.owners) = placed(old, found);
        (self.handlers, self.uses) = (handlers.into(), uses.into());
        Ok(())
    }

    /// Whether the functions that formulas use can take the place of those that `old` has.
    ///
    /// # Errors
    /// The first that cannot.
    fn fits(&self, old: &Library, used: &[Used]) -> Result<(), Refusal> {
        used.iter().try_for_each(|used| self.fits_one(old, used))
    }

    fn fits_one(&self, old: &Library, used: &Used) -> Result<(), Refusal> {
        let Used { name, arguments, result } = used;
        let find = |library: &Library| {
            let index = library.functions.iter().position(|function| function.name == *name)?;
            let file = library.files.get(*library.owners.get(index)?)?.clone();
            Some((file, library.functions[index].clone()))
        };
        let anew = "or change the formulas too and start the panel anew";
        let Some((file, function)) = find(self) else {
            let file = find(old).map_or_else(|| "scripts".into(), |(file, _)| file.name);
            let help = format!("define it again, {anew}");
            let message = format!("formulas call `{name}`, which is not defined any more");
            return Err(Refusal { help: Some(help), ..Refusal::new(&file, 1, message) });
        };
        let kinds = |function: &UserFunction| -> Vec<ParameterKind> {
            let kind = |at| function.kinds.get(at).copied().unwrap_or_default();
            (0..*arguments).map(kind).collect()
        };
        let takes =
            |(before, now): (ParameterKind, ParameterKind)| now == before || now == ParameterKind::Any;
        let both =
            |(_, before): (File, UserFunction)| kinds(&before).into_iter().zip(kinds(&function)).all(takes);
        let is_as_before = find(old).is_none_or(both);
        let fits = *arguments >= function.min_arguments
            && function.max_arguments.is_none_or(|most| *arguments <= most);
        let message = if !fits {
            let signature = function.signature();
            format!("formulas call `{name}` with {arguments} arguments, and now it is `{signature}`")
        } else if !is_as_before {
            format!("the parameters of `{name}` have other types, and formulas give what the old ones say")
        } else if function.result != *result {
            let (was, is) = (word(*result), word(function.result));
            format!("formulas take what `{name}` returns for {was}, and now it returns {is}")
        } else {
            return Ok(());
        };
        let declared = outline::outline(&file.text).functions;
        let at = declared.iter().find(|declared| declared.name == *name).map_or(0, |one| one.span.start);
        let help = format!("keep its signature, {anew}");
        Err(Refusal { help: Some(help), ..Refusal::new(&file.name, line_at(&file.text, at), message) })
    }
}

/// Puts functions where `old` has those of the same names, and the others where there is room.
fn placed(old: &Library, mut found: Vec<(UserFunction, usize)>) -> (Arc<[UserFunction]>, Arc<[usize]>) {
    let gone = || (UserFunction { name: GONE.into(), ..UserFunction::default() }, usize::MAX);
    let take = |function: &UserFunction| {
        let index = found.iter().position(|(new, _)| new.name == function.name)?;
        Some(found.remove(index))
    };
    let mut all: Vec<Option<(UserFunction, usize)>> = old.functions.iter().map(take).collect();
    for new in found {
        match all.iter_mut().find(|place| place.is_none()) {
            Some(place) => *place = Some(new),
            None => all.push(Some(new)),
        }
    }
    let (functions, owners): (Vec<_>, Vec<_>) =
        all.into_iter().map(|place| place.unwrap_or_else(gone)).unzip();
    (functions.into(), owners.into())
}

/// What a text declares.
struct Found {
    functions: Vec<UserFunction>,
    handlers: Vec<&'static str>,
    uses: Uses,
}

/// The functions and handlers that a text declares.
fn declared(file: &File, taken: &BTreeMap<String, Arc<str>>) -> Result<Found, Refusal> {
    let outline = outline::outline(&file.text);
    if let Some(problem) = outline.problems.into_iter().next() {
        return Err(Refusal::of(file, problem));
    }
    let (mut functions, mut handlers) = (Vec::new(), Vec::new());
    for declared in &outline.functions {
        if let Some(handler) = HANDLERS.iter().find(|handler| **handler == declared.name) {
            handlers.push(*handler);
            continue;
        }
        let found = function(declared, &file.name, taken.get(&declared.name), is_builtin);
        let found = found.map_err(|problems| {
            let problem = problems.into_iter().next();
            problem.map_or_else(|| Refusal::new(&file.name, 1, ""), |problem| Refusal::of(file, problem))
        })?;
        functions.push(UserFunction { line: line_at(&file.text, declared.span.start), ..found });
    }
    Ok(Found { functions, handlers, uses: outline.uses })
}

fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Number => "a number",
        Kind::Text => "a text",
        Kind::Color => "a colour",
    }
}

#[cfg(test)]
mod tests;
