//! Animated GIFs. Their clock ticks in hundredths of a second and browsers slow down what is faster than
//! two of them, so that 50 frames a second is the most: of a faster run only every so many frames are
//! shown, at their proper times.

use std::fs::File;
use std::io::{self, BufWriter};

use engine::paint::{Frame, Size};
use engine::tick::{Fps, Tick};
use gif::{Encoder, EncodingError, Repeat};

/// The shortest time that a frame is shown, in hundredths of a second.
const SHOWN_MIN: u64 = 2;

/// An animated GIF in the making.
pub(super) struct Animated {
    encoder: Encoder<BufWriter<File>>,
    size: Size,
    fps: Fps,
    /// The frame that is shown since a time, in hundredths of a second.
    shown: Option<(u64, Frame)>,
    end: u64,
}

impl Animated {
    pub(super) fn new(file: File, size: Size, fps: Fps) -> io::Result<Animated> {
        let side = |pixels: u32| u16::try_from(pixels).map_err(|_| io::Error::other("too large for a GIF"));
        let (width, height) = (side(size.width)?, side(size.height)?);
        let mut encoder = Encoder::new(BufWriter::new(file), width, height, &[]).map_err(failure)?;
        encoder.set_repeat(Repeat::Infinite).map_err(failure)?;
        Ok(Animated { encoder, size, fps, shown: None, end: 0 })
    }

    /// Takes the next frame. What does not differ from the one before is shown longer instead.
    pub(super) fn frame(&mut self, tick: Tick, frame: &Frame) -> io::Result<()> {
        let now = self.fps.millis_at(tick) / 10;
        self.end = self.fps.millis_at(tick.next()) / 10;
        match &self.shown {
            Some((since, shown)) if now < since + SHOWN_MIN || shown == frame => Ok(()),
            _ => {
                self.write(now)?;
                self.shown = Some((now, frame.clone()));
                Ok(())
            }
        }
    }

    /// Writes the last frame.
    pub(super) fn finish(mut self) -> io::Result<()> {
        let end = self.shown.as_ref().map_or(0, |(since, _)| self.end.max(since + SHOWN_MIN));
        self.write(end)
    }

    fn write(&mut self, until: u64) -> io::Result<()> {
        let Some((since, frame)) = self.shown.take() else { return Ok(()) };
        let mut pixels = frame.pixels().to_vec();
        // A side was checked to fit when the file was begun.
        let (width, height) = (self.size.width as u16, self.size.height as u16);
        let mut picture = gif::Frame::from_rgba_speed(width, height, &mut pixels, 10);
        picture.delay = u16::try_from(until - since).unwrap_or(u16::MAX);
        self.encoder.write_frame(&picture).map_err(failure)
    }
}

fn failure(error: EncodingError) -> io::Error {
    match error {
        EncodingError::Io(error) => error,
        other => io::Error::other(other.to_string()),
    }
}
