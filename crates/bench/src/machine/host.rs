//! What was measured on, and in which versions: figures mean little without it.

use std::fs;
use std::path::Path;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::mount::Mount;

/// The name of the row that names the machine.
pub(crate) const MACHINE: &str = "machine";

/// A machine, the disk that was measured, and the programs.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Host {
    pub(crate) cpu: String,
    pub(crate) cores: usize,
    pub(crate) kernel: String,
    pub(crate) file_system: String,
    /// Programs by their names, and what made them.
    pub(crate) versions: Vec<(String, String)>,
}

impl Host {
    /// This one, with the file system of a folder.
    pub(crate) fn this(folder: &Path, versions: Vec<(String, String)>) -> Result<Self> {
        let (cpu, cores) = processor(&fs::read_to_string("/proc/cpuinfo")?);
        let kernel = ["ostype", "osrelease"]
            .map(|name| fs::read_to_string(format!("/proc/sys/kernel/{name}")));
        let [kind, release] = kernel;
        let kernel = format!("{} {}", kind?.trim(), release?.trim());
        let file_system = Mount::of(folder)?.describe();
        Ok(Self { cpu, cores, kernel, file_system, versions })
    }

    /// As a list for a page.
    pub(crate) fn describe(&self) -> String {
        let Self { cpu, cores, kernel, file_system, versions } = self;
        let versions: Vec<String> =
            versions.iter().map(|(name, version)| format!("{name} {version}")).collect();
        format!(
            "* CPU: {cpu}, {cores} cores\n* Kernel: {kernel}\n* File system of the measured folder: \
             {file_system}\n* Versions: {}\n",
            versions.join(", ")
        )
    }
}

/// The model and the number of processors in a `/proc/cpuinfo` (proc(5)).
fn processor(cpuinfo: &str) -> (String, usize) {
    let values = |key: &'static str| {
        cpuinfo.lines().filter_map(move |line| {
            let (found, value) = line.split_once(':')?;
            (found.trim() == key).then(|| value.trim())
        })
    };
    // Some processors name no model; what they are built for is then all there is.
    let model = values("model name").next().unwrap_or(std::env::consts::ARCH);
    (model.to_owned(), values("processor").count())
}

/// The version in the first line that a program says of itself: the first word that is a number, with or
/// without a `v` or a name before it.
pub(crate) fn version_in(said: &str) -> Option<String> {
    let first = said.lines().find(|line| !line.trim().is_empty())?;
    first.split([' ', '=', ':', '\t']).find_map(|word| {
        let word = word.strip_prefix('v').unwrap_or(word);
        let end = word.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(word.len());
        let version = word[..end].trim_end_matches('.');
        version.contains('.').then(|| version.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_in_what_programs_say() {
        for (said, version) in [
            ("nats-server: v2.9.10\n", "2.9.10"),
            ("Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64\n", "7.0.15"),
            ("ngIRCd 26.1-IDENT+IPv6+SSL-x86_64/pc/linux-gnu\nCopyright 2001-2021\n", "26.1"),
            ("mosquitto version 2.0.11\n\nmosquitto is an MQTT broker.\n", "2.0.11"),
            ("chatd 0.1.0\n", "0.1.0"),
            ("\nrustc 1.95.0 (59807616e 2026-04-14)\n", "1.95.0"),
        ] {
            assert_eq!(version_in(said).as_deref(), Some(version), "{said}");
        }
        assert_eq!(version_in("Error: Unknown option '--version'.\n"), None);
    }

    #[test]
    fn the_processor_is_named_and_counted() {
        let one =
            "processor\t: 0\nmodel name\t: Fast 9000\n\nprocessor\t: 1\nmodel name\t: Fast 9000\n";
        assert_eq!(processor(one), ("Fast 9000".to_owned(), 2));
        assert_eq!(
            processor("processor : 0\nBogoMIPS : 1\n"),
            (std::env::consts::ARCH.to_owned(), 1)
        );
    }

    #[test]
    fn this_machine_has_a_description() {
        let versions = vec![("chatd".to_owned(), "0.1.0".to_owned())];
        let host = Host::this(Path::new("/"), versions).unwrap();
        assert!(host.cores > 0 && host.kernel.starts_with("Linux "), "{host:?}");
        let said = host.describe();
        assert!(said.contains("Versions: chatd 0.1.0\n") && said.lines().count() == 4, "{said}");
    }
}
