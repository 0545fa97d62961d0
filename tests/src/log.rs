//! What a daemon says to its operator: the lines of its standard error.

use std::io::{BufRead, BufReader, Read, Write};
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::sync::watch;
use tokio::time::timeout;

/// How long a line may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// The lines so far. They are passed on to the standard error of the test, too.
#[derive(Clone, Debug)]
pub struct Log {
    lines: watch::Receiver<Vec<String>>,
}

impl Log {
    /// Reads until the other end is closed.
    pub(crate) fn of(stderr: impl Read + Send + 'static) -> Self {
        let (lines, receiver) = watch::channel(Vec::new());
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(std::io::Result::ok) {
                // Nobody has to read along.
                drop(writeln!(std::io::stderr(), "{line}"));
                lines.send_modify(|lines| lines.push(line));
            }
        });
        Self { lines: receiver }
    }

    /// Every line that contains `what`.
    #[must_use]
    pub fn with(&self, what: &str) -> Vec<String> {
        let lines = self.lines.borrow();
        lines.iter().filter(|line| line.contains(what)).cloned().collect()
    }

    /// Waits until `what` has been said so often.
    ///
    /// # Errors
    /// When it is not said in time.
    pub async fn wait_for(&self, what: &str, times: usize) -> Result<()> {
        let said =
            |lines: &Vec<String>| lines.iter().filter(|line| line.contains(what)).count() >= times;
        let mut lines = self.lines.clone();
        let waited = timeout(PATIENCE, lines.wait_for(said)).await;
        waited.with_context(|| format!("{what:?} was not said {times} times"))??;
        Ok(())
    }

    /// Waits until the daemon has closed its standard error, so that every line is here.
    ///
    /// # Errors
    /// When it does not close it in time.
    pub async fn ended(&self) -> Result<()> {
        let mut lines = self.lines.clone();
        let ended = async { while lines.changed().await.is_ok() {} };
        timeout(PATIENCE, ended).await.context("the log does not end")
    }
}
