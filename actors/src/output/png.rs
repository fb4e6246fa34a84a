//! The newest frame as a PNG file, for web servers and scripts that want a file to read. The file is
//! replaced as a whole, so that no reader ever sees half of one.

use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::time::Duration;

use engine::paint::Frame;

use super::Context;

/// Writes the newest frame to `file` whenever it has changed, at most once per `every`. A write that fails
/// is logged and tried again with the next frame.
pub async fn run(file: &Path, every: Duration, context: &mut Context) {
    let mut failing = false;
    while let Some(picture) = context.newer().await {
        match replace(file, &picture.frame) {
            Ok(bytes) => {
                context.telemetry.bytes.increment(bytes);
                failing = false;
            }
            Err(error) if !failing => {
                tracing::warn!(file = %file.display(), %error, "the frame cannot be written");
                failing = true;
            }
            Err(_) => {}
        }
        drop(picture);
        context.world.sleep_until(context.world.now() + every).await;
    }
}

/// Writes a frame as a PNG.
///
/// # Errors
/// Those of the writer.
pub fn encode(frame: &Frame, out: impl Write) -> io::Result<()> {
    let size = frame.size();
    let mut encoder = png::Encoder::new(out, size.width, size.height);
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(frame.pixels())?;
    Ok(writer.finish()?)
}

fn replace(file: &Path, frame: &Frame) -> io::Result<u64> {
    let unfinished = file.with_extension("png.part");
    let mut out = BufWriter::new(fs::File::create(&unfinished)?);
    encode(frame, &mut out)?;
    let bytes = out.into_inner()?.metadata()?.len();
    fs::rename(&unfinished, file)?;
    Ok(bytes)
}
