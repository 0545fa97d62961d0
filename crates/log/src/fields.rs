//! What an event and its spans say, as one line that can do nothing but be read.
//!
//! Peers can make the log say their names, their texts and the causes of their errors. Whatever a
//! field's `Display` or `Debug` gives is made inert, so that nobody who logs has to think of it: no
//! line of the log is begun, overwritten or coloured by a peer.

use std::fmt;

use chat_inert::inert;
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::fmt::format::{DefaultFields, FormatFields, Writer};

/// Writes the fields of events and spans.
#[derive(Debug, Default)]
pub(crate) struct InertFields {
    /// Without colours: those of a peer could not be told from them.
    plain: DefaultFields,
}

impl<'writer> FormatFields<'writer> for InertFields {
    fn format_fields<R: RecordFields>(
        &self,
        mut writer: Writer<'writer>,
        fields: R,
    ) -> fmt::Result {
        let mut said = String::new();
        self.plain.format_fields(Writer::new(&mut said), fields)?;
        writer.write_str(&inert(&said))
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::layer::SubscriberExt;

    use crate::layer;

    /// A log in memory. A copy is the same one.
    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What is written to the log meanwhile, without the times.
    fn logged(has_colours: bool, say: impl FnOnce()) -> Vec<String> {
        let kept = Kept::default();
        let writer = kept.clone();
        let subscriber =
            tracing_subscriber::registry().with(layer(move || writer.clone(), has_colours));
        tracing::subscriber::with_default(subscriber, say);
        let bytes = std::mem::take(&mut *kept.0.lock().unwrap());
        let text = String::from_utf8(bytes).unwrap();
        assert!(text.ends_with('\n'), "{text:?}");
        text.lines().map(str::to_owned).collect()
    }

    const HOSTILE: &str = "x\n2026-01-01T00:00:00Z ERROR forged\r\u{1b}[2J\u{9b}1A\u{202e}\u{2028}";
    const SEEN: &str = "x␊2026-01-01T00:00:00Z ERROR forged␍";

    #[derive(Debug, Clone)]
    struct Cause(String);

    impl std::fmt::Display for Cause {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str(&self.0)
        }
    }

    impl std::error::Error for Cause {}

    fn is_one_inert_line(lines: &[String]) {
        assert_eq!(lines.len(), 1, "{lines:?}");
        let bad = |c: char| c.is_control() || matches!(c, '\u{202e}' | '\u{2028}');
        assert!(!lines[0].contains(bad), "{lines:?}");
    }

    #[test]
    fn a_peer_begins_no_line_of_the_log_and_changes_none() {
        let cause = Cause(HOSTILE.to_owned());
        let error: &(dyn std::error::Error + 'static) = &cause;
        for lines in [
            logged(false, || tracing::info!(name = %HOSTILE, "it came")),
            logged(false, || tracing::info!(name = HOSTILE, "it came")),
            logged(false, || tracing::info!("{HOSTILE}")),
            logged(false, || tracing::info!(%cause, "it failed")),
            logged(false, || tracing::info!(error, "it failed")),
            logged(false, || {
                tracing::info_span!("conn", peer = %HOSTILE).in_scope(|| tracing::info!("it came"));
            }),
            logged(false, || {
                let span = tracing::info_span!("conn", peer = tracing::field::Empty);
                span.record("peer", HOSTILE);
                span.in_scope(|| tracing::info!("it came"));
            }),
        ] {
            is_one_inert_line(&lines);
        }
        // `Debug` escapes most by itself, and not all of it.
        let lines = logged(false, || tracing::info!(name = ?HOSTILE, "it came"));
        is_one_inert_line(&lines);
        let lines = logged(false, || tracing::info!(%cause, "it failed"));
        assert!(lines[0].contains(SEEN) && lines[0].contains("it failed"), "{lines:?}");
    }

    #[test]
    fn colours_are_the_logs_own() {
        let lines = logged(true, || tracing::warn!(name = %"\u{1b}[31mada\u{1b}[0m", "it came"));
        assert!(lines[0].contains("\u{1b}["), "the level has a colour: {lines:?}");
        assert!(!lines[0].contains("\u{1b}[31mada"), "{lines:?}");
    }
}
