//! Events as lines of stdout: what is said, and where the stream has a seam.

use std::collections::HashMap;

use chat_client::{Event, Message, Outgoing, OutgoingState};
use chat_proto::{AccountId, Gap, GapReason, MessageId, RoomId, Seq};

use super::failure::Failure;
use super::link::Watched;
use super::output::{Output, Slot};
use super::record::{Record, Style};
use super::speaker::Speaker;
use super::tell;

/// Messages sent from here that have not come back yet. What is beyond is not told from others'.
const OWN_MAX: usize = 1 << 16;

/// Prints what is said.
pub(super) struct Printer<'a> {
    output: &'a Output,
    style: Style,
    /// Only what this person says.
    pub(super) from: Option<Speaker>,
    /// The account that is signed in: what it posts is its own.
    pub(super) me: Option<AccountId>,
    /// Whether messages sent from here are printed.
    pub(super) echo: bool,
    own: HashMap<MessageId, Own>,
    is_connected: bool,
}

/// A message that was sent from here and has not come back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Own {
    /// It was sent and has no answer yet.
    Sent,
    /// It is in the log, and will come.
    Posted,
    /// It was in a log that has lost its end.
    Doubtful,
}

/// What became of an event.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Printed {
    /// A message was printed.
    Message,
    /// Nothing was, or nothing that counts as a message.
    Other,
}

impl<'a> Printer<'a> {
    pub(super) fn new(output: &'a Output, style: Style) -> Self {
        let own = HashMap::new();
        Self { output, style, from: None, me: None, echo: true, own, is_connected: true }
    }

    /// Handles the next event that `wanted` lets through. Cancel-safe: no event is taken that could
    /// not be printed.
    pub(super) async fn next(
        &mut self,
        events: &mut Watched,
        wanted: impl FnOnce(&Event) -> bool,
    ) -> Result<Printed, Failure> {
        let slot = self.output.slot().await?;
        let event = events.next().await?;
        if !wanted(&event) {
            return Ok(Printed::Other);
        }
        let was_restored = events.was_restored();
        Ok(self.event(event, was_restored, slot))
    }

    /// Waits until something can be printed. Cancel-safe.
    pub(super) async fn ready(&self) -> Result<(), Failure> {
        self.output.slot().await.map(drop)
    }

    /// Prints a message that was not an event, if it is of the right person.
    pub(super) async fn message(&mut self, message: &Message) -> Result<Printed, Failure> {
        if !self.is_wanted(message) {
            return Ok(Printed::Other);
        }
        self.output.print(self.line(message)).await?;
        Ok(Printed::Message)
    }

    /// Whether a message is of the person that is asked for.
    pub(super) fn is_wanted(&self, message: &Message) -> bool {
        self.from.as_ref().is_none_or(|speaker| speaker.said(message))
    }

    fn line(&self, message: &Message) -> String {
        self.style.message(message, self.me == Some(message.from))
    }

    /// A message was sent from here; it will come back.
    pub(super) fn expect_own(&mut self, id: MessageId) {
        if self.own.len() < OWN_MAX {
            self.own.insert(id, Own::Sent);
        }
    }

    /// It is in the log.
    pub(super) fn own_is_posted(&mut self, id: MessageId) {
        if let Some(own) = self.own.get_mut(&id) {
            *own = Own::Posted;
        }
    }

    /// A message that was sent from here will not come back.
    pub(super) fn expect_no_more(&mut self, id: MessageId) {
        self.own.remove(&id);
    }

    /// Whether messages sent from here will still come back.
    pub(super) fn expects_own(&self) -> bool {
        self.own.values().any(|own| *own != Own::Doubtful)
    }

    /// The server had lost the end of its logs: a message that waits has another id from now on.
    fn moved(&mut self, outgoing: &Outgoing) {
        if let OutgoingState::Moved { id, .. } = &outgoing.state
            && let Some(own) = self.own.remove(&outgoing.id)
        {
            self.own.insert(*id, own);
        }
    }

    /// What had been posted may not be in the log any more.
    fn doubt_own(&mut self) {
        for own in self.own.values_mut().filter(|own| **own == Own::Posted) {
            *own = Own::Doubtful;
        }
    }

    fn event(&mut self, event: Event, was_restored: bool, slot: Slot<'_>) -> Printed {
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "headless mode prints a few kinds of events; later ones add nothing by themselves"
        )]
        match event {
            Event::Message(message) => return self.said(&message, slot),
            Event::Disconnected { why, .. } => self.disconnected(&why, slot),
            Event::Connected(connected) => {
                // A server that was restored may know this key as another account.
                self.me = Some(connected.account);
                self.connected(was_restored, slot);
            }
            Event::Outgoing(outgoing) => self.moved(&outgoing),
            Event::Gap { room, room_name, from, to, reason } => {
                self.gap(room, &room_name, (from, to), reason, slot);
            }
            Event::Reset { room, room_name, head, .. } => {
                let text = format!(
                    "#{room_name}: the server was restored from a backup; its log is printed again"
                );
                self.seam(&Record::reset(&room_name, room.0, head), &text, slot);
                self.doubt_own();
            }
            _ => {}
        }
        Printed::Other
    }

    fn gap(
        &self,
        room: RoomId,
        name: &str,
        (from, to): (Seq, Seq),
        reason: Option<GapReason>,
        slot: Slot<'_>,
    ) {
        let (reason, text) = gap_words(reason);
        let text = format!("#{name}: {from} to {to} {text}");
        self.seam(&Record::gap(name, room.0, (from, to), reason), &text, slot);
    }

    /// Prints what a page of history lacks.
    pub(super) async fn print_gaps(&mut self, room: &str, gaps: Vec<Gap>) -> Result<(), Failure> {
        for gap in gaps {
            let (reason, text) = gap_words(gap.known_reason());
            let record = Record::gap(room, gap.log.0, (gap.from, gap.to), reason);
            match self.style.json {
                true => self.output.print(record.json()).await?,
                false => tell(&format!("#{room}: {} to {} {text}", gap.from, gap.to)),
            }
        }
        Ok(())
    }

    fn said(&mut self, message: &Message, slot: Slot<'_>) -> Printed {
        let is_own = self.own.remove(&message.id).is_some();
        if (is_own && !self.echo) || !self.is_wanted(message) {
            return Printed::Other;
        }
        slot.print(self.line(message));
        Printed::Message
    }

    fn disconnected(&mut self, why: &str, slot: Slot<'_>) {
        if std::mem::take(&mut self.is_connected) {
            let text = format!("the connection is gone: {why}; reconnecting");
            self.seam(&Record::reconnecting(why), &text, slot);
        }
    }

    /// The end of an outage. Of a restored server, it is told already that something is gone.
    fn connected(&mut self, was_restored: bool, slot: Slot<'_>) {
        let was_connected = std::mem::replace(&mut self.is_connected, true);
        if !was_connected && (!was_restored || self.style.json) {
            self.seam(&Record::resumed(), "connected again; nothing was missed", slot);
        }
    }

    fn seam(&self, record: &Record<'_>, text: &str, slot: Slot<'_>) {
        match self.style.json {
            true => slot.print(record.json()),
            false => tell(text),
        }
    }
}

/// A gap's reason, as a word for programs and as words for people.
fn gap_words(reason: Option<GapReason>) -> (&'static str, &'static str) {
    match reason {
        Some(GapReason::Deleted) => ("deleted", "are not in the log any more"),
        Some(GapReason::Unreadable) | None => {
            ("unreadable", "cannot be read: the server's disk is damaged there")
        }
    }
}
