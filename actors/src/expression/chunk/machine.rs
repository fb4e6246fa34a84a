//! The virtual machine: a program's functions, and the buffer that they compute over.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::{Arc, OnceLock};

use engine::formula::Program;
use engine::formula::lower::{REPORT, driver};
use mlua::chunk::{ChunkMode, Compiler};
use mlua::{Buffer, Function, Lua, LuaOptions, StdLib, Table};

use super::scripting::Scripting;
use super::texts::Texts;
use super::trampoline::{self, Trap};
use super::{Error, little};

/// A program's functions as bytecode, compiled by the first evaluator that is built with it. Another one,
/// after a restart of the core say, only loads them, which takes a fiftieth of the time.
#[derive(Clone, Debug, Default)]
pub struct Code(Arc<OnceLock<Bytecode>>);

#[derive(Debug)]
struct Bytecode {
    /// By group.
    functions: Vec<Vec<u8>>,
    driver: Vec<u8>,
}

impl Code {
    fn of(&self, program: &Program, beat: &mut dyn FnMut()) -> Result<&Bytecode, Error> {
        if let Some(known) = self.0.get() {
            return Ok(known);
        }
        let compiler = Compiler::new();
        let mut functions = Vec::with_capacity(program.groups().len());
        for group in program.groups() {
            functions.push(compiler.compile(&group.code)?);
            beat();
        }
        let driver = compiler.compile(driver(functions.len(), program.layout()))?;
        Ok(self.0.get_or_init(|| Bytecode { functions, driver }))
    }
}

/// A group with more bytecode stays interpreted: a tick has no time to make all of it native. That of 32 formulas
/// as they mostly are is 15 KB, which takes about 3 ms.
pub(super) const NATIVE_BYTES_MAX: usize = 48 << 10;

/// What a step towards native code has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// How much bytecode was made native.
    pub(super) bytes: usize,
    /// Whether no group is left.
    pub(super) is_last: bool,
}

/// Keeps a group's function from computing some of its nodes: what they are marked for is ignored.
const RESTRAIN: &str = "\
local compute, able = ...
return function(d)
d = bit32.band(d, able)
if d == 0 then return 0, 0 end
return compute(d)
end";

/// What the driver says of a group that it ran.
#[derive(Clone, Copy, Debug)]
pub(super) struct Report {
    pub(super) group: usize,
    /// The nodes that failed, as a mask.
    pub(super) failed: u32,
    /// The nodes that were computed.
    pub(super) computed: u32,
}

pub(super) struct Machine {
    lua: Lua,
    pub(super) buffer: Buffer,
    code: Code,
    /// By group, from 1.
    functions: Table,
    driver: Function,
    native: usize,
}

impl Machine {
    /// Everything is interpreted. `beat` is called now and then, since a large program takes a while.
    pub(super) fn new(
        program: &Program,
        code: &Code,
        (texts, trap, scripting): (&Rc<RefCell<Texts>>, &Trap, &Scripting),
        beat: &mut dyn FnMut(),
    ) -> Result<Machine, Error> {
        let lua = Lua::new_with(StdLib::MATH | StdLib::BIT | StdLib::BUFFER, LuaOptions::default())?;
        lua.enable_jit(false);
        let layout = program.layout();
        let buffer = lua.create_buffer_with_capacity(layout.len())?;
        let lanes = vec![f64::NAN.to_le_bytes(); layout.error(0) / 8];
        buffer.write_bytes(0, lanes.as_flattened());
        lua.globals().set("B", &buffer)?;
        trampoline::register(&lua, texts, trap, scripting)?;
        lua.sandbox(true)?;
        let bytecode = code.of(program, beat)?;
        let functions = lua.create_table_with_capacity(bytecode.functions.len(), 0)?;
        let driver = load(&lua, &bytecode.driver)?.call(&functions)?;
        let machine = Machine { lua, buffer, code: code.clone(), functions, driver, native: 0 };
        for group in 0..bytecode.functions.len() {
            machine.install(group, 0)?;
        }
        Ok(machine)
    }

    /// Loads a group's function, which never computes the nodes of the mask `disabled`.
    pub(super) fn install(&self, group: usize, disabled: u32) -> Result<(), Error> {
        let Some(bytecode) = self.code.0.get() else { return Ok(()) };
        let mut function: Function = load(&self.lua, &bytecode.functions[group])?;
        if disabled != 0 {
            function = self.lua.load(RESTRAIN).into_function()?.call((function, !disabled))?;
        }
        Ok(self.functions.raw_set(group + 1, function)?)
    }

    /// Runs the groups with marks in the buffer; returns how many those were.
    pub(super) fn run(&self) -> Result<usize, Error> {
        Ok(self.driver.call(())?)
    }

    /// Has a group compute the nodes of a mask once more.
    pub(super) fn again(&self, group: usize, mask: u32) -> Result<(), Error> {
        let function: Function = self.functions.raw_get(group + 1)?;
        Ok(function.call(mask)?)
    }

    /// What the last run reports at this place.
    pub(super) fn report(&self, program: &Program, index: usize) -> Report {
        let bytes = self.buffer.read_bytes::<REPORT>(program.layout().report(index));
        let [group, failed, computed] = [0, 4, 8].map(|at| little(&bytes[at..]));
        Report { group: group as usize, failed, computed }
    }

    /// Compiles up to so many further groups to native code, but for those that are too large.
    pub(super) fn compile_native(&mut self, groups: usize, disabled: &[u32]) -> Result<Step, Error> {
        let mut bytes = 0;
        let end = disabled.len().min(self.native + groups);
        self.lua.enable_jit(true);
        for (group, mask) in disabled.iter().enumerate().take(end).skip(self.native) {
            let own = self.code_bytes(group);
            if own <= NATIVE_BYTES_MAX {
                self.install(group, *mask)?;
                bytes += own;
            }
        }
        let is_last = end == disabled.len() && self.native < end;
        self.native = end;
        if let Some(bytecode) = self.code.0.get().filter(|_| is_last) {
            self.driver = load(&self.lua, &bytecode.driver)?.call(&self.functions)?;
        }
        Ok(Step { bytes, is_last: end == disabled.len() })
    }

    /// How long the bytecode of a group is.
    pub(super) fn code_bytes(&self, group: usize) -> usize {
        let functions = self.code.0.get().map_or(&[][..], |code| &code.functions);
        functions.get(group).map_or(0, Vec::len)
    }

    /// Bytes that it holds.
    pub(super) fn used_bytes(&self) -> usize {
        self.lua.used_memory()
    }
}

/// What a chunk of bytecode returns. Only ever what [`Code`] has compiled.
fn load(lua: &Lua, bytecode: &[u8]) -> mlua::Result<Function> {
    lua.load(bytecode).set_mode(ChunkMode::Binary).set_name("=formulas").into_function()?.call(())
}
