//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

use crate::scenario::Scenario;
use crate::target::Target;

/// Measures chatd, beside other servers and beside the limit of the machine.
///
/// Every run of a scenario starts a server of its own, on loopback and on a core of its own, and
/// ends it. Runs of the targets take turns; the table shows medians.
#[derive(Debug, Parser)]
#[command(
    name = "chat-bench",
    version,
    max_term_width = 100,
    args_conflicts_with_subcommands = true
)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) task: Option<Task>,
    #[command(flatten)]
    pub(crate) measure: Measure,
}

/// What to measure.
#[derive(Debug, clap::Args)]
pub(crate) struct Measure {
    /// Scenarios, or all
    #[arg(value_name = "SCENARIO", required = true, value_parser = choice)]
    pub(crate) scenarios: Vec<Choice>,

    /// Print a line of JSON for each run, instead of tables
    #[arg(long)]
    pub(crate) json: bool,

    /// Runs of each scenario and target
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) rounds: u32,

    /// How long a load is measured, in seconds
    #[arg(long, value_name = "S", default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=600))]
    pub(crate) seconds: u64,

    /// Systems to measure [default: every one that is installed]
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub(crate) targets: Vec<Target>,

    /// Everything a good deal smaller, once, for a second: to see that it works
    #[arg(long)]
    pub(crate) quick: bool,

    /// The daemon [default: chatd beside this program; cargo run builds it]
    #[arg(long, value_name = "PATH")]
    pub(crate) chatd: Option<PathBuf>,

    /// Where servers keep their files, on the disk to be measured [default: the system's temporary
    /// folder]
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
}

/// Something else to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Task {
    /// Becomes another program, on one core
    #[command(hide = true)]
    Launch {
        #[arg(long)]
        core: usize,
        program: PathBuf,
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Draws the results of --json as pictures, and says which figures are reached
    Plot {
        /// Lines of JSON
        results: PathBuf,
        /// Where to
        #[arg(long, value_name = "DIR", default_value = "docs/benchmarks")]
        out: PathBuf,
        /// A page whose results are written anew, such as docs/BENCHMARKS.md
        #[arg(long, value_name = "FILE")]
        page: Option<PathBuf>,
    },
    /// The server of the targets raw and raw-durable
    #[command(hide = true)]
    Relay {
        /// Makes what comes durable in this file first
        #[arg(long)]
        durable: Option<PathBuf>,
    },
}

/// One scenario, or all.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Choice {
    All,
    One(Scenario),
}

impl Measure {
    /// The scenarios, each once.
    pub(crate) fn scenarios(&self) -> Vec<Scenario> {
        let chosen = |scenario: &&Scenario| {
            self.scenarios.contains(&Choice::All)
                || self.scenarios.contains(&Choice::One(**scenario))
        };
        Scenario::value_variants().iter().filter(chosen).copied().collect()
    }

    /// The systems, each once, in their order.
    pub(crate) fn targets(&self) -> Vec<Target> {
        let every = Target::value_variants();
        let chosen = |target: &&Target| self.targets.is_empty() || self.targets.contains(*target);
        every.iter().filter(chosen).copied().collect()
    }
}

fn choice(name: &str) -> Result<Choice, String> {
    if name == "all" {
        return Ok(Choice::All);
    }
    let names = || {
        let values = Scenario::value_variants().iter().filter_map(Scenario::to_possible_value);
        values.map(|value| value.get_name().to_owned()).collect::<Vec<_>>().join(", ")
    };
    Scenario::from_str(name, true)
        .map(Choice::One)
        .map_err(|_unknown| format!("there are all, {}", names()))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn scenarios_and_targets_come_once_and_in_order() {
        let args = Args::try_parse_from(["chat-bench", "e", "a", "e", "--targets", "raw,chatd"]);
        let measure = args.unwrap().measure;
        assert_eq!(measure.scenarios(), [Scenario::A, Scenario::E]);
        assert_eq!(measure.targets(), [Target::Chatd, Target::Raw]);
        assert!(Args::try_parse_from(["chat-bench", "z"]).is_err());
    }
}
