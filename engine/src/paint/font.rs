//! Fonts: outline faces, hinted to the pixel grid, as cached pictures of characters.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use core::fmt;

use skrifa::instance::{LocationRef, Size as FontSize};
use skrifa::outline::{DrawSettings, HintingInstance, OutlinePen, SmoothMode, Target};
use skrifa::{FontRef, MetadataProvider};
use zeno::{Command, Vector};

use super::Rect;
use super::glyph::{Glyph, Glyphs};
use crate::widget::Weight;

/// How outlines are fitted to the grid: for grey pixels, as the face's own program says; faces without one
/// are fitted automatically.
const HINTING: Target =
    Target::Smooth { mode: SmoothMode::Normal, symmetric_rendering: false, preserve_linear_metrics: false };

/// A face at a size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// Which face.
    pub weight: Weight,
    /// Pixels per em in 64ths: sizes that differ by less are the same.
    size: u32,
}

impl Style {
    /// The smallest and the largest type in pixels per em.
    pub const SIZES: (f64, f64) = (4.0, 256.0);

    /// The face at `pixels` per em, cut to [`Style::SIZES`].
    pub fn new(weight: Weight, pixels: f64) -> Style {
        let (least, most) = Style::SIZES;
        // `max` turns what is no number into the smallest size.
        Style { weight, size: (pixels.max(least).min(most) * 64.0) as u32 }
    }

    fn pixels(self) -> f32 {
        self.size as f32 / 64.0
    }
}

/// The faces of a family and the cache of their glyphs.
///
/// Characters that no face has are shown as a box and remembered in [`Fonts::missing`].
#[derive(Clone)]
pub struct Fonts {
    faces: [Option<FontRef<'static>>; 2],
    sizes: Vec<SizedFace>,
    missing: BTreeSet<char>,
    lookups: Lookups,
}

/// How often something was looked up in a cache, since the beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lookups {
    /// It was there.
    pub hits: u64,
    /// It was not, and was made.
    pub misses: u64,
}

/// A face at a size, with its hinting program run for that size.
#[derive(Clone)]
struct SizedFace {
    style: Style,
    hinting: Option<HintingInstance>,
    metrics: Metrics,
    glyphs: Glyphs,
}

/// The measures of a face at a size, in whole pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Metrics {
    /// The height of capitals.
    pub capital: u32,
    /// How far every digit moves the pen: as far as the widest one does, so that numbers do not jump.
    pub digit: i32,
    /// The empty columns that both upright letters and digits have beside them. Text is set out by them, so
    /// that type of different sizes lines up on one edge.
    pub bearing: i32,
}

impl Fonts {
    /// The most bytes of glyphs that are kept. When they are used up, all glyphs are dropped and those in
    /// use are drawn again; 1 MB holds some thousand glyphs of a small panel.
    pub const CACHE_BYTES: usize = 1 << 20;
    /// The most pairs of face and size that are kept; beyond it all are dropped.
    pub const SIZES_MAX: usize = 32;
    /// The most missing characters that are remembered.
    pub const MISSING_MAX: usize = 256;

    /// The bundled family: Inter Medium, whose stems fill a pixel where Regular's turn grey, and SemiBold.
    pub fn bundled() -> Fonts {
        Fonts::new(
            include_bytes!("../../assets/fonts/Inter-Medium.otf"),
            include_bytes!("../../assets/fonts/Inter-SemiBold.otf"),
        )
    }

    /// A family of two faces, each the bytes of a TrueType or OpenType file. Every character of a file that
    /// cannot be read is missing.
    pub fn new(regular: &'static [u8], bold: &'static [u8]) -> Fonts {
        let faces = [FontRef::new(regular).ok(), FontRef::new(bold).ok()];
        Fonts { faces, sizes: Vec::new(), missing: BTreeSet::new(), lookups: Lookups::default() }
    }

    /// The characters that were asked for and are in no face, each once, in their order in Unicode; at most
    /// [`Fonts::MISSING_MAX`].
    pub fn missing(&self) -> impl Iterator<Item = char> + '_ {
        self.missing.iter().copied()
    }

    /// The bytes of all glyphs that are kept.
    pub fn cached_bytes(&self) -> usize {
        self.sizes.iter().map(|sized| sized.glyphs.bytes()).sum()
    }

    /// How often glyphs were asked for.
    pub fn lookups(&self) -> Lookups {
        self.lookups
    }

    /// The measures of a face at a size.
    pub fn metrics(&mut self, style: Style) -> Metrics {
        let at = self.sized(style);
        self.sizes.get(at).map_or(Metrics::default(), |sized| sized.metrics)
    }

    /// The glyph of a character, drawn now if it is not kept.
    pub(super) fn glyph(&mut self, style: Style, character: char) -> &Glyph {
        let at = self.sized(style);
        if self.sizes.get(at).is_none_or(|sized| sized.glyphs.find(character).is_none()) {
            self.lookups.misses += 1;
            let glyph = self.draw(style, character).unwrap_or_else(|| self.replace(style, character));
            self.make_room();
            if let Some(sized) = self.sizes.get_mut(at) {
                sized.glyphs.keep(character, glyph);
            }
        } else {
            self.lookups.hits += 1;
        }
        const EMPTY: &Glyph = &Glyph::EMPTY;
        self.sizes.get(at).and_then(|sized| sized.glyphs.find(character)).unwrap_or(EMPTY)
    }

    /// The index of a face at a size, made ready now if it is not kept.
    fn sized(&mut self, style: Style) -> usize {
        if let Some(at) = self.sizes.iter().position(|sized| sized.style == style) {
            return at;
        }
        if self.sizes.len() >= Fonts::SIZES_MAX {
            self.sizes.clear();
        }
        let face = self.face(style.weight);
        let hinting = face.and_then(|face| {
            let (outlines, size) = (face.outline_glyphs(), FontSize::new(style.pixels()));
            HintingInstance::new(&outlines, size, LocationRef::default(), HINTING).ok()
        });
        let metrics = Metrics::default();
        self.sizes.push(SizedFace { style, hinting, metrics, glyphs: Glyphs::default() });
        let at = self.sizes.len() - 1;
        let metrics = self.measure(style);
        if let Some(sized) = self.sizes.get_mut(at) {
            sized.metrics = metrics;
        }
        at
    }

    fn face(&self, weight: Weight) -> Option<&FontRef<'static>> {
        let [regular, bold] = &self.faces;
        match weight {
            Weight::Regular => regular.as_ref(),
            Weight::Bold => bold.as_ref(),
        }
    }

    fn measure(&self, style: Style) -> Metrics {
        let upright = self.outline(style, 'H');
        let zero = self.outline(style, '0');
        let bearing = |glyph: &Option<Glyph>| glyph.as_ref().map_or(0, |glyph| glyph.bearings().0);
        let digits = ('0'..='9').filter_map(|digit| self.outline(style, digit));
        Metrics {
            // A face without capitals is taken to have usual ones.
            capital: upright.as_ref().map_or(style.size * 7 / 640, |glyph| glyph.bounds.size.height),
            digit: digits.map(|digit| digit.advance).max().unwrap_or(0),
            bearing: bearing(&upright).min(bearing(&zero)).max(0),
        }
    }

    /// The glyph of a character in its face or, where that lacks it, in the regular one.
    fn draw(&mut self, style: Style, character: char) -> Option<Glyph> {
        let mut glyph = self.outline(style, character);
        if glyph.is_none() && style.weight != Weight::Regular {
            let regular = Style { weight: Weight::Regular, ..style };
            self.sized(regular);
            glyph = self.outline(regular, character);
        }
        let mut glyph = glyph?;
        if character.is_ascii_digit() {
            let digit = self.metrics(style).digit;
            glyph.bounds.at.x += (digit - glyph.advance) / 2;
            glyph.advance = digit;
        }
        Some(glyph)
    }

    /// What stands for a character that no face has: nothing for those that are not to be seen, a space for
    /// white space, otherwise a box.
    fn replace(&mut self, style: Style, character: char) -> Glyph {
        let metrics = self.metrics(style);
        if is_invisible(character) {
            return Glyph::EMPTY;
        }
        if character.is_whitespace() || character.is_control() {
            return Glyph { advance: metrics.digit / 2, ..Glyph::EMPTY };
        }
        if self.missing.len() < Fonts::MISSING_MAX {
            self.missing.insert(character);
        }
        Glyph::missing((metrics.capital * 5 / 8).max(3), metrics.capital)
    }

    /// Draws a character of one face, hinted for its size. `None` where the face does not have it.
    fn outline(&self, style: Style, character: char) -> Option<Glyph> {
        let face = self.face(style.weight)?;
        let id = face.charmap().map(character).filter(|id| id.to_u32() != 0)?;
        let hinting = self.sizes.iter().find(|sized| sized.style == style)?.hinting.as_ref();
        let size = FontSize::new(style.pixels());
        let settings = match hinting {
            Some(hinting) => DrawSettings::hinted(hinting, false),
            None => DrawSettings::unhinted(size, LocationRef::default()),
        };
        let mut path = Path::default();
        let adjusted = face.outline_glyphs().get(id)?.draw(settings, &mut path).ok()?;
        let linear = face.glyph_metrics(size, LocationRef::default()).advance_width(id);
        let (coverage, placed) = zeno::Mask::new(&path.commands[..]).render();
        Some(Glyph {
            bounds: Rect::new(placed.left, placed.top, placed.width, placed.height),
            coverage,
            advance: libm::roundf(adjusted.advance_width.or(linear).unwrap_or(0.0)) as i32,
        })
    }

    /// Drops all glyphs when the cache is full.
    fn make_room(&mut self) {
        if self.cached_bytes() >= Fonts::CACHE_BYTES {
            self.sizes.iter_mut().for_each(|sized| sized.glyphs.clear());
        }
    }
}

impl fmt::Debug for Fonts {
    /// What is kept: the faces' bytes would fill screens.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let styles: Vec<Style> = self.sizes.iter().map(|sized| sized.style).collect();
        f.debug_struct("Fonts")
            .field("styles", &styles)
            .field("missing", &self.missing)
            .finish_non_exhaustive()
    }
}

/// Characters that take no room and are not to be seen: joiners, direction marks, variation selectors.
fn is_invisible(character: char) -> bool {
    matches!(character, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        || matches!(character, '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{e0000}'..='\u{e0fff}')
}

/// An outline on its way from the font, whose y goes up, to the rasteriser, whose y goes down.
#[derive(Default)]
struct Path {
    commands: Vec<Command>,
}

impl OutlinePen for Path {
    fn move_to(&mut self, x: f32, y: f32) {
        self.commands.push(Command::MoveTo(Vector::new(x, -y)));
    }

    fn line_to(&mut self, x: f32, y: f32) {
        self.commands.push(Command::LineTo(Vector::new(x, -y)));
    }

    fn quad_to(&mut self, cx: f32, cy: f32, x: f32, y: f32) {
        self.commands.push(Command::QuadTo(Vector::new(cx, -cy), Vector::new(x, -y)));
    }

    fn curve_to(&mut self, cx0: f32, cy0: f32, cx1: f32, cy1: f32, x: f32, y: f32) {
        let (first, second) = (Vector::new(cx0, -cy0), Vector::new(cx1, -cy1));
        self.commands.push(Command::CurveTo(first, second, Vector::new(x, -y)));
    }

    fn close(&mut self) {
        self.commands.push(Command::Close);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: Style = Style { weight: Weight::Regular, size: 11 * 64 };

    #[test]
    fn measures_are_whole_pixels_and_grow_with_the_size() {
        let mut fonts = Fonts::bundled();
        assert_eq!(fonts.metrics(SMALL), Metrics { capital: 8, digit: 7, bearing: 0 });
        let large = fonts.metrics(Style::new(Weight::Bold, 36.0));
        assert_eq!(large, Metrics { capital: 27, digit: 24, bearing: 1 });
    }

    #[test]
    fn sizes_are_cut_to_what_can_be_drawn() {
        for (asked, pixels) in
            [(f64::NAN, 4.0), (-1.0, 4.0), (1e9, 256.0), (f64::INFINITY, 256.0), (11.25, 11.25)]
        {
            assert_eq!(Style::new(Weight::Regular, asked).pixels(), pixels, "{asked}");
        }
    }

    #[test]
    fn lookups_are_counted() {
        let mut fonts = Fonts::bundled();
        "abba".chars().for_each(|character| drop(fonts.glyph(SMALL, character).clone()));
        assert_eq!(fonts.lookups(), Lookups { hits: 2, misses: 2 });
    }

    #[test]
    fn a_file_that_is_no_font_misses_everything() {
        let mut fonts = Fonts::new(b"", b"not a font at all");
        assert_eq!(fonts.glyph(SMALL, 'a').bounds.size.height, 7);
        assert_eq!(fonts.missing().collect::<Vec<_>>(), ['a']);
    }

    #[test]
    fn the_cache_is_bounded() {
        let mut fonts = Fonts::bundled();
        let first = fonts.glyph(SMALL, 'a').clone();
        for size in 0..200 {
            let style = Style::new(Weight::Bold, 256.0 - f64::from(size % 8));
            let character = char::from(b'A' + (size % 26) as u8);
            assert!(!fonts.glyph(style, character).coverage.is_empty());
            assert!(fonts.cached_bytes() < Fonts::CACHE_BYTES + (256 * 256));
        }
        assert_eq!(*fonts.glyph(SMALL, 'a'), first, "what was dropped is drawn again");
        for size in 0..100 {
            fonts.metrics(Style::new(Weight::Regular, 5.0 + f64::from(size)));
            assert!(fonts.sizes.len() <= Fonts::SIZES_MAX);
        }
    }

    #[test]
    fn missing_characters_are_bounded() {
        let mut fonts = Fonts::bundled();
        for code in 0x4e00..0x4e00 + 2 * Fonts::MISSING_MAX as u32 {
            fonts.glyph(SMALL, char::from_u32(code).unwrap());
        }
        assert_eq!(fonts.missing().count(), Fonts::MISSING_MAX);
    }

    #[test]
    fn a_face_falls_back_to_the_regular_one() {
        let regular: &[u8] = include_bytes!("../../assets/fonts/Inter-Medium.otf");
        let mut fonts = Fonts::new(regular, b"");
        let expected = fonts.glyph(SMALL, 'Q').clone();
        let bold = Style { weight: Weight::Bold, ..SMALL };
        assert_eq!(*fonts.glyph(bold, 'Q'), expected);
        assert_eq!(fonts.missing().count(), 0);
    }
}
