//! The example client of `docs/examples`, in Python: it was written from `docs/PROTOCOL.md`
//! alone, so it proves that the document says enough.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ is in the repository")
}

fn script() -> PathBuf {
    repository().join("docs/examples/chat_client.py")
}

/// A command that runs the example; `None` when there is no Python, which is then said: `.ci/run`
/// looks for the line.
fn python(test: &str) -> Option<Command> {
    let has_python = Command::new("python3").arg("--version").output().is_ok();
    if !has_python {
        writeln!(std::io::stderr(), "skipped: {test}: python3 is not installed")
            .expect("the standard error takes a line");
        return None;
    }
    let mut command = Command::new("python3");
    // No byte code beside the sources.
    command.arg("-B").arg(script());
    Some(command)
}

#[test]
fn the_python_example_agrees_with_the_golden_bytes() {
    let Some(mut python) = python("the_python_example_agrees_with_the_golden_bytes") else {
        return;
    };
    let golden = repository().join("crates/proto/tests/golden/v1.txt");
    let output = python.arg("--self-test").arg(golden).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
}
