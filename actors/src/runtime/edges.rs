//! The edges of the runtime: the actors around the core, each with a thread of its own.

use engine::sample::SourceId;
use tokio::sync::watch;

use super::core::Inlets;
use super::{Child, Error, Wiring, beginning};
use crate::clock::End;
use crate::output;
use crate::panel;
use crate::persistence::{self, Mailbox};
use crate::source::{KeySpec, Source};
use crate::supervisor::{self, Supervisor};

impl Wiring {
    pub(super) fn start_writer(&self) -> Result<Option<Mailbox>, Error> {
        let Some(options) = self.panel.persistence.clone() else { return Ok(None) };
        persistence::check(&options.file)?;
        let (mailbox, arriving) = persistence::mailbox();
        let labels = beginning::labels(&self.panel);
        let (world, telemetry) = (self.world, self.telemetry.persistence.clone());
        self.world.spawn("writer", move || persistence::run(options, labels, world, telemetry, arriving))?;
        Ok(Some(mailbox))
    }

    pub(super) fn start_outputs(&self) -> Result<Vec<Child>, Error> {
        let start = |(index, output): (usize, &panel::Output)| {
            let (stop, stopped) = watch::channel(false);
            let (answer, ended) = flume::bounded(1);
            let (pictures, telemetry) = (self.pictures.subscribe(), self.telemetry.output(index).clone());
            let context = output::Context::new(self.world, pictures, stopped, telemetry);
            let output = output.clone();
            self.world.spawn(output.name(), move || async move {
                output::run(output, context).await;
                let _ = answer.send(End::Stopped);
            })?;
            Ok(Child { stop, ended })
        };
        self.panel.outputs.iter().enumerate().map(start).collect()
    }

    /// The keys of a source, with the ranges that the configuration declares, and those that it alone
    /// declares.
    fn keys_of(&self, id: SourceId, source: &Source) -> Vec<KeySpec> {
        // What is wrong with a source's options was said when they were read; it says so again as it runs.
        let mut keys = source.kind.keys().unwrap_or_default();
        for declared in self.panel.keys.iter().filter(|declared| declared.source == id) {
            let name = declared.name.get(source.name.len() + 1..).unwrap_or_default();
            match keys.iter_mut().find(|key| &*key.name == name) {
                Some(key) => key.range = declared.range,
                None => keys.push(KeySpec {
                    name: name.into(),
                    kind: declared.kind,
                    range: declared.range,
                    unit: "",
                    description: String::new(),
                }),
            }
        }
        keys
    }

    pub(super) fn start_sources(&self, inlets: Inlets) -> Result<Child, Error> {
        let (stop, stopped) = watch::channel(false);
        let (answer, ended) = flume::bounded(1);
        let sources = (0..).map(SourceId).zip(&self.panel.sources).zip(inlets.ports);
        let children = sources
            .map(|((id, source), port)| supervisor::Child::new(source, self.keys_of(id, source), port));
        let supervisor = Supervisor {
            world: self.world,
            seed: self.panel.seed,
            children: children.collect(),
            reports: inlets.reports,
            doorbell: inlets.doorbell,
            stop: stopped,
        };
        self.world.spawn("supervisor", move || async move {
            supervisor.run().await;
            let _ = answer.send(End::Stopped);
        })?;
        Ok(Child { stop, ended })
    }
}
