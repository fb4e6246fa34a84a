//! The words of a script's text: names, numbers, texts and symbols, each with its place. What is no word of
//! Luau is left to Luau's own parser, which says so. Texts and comments end where they end to that one: what
//! it reads as brackets must not look like a text here.

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
        if is_space(first) {
            self.at += 1;
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
        let bytes = self.rest().as_bytes();
        let end = if is_first { Kind::Text } else { Kind::TextClose };
        let mut at = 1;
        while let Some(byte) = bytes.get(at) {
            match byte {
                b'\\' if bytes[at..].starts_with(b"\\u{") => at += 3,
                b'\\' => at += escape(&bytes[at..]),
                b'{' => {
                    self.open.push(true);
                    return self.push(if is_first { Kind::TextOpen } else { Kind::TextMiddle }, at + 1);
                }
                b'`' => return self.push(end, at + 1),
                b'\n' | b'\r' => return self.push(end, at),
                _ => at += 1,
            }
        }
        self.push(end, bytes.len());
    }
}

fn length(rest: &str, is_part: impl Fn(char) -> bool) -> usize {
    rest.find(|c| !is_part(c)).unwrap_or(rest.len())
}

fn is_fraction(rest: &str) -> bool {
    rest.starts_with('.') && rest[1..].starts_with(|c: char| c.is_ascii_digit())
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n' | '\u{b}' | '\u{c}')
}

fn number(rest: &str) -> usize {
    let mut at = length(rest, |c| c.is_ascii_digit() || c == '.' || c == '_');
    if rest[at..].starts_with(['e', 'E']) {
        at += 1;
        at += usize::from(rest[at..].starts_with(['+', '-']));
    }
    at + length(&rest[at..], |c| c.is_ascii_alphanumeric() || c == '_')
}

fn quoted(rest: &str, quote: char) -> usize {
    let bytes = rest.as_bytes();
    let mut at = 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' => at += escape(&bytes[at..]),
            b'\n' | b'\r' => return at,
            byte if char::from(*byte) == quote => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// The length of what begins with a backslash: `\z` takes all blanks behind it, and a line's end of two
/// characters is one.
fn escape(rest: &[u8]) -> usize {
    let blanks = |from: usize| rest[from..].iter().take_while(|byte| is_space(char::from(**byte))).count();
    match rest {
        [_, b'\r', b'\n', ..] => 3,
        [_, b'z', ..] => 2 + blanks(2),
        [_, first, ..] => 1 + char_length(*first),
        _ => rest.len(),
    }
}

/// How many bytes the character has that begins with this one.
fn char_length(first: u8) -> usize {
    match first {
        ..0xc0 => 1,
        0xc0..0xe0 => 2,
        0xe0..0xf0 => 3,
        _ => 4,
    }
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
    long(&rest[2..]).map_or_else(|| rest.find(['\n', '\r']).unwrap_or(rest.len()), |length| 2 + length)
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
            ("'a\\z \n\t b' c", &["'a\\z \n\t b'", "c"]),
            ("'a\\\r\nb' c 'a\\\nb'", &["'a\\\r\nb'", "c", "'a\\\nb'"]),
            ("'a\rb -- c\rd", &["'a", "b", "d"]),
            ("`a\\u{41}b` c", &["`a\\u{41}b`", "c"]),
            ("`a\nb` c", &["`a", "b", "` c"]),
            ("`a\\z \n{b}` c", &["`a\\z \n{", "b", "}`", "c"]),
            ("1e5e-5 0Xe-1 'é\\é' x", &["1e5e", "-", "5", "0Xe", "-", "1", "'é\\é'", "x"]),
            ("t[a]", &["t", "[", "a", "]"]),
            ("", &[]),
        ] {
            assert_eq!(words(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_falls_into_words_in_order(text in r#"[a-cezu0-9.'"`{}\[\]=\-\\ \n\r€(]{0,60}"#) {
            let mut at = 0;
            for token in tokens(&text) {
                prop_assert!(token.at >= at && !token.text.is_empty());
                prop_assert_eq!(&text[token.span()], token.text);
                at = token.span().end;
            }
        }
    }
}
