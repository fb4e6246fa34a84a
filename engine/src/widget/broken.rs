//! What is shown in place of a widget that failed: a box with a cross. It is simple enough not to fail too.

use crate::paint::{Canvas, Color, Point, Rect, Size};

/// The colour of outline and cross.
const LINE: Color = Color::rgb(0xc8, 0x50, 0x50);

/// How much of the line's colour the ground has, of 255.
const GROUND: u8 = 40;

/// Paints the box over all that is inside `rect`.
pub(crate) fn paint(rect: Rect, canvas: &mut Canvas<'_>, background: Color) {
    let mut canvas = canvas.clipped(rect);
    canvas.fill(rect, background.mix(LINE, GROUND));
    let (width, height) = (rect.size.width, rect.size.height);
    let at = |x: u32, y: u32| Point {
        x: rect.at.x.saturating_add_unsigned(x),
        y: rect.at.y.saturating_add_unsigned(y),
    };
    let (right, bottom) = (width.saturating_sub(1), height.saturating_sub(1));
    for (x, y, width, height) in
        [(0, 0, width, 1), (0, bottom, width, 1), (0, 0, 1, height), (right, 0, 1, height)]
    {
        canvas.fill(Rect { at: at(x, y), size: Size::new(width, height) }, LINE);
    }
    let steps = width.max(height);
    for step in 0..steps {
        let along = |side: u32| (u64::from(step) * u64::from(side) / u64::from(steps)) as u32;
        let (x, y) = (along(width), along(height));
        canvas.cover(at(x, y), 255, LINE);
        canvas.cover(at(x, bottom.saturating_sub(y)), 255, LINE);
    }
}
