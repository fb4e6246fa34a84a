//! The form of a configuration file: what serde reads and what the schema is generated from. Nothing
//! here is checked or resolved; texts stand as they were written.

pub mod animation;
pub mod script;
pub mod source;
pub mod supervision;
pub mod widget;

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

use super::duration::Duration;
use super::limits;
use super::names::Named;
use animation::{Animation, Trigger};
use script::Scripts;
use source::{Key, Source};
use supervision::Supervision;
use widget::Widget;

/// A panel of tinydisplay.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[schemars(title = "tinydisplay configuration", extend("required" = ["version", "page"]))]
#[serde(deny_unknown_fields, default)]
pub struct File {
    /// The version of this format.
    #[schemars(range(min = 1, max = 1), extend("examples" = [1]))]
    pub version: Option<u32>,
    /// The panel itself.
    pub display: Display,
    /// Themes: sets of named colours. `[display] theme` chooses one.
    #[schemars(extend("propertyNames" = {"format": "name"}, "maxProperties" = limits::COLORS))]
    pub theme: Named<Theme>,
    /// Where data comes from.
    #[schemars(extend("propertyNames" = {"format": "identifier"}, "maxProperties" = limits::SOURCES))]
    pub source: Named<Source>,
    /// What is known about keys: `"source.key"`. Keys that a source provides by itself need no entry.
    #[schemars(extend("propertyNames" = {"format": "key"}, "maxProperties" = limits::KEYS))]
    pub keys: Named<Key>,
    /// Named formulas. Other formulas use their results by name.
    #[schemars(extend("propertyNames" = {"format": "identifier"}, "maxProperties" = limits::VALUES))]
    pub value: Named<Formula>,
    /// Users' scripts: functions for formulas, and handlers of events.
    pub scripts: Scripts,
    /// Templates that others include by name.
    #[schemars(extend("propertyNames" = {"format": "name"}, "maxProperties" = limits::TEMPLATES))]
    pub template: Named<NamedTemplate>,
    /// Movements of widgets.
    #[schemars(extend("propertyNames" = {"format": "name"}, "maxProperties" = limits::ANIMATIONS))]
    pub animation: Named<Animation>,
    /// What happens when a condition begins to hold.
    #[schemars(length(max = limits::TRIGGERS))]
    pub trigger: Vec<Trigger>,
    /// What is shown.
    #[schemars(extend("propertyNames" = {"format": "name"}))]
    pub page: Named<Page>,
    /// Where frames go. Without any, the studio's web page shows them.
    #[schemars(length(max = limits::OUTPUTS))]
    pub output: Vec<Output>,
    /// Where state is kept. Without this section nothing is.
    pub persistence: Option<Persistence>,
    /// The web server.
    pub http: Http,
    /// The buffer of recent samples.
    pub ring: Ring,
    /// When and how often actors are started anew.
    pub supervision: Supervision,
}

/// The panel itself.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Display {
    /// Width and height in pixels.
    #[schemars(inner(range(min = 1, max = limits::SIDE)), extend("examples" = [[160, 128]]))]
    pub size: [u32; 2],
    /// Ticks, and at most as many frames, a second.
    #[schemars(range(min = 1, max = engine::tick::Fps::MAX))]
    pub fps: u32,
    /// The colour behind all widgets; by default the theme's `background`.
    pub background: Color,
    /// The seed of everything random.
    pub seed: u64,
    /// Which theme gives the named colours. Not needed where there is only one.
    pub theme: Option<Name>,
    /// What this device is called: formulas know it as `device`. By default it is the host's name.
    #[schemars(length(min = 1, max = limits::DEVICE_BYTES), extend("examples" = ["kitchen"]))]
    pub device: Option<String>,
}

impl Default for Display {
    fn default() -> Display {
        let background = Color("background".into());
        Display { size: [160, 128], fps: 60, background, seed: 0, theme: None, device: None }
    }
}

/// A set of named colours.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[schemars(transparent, extend("propertyNames" = {"format": "name"}, "maxProperties" = limits::COLORS))]
#[serde(transparent)]
pub struct Theme(pub Named<Color>);

/// A template that others include: `{include(name)}`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NamedTemplate {
    /// What it says.
    pub text: Template,
}

/// What is shown.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Page {
    /// What the page consists of.
    #[schemars(length(min = 1, max = limits::WIDGETS))]
    pub widgets: Vec<Widget>,
}

/// Where frames go.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, tag = "kind", rename_all = "snake_case")]
pub enum Output {
    /// The studio: a page in the browser.
    Web {},
    /// A PNG file that is rewritten with the newest frame.
    Png {
        /// The file. A relative name counts from the configuration's folder.
        #[schemars(extend("examples" = ["frame.png"]))]
        file: FileName,
        /// The least time between two writings.
        #[serde(default = "one_second")]
        every: Duration,
    },
    /// Nowhere.
    Null {},
}

fn one_second() -> Duration {
    Duration::millis(1_000)
}

/// Where state is kept.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Persistence {
    /// Whether state is kept at all.
    pub enabled: bool,
    /// The database. A relative name counts from the configuration's folder.
    pub file: FileName,
    /// The longest that an accepted sample waits to be written.
    pub flush: Duration,
}

impl Default for Persistence {
    fn default() -> Persistence {
        Persistence { enabled: true, file: FileName("state.db".into()), flush: Duration::millis(250) }
    }
}

/// The web server.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Http {
    /// An IP address and a port. One that other machines can reach needs a token.
    pub listen: Address,
    /// The token that requests must have.
    pub token: Option<Secret>,
    /// The names by which the server may be called, besides `localhost`.
    #[schemars(length(max = limits::HOSTS), extend("examples" = [["panel.local"]]))]
    pub hosts: Vec<HostName>,
}

impl Default for Http {
    fn default() -> Http {
        Http { listen: Address("127.0.0.1:9185".into()), token: None, hosts: Vec::new() }
    }
}

/// Where a secret is, which never stands in the configuration itself.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Secret {
    /// The environment variable that has it.
    #[schemars(extend("examples" = ["TINYDISPLAY_TOKEN"]))]
    pub env: Option<Name>,
    /// The file that has it.
    #[schemars(extend("examples" = ["token.txt"]))]
    pub file: Option<FileName>,
}

/// The buffer of recent samples.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Ring {
    /// The most samples that it keeps.
    #[schemars(range(min = 1, max = limits::RING_SAMPLES))]
    pub samples: usize,
    /// The most bytes that it keeps, texts included.
    #[schemars(range(min = 1_024, max = limits::RING_BYTES))]
    pub bytes: usize,
    /// The most keys that it tells apart.
    #[schemars(range(min = 1, max = limits::KEYS))]
    pub keys: usize,
}

impl Default for Ring {
    fn default() -> Ring {
        let engine::ring::Limits { samples, bytes, keys } = engine::ring::Limits::default();
        Ring { samples, bytes, keys }
    }
}

/// Declares a text with rules of its own, checked by the format of that name.
macro_rules! text {
    ($(#[$doc:meta])* $name:ident, $title:literal, $format:literal, $max:expr, [$($example:literal),*]) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({
                    "title": $title,
                    "type": "string",
                    "format": $format,
                    "maxLength": $max,
                    "examples": [$($example),*],
                })
            }
        }
    };
}
text!(
    /// An expression over keys and values.
    Formula, "a formula", "formula", limits::FORMULA_BYTES, ["system.cpu > 80"]
);
text!(
    /// Text with `{formula}`, `{formula:format}` or `{include(template)}` inside.
    Template, "a template", "template", limits::TEMPLATE_BYTES, ["CPU {system.cpu:.0f}%"]
);
text!(
    /// A name of the theme's, or a colour by value.
    Color, "a colour", "color", limits::TEXT_BYTES, ["#4fc3f7", "accent"]
);
text!(
    /// A name of the theme's, a colour by value, or in braces a formula that gives one.
    Tint, "a colour", "tint", limits::FORMULA_BYTES, ["accent", "#4fc3f7", "{mix(ok, critical, cpu / 100)}"]
);
text!(
    /// A name that stands elsewhere in the file.
    Name, "a name", "name", limits::NAME_BYTES, ["main"]
);
text!(
    /// A file; a relative name counts from the configuration's folder.
    FileName, "a file", "file", limits::TEXT_BYTES, ["state.db"]
);
text!(
    /// An IP address and a port.
    Address, "an address and port", "address", limits::TEXT_BYTES, ["127.0.0.1:9185"]
);
text!(
    /// The name of a machine, without a port.
    HostName, "a host name", "host", limits::TEXT_BYTES, ["panel.local"]
);
text!(
    /// A time zone's distance from UTC.
    UtcOffset, "a distance from UTC", "utc-offset", limits::TEXT_BYTES, ["+02:00"]
);
