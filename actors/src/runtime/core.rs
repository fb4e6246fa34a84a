//! The core: ring, expression, coordination and renderer, chained on one thread.

use std::path::PathBuf;

use actix::{Actor, Addr, Arbiter, Context};
use engine::animation::Pose;
use engine::coordination::Coordinator;
use engine::formula::Results;
use engine::ring::intake::{Intake, SourceSpec};
use engine::sample::{SourceId, SourceState};
use engine::scene::Stage;
use engine::signal::{self, Signal};

use super::{Error, Wiring, beginning};
use crate::coordination::{CoordinationActor, EventSink};
use crate::expression::ExpressionActor;
use crate::handle::SourceReport;
use crate::panel::Panel;
use crate::persistence::Mailbox;
use crate::recording::{Header, Recorder, Recording, Replay};
use crate::renderer::{Done, FrameSink, RendererActor};
use crate::ring::{Feed, Report, RingActor, SourceInfo};
use crate::source::Port;
use crate::source::port::{Arrivals, Doorbell};
use crate::world::World;

/// The core of a run.
pub(super) struct Core {
    pub(super) ring: Addr<RingActor>,
    pub(super) expression: Addr<ExpressionActor>,
    arbiter: Option<Arbiter>,
    deaths: flume::Receiver<()>,
}

/// The ways into the core.
pub(super) struct Inlets {
    pub(super) ports: Vec<Port>,
    pub(super) doorbell: Doorbell,
    pub(super) reports: flume::Sender<Report>,
    arrivals: Vec<Arrivals>,
    reported: flume::Receiver<Report>,
    /// What the face signals; nobody listens where a recording has the signals.
    pub(super) signals: flume::Sender<Signal>,
    signalled: Option<flume::Receiver<Signal>>,
    replay: Option<Recording>,
}

/// The ways out of the core, besides pictures.
pub(super) struct Outlets {
    pub(super) on_frame: Option<FrameSink>,
    pub(super) on_event: Option<EventSink>,
    pub(super) record: Option<PathBuf>,
    pub(super) writer: Option<Mailbox>,
}

impl Inlets {
    /// A port for every source; with a recording, its inputs instead.
    pub(super) fn new(world: World, panel: &Panel, replay: Option<Recording>) -> Inlets {
        let doorbell = Doorbell::default();
        let sources = (0..).map(SourceId).zip(&panel.sources);
        let ports = sources.map(|(id, source)| Port::new(id, world, source.policy, doorbell.clone()));
        let (ports, arrivals) = ports.unzip();
        let (reports, reported) = flume::unbounded();
        let (signals, signalled) = flume::bounded(signal::PER_TICK_MAX);
        let signalled = replay.is_none().then_some(signalled);
        Inlets { ports, doorbell, reports, arrivals, reported, signals, signalled, replay }
    }

    fn feed(&mut self, panel: &Panel) -> Feed {
        let (_, nobody) = flume::bounded(0);
        match self.replay.take() {
            Some(recording) => {
                Feed::Replay(Replay::new(recording, panel.sources.iter().map(|source| source.name.clone())))
            }
            None => Feed::Sources {
                ports: self.arrivals.clone(),
                reports: self.reported.clone(),
                doorbell: self.doorbell.clone(),
                signals: self.signalled.clone().unwrap_or(nobody),
            },
        }
    }
}

impl Core {
    /// Starts the chain, its end first. Returns it and what says that a tick has come out.
    pub(super) async fn start(
        wiring: &Wiring,
        header: &Header,
        inlets: &mut Inlets,
        outlets: Outlets,
    ) -> Result<(Core, flume::Receiver<Done>), Error> {
        let Outlets { on_frame, on_event, record, writer } = outlets;
        let (done, came_out) = flume::bounded(1);
        let (guard, deaths) = flume::bounded(4);
        let arbiter = if wiring.world.is_simulated() { None } else { Some(Arbiter::new()) };
        let place = Place { arbiter: arbiter.as_ref(), guard };
        let renderer = renderer(wiring, header, on_frame, done);
        let renderer = place.start(move || Ok(renderer)).await?;
        let coordination = coordination(wiring, on_event, writer, &renderer);
        let coordination = place.start(move || Ok(coordination)).await?;
        let (world, panel) = (wiring.world, wiring.panel.clone());
        let (next, telemetry) = (coordination.recipient(), wiring.telemetry.clone());
        // The Lua machine cannot leave the thread on which it was made.
        let expression = move || Ok(ExpressionActor::new(world, panel, next, telemetry)?);
        let expression = place.start(expression).await?;
        let ring = ring(wiring, header, inlets, record, &expression)?;
        let ring = place.start(move || Ok(ring)).await?;
        inlets.doorbell.connect(ring.downgrade().recipient());
        Ok((Core { ring, expression, arbiter, deaths }, came_out))
    }

    /// Returns when an actor of the core has panicked.
    pub(super) async fn died(&self) {
        let _ = self.deaths.recv_async().await;
    }

    /// Ends the core's thread.
    pub(super) fn stop(self) {
        if let Some(arbiter) = self.arbiter {
            arbiter.stop();
        }
    }
}

/// Where the core's actors are started.
struct Place<'a> {
    arbiter: Option<&'a Arbiter>,
    guard: flume::Sender<()>,
}

/// Says so when an actor panics: actix drops the actor and tells nobody.
struct Guarded(flume::Sender<()>);

impl Drop for Guarded {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let _ = self.0.try_send(());
        }
    }
}

impl Place<'_> {
    /// Starts the actor that `make` returns, on the core's thread.
    async fn start<A>(
        &self,
        make: impl FnOnce() -> Result<A, Error> + Send + 'static,
    ) -> Result<Addr<A>, Error>
    where
        A: Actor<Context = Context<A>>,
    {
        let guard = Guarded(self.guard.clone());
        let Some(arbiter) = self.arbiter else { return Ok(start(make()?, guard)) };
        let (answer, started) = flume::bounded(1);
        arbiter.spawn_fn(move || {
            let _ = answer.send(make().map(|actor| start(actor, guard)));
        });
        started.recv_async().await.map_err(|_| Error::CoreDied)?
    }
}

/// Starts an actor whose context holds the guard, so that it is dropped while a panic unwinds the actor.
fn start<A: Actor<Context = Context<A>>>(actor: A, guard: Guarded) -> Addr<A> {
    A::create(|context| {
        use actix::{AsyncContext, WrapFuture};
        context.spawn(
            async move {
                let _guard = guard;
                std::future::pending::<()>().await;
            }
            .into_actor(&actor),
        );
        actor
    })
}

fn renderer(
    wiring: &Wiring,
    header: &Header,
    sink: Option<FrameSink>,
    done: flume::Sender<Done>,
) -> RendererActor {
    let panel = &wiring.panel;
    let mut stage = Stage::new(panel.scene.clone(), panel.fps);
    for chart in beginning::charts(panel) {
        if let Some(points) = header.history.get(&chart.label) {
            stage.fill_series(chart.widget, points);
        }
    }
    RendererActor {
        world: wiring.world,
        stage,
        animations: panel.animations.clone(),
        starts: vec![None; panel.animations.len()],
        poses: vec![Pose::REST; panel.scene.widgets.len()],
        results: Results::new(panel.program.len()),
        states: vec![SourceState::default(); panel.sources.len()],
        pictures: wiring.pictures.clone(),
        spare: Vec::new(),
        missing_told: 0,
        sink,
        arrived: None,
        done,
        telemetry: wiring.telemetry.painting.clone(),
    }
}

fn coordination(
    wiring: &Wiring,
    sink: Option<EventSink>,
    writer: Option<Mailbox>,
    renderer: &Addr<RendererActor>,
) -> CoordinationActor {
    let panel = &wiring.panel;
    CoordinationActor {
        world: wiring.world,
        coordinator: Coordinator::new(&panel.page, panel.triggers.clone(), panel.animations.clone()),
        results: Results::new(panel.program.len()),
        sources: panel.sources.iter().map(|source| source.name.clone()).collect(),
        events: wiring.events.clone(),
        sink,
        writer,
        unnamed: std::sync::Arc::new([]),
        next: renderer.clone().recipient(),
        telemetry: wiring.telemetry.clone(),
    }
}

fn ring(
    wiring: &Wiring,
    header: &Header,
    inlets: &mut Inlets,
    record: Option<PathBuf>,
    expression: &Addr<ExpressionActor>,
) -> Result<RingActor, Error> {
    let panel = &wiring.panel;
    let names: Vec<_> = panel.sources.iter().map(|source| source.name.clone()).collect();
    let recorder = record.map(|file| Recorder::start(wiring.world, file, header, &names));
    let sources = panel.sources.iter().zip(&inlets.ports).map(|(source, port)| SourceInfo {
        report: SourceReport::new(&source.name, source.kind.name()),
        counts: port.counts(),
    });
    let sources = sources.collect();
    let mut intake = intake(panel, header.start_ms)?;
    if inlets.replay.is_some() && header.states {
        intake.only_told_states();
    }
    Ok(RingActor {
        world: wiring.world,
        intake,
        feed: inlets.feed(panel),
        sources,
        recorder: recorder.transpose()?,
        arrived: None,
        next: expression.clone().recipient(),
        telemetry: wiring.telemetry.clone(),
    })
}

fn intake(panel: &Panel, start_ms: i64) -> Result<Intake, Error> {
    let sources: Vec<_> = panel
        .sources
        .iter()
        .map(|source| SourceSpec {
            name: source.name.clone(),
            stale_after: source.stale_after.map(|after| panel.fps.ticks_in(after.as_millis() as u64)),
        })
        .collect();
    let declared: Vec<_> = panel
        .keys
        .iter()
        .map(|key| {
            let source = panel.sources.get(usize::from(key.source.0)).map_or("", |source| &source.name);
            let name = key.name.get(source.len() + 1..).unwrap_or_default();
            (key.source, name.to_string(), key.kind)
        })
        .collect();
    Intake::new(&sources, &declared, panel.ring, panel.fps, start_ms)
        .map_err(|(index, _)| Error::Key(panel.keys[index].name.clone()))
}
