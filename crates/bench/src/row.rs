//! What one run came to: a line for machines.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::load::Figures;
use crate::machine::host::{Host, MACHINE};

/// One run of one scenario on one system. Figures that the scenario does not have are left out.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Row {
    pub(crate) scenario: String,
    pub(crate) target: String,
    pub(crate) round: u32,
    pub(crate) receivers: usize,
    pub(crate) senders: usize,
    pub(crate) text_bytes: usize,
    /// Messages of all senders together that were on their way at any time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) in_flight: Option<u64>,
    pub(crate) msgs: u64,
    pub(crate) deliveries: u64,
    pub(crate) seconds: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) msgs_per_s: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) deliveries_per_s: Option<f64>,
    pub(crate) server_cpu_s: f64,
    /// The server's CPU seconds for a million deliveries.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cpu_s_per_million: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) p50_us: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) p99_us: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ack_p50_us: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ack_p99_us: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rss_bytes: Option<u64>,
    /// Something was missing, doubled or out of order, or the run did not come to its end: none of
    /// its figures counts.
    pub(crate) void: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    /// What everything was measured on: in a row of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) machine: Option<Host>,
    /// Figures that only some scenarios have.
    #[serde(flatten)]
    pub(crate) more: BTreeMap<String, f64>,
}

impl Row {
    /// A row whose figures do not count, and why.
    pub(crate) fn void(reason: String) -> Self {
        Self { void: true, reason: Some(reason), ..Self::default() }
    }

    /// A row that names the machine.
    pub(crate) fn machine(host: Host) -> Self {
        Self { scenario: MACHINE.to_owned(), machine: Some(host), ..Self::default() }
    }

    /// Takes what a load came to.
    pub(crate) fn with(mut self, figures: &Figures) -> Self {
        let seconds = figures.elapsed.as_secs_f64();
        let cpu = figures.cpu.as_secs_f64();
        let deliveries = figures.deliveries as f64;
        self.msgs = figures.sent;
        self.deliveries = figures.deliveries;
        self.seconds = seconds;
        self.msgs_per_s = Some(figures.sent as f64 / seconds);
        self.deliveries_per_s = Some(deliveries / seconds);
        self.server_cpu_s = cpu;
        self.cpu_s_per_million = (deliveries > 0.0).then_some(cpu * 1e6 / deliveries);
        let quantile = |times: &crate::stats::Histogram, part| {
            (times.count() > 0).then(|| times.quantile_us(part))
        };
        self.p50_us = quantile(&figures.delivery, 0.5);
        self.p99_us = quantile(&figures.delivery, 0.99);
        self.ack_p50_us = quantile(&figures.ack, 0.5);
        self.ack_p99_us = quantile(&figures.ack, 0.99);
        let load_busy = figures.load_cpu.as_secs_f64() / seconds;
        let mut row = self.and("server_busy", cpu / seconds).and("load_busy", load_busy);
        if figures.acked > 0 {
            row = row.and("acked_per_s", figures.acked as f64 / seconds);
        }
        match figures.sent {
            0 => row,
            sent => row.and("cpu_us_per_msg", cpu * 1e6 / sent as f64),
        }
    }

    /// Adds a figure that only this scenario has.
    pub(crate) fn and(mut self, name: &str, figure: f64) -> Self {
        self.more.insert(name.to_owned(), figure);
        self
    }

    /// A figure by its name in the JSON line.
    pub(crate) fn figure(&self, name: &str) -> Option<f64> {
        match name {
            "msgs_per_s" => self.msgs_per_s,
            "deliveries_per_s" => self.deliveries_per_s,
            "server_cpu_s" => Some(self.server_cpu_s),
            "cpu_s_per_million" => self.cpu_s_per_million,
            "p50_us" => self.p50_us,
            "p99_us" => self.p99_us,
            "ack_p50_us" => self.ack_p50_us,
            "ack_p99_us" => self.ack_p99_us,
            "rss_bytes" => self.rss_bytes.map(|bytes| bytes as f64),
            "seconds" => Some(self.seconds),
            _ => self.more.get(name).copied(),
        }
    }

    /// What it is a repetition of.
    pub(crate) fn case(&self) -> (&str, Option<u64>, usize) {
        (&self.scenario, self.in_flight, self.receivers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_survives_its_line() {
        let row = Row { scenario: "a".to_owned(), in_flight: Some(16), msgs: 7, ..Row::default() };
        let row = row.and("fdatasync_us", 144.5);
        let line = serde_json::to_string(&row).unwrap();
        assert!(line.contains("\"fdatasync_us\":144.5") && !line.contains("p99_us"), "{line}");
        assert_eq!(serde_json::from_str::<Row>(&line).unwrap(), row);
        assert_eq!(row.figure("fdatasync_us"), Some(144.5));
        let versions = vec![("chatd".to_owned(), "0.1.0".to_owned())];
        let row = Row::machine(Host { cores: 2, versions, ..Host::default() });
        let line = serde_json::to_string(&row).unwrap();
        assert_eq!(serde_json::from_str::<Row>(&line).unwrap(), row);
    }
}
