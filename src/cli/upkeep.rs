//! Upkeep of the recorder of metrics: observations of histograms pile up until they are counted. It needs
//! neither a web server that runs nor anybody who asks.

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::time::Duration;
use std::{io, thread};

/// A thread that does some work again and again. It ends with this.
pub(super) struct Upkeep {
    /// Its end is the thread's.
    _end: Sender<()>,
}

impl Upkeep {
    /// Does the `work` whenever `every` has passed.
    ///
    /// # Errors
    /// The system's, when it has no more threads to give.
    pub(super) fn begin(every: Duration, work: impl Fn() + Send + 'static) -> io::Result<Upkeep> {
        let (end, ended) = mpsc::channel::<()>();
        let body = move || {
            while let Err(RecvTimeoutError::Timeout) = ended.recv_timeout(every) {
                work();
            }
        };
        thread::Builder::new().name("upkeep".into()).spawn(body)?;
        Ok(Upkeep { _end: end })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_works_until_it_is_dropped() {
        let (work, done) = mpsc::channel();
        let upkeep =
            Upkeep::begin(Duration::from_millis(1), move || work.send(()).unwrap_or_default()).unwrap();
        for _ in 0..3 {
            done.recv_timeout(Duration::from_secs(30)).unwrap();
        }
        drop(upkeep);
        // The other end is dropped with the thread.
        let is_over = |_| done.recv_timeout(Duration::from_secs(30)) == Err(RecvTimeoutError::Disconnected);
        assert!((0..1_000).any(is_over), "it works on");
    }
}
