//! Keys: the interned names of what sources send.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::formula::Kind;
use crate::sample::{KeyId, SourceId};

/// The longest name of a key in bytes, without its source.
pub const KEY_BYTES_MAX: usize = 256;

/// A key and what is known of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Key {
    /// The full name, `source.key`.
    pub name: Arc<str>,
    /// Which source sends it.
    pub source: SourceId,
    /// What it holds, where declared.
    pub kind: Option<Kind>,
}

/// Why a key cannot be interned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyError {
    /// It has no name.
    Empty,
    /// Its name is longer than [`KEY_BYTES_MAX`].
    TooLong,
    /// There are as many keys as the limit allows.
    TooMany,
}

/// The table of keys. Declared keys come first, so that a program's keys and the ring's agree.
#[derive(Clone, Debug)]
pub struct Keys {
    keys: Vec<Key>,
    by_source: Vec<BTreeMap<Arc<str>, KeyId>>,
    sources: Vec<String>,
    max: usize,
}

impl Keys {
    /// An empty table for samples of `sources`, with room for `max` keys.
    pub fn new(sources: Vec<String>, max: usize) -> Keys {
        let by_source = sources.iter().map(|_| BTreeMap::new()).collect();
        Keys { keys: Vec::new(), by_source, sources, max }
    }

    /// The id of a key (its name without the source), new or known.
    ///
    /// # Errors
    /// [`KeyError`] for a name that cannot be one, and where the table is full.
    pub fn intern(&mut self, source: SourceId, key: &str) -> Result<KeyId, KeyError> {
        match self.find(source, key) {
            Some(id) => Ok(id),
            None => self.add(source, key, None),
        }
    }

    /// Adds a key with a known kind, the same as [`Keys::intern`] otherwise.
    ///
    /// # Errors
    /// As [`Keys::intern`].
    pub fn declare(&mut self, source: SourceId, key: &str, kind: Kind) -> Result<KeyId, KeyError> {
        let id = self.intern(source, key)?;
        self.keys[id.0 as usize].kind = Some(kind);
        Ok(id)
    }

    /// The id of a known key.
    pub fn find(&self, source: SourceId, key: &str) -> Option<KeyId> {
        self.by_source.get(source.0 as usize)?.get(key).copied()
    }

    /// What is known of a key.
    pub fn get(&self, id: KeyId) -> Option<&Key> {
        self.keys.get(id.0 as usize)
    }

    /// All keys, in the order of their ids.
    pub fn all(&self) -> &[Key] {
        &self.keys
    }

    fn add(&mut self, source: SourceId, key: &str, kind: Option<Kind>) -> Result<KeyId, KeyError> {
        if key.is_empty() {
            return Err(KeyError::Empty);
        }
        if key.len() > KEY_BYTES_MAX {
            return Err(KeyError::TooLong);
        }
        if self.keys.len() >= self.max {
            return Err(KeyError::TooMany);
        }
        let (Some(name), Some(by_name)) =
            (self.sources.get(source.0 as usize), self.by_source.get_mut(source.0 as usize))
        else {
            return Err(KeyError::Empty);
        };
        let id = KeyId(u32::try_from(self.keys.len()).unwrap_or(u32::MAX));
        self.keys.push(Key { name: format!("{name}.{key}").into(), source, kind });
        by_name.insert(key.into(), id);
        Ok(id)
    }
}
