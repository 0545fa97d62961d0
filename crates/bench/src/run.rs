//! A measurement: every case, round by round, one target after the other.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::args::Measure;
use crate::machine::cores::{Cores, stay_on};
use crate::machine::host::{Host, version_in};
use crate::machine::mount::what_forgets;
use crate::row::Row;
use crate::scenario::{Bench, Case, Scale};
use crate::table;
use crate::target::{Environment, Target};

/// Runs everything, and prints what came of it.
pub(crate) fn run(measure: &Measure) -> Result<()> {
    let cores = Cores::choose()?;
    stay_on(cores.load)?;
    let environment = Environment {
        cores,
        chatd: chatd(measure)?,
        folder: measure.dir.clone().unwrap_or_else(std::env::temp_dir),
        limits_requests: false,
    };
    let (there, absent): (Vec<Target>, Vec<Target>) =
        measure.targets().into_iter().partition(|target| target.is_installed());
    let length = Duration::from_secs(if measure.quick { 1 } else { measure.seconds });
    refuse_memory(&environment.folder, &there)?;
    let host = Host::this(&environment.folder, versions(&environment, &there))?;
    let scale = Scale { length, is_quick: measure.quick };
    let rounds = if measure.quick { 1 } else { measure.rounds };
    let cases: Vec<Case> =
        measure.scenarios().into_iter().flat_map(|scenario| scenario.cases(scale)).collect();

    let runs = cases.iter().map(|case| {
        let targets = there.iter().filter(|target| case.suits(**target)).count() as u64;
        targets * if case.measures_in_one_run() { 1 } else { u64::from(rounds) }
    });
    let progress = Progress::new(runs.sum());
    progress.note(&surroundings(cores, &absent));
    let mut out = std::io::stdout();
    match measure.json {
        true => writeln!(out, "{}", serde_json::to_string(&Row::machine(host))?)?,
        false => progress.print(&host.describe())?,
    }
    for case in &cases {
        let mut rows = Vec::new();
        let runs = if case.measures_in_one_run() { 1 } else { rounds };
        for round in 1..=runs {
            for target in there.iter().filter(|target| case.suits(**target)) {
                progress.begin(case, *target, round);
                let say = |what| progress.say(what);
                let bench = Bench { environment: &environment, scale, rounds, say: &say };
                let new = case.run(*target, round, &bench);
                progress.end();
                for row in &new {
                    if row.void {
                        let why = row.reason.as_deref().unwrap_or_default();
                        progress.note(&format!("void: {} {}: {why}", row.scenario, row.target));
                    }
                    if measure.json {
                        writeln!(out, "{}", serde_json::to_string(row)?)?;
                    }
                }
                rows.extend(new);
            }
        }
        if !measure.json {
            progress.print(&table::of(&rows))?;
        }
    }
    Ok(())
}

/// An fsync into memory costs and promises nothing.
fn refuse_memory(folder: &Path, targets: &[Target]) -> Result<()> {
    let durable: Vec<String> =
        targets.iter().filter(|target| target.is_durable()).map(Target::to_string).collect();
    if !durable.is_empty()
        && let Some(what) = what_forgets(folder)?
    {
        bail!(
            "{} is on {what}: an fsync there costs and promises nothing, so {} cannot be measured. Say \
             --dir with a folder on a disk, or --targets without them",
            folder.display(),
            durable.join(", ")
        );
    }
    Ok(())
}

/// Those of the daemon, of its peers, and of what the daemon and this program were made with.
fn versions(environment: &Environment, targets: &[Target]) -> Vec<(String, String)> {
    let daemon = Command::new(&environment.chatd).arg("--version").output().ok();
    let daemon = daemon.and_then(|said| version_in(&String::from_utf8_lossy(&said.stdout)));
    let mut versions = vec![("chatd".to_owned(), daemon.unwrap_or_default())];
    for version in targets.iter().filter_map(|target| target.version()) {
        if !versions.contains(&version) {
            versions.push(version);
        }
    }
    versions.push(("rustc".to_owned(), version_in(env!("CHAT_BENCH_RUSTC")).unwrap_or_default()));
    versions
}

fn surroundings(cores: Cores, absent: &[Target]) -> String {
    let mut said = match cores.are_apart() {
        true => format!("servers on core {}, the load on core {}", cores.server, cores.load),
        false => "there is one core: servers and load take each other's time".to_owned(),
    };
    for target in absent {
        said += &format!("\nabsent: {target} (not installed)");
    }
    said
}

/// The daemon. When cargo runs this program it builds the daemon too: one that is older than the
/// code would be measured in its place.
fn chatd(measure: &Measure) -> Result<PathBuf> {
    if let Some(path) = &measure.chatd {
        return Ok(path.clone());
    }
    let this = std::env::current_exe()?;
    let folder = this.parent().context("the folder of this program")?;
    if let Some(cargo) = std::env::var_os("CARGO") {
        let mut build = Command::new(cargo);
        build.args(["build", "--quiet", "--package", "chatd"]).args(["--target-dir"]);
        build.arg(folder.parent().context("the target folder")?);
        if folder.ends_with("release") {
            build.arg("--release");
        }
        ensure!(build.status()?.success(), "chatd could not be built");
    }
    let path = folder.join("chatd");
    ensure!(path.is_file(), "there is no {}; build it, or say --chatd PATH", path.display());
    Ok(path)
}

/// How far it is, for a person at a terminal.
struct Progress {
    bar: ProgressBar,
}

impl Progress {
    fn new(runs: u64) -> Self {
        let bar = ProgressBar::with_draw_target(Some(runs), ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{bar:24} {pos}/{len} {elapsed} {prefix} {msg}");
        bar.set_style(style.unwrap_or_else(|_never| ProgressStyle::default_bar()));
        Self { bar }
    }

    fn begin(&self, case: &Case, target: Target, round: u32) {
        self.bar.set_prefix(format!("{} {target} #{round}", case.name()));
        self.bar.set_message("begins");
    }

    fn say(&self, what: String) {
        self.bar.set_message(what);
    }

    fn end(&self) {
        self.bar.inc(1);
    }

    /// For people, and for whoever keeps the log.
    fn note(&self, what: &str) {
        self.bar.suspend(|| {
            // There is nobody left to tell when this fails.
            let _told = writeln!(std::io::stderr(), "{what}");
        });
    }

    fn print(&self, what: &str) -> Result<()> {
        self.bar.suspend(|| writeln!(std::io::stdout(), "{what}")).context("nobody reads")
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durability_is_not_measured_in_memory() {
        let memory = Path::new("/dev/shm");
        let told = refuse_memory(memory, &[Target::Raw, Target::Chatd]).unwrap_err().to_string();
        assert!(told.contains("tmpfs") && told.contains("chatd cannot"), "{told}");
        assert!(told.contains("--dir") && !told.contains("raw"), "{told}");
        refuse_memory(memory, &[Target::Raw, Target::ChatdProcess]).unwrap();
    }
}
