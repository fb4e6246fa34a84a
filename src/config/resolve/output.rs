//! Where frames and data go: outputs, the web server, the database, the ring.

use std::net::SocketAddr;

use actors::panel::{Key, Output, Persistence};
use engine::ring::Limits;

use super::Setting;
use super::source::positive;
use crate::config::file;
use crate::config::problems::Problems;
use crate::config::{Http, Secret};

/// The outputs; the web page alone where the file says none.
pub(super) fn resolve(setting: Setting<'_>, problems: &mut Problems) -> Vec<Output> {
    let (outputs, at) = (&setting.file.output, setting.clean.get("output"));
    if outputs.is_empty() {
        return vec![Output::Web];
    }
    let mut resolved: Vec<Output> = Vec::new();
    for (index, output) in outputs.iter().enumerate() {
        let at = at.item(index);
        let output = match output {
            file::Output::Web {} => Output::Web,
            file::Output::Null {} => Output::Null,
            file::Output::Png { file, every } => Output::Png {
                file: setting.folder.join(&file.0),
                every: positive(*every, at.get("every"), setting.fps(), problems),
            },
        };
        if resolved.iter().any(|other| is_same(other, &output)) {
            let message = "another output writes to the same place already";
            problems.error(
                "duplicate-output",
                at.find("file").unwrap_or_else(|| at.get("kind")).span(),
                message,
            );
        }
        resolved.push(output);
    }
    resolved
}

fn is_same(a: &Output, b: &Output) -> bool {
    match (a, b) {
        (Output::Png { file: a, .. }, Output::Png { file: b, .. }) => a == b,
        _ => a == b,
    }
}

/// Where state is kept, if it is.
pub(super) fn persistence(setting: Setting<'_>, problems: &mut Problems) -> Option<Persistence> {
    let file::Persistence { enabled, file, flush } = setting.file.persistence.as_ref()?;
    let at = setting.clean.get("persistence").get("flush");
    let flush = positive(*flush, at, setting.fps(), problems);
    enabled.then(|| Persistence { file: setting.folder.join(&file.0), flush })
}

/// Where the web server listens, and to whom.
pub(super) fn http(setting: Setting<'_>, problems: &mut Problems) -> Http {
    let (http, at) = (&setting.file.http, setting.clean.get("http"));
    let usual = SocketAddr::from(([127, 0, 0, 1], 9185));
    let listen = http.listen.0.parse().unwrap_or(usual);
    let token = http.token.as_ref().and_then(|token| match (&token.env, &token.file) {
        (Some(env), None) => Some(Secret::Env(env.0.clone())),
        (None, Some(file)) => Some(Secret::File(setting.folder.join(&file.0))),
        _ => {
            let message = "a secret is in one place: a variable or a file";
            let help = "write `{ env = \"TINYDISPLAY_TOKEN\" }` or `{ file = \"token.txt\" }`";
            problems.error_help("bad-secret", at.get("token").span(), message, help);
            None
        }
    });
    if !listen.ip().is_loopback() && setting.raw.get("http").find("token").is_none() {
        let message = format!("`{listen}` is open to other machines, which need a token");
        let help = "write `token = { env = \"TINYDISPLAY_TOKEN\" }`, or listen on a loopback address, \"127.0.0.1:9185\"";
        problems.error_help("no-token", at.get("listen").span(), message, help);
    }
    Http { listen, token, hosts: http.hosts.iter().map(|host| host.0.to_ascii_lowercase()).collect() }
}

/// The ring's limits, which must hold all keys.
pub(super) fn ring(setting: Setting<'_>, keys: &[Key], problems: &mut Problems) -> Limits {
    let (ring, at) = (&setting.file.ring, setting.clean.get("ring"));
    if keys.len() > ring.keys {
        let (declared, held) = (keys.len(), ring.keys);
        let message =
            format!("the sources and `[keys]` declare {declared} keys, but the ring is to hold {held}");
        problems.error_help(
            "too-few",
            at.get("keys").span(),
            message,
            format!("write at least `keys = {}`", keys.len()),
        );
    }
    Limits { samples: ring.samples, bytes: ring.bytes, keys: ring.keys }
}
