//! The outline of a script: which functions it gives to formulas, and whether its text is plain enough to be
//! handed to Luau's parser, which is recursive and knows no limits of ours.
//!
//! It is found by one pass over the words, without recursion. What is no valid Luau is outlined somehow; the
//! compiler says what is wrong with it.

mod annotation;
mod constant;
mod pauses;
mod targets;

use std::collections::HashMap;
use std::ops::Range;

use engine::diagnostic::Diagnostic;

use super::token::{Kind, Token, tokens};
use super::uses::{Body, Uses, uses};
use pauses::Pauses;
use targets::is_assignment;

/// A type as it is written, and where.
pub(super) type Annotation = (String, Range<usize>);

/// The deepest nesting of brackets, blocks and functions.
pub const NESTING_MAX: usize = 100;

/// The most operators, calls and indices in a row, and the most `elseif` of one `if`.
pub const CHAIN_MAX: usize = 500;

/// What a script's text looks like.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Outline {
    /// The global functions that are declared at the top level, in their order.
    pub(super) functions: Vec<Declared>,
    /// What is wrong with it: nothing but that it is too complex.
    pub(super) problems: Vec<Diagnostic>,
    /// What works, but hardly as meant.
    pub(super) warnings: Vec<Diagnostic>,
    /// Whether it consists of functions and constants alone, so that no call can leave anything to another.
    /// Where that is not sure, it is not.
    pub(super) is_plain: bool,
    /// What it reads and does.
    pub(super) uses: Uses,
    /// The statements before which there has to be a point at which it can be ended.
    pauses: Vec<usize>,
}

/// A function that a script declares.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Declared {
    pub(super) name: String,
    /// Where its name stands.
    pub(super) span: Range<usize>,
    pub(super) parameters: Vec<Parameter>,
    /// Whether it takes any number of further arguments.
    pub(super) is_variadic: bool,
    /// The type of its result, and where that stands.
    pub(super) result: Option<Annotation>,
    /// What stands above it in lines that begin with `---`.
    pub(super) documentation: String,
}

/// A parameter of a function.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Parameter {
    pub(super) name: String,
    /// Its type without the `?` of an optional one, and where that stands.
    pub(super) kind: Option<Annotation>,
    pub(super) is_optional: bool,
}

/// The outline of a text.
pub(super) fn outline(text: &str) -> Outline {
    let tokens = tokens(text);
    let mut pass = Pass {
        text,
        tokens: &tokens,
        at: 0,
        frames: Vec::new(),
        chains: vec![0],
        scopes: vec![Scope::default()],
        declared: HashMap::new(),
        constant_until: 0,
        functions: 0,
        expects_operand: false,
        targets: Vec::new(),
        bodies: Vec::new(),
        pauses: Pauses::default(),
        outline: Outline { is_plain: true, ..Outline::default() },
    };
    while pass.at < tokens.len() && pass.outline.problems.is_empty() {
        pass.step();
    }
    let uses = uses(&tokens, &pass.bodies);
    Outline { uses, pauses: pass.pauses.places(), ..pass.outline }
}

/// What is open.
#[derive(Debug)]
enum Frame<'a> {
    Bracket,
    Function,
    Block,
    /// A `for` or `while`, with the names that it declares, until its `do`.
    Loop(Vec<&'a str>),
    /// How many `elseif` it had.
    If(usize),
    /// An `if` that is part of an expression.
    Choice,
}

/// The names that a block declares.
#[derive(Default)]
struct Scope<'a> {
    names: Vec<&'a str>,
}

struct Pass<'a> {
    text: &'a str,
    tokens: &'a [Token<'a>],
    at: usize,
    frames: Vec<Frame<'a>>,
    /// Operators in a row, by open brackets, blocks and functions.
    chains: Vec<usize>,
    scopes: Vec<Scope<'a>>,
    /// By name: in how many functions each of the locals of that name was declared that are in sight.
    declared: HashMap<&'a str, Vec<usize>>,
    /// Up to here the file's own text is a constant.
    constant_until: usize,
    /// How many functions are open.
    functions: usize,
    /// Whether an expression goes on here, rather than a statement begins.
    expects_operand: bool,
    /// The names that an assignment may follow, with the brackets that were open.
    targets: Vec<(Range<usize>, usize)>,
    /// The functions with names at the top level.
    bodies: Vec<Body>,
    pauses: Pauses,
    outline: Outline,
}

impl<'a> Pass<'a> {
    fn peek(&self, ahead: usize) -> &'a str {
        self.tokens.get(self.at + ahead).map_or("", |token| token.text)
    }

    fn kind(&self, ahead: usize) -> Option<Kind> {
        self.tokens.get(self.at + ahead).map(|token| token.kind)
    }

    fn is_name(&self, ahead: usize) -> bool {
        self.kind(ahead) == Some(Kind::Name)
    }

    fn step(&mut self) {
        let token = &self.tokens[self.at];
        let begins = !self.expects_operand;
        self.outline.is_plain &= self.functions > 0
            || self.at < self.constant_until
            || matches!(token.text, "local" | "function" | "type" | "export" | "end" | ";" | "@");
        self.expects_operand = false;
        if begins {
            self.pause();
        }
        match (token.kind, token.text) {
            (Kind::Name, "local") if begins => self.local(),
            (Kind::Name, "function") => self.function(begins),
            (Kind::Name, "for") => self.each(),
            (Kind::Name, "while") => self.open(Frame::Loop(Vec::new()), true),
            (Kind::Name, "do") => self.body(),
            (Kind::Name, "repeat") => self.open_scope(Frame::Block),
            (Kind::Name, "until") => {
                self.close_scope();
                self.expects_operand = true;
            }
            (Kind::Name, "if") if begins => self.open(Frame::If(0), true),
            (Kind::Name, "if") => {
                self.link();
                self.open(Frame::Choice, true);
            }
            (Kind::Name, "then") => self.then(),
            (Kind::Name, "elseif" | "else") => self.otherwise(),
            (Kind::Name, "end") => self.end(),
            (Kind::Name, "return") => self.operand_next(true),
            (Kind::Name, "and" | "or" | "not" | "in") => {
                self.link();
                self.operand_next(false);
            }
            (Kind::Name, "type") if begins && self.is_alias() => self.alias(),
            (Kind::Name, _) => self.name(begins),
            (Kind::Number, _) => self.at += 1,
            (Kind::Text, _) => {
                // Behind what can be called it is its argument.
                if begins {
                    self.link();
                }
                self.at += 1;
            }
            (Kind::TextOpen, _) => self.open(Frame::Bracket, true),
            (Kind::TextMiddle, _) => self.operand_next(true),
            (Kind::TextClose, _) => self.close_bracket(),
            (Kind::Symbol, text) => self.symbol(text),
        }
    }

    /// Whether `type NAME =` or `type NAME<` begins here.
    fn is_alias(&self) -> bool {
        self.is_name(1) && matches!(self.peek(2), "=" | "<")
    }

    /// Takes a token behind which an expression goes on. With `anew`, another one than before.
    fn operand_next(&mut self, anew: bool) {
        self.at += 1;
        self.expects_operand = true;
        if anew && let Some(chain) = self.chains.last_mut() {
            *chain = 0;
        }
    }

    /// Counts an operator.
    fn link(&mut self) {
        if let Some(chain) = self.chains.last_mut() {
            *chain += 1;
            if *chain > CHAIN_MAX {
                let help = "write it as several statements";
                self.refuse(
                    &format!("this expression has more than {CHAIN_MAX} operators, calls and indices"),
                    help,
                );
            }
        }
    }

    fn refuse(&mut self, message: &str, help: &str) {
        let at = self.at.min(self.tokens.len().saturating_sub(1));
        let span = self.tokens.get(at).map_or(0..0, Token::span);
        self.outline.problems.push(Diagnostic::error("too-complex", span, message).with_help(help));
    }

    fn open(&mut self, frame: Frame<'a>, operand: bool) {
        if self.frames.len() >= NESTING_MAX {
            let message = format!("brackets and blocks are nested more than {NESTING_MAX} deep here");
            self.refuse(&message, "put what is inside into a function of its own");
        }
        self.frames.push(frame);
        self.pauses.open();
        self.chains.push(0);
        self.at += 1;
        self.expects_operand = operand;
    }

    fn open_scope(&mut self, frame: Frame<'a>) {
        self.open(frame, false);
        self.scopes.push(Scope::default());
    }

    fn close(&mut self) -> Option<Frame<'a>> {
        self.at += 1;
        if self.chains.len() > 1 {
            self.chains.pop();
        }
        let frame = self.frames.pop();
        self.pauses.close(frame.as_ref());
        frame
    }

    fn close_scope(&mut self) {
        if let Some(Frame::Function) = self.close() {
            self.functions = self.functions.saturating_sub(1);
            if self.frames.is_empty() {
                // One without a name may come behind the last one that has one.
                let open = self.bodies.last_mut().filter(|(_, words)| words.end == self.tokens.len());
                open.into_iter().for_each(|(_, words)| words.end = self.at);
            }
        }
        self.leave_scope();
    }

    /// The names of the innermost block are not in sight any more.
    fn leave_scope(&mut self) {
        if self.scopes.len() > 1 {
            for name in self.scopes.pop().into_iter().flat_map(|scope| scope.names) {
                self.declared.get_mut(name).and_then(Vec::pop);
            }
        }
    }

    fn close_bracket(&mut self) {
        while let Some(Frame::Choice) = self.frames.last() {
            self.close();
            self.at -= 1;
        }
        match self.frames.last() {
            Some(Frame::Bracket) => drop(self.close()),
            _ => self.at += 1,
        }
    }

    fn then(&mut self) {
        self.operand_next(true);
        match self.frames.last() {
            Some(Frame::Choice) => {}
            _ => {
                self.expects_operand = false;
                self.pauses.condition();
                self.scopes.push(Scope::default());
            }
        }
    }

    fn otherwise(&mut self) {
        let is_last = self.peek(0) == "else";
        match self.frames.last_mut() {
            Some(Frame::Choice) => {
                if is_last {
                    // The chain goes on outside, where another choice may follow.
                    self.close();
                    self.at -= 1;
                }
                self.link();
                self.operand_next(false);
            }
            Some(Frame::If(count)) => {
                *count += 1;
                if *count > CHAIN_MAX {
                    let help = "look the answer up in a table";
                    self.refuse(&format!("this `if` has more than {CHAIN_MAX} branches"), help);
                }
                self.leave_scope();
                self.pauses.branch();
                self.operand_next(true);
                if is_last {
                    self.scopes.push(Scope::default());
                    self.expects_operand = false;
                }
            }
            _ => self.at += 1,
        }
    }

    fn end(&mut self) {
        match self.frames.last() {
            Some(Frame::Bracket | Frame::Choice) | None => self.at += 1,
            Some(_) => self.close_scope(),
        }
    }

    fn body(&mut self) {
        match self.frames.last_mut() {
            Some(Frame::Loop(names)) => {
                let names = std::mem::take(names);
                if let Some(frame) = self.frames.last_mut() {
                    *frame = Frame::Block;
                }
                self.at += 1;
                self.pauses.condition();
                self.scopes.push(Scope::default());
                names.into_iter().for_each(|name| self.declare(name));
            }
            _ => self.open_scope(Frame::Block),
        }
    }

    fn declare(&mut self, name: &'a str) {
        let depth = self.functions;
        if let Some(scope) = self.scopes.last_mut() {
            scope.names.push(name);
            self.declared.entry(name).or_default().push(depth);
        }
    }

    /// In how many functions the local of this name was declared, if there is one.
    fn depth_of(&self, name: &str) -> Option<usize> {
        self.declared.get(name)?.last().copied()
    }

    /// A list of names with types: `a, b: number`.
    fn names(&mut self) -> Vec<&'a str> {
        let mut names = Vec::new();
        while self.is_name(0) {
            names.push(self.peek(0));
            self.at += 1;
            if self.peek(0) == ":" {
                self.at = self.behind_type(self.at + 1);
            }
            if self.peek(0) != "," {
                break;
            }
            self.at += 1;
        }
        names
    }

    fn local(&mut self) {
        self.at += 1;
        if self.peek(0) == "function" {
            if self.is_name(1) {
                self.declare(self.peek(1));
                self.begin_body(self.at + 1);
                self.at += 1;
            }
            self.at += 1;
            self.header();
            return;
        }
        let names = self.names();
        let is_single = names.len() == 1;
        names.into_iter().for_each(|name| self.declare(name));
        if self.peek(0) == "=" {
            self.operand_next(true);
            self.constant_until = if is_single { self.behind_constant() } else { self.at };
        }
    }

    fn each(&mut self) {
        self.at += 1;
        let names = self.names();
        self.at -= 1;
        // Its bounds may be texts.
        self.compute(3);
        self.open(Frame::Loop(names), true);
    }

    /// A function, at its first word.
    fn function(&mut self, begins: bool) {
        self.at += 1;
        if !begins || !self.is_name(0) {
            self.header();
            return;
        }
        self.begin_body(self.at);
        // A statement begins, and with it a row of its own.
        self.chains.last_mut().into_iter().for_each(|chain| *chain = 0);
        let (name, is_plain) = (self.at, !matches!(self.peek(1), "." | ":"));
        self.assign(self.tokens[name].span());
        let is_global = is_plain && self.depth_of(self.peek(0)).is_none() && self.frames.is_empty();
        self.outline.is_plain &= is_global;
        let first = self.tokens[self.at].at;
        while !matches!(self.peek(0), "(" | "<" | "") {
            self.at += 1;
            self.link();
        }
        let (parameters, is_variadic, result) = self.header();
        if is_global {
            let token = &self.tokens[name];
            self.outline.functions.push(Declared {
                name: token.text.into(),
                span: token.span(),
                parameters,
                is_variadic,
                result,
                documentation: documentation(&self.text[..first]),
            });
        }
    }

    /// Notes where a function with a name begins, which is the word at `name`.
    fn begin_body(&mut self, name: usize) {
        if self.frames.is_empty() {
            self.bodies.push((self.tokens[name].text.into(), name - 1..self.tokens.len()));
        }
    }

    /// What stands between a function's name and its body; opens it.
    fn header(&mut self) -> (Vec<Parameter>, bool, Option<Annotation>) {
        if self.peek(0) == "<" {
            while !matches!(self.peek(0), "(" | "") {
                self.at += 1;
            }
        }
        let (mut parameters, mut names, mut is_variadic) = (Vec::new(), Vec::new(), false);
        self.at += usize::from(self.peek(0) == "(");
        while !matches!(self.peek(0), ")" | "") {
            let (name, is_name) = (self.peek(0), self.is_name(0));
            self.at += 1;
            let written = (self.peek(0) == ":").then(|| self.written_type());
            let is_optional = written.as_ref().is_some_and(|(text, _)| text.ends_with('?'));
            if name == "..." {
                is_variadic = true;
            } else if is_name {
                let kind = written.map(|(text, span)| (text.trim_end_matches('?').into(), span));
                parameters.push(Parameter { name: name.into(), kind, is_optional });
                names.push(name);
            }
        }
        // Where the text ends too early there is nothing left to take.
        self.at += usize::from(self.peek(0) == ")");
        let result = (self.peek(0) == ":").then(|| self.written_type());
        self.at -= 1;
        self.open_scope(Frame::Function);
        self.pauses.call();
        self.functions += 1;
        names.into_iter().for_each(|name| self.declare(name));
        (parameters, is_variadic, result)
    }

    /// The type behind a colon, without blanks.
    fn written_type(&mut self) -> (String, Range<usize>) {
        let first = self.at + 1;
        self.at = self.behind_type(first);
        let words = self.tokens.get(first..self.at).unwrap_or_default();
        let span = words.first().map_or(0, |word| word.at)..words.last().map_or(0, |word| word.span().end);
        (words.iter().map(|word| word.text).collect(), span)
    }

    fn behind_type(&self, at: usize) -> usize {
        annotation::behind(self.tokens, at)
    }

    fn alias(&mut self) {
        while !matches!(self.peek(0), "=" | "") {
            self.at += 1;
        }
        self.at = self.behind_type(self.at + 1);
    }

    fn name(&mut self, begins: bool) {
        self.heed(begins);
        if begins && !matches!(self.peek(0), "continue" | "break" | "export") {
            self.targets = vec![(self.tokens[self.at].span(), self.frames.len())];
            if let Some(chain) = self.chains.last_mut() {
                *chain = 0;
            }
        }
        self.at += 1;
    }

    fn symbol(&mut self, symbol: &str) {
        match symbol {
            "(" | "[" | "{" => {
                self.link();
                if symbol == "(" {
                    // What is called is not what is assigned to.
                    self.take_targets();
                }
                self.open(Frame::Bracket, true);
            }
            ")" | "]" | "}" => self.close_bracket(),
            ";" if !matches!(self.frames.last(), Some(Frame::Bracket)) => self.at += 1,
            "," | ";" => self.comma(),
            "::" => self.at = self.behind_type(self.at + 1),
            _ if is_assignment(symbol) => {
                self.compute(usize::from(self.is_slow(symbol)));
                self.take_targets().into_iter().for_each(|span| self.assign(span));
                self.operand_next(true);
            }
            "." | ":" => {
                self.link();
                self.at += 1;
                // The name behind it is no word of its own.
                self.at += usize::from(self.is_name(0));
            }
            "..." => self.at += 1,
            "@" => self.at += 2,
            _ => {
                self.compute(usize::from(self.is_slow(symbol)));
                self.link();
                self.operand_next(false);
            }
        }
    }
}

/// The text of the lines that begin with `---` right above the end of `before`, which is `function`.
fn documentation(before: &str) -> String {
    // A line is not looked at further than that: a file may have a single one.
    let blank = |c: char| c.is_whitespace() && c != '\n';
    let line = before.trim_end().strip_suffix("function").unwrap_or(before).trim_end_matches(blank);
    let Some(above) = line.strip_suffix('\n') else { return String::new() };
    let lines = above.split('\n').rev().map(str::trim).map_while(|line| line.strip_prefix("---"));
    let mut lines: Vec<&str> = lines.map(str::trim).collect();
    lines.reverse();
    lines.join(" ").trim().into()
}

#[cfg(test)]
mod tests;
