//! Rows for people: the medians of each case and target.

use std::fmt::Write;

use crate::row::Row;
use crate::stats::median;

/// A column: its head, the figure, and how it is written.
struct Column {
    head: &'static str,
    figure: &'static str,
    unit: Unit,
}

#[derive(Clone, Copy)]
enum Unit {
    /// As it is, with so many decimals.
    Plain(usize),
    /// In millions.
    Millions,
    /// In MiB.
    Mebibytes,
}

const fn column(head: &'static str, figure: &'static str, unit: Unit) -> Column {
    Column { head, figure, unit }
}

const COLUMNS: [Column; 39] = [
    column("msgs/s", "msgs_per_s", Unit::Plain(0)),
    column("M deliveries/s", "deliveries_per_s", Unit::Millions),
    column("CPU s/M", "cpu_s_per_million", Unit::Plain(3)),
    column("CPU µs/msg", "cpu_us_per_msg", Unit::Plain(1)),
    column("server busy", "server_busy", Unit::Plain(2)),
    column("load busy", "load_busy", Unit::Plain(2)),
    column("acked/s", "acked_per_s", Unit::Plain(0)),
    column("p50 µs", "p50_us", Unit::Plain(0)),
    column("p99 µs", "p99_us", Unit::Plain(0)),
    column("ack p50 µs", "ack_p50_us", Unit::Plain(0)),
    column("ack p99 µs", "ack_p99_us", Unit::Plain(0)),
    column("fdatasync µs", "fdatasync_us", Unit::Plain(0)),
    column("RSS MiB", "rss_bytes", Unit::Mebibytes),
    column("B/connection", "bytes_per_connection", Unit::Plain(0)),
    column("wakes/s", "wakeups_per_s", Unit::Plain(1)),
    column("connections/s", "connections_per_s", Unit::Plain(0)),
    column("CPU µs each", "cpu_us_per_connection", Unit::Plain(0)),
    column("new accounts/s", "new_accounts_per_s", Unit::Plain(0)),
    column("newcomers/s", "newcomers_per_s", Unit::Plain(0)),
    column("CPU µs each newcomer", "cpu_us_per_newcomer", Unit::Plain(0)),
    column("M told of newcomers", "newcomers_told", Unit::Millions),
    column("all told s", "all_told_s", Unit::Plain(2)),
    column("events/s", "events_per_s", Unit::Plain(0)),
    column("p50 alone µs", "p50_alone_us", Unit::Plain(0)),
    column("p99 alone µs", "p99_alone_us", Unit::Plain(0)),
    column("flood/s", "flood_per_s", Unit::Plain(0)),
    column("backlog", "backlog_events", Unit::Plain(0)),
    column("RSS before MiB", "rss_before_bytes", Unit::Mebibytes),
    column("caught up s", "caught_up_s", Unit::Plain(2)),
    column("B/idle room", "bytes_per_idle_room", Unit::Plain(0)),
    column("B/followed room", "bytes_per_followed_room", Unit::Plain(0)),
    column("ready s", "ready_s", Unit::Plain(3)),
    column("ready after kill s", "ready_after_kill_s", Unit::Plain(3)),
    column("ready empty s", "ready_empty_s", Unit::Plain(3)),
    column("with people: ready s", "ready_populated_s", Unit::Plain(3)),
    column("after kill s", "ready_populated_after_kill_s", Unit::Plain(3)),
    column("RSS MiB then", "rss_populated_bytes", Unit::Mebibytes),
    column("CPU s", "server_cpu_s", Unit::Plain(2)),
    column("seconds", "seconds", Unit::Plain(2)),
];

/// A table of the medians of the rows of one case. Columns without a figure are left out.
pub(crate) fn of(rows: &[Row]) -> String {
    let Some(first) = rows.first() else { return String::new() };
    let (scenario, in_flight, receivers) = first.case();
    let rows: Vec<&Row> = rows.iter().filter(|row| row.case() == first.case()).collect();
    let rows = rows.as_slice();
    let mut text = match (receivers, first.senders) {
        (0, senders @ 1..) => format!("{scenario}: {senders} connections ask"),
        _ => format!("{scenario}: {receivers} connections receive"),
    };
    if first.senders > 0 && receivers > 0 {
        text += &format!(", {} send", first.senders);
    }
    if let Some(in_flight) = in_flight {
        text += &format!(", {in_flight} in flight");
    }
    text += "\n\n";
    let mut targets: Vec<&str> = Vec::new();
    for row in rows {
        if !targets.contains(&row.target.as_str()) {
            targets.push(&row.target);
        }
    }
    let lines: Vec<Vec<String>> = targets.iter().map(|target| cells(rows, target)).collect();
    let used = |index: &usize| lines.iter().any(|line| !line[*index].is_empty());
    let shown: Vec<usize> = (0..COLUMNS.len()).filter(used).collect();
    let heads = shown.iter().map(|index| COLUMNS[*index].head);
    let heads: Vec<&str> = ["target"].into_iter().chain(heads).collect();
    push_line(&mut text, &heads);
    push_line(&mut text, &vec!["---"; heads.len()]);
    for (target, line) in targets.iter().zip(&lines) {
        let figures = shown.iter().map(|index| line[*index].as_str());
        push_line(&mut text, &[*target].into_iter().chain(figures).collect::<Vec<_>>());
    }
    for row in rows.iter().filter(|row| row.void) {
        let why = row.reason.as_deref().unwrap_or_default();
        let _infallible = writeln!(text, "\nvoid: {} in round {}: {why}", row.target, row.round);
    }
    text
}

fn cells(rows: &[&Row], target: &str) -> Vec<String> {
    let valid = || rows.iter().filter(|row| row.target == target && !row.void);
    let cell = |column: &Column| {
        let figure = median(valid().filter_map(|row| row.figure(column.figure)));
        figure.map(|figure| column.unit.write(figure)).unwrap_or_default()
    };
    COLUMNS.iter().map(cell).collect()
}

impl Unit {
    fn write(self, figure: f64) -> String {
        match self {
            Self::Plain(decimals) => format!("{figure:.decimals$}"),
            Self::Millions => format!("{:.2}", figure / 1e6),
            Self::Mebibytes => format!("{:.1}", figure / f64::from(1 << 20)),
        }
    }
}

fn push_line(text: &mut String, cells: &[&str]) {
    let _infallible = writeln!(text, "| {} |", cells.join(" | "));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_shows_medians_and_names_what_is_void() {
        let row = |target: &str, p50| Row {
            scenario: "e".to_owned(),
            target: target.to_owned(),
            p50_us: Some(p50),
            ..Row::default()
        };
        let void = Row { void: true, reason: Some("lost".to_owned()), ..row("raw", 999.0) };
        let table = of(&[row("chatd", 10.0), row("raw", 1.0), row("chatd", 30.0), void]);
        assert!(table.contains("| chatd | 20 |"), "{table}");
        assert!(table.contains("| raw | 1 |"), "{table}");
        assert!(table.contains("void: raw") && table.contains("lost"), "{table}");
        assert!(!table.contains("RSS"), "{table}");
    }
}
