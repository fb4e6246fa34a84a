//! How results are written in templates.

mod number;
mod parse;

use alloc::string::String;

use serde::{Deserialize, Serialize};

use super::NO_VALUE;
use crate::diagnostic::Diagnostic;
use crate::value::Value;

/// The widest that a format may make a result, in characters.
pub const MAX_WIDTH: u16 = 200;

/// The most digits after the point that a format may ask for.
pub const MAX_PRECISION: u8 = 30;

/// How a result is written: `[[fill]align][sign][#][0][width][grouping][.precision][style]`, all of it
/// optional.
///
/// | part | meaning |
/// |---|---|
/// | align | `<` left, `>` right, `^` centred, `=` between sign and digits; without it numbers stand right and texts left |
/// | fill | the character that fills up to the width, a space by default |
/// | sign | `+`: positive numbers have a sign too; a space: they have a space there; `-`: they have none |
/// | `#` | `0x`, `0o` or `0b` before the digits of the styles `x`, `o` and `b` |
/// | `0` | zeros fill up to the width, behind the sign, and in groups where there are any |
/// | width | the least number of characters, at most [`MAX_WIDTH`] |
/// | grouping | `,` or `_` between groups of three digits; with `x`, `o` and `b`, `_` between groups of four |
/// | precision | digits after the point, at most [`MAX_PRECISION`]; for a text the most characters |
/// | style | see [`Style`] |
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Format {
    /// Fills up to the width.
    pub fill: char,
    /// Where the result stands in its width; `None`: numbers right, texts left.
    pub align: Option<Alignment>,
    /// What stands before numbers that are not negative.
    pub sign: Sign,
    /// Whether the digits of another base than ten have a prefix.
    pub prefix: bool,
    /// Whether zeros fill up to the width.
    pub zero: bool,
    /// The least number of characters.
    pub width: u16,
    /// What stands between groups of digits.
    pub grouping: Option<Grouping>,
    /// Digits after the point; `None` for the style's own number of them.
    pub precision: Option<u8>,
    /// What kind of number it is.
    pub style: Style,
}

/// Where a result stands in its width.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Alignment {
    Left,
    Center,
    Right,
    /// At the right, its sign and prefix at the left; texts stand as at [`Alignment::Right`].
    BehindSign,
}

/// What stands before numbers that are not negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Sign {
    #[default]
    Nothing,
    Plus,
    Space,
}

/// What stands between groups of digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Grouping {
    Comma,
    Underscore,
}

/// What kind of number it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Style {
    /// The shortest form that reads back as the same number.
    #[default]
    Plain,
    /// `s`: a text, or a number in its shortest form as if it were one.
    Text,
    /// `f`: a decimal, with 6 digits after the point by default.
    Fixed,
    /// `d`: a whole number.
    Whole,
    /// `e`, `E`: with a power of ten, `1.5e3`; as many digits as it needs by default.
    Exponent(Case),
    /// `g`, `G`: so many significant digits, 6 by default, with a power of ten where that is shorter.
    General(Case),
    /// `x`, `X`: a whole number in base 16.
    Hexadecimal(Case),
    /// `o`: a whole number in base 8.
    Octal,
    /// `b`: a whole number in base 2.
    Binary,
    /// `%`: the hundredfold with a percent sign, without digits after the point by default.
    Percent,
    /// `si`: with a decimal prefix, `1.23k`; 3 significant digits by default.
    Si,
    /// `bytes`: with a binary unit, `1.23 GiB`; 3 significant digits by default.
    Bytes,
    /// `duration`: seconds by their two largest units, `1h 05m`.
    Duration,
}

/// The case of the letters among digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Case {
    Small,
    Capital,
}

impl Default for Format {
    fn default() -> Format {
        Format {
            fill: ' ',
            align: None,
            sign: Sign::Nothing,
            prefix: false,
            zero: false,
            width: 0,
            grouping: None,
            precision: None,
            style: Style::Plain,
        }
    }
}

impl Format {
    /// Reads a format that starts at byte `at` of a template.
    ///
    /// # Errors
    /// What cannot be read, or does not go together, placed in the template.
    ///
    /// ```
    /// use engine::template::Format;
    /// use engine::value::Value;
    ///
    /// let mut shown = String::new();
    /// Format::parse("*>+9,.1f", 0)?.write(Some(&Value::Number(1234.56)), &mut shown);
    /// assert_eq!(shown, "*+1,234.6");
    /// # Ok::<(), engine::diagnostic::Diagnostic>(())
    /// ```
    pub fn parse(text: &str, at: usize) -> Result<Format, Diagnostic> {
        parse::parse(text, at)
    }

    /// Whether any part of it is only for numbers, so that a text cannot be written with it.
    pub fn is_of_numbers(&self) -> bool {
        !matches!(self.style, Style::Plain | Style::Text)
            || self.sign != Sign::Nothing
            || self.prefix
            || self.grouping.is_some()
    }

    /// Adds a result to `out`; without a value [`NO_VALUE`], in the same width.
    pub fn write(&self, value: Option<&Value>, out: &mut String) {
        let start = out.len();
        let number = value.and_then(Value::number).filter(|_| self.style != Style::Text);
        match (value, number) {
            (_, Some(number)) => number::write(self, number, out),
            (Some(value), None) => self.write_text(value, out),
            (None, None) => out.push_str(NO_VALUE),
        }
        if let (Some(_), true, Some(grouping)) = (number, self.zero, self.grouping) {
            number::fill(out, start, usize::from(self.width), (grouping, self.style));
        }
        let missing = usize::from(self.width).saturating_sub(out[start..].chars().count());
        if missing == 0 {
            return;
        }
        // As in Rust, zeros come before any alignment: behind 42 they would make 420 of it.
        let (fill, align) = match (number, value) {
            (Some(_), _) if self.zero => ('0', Alignment::BehindSign),
            (Some(_), _) | (None, None) => (self.fill, self.align.unwrap_or(Alignment::Right)),
            (None, Some(_)) => (self.fill, self.align.unwrap_or(Alignment::Left)),
        };
        let (at, before) = match align {
            Alignment::Left => (start, 0),
            Alignment::Center => (start, missing / 2),
            Alignment::Right => (start, missing),
            Alignment::BehindSign if number.is_some() => (start + number::head(&out[start..]), missing),
            Alignment::BehindSign => (start, missing),
        };
        insert(out, at, fill, before);
        out.extend(core::iter::repeat_n(fill, missing - before));
    }

    /// Adds the first characters of a text, or of a number that is to be written as one.
    fn write_text(&self, value: &Value, out: &mut String) {
        let start = out.len();
        match value {
            Value::Text(text) => out.push_str(text),
            other => {
                // Writing to a string cannot fail.
                let _ = core::fmt::Write::write_fmt(out, format_args!("{other}"));
            }
        }
        let most = self.precision.map_or(usize::MAX, usize::from);
        if let Some((end, _)) = out[start..].char_indices().nth(most) {
            out.truncate(start + end);
        }
    }
}

fn insert(out: &mut String, at: usize, c: char, times: usize) {
    if let Some(c) = u8::try_from(c).ok().filter(u8::is_ascii) {
        let padding = [c; MAX_WIDTH as usize];
        let text = core::str::from_utf8(&padding[..times.min(padding.len())]).unwrap_or_default();
        return out.insert_str(at, text);
    }
    for _ in 0..times {
        out.insert(at, c);
    }
}

#[cfg(test)]
mod tests;
