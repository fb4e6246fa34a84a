//! Formats as they are written.

use alloc::format;

use super::{Alignment, Case, Format, Grouping, MAX_PRECISION, MAX_WIDTH, Sign, Style};
use crate::diagnostic::{Diagnostic, nearest};

const STYLES: [(&str, Style); 17] = [
    ("", Style::Plain),
    ("s", Style::Text),
    ("f", Style::Fixed),
    ("F", Style::Fixed),
    ("d", Style::Whole),
    ("e", Style::Exponent(Case::Small)),
    ("E", Style::Exponent(Case::Capital)),
    ("g", Style::General(Case::Small)),
    ("G", Style::General(Case::Capital)),
    ("x", Style::Hexadecimal(Case::Small)),
    ("X", Style::Hexadecimal(Case::Capital)),
    ("o", Style::Octal),
    ("b", Style::Binary),
    ("%", Style::Percent),
    ("si", Style::Si),
    ("bytes", Style::Bytes),
    ("duration", Style::Duration),
];

const STYLES_HELP: &str = "formats end in f, d, e, g, x, o, b, s, %, si, bytes or duration, such as `>6.1f`";

/// See [`Format::parse`].
pub(super) fn parse(text: &str, at: usize) -> Result<Format, Diagnostic> {
    let text = text.trim_end();
    let mut reader = Reader { rest: text, end: at + text.len() };
    let mut format = Format::default();
    let mut chars = text.chars();
    let (first, second) = (chars.next(), chars.next());
    if let (Some(fill), Some(align)) = (first, second.and_then(alignment)) {
        (format.fill, format.align) = (fill, Some(align));
        reader.rest = chars.as_str();
    } else if let Some(align) = first.and_then(alignment) {
        format.align = Some(align);
        reader.rest = &text[1..];
    }
    format.sign = match () {
        () if reader.eat('+') => Sign::Plus,
        () if reader.eat(' ') => Sign::Space,
        () => {
            reader.eat('-');
            Sign::Nothing
        }
    };
    let prefix_at = reader.place();
    format.prefix = reader.eat('#');
    format.zero = reader.eat('0');
    format.width = reader.number(MAX_WIDTH, "wide")?.unwrap_or(0);
    let grouping_at = reader.place();
    format.grouping = match () {
        () if reader.eat(',') => Some(Grouping::Comma),
        () if reader.eat('_') => Some(Grouping::Underscore),
        () => None,
    };
    let precision_at = reader.place();
    format.precision = reader.precision()?;
    let style_at = reader.place();
    let Some((_, style)) = STYLES.iter().find(|(name, _)| *name == reader.rest) else {
        return Err(unknown_style(reader.rest, style_at));
    };
    format.style = *style;
    check(&format, reader.rest, [prefix_at, grouping_at, precision_at, style_at])?;
    Ok(format)
}

/// What is left of a format.
struct Reader<'a> {
    rest: &'a str,
    /// Where in the template the format ends.
    end: usize,
}

impl Reader<'_> {
    fn place(&self) -> usize {
        self.end - self.rest.len()
    }

    fn eat(&mut self, c: char) -> bool {
        let after = self.rest.strip_prefix(c);
        self.rest = after.unwrap_or(self.rest);
        after.is_some()
    }

    /// A whole number, at most `max`.
    fn number(&mut self, max: u16, what: &str) -> Result<Option<u16>, Diagnostic> {
        let at = self.place();
        let end = self.rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(self.rest.len());
        let (digits, after) = self.rest.split_at(end);
        self.rest = after;
        match digits.parse() {
            Ok(n) if n <= max => Ok(Some(n)),
            _ if digits.is_empty() => Ok(None),
            _ => {
                let message = format!("`{digits}` is more than a result can be {what}, which is {max}");
                Err(Diagnostic::error("format-limit", at..at + digits.len(), message))
            }
        }
    }

    fn precision(&mut self) -> Result<Option<u8>, Diagnostic> {
        let at = self.place();
        if !self.eat('.') {
            return Ok(None);
        }
        let written = self.rest;
        let Some(precision) = self.number(u16::from(MAX_PRECISION), "precise")? else {
            let message = "the number of digits is missing after the point";
            let error = Diagnostic::error("unknown-format", at..self.end, message);
            return Err(error.with_help("write for example `.1f`"));
        };
        let digits = &written[..written.len() - self.rest.len()];
        if digits.len() > 1 && digits.starts_with('0') {
            // `0.00` is how spreadsheets say it.
            let message = format!("`.{digits}` is no number of digits");
            let error = Diagnostic::error("unknown-format", at..at + 1 + digits.len(), message);
            return Err(error.with_help(format!("for {} digits write `.{}f`", digits.len(), digits.len())));
        }
        Ok(u8::try_from(precision).ok())
    }
}

fn alignment(c: char) -> Option<Alignment> {
    match c {
        '<' => Some(Alignment::Left),
        '^' => Some(Alignment::Center),
        '>' => Some(Alignment::Right),
        '=' => Some(Alignment::BehindSign),
        _ => None,
    }
}

/// Whether the parts of a format go together.
fn check(format: &Format, style: &str, at: [usize; 4]) -> Result<(), Diagnostic> {
    let [prefix_at, grouping_at, precision_at, style_at] = at;
    let conflict =
        |span, message, help: &str| Err(Diagnostic::error("format-conflict", span, message).with_help(help));
    let is_based = matches!(format.style, Style::Hexadecimal(_) | Style::Octal | Style::Binary);
    if format.prefix && !is_based {
        let message = "`#` puts a prefix before the digits of `x`, `o` and `b`, and of no other style".into();
        return conflict(prefix_at..prefix_at + 1, message, "leave `#` out");
    }
    if format.grouping == Some(Grouping::Comma) && is_based {
        let message = format!("digits of the style `{style}` are no groups of three");
        return conflict(grouping_at..grouping_at + 1, message, "write `_`, which groups them by four");
    }
    if format.precision.is_some() && (is_based || format.style == Style::Whole) {
        let message =
            format!("the style `{style}` is for whole numbers, which have no digits behind the point");
        return conflict(precision_at..style_at, message, "for a decimal write for example `.1f`");
    }
    if format.style == Style::Text && (format.sign != Sign::Nothing || format.grouping.is_some()) {
        let message = "the style `s` is for texts, which have neither signs nor groups of digits".into();
        return conflict(style_at..style_at + 1, message, "leave `s` out for a number");
    }
    Ok(())
}

fn unknown_style(written: &str, at: usize) -> Diagnostic {
    let message = format!("there is no format `{written}`");
    let error = Diagnostic::error("unknown-format", at..at + written.len(), message);
    if let Some(bare) = written.strip_prefix('%').filter(|bare| parse(bare, 0).is_ok()) {
        return error.with_help(format!("write it without the percent sign: `{bare}`"));
    }
    let names = STYLES.iter().map(|(name, _)| *name).filter(|name| name.len() > 1);
    match nearest(written, names).as_slice() {
        [near, ..] if written.len() > 1 => {
            error.with_help(format!("did you mean `{near}`?")).with_candidates([near.clone()].into())
        }
        _ => error.with_help(STYLES_HELP),
    }
}
