//! Users' scripts, as written.

use actors::expression::script::{self, library};
use schemars::JsonSchema;
use serde::Deserialize;

use super::FileName;

/// Users' scripts: Luau files that define functions for formulas, and handlers of events.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Scripts {
    /// The files. Relative names count from the configuration's folder.
    #[schemars(length(max = library::FILES_MAX), extend("examples" = [["comfort.lua"]]))]
    pub files: Vec<FileName>,
    /// A folder of which every file that ends in `.lua` or `.luau` is taken, in the order of their names.
    #[schemars(extend("examples" = ["scripts"]))]
    pub folder: Option<FileName>,
    /// The most steps of a call.
    #[schemars(range(min = 1, max = script::BUDGET_MAX))]
    pub budget: u64,
    /// The steps of all calls of a tick from which on no other is made in it, of functions and of handlers each.
    #[schemars(range(min = 1, max = script::TICK_BUDGET_MAX))]
    pub tick_budget: u64,
    /// The most bytes of memory of a script.
    #[schemars(range(min = script::MEMORY_MIN, max = MEMORY_MAX))]
    pub memory: usize,
}

/// The most bytes of memory that can be allowed.
pub const MEMORY_MAX: usize = 1 << 30;

impl Default for Scripts {
    fn default() -> Scripts {
        let script::Limits { budget, tick_budget, memory, .. } = script::Limits::default();
        Scripts { files: Vec::new(), folder: None, budget, tick_budget, memory }
    }
}
