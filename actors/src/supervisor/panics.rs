//! Panics of supervised code: caught, with their text and place. The standard hook would write them to
//! standard error; here the supervisor logs them, once.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::future::Future;
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::pin::Pin;
use std::sync::Once;
use std::task::{Context, Poll};

thread_local! {
    /// Whether this thread runs supervised code.
    static WATCHED: Cell<bool> = const { Cell::new(false) };
    /// The panics of the code that runs now, not yet caught.
    static TOLD: RefCell<Option<String>> = const { RefCell::new(None) };
}

static INSTALLED: Once = Once::new();

/// Does `work`; if it panics, returns the panic's text and place instead.
///
/// # Errors
/// The text: `panicked at FILE:LINE: MESSAGE`.
pub fn catch<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    install();
    let before = WATCHED.replace(true);
    let result = panic::catch_unwind(AssertUnwindSafe(work));
    WATCHED.set(before);
    result.map_err(|payload| {
        let told = TOLD.with_borrow_mut(Option::take);
        told.unwrap_or_else(|| format!("panicked: {}", message(&*payload)))
    })
}

/// Like [`catch`], for a future: a panic ends it. It is dropped after the panic and not while that unwinds,
/// but what its own code holds at that moment is not.
pub(super) struct Caught<F>(pub(super) Pin<Box<F>>);

impl<F: Future> Future for Caught<F> {
    type Output = Result<F::Output, String>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match catch(|| self.0.as_mut().poll(context)) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
            Err(text) => Poll::Ready(Err(text)),
        }
    }
}

/// Puts our hook before the one that is there, once in a process. Threads that run no supervised code panic
/// as ever.
fn install() {
    INSTALLED.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |info| if WATCHED.get() { note(info) } else { usual(info) }));
    });
}

fn note(info: &PanicHookInfo<'_>) {
    let place =
        info.location().map_or(String::new(), |place| format!(" at {}:{}", place.file(), place.line()));
    let text = format!("panicked{place}: {}", message(info.payload()));
    let all = match TOLD.with_borrow_mut(Option::take) {
        None => text,
        Some(before) => {
            // Where the first panic unwinds still, the second aborts the process: this may be the last word.
            let both = format!("{before}; then {text}");
            tracing::error!("{both}");
            both
        }
    };
    TOLD.set(Some(all));
}

fn message(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("without a message")
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Bomb;

    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("in a destructor");
        }
    }

    #[test]
    fn panics_are_caught_with_their_text_and_place() {
        let check = |work: fn(), expected: &str| {
            let text = catch(work).unwrap_err();
            assert!(text.starts_with("panicked at ") && text.contains("panics.rs:"), "{text}");
            assert!(text.ends_with(expected), "{text}");
        };
        check(|| panic!("plain"), ": plain");
        check(|| panic!("{} of {}", 7, 9), ": 7 of 9");
        check(|| panic::panic_any(7), ": without a message");
        check(|| drop(Bomb), ": in a destructor");
        let resumed = catch(|| panic::resume_unwind(Box::new("from elsewhere")));
        assert_eq!(resumed, Err("panicked: from elsewhere".into()), "no hook is asked then");
        assert_eq!(catch(|| 7), Ok(7));
    }

    #[test]
    fn a_panic_after_another_is_told_with_it() {
        let text = catch(|| {
            let first = panic::catch_unwind(|| panic!("first"));
            drop(Bomb);
            first
        });
        let text = text.unwrap_err();
        assert!(text.contains(": first; then panicked at ") && text.ends_with("in a destructor"), "{text}");
        assert_eq!(catch(|| ()), Ok(()), "nothing of it is left");
    }
}
