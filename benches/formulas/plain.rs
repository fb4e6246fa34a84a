//! The formulas as bare Luau over a buffer: no missing values, no errors, no look at what changed.

use mlua::{Buffer, Function, Lua};

use crate::set;

/// Formulas in one function.
const GROUP: usize = 32;

/// A virtual machine with such formulas in native code.
pub struct Plain {
    buffer: Buffer,
    run: Function,
    _lua: Lua,
}

impl Plain {
    pub fn new(count: usize) -> Plain {
        let lua = Lua::new();
        let buffer = lua.create_buffer_with_capacity(16 * count).expect("there is memory");
        lua.globals().set("B", &buffer).expect("it is set");
        lua.sandbox(true).expect("it is closed");
        let groups = (0..count.div_ceil(GROUP)).map(|group| {
            let formulas = GROUP * group..count.min(GROUP * (group + 1));
            let lines: String = formulas.map(|index| line(index, count)).collect();
            let code = format!("{PRELUDE}return function()\nlocal b = b\n{lines}end");
            lua.load(code).into_function().and_then(|chunk| chunk.call::<Function>(())).expect("it compiles")
        });
        let groups = lua.create_sequence_from(groups).expect("there is memory");
        let run = lua.load(RUN).into_function().and_then(|chunk| chunk.call(groups)).expect("it compiles");
        Plain { buffer, run, _lua: lua }
    }

    pub fn set(&self, values: impl Iterator<Item = f64>) {
        let lanes: Vec<[u8; 8]> = values.map(f64::to_le_bytes).collect();
        self.buffer.write_bytes(0, lanes.as_flattened());
    }

    pub fn run(&self) {
        self.run.call::<()>(()).expect("it runs");
    }

    pub fn result(&self, index: usize, count: usize) -> f64 {
        f64::from_le_bytes(self.buffer.read_bytes(8 * (count + index)))
    }
}

const PRELUDE: &str = "\
local b, rd, wr = B, buffer.readf64, buffer.writef64
local abs, floor, min, max = math.abs, math.floor, math.min, math.max
";

const RUN: &str = "\
local groups = ...
return function()
for _, group in groups do group() end
end";

fn line(index: usize, count: usize) -> String {
    let [x, y] = set::keys(index, count).map(|key| format!("rd(b, {})", 8 * key));
    let value = match index % set::KINDS {
        0 => format!("if {x} > 50 then {x} * 0.25 else {y} + 1"),
        1 => format!("floor(abs({x} - 220) / 220 * 100 + 0.5)"),
        2 => format!("max(0, min(100, {x})) + {y} * 2"),
        _ => format!("if {x} > 80 and {y} < 20 then 1 else 0"),
    };
    format!("wr(b, {}, {value})\n", 8 * (count + index))
}
