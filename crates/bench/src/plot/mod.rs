//! Rows as pictures, for `docs/BENCHMARKS.md`: bars of medians, and courses over time.

mod bars;
mod lines;
mod svg;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::row::Row;
use crate::scenario::SERIES;
use crate::stats::median;
use bars::{Bar, Chart, Group};
use lines::Course;

/// A chart of bars: its file, its words, and which figures of which scenarios are in it.
struct Plan {
    file: &'static str,
    title: &'static str,
    unit: &'static str,
    /// Figures by their names in the rows, with what they are called.
    figures: &'static [(&'static str, &'static str)],
    scenarios: &'static [&'static str],
}

const PLANS: [Plan; 5] = [
    Plan {
        file: "cost.svg",
        title: "CPU seconds of the server for a million deliveries (less is better)",
        unit: "s",
        figures: &[("cpu_s_per_million", "")],
        scenarios: &["a", "b", "c"],
    },
    Plan {
        file: "throughput.svg",
        title: "Deliveries per second (more is better)",
        unit: "/s",
        figures: &[("deliveries_per_s", "")],
        scenarios: &["a", "b", "c"],
    },
    Plan {
        file: "latency.svg",
        title: "From sending to receiving, and to the ack (less is better)",
        unit: "µs",
        figures: &[("p50_us", "p50"), ("p99_us", "p99"), ("ack_p50_us", "ack p50")],
        scenarios: &["d", "e"],
    },
    Plan {
        file: "idle.svg",
        title: "Resident memory of an idle, joined connection (less is better)",
        unit: "B",
        figures: &[("bytes_per_connection", "")],
        scenarios: &["idle"],
    },
    Plan {
        file: "beside.svg",
        title: "p99 of everybody else, alone and beside a replay or stalled readers",
        unit: "µs",
        figures: &[("p99_alone_us", "alone"), ("p99_us", "beside")],
        scenarios: &["replay", "slow"],
    },
];

/// Reads lines of JSON.
pub(crate) fn read(results: &Path) -> Result<Vec<Row>> {
    let text = fs::read_to_string(results)
        .with_context(|| format!("cannot read {}", results.display()))?;
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    lines
        .map(|line| serde_json::from_str(line).with_context(|| format!("not a row: {line}")))
        .collect()
}

/// Draws everything that there are figures for into `folder`; returns the names of the files.
pub(crate) fn draw(rows: &[Row], folder: &Path) -> Result<Vec<String>> {
    let rows: Vec<Row> = rows.iter().filter(|row| !row.void).cloned().collect();
    ensure!(!rows.is_empty(), "there is no row that counts");
    fs::create_dir_all(folder)?;
    let mut drawn = Vec::new();
    for plan in &PLANS {
        if let Some(chart) = plan.chart(&rows) {
            fs::write(folder.join(plan.file), chart.draw())?;
            drawn.push(plan.file.to_owned());
        }
    }
    for course in courses(&rows) {
        fs::write(folder.join(&course.file), course.draw())?;
        drawn.push(course.file);
    }
    Ok(drawn)
}

impl Plan {
    fn chart(&self, rows: &[Row]) -> Option<Chart> {
        let mut groups = Vec::new();
        for case in cases(rows, self.scenarios) {
            for (figure, name) in self.figures {
                let bars = bars_of(rows, case, figure);
                if !bars.is_empty() {
                    groups.push(Group { label: label(case, name), bars });
                }
            }
        }
        let (title, unit) = (self.title.to_owned(), self.unit.to_owned());
        (!groups.is_empty()).then_some(Chart { title, unit, groups })
    }
}

type Case<'a> = (&'a str, Option<u64>, usize);

/// The settings of some scenarios, each once, in the order of the scenarios.
fn cases<'a>(rows: &'a [Row], scenarios: &[&str]) -> Vec<Case<'a>> {
    let mut cases: Vec<Case<'a>> = Vec::new();
    for scenario in scenarios {
        for row in rows.iter().filter(|row| row.scenario == *scenario) {
            if !cases.contains(&row.case()) {
                cases.push(row.case());
            }
        }
    }
    cases
}

fn bars_of(rows: &[Row], case: Case<'_>, figure: &str) -> Vec<Bar> {
    let mut targets: Vec<&str> = Vec::new();
    for row in rows.iter().filter(|row| row.case() == case) {
        if !targets.contains(&row.target.as_str()) {
            targets.push(&row.target);
        }
    }
    let bar = |target: &&str| {
        let same = rows.iter().filter(|row| row.case() == case && row.target == *target);
        let value = median(same.filter_map(|row| row.figure(figure)))?;
        Some(Bar { label: (*target).to_owned(), value })
    };
    targets.iter().filter_map(bar).filter(|bar| bar.value > 0.0).collect()
}

fn label((scenario, in_flight, receivers): Case<'_>, figure: &str) -> String {
    let mut label = format!("{scenario}: {receivers} receive");
    if let Some(in_flight) = in_flight {
        label += &format!(", {in_flight} in flight");
    }
    if !figure.is_empty() {
        label += &format!(", {figure}");
    }
    label
}

/// Memory, queues and backlog over the time of the first `slow` run of each target.
fn courses(rows: &[Row]) -> Vec<Course> {
    let series = || rows.iter().filter(|row| row.scenario == SERIES && row.round == 1);
    let mut targets: Vec<&str> = series().map(|row| row.target.as_str()).collect();
    targets.dedup();
    targets
        .into_iter()
        .flat_map(|target| {
            let points = |figure: &str, scale: f64| {
                let rows = series().filter(|row| row.target == target);
                rows.filter_map(|row| Some((row.seconds, row.figure(figure)? / scale))).collect()
            };
            let course = |file: String, title: &str, what: &str, figure: &str| Course {
                file,
                title: format!("slow, {target}: {title} while readers stall"),
                left: (what.to_owned(), points(figure, 1_048_576.0)),
                right: ("what the stalled lack, events".to_owned(), points("backlog_events", 1.0)),
            };
            let memory = format!("slow-{target}.svg");
            let queues = format!("slow-queues-{target}.svg");
            [
                course(memory, "the daemon's memory", "resident memory, MiB", "rss_bytes"),
                course(queues, "the sockets' queues", "send queues, MiB", "send_queues_bytes"),
            ]
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(scenario: &str, target: &str, cost: f64) -> Row {
        let (scenario, target) = (scenario.to_owned(), target.to_owned());
        Row { scenario, target, cpu_s_per_million: Some(cost), ..Row::default() }
    }

    #[test]
    fn a_chart_has_the_medians_of_every_target() {
        let rows = [row("a", "chatd", 1.0), row("a", "chatd", 3.0), row("b", "raw", 5.0)];
        let chart = PLANS[0].chart(&rows).unwrap();
        assert_eq!(chart.groups.len(), 2);
        assert_eq!(chart.groups[0].bars[0].value, 2.0);
        assert!(PLANS[2].chart(&rows).is_none());
    }

    #[test]
    fn what_there_are_figures_for_is_drawn() {
        let dir = tempfile::tempdir().unwrap();
        let results = dir.path().join("rows");
        let mut lines = serde_json::to_string(&row("a", "chatd", 1.0)).unwrap() + "\n\n";
        for second in 0..3 {
            let mut row = Row { round: 1, seconds: f64::from(second), ..row(SERIES, "chatd", 0.0) };
            row.rss_bytes = Some(20 << 20);
            lines += &(serde_json::to_string(
                &row.and("backlog_events", 9.0).and("send_queues_bytes", 5.0),
            )
            .unwrap()
                + "\n");
        }
        fs::write(&results, lines).unwrap();
        let rows = read(&results).unwrap();
        assert_eq!(
            draw(&rows, dir.path()).unwrap(),
            ["cost.svg", "slow-chatd.svg", "slow-queues-chatd.svg"]
        );
        draw(&[], dir.path()).unwrap_err();
        fs::write(&results, "not a row").unwrap();
        read(&results).unwrap_err();
    }
}
