//! The figures that chatd is to reach or that say where it stands, and what a measurement found: ratios
//! within one run, since machines differ.

use crate::row::Row;
use crate::scenario::{FLOOD_100, FLOOD_1000, FLOOD_PAGES, FLOOD_STREAMS, Flood};
use crate::stats::median;

/// What a figure may be.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Bound {
    AtLeast(f64),
    AtMost(f64),
    /// Anything: it says where chatd stands.
    Any,
}

/// One figure: what it is, what it is to be, and how it follows from the rows.
struct Figure {
    what: &'static str,
    bound: Bound,
    found: fn(&Medians<'_>) -> Option<f64>,
}

const MIB: f64 = 1_048_576.0;

const fn at_least(
    what: &'static str,
    bound: f64,
    found: fn(&Medians<'_>) -> Option<f64>,
) -> Figure {
    Figure { what, bound: Bound::AtLeast(bound), found }
}

const fn at_most(what: &'static str, bound: f64, found: fn(&Medians<'_>) -> Option<f64>) -> Figure {
    Figure { what, bound: Bound::AtMost(bound), found }
}

/// A comparison without a mark.
const fn compared(what: &'static str, found: fn(&Medians<'_>) -> Option<f64>) -> Figure {
    Figure { what, bound: Bound::Any, found }
}

const FIGURES: [Figure; 60] = [
    at_least("a, 1,024 in flight: deliveries per CPU second, × raw", 1.0, |m| {
        m.cheaper("a", Some(1024), "raw")
    }),
    at_least("a, 1,024 in flight: deliveries per CPU second, × nats", 10.0, |m| {
        m.cheaper("a", Some(1024), "nats")
    }),
    compared("a, 1,024 in flight: deliveries per CPU second, × redis", |m| {
        m.cheaper("a", Some(1024), "redis")
    }),
    compared("a, 1,024 in flight: deliveries per CPU second, × raw-durable", |m| {
        m.cheaper("a", Some(1024), "raw-durable")
    }),
    compared("a, 1,024 in flight: deliveries per CPU second, × redis-durable", |m| {
        m.cheaper("a", Some(1024), "redis-durable")
    }),
    at_least("a, 16 in flight: deliveries per CPU second, × nats", 3.0, |m| {
        m.cheaper("a", Some(16), "nats")
    }),
    compared("a, 16 in flight: deliveries per CPU second, × raw", |m| {
        m.cheaper("a", Some(16), "raw")
    }),
    at_least("b: deliveries per CPU second, × raw", 0.9, |m| m.cheaper("b", None, "raw")),
    at_least("b: deliveries per CPU second, × nats", 5.0, |m| m.cheaper("b", None, "nats")),
    compared("b: deliveries per CPU second, × raw-durable", |m| {
        m.cheaper("b", None, "raw-durable")
    }),
    compared("b: deliveries per CPU second, × redis-durable", |m| {
        m.cheaper("b", None, "redis-durable")
    }),
    at_least("c: durable messages acked per second", 200_000.0, |m| m.chatd("c", "acked_per_s")),
    at_least("c: the same per CPU second of the server", 200_000.0, |m| {
        let busy = m.chatd("c", "server_cpu_s")? / m.chatd("c", "seconds")?;
        Some(m.chatd("c", "acked_per_s")? / busy)
    }),
    compared("c: messages per CPU second, × raw", |m| m.cheaper("c", None, "raw")),
    compared("c: messages per CPU second, × raw-durable", |m| m.cheaper("c", None, "raw-durable")),
    compared("c: messages per CPU second, × nats", |m| m.cheaper("c", None, "nats")),
    compared("c: messages per CPU second, × redis", |m| m.cheaper("c", None, "redis")),
    compared("c: messages per CPU second, × redis-durable", |m| {
        m.cheaper("c", None, "redis-durable")
    }),
    compared("c: messages per second, × nats", |m| m.faster("c", "nats")),
    compared("c: messages per second, × redis", |m| m.faster("c", "redis")),
    compared("c: durable messages per second, × redis-durable", |m| {
        m.faster("c", "redis-durable")
    }),
    compared("c: durable messages per second, × raw-durable", |m| m.faster("c", "raw-durable")),
    at_most("d: p50 with durability process, × raw", 1.2, |m| {
        Some(m.process("d", "p50_us")? / m.of("d", None, "raw", "p50_us")?)
    }),
    at_most("d: p99 with durability process, × raw", 1.2, |m| {
        Some(m.process("d", "p99_us")? / m.of("d", None, "raw", "p99_us")?)
    }),
    at_most("d: p50 that durability full adds, in fdatasyncs at that pace", 1.0, |m| {
        let added = m.chatd("d", "p50_us")? - m.process("d", "p50_us")?;
        Some(added / m.chatd("d", "fdatasync_paced_us")?)
    }),
    at_most("e: round trip with process, µs over 1.2 × raw", 30.0, |m| {
        Some(m.process("e", "p50_us")? - 1.2 * m.of("e", None, "raw", "p50_us")?)
    }),
    compared("e: round trip with process, × raw", |m| m.slower("chatd-process", "p50_us", "raw")),
    compared("e: round trip with process, × nats", |m| {
        m.slower("chatd-process", "p50_us", "nats")
    }),
    compared("e: round trip with process, × redis", |m| {
        m.slower("chatd-process", "p50_us", "redis")
    }),
    compared("e: round trip with full, × raw-durable", |m| {
        m.slower("chatd", "p50_us", "raw-durable")
    }),
    compared("e: round trip with full, × redis-durable", |m| {
        m.slower("chatd", "p50_us", "redis-durable")
    }),
    compared("e: ack with full, × raw-durable", |m| {
        m.slower("chatd", "ack_p50_us", "raw-durable")
    }),
    compared("e: ack with full, × redis-durable", |m| {
        m.slower("chatd", "ack_p50_us", "redis-durable")
    }),
    compared("e: messages per CPU second with full, × redis-durable", |m| {
        m.cheaper("e", None, "redis-durable")
    }),
    at_most("e: ack with full, in fdatasyncs (overwriting)", 2.0, |m| {
        Some(m.chatd("e", "ack_p50_us")? / m.chatd("e", "fdatasync_us")?)
    }),
    at_most("e: ack with full, in fdatasyncs (appending)", 2.0, |m| {
        Some(m.chatd("e", "ack_p50_us")? / m.chatd("e", "fdatasync_append_us")?)
    }),
    at_most("idle: bytes of a connection", 1024.0, |m| m.chatd("idle", "bytes_per_connection")),
    at_most("idle: the process goes to sleep so often in a second", 10.0, |m| {
        m.chatd("idle", "wakeups_per_s")
    }),
    at_least("join: connections per second", 10_000.0, |m| m.chatd("join", "connections_per_s")),
    at_least("join: the same per CPU second of the server", 10_000.0, |m| {
        Some(1e6 / m.chatd("join", "cpu_us_per_connection")?)
    }),
    compared("join: new people who follow, per second", |m| m.chatd("join", "newcomers_per_s")),
    compared("join: the same per CPU second of the server, until all are told of all", |m| {
        Some(1e6 / m.chatd("join", "cpu_us_per_newcomer")?)
    }),
    at_least("replay: events per second", 1e6, |m| m.chatd("replay", "events_per_s")),
    at_most("replay: p99 of the others, × alone", 1.2, |m| m.beside("replay")),
    at_most("slow: p99 of the others, × alone", 1.2, |m| m.beside("slow")),
    at_most("slow: MiB that memory grows by", 8.0, |m| {
        Some((m.chatd("slow", "rss_bytes")? - m.chatd("slow", "rss_before_bytes")?) / MIB)
    }),
    at_most("storm: seconds until everybody has resumed", 10.0, |m| m.chatd("storm", "seconds")),
    at_most("rooms: bytes of an idle room", 512.0, |m| m.chatd("rooms", "bytes_per_idle_room")),
    at_least("rooms: deliveries per CPU second, × a", 0.5, |m| {
        let one = m.of("a", Some(1024), "chatd", "cpu_s_per_million")?;
        Some(one / m.chatd("rooms", "cpu_s_per_million")?)
    }),
    at_least("rooms: messages per second, × a", 0.5, |m| {
        let one = m.of("a", Some(1024), "chatd", "acked_per_s")?;
        Some(m.chatd("rooms", "acked_per_s").or(m.chatd("rooms", "msgs_per_s"))? / one)
    }),
    at_most("start: seconds until ready", 0.5, |m| m.chatd("start", "ready_s")),
    at_most("start: the same after a kill", 0.5, |m| m.chatd("start", "ready_after_kill_s")),
    at_most("start: seconds until ready without any event", 0.5, |m| {
        m.chatd("start", "ready_empty_s")
    }),
    at_most("start: seconds until ready with 100,000 accounts as well", 0.5, |m| {
        m.chatd("start", "ready_populated_s")
    }),
    at_most("start: the same with them after a kill", 0.5, |m| {
        m.chatd("start", "ready_populated_after_kill_s")
    }),
    at_most("flood: p99 of the calm one's ack beside 100 connections, × alone", 2.0, |m| {
        m.beside_flood(FLOOD_100)
    }),
    at_most("flood: the same beside 1,000", 2.0, |m| m.beside_flood(FLOOD_1000)),
    at_most("flood: the same beside 100, each message in a stream of its own", 2.0, |m| {
        m.beside_flood(FLOOD_STREAMS)
    }),
    at_most("flood: the same beside 300 that read pages of history", 2.0, |m| {
        m.beside_flood(FLOOD_PAGES)
    }),
    compared("start: bytes of memory for each of the accounts, when ready", |m| {
        let grown = m.chatd("start", "rss_populated_bytes")? - m.chatd("start", "rss_bytes")?;
        Some(grown / m.chatd("start", "accounts")?)
    }),
];

/// The medians of a measurement.
struct Medians<'a> {
    rows: &'a [Row],
}

impl Medians<'_> {
    /// The median of a figure; with `in_flight` `None`, whatever was in flight.
    fn of(
        &self,
        scenario: &str,
        in_flight: Option<u64>,
        target: &str,
        figure: &str,
    ) -> Option<f64> {
        let same = |row: &&Row| {
            row.scenario == scenario
                && row.target == target
                && (in_flight.is_none() || row.in_flight == in_flight)
                && !row.void
        };
        median(self.rows.iter().filter(same).filter_map(|row| row.figure(figure)))
    }

    fn chatd(&self, scenario: &str, figure: &str) -> Option<f64> {
        self.of(scenario, None, "chatd", figure)
    }

    fn process(&self, scenario: &str, figure: &str) -> Option<f64> {
        self.of(scenario, None, "chatd-process", figure)
    }

    /// How many times more deliveries chatd makes of a CPU second.
    fn cheaper(&self, scenario: &str, in_flight: Option<u64>, than: &str) -> Option<f64> {
        let cost = |target| self.of(scenario, in_flight, target, "cpu_s_per_million");
        Some(cost(than)? / cost("chatd")?)
    }

    /// How many times more messages chatd takes in a second.
    fn faster(&self, scenario: &str, than: &str) -> Option<f64> {
        let pace = |target| self.of(scenario, None, target, "msgs_per_s");
        Some(pace("chatd")? / pace(than)?)
    }

    /// How many times longer a chatd takes for one message at a time.
    fn slower(&self, chatd: &str, figure: &str, than: &str) -> Option<f64> {
        let time = |target| self.of("e", None, target, figure);
        Some(time(chatd)? / time(than)?)
    }

    /// How many times longer somebody waits for an ack, at worst, while somebody else floods.
    fn beside_flood(&self, flood: Flood) -> Option<f64> {
        let of = |figure| self.of("flood", Some(flood.in_flight()), "chatd", figure);
        Some(of("ack_p99_us")? / of("p99_alone_us")?)
    }

    fn beside(&self, scenario: &str) -> Option<f64> {
        Some(self.chatd(scenario, "p99_us")? / self.chatd(scenario, "p99_alone_us")?)
    }
}

/// A table of the figures that the rows have, with durability full unless it says otherwise.
pub(crate) fn table(rows: &[Row]) -> String {
    let medians = Medians { rows };
    let mut text = "| figure | wanted | found | |\n| --- | --- | --- | --- |\n".to_owned();
    for figure in &FIGURES {
        let Some(found) = (figure.found)(&medians) else { continue };
        let (wanted, is_reached) = match figure.bound {
            Bound::AtLeast(bound) => (format!("≥ {}", plain(bound)), Some(found >= bound)),
            Bound::AtMost(bound) => (format!("≤ {}", plain(bound)), Some(found <= bound)),
            Bound::Any => ("–".to_owned(), None),
        };
        let mark = is_reached.map_or("", |is_reached| if is_reached { "✓" } else { "✗" });
        text += &format!("| {} | {wanted} | {} | {mark} |\n", figure.what, plain(found));
    }
    text
}

/// Enough digits to compare.
fn plain(figure: f64) -> String {
    let decimals = match figure.abs() {
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        _ => 2,
    };
    let text = format!("{figure:.decimals$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cost(target: &str, cost: f64) -> Row {
        Row {
            scenario: "a".to_owned(),
            target: target.to_owned(),
            in_flight: Some(1024),
            cpu_s_per_million: Some(cost),
            ..Row::default()
        }
    }

    #[test]
    fn figures_are_ratios_of_medians() {
        let void = Row { void: true, ..cost("chatd", 900.0) };
        let rows = [cost("chatd", 0.05), cost("nats", 0.6), cost("raw", 0.04), void];
        let table = table(&rows);
        assert!(table.contains("× nats | ≥ 10 | 12 | ✓ |"), "{table}");
        assert!(table.contains("× raw | ≥ 1 | 0.8 | ✗ |"), "{table}");
        assert!(!table.contains("join"), "{table}");
        assert!(!table.contains("× redis"), "no rows of it: {table}");
    }

    #[test]
    fn a_comparison_has_no_mark() {
        let row = |target: &str, ack| Row {
            scenario: "e".to_owned(),
            target: target.to_owned(),
            ack_p50_us: Some(ack),
            ..Row::default()
        };
        let table = table(&[row("chatd", 240.0), row("redis-durable", 160.0)]);
        assert!(table.contains("| e: ack with full, × redis-durable | – | 1.5 |  |\n"), "{table}");
    }

    #[test]
    fn figures_are_written_with_the_digits_that_count() {
        for (figure, text) in [(0.5, "0.5"), (10_000.0, "10000"), (1.234, "1.23"), (100.0, "100")] {
            assert_eq!(plain(figure), text);
        }
    }
}
