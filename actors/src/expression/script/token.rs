//! The words of a script's text: names, numbers, texts and symbols, each with its place. What is no word of
//! Luau is left to Luau's own parser, which says so.

use std::ops::Range;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A name or a keyword.
    Name,
    /// A number.
    Number,
    /// A text, or the last part of one with expressions inside.
    Text,
    /// The part of a text before an expression: a bracket opens.
    TextOpen,
    /// The part of a text between two expressions: a bracket closes and another opens.
    TextMiddle,
    /// The part of a text after its last expression: a bracket closes.
    TextClose,
    /// An operator or a bracket.
    Symbol,
}

/// A word and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind,
    pub(super) text: &'a str,
    pub(super) at: usize,
}

impl Token<'_> {
    pub(super) fn span(&self) -> Range<usize> {
        self.at..self.at + self.text.len()
    }
}

/// Symbols of more than one character, the longest first.
const SYMBOLS: [&str; 17] =
    ["...", "..=", "//=", "..", "->", "::", "==", "~=", "<=", ">=", "+=", "-=", "*=", "/=", "%=", "^=", "//"];

/// All tokens of a text, without comments.
pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut lexer = Lexer { text, at: 0, open: Vec::new(), tokens: Vec::new() };
    while lexer.step() {}
    lexer.tokens
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    /// The open braces: whether each belongs to a text.
    open: Vec<bool>,
    tokens: Vec<Token<'a>>,
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn step(&mut self) -> bool {
        let rest = self.rest();
        let Some(first) = rest.chars().next() else { return false };
        if first.is_whitespace() {
            self.at += first.len_utf8();
        } else if rest.starts_with("--") {
            self.at += comment(rest);
        } else if first.is_ascii_alphabetic() || first == '_' {
            self.push(Kind::Name, length(rest, |c| c.is_ascii_alphanumeric() || c == '_'));
        } else if first.is_ascii_digit() || is_fraction(rest) {
            self.push(Kind::Number, number(rest));
        } else if first == '"' || first == '\'' {
            self.push(Kind::Text, quoted(rest, first));
        } else if let Some(length) = long(rest) {
            self.push(Kind::Text, length);
        } else if first == '`' {
            self.interpolated(true);
        } else if first == '}' && self.open.last() == Some(&true) {
            self.open.pop();
            self.interpolated(false);
        } else {
            match first {
                '{' => self.open.push(false),
                '}' => drop(self.open.pop()),
                _ => {}
            }
            let symbol = SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol));
            self.push(Kind::Symbol, symbol.map_or(first.len_utf8(), |symbol| symbol.len()));
        }
        true
    }

    fn push(&mut self, kind: Kind, length: usize) {
        let length = length.clamp(1, self.rest().len());
        self.tokens.push(Token { kind, text: &self.rest()[..length], at: self.at });
        self.at += length;
    }

    /// A text in backquotes, from its beginning or from behind an expression, up to the next expression or
    /// its end.
    fn interpolated(&mut self, is_first: bool) {
        let rest = self.rest();
        let mut escaped = false;
        for (index, c) in rest.char_indices().skip(1) {
            match c {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '{' => {
                    self.open.push(true);
                    return self.push(if is_first { Kind::TextOpen } else { Kind::TextMiddle }, index + 1);
                }
                '`' => return self.push(if is_first { Kind::Text } else { Kind::TextClose }, index + 1),
                _ => {}
            }
        }
        self.push(if is_first { Kind::Text } else { Kind::TextClose }, rest.len());
    }
}

fn length(rest: &str, is_part: impl Fn(char) -> bool) -> usize {
    rest.find(|c| !is_part(c)).unwrap_or(rest.len())
}

fn is_fraction(rest: &str) -> bool {
    rest.starts_with('.') && rest[1..].starts_with(|c: char| c.is_ascii_digit())
}

fn number(rest: &str) -> usize {
    let mut before = ' ';
    rest.find(|c: char| {
        let is_exponent = (c == '+' || c == '-') && matches!(before, 'e' | 'E') && !rest.starts_with("0x");
        before = c;
        !(c.is_ascii_alphanumeric() || c == '_' || c == '.' || is_exponent)
    })
    .unwrap_or(rest.len())
}

fn quoted(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (index, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return index + 1,
            '\n' => return index,
            _ => {}
        }
    }
    rest.len()
}

/// The length of a text or comment in long brackets, `[[…]]` or `[==[…]==]`.
fn long(rest: &str) -> Option<usize> {
    let inner = rest.strip_prefix('[')?;
    let level = length(inner, |c| c == '=');
    inner[level..].strip_prefix('[')?;
    let end = format!("]{}]", "=".repeat(level));
    Some(rest.find(&end).map_or(rest.len(), |at| at + end.len()))
}

fn comment(rest: &str) -> usize {
    long(&rest[2..]).map_or_else(|| rest.find('\n').unwrap_or(rest.len()), |length| 2 + length)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn words(text: &str) -> Vec<&str> {
        tokens(text).into_iter().map(|token| token.text).collect()
    }

    #[test]
    fn texts_fall_into_words() {
        for (text, expected) in [
            ("a.b:c(1)", &["a", ".", "b", ":", "c", "(", "1", ")"][..]),
            ("x..=1e-5 .. .5", &["x", "..=", "1e-5", "..", ".5"]),
            ("0x1e-5 1..2", &["0x1e", "-", "5", "1..2"]),
            ("-- a\nb --[[ c\n]] d --[==[ ]] ]==] e", &["b", "d", "e"]),
            (r#"'a\'b' "c" [[d]] [=[e]]]=]"#, &[r"'a\'b'", r#""c""#, "[[d]]", "[=[e]]]=]"]),
            ("`a{b}c{ {1} }d`", &["`a{", "b", "}c{", "{", "1", "}", "}d`"]),
            (r"`\{a\`` x", &[r"`\{a\``", "x"]),
            ("'open\nb", &["'open", "b"]),
            ("t[a]", &["t", "[", "a", "]"]),
            ("", &[]),
        ] {
            assert_eq!(words(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_falls_into_words_in_order(text in r#"[a-c0-9.'"`{}\[\]=\-\\ \n€(]{0,60}"#) {
            let mut at = 0;
            for token in tokens(&text) {
                prop_assert!(token.at >= at && !token.text.is_empty());
                prop_assert_eq!(&text[token.span()], token.text);
                at = token.span().end;
            }
        }
    }
}
