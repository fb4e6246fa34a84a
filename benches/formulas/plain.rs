//! The formulas as bare Luau over a buffer: no missing values, no errors, no look at what changed. Formulas of a
//! kind share a loop, as they do in the evaluator; where their keys are is in the buffer too.

use std::fmt::Write;

use mlua::chunk::Compiler;
use mlua::{Buffer, Function, Lua};

use crate::set;

/// The bytes that say where a formula's keys and its result are.
const ROW: usize = 12;

/// A virtual machine with such formulas in native code.
pub(crate) struct Plain {
    buffer: Buffer,
    run: Function,
    _lua: Lua,
}

impl Plain {
    pub(crate) fn new(count: usize) -> Plain {
        let lua = Lua::new();
        let buffer = lua.create_buffer_with_capacity((16 + ROW) * count).expect("there is memory");
        lua.globals().set("B", &buffer).expect("it is set");
        lua.sandbox(true).expect("it is closed");
        let mut at = 16 * count;
        let mut loops = String::new();
        for kind in 0..set::KINDS {
            let first = at;
            for index in (kind..count).step_by(set::KINDS) {
                let [x, y] = set::keys(index, count);
                for lane in [x, y, count + index] {
                    let lane = u32::try_from(8 * lane).expect("it is not far");
                    buffer.write_bytes(at, &lane.to_le_bytes());
                    at += 4;
                }
            }
            let _ = writeln!(loops, "for i = {first}, {}, {ROW} do\n{}end", at - ROW, line(kind));
        }
        let code = format!("{PRELUDE}return function()\nlocal b: buffer = b\n{loops}end");
        // As the evaluator has its code compiled.
        let compiler = Compiler::new().set_optimization_level(2).set_type_info_level(1);
        let run = lua
            .load(code)
            .set_compiler(compiler)
            .into_function()
            .and_then(|chunk| chunk.call(()))
            .expect("it compiles");
        Plain { buffer, run, _lua: lua }
    }

    pub(crate) fn set(&self, values: impl Iterator<Item = f64>) {
        let lanes: Vec<[u8; 8]> = values.map(f64::to_le_bytes).collect();
        self.buffer.write_bytes(0, lanes.as_flattened());
    }

    pub(crate) fn run(&self) {
        self.run.call::<()>(()).expect("it runs");
    }

    pub(crate) fn result(&self, index: usize, count: usize) -> f64 {
        f64::from_le_bytes(self.buffer.read_bytes(8 * (count + index)))
    }
}

const PRELUDE: &str = "\
local b, rd, wr, ru = B, buffer.readf64, buffer.writef64, buffer.readu32
local abs, floor, min, max = math.abs, math.floor, math.min, math.max
";

fn line(kind: usize) -> String {
    let value = match kind {
        0 => "if rd(b, x) > 50 then rd(b, x) * 0.25 else rd(b, y) + 1",
        1 => "floor(abs(rd(b, x) - 220) / 220 * 100 + 0.5)",
        2 => "max(0, min(100, rd(b, x))) + rd(b, y) * 2",
        _ => "if rd(b, x) > 80 and rd(b, y) < 20 then 1 else 0",
    };
    format!("local x, y, o = ru(b, i), ru(b, i + 4), ru(b, i + 8)\nwr(b, o, {value})\n")
}
