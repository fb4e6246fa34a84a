//! What handlers keep from tick to tick: plain data, and no more than so much of it.

pub mod json;

use std::collections::BTreeMap;
use std::sync::Arc;

use engine::value::Value;
use mlua::{Lua, Table};
use serde::{Deserialize, Serialize};

/// The most bytes of a script's state: texts count by their length, each entry for eight more.
pub const STATE_BYTES_MAX: usize = 64 << 10;

/// The deepest that tables of a state are nested.
pub const STATE_DEPTH_MAX: usize = 16;

/// Plain data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(into = "serde_json::Value", try_from = "serde_json::Value")]
pub enum Plain {
    /// A number, a truth value or a text.
    Value(Value),
    /// A table. The order of its entries is theirs and not that of their making.
    Table(BTreeMap<Key, Plain>),
}

/// What an entry of a table is called.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// A whole number.
    Number(i64),
    /// A text.
    Text(Arc<str>),
}

impl Default for Plain {
    fn default() -> Plain {
        Plain::Table(BTreeMap::new())
    }
}

impl From<Value> for Plain {
    fn from(value: Value) -> Plain {
        Plain::Value(value)
    }
}

impl Plain {
    /// A table with these entries.
    pub fn table<'a>(entries: impl IntoIterator<Item = (&'a str, Plain)>) -> Plain {
        Plain::Table(entries.into_iter().map(|(name, plain)| (Key::Text(name.into()), plain)).collect())
    }

    /// The same in a virtual machine.
    pub(super) fn given(&self, lua: &Lua) -> mlua::Result<mlua::Value> {
        match self {
            Plain::Value(value) => super::host::value(lua, value),
            Plain::Table(entries) => {
                let table = lua.create_table()?;
                for (key, plain) in entries {
                    let plain = plain.given(lua)?;
                    match key {
                        Key::Number(number) => table.raw_set(*number as f64, plain)?,
                        Key::Text(text) => table.raw_set(&**text, plain)?,
                    }
                }
                Ok(mlua::Value::Table(table))
            }
        }
    }

    /// What a virtual machine has made of it.
    ///
    /// # Errors
    /// What is no plain data in it, or that it is too much.
    pub(super) fn taken(table: &Table) -> Result<Plain, String> {
        let mut left = STATE_BYTES_MAX;
        take_table(table, "state", 0, &mut left)
    }
}

fn take_table(table: &Table, path: &str, depth: usize, left: &mut usize) -> Result<Plain, String> {
    if depth == STATE_DEPTH_MAX {
        return Err(format!(
            "`{path}` is nested more than {STATE_DEPTH_MAX} tables deep, or contains itself"
        ));
    }
    let mut entries = BTreeMap::new();
    let taken = table.for_each::<mlua::Value, mlua::Value>(|key, value| {
        let entry = take_key(&key, path, left).and_then(|(key, path)| {
            let plain = take_value(&value, &path, depth, left)?;
            Ok((key, plain))
        });
        let (key, plain) = entry.map_err(mlua::Error::RuntimeError)?;
        entries.insert(key, plain);
        Ok(())
    });
    match taken {
        Ok(()) => Ok(Plain::Table(entries)),
        Err(mlua::Error::RuntimeError(message)) => Err(message),
        Err(other) => Err(other.to_string()),
    }
}

fn take_key(key: &mlua::Value, path: &str, left: &mut usize) -> Result<(Key, String), String> {
    spend(left, 8)?;
    if let Some(number) =
        super::host::number(key).filter(|number| number.fract() == 0.0 && number.abs() < 1e15)
    {
        return Ok((Key::Number(number as i64), format!("{path}[{number}]")));
    }
    match key {
        mlua::Value::String(text) => {
            let text = plain_text(text, path, left)?;
            let path = format!("{path}.{text}").chars().take(100).collect();
            Ok((Key::Text(text), path))
        }
        other => Err(format!(
            "`{path}` has a key that is a {}: keys are texts and whole numbers",
            other.type_name()
        )),
    }
}

fn take_value(value: &mlua::Value, path: &str, depth: usize, left: &mut usize) -> Result<Plain, String> {
    match value {
        mlua::Value::Boolean(truth) => Ok(Plain::Value(Value::Bool(*truth))),
        mlua::Value::String(text) => Ok(Plain::Value(Value::Text(plain_text(text, path, left)?))),
        mlua::Value::Table(table) => take_table(table, path, depth + 1, left),
        other => match super::host::number(other) {
            Some(number) if number.is_finite() => Ok(Plain::Value(Value::Number(number))),
            Some(_) => Err(format!("`{path}` is not a finite number")),
            None => Err(format!("`{path}` is a {}, which is no plain data", other.type_name())),
        },
    }
}

fn plain_text(text: &mlua::LuaString, path: &str, left: &mut usize) -> Result<Arc<str>, String> {
    spend(left, text.as_bytes().len())?;
    let text = text.to_str().map_err(|_| format!("a text in `{path}` is no UTF-8"))?;
    Ok((*text).into())
}

fn spend(left: &mut usize, bytes: usize) -> Result<(), String> {
    let too_much = || format!("`state` has more than {STATE_BYTES_MAX} bytes");
    *left = left.checked_sub(bytes).ok_or_else(too_much)?;
    Ok(())
}
