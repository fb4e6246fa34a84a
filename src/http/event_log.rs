//! The newest events, kept for whoever comes later.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use engine::event::Event;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;

use super::App;

/// How many events are kept.
pub(super) const EVENTS_KEPT: usize = 1_000;

/// The newest events, numbered from 0 in the order of their coming.
pub(super) struct EventLog {
    kept: Mutex<VecDeque<Event>>,
    /// The number of the next event: wakes those who wait for it.
    next: watch::Sender<u64>,
    /// Taken by [`listen`]; it is here so that no event between the start of the server and its first
    /// breath is lost.
    incoming: Mutex<Option<Receiver<Event>>>,
}

impl EventLog {
    pub(super) fn new(incoming: Receiver<Event>) -> EventLog {
        let incoming = Mutex::new(Some(incoming));
        EventLog { kept: Mutex::default(), next: watch::Sender::new(0), incoming }
    }

    /// Tells of every new event.
    pub(super) fn subscribe(&self) -> watch::Receiver<u64> {
        self.next.subscribe()
    }

    /// The newest events, at most `limit`, the oldest of them first.
    pub(super) fn newest(&self, limit: usize) -> Vec<Event> {
        let kept = self.kept();
        kept.iter().skip(kept.len().saturating_sub(limit)).cloned().collect()
    }

    /// The newest events of those that `is_wanted`, at most `limit`, the oldest of them first.
    pub(super) fn chosen(&self, limit: usize, is_wanted: impl Fn(&Event) -> bool) -> Vec<Event> {
        let kept = self.kept();
        let mut chosen: Vec<_> =
            kept.iter().rev().filter(|event| is_wanted(event)).take(limit).cloned().collect();
        chosen.reverse();
        chosen
    }

    /// The events from number `from` on that are still kept, and the number that follows them.
    pub(super) fn since(&self, from: u64) -> (Vec<Event>, u64) {
        let next = *self.next.borrow();
        let missing = usize::try_from(next.saturating_sub(from)).unwrap_or(usize::MAX);
        (self.newest(missing), next)
    }

    fn add(&self, event: Event) {
        let mut kept = self.kept();
        if kept.len() == EVENTS_KEPT {
            kept.pop_front();
        }
        kept.push_back(event);
        self.next.send_modify(|next| *next += 1);
    }

    fn kept(&self) -> MutexGuard<'_, VecDeque<Event>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Fills the log until the run is over.
pub(super) async fn listen(app: Arc<App>) {
    let incoming = app.events.incoming.lock().unwrap_or_else(PoisonError::into_inner).take();
    let Some(mut incoming) = incoming else { return };
    loop {
        match incoming.recv().await {
            Ok(event) => app.events.add(event),
            Err(RecvError::Lagged(lost)) => tracing::warn!(lost, "events came faster than they were kept"),
            Err(RecvError::Closed) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use engine::event::EventKind;
    use engine::tick::Tick;
    use tokio::sync::broadcast;

    use super::*;

    fn log(events: u64) -> EventLog {
        let log = EventLog::new(broadcast::Sender::new(1).subscribe());
        for tick in 0..events {
            log.add(Event { tick: Tick(tick), kind: EventKind::PageShown, id: "a".into(), data: vec![] });
        }
        log
    }

    fn ticks(events: &[Event]) -> Vec<u64> {
        events.iter().map(|event| event.tick.0).collect()
    }

    #[test]
    fn newest_are_kept_in_order() {
        assert_eq!(ticks(&log(5).newest(3)), [2, 3, 4]);
        assert_eq!(ticks(&log(2).newest(9)), [0, 1]);
        let full = log(EVENTS_KEPT as u64 + 2).newest(usize::MAX);
        assert_eq!((full.len(), full[0].tick), (EVENTS_KEPT, Tick(2)));
    }

    #[test]
    fn reader_goes_on_where_it_was() {
        let log = log(5);
        let (events, next) = log.since(3);
        assert_eq!((ticks(&events), next), (vec![3, 4], 5));
        assert_eq!(log.since(next).0, []);
        assert_eq!(log.since(99).0, []);
    }
}
