//! The limit of logs: of one cause at most so many lines in a while, then the number of those left out. So a
//! failure that goes on for a night fills no disk, and hides no other.

use std::collections::BTreeMap;
use std::fmt::{self, Debug, Write};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tracing::field::{Field, Visit};
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Filter};

/// How many lines of one cause are written in a [`PERIOD`].
const LINES: u32 = 5;

/// How long the lines of a cause are counted together.
const PERIOD: Duration = Duration::from_secs(10);

/// The most causes that are told apart at a time; all others are one.
const CAUSES_MAX: usize = 256;

/// The fields that make causes of one place in the program different ones. Texts of errors are none: they
/// may differ every time.
const WHO: [&str; 9] = ["actor", "file", "formula", "key", "output", "script", "source", "widget", "route"];

/// The longest text of whom a cause is about, in bytes: names may be of any length.
const WHO_BYTES: usize = 200;

/// Where lines about left out lines come from; they are never left out.
pub(super) const TARGET: &str = "tinydisplay::log";

/// Lets the lines of each cause through up to the limit.
#[derive(Clone, Default)]
pub(super) struct Limit(Arc<State>);

struct State {
    seen: Mutex<Seen>,
    now: Box<dyn Fn() -> Duration + Send + Sync>,
    /// Tells what was left out, after a while, on a thread of its own.
    tells: bool,
}

impl Default for State {
    fn default() -> State {
        let start = Instant::now();
        State { seen: Mutex::default(), now: Box::new(move || start.elapsed()), tells: true }
    }
}

impl Limit {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn admits(&self, event: &Event<'_>) -> bool {
        let metadata = event.metadata();
        if metadata.target() == TARGET {
            return true;
        }
        let mut seen = self.seen();
        let admitted = seen.admit(Who::of(event), metadata, (self.0.now)());
        if !admitted && self.0.tells && !std::mem::replace(&mut seen.is_told, true) {
            let limit = self.clone();
            let teller = thread::Builder::new().name("log".into()).spawn(move || limit.tell());
            // Without a thread the next line that is left out tries again.
            seen.is_told = teller.is_ok();
        }
        admitted
    }

    /// Tells what was left out until there is nothing more to tell.
    fn tell(&self) {
        loop {
            thread::sleep(PERIOD);
            let mut seen = self.seen();
            let left_out = seen.tell((self.0.now)());
            seen.is_told = !left_out.is_empty();
            let is_over = left_out.is_empty();
            drop(seen);
            left_out.iter().for_each(LeftOut::log);
            if is_over {
                return;
            }
        }
    }
}

impl<S: Subscriber> Filter<S> for Limit {
    fn enabled(&self, _: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        true
    }

    fn event_enabled(&self, event: &Event<'_>, _: &Context<'_, S>) -> bool {
        self.admits(event)
    }
}

/// What was logged lately, by cause.
#[derive(Default)]
struct Seen {
    causes: BTreeMap<u64, Cause>,
    /// Whether a thread will tell what is left out.
    is_told: bool,
}

struct Cause {
    what: &'static Metadata<'static>,
    /// Whom it is about, as `name=value`.
    who: String,
    since: Duration,
    lines: u32,
    left_out: u64,
}

/// Lines of one cause that were left out.
#[derive(Debug, PartialEq)]
struct LeftOut {
    what: &'static Metadata<'static>,
    who: String,
    lines: u64,
}

impl LeftOut {
    fn log(&self) {
        let (file, line) = (self.what.file().unwrap_or_default(), self.what.line().unwrap_or_default());
        let (lines, of, who) = (self.lines, self.what.target(), &self.who);
        let place = format_args!("{file}:{line}");
        tracing::warn!(target: TARGET, lines, of, %who, place, "more of this was left out");
    }
}

impl Seen {
    /// Whether one more line of this cause is written now.
    fn admit(&mut self, who: Who, what: &'static Metadata<'static>, now: Duration) -> bool {
        let cause = who.hasher.finish();
        if self.causes.len() >= CAUSES_MAX && !self.causes.contains_key(&cause) {
            self.causes.retain(|_, cause| !cause.is_over(now));
        }
        let is_full = self.causes.len() >= CAUSES_MAX && !self.causes.contains_key(&cause);
        let (key, who) = if is_full { (0, "others".into()) } else { (cause, who.text) };
        let fresh = || Cause { what, who, since: now, lines: 0, left_out: 0 };
        let cause = self.causes.entry(key).or_insert_with(fresh);
        if now.saturating_sub(cause.since) >= PERIOD {
            (cause.since, cause.lines) = (now, 0);
        }
        let admitted = cause.lines < LINES;
        cause.lines += u32::from(admitted);
        cause.left_out += u64::from(!admitted);
        admitted
    }

    /// What was left out and not told yet.
    fn tell(&mut self, now: Duration) -> Vec<LeftOut> {
        let untold = self.causes.values_mut().filter(|cause| cause.left_out > 0);
        let told = untold.map(|cause| LeftOut {
            what: cause.what,
            who: cause.who.clone(),
            lines: std::mem::take(&mut cause.left_out),
        });
        let told = told.collect();
        self.causes.retain(|_, cause| !cause.is_over(now));
        told
    }
}

impl Cause {
    fn is_over(&self, now: Duration) -> bool {
        self.left_out == 0 && now.saturating_sub(self.since) >= PERIOD
    }
}

/// What makes a line: its place in the program, and whom it is about.
struct Who {
    hasher: DefaultHasher,
    text: String,
}

impl Who {
    fn of(event: &Event<'_>) -> Who {
        let mut who = Who { hasher: DefaultHasher::new(), text: String::new() };
        event.metadata().callsite().hash(&mut who.hasher);
        event.record(&mut who);
        who
    }
}

impl Visit for Who {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if WHO.contains(&field.name()) {
            field.name().hash(&mut self.hasher);
            let gap = if self.text.is_empty() { "" } else { " " };
            // Both take everything.
            let _ = write!(self, "{gap}{}={value:?}", field.name());
        }
    }
}

impl Write for Who {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.hasher.write(text.as_bytes());
        let room = WHO_BYTES.saturating_sub(self.text.len());
        self.text.push_str(&text[..text.floor_char_boundary(room)]);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::atomic::{AtomicU64, Ordering};

    use tracing_subscriber::Registry;
    use tracing_subscriber::layer::{Layer, SubscriberExt};

    use super::*;

    #[derive(Clone, Default)]
    struct Page(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Page {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What is written while `speak` logs, with a limit whose clock it may set, in seconds.
    fn written(speak: impl FnOnce(&Limit, &AtomicU64)) -> Vec<String> {
        let (page, clock) = (Page::default(), Arc::new(AtomicU64::new(0)));
        let time = clock.clone();
        let now = Box::new(move || Duration::from_secs(time.load(Ordering::Relaxed)));
        let limit = Limit(Arc::new(State { seen: Mutex::default(), now, tells: false }));
        let out = page.clone();
        let layer =
            tracing_subscriber::fmt::layer().without_time().with_ansi(false).with_writer(move || out.clone());
        let subscriber = Registry::default().with(layer.with_filter(limit.clone()));
        tracing::subscriber::with_default(subscriber, || speak(&limit, &clock));
        let text = String::from_utf8(page.0.lock().unwrap().clone()).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    fn fails(source: &str, attempt: u32) {
        tracing::warn!(source, error = format!("attempt {attempt} failed"), "source failed");
    }

    #[test]
    fn a_cause_is_limited_and_hides_no_other() {
        let lines = written(|_, _| {
            (0..100).for_each(|attempt| fails("a", attempt));
            fails("b", 0);
            tracing::warn!(source = "a", "something else");
            (0..100).for_each(|_| tracing::info!(script = "a.lua", "{}", "hello"));
            tracing::info!(script = "b.lua", "{}", "hello");
        });
        let count = |part: &str| lines.iter().filter(|line| line.contains(part)).count();
        assert_eq!(count("source=\"a\" error"), LINES as usize, "{lines:#?}");
        assert_eq!((count("source=\"b\""), count("something else")), (1, 1), "{lines:#?}");
        assert_eq!((count("a.lua"), count("b.lua")), (LINES as usize, 1), "{lines:#?}");
        assert_eq!(lines.len(), 2 * LINES as usize + 3);
    }

    #[test]
    fn after_a_while_there_is_room_again_and_what_was_left_out_is_told() {
        let lines = written(|limit, clock| {
            (0..8).for_each(|attempt| fails("a", attempt));
            clock.store(PERIOD.as_secs() - 1, Ordering::Relaxed);
            fails("a", 8);
            clock.store(PERIOD.as_secs(), Ordering::Relaxed);
            limit.seen().tell(PERIOD).iter().for_each(LeftOut::log);
            fails("a", 9);
            assert_eq!(limit.seen().tell(PERIOD * 2), [], "it is told once");
            assert!(limit.seen().causes.is_empty(), "and forgotten");
        });
        let told: Vec<_> = lines.iter().filter(|line| line.contains("left out")).collect();
        assert_eq!(told.len(), 1, "{lines:#?}");
        assert!(told[0].contains("lines=4") && told[0].contains("limit.rs:"), "{told:?}");
        assert!(told[0].contains("who=source=\"a\""), "{told:?}");
        assert!(lines.last().unwrap().contains("attempt 9"), "{lines:#?}");
        assert_eq!(lines.len(), LINES as usize + 2);
    }

    #[test]
    fn causes_are_bounded() {
        let lines = written(|limit, clock| {
            for source in 0..10 * CAUSES_MAX {
                fails(&source.to_string(), 0);
                assert!(limit.seen().causes.len() <= CAUSES_MAX + 1);
            }
            clock.store(PERIOD.as_secs(), Ordering::Relaxed);
            // The one that stands for all others has lines to tell and stays.
            fails("late", 0);
            assert_eq!(limit.seen().causes.len(), 2);
        });
        assert_eq!(lines.len(), CAUSES_MAX + LINES as usize + 1, "those without room share the lines of one");
    }

    #[test]
    fn names_of_any_length_are_told_shortened() {
        let long = "ä".repeat(1_000);
        let lines = written(|limit, _| {
            (0..=LINES).for_each(|attempt| fails(&long, attempt));
            fails(&format!("{long}ö"), 0);
            let told = limit.seen().tell(PERIOD);
            assert_eq!(told.len(), 1, "they are told apart by the whole name");
            assert!((WHO_BYTES - 1..=WHO_BYTES).contains(&told[0].who.len()), "{}", told[0].who);
        });
        assert_eq!(lines.len(), LINES as usize + 1);
    }

    #[test]
    fn lines_about_left_out_lines_are_never_left_out() {
        let lines = written(|_, _| {
            for _ in 0..100 {
                tracing::warn!(target: TARGET, "more");
            }
        });
        assert_eq!(lines.len(), 100);
    }
}
