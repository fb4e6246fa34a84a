//! The token: who knows it may use a panel that other machines can reach.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};

use axum::http::{HeaderMap, HeaderValue, Uri, header};
use subtle::ConstantTimeEq;

use super::limits::{TOKEN_BYTES_MAX, TOKEN_BYTES_MIN};
use crate::config;

/// How long a browser may keep the token: 30 days.
const COOKIE_SECONDS: u32 = 30 * 86_400;

/// A token. It is never shown.
#[derive(Clone)]
pub(super) struct Token(String);

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

impl Token {
    /// Reads the token from where the configuration says that it is.
    ///
    /// # Errors
    /// When it is not there, or is none.
    pub(super) fn read(from: &config::Secret) -> io::Result<Token> {
        let text = match from {
            config::Secret::Env(name) => std::env::var(name).map_err(|_| {
                io::Error::other(format!("the token is to be in the variable {name}, which is not set"))
            })?,
            config::Secret::File(file) => {
                let mut text = String::new();
                let most = TOKEN_BYTES_MAX as u64 + 2;
                File::open(file).and_then(|opened| opened.take(most).read_to_string(&mut text)).map_err(
                    |error| io::Error::other(format!("the token's file {}: {error}", file.display())),
                )?;
                text
            }
        };
        Token::parse(text.trim_end_matches(['\r', '\n']))
    }

    fn parse(text: &str) -> io::Result<Token> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
        if (TOKEN_BYTES_MIN..=TOKEN_BYTES_MAX).contains(&text.len()) && text.bytes().all(fits) {
            return Ok(Token(text.into()));
        }
        Err(io::Error::other(format!(
            "a token has {TOKEN_BYTES_MIN} to {TOKEN_BYTES_MAX} letters, digits or -._~+/=; \
             `openssl rand -hex 32` makes a good one"
        )))
    }

    /// Whether a request brings the token along, as a program does or as a browser does.
    pub(super) fn is_in(&self, headers: &HeaderMap, port: u16) -> bool {
        let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let bearer = bearer.and_then(|value| value.split_once(' '));
        let bearer = bearer.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        let name = cookie_name(port);
        let cookies = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
        let mut cookies = cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.split_once('='));
        bearer.is_some_and(|(_, token)| self.is(token.trim()))
            || cookies.any(|(found, token)| found.trim() == name && self.is(token.trim()))
    }

    /// Whether the address that was opened has the token: `/?token=…`.
    pub(super) fn is_in_query(&self, uri: &Uri) -> Option<bool> {
        let mut pairs = uri.query()?.split('&').filter_map(|pair| pair.split_once('='));
        let (_, written) = pairs.find(|(name, _)| *name == "token")?;
        Some(self.is(&decoded(written)))
    }

    /// What has a browser keep the token, out of reach of any script and of any other site.
    pub(super) fn cookie(&self, port: u16) -> Option<HeaderValue> {
        let (name, token) = (cookie_name(port), &self.0);
        let cookie = format!("{name}={token}; Path=/; Max-Age={COOKIE_SECONDS}; HttpOnly; SameSite=Strict");
        let mut value = HeaderValue::try_from(cookie).ok()?;
        value.set_sensitive(true);
        Some(value)
    }

    /// Takes as long for a wrong token as for the right one of the same length.
    fn is(&self, other: &str) -> bool {
        self.0.as_bytes().ct_eq(other.as_bytes()).into()
    }
}

/// Cookies do not tell ports apart, so that the name has to.
fn cookie_name(port: u16) -> String {
    format!("tinydisplay-{port}")
}

/// The text without its percent signs; a `+` stays one.
fn decoded(text: &str) -> String {
    let digit = |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16));
    let (bytes, mut out, mut at) = (text.as_bytes(), Vec::new(), 0);
    while let Some(byte) = bytes.get(at) {
        match (byte, digit(bytes.get(at + 1)), digit(bytes.get(at + 2))) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                at += 3;
            }
            _ => {
                out.push(*byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "0123456789abc+/=";

    #[test]
    fn tokens_have_a_form() {
        let long = "x".repeat(TOKEN_BYTES_MAX + 1);
        for (text, expected) in [
            (TEXT, true),
            (&TEXT[1..], false),
            ("", false),
            (&long[1..], true),
            (&long, false),
            ("0123456789 abcdefg", false),
            ("0123456789\nabcdefg", false),
            ("0123456789ü0123456", false),
        ] {
            assert_eq!(Token::parse(text).is_ok(), expected, "{text:.40}");
        }
        assert_eq!(format!("{:?}", Token::parse(TEXT).unwrap()), "Token(…)");
    }

    #[test]
    fn tokens_come_from_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        let check = |content: &str, expected: &str| {
            std::fs::write(&file, content).unwrap();
            let read = Token::read(&config::Secret::File(file.clone()));
            let told = read.map_or_else(|error| error.to_string(), |token| token.0);
            assert!(told.contains(expected), "{told}");
            assert!(!told.contains("secret"), "{told}");
        };
        check(&format!("{TEXT}\n"), TEXT);
        check("secret", "a token has 16 to 512");
        check(&"secret".repeat(100_000), "a token has 16 to 512");
        let missing = config::Secret::File(folder.path().join("none"));
        assert!(Token::read(&missing).unwrap_err().to_string().contains("none"));
        let unset = Token::read(&config::Secret::Env("TINYDISPLAY_NO_SUCH_TOKEN".into()));
        assert!(unset.unwrap_err().to_string().contains("TINYDISPLAY_NO_SUCH_TOKEN, which is not set"));
    }

    #[test]
    fn tokens_are_found() {
        let token = Token::parse(TEXT).unwrap();
        let check = |name: &'static str, value: &str, expected| {
            let headers =
                HeaderMap::from_iter([(header::HeaderName::from_static(name), value.parse().unwrap())]);
            assert_eq!(token.is_in(&headers, 80), expected, "{name}: {value}");
        };
        check("authorization", &format!("Bearer {TEXT}"), true);
        check("authorization", &format!("bearer  {TEXT}"), true);
        check("authorization", &format!("Basic {TEXT}"), false);
        check("authorization", TEXT, false);
        check("authorization", "Bearer ", false);
        check("authorization", &format!("Bearer {TEXT}x"), false);
        check("authorization", &format!("Bearer {}", TEXT.to_uppercase()), false);
        check("cookie", &format!("a=b; tinydisplay-80={TEXT}"), true);
        check("cookie", &format!("tinydisplay-81={TEXT}"), false);
        check("cookie", &format!("a={TEXT}"), false);
        for (uri, expected) in [
            ("/", None),
            ("/?a=b", None),
            ("/?token=", Some(false)),
            ("/?a=b&token=0123456789abc+/=", Some(true)),
            ("/?token=0123456789abc%2B%2f%3D", Some(true)),
            ("/?token=%", Some(false)),
            ("/?token=%zz0123456789abc", Some(false)),
        ] {
            assert_eq!(token.is_in_query(&uri.parse().unwrap()), expected, "{uri}");
        }
    }
}
