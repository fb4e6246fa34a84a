//! The recorder that keeps the numbers and writes them in Prometheus' text format when asked.

use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

use crate::telemetry::table::{TABLE, Type};

/// How often [`PrometheusHandle::run_upkeep`] should run: until then each observation of a histogram waits
/// in memory.
pub const UPKEEP_SECONDS: u64 = 5;

/// Installs the recorder for the whole process. To be called before [`super::Telemetry::new`], since handles
/// belong to the recorder that was there when they were made.
///
/// # Errors
/// When a recorder is installed already.
pub fn install() -> Result<PrometheusHandle, BuildError> {
    builder()?.install_recorder()
}

/// A builder with every histogram's bounds set as the table has them.
fn builder() -> Result<PrometheusBuilder, BuildError> {
    TABLE.iter().try_fold(PrometheusBuilder::new(), |builder, metric| match metric.kind {
        Type::Histogram(bounds) => builder.set_buckets_for_metric(Matcher::Full(metric.name.into()), bounds),
        Type::Counter | Type::Gauge => Ok(builder),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::time::Duration;

    use engine::event::EventKind;
    use engine::paint::{Color, Frame, Size};
    use engine::sample::{SourceId, SourceState};
    use engine::tick::Tick;

    use super::*;
    use crate::handle::Picture;
    use crate::telemetry::cost::Costs;
    use crate::telemetry::process::Process;
    use crate::telemetry::{EXPORTED_VALUES, Http, Supervision, Telemetry};

    fn render(exercise: impl FnOnce()) -> String {
        let recorder = builder().unwrap().build_recorder();
        metrics::with_local_recorder(&recorder, exercise);
        recorder.handle().render()
    }

    fn everything() -> String {
        render(|| {
            let telemetry = Telemetry::new(&["cpu".into()], &["png".into()], &["load".into()]);
            telemetry.clock.duration.record(0.000_3);
            telemetry.clock.lateness.record(0.0);
            telemetry.ring.ingest.record(0.0);
            telemetry.ring.seal.record(0.0);
            telemetry.events.duration.record(0.0);
            telemetry.painting.step.record(0.0);
            telemetry.formulas.duration.record(0.0);
            telemetry.painting.duration.record(0.0);
            telemetry.persistence.flush.record(0.0);
            telemetry.persistence.write.record(0.0);
            telemetry.events.from_ring.record(0.0);
            telemetry.painting.from_tick.record(0.0);
            telemetry.painting.from_sample.record(0.0);
            telemetry.database.answered(Duration::from_millis(1));
            let mut picture = Picture::new(Tick(0), Frame::new(Size::new(1, 1), Color::rgb(0, 0, 0)));
            picture.arrived = Some(Duration::ZERO);
            telemetry.output(0).shown(&picture, Duration::from_millis(2));
            let mut costs = Costs::new(["load"].into_iter(), telemetry.formulas.costliest.clone());
            costs.take(0, Duration::from_micros(1));
            assert_eq!((costs.turn(), costs.turn()), (Some(0), Some(0)), "after the last one they are shown");
            telemetry.value(0).set(Some(0.5));
            telemetry.events.count(EventKind::PageShown);
            telemetry.source(SourceId(0)).set_state(SourceState::Live);
            telemetry.source(SourceId(0)).set_rejected(&[2, 0, 0, 0, 0, 3, 0, 0]);
            let supervision = Supervision::new(&["writer".into()]);
            supervision.restarted(0, "panic");
            supervision.set_state(0, "backing_off");
            Http::new().answered("/metrics", 200, Duration::from_millis(3));
            Process::new().measure();
        })
    }

    /// The labels that the exporter shows for each name, `le` aside.
    fn labels_of(page: &str) -> BTreeMap<String, BTreeSet<String>> {
        let mut labels: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for line in page.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
            let (series, _) = line.rsplit_once(' ').unwrap();
            let (name, inside) = series.split_once('{').unwrap_or((series, "}"));
            let of = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end));
            let entry = labels.entry(of.unwrap_or(name).to_owned()).or_default();
            let pairs = inside.trim_end_matches('}').split(',').filter_map(|pair| pair.split_once('='));
            entry.extend(pairs.map(|(label, _)| label.to_owned()).filter(|label| label != "le"));
        }
        labels
    }

    #[test]
    fn exporter_shows_exactly_the_table() {
        let page = everything();
        let types: BTreeSet<String> =
            page.lines().filter_map(|line| line.strip_prefix("# TYPE ")).map(str::to_owned).collect();
        let documented = TABLE.iter().map(|metric| format!("{} {}", metric.name, metric.kind.name()));
        assert_eq!(types, documented.collect());

        let expected = TABLE.iter().map(|metric| {
            (metric.name.to_owned(), metric.labels.iter().map(|label| (*label).to_owned()).collect())
        });
        assert_eq!(labels_of(&page), expected.collect());

        for metric in TABLE {
            let help = format!("# HELP {} {}", metric.name, metric.meaning);
            assert!(page.lines().any(|line| line == help), "{help}");
        }
    }

    #[test]
    fn series_carry_what_was_recorded() {
        let page = everything();
        for line in [
            r#"tinydisplay_source_state{source="cpu",state="live"} 1"#,
            r#"tinydisplay_source_state{source="cpu",state="connecting"} 0"#,
            r#"tinydisplay_rejected_total{source="cpu",reason="not_finite"} 2"#,
            r#"tinydisplay_rejected_total{source="cpu",reason="wrong_kind"} 3"#,
            r#"tinydisplay_actor_restarts_total{actor="writer",cause="panic"} 1"#,
            r#"tinydisplay_actor_restarts_total{actor="writer",cause="hang"} 0"#,
            r#"tinydisplay_actor_state{actor="writer",state="backing_off"} 1"#,
            r#"tinydisplay_actor_state{actor="writer",state="starting"} 0"#,
            r#"tinydisplay_abandoned_threads 0"#,
            r#"tinydisplay_value{key="load"} 0.5"#,
            r#"tinydisplay_events_total{type="page_shown"} 1"#,
            r#"tinydisplay_formula_errors_total{formula="(unnamed)"} 0"#,
            r#"tinydisplay_output_frames_total{output="png"} 1"#,
            r#"tinydisplay_http_requests_total{route="/metrics",status="200"} 1"#,
            r#"tinydisplay_http_rejections_total{reason="forbidden"} 0"#,
            r#"tinydisplay_frame_to_output_seconds_bucket{output="png",le="0.001"} 0"#,
            r#"tinydisplay_frame_to_output_seconds_bucket{output="png",le="0.002"} 1"#,
            r#"tinydisplay_formula_cost_seconds{formula="load"} 0.000001"#,
            r#"tinydisplay_overwritten_total{source="cpu"} 0"#,
            r#"tinydisplay_tick_duration_seconds_bucket{le="0.00025"} 0"#,
            r#"tinydisplay_tick_duration_seconds_bucket{le="0.0005"} 1"#,
        ] {
            assert!(page.lines().any(|found| found == line), "{line} is missing in\n{page}");
        }
    }

    #[test]
    fn value_begins_with_its_first_number_and_can_be_lost() {
        let shown = |numbers: &[Option<f64>]| {
            let page = render(|| {
                let telemetry = Telemetry::new(&[], &[], &["load".into()]);
                numbers.iter().for_each(|number| telemetry.value(0).set(*number));
            });
            let line = page.lines().find(|line| line.starts_with("tinydisplay_value{"));
            line.map(|line| line.rsplit(' ').next().unwrap().to_owned())
        };
        assert_eq!(shown(&[None]), None);
        assert_eq!(shown(&[None, Some(0.0)]).as_deref(), Some("0"));
        assert_eq!(shown(&[Some(1.5), None]).as_deref(), Some("NaN"));
        assert_eq!(shown(&[Some(1.5), None, Some(2.0)]).as_deref(), Some("2"));
    }

    /// Whatever a name is, a page has one line for its series, and a reader finds the name again.
    #[test]
    fn hostile_names_stay_inside_their_quotes() {
        let long = "x".repeat(10_000);
        let hostile = [
            "a\"b",
            "a\\b",
            "a\nb",
            "a\r\nb",
            "\\\"",
            "\\",
            "} 1\ntinydisplay_ticks_total 9",
            "\u{0}\u{7f}",
            "µ°\u{202e}",
            "",
            "{le=\"0.1\"}",
            long.as_str(),
        ];
        let names: Vec<String> = hostile.iter().map(|name| (*name).into()).collect();
        let page = render(|| {
            Telemetry::new(&names, &names, &names);
            Supervision::new(&names);
        });
        let prefix = "tinydisplay_samples_total{source=\"";
        let lines: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix(prefix)).collect();
        let mut found: Vec<String> =
            lines.iter().map(|line| unescaped(line.strip_suffix("\"} 0").unwrap_or("?"))).collect();
        found.sort();
        let mut expected = names.clone();
        expected.sort();
        for (found, expected) in found.iter().zip(&expected) {
            let shown = |text: &str| text.chars().take(40).collect::<String>();
            assert!(found == expected, "{:?} for {:?}", shown(found), shown(expected));
        }
        assert_eq!(found.len(), expected.len());
        let known: BTreeSet<&str> = TABLE.iter().map(|metric| metric.name).collect();
        for name in labels_of(&page).keys() {
            assert!(known.contains(name.as_str()), "{name}");
        }
    }

    /// What a reader makes of a label's value: `\\`, `\"` and `\n` are one character each.
    fn unescaped(value: &str) -> String {
        let mut text = String::new();
        let mut characters = value.chars();
        while let Some(character) = characters.next() {
            match character {
                '\\' => text.push(match characters.next() {
                    Some('n') => '\n',
                    Some(other) => other,
                    None => panic!("a backslash at the end of {value}"),
                }),
                '"' => panic!("a quote inside {value}"),
                _ => text.push(character),
            }
        }
        text
    }

    /// As many series as the configuration and the fixed lists allow, and no more.
    #[test]
    fn series_are_bounded() {
        let names = |count: usize| -> Vec<String> { (0..count).map(|name| format!("n{name}")).collect() };
        let series = |values| {
            let page = render(|| drop(Telemetry::new(&names(2), &names(2), &names(values))));
            page.lines().filter(|line| line.starts_with("tinydisplay_formula_errors_total{")).count()
        };
        assert_eq!(series(EXPORTED_VALUES - 1), EXPORTED_VALUES);
        assert_eq!(series(EXPORTED_VALUES), EXPORTED_VALUES + 1);
        assert_eq!(series(EXPORTED_VALUES + 1), EXPORTED_VALUES + 1, "one more for those without a name");
    }

    #[test]
    fn process_is_measured() {
        let page = render(|| Process::new().measure());
        let line = page.lines().find(|line| line.starts_with("tinydisplay_resident_memory_bytes ")).unwrap();
        let bytes: f64 = line.rsplit(' ').next().unwrap().parse().unwrap();
        assert!(bytes > 100_000.0, "{line}");
    }
}
