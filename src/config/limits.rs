//! How much a configuration may hold. `docs/configuration.md` lists these for users.

/// The largest file in bytes.
pub const FILE_BYTES: usize = 1_048_576;
/// The longest name of a source, value, widget, animation, trigger, page, theme or colour.
pub const NAME_BYTES: usize = 64;
/// The longest full name of a key, `source.key`.
pub const KEY_BYTES: usize = 256;
/// The longest formula.
pub const FORMULA_BYTES: usize = 4_096;
/// The longest template.
pub const TEMPLATE_BYTES: usize = 4_096;
/// The longest text of any other kind: colours, file names, units, default texts.
pub const TEXT_BYTES: usize = 4_096;
/// The longest side of a panel in pixels.
pub const SIDE: u32 = 1_024;
/// How far a widget's corner may lie from the panel's, in pixels.
pub const DISTANCE: i32 = 16_384;
/// The most sources.
pub const SOURCES: usize = 256;
/// The most faults of one source.
pub const FAULTS: usize = 32;
/// The most readings a second of a flood.
pub const FLOOD_RATE: u32 = 1_000_000;
/// The most declared keys.
pub const KEYS: usize = 4_096;
/// The most named values.
pub const VALUES: usize = 10_000;
/// The most templates with names.
pub const TEMPLATES: usize = 256;
/// The longest name of a device.
pub const DEVICE_BYTES: usize = 64;
/// The most widgets on a page.
pub const WIDGETS: usize = 1_000;
/// The most animations.
pub const ANIMATIONS: usize = 1_000;
/// The most triggers.
pub const TRIGGERS: usize = 1_000;
/// The most actions of one trigger.
pub const ACTIONS: usize = 100;
/// The most outputs.
pub const OUTPUTS: usize = 16;
/// The most names by which the web server may be called.
pub const HOSTS: usize = 16;
/// The most themes, and the most colours in one.
pub const COLORS: usize = 256;
/// The most levels of one bar.
pub const LEVELS: usize = 32;
/// The most samples in the ring.
pub const RING_SAMPLES: usize = 10_000_000;
/// The most bytes in the ring.
pub const RING_BYTES: usize = 1_073_741_824;
/// The most threads that are left behind.
pub const ABANDONED: usize = 64;
/// The most restarts within a period.
pub const RESTARTS: u32 = engine::restart::RESTARTS_MAX;
/// The most problems that a report shows.
pub const PROBLEMS_SHOWN: usize = 50;
