//! Fences: what keeps out the actors of the past. Every start of an actor is a new generation; one that
//! hangs is left behind with its thread, and when it wakes up late, nothing that it writes may be taken.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The fence around what an actor writes to. It lets one generation in at a time.
#[derive(Clone, Debug, Default)]
pub struct Fence(Arc<Gate>);

/// Generations count from 1; 0 lets nobody in.
#[derive(Debug, Default)]
struct Gate {
    /// Read without the lock by those who only want to know.
    admitted: AtomicU64,
    /// Held while somebody writes, so that a closed fence means that nobody does.
    writing: Mutex<()>,
}

impl Fence {
    /// Lets `generation` (1 and up) in and everybody else no more.
    pub fn admit(&self, generation: u64) -> Pass {
        self.change(generation);
        Pass { gate: self.0.clone(), generation }
    }

    /// Lets nobody in. What was being written is written when this returns.
    pub fn close(&self) {
        self.change(0);
    }

    fn change(&self, generation: u64) {
        let _nobody_writes = self.0.writing.lock().unwrap_or_else(PoisonError::into_inner);
        self.0.admitted.store(generation, Ordering::Release);
    }
}

/// What one generation shows at the fence.
#[derive(Clone, Debug)]
pub struct Pass {
    gate: Arc<Gate>,
    generation: u64,
}

impl Pass {
    /// A pass that is always valid: for what nobody supervises.
    pub fn unlimited() -> Pass {
        Fence::default().admit(1)
    }

    /// Which generation it is for.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Whether it is valid still. It may be no more a moment later: where that matters, [`Pass::enter`].
    pub fn is_valid(&self) -> bool {
        self.gate.admitted.load(Ordering::Acquire) == self.generation
    }

    /// Does `write`, if the pass is valid and as long as it stays so: `None` where it is not. `write` must be
    /// short and must not wait for anybody, since the supervisor waits for it.
    pub fn enter<T>(&self, write: impl FnOnce() -> T) -> Option<T> {
        let _writing = self.gate.writing.lock().unwrap_or_else(PoisonError::into_inner);
        self.is_valid().then(write)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_generation_writes_at_a_time() {
        let fence = Fence::default();
        let mut written = Vec::new();
        let first = fence.admit(1);
        first.enter(|| written.push(1));
        let second = fence.admit(2);
        assert!(!first.is_valid() && second.is_valid());
        assert_eq!(first.enter(|| written.push(1)), None, "the first is of the past");
        second.enter(|| written.push(2));
        fence.close();
        assert_eq!(second.enter(|| written.push(2)), None);
        assert_eq!(written, [1, 2]);
        assert!(Pass::unlimited().enter(|| ()).is_some());
    }

    #[test]
    fn a_writer_that_panics_locks_nobody_out() {
        let fence = Fence::default();
        let first = fence.admit(1);
        std::thread::spawn(move || first.enter(|| panic!("in the middle of it"))).join().unwrap_err();
        assert!(fence.admit(2).enter(|| ()).is_some());
    }
}
