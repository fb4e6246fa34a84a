//! Functions of texts. Places and lengths count characters.

use alloc::string::{String, ToString};

use super::{Argument, Fault, Output};
use crate::formula::MAX_TEXT;
use crate::paint::Color;
use crate::template::{Format, MAX_WIDTH};
use crate::value::Value;

type Outcome = Result<Output, Fault>;

impl<'a> Argument<'a> {
    /// The text; the checker lets nothing else through to where one is asked for.
    fn text(&self) -> &'a str {
        if let Argument::Text(text) = self { text } else { "" }
    }

    fn whole(&self) -> Option<f64> {
        match self {
            Argument::Number(n) if *n == libm::trunc(*n) => Some(*n),
            _ => None,
        }
    }
}

fn truth(holds: bool) -> Outcome {
    Ok(Output::Number(f64::from(u8::from(holds))))
}

pub(super) fn upper(of: &[Argument<'_>], out: &mut String) -> Outcome {
    out.push_str(&of[0].text().to_uppercase());
    Ok(Output::Text)
}

pub(super) fn lower(of: &[Argument<'_>], out: &mut String) -> Outcome {
    out.push_str(&of[0].text().to_lowercase());
    Ok(Output::Text)
}

pub(super) fn trim(of: &[Argument<'_>], out: &mut String) -> Outcome {
    out.push_str(of[0].text().trim());
    Ok(Output::Text)
}

#[allow(clippy::cast_precision_loss, reason = "texts are short")]
pub(super) fn len(of: &[Argument<'_>], _: &mut String) -> Outcome {
    Ok(Output::Number(of[0].text().chars().count() as f64))
}

pub(super) fn contains(of: &[Argument<'_>], _: &mut String) -> Outcome {
    truth(of[0].text().contains(of[1].text()))
}

pub(super) fn starts_with(of: &[Argument<'_>], _: &mut String) -> Outcome {
    truth(of[0].text().starts_with(of[1].text()))
}

pub(super) fn ends_with(of: &[Argument<'_>], _: &mut String) -> Outcome {
    truth(of[0].text().ends_with(of[1].text()))
}

/// All places where a part stands, from the left and without overlaps.
pub(super) fn replace(of: &[Argument<'_>], out: &mut String) -> Outcome {
    let [text, old, new] = [0, 1, 2].map(|index| of[index].text());
    if old.is_empty() {
        return Err(Fault::Domain);
    }
    let start = out.len();
    for (index, part) in text.split(old).enumerate() {
        if index > 0 {
            out.push_str(new);
        }
        out.push_str(part);
        // Thousands of long texts are not put together only to be refused.
        if out.len() - start > MAX_TEXT {
            return Err(Fault::TooLong);
        }
    }
    Ok(Output::Text)
}

/// From the character at a place on, the first being 1 and the last -1.
pub(super) fn substr(of: &[Argument<'_>], out: &mut String) -> Outcome {
    let text = of[0].text();
    let first = of[1].whole().filter(|first| *first != 0.0).ok_or(Fault::Domain)?;
    let count = match of.get(2) {
        Some(count) => count.whole().filter(|count| *count >= 0.0).ok_or(Fault::Domain)?,
        None => f64::INFINITY,
    };
    let skipped = if first > 0.0 {
        count_of(first - 1.0)
    } else {
        text.chars().count().saturating_sub(count_of(-first))
    };
    out.extend(text.chars().skip(skipped).take(count_of(count)));
    Ok(Output::Text)
}

/// Fills up on the right, or on the left where the width is negative.
pub(super) fn pad(of: &[Argument<'_>], out: &mut String) -> Outcome {
    let text = of[0].text();
    let width = of[1].whole().filter(|width| width.abs() <= f64::from(MAX_WIDTH)).ok_or(Fault::Domain)?;
    let mut fill = of.get(2).map_or(" ", Argument::text).chars();
    let (Some(fill), None) = (fill.next(), fill.next()) else { return Err(Fault::Domain) };
    let missing = count_of(width.abs()).saturating_sub(text.chars().count());
    let filling = core::iter::repeat_n(fill, missing);
    if width < 0.0 {
        out.extend(filling);
        out.push_str(text);
    } else {
        out.push_str(text);
        out.extend(filling);
    }
    Ok(Output::Text)
}

/// As a template writes it.
pub(super) fn fmt(of: &[Argument<'_>], out: &mut String) -> Outcome {
    let format = Format::parse(of[1].text(), 0).map_err(|_| Fault::Domain)?;
    let value = match of[0] {
        Argument::Number(n) => Value::Number(n),
        Argument::Text(text) => text.into(),
        Argument::Color(color) => color.to_string().as_str().into(),
    };
    format.write(Some(&value), out);
    Ok(Output::Text)
}

/// The number that a text says.
pub(super) fn number(of: &[Argument<'_>], _: &mut String) -> Outcome {
    let number = of[0].text().trim().parse::<f64>().ok().filter(|n| n.is_finite());
    number.map(Output::Number).ok_or(Fault::Domain)
}

pub(super) fn color(of: &[Argument<'_>], _: &mut String) -> Outcome {
    let color = Color::parse(of[0].text().trim()).ok_or(Fault::Domain)?;
    Ok(Output::Number(f64::from(color.pack())))
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "not negative, and more characters than any text has are as good as any"
)]
fn count_of(n: f64) -> usize {
    n as usize
}
