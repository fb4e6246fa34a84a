//! Rounds, rows, and the table.

use std::time::Instant;

/// A figure.
pub struct Row {
    pub what: String,
    pub name: String,
    /// How many formulas there are.
    pub count: usize,
    /// Nanoseconds of one formula, or of one rendering.
    pub ns: f64,
}

impl Row {
    /// A line that the Python peers wrote.
    pub fn read(line: &str) -> Row {
        let json: serde_json::Value = serde_json::from_str(line).expect("a line of JSON");
        let text = |name: &str| json[name].as_str().expect("a text").to_string();
        let count = json["count"].as_u64().expect("a count") as usize;
        Row { what: text("what"), name: text("name"), count, ns: json["ns"].as_f64().expect("a number") }
    }
}

/// The least time of a call of `work` with the number of a tick, of 300 ms worth of calls, divided by `parts`.
pub fn least(parts: usize, mut work: impl FnMut(u64)) -> f64 {
    let began = Instant::now();
    let mut least = f64::INFINITY;
    let mut tick = 0;
    while tick < 5 || began.elapsed().as_millis() < 300 {
        let round = Instant::now();
        work(tick);
        least = least.min(round.elapsed().as_nanos() as f64);
        tick += 1;
    }
    least / parts as f64
}

/// Prints the rows, those of one question together, beside the first of each.
pub fn print(rows: &[Row]) {
    let mut questions: Vec<(&str, usize)> = Vec::new();
    for row in rows {
        if !questions.contains(&(&row.what, row.count)) {
            questions.push((&row.what, row.count));
        }
    }
    for (what, count) in questions {
        let own: Vec<&Row> =
            rows.iter().filter(|row| (row.what.as_str(), row.count) == (what, count)).collect();
        let title =
            if what == "template" { "a template".into() } else { format!("{count} formulas, a formula") };
        println!("\n| {title} | ns | ratio |\n|---|---|---|");
        for row in &own {
            println!("| {} | {:.1} | {:.2} |", row.name, row.ns, row.ns / own[0].ns);
        }
    }
}
