//! The first step: a formula's text becomes tokens. What is no token is reported and, where its meaning is
//! plain, read as what was meant, so that the parser can go on and find further problems.

mod literals;
mod symbols;
pub(super) mod units;

use alloc::string::String;
use alloc::vec::Vec;

use super::ast::{Comparison, Operator, Span};
use super::duration::Duration;
use crate::diagnostic::Diagnostic;
use literals::color_digits;
use symbols::{CURLY_QUOTES, raised};

/// A token and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token {
    pub(super) span: Span,
    pub(super) kind: TokenKind,
    /// Whether it is written as in another language, and only read as what was meant.
    pub(super) foreign: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum TokenKind {
    Number(f64),
    Duration(Duration),
    Text(String),
    /// A word, keywords included: what it means depends on where it stands.
    Word(String),
    /// A name in backquotes, which is never a keyword.
    Quoted(String),
    Operator(Operator),
    Compare(Comparison),
    /// `^` or `**`.
    Power,
    /// `!`; the word `not` is a [`TokenKind::Word`].
    Bang,
    Open,
    Close,
    Comma,
    /// What means something in other languages; what to write here depends on what stands around it.
    Foreign(Foreign),
    /// Something that was reported already.
    Broken,
    End,
}

/// Signs of other languages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Foreign {
    Question,
    /// `??`, `?:`
    Coalesce,
    Colon,
    Semicolon,
    /// A dot that is neither a decimal point nor part of a name.
    Dot,
    OpenBracket,
    CloseBracket,
    OpenBrace,
    CloseBrace,
    /// `$`, `@`: in front of variables.
    Sigil,
    /// `+=` and the like.
    Assign(Operator),
    Root,
    /// A raised digit.
    Raised(u8),
}

/// All tokens of `text`, [`TokenKind::End`] last; problems go to `diagnostics`.
pub(super) fn tokens(text: &str, diagnostics: &mut Vec<Diagnostic>) -> Vec<Token> {
    let mut lexer = Lexer { text, at: 0, diagnostics };
    let mut tokens = Vec::new();
    loop {
        lexer.skip(char::is_whitespace);
        if lexer.comment() {
            continue;
        }
        let start = lexer.at;
        let (kind, foreign) = lexer.token();
        let done = kind == TokenKind::End;
        tokens.push(Token { span: start..lexer.at, kind, foreign });
        if done {
            return tokens;
        }
    }
}

/// Whether a name can start with `c`.
fn starts_name(c: char) -> bool {
    c.is_alphabetic() || c == '_'
}

/// Whether a name can go on with `c`; dots between such characters are part of it as well.
fn continues_name(c: char) -> bool {
    (c.is_alphanumeric() || c == '_') && raised(c).is_none()
}

/// Whether `name` is read as a name though it does not stand in backquotes.
pub(super) fn is_bare_name(name: &str) -> bool {
    const KEYWORDS: [&str; 3] = ["true", "false", "nil"];
    // In an operator's place these mean the same in any case.
    const OPERATORS: [&str; 4] = ["if", "and", "or", "not"];
    name.starts_with(starts_name)
        && name.split('.').all(|part| !part.is_empty() && part.chars().all(continues_name))
        && !KEYWORDS.contains(&name)
        && !OPERATORS.iter().any(|operator| operator.eq_ignore_ascii_case(name))
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    diagnostics: &'a mut Vec<Diagnostic>,
}

impl Lexer<'_> {
    /// The next token, and whether it is written as elsewhere.
    fn token(&mut self) -> (TokenKind, bool) {
        let rest = self.rest();
        let Some(first) = rest.chars().next() else { return (TokenKind::End, false) };
        let kind = match first {
            '0'..='9' => self.number(),
            '.' if rest[1..].starts_with(|c: char| c.is_ascii_digit()) => self.number(),
            '"' | '\'' => self.text(first),
            '`' => self.quoted(),
            '#' => self.color(),
            c if starts_name(c) => self.word(),
            c => match (raised(c), CURLY_QUOTES.iter().find(|(open, _)| *open == c)) {
                (Some(digit), _) => {
                    self.at += c.len_utf8();
                    TokenKind::Foreign(Foreign::Raised(digit))
                }
                (None, Some((_, close))) => self.curly_text(c, close),
                (None, None) => return self.symbol(c),
            },
        };
        (kind, false)
    }

    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn skip(&mut self, accept: impl Fn(char) -> bool) {
        let rest = self.rest();
        self.at += rest.find(|c| !accept(c)).unwrap_or(rest.len());
    }

    fn report(&mut self, diagnostic: Diagnostic) -> TokenKind {
        self.diagnostics.push(diagnostic);
        TokenKind::Broken
    }

    fn word(&mut self) -> TokenKind {
        let start = self.at;
        self.skip(continues_name);
        while self.rest().strip_prefix('.').is_some_and(|rest| rest.starts_with(continues_name)) {
            self.at += 1;
            self.skip(continues_name);
        }
        TokenKind::Word(self.text[start..self.at].into())
    }

    fn quoted(&mut self) -> TokenKind {
        let start = self.at;
        match self.rest()[1..].find('`') {
            Some(0) => {
                self.at += 2;
                let message = "there is no name between the backquotes";
                self.report(Diagnostic::error("empty-name", start..self.at, message))
            }
            Some(length) => {
                self.at += length + 2;
                TokenKind::Quoted(self.text[start + 1..self.at - 1].into())
            }
            None => {
                self.at = self.text.len();
                let error =
                    Diagnostic::error("unclosed-name", start..self.at, "the backquote is never closed");
                self.report(error.with_help("close it behind the name"))
            }
        }
    }

    /// Passes over a comment, which formulas have none of.
    fn comment(&mut self) -> bool {
        let start = self.at;
        let line = self.rest().find('\n').unwrap_or(self.rest().len());
        let length = match self.rest() {
            rest if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |end| end + 2),
            rest if rest.starts_with('#') && color_digits(rest).is_none() => line,
            rest if rest.starts_with("//") || rest.starts_with("--") => {
                if !is_prose(&rest[2..line]) {
                    return false;
                }
                line
            }
            _ => return false,
        };
        self.at += length;
        self.diagnostics.push(no_comment(start..self.at));
        true
    }
}

/// Whether a text begins with two words side by side, which no formula does.
fn is_prose(text: &str) -> bool {
    const OPERATORS: [&str; 12] =
        ["and", "or", "if", "mod", "div", "xor", "is", "in", "not", "then", "else", "between"];
    let mut words = text.split_whitespace().take(2);
    let is_word = |word: &str| {
        word.starts_with(starts_name)
            && word.chars().all(continues_name)
            && !OPERATORS.iter().any(|operator| operator.eq_ignore_ascii_case(word))
    };
    words.next().is_some_and(is_word) && words.next().is_some_and(is_word)
}

/// The error of a comment.
pub(super) fn no_comment(span: Span) -> Diagnostic {
    let error = Diagnostic::error("comment", span, "formulas have no comments");
    error.with_help("leave it out; a comment of the configuration stands behind `#`, outside the quotes")
}

/// The longest text that a hint repeats, in characters.
const MAX_SHOWN: usize = 120;

/// `text`, or a sign for it where it is too long to be repeated.
pub(super) fn shortened(text: &str) -> String {
    match text.trim() {
        "" => "\u{2026}".into(),
        text if text.chars().count() > MAX_SHOWN => "\u{2026}".into(),
        text => text.into(),
    }
}
