//! The first step: a formula's text becomes tokens. What is no token is reported and, where its meaning is
//! plain, read as what was meant, so that the parser can go on and find further problems.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::ast::{Comparison, Operator, Span};
use super::duration::{Duration, Unit};
use crate::diagnostic::Diagnostic;

/// A token and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token {
    pub(super) span: Span,
    pub(super) kind: TokenKind,
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
    Question,
    Colon,
    /// Something that was reported already.
    Broken,
    End,
}

/// All tokens of `text`, [`TokenKind::End`] last; problems go to `diagnostics`.
pub(super) fn tokens(text: &str, diagnostics: &mut Vec<Diagnostic>) -> Vec<Token> {
    let mut lexer = Lexer { text, at: 0, diagnostics };
    let mut tokens = Vec::new();
    loop {
        lexer.skip(char::is_whitespace);
        let start = lexer.at;
        let kind = lexer.token();
        let done = kind == TokenKind::End;
        tokens.push(Token { span: start..lexer.at, kind });
        if done {
            return tokens;
        }
    }
}

/// Whether a name can start with `c`.
pub(super) fn starts_name(c: char) -> bool {
    c.is_alphabetic() || c == '_'
}

/// Whether a name can go on with `c`; dots between such characters are part of it as well.
pub(super) fn continues_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    diagnostics: &'a mut Vec<Diagnostic>,
}

/// Symbols, longer ones before their beginnings.
const SYMBOLS: [(&str, TokenKind); 24] = [
    ("..", TokenKind::Operator(Operator::Join)),
    ("**", TokenKind::Power),
    ("//", TokenKind::Operator(Operator::FloorDivide)),
    ("<=", TokenKind::Compare(Comparison::LessOrEqual)),
    (">=", TokenKind::Compare(Comparison::GreaterOrEqual)),
    ("==", TokenKind::Compare(Comparison::Equal)),
    ("!=", TokenKind::Compare(Comparison::NotEqual)),
    ("~=", TokenKind::Compare(Comparison::NotEqual)),
    ("&&", TokenKind::Operator(Operator::And)),
    ("||", TokenKind::Operator(Operator::Or)),
    ("+", TokenKind::Operator(Operator::Add)),
    ("-", TokenKind::Operator(Operator::Subtract)),
    ("*", TokenKind::Operator(Operator::Multiply)),
    ("/", TokenKind::Operator(Operator::Divide)),
    ("%", TokenKind::Operator(Operator::Modulo)),
    ("^", TokenKind::Power),
    ("<", TokenKind::Compare(Comparison::Less)),
    (">", TokenKind::Compare(Comparison::Greater)),
    ("!", TokenKind::Bang),
    ("(", TokenKind::Open),
    (")", TokenKind::Close),
    (",", TokenKind::Comma),
    ("?", TokenKind::Question),
    (":", TokenKind::Colon),
];

/// Symbols of other languages and of typography, and what they are read as.
const FOREIGN: [(&str, &str, TokenKind); 18] = [
    ("===", "==", TokenKind::Compare(Comparison::Equal)),
    ("!==", "!=", TokenKind::Compare(Comparison::NotEqual)),
    ("<>", "!=", TokenKind::Compare(Comparison::NotEqual)),
    ("=<", "<=", TokenKind::Compare(Comparison::LessOrEqual)),
    ("=>", ">=", TokenKind::Compare(Comparison::GreaterOrEqual)),
    ("=", "==", TokenKind::Compare(Comparison::Equal)),
    ("&", "and", TokenKind::Operator(Operator::And)),
    ("|", "or", TokenKind::Operator(Operator::Or)),
    ("~", "not", TokenKind::Bang),
    ("\u{d7}", "*", TokenKind::Operator(Operator::Multiply)),
    ("\u{b7}", "*", TokenKind::Operator(Operator::Multiply)),
    ("\u{f7}", "/", TokenKind::Operator(Operator::Divide)),
    ("\u{2212}", "-", TokenKind::Operator(Operator::Subtract)),
    ("\u{2013}", "-", TokenKind::Operator(Operator::Subtract)),
    ("\u{2264}", "<=", TokenKind::Compare(Comparison::LessOrEqual)),
    ("\u{2265}", ">=", TokenKind::Compare(Comparison::GreaterOrEqual)),
    ("\u{2260}", "!=", TokenKind::Compare(Comparison::NotEqual)),
    (";", ",", TokenKind::Comma),
];

/// Quotes of typography.
const CURLY_QUOTES: [char; 5] = ['\u{201c}', '\u{201d}', '\u{201e}', '\u{2018}', '\u{2019}'];

impl Lexer<'_> {
    fn token(&mut self) -> TokenKind {
        let rest = self.rest();
        let Some(first) = rest.chars().next() else { return TokenKind::End };
        match first {
            '0'..='9' => self.number(),
            '.' if rest[1..].starts_with(|c: char| c.is_ascii_digit()) => self.number(),
            '"' | '\'' => self.text(first),
            '`' => self.quoted(),
            c if CURLY_QUOTES.contains(&c) => self.curly_text(),
            c if starts_name(c) => self.word(),
            _ => self.symbol(first),
        }
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

    fn symbol(&mut self, first: char) -> TokenKind {
        let start = self.at;
        let rest = self.rest();
        let own = SYMBOLS.into_iter().find(|(symbol, _)| rest.starts_with(symbol));
        let foreign = FOREIGN.into_iter().find(|(symbol, ..)| rest.starts_with(symbol));
        // The longer one counts: `===` is foreign, `==` is not, `=` is again.
        match (own, foreign) {
            (Some((symbol, kind)), foreign) if foreign.as_ref().is_none_or(|f| f.0.len() <= symbol.len()) => {
                self.at += symbol.len();
                kind
            }
            (_, Some((symbol, meant, kind))) => {
                self.at += symbol.len();
                let message = format!("`{symbol}` is no operator here");
                let error = Diagnostic::error("foreign-operator", start..self.at, message);
                self.report(error.with_help(format!("write `{meant}`")));
                kind
            }
            _ => {
                self.at += first.len_utf8();
                self.unexpected(first, start..self.at)
            }
        }
    }

    /// A text as word processors quote it: read as meant, but not accepted.
    fn curly_text(&mut self) -> TokenKind {
        let start = self.at;
        let mut chars = self.rest().char_indices().skip(1);
        let close = chars
            .find(|(_, c)| CURLY_QUOTES.contains(c))
            .map_or(self.rest().len(), |(at, c)| at + c.len_utf8());
        self.at += close;
        let message = "texts stand in straight quotes";
        let error = Diagnostic::error("curly-quotes", start..self.at, message);
        self.report(error.with_help("write \"\u{2026}\" or '\u{2026}'"));
        TokenKind::Text(String::new())
    }

    fn unexpected(&mut self, c: char, span: Span) -> TokenKind {
        let shown = if c.is_control() { format!("{}", c.escape_default()) } else { format!("{c}") };
        let error = Diagnostic::error(
            "unexpected-character",
            span,
            format!("the character `{shown}` has no place in a formula"),
        );
        let help = match c {
            '{' | '}' => "a formula stands between braces in templates only; inside it there are none",
            '[' | ']' => "there are no lists; a name with such characters stands in backquotes",
            '#' | '@' | '$' | '\\' => "a name with such characters stands in backquotes",
            _ => return self.report(error),
        };
        self.report(error.with_help(help))
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
                self.report(Diagnostic::error(
                    "empty-name",
                    start..self.at,
                    "there is no name between the backquotes",
                ))
            }
            Some(length) => {
                self.at += length + 2;
                TokenKind::Quoted(self.text[start + 1..self.at - 1].into())
            }
            None => {
                self.at = self.text.len();
                self.report(Diagnostic::error(
                    "unclosed-name",
                    start..self.at,
                    "the backquote is never closed",
                ))
            }
        }
    }

    fn text(&mut self, quote: char) -> TokenKind {
        let start = self.at;
        self.at += 1;
        let mut content = String::new();
        let mut broken = false;
        while let Some(c) = self.rest().chars().next() {
            self.at += c.len_utf8();
            match c {
                _ if c == quote => return if broken { TokenKind::Broken } else { TokenKind::Text(content) },
                '\\' => match self.escape() {
                    Some(meant) => content.push(meant),
                    None => broken = true,
                },
                _ => content.push(c),
            }
        }
        self.report(
            Diagnostic::error("unclosed-text", start..self.at, "the text is never closed")
                .with_help(format!("end it with {quote}")),
        )
    }

    /// The character that an escape stands for; the backslash is read already.
    fn escape(&mut self) -> Option<char> {
        let start = self.at - 1;
        let Some(c) = self.rest().chars().next() else { return Some('\\') };
        self.at += c.len_utf8();
        match c {
            'n' => Some('\n'),
            't' => Some('\t'),
            '\\' | '\'' | '"' => Some(c),
            'u' => {
                let hex =
                    self.rest().strip_prefix('{').and_then(|rest| rest.split_once('}')).map(|(hex, _)| hex);
                let meant = hex.and_then(|hex| u32::from_str_radix(hex, 16).ok()).and_then(char::from_u32);
                if let (Some(hex), Some(_)) = (hex, meant) {
                    self.at += hex.len() + 2;
                    return meant;
                }
                self.bad_escape(start)
            }
            _ => self.bad_escape(start),
        }
    }

    fn bad_escape(&mut self, start: usize) -> Option<char> {
        let span = start..self.at;
        let written = &self.text[span.clone()];
        let error = Diagnostic::error("unknown-escape", span, format!("`{written}` stands for no character"))
            .with_help("escapes are \\n \\t \\\\ \\' \\\" and \\u{hex}");
        self.diagnostics.push(error);
        None
    }

    fn number(&mut self) -> TokenKind {
        let start = self.at;
        let hex = self.rest().strip_prefix("0x").or_else(|| self.rest().strip_prefix("0X")).is_some();
        if hex {
            self.at += 2;
            self.skip(|c| c.is_ascii_hexdigit() || c == '_');
        } else {
            self.decimal();
        }
        let digits_end = self.at;
        // Whatever sticks to the digits belongs to the mistake.
        self.skip(continues_name);
        let written = &self.text[start..self.at];
        if digits_end == self.at && !misplaced_underscore(written, hex) {
            let digits: String = written.chars().filter(|c| *c != '_').collect();
            let value = if hex { hexadecimal(&digits[2..]) } else { digits.parse().ok() };
            match value {
                Some(value) if value.is_finite() => return TokenKind::Number(value),
                Some(_) => return self.malformed(start, "is too large for a number", None),
                None => {}
            }
        }
        let (digits, rest) = written.split_at(digits_end - start);
        if let Some(unit) = Unit::named(rest).filter(|_| !hex && !misplaced_underscore(digits, hex)) {
            let amount = digits.chars().filter(|c| *c != '_').collect::<String>().parse().ok();
            return match amount.and_then(|amount| Duration::new(amount, unit)) {
                Some(duration) => TokenKind::Duration(duration),
                None => self.malformed(start, "is too long for a duration", None),
            };
        }
        let times = rest.starts_with(starts_name)
            && !hex
            && !misplaced_underscore(digits, hex)
            && !rest.starts_with(['e', 'E']);
        let help = times.then(|| format!("to multiply, write `{digits} * {rest}`"));
        self.malformed(start, "is no number", help)
    }

    fn malformed(&mut self, start: usize, what: &str, help: Option<String>) -> TokenKind {
        let written = &self.text[start..self.at];
        let error = Diagnostic::error("malformed-number", start..self.at, format!("`{written}` {what}"));
        self.report(Diagnostic { help, ..error })
    }

    /// Digits, a point that is not the first of `..`, and an exponent.
    fn decimal(&mut self) {
        let digit = |c: char| c.is_ascii_digit() || c == '_';
        self.skip(digit);
        if self.rest().starts_with('.') && !self.rest().starts_with("..") {
            self.at += 1;
            self.skip(digit);
        }
        let exponent =
            self.rest().strip_prefix(['e', 'E']).map(|rest| rest.strip_prefix(['+', '-']).unwrap_or(rest));
        if let Some(exponent) = exponent.filter(|e| e.starts_with(|c: char| c.is_ascii_digit())) {
            self.at = self.text.len() - exponent.len();
            self.skip(digit);
        }
    }
}

/// Underscores stand between two digits only.
fn misplaced_underscore(number: &str, hex: bool) -> bool {
    let bytes = number.as_bytes();
    let is_digit = if hex { u8::is_ascii_hexdigit } else { u8::is_ascii_digit };
    let digit = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(is_digit);
    (0..bytes.len()).any(|at| bytes[at] == b'_' && !(digit(at.checked_sub(1)) && digit(at.checked_add(1))))
}

fn hexadecimal(digits: &str) -> Option<f64> {
    #[allow(
        clippy::cast_precision_loss,
        reason = "a literal is rounded to the nearest number like any other"
    )]
    u64::from_str_radix(digits, 16).ok().map(|n| n as f64)
}
