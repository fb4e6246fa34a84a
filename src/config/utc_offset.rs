//! A time zone's distance from UTC as users write it: `"+02:00"`, `"-03:30"`, `"Z"`.

use engine::diagnostic::Diagnostic;

/// The minutes east of UTC that `text` says.
pub(super) fn parse(text: &str) -> Result<i32, Diagnostic> {
    let malformed = || {
        Diagnostic::error("utc-offset", 0..text.len(), format!("`{text}` is no distance from UTC")).with_help(
            "write hours and minutes with a sign, such as \"+02:00\" or \"-03:30\", or \"Z\" for UTC",
        )
    };
    if text == "Z" {
        return Ok(0);
    }
    let (sign, rest) = match text.split_at_checked(1) {
        Some(("+", rest)) => (1, rest),
        Some(("-", rest)) => (-1, rest),
        _ => return Err(malformed()),
    };
    let (hours, minutes) = rest.split_once(':').ok_or_else(malformed)?;
    let two_digits = |part: &str| {
        (part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit()))
            .then(|| part.parse::<i32>().ok())
            .flatten()
    };
    match (two_digits(hours), two_digits(minutes)) {
        (Some(hours @ 0..=14), Some(minutes @ 0..=59)) => Ok(sign * (hours * 60 + minutes)),
        _ => Err(malformed()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_are_minutes_east() {
        for (text, minutes) in [
            ("Z", Some(0)),
            ("+02:00", Some(120)),
            ("-03:30", Some(-210)),
            ("+14:59", Some(899)),
            ("+15:00", None),
            ("+2:00", None),
            ("02:00", None),
            ("+02:60", None),
            ("+0200", None),
            ("", None),
            ("é", None),
        ] {
            assert_eq!(parse(text).ok(), minutes, "{text}");
        }
    }
}
