//! What the service manager is told (see `sd_notify(3)`): that the panel is ready, when its first frame is
//! painted; that it is well, as long as every actor is; that it stops. Nothing, where nobody has asked.

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use std::{env, io};

use actors::handle::{ActorReport, ActorState, Handle, Pulse};
use actors::supervisor::REPORTED_EVERY;
use sd_notify::NotifyState;

/// How long an actor may be silent beyond what it has announced before it counts as unwell. A supervisor
/// that works has dealt with it by then or a little later; so the manager's `WatchdogSec` is to be longer.
const SILENT_MAX: Duration = Duration::from_secs(10);

/// How often the panel is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// How often the manager is told how it goes where it wants no signs of life.
const STATUS_EVERY: Duration = Duration::from_secs(10);

/// A thread that tells the service manager how a run goes.
pub(super) struct Service(Option<(Sender<()>, JoinHandle<()>)>);

impl Service {
    /// Tells how the run of `handle` goes, whose page is at `page`, until [`Service::end`].
    ///
    /// # Errors
    /// The system's, when it has no more threads to give.
    pub(super) fn begin(handle: Handle, page: &str) -> io::Result<Service> {
        if env::var_os("NOTIFY_SOCKET").is_none() {
            return Ok(Service(None));
        }
        let mut news = News::new(page, sd_notify::watchdog_enabled());
        let (end, ended) = mpsc::channel();
        let body = move || {
            while let Err(RecvTimeoutError::Timeout) = ended.recv_timeout(LOOK_EVERY) {
                send(&news.look(&Look::at(&handle)));
            }
            send(&news.stopping());
        };
        let thread = thread::Builder::new().name("service".into()).spawn(body)?;
        Ok(Service(Some((end, thread))))
    }

    /// Says that the run is over, if that was not said before.
    pub(super) fn end(self) {
        if let Some((end, thread)) = self.0 {
            drop(end);
            if thread.join().is_err() {
                tracing::error!("what tells the service manager had panicked");
            }
        }
    }
}

fn send(words: &[Word]) {
    if words.is_empty() {
        return;
    }
    let states: Vec<NotifyState<'_>> = words.iter().map(Word::state).collect();
    if let Err(error) = sd_notify::notify(&states) {
        tracing::warn!(%error, "the service manager cannot be told how it goes");
    }
}

/// What the manager is told.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Word {
    Ready,
    Watchdog,
    Stopping,
    Status(String),
}

impl Word {
    fn state(&self) -> NotifyState<'_> {
        match self {
            Word::Ready => NotifyState::Ready,
            Word::Watchdog => NotifyState::Watchdog,
            Word::Stopping => NotifyState::Stopping,
            Word::Status(text) => NotifyState::Status(text),
        }
    }
}

/// The run at a moment.
struct Look {
    now: Duration,
    pulse: Pulse,
    actors: std::sync::Arc<[ActorReport]>,
    is_stopping: bool,
}

impl Look {
    fn at(handle: &Handle) -> Look {
        Look {
            now: handle.world.now(),
            pulse: *handle.pulse.borrow(),
            actors: handle.actors.borrow().clone(),
            is_stopping: *handle.stop.borrow(),
        }
    }
}

/// What the manager was told, and what is to be told next.
struct News {
    page: String,
    /// How often signs of life are sent: three in the time that the manager waits for one.
    watchdog_every: Option<Duration>,
    was_ready: bool,
    was_stopping: bool,
    status: String,
    due: Duration,
    /// The newest tick, and when it was new.
    tick: (u64, Duration),
    /// The supervisor's newest word, and when it was new.
    reported: (std::sync::Arc<[ActorReport]>, Duration),
}

impl News {
    fn new(page: &str, watchdog: Option<Duration>) -> News {
        News {
            page: page.into(),
            watchdog_every: watchdog.map(|most| most / 3),
            was_ready: false,
            was_stopping: false,
            status: String::new(),
            due: Duration::ZERO,
            tick: (0, Duration::ZERO),
            reported: (Vec::new().into(), Duration::ZERO),
        }
    }

    /// What there is to tell after a look at the run.
    fn look(&mut self, look: &Look) -> Vec<Word> {
        if look.is_stopping {
            return self.stopping();
        }
        if !look.pulse.ready {
            return Vec::new();
        }
        let mut words = Vec::new();
        let trouble = self.trouble(look);
        if !std::mem::replace(&mut self.was_ready, true) {
            words.push(Word::Ready);
        }
        if look.now >= self.due || !words.is_empty() {
            self.due = look.now + self.watchdog_every.unwrap_or(STATUS_EVERY);
            if self.watchdog_every.is_some() && trouble.is_none() {
                words.push(Word::Watchdog);
            }
            words.extend(self.status(trouble, &look.actors));
        }
        words
    }

    fn stopping(&mut self) -> Vec<Word> {
        if std::mem::replace(&mut self.was_stopping, true) {
            return Vec::new();
        }
        vec![Word::Stopping, Word::Status("ending".into())]
    }

    /// Why the run is not well, if it is not: an actor, the clock or the supervisor is silent.
    fn trouble(&mut self, look: &Look) -> Option<String> {
        if look.pulse.tick.0 != self.tick.0 || !self.was_ready {
            self.tick = (look.pulse.tick.0, look.now);
        }
        // The supervisor publishes a new list even where nothing in it has changed.
        if !std::sync::Arc::ptr_eq(&look.actors, &self.reported.0) {
            self.reported = (look.actors.clone(), look.now);
        }
        let is_silent = |since: Duration| look.now > since.saturating_add(SILENT_MAX);
        if let Some(actor) = unwell(&look.actors, look.now) {
            return Some(format!("{} is silent", actor.name));
        }
        if is_silent(self.tick.1) {
            return Some("the clock stands still".into());
        }
        let is_supervised = !look.actors.is_empty();
        (is_supervised && is_silent(self.reported.1 + REPORTED_EVERY))
            .then(|| "the supervisor is silent".into())
    }

    fn status(&mut self, trouble: Option<String>, actors: &[ActorReport]) -> Option<Word> {
        let failing = actors.iter().filter(|actor| {
            matches!(actor.state, ActorState::BackingOff(_) | ActorState::Failed | ActorState::Degraded(_))
        });
        let how = match (trouble, failing.count()) {
            (Some(trouble), _) => trouble,
            (None, 0) => "all well".into(),
            (None, 1) => "1 actor fails".into(),
            (None, failing) => format!("{failing} actors fail"),
        };
        let status = format!("{} {how}", self.page).trim().to_string();
        let is_new = status != self.status;
        self.status.clone_from(&status);
        is_new.then_some(Word::Status(status))
    }
}

/// An actor that ought to have shown a sign of life and has not.
fn unwell(actors: &[ActorReport], now: Duration) -> Option<&ActorReport> {
    actors.iter().find(|actor| {
        let lives = matches!(actor.state, ActorState::Starting | ActorState::Running | ActorState::Stopping);
        lives && now > actor.beaten.max(actor.well_until).saturating_add(SILENT_MAX)
    })
}

#[cfg(test)]
mod tests {
    use engine::tick::Tick;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn actor(name: &str, state: ActorState, beaten: u32, well_until: Duration) -> ActorReport {
        ActorReport {
            name: name.into(),
            group: "core",
            state,
            generation: 1,
            restarts: 0,
            left_behind: 0,
            cause: None,
            error: None,
            beaten: SECOND * beaten,
            well_until,
        }
    }

    #[test]
    fn silence_is_unwell_unless_it_was_announced() {
        let check = |state, beaten, well_until, expected: bool| {
            let actors = [actor("ring", state, beaten, well_until)];
            assert_eq!(
                unwell(&actors, SECOND * 100).is_some(),
                expected,
                "{state:?} {beaten} {well_until:?}"
            );
        };
        let silent = SILENT_MAX.as_secs() as u32;
        check(ActorState::Running, 100, Duration::ZERO, false);
        check(ActorState::Running, 100 - silent, Duration::ZERO, false);
        check(ActorState::Running, 99 - silent, Duration::ZERO, true);
        check(ActorState::Starting, 0, Duration::ZERO, true);
        check(ActorState::Stopping, 0, Duration::ZERO, true);
        // It rests.
        check(ActorState::Running, 0, SECOND * 3_600, false);
        check(ActorState::Running, 0, Duration::MAX, false);
        check(ActorState::Running, 0, SECOND * (99 - silent), true);
        // Its supervisor knows.
        for state in [ActorState::BackingOff(SECOND), ActorState::Stopped, ActorState::Failed] {
            check(state, 0, Duration::ZERO, false);
        }
        check(ActorState::Degraded(SECOND), 0, Duration::ZERO, false);
    }

    /// A run of an actor that beats until second `silent_from`, looked at every second; what is told, as
    /// `second word`, the words of a status left out.
    fn told(watchdog: Option<Duration>, ready_at: u32, silent_from: u32, seconds: u32) -> Vec<String> {
        let mut news = News::new("http://x/", watchdog);
        let mut told = Vec::new();
        for second in 0..seconds {
            let beaten = second.min(silent_from);
            let look = Look {
                now: SECOND * second,
                pulse: Pulse { tick: Tick(second.into()), ready: second >= ready_at, ..Pulse::default() },
                actors: vec![actor("ring", ActorState::Running, beaten, Duration::ZERO)].into(),
                is_stopping: second + 1 == seconds,
            };
            for word in news.look(&look) {
                match word {
                    Word::Status(text) => told.push(format!("{second} {text}")),
                    word => told.push(format!("{second} {word:?}")),
                }
            }
        }
        assert_eq!(news.stopping(), [], "it is told once");
        told
    }

    #[test]
    fn ready_comes_once_and_signs_of_life_as_long_as_all_are_well() {
        assert_eq!(
            told(Some(SECOND * 15), 2, 8, 30),
            [
                "2 Ready",
                "2 Watchdog",
                "2 http://x/ all well",
                "7 Watchdog",
                "12 Watchdog",
                "17 Watchdog",
                "22 http://x/ ring is silent",
                "29 Stopping",
                "29 ending",
            ]
        );
        let quiet = ["0 Ready", "0 http://x/ all well", "3 Stopping", "3 ending"];
        assert_eq!(told(None, 0, 9, 4), quiet, "no signs of life where none are wanted");
        assert_eq!(told(Some(SECOND), 9, 9, 3), ["2 Stopping", "2 ending"], "never ready");
    }

    #[test]
    fn a_clock_that_stands_still_and_a_silent_supervisor_are_trouble() {
        let check = |stops: &str, expected: &str| {
            let mut news = News::new("", Some(SECOND * 3));
            let reports =
                |second: u32| vec![actor("ring", ActorState::Running, second, Duration::MAX)].into();
            let first: std::sync::Arc<[ActorReport]> = reports(0);
            let mut status = Vec::new();
            for second in 0..30 {
                let tick = Tick(if stops == "clock" { 5 } else { second.into() });
                let actors = if stops == "supervisor" { first.clone() } else { reports(second) };
                let pulse = Pulse { tick, ready: true, ..Pulse::default() };
                let look = Look { now: SECOND * second, pulse, actors, is_stopping: false };
                status.extend(news.look(&look).into_iter().filter_map(|word| match word {
                    Word::Status(text) => Some(text),
                    _ => None,
                }));
            }
            assert_eq!(status, ["all well", expected]);
        };
        check("clock", "the clock stands still");
        check("supervisor", "the supervisor is silent");
    }
}
