//! From a line to a row: what the two forms of file have in common, and where they differ.

use std::collections::BTreeMap;
use std::sync::Arc;

use csv::StringRecord;
use engine::formula::Kind;
use engine::value::Value;

use super::stamp::{self, Unit, shortened};

/// One row.
#[derive(Debug, PartialEq)]
pub(super) struct Record {
    /// Microseconds since some moment that all rows share.
    pub(super) time_us: i64,
    /// The cells that hold something.
    pub(super) values: Vec<(Arc<str>, Value)>,
    /// Cells that cannot be used.
    pub(super) problems: Vec<String>,
}

/// What the columns or fields hold, by name.
pub(super) type Columns = BTreeMap<Arc<str>, Column>;

/// What was seen of a column.
#[derive(Clone, Debug, Default)]
pub(super) struct Column {
    numbers: usize,
    texts: usize,
    range: Option<(f64, f64)>,
}

impl Column {
    /// A number where at least half of the cells are, or where none was seen.
    pub(super) fn kind(&self) -> Kind {
        if self.numbers >= self.texts { Kind::Number } else { Kind::Text }
    }

    /// From the least to the greatest number that was seen; 0 to 1 where there was none.
    pub(super) fn range(&self) -> (f64, f64) {
        self.range.unwrap_or((0.0, 1.0))
    }

    fn see(&mut self, cell: &Value) {
        let Some(number) = cell.number() else {
            self.texts += 1;
            return;
        };
        self.numbers += 1;
        if number.is_finite() {
            let (min, max) = self.range.unwrap_or((number, number));
            self.range = Some((min.min(number), max.max(number)));
        }
    }
}

/// The form of a file, and what is known of its times.
#[derive(Clone, Debug)]
pub(super) struct Form {
    layout: Layout,
    unit: Option<Unit>,
}

#[derive(Clone, Debug)]
enum Layout {
    /// The columns' names, and which of them is the time.
    Csv {
        names: Vec<Arc<str>>,
        time: usize,
    },
    JsonLines,
}

impl Form {
    /// A CSV file with this first line.
    pub(super) fn csv(header: &str) -> Result<Form, String> {
        let names: Vec<Arc<str>> = split(header)?.iter().map(|name| name.trim().into()).collect();
        for (index, name) in names.iter().enumerate() {
            if !name.is_empty() && names[..index].contains(name) {
                return Err(format!("two columns are called `{}`", shortened(name)));
            }
        }
        let find = |stamp: &&str| names.iter().position(|name| name.eq_ignore_ascii_case(stamp));
        let Some(time) = stamp::NAMES.iter().find_map(find) else {
            return Err(format!(
                "no column is called `timestamp` or `time`; the first line is `{}`",
                shortened(header)
            ));
        };
        let unit = Unit::of_name(&names[time].to_ascii_lowercase());
        Ok(Form { layout: Layout::Csv { names, time }, unit })
    }

    /// A JSON Lines file.
    pub(super) fn json_lines() -> Form {
        Form { layout: Layout::JsonLines, unit: None }
    }

    /// Whether the first line is no row.
    pub(super) fn has_header(&self) -> bool {
        matches!(self.layout, Layout::Csv { .. })
    }

    /// What numbers count that are times, as far as it is known.
    pub(super) fn unit(&self) -> Option<Unit> {
        self.unit
    }

    /// Says what numbers count that are times.
    pub(super) fn set_unit(&mut self, unit: Option<Unit>) {
        self.unit = unit;
    }

    /// The columns that are known before any row: with nothing seen of them.
    pub(super) fn columns(&self) -> Columns {
        let Layout::Csv { names, time } = &self.layout else { return Columns::new() };
        let keys = names.iter().enumerate().filter(|(index, name)| index != time && !name.is_empty());
        keys.map(|(_, name)| (name.clone(), Column::default())).collect()
    }

    /// Takes note of what a row's cells hold; a row that cannot be read tells nothing.
    pub(super) fn inspect(&mut self, line: &str, columns: &mut Columns) {
        if let Ok((_, cells, _)) = self.cells(line) {
            for (name, cell) in cells {
                columns.entry(name).or_default().see(&cell);
            }
        }
    }

    /// Reads a row. A cell that is not what its column holds is left out, and the rest goes on.
    pub(super) fn parse(&mut self, line: &str, columns: &Columns) -> Result<Record, String> {
        let (time_us, cells, mut problems) = self.cells(line)?;
        let mut values = Vec::with_capacity(cells.len());
        for (name, cell) in cells {
            match fitting(cell, columns.get(&name)) {
                Ok(value) => values.push((name, value)),
                Err(cell) => problems.push(format!("`{}` in `{name}` is no finite number", shortened(&cell))),
            }
        }
        Ok(Record { time_us, values, problems })
    }

    /// The time, the cells that hold something, and what cannot be one.
    #[expect(clippy::type_complexity, reason = "taken apart at once by its two callers")]
    fn cells(&mut self, line: &str) -> Result<(i64, Vec<(Arc<str>, Value)>, Vec<String>), String> {
        match &self.layout {
            Layout::Csv { names, time } => {
                let row = split(line)?;
                if row.len() != names.len() {
                    return Err(format!("{} cells, where the first line has {}", row.len(), names.len()));
                }
                let time_us = stamp::parse(&row[*time], &mut self.unit)?;
                let filled = names.iter().zip(row.iter()).enumerate().filter(|(index, (name, cell))| {
                    index != time && !name.is_empty() && !cell.trim().is_empty()
                });
                let cells = filled.map(|(_, (name, cell))| (name.clone(), from_text(cell.trim()))).collect();
                Ok((time_us, cells, Vec::new()))
            }
            Layout::JsonLines => object(line, &mut self.unit),
        }
    }
}

/// The cells of one line. Read by itself, so that a stray quote costs no more than its line.
fn split(line: &str) -> Result<StringRecord, String> {
    // A small buffer: a reader is made for every line.
    const BUFFER_BYTES: usize = 1_024;
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .buffer_capacity(BUFFER_BYTES)
        .from_reader(line.as_bytes());
    let mut record = StringRecord::new();
    reader.read_record(&mut record).map_err(|error| error.to_string())?;
    Ok(record)
}

fn from_text(cell: &str) -> Value {
    match cell.parse() {
        Ok(number) => Value::Number(number),
        Err(_) if cell.eq_ignore_ascii_case("true") => Value::Bool(true),
        Err(_) if cell.eq_ignore_ascii_case("false") => Value::Bool(false),
        Err(_) => Value::from(cell),
    }
}

#[expect(clippy::type_complexity, reason = "the same as its caller's")]
fn object(line: &str, unit: &mut Option<Unit>) -> Result<(i64, Vec<(Arc<str>, Value)>, Vec<String>), String> {
    use serde_json::Value as Json;
    let fields = match serde_json::from_str(line) {
        Ok(Json::Object(fields)) => fields,
        Ok(_) => return Err("no JSON object".into()),
        Err(error) => return Err(format!("no JSON object: {error}")),
    };
    let Some(stamp_name) = stamp::NAMES.iter().find(|name| fields.contains_key(**name)) else {
        return Err("no field `timestamp` or `time`".into());
    };
    *unit = unit.or(Unit::of_name(stamp_name));
    let (mut time, mut cells, mut problems) =
        (Err("the time is neither number nor text".into()), Vec::new(), Vec::new());
    for (name, value) in fields {
        let name: Arc<str> = name.into();
        match value {
            Json::Number(number) if *name == **stamp_name => {
                time = stamp::from_number(number.as_f64().unwrap_or(f64::NAN), unit);
            }
            Json::String(text) if *name == **stamp_name => time = stamp::parse(&text, unit),
            Json::Number(number) => cells.push((name, Value::Number(number.as_f64().unwrap_or(f64::NAN)))),
            Json::Bool(truth) => cells.push((name, Value::Bool(truth))),
            Json::String(text) => cells.push((name, Value::Text(text.into()))),
            Json::Null => {}
            Json::Array(_) | Json::Object(_) => problems.push(format!("`{name}` is neither number nor text")),
        }
    }
    Ok((time?, cells, problems))
}

/// A cell as its column holds it, or its text where that cannot be.
fn fitting(cell: Value, column: Option<&Column>) -> Result<Value, String> {
    match (column.map(Column::kind), cell) {
        (_, Value::Number(number)) if !number.is_finite() => Err(number.to_string()),
        (Some(Kind::Number), Value::Text(text)) => Err(text.to_string()),
        (Some(Kind::Text), cell @ (Value::Number(_) | Value::Bool(_))) => {
            Ok(Value::Text(cell.to_string().into()))
        }
        (_, cell) => Ok(cell),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Reads lines after inspecting them all, as a file is.
    fn read(mut form: Form, lines: &[&str]) -> String {
        let mut columns = form.columns();
        let mut inspecting = form.clone();
        lines.iter().for_each(|line| inspecting.inspect(line, &mut columns));
        let mut text = String::new();
        for line in lines {
            match form.parse(line, &columns) {
                Err(problem) => text += &format!("! {problem}\n"),
                Ok(record) => {
                    text += &format!("{}", record.time_us);
                    record.values.iter().for_each(|(name, value)| text += &format!(" {name}={value:?}"));
                    record.problems.iter().for_each(|problem| text += &format!(" ! {problem}"));
                    text += "\n";
                }
            }
        }
        text
    }

    #[test]
    fn csv() {
        let check = |header, lines: &[&str], expected: &str| {
            assert_eq!(read(Form::csv(header).unwrap(), lines), expected, "{header}");
        };
        check(
            "time,a,b",
            &["0,1,x", "1,2.5,y z"],
            "0 a=Number(1.0) b=Text(\"x\")\n1000000 a=Number(2.5) b=Text(\"y z\")\n",
        );
        check(" A , Time ", &["1,2"], "2000000 A=Number(1.0)\n");
        check("time_ms,a", &["5,1"], "5000 a=Number(1.0)\n");
        check("time,timestamp,a", &["1,2,3"], "2000000 time=Number(1.0) a=Number(3.0)\n");
        check("time,,a", &["1,2,3"], "1000000 a=Number(3.0)\n");
        check("time,a", &["1, ", "2,TRUE"], "1000000\n2000000 a=Bool(true)\n");
        check("time,\"a,b\"", &["1,\"x, \"\"y\"\"\""], "1000000 a,b=Text(\"x, \\\"y\\\"\")\n");
    }

    #[test]
    fn what_is_wrong_is_left_out() {
        let check = |lines: &[&str], expected: &str| {
            assert_eq!(read(Form::csv("time,a").unwrap(), lines), expected, "{lines:?}");
        };
        check(
            &["0,1", "1", "2,3"],
            "0 a=Number(1.0)\n! 1 cells, where the first line has 2\n2000000 a=Number(3.0)\n",
        );
        check(&["0,1,2"], "! 3 cells, where the first line has 2\n");
        check(&["x,1"], "! `x` is no time; write seconds, milliseconds or ISO 8601\n");
        check(
            &["0,NaN", "1,inf"],
            "0 ! `NaN` in `a` is no finite number\n1000000 ! `inf` in `a` is no finite number\n",
        );
        check(&["0,1", "1,n/a"], "0 a=Number(1.0)\n1000000 ! `n/a` in `a` is no finite number\n");
        // Mostly texts: then the number is one too.
        check(&["0,1", "1,x", "2,y"], "0 a=Text(\"1\")\n1000000 a=Text(\"x\")\n2000000 a=Text(\"y\")\n");
        check(&["0,\"1"], "0 a=Number(1.0)\n");
    }

    #[test]
    fn headers_that_cannot_be() {
        let check = |header, expected: &str| assert_eq!(Form::csv(header).unwrap_err(), expected);
        check("a,b", "no column is called `timestamp` or `time`; the first line is `a,b`");
        check("time,a,b,a", "two columns are called `a`");
    }

    #[test]
    fn json_lines() {
        let check = |lines: &[&str], expected: &str| assert_eq!(read(Form::json_lines(), lines), expected);
        check(
            &[r#"{"time":1.5,"a":2,"b":"x","c":true,"d":null}"#],
            "1500000 a=Number(2.0) b=Text(\"x\") c=Bool(true)\n",
        );
        check(&[r#"{"timestamp":"2026-01-01T00:00:00Z"}"#], "1767225600000000\n");
        check(&[r#"{"time_ms":7,"time":1}"#], "1000000 time_ms=Number(7.0)\n");
        check(&[r#"{"time":1,"a":[1],"b":2}"#], "1000000 b=Number(2.0) ! `a` is neither number nor text\n");
        check(&[r#"{"time":null,"a":1}"#], "! the time is neither number nor text\n");
        check(&[r#"{"a":1}"#, "[1]"], "! no field `timestamp` or `time`\n! no JSON object\n");
        check(&[r#"{"time":1,"a":"#], "! no JSON object: EOF while parsing a value at line 1 column 14\n");
        check(&[r#"{"time":1,"a":1e999}"#], "! no JSON object: number out of range at line 1 column 19\n");
    }

    #[test]
    fn columns_tell_kind_and_range() {
        let mut form = Form::csv("time,a,b,c").unwrap();
        let mut columns = form.columns();
        for line in ["0,3,x,", "1,-1,y,", "2,nan,1,"] {
            form.inspect(line, &mut columns);
        }
        let check = |name, kind, range| {
            assert_eq!((columns[name].kind(), columns[name].range()), (kind, range), "{name}");
        };
        check("a", Kind::Number, (-1.0, 3.0));
        check("b", Kind::Text, (1.0, 1.0));
        check("c", Kind::Number, (0.0, 1.0));
    }

    proptest! {
        #[test]
        fn any_line_is_a_row_or_a_problem(header in "\\PC*", line in "\\PC*", rest in ".*") {
            let mut forms = vec![Form::json_lines(), Form::csv("time,a,b").unwrap()];
            forms.extend(Form::csv(&format!("time,{header}")));
            for mut form in forms {
                let mut columns = form.columns();
                for line in [&line, &rest, &format!("1,{line}"), &format!("{{\"time\":{line}}}")] {
                    form.inspect(line, &mut columns);
                    if let Ok(record) = form.parse(line, &columns) {
                        let finite = |value: &Value| value.number().is_none_or(f64::is_finite);
                        prop_assert!(record.values.iter().all(|(_, value)| finite(value)));
                    }
                }
            }
        }
    }
}
