//! The newest frame as a PNG file, for web servers and scripts that want a file to read. The file is
//! replaced as a whole, so that no reader ever sees half of one.

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
    if scale == 1 {
        writer.write_image_data(frame.pixels())?;
        return Ok(writer.finish()?);
    }
    // Row by row: an enlarged picture of a large panel is hundreds of megabytes.
    let mut rows = writer.stream_writer()?;
    let mut enlarged = Vec::with_capacity(size.width as usize * 4 * scale as usize);
    for row in frame.pixels().chunks_exact((size.width as usize * 4).max(1)) {
        enlarged.clear();
        for pixel in row.chunks_exact(4) {
            (0..scale).for_each(|_| enlarged.extend_from_slice(pixel));
        }
        for _ in 0..scale {
            rows.write_all(&enlarged)?;
        }
    }
    rows.finish()?;
    Ok(writer.finish()?)
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
    use engine::paint::{Canvas, Color, Point, Rect, Size};

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

    /// What is written, and the most bytes of it at once.
    #[derive(Default)]
    struct Written {
        bytes: Vec<u8>,
        longest: usize,
    }

    impl Write for &mut Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.longest = self.longest.max(bytes.len());
            self.bytes.extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Pixels without a pattern, which no compression makes small.
    fn noise(width: u32, height: u32) -> Frame {
        let mut frame = Frame::new(Size::new(width, height), Color::default());
        let mut state = 1_u32;
        let mut canvas = Canvas::new(&mut frame);
        for at in 0..width * height {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let [r, g, b, _] = state.to_be_bytes();
            let at = Point::new((at % width) as i32, (at / width) as i32);
            canvas.fill(Rect { at, size: Size::new(1, 1) }, Color::rgb(r, g, b));
        }
        frame
    }

    #[test]
    fn pixels_become_squares() {
        let frame = noise(7, 3);
        for scale in [1, 2, 5, SCALE_MAX] {
            let mut written = Written::default();
            encode(&frame, scale, &mut written).unwrap();
            let mut reader = png::Decoder::new(io::Cursor::new(written.bytes)).read_info().unwrap();
            let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
            let info = reader.next_frame(&mut pixels).unwrap();
            assert_eq!((info.width, info.height), (7 * scale, 3 * scale));
            for (at, pixel) in pixels.chunks_exact(4).enumerate() {
                let (x, y) = (at as u32 % info.width / scale, at as u32 / info.width / scale);
                let from = (y * 7 + x) as usize * 4;
                assert_eq!(pixel, &frame.pixels()[from..from + 4], "{scale}: {x} {y}");
            }
        }
    }

    #[test]
    fn an_enlarged_picture_is_never_there_as_a_whole() {
        let mut written = Written::default();
        encode(&noise(200, 200), 4, &mut written).unwrap();
        assert!(written.bytes.len() > 160_000, "{} bytes", written.bytes.len());
        assert!(written.longest <= 64 << 10, "{} bytes at once", written.longest);
    }
}
