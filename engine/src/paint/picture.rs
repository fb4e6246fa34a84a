//! Pictures that a test can show: brightness as characters, one for each pixel.

use alloc::string::String;

use super::{Canvas, Color, Frame, Rect, Size};

/// Characters for brightness, from black to white: an eighth each, black and white alone.
const RAMP: [char; 9] = ['.', ':', '-', '=', '+', '*', 'x', '%', '@'];

/// What `draw` draws on a black canvas of this size.
pub(crate) fn picture(width: u32, height: u32, draw: impl FnOnce(&mut Canvas<'_>)) -> String {
    let mut frame = Frame::new(Size::new(width, height), Color::rgb(0, 0, 0));
    draw(&mut Canvas::new(&mut frame));
    of(&frame, frame.bounds())
}

/// A part of a frame.
pub(crate) fn of(frame: &Frame, rect: Rect) -> String {
    let mut picture = String::new();
    for y in rect.at.y..rect.bottom() {
        for pixel in frame.row(y, rect.at.x, rect.right()).chunks_exact(4) {
            let luma = usize::from(Color::rgb(pixel[0], pixel[1], pixel[2]).grey().r);
            picture.push(RAMP[if luma == 0 { 0 } else { 1 + luma * 7 / 255 }]);
        }
        picture.push('\n');
    }
    picture
}

/// White, as tests draw.
pub(crate) const WHITE: Color = Color::rgb(255, 255, 255);
