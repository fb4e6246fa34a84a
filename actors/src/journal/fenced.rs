//! What outlives the actors that use it, and lets in none but the newest of them.

use std::sync::{Arc, Mutex, PoisonError};

use crate::supervisor::fence::Pass;

/// Something that belongs to no single generation of an actor: it is used under a short lock, and only with
/// a pass that is valid for as long. Clones share it.
pub struct Fenced<T>(Arc<Mutex<T>>);

impl<T> Fenced<T> {
    /// Puts a fence around `shared`.
    pub fn new(shared: T) -> Fenced<T> {
        Fenced(Arc::new(Mutex::new(shared)))
    }

    /// Does `work` with it, if the pass is valid and as long as it stays so: `None` where it is not. `work`
    /// must be short, wait for nobody, and run no user's code: what hangs in here locks all others out.
    pub fn enter<R>(&self, pass: &Pass, work: impl FnOnce(&mut T) -> R) -> Option<R> {
        pass.enter(|| self.look(work))
    }

    /// The same without a pass: for those who are no generation of anything.
    pub fn look<R>(&self, work: impl FnOnce(&mut T) -> R) -> R {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<T> Clone for Fenced<T> {
    fn clone(&self) -> Fenced<T> {
        Fenced(self.0.clone())
    }
}

/// A sink that its owner calls outside all locks, since what it does is not known: it is lent for the call
/// and comes back, also from one that panics. Where it does not come back, because an actor hangs in it, the
/// others go on without.
pub struct Sink<T>(Fenced<Option<T>>);

impl<T> Sink<T> {
    /// A sink, or none.
    pub fn new(sink: Option<T>) -> Sink<T> {
        Sink(Fenced::new(sink))
    }

    /// Calls `work` with it, if it is there.
    pub fn call(&self, work: impl FnOnce(&mut T)) {
        let taken = self.0.look(Option::take);
        let mut loan = Loan { sink: taken, home: &self.0 };
        if let Some(sink) = &mut loan.sink {
            work(sink);
        }
    }
}

impl<T> Clone for Sink<T> {
    fn clone(&self) -> Sink<T> {
        Sink(self.0.clone())
    }
}

/// Brings a sink back, whatever becomes of its borrower.
struct Loan<'a, T> {
    sink: Option<T>,
    home: &'a Fenced<Option<T>>,
}

impl<T> Drop for Loan<'_, T> {
    fn drop(&mut self) {
        if let Some(sink) = self.sink.take() {
            self.home.look(|home| *home = Some(sink));
        }
    }
}
