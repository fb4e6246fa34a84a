//! Blending: all of it in whole numbers, rounded to nearest, so that every machine gives the same bytes.

use super::Color;

/// `a * b / 255`, rounded to nearest: both are fractions of 255.
///
/// The division by 255 is the exact shift form `(t + (t >> 8)) >> 8` for `t = a * b + 128`
/// (Blinn, "Three Wrongs Make a Right", 1995).
pub(crate) const fn scale(a: u8, b: u8) -> u8 {
    let t = a as u32 * b as u32 + 128;
    ((t + (t >> 8)) >> 8) as u8
}

/// The value `amount` (0 to 255) of the way from `from` to `to`, rounded to nearest.
pub(super) const fn mix(from: u8, to: u8, amount: u8) -> u8 {
    let t = from as u32 * (255 - amount as u32) + to as u32 * amount as u32 + 128;
    ((t + (t >> 8)) >> 8) as u8
}

/// Draws `color` over one opaque pixel (red, green, blue, alpha), `alpha` (0 to 255) of it.
///
/// The same as [`mix`] for each channel, two channels at a time in the halves of a word: no half
/// overflows, since 255 * 255 + 128 + 254 is below 65,536.
pub(super) fn over(pixel: &mut [u8; 4], color: Color, alpha: u8) {
    const HALVES: u32 = 0x00ff_00ff;
    let below = u32::from_le_bytes(*pixel);
    let above = u32::from_le_bytes([color.r, color.g, color.b, 255]);
    let (alpha, rest) = (u32::from(alpha), 255 - u32::from(alpha));
    let mixed = |below: u32, above: u32| {
        let sum = (below & HALVES) * rest + (above & HALVES) * alpha + 0x0080_0080;
        ((sum + (sum >> 8 & HALVES)) >> 8) & HALVES
    };
    *pixel = (mixed(below, above) | mixed(below >> 8, above >> 8) << 8).to_le_bytes();
}

/// Mixes `drawn` back towards `ground`, byte by byte: what is left is `amount` (0 to 255) of the drawing.
pub(super) fn fade(drawn: &mut [u8], ground: &[u8], amount: u8) {
    for (drawn, ground) in drawn.iter_mut().zip(ground) {
        *drawn = mix(*ground, *drawn, amount);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mixing_is_exact_for_every_input() {
        for from in 0..=255u8 {
            for to in 0..=255u8 {
                for amount in [0u8, 1, 2, 63, 127, 128, 129, 200, 254, 255] {
                    let exact = u32::from(from) * u32::from(255 - amount) + u32::from(to) * u32::from(amount);
                    assert_eq!(u32::from(mix(from, to, amount)), (exact + 127) / 255, "{from} {to} {amount}");
                }
                assert_eq!(u32::from(scale(from, to)), (u32::from(from) * u32::from(to) + 127) / 255);
            }
        }
    }

    #[test]
    fn two_channels_at_a_time_are_the_same() {
        for below in (0..=255u8).step_by(5) {
            for above in (0..=255u8).step_by(3) {
                for alpha in 0..=255u8 {
                    let mut pixel = [below, 255 - below, above, 255];
                    over(&mut pixel, Color::rgb(above, above, below), alpha);
                    let expected =
                        [mix(below, above, alpha), mix(255 - below, above, alpha), mix(above, below, alpha)];
                    assert_eq!(pixel, [expected[0], expected[1], expected[2], 255]);
                }
            }
        }
    }

    #[test]
    fn the_ends_are_the_colours_themselves() {
        let mut pixel = [10, 20, 30, 255];
        over(&mut pixel, Color::rgb(200, 100, 0), 0);
        assert_eq!(pixel, [10, 20, 30, 255]);
        over(&mut pixel, Color::rgb(200, 100, 0), 255);
        assert_eq!(pixel, [200, 100, 0, 255]);
    }
}
