//! Colours, and how users write them.

use core::fmt;

use serde::{Deserialize, Serialize};

use super::blend;

/// A colour in sRGB with straight (not premultiplied) alpha.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Color {
    /// Red, 0 to 255.
    pub r: u8,
    /// Green, 0 to 255.
    pub g: u8,
    /// Blue, 0 to 255.
    pub b: u8,
    /// Alpha: 0 is invisible, 255 opaque.
    pub a: u8,
}

impl Color {
    /// Invisible.
    pub const TRANSPARENT: Color = Color { r: 0, g: 0, b: 0, a: 0 };

    /// An opaque colour.
    pub const fn rgb(r: u8, g: u8, b: u8) -> Color {
        Color { r, g, b, a: 255 }
    }

    /// An opaque colour from `0xRRGGBB`; higher bits do not count.
    pub const fn hex(rgb: u32) -> Color {
        Color::rgb((rgb >> 16) as u8, (rgb >> 8) as u8, rgb as u8)
    }

    /// A colour from `0xRRGGBBAA`.
    pub const fn unpack(rgba: u32) -> Color {
        let [r, g, b, a] = rgba.to_be_bytes();
        Color { r, g, b, a }
    }

    /// `0xRRGGBBAA`.
    ///
    /// ```
    /// use engine::paint::Color;
    /// assert_eq!(Color::hex(0xff8800).pack(), 0xff88_00ff);
    /// assert_eq!(Color::unpack(0xff88_00ff), Color::hex(0xff8800));
    /// ```
    pub const fn pack(self) -> u32 {
        u32::from_be_bytes([self.r, self.g, self.b, self.a])
    }

    /// The same colour with another alpha.
    #[must_use]
    pub const fn with_alpha(self, a: u8) -> Color {
        Color { a, ..self }
    }

    /// Reads `#rgb`, `#rrggbb`, `#rrggbbaa`, a CSS colour name or `transparent`. Letters count without case;
    /// anything else is `None`.
    ///
    /// ```
    /// use engine::paint::Color;
    /// assert_eq!(Color::parse("#fa0"), Some(Color::rgb(255, 170, 0)));
    /// assert_eq!(Color::parse("#11223380"), Some(Color { r: 17, g: 34, b: 51, a: 128 }));
    /// assert_eq!(Color::parse("RebeccaPurple"), Some(Color::hex(0x663399)));
    /// assert_eq!(Color::parse("#ff"), None);
    /// ```
    pub fn parse(text: &str) -> Option<Color> {
        match text.strip_prefix('#') {
            Some(digits) => from_digits(digits.as_bytes()),
            None => from_name(text),
        }
    }

    /// Every name that [`Color::parse`] reads, for suggestions.
    pub fn names() -> impl Iterator<Item = &'static str> {
        NAMES.iter().map(|(name, _)| *name).chain(core::iter::once(TRANSPARENT))
    }

    /// The colour `amount` (0 to 255) of the way from `self` to `other`, channel by channel in sRGB.
    ///
    /// ```
    /// use engine::paint::Color;
    /// assert_eq!(Color::hex(0x000000).mix(Color::hex(0xffffff), 128), Color::hex(0x808080));
    /// ```
    #[must_use]
    pub fn mix(self, other: Color, amount: u8) -> Color {
        Color {
            r: blend::mix(self.r, other.r, amount),
            g: blend::mix(self.g, other.g, amount),
            b: blend::mix(self.b, other.b, amount),
            a: blend::mix(self.a, other.a, amount),
        }
    }

    /// The opaque colour that is seen where this one lies over `ground`.
    #[must_use]
    pub fn over(self, ground: Color) -> Color {
        ground.mix(self, self.a).with_alpha(255)
    }

    /// The grey that is as bright to the eye as this colour (Rec. 709 weights), with its alpha.
    #[must_use]
    pub fn grey(self) -> Color {
        let luma = u32::from(self.r) * 54 + u32::from(self.g) * 183 + u32::from(self.b) * 19;
        // The weights add up to 256, so this is at most 255.
        let luma = (luma >> 8) as u8;
        Color { r: luma, g: luma, b: luma, a: self.a }
    }
}

impl fmt::Display for Color {
    /// `#rrggbb`, or `#rrggbbaa` where it is not opaque: what [`Color::parse`] reads.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{:02x}{:02x}{:02x}", self.r, self.g, self.b)?;
        if self.a != 255 {
            write!(f, "{:02x}", self.a)?;
        }
        Ok(())
    }
}

fn from_digits(digits: &[u8]) -> Option<Color> {
    let digit = |at: usize| (*digits.get(at)? as char).to_digit(16).and_then(|d| u8::try_from(d).ok());
    let pair = |at: usize| Some(digit(at)? << 4 | digit(at + 1)?);
    match digits.len() {
        3 => Some(Color::rgb(digit(0)? * 17, digit(1)? * 17, digit(2)? * 17)),
        6 => Some(Color::rgb(pair(0)?, pair(2)?, pair(4)?)),
        8 => Some(Color { r: pair(0)?, g: pair(2)?, b: pair(4)?, a: pair(6)? }),
        _ => None,
    }
}

fn from_name(text: &str) -> Option<Color> {
    if text.eq_ignore_ascii_case(TRANSPARENT) {
        return Some(Color::TRANSPARENT);
    }
    NAMES.iter().find(|(name, _)| text.eq_ignore_ascii_case(name)).map(|(_, rgb)| Color::hex(*rgb))
}

const TRANSPARENT: &str = "transparent";

/// The named colours of CSS Color Module Level 4, section 6.1, sorted.
#[rustfmt::skip]
const NAMES: [(&str, u32); 148] = [
    ("aliceblue", 0xf0f8ff),
    ("antiquewhite", 0xfaebd7),
    ("aqua", 0x00ffff),
    ("aquamarine", 0x7fffd4),
    ("azure", 0xf0ffff),
    ("beige", 0xf5f5dc),
    ("bisque", 0xffe4c4),
    ("black", 0x000000),
    ("blanchedalmond", 0xffebcd),
    ("blue", 0x0000ff),
    ("blueviolet", 0x8a2be2),
    ("brown", 0xa52a2a),
    ("burlywood", 0xdeb887),
    ("cadetblue", 0x5f9ea0),
    ("chartreuse", 0x7fff00),
    ("chocolate", 0xd2691e),
    ("coral", 0xff7f50),
    ("cornflowerblue", 0x6495ed),
    ("cornsilk", 0xfff8dc),
    ("crimson", 0xdc143c),
    ("cyan", 0x00ffff),
    ("darkblue", 0x00008b),
    ("darkcyan", 0x008b8b),
    ("darkgoldenrod", 0xb8860b),
    ("darkgray", 0xa9a9a9),
    ("darkgreen", 0x006400),
    ("darkgrey", 0xa9a9a9),
    ("darkkhaki", 0xbdb76b),
    ("darkmagenta", 0x8b008b),
    ("darkolivegreen", 0x556b2f),
    ("darkorange", 0xff8c00),
    ("darkorchid", 0x9932cc),
    ("darkred", 0x8b0000),
    ("darksalmon", 0xe9967a),
    ("darkseagreen", 0x8fbc8f),
    ("darkslateblue", 0x483d8b),
    ("darkslategray", 0x2f4f4f),
    ("darkslategrey", 0x2f4f4f),
    ("darkturquoise", 0x00ced1),
    ("darkviolet", 0x9400d3),
    ("deeppink", 0xff1493),
    ("deepskyblue", 0x00bfff),
    ("dimgray", 0x696969),
    ("dimgrey", 0x696969),
    ("dodgerblue", 0x1e90ff),
    ("firebrick", 0xb22222),
    ("floralwhite", 0xfffaf0),
    ("forestgreen", 0x228b22),
    ("fuchsia", 0xff00ff),
    ("gainsboro", 0xdcdcdc),
    ("ghostwhite", 0xf8f8ff),
    ("gold", 0xffd700),
    ("goldenrod", 0xdaa520),
    ("gray", 0x808080),
    ("green", 0x008000),
    ("greenyellow", 0xadff2f),
    ("grey", 0x808080),
    ("honeydew", 0xf0fff0),
    ("hotpink", 0xff69b4),
    ("indianred", 0xcd5c5c),
    ("indigo", 0x4b0082),
    ("ivory", 0xfffff0),
    ("khaki", 0xf0e68c),
    ("lavender", 0xe6e6fa),
    ("lavenderblush", 0xfff0f5),
    ("lawngreen", 0x7cfc00),
    ("lemonchiffon", 0xfffacd),
    ("lightblue", 0xadd8e6),
    ("lightcoral", 0xf08080),
    ("lightcyan", 0xe0ffff),
    ("lightgoldenrodyellow", 0xfafad2),
    ("lightgray", 0xd3d3d3),
    ("lightgreen", 0x90ee90),
    ("lightgrey", 0xd3d3d3),
    ("lightpink", 0xffb6c1),
    ("lightsalmon", 0xffa07a),
    ("lightseagreen", 0x20b2aa),
    ("lightskyblue", 0x87cefa),
    ("lightslategray", 0x778899),
    ("lightslategrey", 0x778899),
    ("lightsteelblue", 0xb0c4de),
    ("lightyellow", 0xffffe0),
    ("lime", 0x00ff00),
    ("limegreen", 0x32cd32),
    ("linen", 0xfaf0e6),
    ("magenta", 0xff00ff),
    ("maroon", 0x800000),
    ("mediumaquamarine", 0x66cdaa),
    ("mediumblue", 0x0000cd),
    ("mediumorchid", 0xba55d3),
    ("mediumpurple", 0x9370db),
    ("mediumseagreen", 0x3cb371),
    ("mediumslateblue", 0x7b68ee),
    ("mediumspringgreen", 0x00fa9a),
    ("mediumturquoise", 0x48d1cc),
    ("mediumvioletred", 0xc71585),
    ("midnightblue", 0x191970),
    ("mintcream", 0xf5fffa),
    ("mistyrose", 0xffe4e1),
    ("moccasin", 0xffe4b5),
    ("navajowhite", 0xffdead),
    ("navy", 0x000080),
    ("oldlace", 0xfdf5e6),
    ("olive", 0x808000),
    ("olivedrab", 0x6b8e23),
    ("orange", 0xffa500),
    ("orangered", 0xff4500),
    ("orchid", 0xda70d6),
    ("palegoldenrod", 0xeee8aa),
    ("palegreen", 0x98fb98),
    ("paleturquoise", 0xafeeee),
    ("palevioletred", 0xdb7093),
    ("papayawhip", 0xffefd5),
    ("peachpuff", 0xffdab9),
    ("peru", 0xcd853f),
    ("pink", 0xffc0cb),
    ("plum", 0xdda0dd),
    ("powderblue", 0xb0e0e6),
    ("purple", 0x800080),
    ("rebeccapurple", 0x663399),
    ("red", 0xff0000),
    ("rosybrown", 0xbc8f8f),
    ("royalblue", 0x4169e1),
    ("saddlebrown", 0x8b4513),
    ("salmon", 0xfa8072),
    ("sandybrown", 0xf4a460),
    ("seagreen", 0x2e8b57),
    ("seashell", 0xfff5ee),
    ("sienna", 0xa0522d),
    ("silver", 0xc0c0c0),
    ("skyblue", 0x87ceeb),
    ("slateblue", 0x6a5acd),
    ("slategray", 0x708090),
    ("slategrey", 0x708090),
    ("snow", 0xfffafa),
    ("springgreen", 0x00ff7f),
    ("steelblue", 0x4682b4),
    ("tan", 0xd2b48c),
    ("teal", 0x008080),
    ("thistle", 0xd8bfd8),
    ("tomato", 0xff6347),
    ("turquoise", 0x40e0d0),
    ("violet", 0xee82ee),
    ("wheat", 0xf5deb3),
    ("white", 0xffffff),
    ("whitesmoke", 0xf5f5f5),
    ("yellow", 0xffff00),
    ("yellowgreen", 0x9acd32),
];

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::string::ToString;

    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        assert_eq!(Color::parse(text).map(|color| color.to_string()).as_deref(), expected, "{text:?}");
    }

    #[test]
    fn reads_what_users_write() {
        check("#000", Some("#000000"));
        check("#Fa8", Some("#ffaa88"));
        check("#0b0e14", Some("#0b0e14"));
        check("#0B0E14FF", Some("#0b0e14"));
        check("#0b0e1400", Some("#0b0e1400"));
        check("white", Some("#ffffff"));
        check("DarkSlateGrey", Some("#2f4f4f"));
        check("Transparent", Some("#00000000"));
    }

    #[test]
    fn refuses_the_rest() {
        let bad = [
            "",
            "#",
            "#1",
            "#12",
            "#1234",
            "#12345",
            "#1234567",
            "#123456789",
            "#ggg",
            "#+12",
            "#é12",
            "whit",
        ];
        for text in bad.into_iter().chain(["0b0e14", " white", "#fff ", "rgb(1,2,3)"]) {
            check(text, None);
        }
    }

    #[test]
    fn every_name_is_read_and_the_table_is_sorted() {
        assert!(Color::names().all(|name| Color::parse(name).is_some()));
        assert!(NAMES.is_sorted_by(|a, b| a.0 < b.0));
        assert_eq!(Color::names().count(), 149);
    }

    #[test]
    fn grey_keeps_black_and_white() {
        assert_eq!(Color::hex(0x000000).grey(), Color::hex(0x000000));
        assert_eq!(Color::hex(0xffffff).grey(), Color::hex(0xffffff));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(r: u8, g: u8, b: u8, a: u8) {
            let color = Color { r, g, b, a };
            prop_assert_eq!(Color::parse(&format!("{color}")), Some(color));
        }

        #[test]
        fn any_text_is_answered(text: std::string::String) {
            let _ = Color::parse(&text);
        }
    }
}
