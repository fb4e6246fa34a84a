//! The panel: a whole configuration, resolved once, as the runtime takes it.

use std::path::PathBuf;
use std::time::Duration;

use engine::animation::Animation;
use engine::coordination::Trigger;
use engine::formula::{FormulaId, Kind, Program};
use engine::sample::SourceId;
use engine::scene::Scene;
use engine::tick::Fps;
use engine::value::Value;

use crate::expression::chunk::Code;
use crate::expression::script::Library;
use crate::expression::script::library::renewal::Used;
use crate::source::Source;
use crate::supervisor::policy::Supervision;

/// A resolved configuration.
#[derive(Clone, Debug)]
pub struct Panel {
    /// The page's or file's name, for people.
    pub name: String,
    /// Ticks a second.
    pub fps: Fps,
    /// The seed of everything random.
    pub seed: u64,
    /// XXH3 of the configuration's text, to tell whether a recording belongs to it.
    pub fingerprint: u64,
    /// What the machine is called that the panel runs on, or ran on when it was recorded.
    pub host: String,
    /// What formulas know by name besides keys and values.
    pub constants: Vec<(String, Value)>,
    /// The sources; a [`SourceId`] is an index into them.
    pub sources: Vec<Source>,
    /// The declared keys, in the order that the program was compiled with.
    pub keys: Vec<Key>,
    /// The limits of the ring.
    pub ring: engine::ring::Limits,
    /// All formulas.
    pub program: Program,
    /// Its code, as far as it is compiled.
    pub code: Code,
    /// Users' scripts.
    pub scripts: Library,
    /// The named values, in the configuration's order.
    pub values: Vec<(String, FormulaId)>,
    /// The templates with names, as they were written; what shows them has them as a part of its own.
    pub templates: Vec<NamedTemplate>,
    /// The triggers, in the configuration's order.
    pub triggers: Vec<Trigger>,
    /// The animations; an [`engine::animation::AnimationId`] is an index into them.
    pub animations: Vec<Animation>,
    /// The page's name.
    pub page: String,
    /// The page.
    pub scene: Scene,
    /// The outputs besides HTTP.
    pub outputs: Vec<Output>,
    /// Where state is kept; `None` keeps nothing.
    pub persistence: Option<Persistence>,
    /// When and how often actors are started anew.
    pub supervision: Supervision,
}

impl Panel {
    /// The functions of scripts as formulas call them, each way of calling once.
    pub fn used_functions(&self) -> Vec<Used> {
        let used = self.program.script_calls().iter().filter_map(|call| {
            let name = self.scripts.functions.get(call.function as usize)?.name.clone();
            Some(Used { name, arguments: call.arguments.len(), result: call.result })
        });
        let mut used: Vec<Used> = used.collect();
        used.sort_unstable();
        used.dedup();
        used
    }
}

/// A template with a name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NamedTemplate {
    /// Its name.
    pub name: String,
    /// Its text.
    pub text: String,
    /// Its own formulas.
    pub formulas: Vec<FormulaId>,
    /// The names of the templates that it includes.
    pub includes: Vec<String>,
    /// The widgets that include it, by their index in the scene.
    pub widgets: Vec<usize>,
}

/// A declared key.
#[derive(Clone, Debug)]
pub struct Key {
    /// The full name, `source.key`.
    pub name: String,
    /// Which source sends it.
    pub source: SourceId,
    /// What it holds.
    pub kind: Kind,
    /// Its value until the first sample.
    pub default: Option<Value>,
    /// Its expected values: what a simulation without input walks over.
    pub range: (f64, f64),
    /// Its unit, for people.
    pub unit: String,
    /// Silence longer than this makes it stale, whatever its source says; `None` leaves that to the source.
    pub stale_after: Option<Duration>,
}

/// An output as configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// The studio in a browser.
    Web,
    /// The newest frame as a PNG file, rewritten at most once per `every`.
    Png {
        /// The file.
        file: PathBuf,
        /// The least time between two writings.
        every: Duration,
    },
    /// Takes frames and drops them.
    Null,
}

impl Persistence {
    /// The usual time between two flushes.
    pub const FLUSH: Duration = Duration::from_millis(250);
}

impl Output {
    /// Its kind, as in the configuration.
    pub fn name(&self) -> &'static str {
        match self {
            Output::Web => "web",
            Output::Png { .. } => "png",
            Output::Null => "null",
        }
    }
}

/// How state is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Persistence {
    /// The database file; its folder is made if it is missing.
    pub file: PathBuf,
    /// The longest that an accepted sample waits to be written.
    pub flush: Duration,
}
