//! Looks after the files of scripts: when one changes, its text is offered to the panel.
//!
//! Editors write a file in several steps, or another one that they give its name; so the folders are watched,
//! and a file is read when nothing has happened for a moment.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};

use super::SOURCE_BYTES_MAX;
use super::reloads::Reloads;
use crate::supervisor::worker::{Context, Failure};

/// Files are read when nothing has happened to them for so long.
const QUIET: Duration = Duration::from_millis(100);

/// They are read after so long even if something happens all the time.
const LONGEST: Duration = Duration::from_secs(1);

/// How often files are read where the system does not tell of changes at all.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// How often they are read anyhow: of a folder that was made anew, or that another machine writes into, nothing is
/// told.
const LOOK_AT_LEAST_EVERY: Duration = Duration::from_secs(10);

/// Looks after the files of all scripts until it is told to stop.
///
/// # Errors
/// An injected fault.
pub async fn run(context: Context, reloads: Reloads) -> Result<(), Failure> {
    let Some(paths) = reloads.paths() else {
        context.heart.resting(context.stopped()).await;
        return Ok(());
    };
    let (happened, happening) = flume::bounded(1);
    let watching = watch(&paths, happened.clone());
    if let Err(error) = &watching {
        let seconds = LOOK_EVERY.as_secs();
        tracing::warn!(%error, "changes of scripts are not told; they are looked for every {seconds} s");
    }
    // What has changed before anybody watched.
    reloads.offer(paths.iter().map(|path| text(path)).collect());
    loop {
        let every = if watching.is_ok() { LOOK_AT_LEAST_EVERY } else { LOOK_EVERY };
        let look = context.world.now() + every;
        tokio::select! {
            biased;
            () = context.heart.resting(context.stopped()) => return Ok(()),
            // This has the other end too, so that it is always open.
            _ = context.heart.resting(happening.recv_async()) => {}
            () = context.heart.resting(context.world.sleep_until(look)) => {}
        }
        if !quiet(&context, &happening).await {
            return Ok(());
        }
        context.strike("scripts.read").await?;
        reloads.offer(paths.iter().map(|path| text(path)).collect());
    }
}

/// Waits until nothing more happens; `false` where it is told to stop.
async fn quiet(context: &Context, happening: &flume::Receiver<()>) -> bool {
    let longest = context.world.now() + LONGEST;
    loop {
        let until = (context.world.now() + QUIET).min(longest);
        if !context.sleep_until(until).await {
            return false;
        }
        if happening.try_recv().is_err() || until == longest {
            return true;
        }
    }
}

/// Watches the folders of these files. What happens to them is told.
fn watch(paths: &[PathBuf], happened: flume::Sender<()>) -> notify::Result<RecommendedWatcher> {
    let names: BTreeSet<OsString> =
        paths.iter().filter_map(|path| path.file_name().map(OsString::from)).collect();
    let is_ours = move |path: &PathBuf| path.file_name().is_some_and(|name| names.contains(name));
    let tell = move |event: notify::Result<Event>| {
        let concerns = match event {
            Ok(event) => {
                let is_change = !matches!(event.kind, EventKind::Access(_));
                // Without a path something was missed.
                is_change && (event.paths.is_empty() || event.paths.iter().any(&is_ours))
            }
            Err(_) => true,
        };
        if concerns {
            // One that waits already says as much.
            let _ = happened.try_send(());
        }
    };
    let mut watcher = notify::recommended_watcher(tell)?;
    let folders: BTreeSet<&Path> = paths.iter().filter_map(|path| path.parent()).collect();
    for folder in folders {
        // The folder of a bare name is this one.
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        watcher.watch(folder, RecursiveMode::NonRecursive)?;
    }
    Ok(watcher)
}

/// The text of a script's file, as at the start. Nothing but a file is opened: a pipe would be waited for.
///
/// # Errors
/// Why it is none.
pub fn read(path: &Path) -> io::Result<String> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    let mut text = Vec::new();
    File::open(path)?.take(SOURCE_BYTES_MAX as u64 + 1).read_to_end(&mut text)?;
    if text.len() > SOURCE_BYTES_MAX {
        return Err(io::Error::other(format!("a script has {SOURCE_BYTES_MAX} bytes at most")));
    }
    let text = String::from_utf8(text).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        io::Error::other(format!("it is no UTF-8 text: byte {at} is at fault"))
    })?;
    // An editor's mark of UTF-8.
    Ok(text.strip_prefix('\u{feff}').map(String::from).unwrap_or(text))
}

fn text(path: &Path) -> Result<Arc<str>, String> {
    read(path).map(Arc::from).map_err(|error| error.to_string())
}
