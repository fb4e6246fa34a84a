//! Draws panels and widgets in all their states as PNG files, at their real size and enlarged four times,
//! into `target/gallery` or the folder given: to be looked at.

mod panels;
mod states;

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use engine::paint::{Frame, Point};

/// How much the enlarged pictures are enlarged.
const SCALE: u32 = 4;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).map_or_else(|| PathBuf::from("target/gallery"), PathBuf::from);
    std::fs::create_dir_all(&folder)?;
    for (name, panel) in panels::all().into_iter().chain(states::all()) {
        write(&folder.join(format!("{name}.png")), &panel.paint(), 1)?;
        write(&folder.join(format!("{name}-x{SCALE}.png")), &panel.paint(), SCALE)?;
    }
    Ok(())
}

fn write(path: &Path, frame: &Frame, scale: u32) -> Result<(), Box<dyn std::error::Error>> {
    let (width, height) = (frame.size().width * scale, frame.size().height * scale);
    let mut encoder = png::Encoder::new(BufWriter::new(File::create(path)?), width, height);
    encoder.set_color(png::ColorType::Rgb);
    let mut bytes = Vec::new();
    for y in 0..height {
        for x in 0..width {
            let color = frame.pixel(Point::new((x / scale) as i32, (y / scale) as i32)).unwrap_or_default();
            bytes.extend([color.r, color.g, color.b]);
        }
    }
    Ok(encoder.write_header()?.write_image_data(&bytes)?)
}
