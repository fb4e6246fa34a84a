//! From ticks to rows: what goes into which table.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use engine::event::{Event, EventKind};
use engine::sample::{KeyId, Sample};
use engine::tick::Tick;
use engine::value::Value;
use rusqlite::{Connection, Transaction, TransactionBehavior, named_params};

use super::keeping::State;
use super::queue::Pending;
use crate::expression::script::state::Plain;

/// The source under which the results of named values are kept.
const VALUE_SOURCE: &str = "value";

/// The full names of keys, by their number.
pub(super) type Names = BTreeMap<KeyId, Arc<str>>;

/// What is noted of the writer itself.
#[derive(Debug, Default)]
pub(super) struct Performance {
    pub(super) longest_flush_ms: f64,
    pub(super) flushes: u64,
    pub(super) rows: u64,
    pub(super) dropped: u64,
}

/// What one transaction wrote.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Written {
    pub(super) samples: u64,
    pub(super) results: u64,
    pub(super) events: u64,
    /// Samples whose key has no name: they were left out.
    pub(super) nameless: u64,
}

impl Written {
    pub(super) fn rows(&self) -> u64 {
        self.samples + self.results + self.events
    }
}

/// Writes whole ticks, and what scripts keep, in one transaction: all of it or nothing. Asks `may_commit` when the rows are in, and
/// writes nothing where that says no: `None`.
pub(super) fn write(
    connection: &mut Connection,
    (batch, kept): (&[Pending], &[(Arc<str>, State)]),
    names: &Names,
    performance: Option<&Performance>,
    may_commit: impl FnOnce() -> bool,
) -> rusqlite::Result<Option<Written>> {
    // Immediate, since a lock that is asked for later fails at once, whatever the timeout.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut written = Written::default();
    for pending in batch {
        write_samples(&transaction, pending, names, &mut written)?;
        write_results(&transaction, pending)?;
        for event in pending.events.iter() {
            write_event(&transaction, event, pending.now_ms)?;
            write_animation(&transaction, event, pending.now_ms)?;
        }
        written.results += pending.results.len() as u64;
        written.events += pending.events.len() as u64;
    }
    kept.iter().try_for_each(|(file, state)| write_state(&transaction, file, state))?;
    if let (Some(performance), Some(last)) = (performance, batch.last()) {
        write_performance(&transaction, performance, last)?;
    }
    if !may_commit() {
        transaction.rollback()?;
        return Ok(None);
    }
    transaction.commit()?;
    Ok(Some(written))
}

fn write_samples(
    transaction: &Transaction<'_>,
    pending: &Pending,
    names: &Names,
    written: &mut Written,
) -> rusqlite::Result<()> {
    for sample in pending.samples.iter() {
        let Some(name) = names.get(&sample.key) else {
            written.nameless += 1;
            continue;
        };
        let source = name.split_once('.').map_or(&**name, |(source, _)| source);
        let Sample { value, sequence, timestamp_ms, .. } = sample;
        let sequence = i64::try_from(*sequence).unwrap_or(i64::MAX);
        write_data(transaction, (name, source), Some(value), Some(sequence), pending.tick, *timestamp_ms)?;
        written.samples += 1;
    }
    Ok(())
}

fn write_results(transaction: &Transaction<'_>, pending: &Pending) -> rusqlite::Result<()> {
    for (label, value) in &pending.results {
        write_data(transaction, (label, VALUE_SOURCE), value.as_ref(), None, pending.tick, pending.now_ms)?;
    }
    Ok(())
}

fn write_data(
    transaction: &Transaction<'_>,
    (key, source): (&str, &str),
    value: Option<&Value>,
    sequence: Option<i64>,
    tick: Tick,
    timestamp_ms: i64,
) -> rusqlite::Result<()> {
    let text = value.and_then(|value| if let Value::Text(text) = value { Some(&**text) } else { None });
    transaction
        .prepare_cached(
            "INSERT INTO data_history (data_key, data_value, data_text, source, sequence, tick, timestamp_ms)
             VALUES (:key, :value, :text, :source, :sequence, :tick, :timestamp_ms)",
        )?
        .execute(named_params! {
            ":key": key,
            ":value": value.and_then(Value::number),
            ":text": text,
            ":source": source,
            ":sequence": sequence,
            ":tick": number(tick),
            ":timestamp_ms": timestamp_ms,
        })?;
    Ok(())
}

fn write_state(transaction: &Transaction<'_>, file: &str, state: &State) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "INSERT INTO script_states (file, state_json, tick, timestamp_ms)
             VALUES (:file, :state, :tick, :timestamp_ms)
             ON CONFLICT (file) DO UPDATE SET
                 state_json = excluded.state_json, tick = excluded.tick, timestamp_ms = excluded.timestamp_ms",
        )?
        .execute(named_params! {
            ":file": file,
            ":state": serde_json::Value::from(Plain::clone(&state.plain)).to_string(),
            ":tick": number(state.tick),
            ":timestamp_ms": state.now_ms,
        })?;
    Ok(())
}

fn write_event(transaction: &Transaction<'_>, event: &Event, now_ms: i64) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "INSERT INTO timeline_events
                 (tick, event_type, coordination_id, animation_id, event_data_json, timestamp_ms)
             VALUES (:tick, :type, :coordination, :animation, :data, :timestamp_ms)",
        )?
        .execute(named_params! {
            ":tick": number(event.tick),
            ":type": event.kind.name(),
            ":coordination": event.id,
            ":animation": animation(event).map(|_| &event.id),
            ":data": json(event.data.iter().map(|(name, value)| (name.as_str(), value))),
            ":timestamp_ms": now_ms,
        })?;
    Ok(())
}

/// Whether an animation runs after the event; `None` where the event is about something else.
fn animation(event: &Event) -> Option<bool> {
    match event.kind {
        EventKind::AnimationStarted => Some(true),
        EventKind::AnimationStopped | EventKind::AnimationCompleted => Some(false),
        _ => None,
    }
}

fn write_animation(transaction: &Transaction<'_>, event: &Event, now_ms: i64) -> rusqlite::Result<()> {
    let Some(runs) = animation(event) else { return Ok(()) };
    let statement = if runs {
        "INSERT INTO animations
             (animation_id, definition_json, start_tick, is_active, created_at, updated_at)
         VALUES (:id, :definition, :tick, TRUE, datetime(:now_ms / 1000, 'unixepoch'),
                 datetime(:now_ms / 1000, 'unixepoch'))
         ON CONFLICT (animation_id) DO UPDATE SET
             definition_json = excluded.definition_json, start_tick = excluded.start_tick,
             end_tick = NULL, is_active = TRUE, updated_at = excluded.updated_at"
    } else {
        "INSERT INTO animations
             (animation_id, definition_json, end_tick, is_active, created_at, updated_at)
         VALUES (:id, :definition, :tick, FALSE, datetime(:now_ms / 1000, 'unixepoch'),
                 datetime(:now_ms / 1000, 'unixepoch'))
         ON CONFLICT (animation_id) DO UPDATE SET
             end_tick = excluded.end_tick, is_active = FALSE, updated_at = excluded.updated_at"
    };
    transaction.prepare_cached(statement)?.execute(named_params! {
        ":id": event.id,
        ":definition": json([("name", &Value::from(event.id.as_str()))].into_iter()),
        ":tick": number(event.tick),
        ":now_ms": now_ms,
    })?;
    Ok(())
}

fn write_performance(
    transaction: &Transaction<'_>,
    performance: &Performance,
    last: &Pending,
) -> rusqlite::Result<()> {
    let Performance { longest_flush_ms, flushes, rows, dropped } = performance;
    transaction
        .prepare_cached(
            "INSERT INTO performance_metrics (tick, metric_type, metric_value, metric_data_json, timestamp_ms)
             VALUES (:tick, 'flush_ms_max', :value, :data, :timestamp_ms)",
        )?
        .execute(named_params! {
            ":tick": number(last.tick),
            ":value": longest_flush_ms,
            ":data": format!("{{\"flushes\":{flushes},\"rows\":{rows},\"dropped\":{dropped}}}"),
            ":timestamp_ms": last.now_ms,
        })?;
    Ok(())
}

fn number(tick: Tick) -> i64 {
    i64::try_from(tick.0).unwrap_or(i64::MAX)
}

/// A JSON object whose fields keep their order, numbers in their shortest form.
fn json<'a>(fields: impl Iterator<Item = (&'a str, &'a Value)>) -> String {
    let mut text = String::from("{");
    for (index, (name, value)) in fields.enumerate() {
        let comma = if index > 0 { "," } else { "" };
        let name = serde_json::Value::from(name);
        // Writing to a string cannot fail.
        let _ = match value {
            Value::Text(value) => write!(text, "{comma}{name}:{}", serde_json::Value::from(&**value)),
            Value::Number(number) if !number.is_finite() => write!(text, "{comma}{name}:null"),
            Value::Number(_) | Value::Bool(_) => write!(text, "{comma}{name}:{value}"),
        };
    }
    text + "}"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn event_data_as_json() {
        let check = |fields: &[(&str, Value)], expected: &str| {
            let text = json(fields.iter().map(|(name, value)| (*name, value)));
            assert_eq!(text, expected);
            assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok(), "{text}");
        };
        check(&[], "{}");
        check(&[("z", Value::Number(80.0)), ("a", Value::Bool(true))], r#"{"z":80,"a":true}"#);
        check(&[("a\"b", Value::from("x\n\"y\""))], r#"{"a\"b":"x\n\"y\""}"#);
        check(&[("n", Value::Number(1e300)), ("m", Value::Number(-0.1))], r#"{"n":1e300,"m":-0.1}"#);
        check(&[("n", Value::Number(f64::NAN))], r#"{"n":null}"#);
    }
}
