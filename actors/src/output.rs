//! Outputs: where frames go. Each is an actor on a thread of its own and finds the newest picture in a slot
//! where a newer one replaces it: a slow output skips frames and delays nobody.

pub mod null;
pub mod png;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::handle::Picture;
use crate::panel::Output;
use crate::telemetry;
use crate::world::World;

/// What a running output has to do with the world.
pub struct Context {
    /// Time, real or virtual.
    world: World,
    /// The newest picture.
    pictures: watch::Receiver<Arc<Picture>>,
    stop: watch::Receiver<bool>,
    /// Counters.
    telemetry: telemetry::Output,
}

/// Runs an output until it has shown the last picture.
pub async fn run(output: Output, mut context: Context) {
    match output {
        Output::Null => null::run(&mut context).await,
        Output::Png { file, every } => png::run(&file, every, &mut context).await,
        // The browser's frames are fetched by the HTTP server, which reads the slot by itself.
        Output::Web => {}
    }
}

impl Context {
    /// The context of an output that shows `pictures`. When `stop` turns true, the newest of them is the
    /// last: the output shows it, if it has not yet, and ends.
    pub fn new(
        world: World,
        pictures: watch::Receiver<Arc<Picture>>,
        stop: watch::Receiver<bool>,
        telemetry: telemetry::Output,
    ) -> Context {
        Context { world, pictures, stop, telemetry }
    }

    /// Waits for a picture that is newer than the last one. `None` when no more will come.
    async fn newer(&mut self) -> Option<Arc<Picture>> {
        tokio::select! {
            biased;
            () = stopped(&mut self.stop) => {
                if !self.pictures.has_changed().ok()? {
                    return None;
                }
            }
            changed = self.pictures.changed() => changed.ok()?,
        }
        Some(self.pictures.borrow_and_update().clone())
    }

    /// Counts a picture that the output has shown just now.
    fn shown(&self, picture: &Picture) {
        self.telemetry.shown(picture, self.world.now());
    }

    /// Waits for `span`, or for the end.
    async fn pause(&mut self, span: Duration) {
        let until = self.world.now().saturating_add(span);
        tokio::select! {
            biased;
            () = stopped(&mut self.stop) => {}
            () = self.world.sleep_until(until) => {}
        }
    }
}

async fn stopped(stop: &mut watch::Receiver<bool>) {
    // An error means that nobody is left who could say "stop": the run is over as well.
    let _ = stop.wait_for(|stop| *stop).await;
}
