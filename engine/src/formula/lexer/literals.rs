//! Numbers, durations, texts and colours.

use alloc::format;
use alloc::string::String;

use super::{Lexer, TokenKind, continues_name, shortened, starts_name, units};
use crate::diagnostic::Diagnostic;
use crate::formula::duration::{Duration, Unit};

impl Lexer<'_> {
    pub(super) fn number(&mut self) -> TokenKind {
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
        if !hex && !misplaced_underscore(digits, hex) && !self.rest().starts_with('(') {
            let amount = || digits.replace('_', "").parse().ok();
            if let Some(unit) = Unit::named(rest) {
                return match amount().and_then(|amount| Duration::new(amount, unit)) {
                    Some(duration) => TokenKind::Duration(duration),
                    None => self.malformed(start, "is too long for a duration", None),
                };
            }
            if let Some(meant) = units::meant(&written.replace('_', "")) {
                return self.malformed(start, "is no duration", Some(format!("write `{meant}`")));
            }
        }
        let help = instead_of_number(written, digits, rest, hex);
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

    pub(super) fn text(&mut self, quote: char) -> TokenKind {
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
        let error = Diagnostic::error("unclosed-text", start..self.at, "the text is never closed");
        let written = shortened(&self.text[start..]);
        self.report(error.with_help(format!("write `{written}{quote}`")))
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

    /// A text as word processors quote it: read as meant, but not accepted.
    pub(super) fn curly_text(&mut self, open: char, close: &[char]) -> TokenKind {
        let start = self.at;
        self.at += open.len_utf8();
        let rest = self.rest();
        let length = rest.find(close).unwrap_or(rest.len());
        let content = String::from(&rest[..length]);
        self.at += length + rest[length..].chars().next().map_or(0, char::len_utf8);
        let error = Diagnostic::error("curly-quotes", start..self.at, "texts stand in straight quotes");
        let quote = if content.contains('\'') { '"' } else { '\'' };
        self.report(error.with_help(format!("write `{quote}{}{quote}`", shortened(&content))));
        TokenKind::Text(content)
    }

    /// `#ff8000`, which is a text here.
    pub(super) fn color(&mut self) -> TokenKind {
        let start = self.at;
        self.at += 1 + color_digits(self.rest()).map_or(0, str::len);
        let written = &self.text[start..self.at];
        let help = format!("write `'{written}'`");
        self.report(
            Diagnostic::error("bare-color", start..self.at, "a colour stands in quotes").with_help(help),
        )
    }
}

/// What to write instead of a number with something on its end.
fn instead_of_number(written: &str, digits: &str, rest: &str, hex: bool) -> Option<String> {
    if misplaced_underscore(written, hex) {
        let digits: String = written.chars().filter(|c| *c != '_').collect();
        return Some(format!("underscores stand between digits: write `{digits}`"));
    }
    let radix = match rest.as_bytes() {
        _ if hex || digits != "0" => 0,
        [b'b' | b'B', ..] => 2,
        [b'o' | b'O', ..] => 8,
        _ => 0,
    };
    if let Some(n) = rest.get(1..).filter(|_| radix > 0).and_then(|n| u64::from_str_radix(n, radix).ok()) {
        return Some(format!("write `{n}`, or in hexadecimal `0x{n:X}`"));
    }
    match rest {
        _ if hex => None,
        "" => None,
        "f" | "F" | "l" | "L" | "u" | "U" | "n" => Some(format!("write `{digits}`")),
        "k" | "K" => Some(format!("write `{digits} * 1e3`")),
        "G" => Some(format!("write `{digits} * 1e9`")),
        _ if rest.starts_with(['e', 'E']) && !rest[1..].starts_with(starts_name) => {
            Some(format!("digits are missing behind `{}`: write `{digits}e3`, for example", &rest[..1]))
        }
        _ => rest.starts_with(starts_name).then(|| format!("to multiply, write `{digits} * {rest}`")),
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

/// The digits of a colour as the web writes it, if `text` begins with one.
pub(super) fn color_digits(text: &str) -> Option<&str> {
    let digits = text.strip_prefix('#')?;
    let end = digits.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(digits.len());
    let ends = !digits[end..].starts_with(continues_name);
    (ends && matches!(end, 3 | 4 | 6 | 8)).then_some(&digits[..end])
}
