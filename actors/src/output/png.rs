//! The newest frame as a PNG file, for web servers and scripts that want a file to read. The file is
//! replaced as a whole, so that no reader ever sees half of one.

use std::borrow::Cow;
use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::time::Duration;

use engine::paint::Frame;

use super::Context;
use crate::supervisor::fence::Pass;
use crate::supervisor::worker::Failure;

/// Writes the newest frame to `file` whenever it has changed, at most once per `every`, and
/// once more at the end if that left one out. A write that fails is logged and tried again with the next frame.
///
/// # Errors
/// An injected fault.
pub async fn run(file: &Path, every: Duration, context: &mut Context) -> Result<(), Failure> {
    let mut failing = false;
    while let Some(picture) = context.newer().await? {
        match replace(file, &picture.frame, &context.supervision.pass) {
            Ok(None) => return Ok(()),
            Ok(Some(bytes)) => {
                context.telemetry.bytes.increment(bytes);
                context.telemetry.pixels.increment(picture.frame.bounds().area());
                context.shown(&picture);
                failing = false;
            }
            Err(error) if !failing => {
                tracing::warn!(file = %file.display(), %error, "the frame cannot be written");
                failing = true;
            }
            Err(_) => {}
        }
        drop(picture);
        context.pause(every).await;
    }
    Ok(())
}

/// The most times that [`encode`] repeats a pixel across and down.
pub const SCALE_MAX: u32 = 16;

/// Writes a frame as a PNG in which every pixel is a square of `scale` (1 to [`SCALE_MAX`]) pixels.
///
/// # Errors
/// Those of the writer.
pub fn encode(frame: &Frame, scale: u32, out: impl Write) -> io::Result<()> {
    let scale = scale.clamp(1, SCALE_MAX);
    let size = frame.size();
    let mut encoder = png::Encoder::new(out, size.width * scale, size.height * scale);
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Fast);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&enlarged(frame, scale as usize))?;
    Ok(writer.finish()?)
}

fn enlarged(frame: &Frame, scale: usize) -> Cow<'_, [u8]> {
    if scale == 1 {
        return Cow::Borrowed(frame.pixels());
    }
    let mut pixels = Vec::with_capacity(frame.pixels().len() * scale * scale);
    for row in frame.pixels().chunks_exact((frame.size().width as usize * 4).max(1)) {
        let start = pixels.len();
        for pixel in row.chunks_exact(4) {
            (0..scale).for_each(|_| pixels.extend_from_slice(pixel));
        }
        let end = pixels.len();
        (1..scale).for_each(|_| pixels.extend_from_within(start..end));
    }
    Cow::Owned(pixels)
}

/// Returns how many bytes the new file has; `None` where an output that was started later has the file.
fn replace(file: &Path, frame: &Frame, pass: &Pass) -> io::Result<Option<u64>> {
    // Each generation has a part of its own: one that was left behind may still write to it.
    let unfinished = file.with_extension(format!("png.{}.part", pass.generation()));
    let mut out = BufWriter::new(fs::File::create(&unfinished)?);
    encode(frame, 1, &mut out)?;
    let bytes = out.into_inner()?.metadata()?.len();
    // Not behind the fence, where the supervisor would wait for a disk that hangs.
    if !pass.is_valid() {
        fs::remove_file(&unfinished)?;
        return Ok(None);
    }
    fs::rename(&unfinished, file)?;
    Ok(Some(bytes))
}

#[cfg(test)]
mod tests {
    use engine::paint::{Color, Size};

    use super::*;
    use crate::supervisor::fence::Fence;

    #[test]
    fn an_output_that_was_left_behind_replaces_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("frame.png");
        let fence = Fence::default();
        let frame = |width| Frame::new(Size { width, height: 8 }, Color::rgb(0, 0, 0));
        let late = fence.admit(1);
        let pass = fence.admit(2);
        let shown = replace(&file, &frame(16), &pass).unwrap();
        assert_eq!(replace(&file, &frame(8), &late).unwrap(), None);
        assert_eq!(shown, Some(fs::metadata(&file).unwrap().len()));
        let image = png::Decoder::new(io::Cursor::new(fs::read(&file).unwrap())).read_info().unwrap();
        assert_eq!(image.info().width, 16, "the newer picture stays");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing unfinished is left");
    }

    #[test]
    fn one_that_hangs_while_it_writes_shares_its_part_with_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("frame.png");
        let fence = Fence::default();
        let mut hanging = fs::File::create(file.with_extension("png.1.part")).unwrap();
        let frame = Frame::new(Size { width: 8, height: 8 }, Color::rgb(0, 0, 0));
        replace(&file, &frame, &fence.admit(2)).unwrap();
        let whole = fs::read(&file).unwrap();
        hanging.write_all(b"late").unwrap();
        assert!(fs::read(&file).unwrap() == whole, "the picture was written to");
    }
}
