//! How both programs write what their operators read: it never blocks, never ends the process, and
//! its size does not depend on what peers do.
//!
//! Lines go through a bounded queue to a thread of its own. What finds no room, or cannot be
//! written, is counted, and the count is written as soon as something can be. A place of the code
//! that speaks too often is silenced for a while, and counted, too. Whatever the lines say is inert
//! and in one line each; this crate must not know what that is.

mod descriptor;
mod fields;
mod lines;
mod panics;
mod throttle;

use std::fmt;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use chat_inert::{inert, inert_lines};
use tracing::Subscriber;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{EnvFilter, registry, reload};

pub use descriptor::Descriptor;
use fields::InertFields;
pub use lines::{Lines, Notices};
pub use panics::log_panics;
use throttle::{Tallies, Throttle};

/// How long the end of the process may wait for the last lines.
const FINISH_MAX: Duration = Duration::from_millis(500);

/// The log of this process. It takes lines until the process ends, but only what comes before
/// [`Log::finish`] is waited for.
#[derive(Debug)]
pub struct Log {
    lines: Lines,
    filter: Reload,
}

/// Puts another filter in the place of the one that there is.
struct Reload(Box<dyn Fn(EnvFilter) -> io::Result<()> + Send + Sync>);

impl fmt::Debug for Reload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reload")
    }
}

impl Log {
    /// Makes `out` the log of this process.
    ///
    /// # Errors
    /// There can be no thread, or there is a log already.
    pub fn start(
        filter: EnvFilter,
        has_colours: bool,
        out: impl Write + Send + 'static,
    ) -> io::Result<Self> {
        let tallies = Arc::new(Tallies::default());
        let lines = Lines::start("log", out, LogNotices { tallies: Arc::clone(&tallies) })?;
        let layer = layer(lines.clone(), has_colours);
        let throttle = Throttle::new(tallies, lines.clone());
        let (filter, handle) = reload::Layer::new(filter);
        let subscriber = registry().with(layer).with(throttle).with(filter);
        tracing::subscriber::set_global_default(subscriber).map_err(io::Error::other)?;
        let set = move |filter| handle.reload(filter).map_err(io::Error::other);
        Ok(Self { lines, filter: Reload(Box::new(set)) })
    }

    /// Lets other lines through from now on.
    ///
    /// # Errors
    /// The log of the process is not there any more.
    pub fn set_filter(&self, filter: EnvFilter) -> io::Result<()> {
        (self.filter.0)(filter)
    }

    /// Says something to the operator, made inert, behind all before it.
    pub fn say(&self, text: &str) {
        self.lines.push(format!("{}\n", inert_lines(text)).as_bytes());
    }

    /// Waits until everything is written, but not for long: whoever does not read may miss the end.
    pub fn finish(self) {
        self.lines.finish(FINISH_MAX);
    }
}

/// How events are written, one inert line each.
pub fn layer<S, W>(out: W, has_colours: bool) -> impl Layer<S>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    W: for<'writer> MakeWriter<'writer> + 'static,
{
    tracing_subscriber::fmt::layer()
        .fmt_fields(InertFields::default())
        .with_writer(out)
        .with_ansi(has_colours)
        // They would go to stderr, by a macro that panics when it cannot write.
        .log_internal_errors(false)
}

/// What the log says of itself.
struct LogNotices {
    tallies: Arc<Tallies>,
}

impl Notices for LogNotices {
    fn lost(&self, lines: u64) -> String {
        warning(&format!("log lines were lost: they could not be written lines={lines}"))
    }

    fn due_at(&self) -> Option<Instant> {
        self.tallies.due_at()
    }

    fn due(&self, is_end: bool) -> String {
        let due = self.tallies.take_due(Instant::now(), is_end);
        due.iter().map(|silenced| warning(&silenced.to_string())).collect()
    }
}

/// A line that does not come from an event, in the form of those that do.
fn warning(text: &str) -> String {
    use tracing_subscriber::fmt::format::Writer;
    use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
    let mut time = String::new();
    // Writing to a string cannot fail; a clock that cannot be told leaves it empty.
    SystemTime.format_time(&mut Writer::new(&mut time)).ok();
    format!("{time}  WARN {}: {}\n", module_path!(), inert(text))
}
