//! What the HTTP server counts and times.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use super::number::{Counter, Gauge, Histogram};
use super::{Output, table};

/// The most pairs of route and status that are counted each by itself. A server has some dozen routes, each
/// with a handful of answers.
const ANSWERS_MAX: usize = 512;

/// The classes of refusals: the label `reason`, and the statuses that belong to it.
const REFUSALS: [(&str, &[u16]); 9] = [
    ("malformed", &[400, 422]),
    ("unauthorized", &[401]),
    ("forbidden", &[403]),
    ("not_found", &[404]),
    ("method", &[405]),
    ("too_slow", &[408]),
    ("too_large", &[413, 414, 431]),
    ("too_many", &[429]),
    ("unavailable", &[503]),
];

/// The handles of the HTTP server.
#[derive(Clone)]
pub struct Http {
    clients: Gauge,
    /// What the studio's panels were sent.
    pub output: Output,
    refused: [Counter; REFUSALS.len()],
    answers: Arc<RwLock<Answers>>,
}

/// Handles that are made when their route is first asked for.
#[derive(Default)]
struct Answers {
    counted: BTreeMap<(String, u16), Counter>,
    timed: BTreeMap<String, Histogram>,
}

impl Http {
    /// The server's handles.
    #[allow(clippy::new_without_default, reason = "it registers series: nothing to do by the way")]
    pub fn new() -> Http {
        Http {
            clients: table::WEBSOCKET_CLIENTS.gauge(&[]),
            output: Output::new("web"),
            refused: REFUSALS.map(|(reason, _)| table::HTTP_REJECTIONS.counter(&[reason])),
            answers: Arc::default(),
        }
    }

    /// Counts a WebSocket until what is returned is dropped: the server that serves it may end before it.
    #[must_use]
    pub fn viewer(&self) -> Viewer {
        self.clients.increment(1.0);
        Viewer(self.clients.clone())
    }

    /// Counts a connection that was refused with `status` before there was a request.
    pub fn refused(&self, status: u16) {
        let class = REFUSALS.iter().position(|(_, statuses)| statuses.contains(&status));
        if let Some(counter) = class.and_then(|class| self.refused.get(class)) {
            counter.increment(1);
        }
    }

    /// Counts a request that was answered, and how long that took. `route` is one of the server's own
    /// patterns, never what a client sent.
    pub fn answered(&self, route: &str, status: u16, took: Duration) {
        self.refused(status);
        let key = (route.to_string(), status);
        let known = self.answers.read().unwrap_or_else(PoisonError::into_inner);
        if let (Some(counter), Some(timed)) = (known.counted.get(&key), known.timed.get(route)) {
            counter.increment(1);
            timed.record(took);
            return;
        }
        drop(known);
        self.answers.write().unwrap_or_else(PoisonError::into_inner).answered(key, took);
    }
}

/// A WebSocket that is open as long as this lives.
pub struct Viewer(Gauge);

impl Drop for Viewer {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}

impl Answers {
    fn answered(&mut self, key: (String, u16), took: Duration) {
        let is_full = self.counted.len() >= ANSWERS_MAX && !self.counted.contains_key(&key);
        let (route, status) = if is_full { ("other".into(), 0) } else { key };
        let timed = self.timed.entry(route.clone());
        timed.or_insert_with(|| table::HTTP_DURATION.histogram(&[&route])).record(took);
        let counter = || table::HTTP_REQUESTS.counter(&[&route, &status.to_string()]);
        self.counted.entry((route.clone(), status)).or_insert_with(counter).increment(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_viewer_counts_until_it_is_dropped_however_it_ends() {
        let http = Http::new();
        let viewers = [http.viewer(), http.viewer()];
        assert_eq!(http.clients.value(), 2.0);
        let serving = async {
            let _viewer = http.viewer();
            std::future::pending::<()>().await;
        };
        let mut serving = Box::pin(serving);
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(serving.as_mut().poll(&mut context).is_pending());
        assert_eq!(http.clients.value(), 3.0);
        drop(serving);
        assert_eq!(http.clients.value(), 2.0, "a server that ends takes its viewers along");
        drop(viewers);
        assert_eq!(http.clients.value(), 0.0);
    }

    #[test]
    fn answers_are_counted_up_to_a_bound() {
        let http = Http::new();
        let ask = |route: &str, status| http.answered(route, status, Duration::from_millis(1));
        (0..3).for_each(|_| ask("/metrics", 200));
        ask("/metrics", 403);
        http.refused(414);
        http.refused(200);
        let count = |route: &str, status| {
            let answers = http.answers.read().unwrap();
            answers.counted.get(&(route.to_string(), status)).map(Counter::total)
        };
        assert_eq!((count("/metrics", 200), count("/metrics", 403)), (Some(3), Some(1)));
        let refused: Vec<u64> = http.refused.iter().map(Counter::total).collect();
        assert_eq!(refused, [0, 0, 1, 0, 0, 0, 1, 0, 0]);

        (0..2 * ANSWERS_MAX).for_each(|route| ask(&route.to_string(), 200));
        let answers = http.answers.read().unwrap();
        assert_eq!(answers.counted.len(), ANSWERS_MAX + 1);
        assert!(answers.timed.len() <= ANSWERS_MAX + 1);
        drop(answers);
        assert_eq!(count("other", 0), Some(ANSWERS_MAX as u64 + 2));
        ask("/metrics", 200);
        assert_eq!(count("/metrics", 200), Some(4), "what is known goes on");
    }
}
