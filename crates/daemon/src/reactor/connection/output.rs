//! What a peer is told: as much in a turn as it takes, and the end when everything is said.

use std::io;
use std::task::Context;

use chat_core::{Closing, Connection, Output, Transmit};
use chat_proto::{ErrorCode, FrameError, HEADER_BYTES, MAGIC, frame_end};

use super::phase::{Leaving, Phase};
use super::{SocketConnection, Stage};
use crate::live::Counts;
use crate::notices::going_away;
use crate::reactor::turn::Progress;
use crate::tails::TailFollower;
use crate::tls::TlsBuffers;
use crate::transport::{Sent, Transport};

/// Writes of one turn; then others have theirs.
const WRITES_PER_TURN: usize = 4;

/// Less than this is copied faster than it is handed over.
const SEND_FILE_BYTES_MIN: usize = 16 * 1024;

/// What one write came to.
struct Written {
    sent: Sent,
    /// Some of it was read from disk for this peer.
    is_from_disk: bool,
}

impl From<Sent> for Written {
    fn from(sent: Sent) -> Self {
        Self { sent, is_from_disk: false }
    }
}

impl SocketConnection {
    /// A turn at writing: everything that there is, as far as the peer takes it.
    pub(in crate::reactor) fn on_writable(
        &mut self,
        is_draining: bool,
        tls: &mut TlsBuffers,
        counts: &mut Counts,
    ) -> Progress {
        self.update_phase(is_draining);
        for _ in 0..WRITES_PER_TURN {
            if !self.is_writable || matches!(self.stage, Stage::Lingering { .. }) {
                return Progress::Done;
            }
            let may_speak = self.transport.may_speak();
            let written = match &mut self.phase {
                _ if self.transport.has_pending() => self.transport.flush().map(Written::from),
                _ if self.transport.is_broken() => return self.say_goodbye(),
                Phase::Undecided | Phase::Taken(_) => return Progress::Done,
                Phase::Leaving(leaving) if !leaving.rest().is_empty() && may_speak => {
                    say(&mut self.transport, leaving, tls)
                }
                Phase::Leaving(_) if self.transport.close() => continue,
                Phase::Leaving(_) => return self.say_goodbye(),
                Phase::Native(native) => {
                    let output = match self.transport.send_bytes_max() {
                        None => native.core.output(),
                        Some(most) => native.core.output_of(most),
                    };
                    match output {
                        Output::Nothing => return Progress::Done,
                        Output::Write(transmit) => {
                            write(&mut self.transport, &mut native.core, &transmit, tls)
                        }
                        Output::ReadDisk(read) => return Progress::ReadDisk(read),
                        Output::Close if self.transport.close() => continue,
                        Output::Close => return self.say_goodbye(),
                    }
                }
            };
            match written {
                Ok(written) => {
                    counts.bytes_written += written.sent.taken as u64;
                    self.has_written(&written);
                }
                Err(error) => {
                    self.log_gone(&error);
                    return Progress::Gone;
                }
            }
            // A peer that hung up waits for its last reply.
            self.update_phase(is_draining);
        }
        Progress::Again
    }

    fn has_written(&mut self, written: &Written) {
        let Written { sent, is_from_disk } = *written;
        if sent.is_full {
            self.is_writable = self.transport.was_full(&mut Context::from_waker(&self.waker));
        }
        let tells_how_much_it_takes = is_from_disk || sent.is_full;
        if tells_how_much_it_takes && let Phase::Native(native) = &mut self.phase {
            native.fit_page(sent.taken, self.is_writable);
        }
    }

    /// Ends what is to end: everything asked has been answered.
    fn update_phase(&mut self, is_draining: bool) {
        if !is_draining && self.stage == Stage::Open {
            return;
        }
        if self.phase.is_closing() || matches!(self.stage, Stage::Lingering { .. }) {
            return;
        }
        let is_answered = self.phase.native().is_none_or(|core| core.in_flight() == 0);
        if is_draining && is_answered {
            self.phase.close(&going_away());
        } else if self.stage == Stage::HungUp && self.phase.wants_input() {
            if !self.unread.is_empty() {
                let cut = FrameError::Truncated { missing: self.missing_bytes() };
                self.phase.close(&Closing::protocol(ErrorCode::Malformed, cut.to_string()));
            } else if is_answered {
                self.part();
            }
        }
    }

    /// Ends without a word.
    pub(super) fn part(&mut self) {
        match &mut self.phase {
            Phase::Native(native) => native.core.part(&[]),
            Phase::Undecided | Phase::Taken(_) | Phase::Leaving(_) => {
                self.phase = Leaving::saying(Vec::new()).into();
            }
        }
    }

    fn say_goodbye(&mut self) -> Progress {
        if self.stage == Stage::HungUp || self.transport.say_last_word().is_err() {
            return Progress::Gone;
        }
        self.stage = Stage::Lingering { ticks: 0 };
        // What came meanwhile is read, so that the end of the stream is seen.
        self.is_readable = true;
        Progress::Done
    }

    /// How many bytes the peer owes of what it has begun.
    fn missing_bytes(&self) -> usize {
        let whole = match &self.phase {
            Phase::Undecided => MAGIC.len(),
            Phase::Native(_) | Phase::Taken(_) | Phase::Leaving(_) => {
                frame_end(&self.unread, 0).unwrap_or(HEADER_BYTES)
            }
        };
        // The opening of another protocol may be longer than the magic.
        whole.saturating_sub(self.unread.len()).max(1)
    }
}

fn say(
    transport: &mut Transport,
    leaving: &mut Leaving,
    tls: &mut TlsBuffers,
) -> io::Result<Written> {
    let rest = leaving.rest();
    let sent = transport.send(std::iter::once(rest), rest.len(), tls)?;
    leaving.wrote(sent.taken);
    Ok(sent.into())
}

/// Writes a transmit. What many get is sent by reference, where no TLS has to see it.
fn write(
    transport: &mut Transport,
    core: &mut Connection<TailFollower>,
    transmit: &Transmit,
    tls: &mut TlsBuffers,
) -> io::Result<Written> {
    let by_reference = if !transport.is_tls()
        && transmit.bytes() >= SEND_FILE_BYTES_MIN
        && let Some((log, offset)) = transmit.place_in_tail()
        && let Some(tail) = core.handle(log)
    {
        tail.memfd_slice(offset, transmit.bytes())
    } else {
        None
    };
    let sent = match by_reference {
        Some(slice) => transport.send_file(&slice)?,
        None => transport.send(core.slices(transmit), transmit.bytes(), tls)?,
    };
    core.wrote(transmit, sent.taken);
    Ok(Written { sent, is_from_disk: transmit.is_from_disk() })
}
