//! Calls as they are written on the command line: `name(1, "two", true, nil)`.

use engine::value::Value;

/// A call: a function's name and its arguments, `None` for `nil`.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// The function's name.
    pub name: String,
    /// The arguments.
    pub arguments: Vec<Option<Value>>,
}

/// The most arguments of a call.
pub const ARGUMENTS_MAX: usize = 64;

impl Call {
    /// Reads a call. Arguments are numbers, texts in `"…"` or `'…'`, `true`, `false` and `nil`.
    ///
    /// # Errors
    /// What is wrong with it, in a sentence.
    ///
    /// ```
    /// use actors::expression::script::call::Call;
    /// use engine::value::Value;
    /// let call = Call::parse("trend('up', 2.5, nil)").unwrap();
    /// assert_eq!((call.name.as_str(), call.arguments.len()), ("trend", 3));
    /// assert_eq!(call.arguments[0], Some(Value::from("up")));
    /// assert!(Call::parse("trend(").is_err());
    /// ```
    pub fn parse(text: &str) -> Result<Call, String> {
        let wrong = || format!("`{text}` is no call: write NAME(ARGUMENTS), such as dew_point(21.5, 60)");
        let (name, rest) = text.trim().split_once('(').ok_or_else(wrong)?;
        let inner = rest.strip_suffix(')').ok_or_else(wrong)?;
        let name = name.trim();
        let is_name = !name.is_empty()
            && !name.starts_with(|c: char| c.is_ascii_digit())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !is_name {
            return Err(wrong());
        }
        let mut arguments = Vec::new();
        let mut rest = inner.trim();
        while !rest.is_empty() {
            if arguments.len() == ARGUMENTS_MAX {
                return Err(format!("a call has at most {ARGUMENTS_MAX} arguments"));
            }
            let (argument, behind) = argument(rest)?;
            arguments.push(argument);
            rest = behind.trim_start();
            match rest.strip_prefix(',') {
                Some(more) if !more.trim().is_empty() => rest = more.trim_start(),
                _ if rest.is_empty() => break,
                _ => return Err(format!("here should be a comma and another argument: `{rest}`")),
            }
        }
        Ok(Call { name: name.into(), arguments })
    }
}

/// The first argument, and the text behind it.
fn argument(text: &str) -> Result<(Option<Value>, &str), String> {
    if let Some(quote) = text.chars().next().filter(|c| matches!(c, '"' | '\'')) {
        return quoted(text, quote);
    }
    let end = text.find(',').unwrap_or(text.len());
    let (word, behind) = (text[..end].trim(), &text[end..]);
    let number = || word.parse::<f64>().ok().filter(|number| number.is_finite());
    let value = match word {
        "nil" => None,
        "true" => Some(Value::Bool(true)),
        "false" => Some(Value::Bool(false)),
        _ => Some(Value::Number(number().ok_or_else(|| {
            format!("`{word}` is no argument: write a number, a text in quotes, true, false or nil")
        })?)),
    };
    Ok((value, behind))
}

fn quoted(text: &str, quote: char) -> Result<(Option<Value>, &str), String> {
    let mut value = String::new();
    let mut characters = text.char_indices().skip(1);
    while let Some((at, c)) = characters.next() {
        match c {
            '\\' => value.extend(characters.next().map(|(_, c)| match c {
                'n' => '\n',
                't' => '\t',
                other => other,
            })),
            c if c == quote => return Ok((Some(Value::from(value.as_str())), &text[at + 1..])),
            c => value.push(c),
        }
    }
    Err(format!("the text that begins here does not end: {text}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_read() {
        let number = |n| Some(Value::Number(n));
        for (text, name, arguments) in [
            ("f()", "f", vec![]),
            (" f ( ) ", "f", vec![]),
            ("f(1)", "f", vec![number(1.0)]),
            ("f_2(-1.5e3, nil)", "f_2", vec![number(-1500.0), None]),
            ("f('a,b)', \"c\\\"\\n\")", "f", vec![Some(Value::from("a,b)")), Some(Value::from("c\"\n"))]),
            ("f(true,false)", "f", vec![Some(Value::Bool(true)), Some(Value::Bool(false))]),
        ] {
            assert_eq!(Call::parse(text), Ok(Call { name: name.into(), arguments }), "{text}");
        }
        for text in [
            "", "f", "f(", "f(1,)", "f(,1)", "f('a)", "f(x)", "2f()", "f(1 2)", "f(inf)", "a.b()", "f('a' 1)",
        ] {
            assert!(Call::parse(text).is_err(), "{text}");
        }
        let many = |count: usize| format!("f({})", vec!["1"; count].join(","));
        assert!(Call::parse(&many(ARGUMENTS_MAX)).is_ok());
        assert!(Call::parse(&many(ARGUMENTS_MAX + 1)).is_err());
    }
}
