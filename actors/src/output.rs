//! Outputs: where frames go. Each is an actor on a thread of its own and finds the newest picture in a slot
//! where a newer one replaces it: a slow output skips frames and delays nobody.

pub mod null;
pub mod png;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::handle::Picture;
use crate::panel::Output;
use crate::supervisor::worker::{self, Failure};
use crate::telemetry;

/// What a running output has to do with the world.
pub struct Context {
    supervision: worker::Context,
    /// The newest picture.
    pictures: watch::Receiver<Arc<Picture>>,
    /// Counters.
    telemetry: telemetry::Output,
}

/// Runs an output until it has shown the last picture.
///
/// # Errors
/// Why it cannot go on.
pub async fn run(output: &Output, mut context: Context) -> Result<(), Failure> {
    match output {
        Output::Null => null::run(&mut context).await,
        Output::Png { file, every } => png::run(file, *every, &mut context).await,
        // The browser's frames are fetched by the HTTP server, which reads the slot by itself.
        Output::Web => Ok(()),
    }
}

impl Context {
    /// The context of an output that shows `pictures`, the newest one first, if any was painted. When
    /// `supervision` says "stop", the newest is the last: the output shows it, if it has not yet, and ends.
    pub fn new(
        supervision: worker::Context,
        mut pictures: watch::Receiver<Arc<Picture>>,
        telemetry: telemetry::Output,
    ) -> Context {
        pictures.mark_changed();
        Context { supervision, pictures, telemetry }
    }

    /// Waits for a picture that is newer than the last one. `None` when no more will come.
    ///
    /// # Errors
    /// An injected fault.
    async fn newer(&mut self) -> Result<Option<Arc<Picture>>, Failure> {
        let next = async {
            tokio::select! {
                biased;
                () = self.supervision.stopped() => self.pictures.has_changed().unwrap_or(false),
                changed = self.pictures.changed() => changed.is_ok(),
            }
        };
        // One that was left behind with its thread shows nothing any more: another one shows it.
        if !self.supervision.heart.resting(next).await || !self.supervision.pass.is_valid() {
            return Ok(None);
        }
        self.supervision.strike("output.show").await?;
        let picture = self.pictures.borrow_and_update().clone();
        Ok(Some(picture))
    }

    /// Counts a picture that the output has shown just now.
    fn shown(&self, picture: &Picture) {
        self.telemetry.shown(picture, self.supervision.world.now());
    }

    /// Waits for `span`, or for the end.
    async fn pause(&mut self, span: Duration) {
        self.supervision.sleep_until(self.supervision.world.now().saturating_add(span)).await;
    }
}
