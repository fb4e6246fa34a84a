//! Functions of colours, which are `0xRRGGBBAA` to a formula. What is out of bounds is taken for the nearest
//! that is not, as in CSS.

use crate::paint::Color;

/// Red, green and blue from 0 to 255, and alpha from 0 to 1.
pub(super) fn rgb(of: &[f64]) -> f64 {
    pack(Color { r: byte(of[0]), g: byte(of[1]), b: byte(of[2]), a: alpha_of(of.get(3)) })
}

/// Hue in degrees, saturation and lightness from 0 to 100, and alpha from 0 to 1.
pub(super) fn hsl(of: &[f64]) -> f64 {
    let [saturation, lightness] = [of[1], of[2]].map(|percent| percent.clamp(0.0, 100.0) / 100.0);
    let turned = libm::fmod(of[0], 360.0);
    let sixth = (if turned < 0.0 { turned + 360.0 } else { turned }) / 60.0;
    let chroma = (1.0 - (2.0 * lightness - 1.0).abs()) * saturation;
    let second = chroma * (1.0 - (libm::fmod(sixth, 2.0) - 1.0).abs());
    let (r, g, b) = match sixth {
        _ if sixth < 1.0 => (chroma, second, 0.0),
        _ if sixth < 2.0 => (second, chroma, 0.0),
        _ if sixth < 3.0 => (0.0, chroma, second),
        _ if sixth < 4.0 => (0.0, second, chroma),
        _ if sixth < 5.0 => (second, 0.0, chroma),
        _ => (chroma, 0.0, second),
    };
    let grey = lightness - chroma / 2.0;
    let [r, g, b] = [r, g, b].map(|part| byte((part + grey) * 255.0));
    pack(Color { r, g, b, a: alpha_of(of.get(3)) })
}

/// The colour so much of the way from one to the other, as painting mixes them.
pub(super) fn mix(of: &[f64]) -> f64 {
    pack(unpack(of[0]).mix(unpack(of[1]), alpha_of(of.get(2))))
}

/// The same colour with another alpha.
pub(super) fn alpha(of: &[f64]) -> f64 {
    pack(unpack(of[0]).with_alpha(alpha_of(of.get(1))))
}

fn alpha_of(part: Option<&f64>) -> u8 {
    part.map_or(255, |part| byte(part.clamp(0.0, 1.0) * 255.0))
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is from 0 to 255")]
fn byte(n: f64) -> u8 {
    libm::round(n.clamp(0.0, 255.0)) as u8
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "colours are whole numbers")]
fn unpack(n: f64) -> Color {
    Color::unpack(n as u32)
}

fn pack(color: Color) -> f64 {
    f64::from(color.pack())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hues() {
        for (h, s, l, rgb) in [
            (0.0, 100.0, 50.0, 0xff_0000),
            (60.0, 100.0, 50.0, 0xff_ff00),
            (120.0, 100.0, 25.0, 0x00_8000),
            (180.0, 100.0, 50.0, 0x00_ffff),
            (240.0, 100.0, 50.0, 0x00_00ff),
            (300.0, 100.0, 50.0, 0xff_00ff),
            (-60.0, 100.0, 50.0, 0xff_00ff),
            (720.0, 100.0, 50.0, 0xff_0000),
            (210.0, 0.0, 50.0, 0x80_8080),
            (39.0, 100.0, 50.0, 0xff_a600),
            (12.0, 250.0, -5.0, 0x00_0000),
        ] {
            assert_eq!(unpack(hsl(&[h, s, l])), Color::hex(rgb), "hsl({h}, {s}, {l})");
        }
    }

    #[test]
    fn every_colour_comes_through() {
        for rgba in [0, 1, 0xff, 0x1234_5678, u32::MAX] {
            assert_eq!(pack(Color::unpack(rgba)), f64::from(rgba));
            assert_eq!(mix(&[f64::from(rgba), 0.0, 0.0]), f64::from(rgba));
            assert_eq!(mix(&[0.0, f64::from(rgba), 2.0]), f64::from(rgba));
        }
        assert_eq!(unpack(rgb(&[300.0, -4.0, 127.5])), Color::rgb(255, 0, 128));
        assert_eq!(unpack(alpha(&[rgb(&[1.0, 2.0, 3.0]), 0.5])), Color { r: 1, g: 2, b: 3, a: 128 });
    }
}
