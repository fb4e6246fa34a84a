//! Texts with rules of their own: the schema's `format`s.

use std::net::SocketAddr;

use engine::diagnostic::Diagnostic;

use crate::config::duration::Duration;
use crate::config::file::animation::Easing;
use crate::config::{names, utc_offset};

/// Whether `text` follows the format `name`; spans count from the text's begin.
///
/// Formats that are checked elsewhere, because they depend on the rest of the file (formulas, templates,
/// colours), and formats of numbers are always followed.
pub(super) fn check(name: &str, text: &str) -> Result<(), Diagnostic> {
    match name {
        "duration" => Duration::parse(text).map(drop),
        "easing" => Easing::parse(text).map(drop),
        "identifier" => names::check_identifier(text),
        "name" => names::check_name(text),
        "key" => names::check_key(text),
        "utc-offset" => utc_offset::parse(text).map(drop),
        "address" => check_address(text),
        "file" => check_file(text),
        _ => Ok(()),
    }
}

fn check_address(text: &str) -> Result<(), Diagnostic> {
    let whole = 0..text.len();
    match text.parse::<SocketAddr>() {
        Ok(address) if address.ip().is_loopback() => Ok(()),
        Ok(address) => Err(Diagnostic::error(
            "not-loopback",
            whole,
            format!("`{address}` would be open to other machines, which this version does not offer"),
        )
        .with_help(format!("write a loopback address: \"127.0.0.1:{}\"", address.port()))),
        Err(_) => Err(Diagnostic::error("bad-address", whole, format!("`{text}` is no IP address and port"))
            .with_help("write, for example, \"127.0.0.1:9185\" or \"[::1]:9185\"")),
    }
}

fn check_file(text: &str) -> Result<(), Diagnostic> {
    let whole = 0..text.len();
    if text.is_empty() {
        return Err(Diagnostic::error("bad-file", whole, "a file needs a name"));
    }
    if text.contains('\0') {
        return Err(Diagnostic::error("bad-file", whole, "a file's name cannot hold a zero byte"));
    }
    Ok(())
}
