//! What the schema says of one value, gathered from all the schemas that speak of it.

use serde_json::Value as Json;
use toml::de::DeValue;

/// The schemas that hold for one value: references followed, alternatives chosen by the value's type.
pub(super) struct Rules<'s> {
    root: &'s Json,
    parts: Vec<&'s Json>,
    words: Vec<&'s str>,
    variants: Vec<&'s Json>,
    kind: Option<&'s str>,
    choices: Vec<Rules<'s>>,
    /// What may stand instead of a word, in words.
    or: Option<String>,
}

impl<'s> Rules<'s> {
    /// What `schema`, a part of `root`, says of `value`.
    pub(super) fn of(root: &'s Json, schema: &'s Json, value: &DeValue<'_>) -> Rules<'s> {
        let mut rules = Rules::gather(root, schema);
        if rules.choices.is_empty() {
            return rules;
        }
        rules.or = Some(rules.expected());
        if let Some(fitting) = rules.choices.iter().position(|choice| choice.accept(value)) {
            let chosen = rules.choices.swap_remove(fitting);
            rules.parts.extend(chosen.parts);
            rules.words.extend(chosen.words);
            rules.choices.clear();
        }
        rules
    }

    fn gather(root: &'s Json, schema: &'s Json) -> Rules<'s> {
        let (parts, words, variants, choices) = Default::default();
        let mut rules = Rules { root, parts, words, variants, kind: None, choices, or: None };
        rules.add(schema);
        rules
    }

    fn add(&mut self, schema: &'s Json) {
        self.parts.push(schema);
        if let Some(definition) = schema.get("$ref").and_then(|name| definition(self.root, name)) {
            self.add(definition);
        }
        self.words.extend(words_of(schema));
        for variant in schema.get("oneOf").and_then(Json::as_array).into_iter().flatten() {
            // Words with a description each stand as alternatives of their own.
            let before = self.words.len();
            self.words.extend(words_of(variant));
            if self.words.len() == before {
                self.variants.push(variant);
            }
        }
        if let Some(choices) = schema.get("anyOf").and_then(Json::as_array) {
            self.choices.extend(choices.iter().map(|choice| Rules::gather(self.root, choice)));
        }
    }

    /// Whether a value of this type can be meant.
    pub(super) fn accept(&self, value: &DeValue<'_>) -> bool {
        let kinds: Vec<&str> = self.types().collect();
        let fits = |kind: &str| match value {
            DeValue::String(_) => kind == "string",
            DeValue::Integer(_) => kind == "integer" || kind == "number",
            DeValue::Float(_) => kind == "number",
            DeValue::Boolean(_) => kind == "boolean",
            DeValue::Array(_) => kind == "array",
            DeValue::Table(_) => kind == "object",
            DeValue::Datetime(_) => false,
        };
        self.choices.is_empty() && (kinds.is_empty() || kinds.into_iter().any(fits))
    }

    fn types(&self) -> impl Iterator<Item = &'s str> {
        let written = self.parts.iter().filter_map(|part| part.get("type")).filter_map(Json::as_str);
        let words = (!self.words.is_empty()).then_some("string");
        written.chain((!self.variants.is_empty()).then_some("object")).chain(words)
    }

    /// What is expected, in words.
    pub(super) fn expected(&self) -> String {
        if !self.choices.is_empty() {
            let all: Vec<String> = self.choices.iter().map(Rules::expected).collect();
            let (last, others) = all.split_last().map_or(("", &[][..]), |(last, others)| (&**last, others));
            return format!("{} or {last}", others.join(", "));
        }
        if !self.words.is_empty() {
            return one_of(&self.words);
        }
        let kind = self.types().next().unwrap_or("object");
        match (self.text("title"), kind) {
            (Some(title), "string") => format!("{title} in quotes"),
            (Some(title), _) => title.into(),
            (None, "string") => "a text in quotes".into(),
            (None, "integer") => "a whole number".into(),
            (None, "number") => "a number".into(),
            (None, "boolean") => "true or false".into(),
            (None, "array") => match (self.limit("minItems"), self.limit("maxItems")) {
                (Some(least), Some(most)) if least == most => format!("a list of {most} numbers"),
                _ => "a list".into(),
            },
            (None, _) => "a table".into(),
        }
    }

    /// Whether there are several kinds of this table, one of which is to be chosen.
    pub(super) fn has_variants(&self) -> bool {
        self.kind.is_none() && !self.variants.is_empty()
    }

    /// The names of the kinds.
    pub(super) fn kinds(&self) -> Vec<&'s str> {
        self.variants.iter().filter_map(|variant| kind_of(variant)).collect()
    }

    /// Takes up the rules of the kind `name`; false if there is none.
    pub(super) fn choose(&mut self, name: &str) -> bool {
        let Some(variant) = self.variants.iter().copied().find(|variant| kind_of(variant) == Some(name))
        else {
            return false;
        };
        self.kind = kind_of(variant);
        self.add(variant);
        true
    }

    /// The kind that was chosen.
    pub(super) fn kind(&self) -> Option<&'s str> {
        self.kind
    }

    /// The keys that must be there.
    pub(super) fn required(&self) -> impl Iterator<Item = &'s str> {
        let lists = self.parts.iter().filter_map(|part| part.get("required")).filter_map(Json::as_array);
        lists.flatten().filter_map(Json::as_str)
    }

    /// Whether the key `name` must be there.
    pub(super) fn requires(&self, name: &str) -> bool {
        self.required().any(|required| required == name)
    }

    /// The schema of the key `name`.
    pub(super) fn property(&self, name: &str) -> Option<&'s Json> {
        self.parts.iter().find_map(|part| part.get("properties")?.get(name))
    }

    /// The names of the keys that there are rules for.
    pub(super) fn properties(&self) -> impl Iterator<Item = &'s str> {
        let tables = self.parts.iter().filter_map(|part| part.get("properties")).filter_map(Json::as_object);
        tables.flat_map(|table| table.keys().map(String::as_str))
    }

    /// The schema of keys whose names the user chooses.
    pub(super) fn entries(&self) -> Option<&'s Json> {
        self.parts.iter().find_map(|part| part.get("additionalProperties").filter(|rule| rule.is_object()))
    }

    /// The format of names that the user chooses.
    pub(super) fn name_format(&self) -> Option<&'s str> {
        self.parts.iter().find_map(|part| part.get("propertyNames")?.get("format")?.as_str())
    }

    /// The schema of a list's items.
    pub(super) fn items(&self) -> Option<&'s Json> {
        self.parts.iter().find_map(|part| part.get("items"))
    }

    /// The words that are allowed; empty if any text is.
    pub(super) fn words(&self) -> &[&'s str] {
        &self.words
    }

    /// The words that are allowed, and what else is, as a sentence goes on.
    pub(super) fn words_or_else(&self) -> String {
        self.or.clone().unwrap_or_else(|| one_of(&self.words))
    }

    /// A text that the schema says, such as `title` or `format`; the most specific one.
    pub(super) fn text(&self, name: &str) -> Option<&'s str> {
        self.parts.iter().find_map(|part| part.get(name)?.as_str())
    }

    /// A count that the schema says, such as `maxItems`.
    pub(super) fn limit(&self, name: &str) -> Option<u64> {
        self.parts.iter().find_map(|part| part.get(name)?.as_u64())
    }

    /// A bound that the schema says, such as `minimum`.
    pub(super) fn bound(&self, name: &str) -> Option<&'s serde_json::Number> {
        self.parts.iter().find_map(|part| part.get(name)?.as_number())
    }

    /// Something that fits, as the schema's examples have it.
    pub(super) fn example(&self) -> Option<&'s Json> {
        self.parts.iter().find_map(|part| part.get("examples")?.get(0))
    }

    /// Whether a number can be meant that may have a fraction.
    pub(super) fn accept_number(&self) -> bool {
        self.accept_kind(&["number"])
    }

    /// Whether a whole number can be meant, or any number.
    pub(super) fn accept_any_number(&self) -> bool {
        self.accept_kind(&["integer", "number"])
    }

    /// Whether a truth value can be meant.
    pub(super) fn accept_bool(&self) -> bool {
        self.accept_kind(&["boolean"])
    }

    /// Whether a list of texts is meant.
    pub(super) fn accept_list_of_texts(&self) -> bool {
        let items = self.items().map(|items| Rules::gather(self.root, items));
        items.is_some_and(|items| items.accept_kind(&["string"]))
    }

    /// Whether a list of tables is meant.
    pub(super) fn accept_list_of_tables(&self) -> bool {
        let items = self.items().map(|items| Rules::gather(self.root, items));
        items.is_some_and(|items| items.accept_table())
    }

    /// Whether a table is meant.
    pub(super) fn accept_table(&self) -> bool {
        self.accept_kind(&["object"])
    }

    /// Whether a text is meant that a number in quotes can be.
    pub(super) fn accept_any_text(&self) -> bool {
        let any = matches!(self.text("format"), None | Some("formula" | "template"));
        any && self.words.is_empty() && self.choices.is_empty() && self.accept_kind(&["string"])
    }

    fn accept_kind(&self, kinds: &[&str]) -> bool {
        self.types().any(|kind| kinds.contains(&kind))
            || self.choices.iter().any(|choice| choice.accept_kind(kinds))
    }

    /// What any value of `schema` is.
    pub(super) fn of_any(root: &'s Json, schema: &'s Json) -> Rules<'s> {
        Rules::gather(root, schema)
    }
}

fn definition<'s>(root: &'s Json, name: &Json) -> Option<&'s Json> {
    root.pointer(name.as_str()?.strip_prefix('#')?)
}

fn words_of(schema: &Json) -> impl Iterator<Item = &str> {
    let listed = schema.get("enum").and_then(Json::as_array).into_iter().flatten();
    listed.chain(schema.get("const")).filter_map(Json::as_str)
}

/// `"a", "b" or "c"`.
pub(super) fn one_of(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [only] => format!("\"{only}\""),
        [all @ .., last] => format!("\"{}\" or \"{last}\"", all.join("\", \"")),
    }
}

fn kind_of(variant: &Json) -> Option<&str> {
    variant.get("properties")?.get("kind")?.get("const")?.as_str()
}
