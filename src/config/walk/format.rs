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
        "host" => check_host(text),
        "file" => check_file(text),
        _ => Ok(()),
    }
}

fn check_address(text: &str) -> Result<(), Diagnostic> {
    let whole = 0..text.len();
    match text.parse::<SocketAddr>() {
        Ok(_) => Ok(()),
        Err(_) => Err(Diagnostic::error("bad-address", whole, format!("`{text}` is no IP address and port"))
            .with_help("write, for example, \"127.0.0.1:9185\" or \"[::1]:9185\"")),
    }
}

fn check_host(text: &str) -> Result<(), Diagnostic> {
    let is_label = |label: &str| {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        !label.is_empty() && label.len() <= 63 && label.bytes().all(fits)
    };
    if text.len() <= 253 && text.split('.').all(is_label) {
        return Ok(());
    }
    Err(Diagnostic::error("bad-host", 0..text.len(), format!("`{text}` is no name of a machine"))
        .with_help("write a name without a port, such as \"panel.local\""))
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
