//! Scripts that change while the panel runs: new texts are checked here, away from the core, and taken up by it
//! as a sealed input only where all is well with them. Otherwise the old ones stay.

use std::path::PathBuf;
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use engine::diagnostic::Severity;
use engine::script::Script;

use super::library::renewal::{Refusal, Used, is_builtin};
use super::{File, Library, View};
use crate::panel::Panel;
use crate::ring::Report;
use crate::telemetry;

/// The way to take up scripts anew. Clones are the same one.
#[derive(Clone)]
pub struct Reloads(Arc<Shared>);

struct Shared {
    panel: Arc<Panel>,
    used: Vec<Used>,
    /// `None` where the run shows a recording, which has its own texts.
    reports: Option<flume::Sender<Report>>,
    telemetry: telemetry::Scripts,
    /// Held while texts are looked at, which may take long.
    turn: Mutex<()>,
    state: Mutex<State>,
}

struct State {
    /// The scripts that were taken up last.
    library: Library,
    scripts: Vec<Known>,
}

/// What is known of a script.
#[derive(Clone, Default)]
struct Known {
    reloads: u64,
    refusal: Option<Refusal>,
    /// What was offered last.
    offered: Option<Result<Arc<str>, String>>,
}

/// A script as the face shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptReport {
    /// Its file.
    pub file: Arc<str>,
    /// How its functions are called.
    pub functions: Vec<String>,
    /// Its handlers.
    pub handlers: Vec<&'static str>,
    /// How often a new text of it was taken up.
    pub reloads: u64,
    /// Why the newest text was not, if it was not.
    pub refusal: Option<Refusal>,
}

impl Reloads {
    /// Takes up texts for the scripts of `panel`, and tells the ring through `reports`.
    pub fn new(
        panel: Arc<Panel>,
        reports: Option<flume::Sender<Report>>,
        telemetry: telemetry::Scripts,
    ) -> Reloads {
        let library = panel.scripts.clone();
        let scripts = vec![Known::default(); library.files.len()];
        Reloads(Arc::new(Shared {
            used: panel.used_functions(),
            panel,
            reports,
            telemetry,
            turn: Mutex::new(()),
            state: Mutex::new(State { library, scripts }),
        }))
    }

    /// The scripts that were taken up last: the core has them, or has them with its next tick.
    pub fn library(&self) -> Library {
        self.state().library.clone()
    }

    /// All scripts and how they are doing.
    pub fn reports(&self) -> Vec<ScriptReport> {
        let state = self.state();
        let library = &state.library;
        let report = |(index, (file, known)): (usize, (&File, &Known))| {
            let own = library.present().filter(|(_, owner)| *owner == index);
            ScriptReport {
                file: file.name.clone(),
                functions: own.map(|(function, _)| function.signature()).collect(),
                handlers: library.handlers[index].clone(),
                reloads: known.reloads,
                refusal: known.refusal.clone(),
            }
        };
        library.files.iter().zip(&state.scripts).enumerate().map(report).collect()
    }

    /// Where the scripts' files are; `None` where they are on no disk.
    pub(super) fn paths(&self) -> Option<Vec<PathBuf>> {
        let library = self.library();
        let folder = library.folder?;
        Some(library.files.iter().map(|file| folder.join(&*file.name)).collect())
    }

    /// Offers the texts of all scripts, in their order, or why one cannot be read. Those that are other ones are
    /// taken up all together; where that cannot be, each by itself. What is not taken up is told and stays as it
    /// was.
    pub fn offer(&self, texts: Vec<Result<Arc<str>, String>>) {
        let _turn = self.0.turn.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.is_news(&texts) {
            return;
        }
        let old = self.library();
        let mut changed = Vec::new();
        for (index, (file, text)) in old.files.iter().zip(texts).enumerate() {
            match text {
                Ok(text) if text == file.text => self.know(index, |known| known.refusal = None),
                Ok(text) => changed.push((index, text)),
                Err(error) => self.refuse(Refusal {
                    file: file.name.clone(),
                    line: 1,
                    message: format!("it cannot be read: {error}"),
                    help: None,
                }),
            }
        }
        if changed.is_empty() || self.take(&changed).is_ok() {
            return;
        }
        for one in changed {
            if let Err(refusal) = self.take(&[one]) {
                self.refuse(refusal);
            }
        }
    }

    /// Whether these are others than those that were offered last, and takes note of them.
    fn is_news(&self, texts: &[Result<Arc<str>, String>]) -> bool {
        let mut is_news = false;
        for (known, text) in self.state().scripts.iter_mut().zip(texts) {
            is_news |= known.offered.as_ref() != Some(text);
            known.offered = Some(text.clone());
        }
        is_news
    }

    /// Takes up texts, all or none.
    fn take(&self, changed: &[(usize, Arc<str>)]) -> Result<(), Refusal> {
        let old = self.library();
        self.check(&old, changed)?;
        let script = |(index, text): &(usize, Arc<str>)| Script {
            file: old.files[*index].name.clone(),
            text: text.clone(),
        };
        let scripts: Arc<[Script]> = changed.iter().map(script).collect();
        let new = old.renewed(&scripts, &self.0.used)?;
        self.state().library = new;
        for (index, _) in changed {
            self.know(*index, |known| {
                known.reloads += 1;
                known.refusal = None;
            });
            self.0.telemetry.reloaded.increment(1);
        }
        if let Some(reports) = &self.0.reports {
            // The ring is gone only when the run is over.
            let _ = reports.send(Report::Scripts(scripts));
        }
        Ok(())
    }

    /// Compiles and runs other texts of scripts once.
    fn check(&self, old: &Library, changed: &[(usize, Arc<str>)]) -> Result<(), Refusal> {
        let panel = &self.0.panel;
        let mut files = old.files.to_vec();
        for (index, text) in changed {
            files[*index].text = text.clone();
        }
        let keys = panel.keys.iter().map(|key| key.name.as_str());
        let view = View::new(keys, panel.values.iter().map(|(name, _)| name.as_str()), panel.fps);
        let (_, problems) = Library::check(files.clone(), old.limits, &Rc::new(view), is_builtin);
        let error = problems.into_iter().find(|problem| problem.diagnostic.severity == Severity::Error);
        error.map_or(Ok(()), |problem| Err(Refusal::of(&files[problem.file], problem.diagnostic)))
    }

    fn refuse(&self, refusal: Refusal) {
        tracing::error!(help = refusal.help, "{refusal}; the script stays as it was");
        self.0.telemetry.refused.increment(1);
        let mut state = self.state();
        let index = state.library.files.iter().position(|file| file.name == refusal.file);
        if let Some(known) = index.and_then(|index| state.scripts.get_mut(index)) {
            known.refusal = Some(refusal);
        }
    }

    fn know(&self, index: usize, note: impl FnOnce(&mut Known)) {
        if let Some(known) = self.state().scripts.get_mut(index) {
            note(known);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
