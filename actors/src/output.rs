//! Outputs: where frames go. Each is an actor on a thread of its own and finds the newest picture in a slot
//! where a newer one replaces it: a slow output skips frames and delays nobody.

pub mod null;
pub mod png;

use std::sync::Arc;

use tokio::sync::watch;

use crate::handle::Picture;
use crate::panel::Output;
use crate::telemetry;
use crate::world::World;

/// What a running output has to do with the world.
pub struct Context {
    /// Time, real or virtual.
    pub world: World,
    /// The newest picture.
    pub pictures: watch::Receiver<Arc<Picture>>,
    /// Counters.
    pub telemetry: telemetry::Output,
}

/// Runs an output until no more pictures come.
pub async fn run(output: Output, mut context: Context) {
    match output {
        Output::Null => null::run(&mut context).await,
        Output::Png { file, every } => png::run(&file, every, &mut context).await,
        // The browser's frames are fetched by the HTTP server, which reads the slot by itself.
        Output::Web => {}
    }
}

impl Context {
    /// Waits for a picture that is newer than the last one. `None` when no more will come.
    async fn newer(&mut self) -> Option<Arc<Picture>> {
        self.pictures.changed().await.ok()?;
        let picture = self.pictures.borrow_and_update().clone();
        self.telemetry.frames.increment(1);
        Some(picture)
    }
}
