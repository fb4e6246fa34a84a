//! Texts as TOML writes them: where a byte of the text stands in the file, escapes and all.

use std::ops::Range;

/// The bytes of the token `raw`, quotes included, that stand for the bytes `range` of its text.
///
/// An escape counts as a whole; an empty range stays empty, just before what follows.
pub(super) fn file_range(raw: &str, range: Range<usize>) -> Range<usize> {
    let pieces = Pieces::new(raw);
    let end_of_text = pieces.end;
    let (mut start, mut end) = (None, None);
    let mut at = 0;
    for piece in pieces {
        // A piece that stands for nothing belongs to no byte of the text.
        if start.is_none() && piece.len > 0 && at + piece.len > range.start {
            start = Some(piece.raw.start + if piece.verbatim { range.start - at } else { 0 });
        }
        at += piece.len;
        if end.is_none() && piece.len > 0 && at >= range.end && range.end > range.start {
            end = Some(piece.raw.end - if piece.verbatim { at - range.end } else { 0 });
        }
    }
    let start = start.unwrap_or(end_of_text);
    start..end.unwrap_or(start).max(start)
}

/// Some bytes of a token and how many bytes of text they stand for.
struct Piece {
    raw: Range<usize>,
    len: usize,
    verbatim: bool,
}

/// The pieces between a token's quotes.
struct Pieces<'a> {
    raw: &'a str,
    at: usize,
    end: usize,
    escapes: bool,
}

impl<'a> Pieces<'a> {
    fn new(raw: &'a str) -> Pieces<'a> {
        let quotes = ["\"\"\"", "'''", "\"", "'"]
            .into_iter()
            .find(|quotes| raw.len() >= 2 * quotes.len() && raw.starts_with(quotes) && raw.ends_with(quotes));
        let Some(quotes) = quotes else {
            return Pieces { raw, at: 0, end: raw.len(), escapes: false };
        };
        let mut at = quotes.len();
        if quotes.len() == 3 {
            // The line break right behind the opening quotes is no part of the text.
            at += line_break(&raw[at..]).map_or(0, str::len);
        }
        Pieces { raw, at, end: (raw.len() - quotes.len()).max(at), escapes: quotes.starts_with('"') }
    }
}

impl Iterator for Pieces<'_> {
    type Item = Piece;

    fn next(&mut self) -> Option<Piece> {
        let rest = self.raw.get(self.at..self.end).filter(|rest| !rest.is_empty())?;
        let (raw_len, len, verbatim) = match rest.strip_prefix('\\') {
            Some(escape) if self.escapes => {
                let (raw_len, len) = escaped(escape);
                (1 + raw_len, len, false)
            }
            _ => {
                let stop = if self.escapes { rest.find('\\') } else { None };
                let len = stop.unwrap_or(rest.len()).max(1);
                (len, len, true)
            }
        };
        let raw = self.at..(self.at + raw_len).min(self.end);
        self.at = raw.end;
        Some(Piece { raw, len, verbatim })
    }
}

/// The bytes behind a backslash that belong to it, and how many bytes of text they stand for.
fn escaped(rest: &str) -> (usize, usize) {
    let hex = |digits: usize| {
        let code = rest.get(1..1 + digits).and_then(|code| u32::from_str_radix(code, 16).ok());
        (1 + digits, code.and_then(char::from_u32).map_or(0, char::len_utf8))
    };
    match rest.bytes().next() {
        Some(b'x') => hex(2),
        Some(b'u') => hex(4),
        Some(b'U') => hex(8),
        // A backslash at a line's end swallows all white space up to the next word.
        Some(b' ' | b'\t' | b'\n' | b'\r') => {
            (rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len(), 0)
        }
        Some(_) => (rest.chars().next().map_or(0, char::len_utf8), 1),
        None => (0, 0),
    }
}

fn line_break(text: &str) -> Option<&str> {
    ["\r\n", "\n"].into_iter().find(|line_break| text.starts_with(line_break))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use toml::de::DeValue;

    use super::*;

    /// Marks with `^` what `needle`, a part of the token's text, is in the token.
    fn check(raw: &str, needle: &str, expected: &str) {
        let text = DeValue::parse(raw).unwrap().get_ref().as_str().unwrap().to_owned();
        let start = text.find(needle).unwrap();
        let range = file_range(raw, start..start + needle.len());
        assert_eq!(&raw[range], expected, "{raw}");
    }

    #[test]
    fn escapes_and_quotes_are_counted() {
        check(r#""a + b""#, "b", "b");
        check(r#""\t\"a\" + b""#, "b", "b");
        check(r#""\u00e9 b""#, "b", "b");
        check(r#""\u00e9 b""#, "é", r"\u00e9");
        check(r#""\e[1m b""#, "[1m b", "[1m b");
        check(r"'a\b'", r"\b", r"\b");
        check("\"\"\"\na\\\n   b\"\"\"", "b", "b");
        check("'''\r\na\nb'''", "a\nb", "a\nb");
        check("\"\"\"\"a\" b\"\"\"\"", "b\"", "b\"");
    }

    #[test]
    fn an_empty_range_stands_before_what_follows() {
        assert_eq!(file_range(r#""ab""#, 2..2), 3..3);
        assert_eq!(file_range(r#""ab""#, 0..0), 1..1);
        assert_eq!(file_range(r#""""#, 0..0), 1..1);
        assert_eq!(file_range(r#""a\nb""#, 1..1), 2..2);
    }

    proptest! {
        /// Every character of a text is found where TOML has it.
        #[test]
        fn agrees_with_the_parser(text in r#"[a-c\\"' \n\te\u{e9}😀\r]{0,12}"#) {
            let raw = toml::Value::String(text.clone()).to_string();
            for (at, c) in text.char_indices() {
                let range = file_range(&raw, at..at + c.len_utf8());
                let part = &raw[range];
                let quoted = if raw.starts_with('"') && !part.contains('"') {
                    DeValue::parse(&format!("\"\"\"x{part}\"\"\"")).map(|v| v.get_ref().as_str().map(String::from))
                } else {
                    Ok(Some(format!("x{}", part.replace("\\\"", "\""))))
                };
                prop_assert_eq!(quoted.unwrap(), Some(format!("x{c}")), "{}", raw);
            }
        }

        #[test]
        fn never_leaves_the_token(raw in ".{0,20}", start in 0_usize..30, len in 0_usize..30) {
            let range = file_range(&raw, start..start + len);
            prop_assert!(range.start <= range.end && range.end <= raw.len());
        }
    }
}
