//! The newest frame as a PNG.

use engine::paint::Frame;
use png::{BitDepth, ColorType, Compression, Encoder, EncodingError};

/// The most times that a pixel can be repeated across and down.
pub(super) const SCALE_MAX: u32 = 8;

/// `frame` as a PNG in which every pixel is a square of `scale` (1 to [`SCALE_MAX`]) pixels.
pub(super) fn png(frame: &Frame, scale: u32) -> Result<Vec<u8>, EncodingError> {
    let scale = scale.clamp(1, SCALE_MAX);
    let size = frame.size();
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, size.width * scale, size.height * scale);
    encoder.set_color(ColorType::Rgba);
    encoder.set_depth(BitDepth::Eight);
    encoder.set_compression(Compression::Fast);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&enlarged(frame, scale as usize))?;
    writer.finish()?;
    Ok(bytes)
}

fn enlarged(frame: &Frame, scale: usize) -> Vec<u8> {
    let stride = frame.size().width as usize * 4;
    let mut pixels = Vec::with_capacity(frame.pixels().len() * scale * scale);
    for row in frame.pixels().chunks_exact(stride.max(1)) {
        let start = pixels.len();
        for pixel in row.chunks_exact(4) {
            (0..scale).for_each(|_| pixels.extend_from_slice(pixel));
        }
        let end = pixels.len();
        (1..scale).for_each(|_| pixels.extend_from_within(start..end));
    }
    pixels
}
