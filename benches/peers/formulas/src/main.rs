//! What a formula costs, here and in fasteval, exmex, rhai, hand-written closures and asteval, and what a template
//! costs, here and in Jinja2, Mako and Chameleon; one table of the least of several rounds, and ratios to
//! tinydisplay's own.
//!
//! tinydisplay's figure is whole: keys set, missing values, errors and infinite results found, dependencies
//! followed, what changed found out and taken. The others compute numbers and do nothing else; they get their
//! variables in the way that is cheapest for them. `plain` is tinydisplay's own formulas without any of that.

#[path = "../../../formulas/plain.rs"]
mod plain;
#[path = "../../../formulas/set.rs"]
mod set;

mod evaluators;
mod table;
mod templates;

use table::Row;

fn main() {
    let mut rows: Vec<Row> = Vec::new();
    for count in [100, 1_000, 10_000] {
        rows.extend(evaluators::all(count));
    }
    rows.extend(templates::all());
    for path in std::env::args().skip(1) {
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        rows.extend(text.lines().map(Row::read));
    }
    table::print(&rows);
}
