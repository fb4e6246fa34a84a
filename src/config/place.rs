//! Places in a configuration file: a cursor through the tree of its values.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeString, DeValue};

use super::token::file_range;

/// A value in a file and the key that it stands under. Looking for what the file does not say stays
/// where it is, so that every problem has a place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'t> {
    text: &'t str,
    key: Option<&'t Spanned<DeString<'t>>>,
    value: &'t Spanned<DeValue<'t>>,
}

impl<'t> Place<'t> {
    /// The whole file `text`, parsed to `root`.
    pub(super) fn root(text: &'t str, root: &'t Spanned<DeValue<'t>>) -> Place<'t> {
        Place { text, key: None, value: root }
    }

    /// The value under `key`, if the file says it.
    pub(super) fn find(self, key: &str) -> Option<Place<'t>> {
        let (key, value) = self.value.get_ref().as_table()?.get_key_value(key)?;
        Some(Place { key: Some(key), value, ..self })
    }

    /// The value under `key`; this place itself where the file leaves it out.
    pub(super) fn get(self, key: &str) -> Place<'t> {
        self.find(key).unwrap_or(self)
    }

    /// The list's item `index`.
    pub(super) fn item(self, index: usize) -> Place<'t> {
        let item = self.value.get_ref().as_array().and_then(|items| items.get(index));
        item.map_or(self, |value| Place { value, ..self })
    }

    /// The table's keys, in the file's order.
    pub(super) fn keys(self) -> impl Iterator<Item = &'t str> {
        self.value.get_ref().as_table().into_iter().flat_map(|table| table.keys().map(|key| &**key.get_ref()))
    }

    /// The list's items.
    pub(super) fn items(self) -> impl Iterator<Item = Place<'t>> {
        let items = self.value.get_ref().as_array().into_iter().flat_map(|items| items.iter());
        items.map(move |value| Place { value, ..self })
    }

    /// The item of `list`, a list of another tree of the same file, that stands where this value stands.
    pub(super) fn twin(self, list: Place<'t>) -> Place<'t> {
        list.items().find(|item| item.value.span() == self.value.span()).unwrap_or(self)
    }

    /// The text, if it is one.
    pub(super) fn str(self) -> Option<&'t str> {
        self.value.get_ref().as_str()
    }

    /// The bytes of the value; of a table, its header or its first line.
    pub(super) fn span(self) -> Range<usize> {
        match self.value.get_ref() {
            DeValue::Table(_) | DeValue::Array(_) => first_line(self.text, self.value.span()),
            _ => self.value.span(),
        }
    }

    /// The bytes of the key that the value stands under.
    pub(super) fn key_span(self) -> Range<usize> {
        self.key.map_or_else(|| self.span(), Spanned::span)
    }

    /// The bytes in the file of the bytes `range` of the text that this value is.
    pub(super) fn within(self, range: Range<usize>) -> Range<usize> {
        let token = self.value.span();
        let raw = self.text.get(token.clone()).unwrap_or("");
        let range = file_range(raw, range);
        token.start + range.start..token.start + range.end
    }
}

/// The part of `span` that stands on its first line.
pub(super) fn first_line(text: &str, span: Range<usize>) -> Range<usize> {
    let len = text.get(span.clone()).and_then(|part| part.find(['\n', '\r']));
    len.map_or(span.clone(), |len| span.start..span.start + len)
}
