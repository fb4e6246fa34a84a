//! Workers: what a supervisor starts, and what a running one has to do with its supervisor.

use std::future::Future;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use actix::{Actor, ActorContext, Addr, AsyncContext};
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use tokio::sync::watch;

use super::fence::Pass;
use super::heart::{Heart, Work};
use super::policy::Exceptions;
use crate::fault::{Fault, Faults};
use crate::world::World;

/// Starts a worker: called anew for every generation, on the worker's thread. What the future comes to is
/// how the worker ended; one that is told to stop and does so returns `Ok`.
pub type Run = Arc<dyn Fn(Context) -> LocalBoxFuture<'static, Result<(), Failure>> + Send + Sync>;

/// Makes a [`Run`] of an async function.
pub fn run<F, Fut>(start: F) -> Run
where
    F: Fn(Context) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), Failure>> + 'static,
{
    Arc::new(move |context| Box::pin(start(context)))
}

/// Why a worker cannot go on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// It may work another time: it is started anew.
    #[error("{0}")]
    Transient(String),
    /// It cannot work as configured: it is not started again.
    #[error("{0}")]
    Configuration(String),
}

/// Something to be supervised.
#[derive(Clone)]
pub struct Worker {
    /// Its name in reports, metrics and logs, unique in a run: `ring`, `source.cpu`, `output.png`.
    pub name: Arc<str>,
    /// What kind of worker it is, in the names of its fail points: `ring`, `source`, `output`.
    pub role: &'static str,
    /// Where in the tree it stands.
    pub group: Group,
    /// Whether it runs on the one thread that all such workers share; if not, it has one of its own.
    pub shares_thread: bool,
    /// Where it differs from its group.
    pub exceptions: Exceptions,
    /// Starts it.
    pub run: Run,
}

/// The groups of the tree, in the order of their start; they stop in the reverse order. Consumers start
/// before producers, so that all that was accepted is shown and written when a run ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// The web server.
    Http,
    /// The outputs, each by itself.
    Outputs,
    /// The recorder of a recording.
    Recorder,
    /// The writer of the database.
    Writer,
    /// Renderer, coordination, expression, ring and clock: all of them or none. All but the clock share one
    /// thread.
    Core,
    /// The sources, each by itself.
    Sources,
}

impl Group {
    /// All groups, in the order of their start.
    pub const ALL: [Group; 6] =
        [Group::Http, Group::Outputs, Group::Recorder, Group::Writer, Group::Core, Group::Sources];

    /// Whether its workers hold what was accepted and is kept nowhere else. A picture is shown and not kept: a
    /// slow output leaves out others, too.
    pub(super) fn holds_data(self) -> bool {
        match self {
            Group::Recorder | Group::Writer | Group::Core => true,
            Group::Http | Group::Outputs | Group::Sources => false,
        }
    }

    /// Its name in the configuration and in reports.
    pub fn name(self) -> &'static str {
        match self {
            Group::Http => "http",
            Group::Outputs => "outputs",
            Group::Recorder => "recorder",
            Group::Writer => "writer",
            Group::Core => "core",
            Group::Sources => "sources",
        }
    }
}

/// What a running worker has to do with its supervisor and with the world.
#[derive(Clone, Debug)]
pub struct Context {
    /// Time, real or virtual.
    pub world: World,
    /// Shows that the worker lives.
    pub heart: Heart,
    /// Which generation this is: to be shown wherever a late one must not write.
    pub pass: Pass,
    /// The worker's fail points.
    pub faults: Faults,
    stop: watch::Receiver<bool>,
    failure: Arc<Mutex<Option<Failure>>>,
}

impl Context {
    /// The context of one generation, which ends soon after `stop` turns true.
    pub fn new(world: World, pass: Pass, faults: Faults, stop: watch::Receiver<bool>) -> Context {
        Context { world, heart: Heart::new(world), pass, faults, stop, failure: Arc::default() }
    }

    /// The context of something that nobody supervises, and that has no faults but its own.
    pub fn unsupervised(world: World, stop: watch::Receiver<bool>) -> Context {
        Context::new(world, Pass::unlimited(), Faults::default(), stop)
    }

    /// Whether the worker is to end.
    pub fn is_stopping(&self) -> bool {
        *self.stop.borrow()
    }

    /// Returns when the worker is to end.
    pub async fn stopped(&self) {
        // An error means that nobody is left who could say "stop": the run is over as well.
        let _ = self.stop.clone().wait_for(|stop| *stop).await;
    }

    /// Sleeps until [`World::now`] has reached `at`, at rest; `false` where the worker is to end before that.
    pub async fn sleep_until(&self, at: Duration) -> bool {
        let _rest = self.heart.pause(at);
        tokio::select! {
            biased;
            () = self.stopped() => false,
            () = self.world.sleep_until(at) => true,
        }
    }

    /// The fail point `point`: does what the faults of this run say, nearly always nothing.
    ///
    /// # Errors
    /// The fault, where it is an error.
    ///
    /// # Panics
    /// Where the fault is a panic.
    pub async fn strike(&self, point: &str) -> Result<(), Failure> {
        match self.faults.ask(point) {
            None => Ok(()),
            Some(Fault::Error) => Err(Failure::Transient(injected(point))),
            Some(Fault::Panic) => panic!("{}", injected(point)),
            Some(Fault::Hang(span)) => {
                self.world.hang(span).await;
                Ok(())
            }
        }
    }

    /// Runs an actor to its end on this thread. `started` is given its address before its first message;
    /// when the worker is told to stop, the actor is dropped, with what waits in its mailbox.
    ///
    /// A panic of a handler is the worker's. The actor is dropped after it and not while it unwinds, so that
    /// an [`Actor::stopped`] or a destructor that panics too does not abort the process.
    ///
    /// # Errors
    /// What [`Vitals::fail`] was told.
    pub async fn act<A>(&self, actor: A, started: impl FnOnce(Addr<A>)) -> Result<(), Failure>
    where
        A: Actor<Context = actix::Context<A>>,
    {
        let mut acting = actix::Context::new().into_future(actor);
        // Kept until the end: an actor ends by itself when nobody is left who could send it anything.
        let address = acting.address();
        started(address.clone());
        self.heart.rest();
        let ended = tokio::select! {
            biased;
            ended = AssertUnwindSafe(&mut acting).catch_unwind() => ended,
            () = self.stopped() => return Ok(()),
        };
        if let Err(panic) = ended {
            // What this panics with is told with the first panic.
            let _ = panic::catch_unwind(AssertUnwindSafe(|| drop(acting)));
            panic::resume_unwind(panic);
        }
        let failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner).take();
        Err(failure.unwrap_or(Failure::Transient("it ended by itself".into())))
    }

    /// What an actor of actix needs of this context.
    pub fn vitals(&self) -> Vitals {
        let (heart, faults, failure) = (self.heart.clone(), self.faults.clone(), self.failure.clone());
        Vitals { world: self.world, heart, faults, failure }
    }
}

/// What an actor of actix has to do with its supervisor.
#[derive(Clone, Debug)]
pub struct Vitals {
    world: World,
    heart: Heart,
    faults: Faults,
    failure: Arc<Mutex<Option<Failure>>>,
}

impl Vitals {
    /// To be called at the beginning of every handler: the actor is at work until what is returned is
    /// dropped. `point` is the handler's fail point; `None` where its fault says that nothing is to be done.
    ///
    /// # Panics
    /// Where the fault is a panic.
    pub fn take_up<A>(&self, point: &str, context: &mut actix::Context<A>) -> Option<Work>
    where
        A: Actor<Context = actix::Context<A>>,
    {
        let work = self.heart.work();
        match self.faults.ask(point) {
            None => Some(work),
            Some(fault) => self.suffer(fault, point, work, context),
        }
    }

    fn suffer<A>(
        &self,
        fault: Fault,
        point: &str,
        work: Work,
        context: &mut actix::Context<A>,
    ) -> Option<Work>
    where
        A: Actor<Context = actix::Context<A>>,
    {
        match fault {
            Fault::Error => self.fail(Failure::Transient(injected(point)), context),
            Fault::Panic => panic!("{}", injected(point)),
            Fault::Hang(span) if self.world.is_simulated() => {
                // A thread that all share must not block: the actor alone stands still, and looks as if it
                // worked. What it was told is lost, as all is that it could still do.
                let world = self.world;
                let hang = async move {
                    world.hang(span).await;
                    drop(work);
                };
                context.wait(actix::fut::wrap_future::<_, A>(hang));
            }
            Fault::Hang(span) => {
                self.world.block(span);
                return Some(work);
            }
        }
        None
    }

    /// Says that the actor is at work and well: for work that takes long, outside of handlers.
    pub fn beat(&self) {
        self.heart.beat();
    }

    /// A further fail point of a handler that is at work.
    ///
    /// # Panics
    /// Where the fault is a panic.
    pub fn go_on<A>(&self, work: Work, point: &str, context: &mut actix::Context<A>) -> Option<Work>
    where
        A: Actor<Context = actix::Context<A>>,
    {
        // An actor that hangs here does not rest, so what would say so goes first.
        drop(work);
        self.take_up(point, context)
    }

    /// Ends the actor with a failure.
    pub fn fail<A>(&self, failure: Failure, context: &mut actix::Context<A>)
    where
        A: Actor<Context = actix::Context<A>>,
    {
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(failure);
        context.terminate();
    }
}

fn injected(point: &str) -> String {
    format!("a fault was injected at {point}")
}
