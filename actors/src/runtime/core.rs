//! The core: ring, expression, coordination and renderer, chained on one thread, and the clock. When one of
//! them fails, all are started anew, and go on where the failed ones were: see [`crate::journal`].

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use actix::Recipient;
use engine::animation::Pose;
use engine::coordination::Coordinator;
use engine::formula::Results;
use engine::ring::intake::{Intake, SourceSpec};
use engine::sample::{SourceId, SourceState};
use engine::scene::Stage;
use engine::signal::{self, Signal};
use tokio::sync::watch;

use super::{Error, Wiring, beginning};
use crate::clock::{Clock, End};
use crate::coordination::{Coordinated, CoordinationActor, Decisions, EventSink};
use crate::expression::script::Offences;
use crate::expression::script::handlers::{Handlers, Names};
use crate::expression::{Evaluated, ExpressionActor, Surroundings};
use crate::handle::{Pulse, QuerySamples, QuerySources, QueryValues, QueryWindows, Slot, SourceReport};
use crate::journal::{Fenced, Journal, Sink};
use crate::panel::Panel;
use crate::persistence::Mailbox;
use crate::recording::{Header, Recorder, Recording, Replay};
use crate::renderer::{self, Done, FrameSink, RendererActor, Show};
use crate::ring::{Begin, Feed, Inputs, Records, Report, RingActor, SourceInfo};
use crate::source::Port;
use crate::source::port::{Arrivals, Doorbell};
use crate::supervisor::fence::Pass;
use crate::supervisor::worker::{Context, Failure};
use crate::telemetry::Telemetry;
use crate::world::World;

/// What every generation of the core is made of, and what outlives them. Clones share it.
#[derive(Clone)]
pub(super) struct Core(Arc<Lasting>);

struct Lasting {
    world: World,
    panel: Arc<Panel>,
    header: Header,
    telemetry: Telemetry,
    /// What charts show first, and where time begins, come from the header; ticks end here.
    ticks: Option<u64>,
    feed: Feed,
    sources: Vec<SourceInfo>,
    journal: Journal,
    records: Fenced<Records>,
    decisions: Fenced<Decisions>,
    show: Fenced<Show>,
    on_event: Sink<EventSink>,
    on_frame: Sink<FrameSink>,
    pulse: watch::Sender<Pulse>,
    questions: Questions,
    chain: Fenced<Chain>,
    entrance: watch::Sender<Option<Entrance>>,
}

/// Who answers what the face asks.
struct Questions {
    values: Slot<QueryValues>,
    sources: Slot<QuerySources>,
    windows: Slot<QueryWindows>,
    samples: Slot<QuerySamples>,
}

/// How the actors of a generation find each other: each is started after the one that it sends to, on the
/// same thread.
#[derive(Default)]
struct Chain {
    broken: watch::Sender<bool>,
    done: Option<flume::Receiver<Done>>,
    renderer: Option<Recipient<Coordinated>>,
    coordination: Option<Recipient<Evaluated>>,
    expression: Option<Recipient<Inputs>>,
    offences: Offences,
}

/// Where the clock of a generation, which has a thread of its own, finds the chain.
#[derive(Clone)]
struct Entrance {
    pass: Pass,
    ring: Recipient<Begin>,
    done: flume::Receiver<Done>,
    broken: watch::Receiver<bool>,
}

/// Breaks the chain when an actor ends, however it does, so that the clock does not wait for it.
struct Link(watch::Sender<bool>);

impl Drop for Link {
    fn drop(&mut self) {
        self.0.send_replace(true);
    }
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
    pub(super) recorder: Option<Recorder>,
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

    /// Each port with its receiving side.
    pub(super) fn both_ends(&self) -> Vec<(Port, Arrivals)> {
        self.ports.iter().cloned().zip(self.arrivals.iter().cloned()).collect()
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
    /// A core that nobody has started.
    ///
    /// # Errors
    /// Keys that cannot be declared.
    pub(super) fn new(
        wiring: &Wiring,
        header: Header,
        ticks: Option<u64>,
        inlets: &mut Inlets,
        outlets: Outlets,
    ) -> Result<Core, Error> {
        let Outlets { on_frame, on_event, recorder, writer } = outlets;
        let panel = wiring.panel.clone();
        intake(&panel, header.start_ms)?;
        let sources = panel.sources.iter().zip(&inlets.ports).map(|(source, port)| SourceInfo {
            report: SourceReport::new(&source.name, source.kind.name()),
            counts: port.counts(),
        });
        Ok(Core(Arc::new(Lasting {
            world: wiring.world,
            telemetry: wiring.telemetry.clone(),
            sources: sources.collect(),
            feed: inlets.feed(&panel),
            journal: Journal::new(panel.ring),
            records: Fenced::new(Records::new(recorder)),
            decisions: Fenced::new(Decisions::new(wiring.events.clone(), writer, inlets.signals.clone())),
            show: Fenced::new(Show::new(wiring.pictures.clone())),
            on_event: Sink::new(on_event),
            on_frame: Sink::new(on_frame),
            pulse: wiring.pulse.clone(),
            questions: Questions {
                values: wiring.values.clone(),
                sources: wiring.sources.clone(),
                windows: wiring.windows.clone(),
                samples: wiring.samples.clone(),
            },
            chain: Fenced::new(Chain::default()),
            entrance: watch::channel(None).0,
            panel,
            header,
            ticks,
        })))
    }

    /// Runs the renderer, the first to be started.
    pub(super) async fn run_renderer(self, context: Context) -> Result<(), Failure> {
        let (done, came_out) = flume::unbounded();
        self.0.journal.begin(&context.pass).ok_or_else(replaced)?;
        let _link = self.link(&context, |chain| {
            let offences = Offences::new(self.0.panel.scripts.files.len());
            *chain = Chain { done: Some(came_out), offences, ..Chain::default() };
        })?;
        let actor = self.renderer(&context, done);
        let started = |address: actix::Addr<RendererActor>| {
            self.enter(&context, |chain| chain.renderer = Some(address.recipient()));
        };
        context.act(actor, started).await
    }

    /// Runs coordination, on the renderer's thread, after it.
    pub(super) async fn run_coordination(self, context: Context) -> Result<(), Failure> {
        let (mut next, mut offences) = (None, Offences::default());
        let _link = self.link(&context, |chain| {
            (next, offences) = (chain.renderer.take(), chain.offences.clone());
        })?;
        let actor = self.coordination(&context, next.ok_or_else(|| missing("renderer"))?, offences)?;
        let started = |address: actix::Addr<CoordinationActor>| {
            self.enter(&context, |chain| chain.coordination = Some(address.recipient()));
        };
        context.act(actor, started).await
    }

    /// Runs the expressions, on the same thread, after coordination.
    pub(super) async fn run_expression(self, context: Context) -> Result<(), Failure> {
        let (mut next, mut offences) = (None, Offences::default());
        let _link = self.link(&context, |chain| {
            (next, offences) = (chain.coordination.take(), chain.offences.clone());
        })?;
        let actor = self.expression(&context, next.ok_or_else(|| missing("coordination"))?, offences)?;
        let started = |address: actix::Addr<ExpressionActor>| {
            self.enter(&context, |chain| {
                self.0.questions.values.point(address.downgrade().recipient());
                self.0.questions.windows.point(address.downgrade().recipient());
                chain.expression = Some(address.recipient());
            });
        };
        context.act(actor, started).await
    }

    /// Runs the ring, on the same thread, after the expressions.
    pub(super) async fn run_ring(self, context: Context) -> Result<(), Failure> {
        let (mut next, mut done) = (None, None);
        let _link =
            self.link(&context, |chain| (next, done) = (chain.expression.take(), chain.done.take()))?;
        let next = next.ok_or_else(|| missing("expression"))?;
        let done = done.ok_or_else(|| missing("renderer"))?;
        let actor = self.ring(&context, next)?;
        let started = |address: actix::Addr<RingActor>| {
            self.enter(&context, |chain| {
                self.0.questions.sources.point(address.downgrade().recipient());
                self.0.questions.samples.point(address.downgrade().recipient());
                if let Feed::Sources { doorbell, .. } = &self.0.feed {
                    doorbell.connect(address.downgrade().recipient());
                }
                let (pass, broken) = (context.pass.clone(), chain.broken.subscribe());
                let ring = address.recipient();
                self.0.entrance.send_replace(Some(Entrance { pass, ring, done, broken }));
            });
        };
        context.act(actor, started).await
    }

    /// Runs the clock, on a thread of its own, after the ring: until the run's last tick, or until it is
    /// told to stop.
    ///
    /// # Errors
    /// If no tick comes out of the core any more: who has failed is most likely another one.
    pub(super) async fn run_clock(self, context: Context) -> Result<End, Failure> {
        let (world, grace) = (self.0.world, self.grace());
        let mut entrance = self.0.entrance.subscribe();
        let is_open = |entrance: &Option<Entrance>| {
            entrance.as_ref().is_some_and(|entrance| entrance.pass.is_valid() && entrance.ring.connected())
        };
        let mut stops_by = None;
        // A core that is told to end while it comes back has still to work off what was accepted.
        let patience = async {
            context.stopped().await;
            world.sleep_until(*stops_by.insert(world.now() + grace)).await;
        };
        // How long the others take to start is seen by their own hearts.
        let entered = tokio::select! {
            biased;
            entered = context.heart.resting(entrance.wait_for(is_open)) => {
                entered.ok().and_then(|entrance| entrance.clone())
            }
            () = patience => None,
        };
        let Some(Entrance { ring, done, broken, .. }) = entered.filter(|_| context.pass.is_valid()) else {
            tracing::error!("the core did not come back in time to show all that had been accepted");
            return Ok(End::Stopped);
        };
        let clock = Clock {
            world,
            fps: self.0.panel.fps,
            core: ring,
            done,
            broken,
            resumption: self.0.journal.resumption(),
            supervision: context,
            ports: match &self.0.feed {
                Feed::Sources { ports, .. } => ports.clone(),
                Feed::Replay(_) => Vec::new(),
            },
            grace,
            stops_by,
            pulse: self.0.pulse.clone(),
            telemetry: self.0.telemetry.clock.clone(),
            ticks: self.0.ticks,
            start_ms: (!self.replays()).then_some(self.0.header.start_ms),
        };
        match clock.run().await {
            End::CoreDied => Err(Failure::Transient("the core does not answer any more".into())),
            end => Ok(end),
        }
    }
}

/// What part of the core's time to end its clock may take for the last ticks: the rest is for the others, and
/// for a clock that is held up by a tick.
const GRACE: f64 = 0.75;

fn replaced() -> Failure {
    Failure::Transient("another one has taken its place".into())
}

fn missing(actor: &str) -> Failure {
    Failure::Transient(format!("the {actor} has not started"))
}

impl Core {
    /// Does `work` with the chain, unless the actor was left behind and its chain is not this one any more.
    fn enter<T>(&self, context: &Context, work: impl FnOnce(&mut Chain) -> T) -> Option<T> {
        self.0.chain.enter(&context.pass, work)
    }

    /// Does `work` with the chain and joins it.
    ///
    /// # Errors
    /// If the actor was left behind before it came so far.
    fn link(&self, context: &Context, work: impl FnOnce(&mut Chain)) -> Result<Link, Failure> {
        let link = self.enter(context, |chain| {
            work(chain);
            Link(chain.broken.clone())
        });
        link.ok_or_else(replaced)
    }

    /// How long a clock that is told to stop goes on.
    fn grace(&self) -> Duration {
        self.0.panel.supervision.core.shutdown.mul_f64(GRACE)
    }

    fn replays(&self) -> bool {
        matches!(self.0.feed, Feed::Replay(_))
    }

    /// Whether the clock may end calls of scripts.
    fn is_timed(&self) -> bool {
        !self.replays() && !self.0.world.is_simulated()
    }

    fn renderer(&self, context: &Context, done: flume::Sender<Done>) -> RendererActor {
        let (panel, lasting) = (&self.0.panel, &self.0);
        let mut stage = Stage::new(panel.scene.clone(), panel.fps).guarded(renderer::guard);
        for chart in beginning::charts(panel) {
            if let Some(points) = lasting.header.history.get(&chart.label) {
                stage.fill_series(chart.widget, points);
            }
        }
        let mut actor = RendererActor {
            world: lasting.world,
            stage,
            animations: panel.animations.clone(),
            starts: vec![None; panel.animations.len()],
            poses: vec![Pose::REST; panel.scene.widgets.len()],
            results: Results::new(panel.program.len()),
            states: vec![SourceState::default(); panel.sources.len()],
            show: lasting.show.clone(),
            spare: Vec::new(),
            sink: lasting.on_frame.clone(),
            missing_told: 0,
            arrived: None,
            broken: Default::default(),
            journal: lasting.journal.clone(),
            pass: context.pass.clone(),
            vitals: context.vitals(),
            done,
            telemetry: lasting.telemetry.painting.clone(),
        };
        lasting.journal.checkpoint().iter().for_each(|checkpoint| actor.restore(&checkpoint.renderer));
        actor
    }

    /// Nor can the machines of handlers leave theirs.
    fn coordination(
        &self,
        context: &Context,
        next: Recipient<Coordinated>,
        offences: Offences,
    ) -> Result<CoordinationActor, Failure> {
        let (panel, lasting) = (&self.0.panel, &self.0);
        let handlers = Handlers::new(&panel.scripts, &handler_names(panel), panel.fps, panel.seed);
        let mut handlers = handlers.map_err(|failure| Failure::Configuration(failure.to_string()))?;
        handlers.iter_mut().for_each(|handlers| handlers.remember(&lasting.header.state));
        let mut named = vec![None; panel.program.len()];
        panel.values.iter().enumerate().for_each(|(index, (_, id))| named[id.0 as usize] = Some(index));
        let mut actor = CoordinationActor {
            world: lasting.world,
            coordinator: Coordinator::new(&panel.page, panel.triggers.clone(), panel.animations.clone()),
            results: Results::new(panel.program.len()),
            handlers: handlers.map(|handlers| handlers.counting(offences)),
            panel: panel.clone(),
            is_timed: self.is_timed(),
            records: lasting.records.clone(),
            nothing: Arc::new([]),
            named: (panel.keys.len(), named.into()),
            logged: BTreeMap::new(),
            sources: panel.sources.iter().map(|source| source.name.clone()).collect(),
            decisions: lasting.decisions.clone(),
            sink: lasting.on_event.clone(),
            journal: lasting.journal.clone(),
            pass: context.pass.clone(),
            vitals: context.vitals(),
            next,
            telemetry: lasting.telemetry.clone(),
        };
        lasting.journal.checkpoint().iter().for_each(|checkpoint| actor.restore(&checkpoint.coordination));
        Ok(actor)
    }

    /// The Lua machine cannot leave the thread on which it was made.
    fn expression(
        &self,
        context: &Context,
        next: Recipient<Evaluated>,
        offences: Offences,
    ) -> Result<ExpressionActor, Failure> {
        let lasting = &self.0;
        let around = Surroundings {
            world: lasting.world,
            journal: lasting.journal.clone(),
            records: lasting.records.clone(),
            is_timed: self.is_timed(),
            pass: context.pass.clone(),
            vitals: context.vitals(),
            next,
            offences,
            telemetry: lasting.telemetry.clone(),
        };
        let actor = ExpressionActor::new(lasting.panel.clone(), around);
        let mut actor = actor.map_err(|error| Failure::Transient(error.to_string()))?;
        match lasting.journal.checkpoint() {
            Some(checkpoint) => actor.restore(&checkpoint.expression),
            None => actor.remember(&lasting.header),
        }
        Ok(actor)
    }

    fn ring(&self, context: &Context, next: Recipient<Inputs>) -> Result<RingActor, Failure> {
        let lasting = &self.0;
        let intake = intake(&lasting.panel, lasting.header.start_ms);
        let mut intake = intake.map_err(|error| Failure::Configuration(error.to_string()))?;
        if self.replays() && lasting.header.states {
            intake.only_told_states();
        }
        let mut actor = RingActor {
            world: lasting.world,
            intake,
            feed: lasting.feed.clone(),
            sources: lasting.sources.clone(),
            set: 0,
            turn: 0,
            arrived: None,
            records: lasting.records.clone(),
            journal: lasting.journal.clone(),
            pass: context.pass.clone(),
            vitals: context.vitals(),
            next,
            telemetry: lasting.telemetry.clone(),
        };
        lasting.journal.checkpoint().iter().for_each(|checkpoint| actor.restore(&checkpoint.ring));
        Ok(actor)
    }
}

/// What scripts' handlers can name.
fn handler_names(panel: &Panel) -> Names {
    Names {
        keys: panel.keys.iter().map(|key| (key.name.clone(), key.kind)).collect(),
        values: (panel.values.iter())
            .map(|(name, id)| (name.clone(), *id, panel.program.kind(*id)))
            .collect(),
        defaults: panel.keys.iter().map(|key| key.default.clone()).collect(),
        animations: panel.animations.iter().map(|animation| animation.name.clone()).collect(),
    }
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
