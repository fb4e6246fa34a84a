//! The seam between a live run and a simulated one. Time, threads and randomness go through it alone,
//! so that the very same actors run on the wall clock or, all on one thread, in virtual time.

#![expect(clippy::disallowed_methods, reason = "this is where clocks are read and sleeps are slept")]

use std::future::Future;
use std::io;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use futures_util::future::LocalBoxFuture;
use rustix::time::{ClockId, Timespec, clock_gettime};

/// Unix time in milliseconds at which every simulated run begins: 2026-01-01T00:00:00Z.
pub const SIMULATED_START_MS: i64 = 1_767_225_600_000;

/// What every simulated machine is called.
pub const SIMULATED_HOST: &str = "tinydisplay";

/// What this machine is called; [`SIMULATED_HOST`] where it has no name.
pub fn host_name() -> String {
    let name = sysinfo::System::host_name().unwrap_or_default();
    let name: String = name.chars().filter(|c| !c.is_control()).take(HOST_CHARACTERS_MAX).collect();
    if name.is_empty() { SIMULATED_HOST.into() } else { name }
}

/// The longest name of a machine, in characters: longer than any that DNS can have.
const HOST_CHARACTERS_MAX: usize = 255;

/// Where the actors live: in real time or in virtual time.
#[derive(Clone, Copy, Debug)]
pub struct World {
    mode: Mode,
}

#[derive(Clone, Copy, Debug)]
enum Mode {
    Live { start: Instant },
    Simulated { start: tokio::time::Instant, paced: Option<Instant> },
}

impl World {
    /// The real one: tasks have threads of their own and time is the machine's.
    pub fn live() -> World {
        World { mode: Mode::Live { start: Instant::now() } }
    }

    /// The simulated one: everything runs on the calling thread, whose tokio runtime must be a paused
    /// current-thread one. With `paced`, virtual time waits for real time, for people to watch.
    pub fn simulated(paced: bool) -> World {
        let paced = paced.then(Instant::now);
        World { mode: Mode::Simulated { start: tokio::time::Instant::now(), paced } }
    }

    /// Whether time is virtual.
    pub fn is_simulated(&self) -> bool {
        matches!(self.mode, Mode::Simulated { .. })
    }

    /// Time since the world began; never goes back.
    pub fn now(&self) -> Duration {
        match self.mode {
            Mode::Live { start } => start.elapsed(),
            Mode::Simulated { start, .. } => start.elapsed(),
        }
    }

    /// Unix time in milliseconds. In a simulation it begins at [`SIMULATED_START_MS`].
    pub fn unix_ms(&self) -> i64 {
        match self.mode {
            Mode::Live { .. } => {
                let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
            }
            Mode::Simulated { start, .. } => {
                let elapsed_ms = i64::try_from(start.elapsed().as_millis()).unwrap_or(i64::MAX);
                SIMULATED_START_MS.saturating_add(elapsed_ms)
            }
        }
    }

    /// Sleeps until [`World::now`] has reached `at`, to about a millisecond.
    pub async fn sleep_until(&self, at: Duration) {
        match self.mode {
            Mode::Live { start } => tokio::time::sleep_until((start + at).into()).await,
            Mode::Simulated { start, .. } => tokio::time::sleep_until(start + at).await,
        }
    }

    /// Sleeps until [`World::now`] has reached `at`, as exactly as the system can (about 0.1 ms late where
    /// tokio's timers are 1.2 ms late). Blocks its thread in a live run: only for a task that has nothing
    /// else to do meanwhile.
    pub async fn sleep_exactly_until(&self, at: Duration) {
        match self.mode {
            Mode::Live { start } => {
                thread::sleep((start + at).saturating_duration_since(Instant::now()));
            }
            Mode::Simulated { paced, .. } => {
                self.sleep_until(at).await;
                if let Some(start) = paced {
                    thread::sleep((start + at).saturating_duration_since(Instant::now()));
                }
            }
        }
    }

    /// Hangs for `span` of time, for ever without one: blocks its thread in a live run.
    pub async fn hang(&self, span: Option<Duration>) {
        match (self.mode, span) {
            (Mode::Live { .. }, _) => self.block(span),
            (Mode::Simulated { .. }, Some(span)) => self.sleep_until(self.now() + span).await,
            (Mode::Simulated { .. }, None) => std::future::pending().await,
        }
    }

    /// Blocks this thread for `span` of real time, for ever without one.
    pub fn block(&self, span: Option<Duration>) {
        match span {
            Some(span) => thread::sleep(span),
            None => loop {
                thread::park();
            },
        }
    }

    /// Runs the future that `make` returns: on a thread of its own called `name` in a live run, on the
    /// calling thread in a simulation.
    ///
    /// # Errors
    /// The system's, when it has no more threads to give.
    pub fn spawn<F, Fut>(&self, name: &str, make: F) -> io::Result<()>
    where
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future<Output = ()> + 'static,
    {
        match self.mode {
            Mode::Live { .. } => {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
                thread::Builder::new().name(name.into()).spawn(move || runtime.block_on(make()))?;
            }
            Mode::Simulated { .. } => {
                actix::spawn(make());
            }
        }
        Ok(())
    }

    /// A place where several tasks run beside each other: a thread of its own called `name` in a live run,
    /// the calling thread in a simulation.
    ///
    /// # Errors
    /// The system's, when it has no more threads to give.
    pub fn shared_thread(&self, name: &str) -> io::Result<SharedThread> {
        if self.is_simulated() {
            return Ok(SharedThread { tasks: None });
        }
        let (tasks, arriving) = flume::unbounded::<Task>();
        self.spawn(name, move || {
            let local = tokio::task::LocalSet::new();
            local.spawn_local(async move {
                while let Ok(task) = arriving.recv_async().await {
                    tokio::task::spawn_local(task());
                }
            });
            local
        })?;
        Ok(SharedThread { tasks: Some(tasks) })
    }
}

/// Real time since a moment, in a simulation too: for what guards against hangs, and decides nothing else.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// One that begins to count now.
    pub fn start() -> Stopwatch {
        Stopwatch(Instant::now())
    }

    /// Time since it was started.
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// How long the calling thread has worked so far.
pub fn worked() -> Duration {
    let Timespec { tv_sec, tv_nsec } = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(u64::try_from(tv_sec).unwrap_or(0), u32::try_from(tv_nsec).unwrap_or(0))
}

type Task = Box<dyn FnOnce() -> LocalBoxFuture<'static, ()> + Send>;

/// A thread for several tasks. It ends when this and all tasks are gone.
#[derive(Clone)]
pub struct SharedThread {
    /// `None` in a simulation.
    tasks: Option<flume::Sender<Task>>,
}

impl SharedThread {
    /// Runs the future that `make` returns, which is called on the thread. Tasks begin in this order.
    pub fn spawn<F, Fut>(&self, make: F)
    where
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future<Output = ()> + 'static,
    {
        match &self.tasks {
            // The thread ends only after this.
            Some(tasks) => drop(tasks.send(Box::new(move || Box::pin(make())))),
            None => drop(actix::spawn(make())),
        }
    }
}
