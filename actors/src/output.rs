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
        Ok(Some(self.pictures.borrow_and_update().clone()))
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

#[cfg(test)]
mod tests {
    use engine::paint::{Color, Frame, Size};
    use engine::tick::Tick;

    use super::*;
    use crate::source::rig::simulate;
    use crate::supervisor::fence::Fence;
    use crate::telemetry::Telemetry;
    use crate::world::World;

    const SECOND: Duration = Duration::from_secs(1);

    /// A picture that is as grey as its tick.
    fn picture(tick: u8) -> Arc<Picture> {
        let frame = Frame::new(Size::new(8, 8), Color::rgb(tick, tick, tick));
        Arc::new(Picture::new(Tick(tick.into()), frame))
    }

    /// What an output is given, and the ends that are not its own.
    struct Rig {
        world: World,
        pictures: watch::Sender<Arc<Picture>>,
        stop: watch::Sender<bool>,
        fence: Fence,
        telemetry: telemetry::Output,
    }

    impl Rig {
        fn new() -> Rig {
            Rig {
                world: World::simulated(false),
                pictures: watch::channel(picture(0)).0,
                stop: watch::Sender::new(false),
                fence: Fence::default(),
                telemetry: Telemetry::new(&[], &["png".into()], &[]).output(0).clone(),
            }
        }

        fn context(&self, generation: u64) -> Context {
            let (pass, faults) = (self.fence.admit(generation), Default::default());
            let supervision = worker::Context::new(self.world, pass, faults, self.stop.subscribe());
            Context::new(supervision, self.pictures.subscribe(), self.telemetry.clone())
        }
    }

    async fn newer(context: &mut Context) -> Option<u64> {
        context.newer().await.unwrap().map(|picture| picture.tick.0)
    }

    #[test]
    fn the_newest_picture_is_shown_once_and_the_last_in_any_case() {
        simulate(async {
            let rig = Rig::new();
            let mut context = rig.context(1);
            assert_eq!(newer(&mut context).await, Some(0), "what there was before");
            for tick in 1..=3 {
                rig.pictures.send_replace(picture(tick));
            }
            assert_eq!(newer(&mut context).await, Some(3), "those between are left out");
            let patience = tokio::time::timeout(3_600 * SECOND, newer(&mut context)).await;
            assert!(patience.is_err(), "it was shown again");
            rig.pictures.send_replace(picture(4));
            rig.stop.send_replace(true);
            assert_eq!(newer(&mut context).await, Some(4), "painted before the end");
            assert_eq!(newer(&mut context).await, None);
        });
    }

    #[test]
    fn one_that_was_left_behind_shows_nothing() {
        simulate(async {
            let rig = Rig::new();
            let mut late = rig.context(1);
            let mut next = rig.context(2);
            assert_eq!((newer(&mut late).await, newer(&mut next).await), (None, Some(0)));
        });
    }

    #[test]
    fn a_file_is_written_once_in_its_time_and_at_the_end() {
        simulate(async {
            let rig = Rig::new();
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("frame.png");
            let (shown, mut context) = (file.clone(), rig.context(1));
            let writing = actix::spawn(async move { png::run(&shown, SECOND, &mut context).await });
            for tick in 1..=95 {
                rig.world.sleep_until(SECOND / 10 * tick).await;
                rig.pictures.send_replace(picture(tick as u8));
            }
            rig.stop.send_replace(true);
            writing.await.unwrap().unwrap();
            // At the beginning of each of ten seconds, and the last.
            assert_eq!(rig.telemetry.frames.total(), 11);
            let written = std::fs::File::open(file).unwrap();
            let mut image = ::png::Decoder::new(std::io::BufReader::new(written)).read_info().unwrap();
            let mut pixels = vec![0; image.output_buffer_size().unwrap()];
            image.next_frame(&mut pixels).unwrap();
            assert_eq!(pixels[0], 95, "the last one stays");
        });
    }
}
