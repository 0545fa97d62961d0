//! What comes from the connection, and whose turn it is.

use std::time::Duration;

use chat_proto::{
    Close, ErrorCode, Frame, FrameError, Kind, Probe, ProbeReply, RequestId, WireError,
};
use tokio::time::Instant;

use super::Driver;
use crate::asking::{Asked, Purpose, fits};
use crate::client::Reply;
use crate::connection::{plain, refusal_of_close};
use crate::event::{Event, Refusal};
use crate::following::answer;
use crate::link::LinkEvent;
use crate::question::Answer;

/// Frames that are handled before the other queues get their turn.
const FRAMES_MAX: usize = 128;

/// The pause before a question is asked again that the daemon had no time for.
const BUSY_PAUSE: Duration = Duration::from_secs(1);

/// Shortest pause that a daemon can impose on a question.
const BUSY_PAUSE_MIN: Duration = Duration::from_millis(20);

/// Longest pause that a daemon can impose on a question.
const BUSY_PAUSE_MAX: Duration = Duration::from_secs(60);

/// Why a connection is given up.
enum Broken {
    /// The daemon said so.
    Closed(Close),
    /// The daemon does not keep to the protocol.
    Protocol(String),
}

impl From<WireError> for Broken {
    fn from(error: WireError) -> Self {
        Self::Protocol(error.to_string())
    }
}

impl Driver {
    pub(super) fn on_link(&mut self, event: LinkEvent) {
        match event {
            // The turns begin the attempt.
            LinkEvent::Retry | LinkEvent::Wrote => {}
            LinkEvent::Connected(Ok(established)) => self.signed_in(*established),
            LinkEvent::Connected(Err(error)) => match error.fatal() {
                Some(refusal) => self.end(refusal),
                None => self.lost(error.to_string()),
            },
            LinkEvent::Frame(frame) => self.on_frames(frame),
            LinkEvent::Broken(error) => self.lost(why_broken(error)),
        }
    }

    /// Handles a frame, and those that are there already.
    fn on_frames(&mut self, mut frame: Frame) {
        self.heard_at = Instant::now();
        for turn in 1..=FRAMES_MAX {
            match self.on_frame(&frame) {
                Ok(()) => self.following.go_on(&mut self.delivery),
                Err(Broken::Closed(close)) => return self.closed(&close),
                Err(Broken::Protocol(what)) => {
                    tracing::warn!(what, "the server does not keep to the protocol");
                    return self.lost(format!("the server's words made no sense: {what}"));
                }
            }
            self.delivery.flush();
            if turn == FRAMES_MAX || !self.may_read() || self.following.holds_too_many() {
                return;
            }
            frame = match self.link.up().and_then(|up| up.frame_at_hand()) {
                Some(LinkEvent::Frame(frame)) => frame,
                Some(event) => return self.on_link(event),
                None => return,
            };
        }
    }

    fn closed(&mut self, close: &Close) {
        match refusal_of_close(close) {
            Some(refusal) => self.end(refusal),
            None => self.lost(close.message.clone()),
        }
    }

    fn on_frame(&mut self, frame: &Frame) -> Result<(), Broken> {
        if frame.request != RequestId(0) {
            return match Answer::read(frame) {
                Some(answer) => self.on_answer(frame.request, answer?),
                None => Err(Broken::Protocol("an answer of an unknown kind".into())),
            };
        }
        match frame.known_kind() {
            Some(Kind::Probe) => {
                let Probe { token } = frame.decode_lenient()?;
                // Whoever probes on and reads nothing gets no answers, instead of the memory.
                if let Some(up) = self.link.up().filter(|up| up.has_room()) {
                    let put = up.put(&ProbeReply { token }, RequestId(0));
                    put.map_err(|error| Broken::Protocol(error.to_string()))?;
                }
                Ok(())
            }
            Some(Kind::Close) => Err(Broken::Closed(frame.decode_lenient()?)),
            _ => Ok(self.following.frame(frame, &mut self.asking, &mut self.delivery)?),
        }
    }

    fn on_answer(&mut self, id: RequestId, came: Answer) -> Result<(), Broken> {
        if let Some(nonce) = self.sending.nonce_of(id) {
            return if self.sending.answered(nonce, &came, &mut self.delivery) {
                Ok(())
            } else {
                Err(Broken::Protocol("an answer that fits no send".into()))
            };
        }
        let Some(asked) = self.asking.answered(id) else {
            return Err(Broken::Protocol("an answer to no question".into()));
        };
        if !fits(&asked.question, &came) {
            if let Purpose::Caller(caller) = asked.purpose {
                let reason = "the server's answer does not fit the question";
                answer(caller, Err(Refusal::local(reason)));
            }
            return Err(Broken::Protocol("an answer that does not fit its question".into()));
        }
        let Answer::Refused(error) = came else {
            self.on_reply(asked, came);
            return Ok(());
        };
        if error.retry {
            let pause = match error.known_code() {
                Some(ErrorCode::RateLimited) => {
                    Duration::from_millis(error.detail).max(BUSY_PAUSE_MIN)
                }
                _ => BUSY_PAUSE,
            };
            self.asking.ask_later(asked, pause.min(BUSY_PAUSE_MAX));
        } else {
            self.on_refusal(asked, error);
        }
        Ok(())
    }

    fn on_refusal(&mut self, asked: Asked, error: chat_proto::Error) {
        match asked.purpose {
            Purpose::Caller(caller) => answer(caller, Err(error.into())),
            Purpose::Subscribe(log) => {
                self.following.subscribe_refused(log, &error.into(), &mut self.delivery);
            }
            Purpose::Names => self.following.names.answered(Vec::new()),
            Purpose::Destination(name) => self.sending.not_found(&name, error),
            Purpose::Unsubscribe | Purpose::Alive => {
                tracing::warn!(reason = %error.message, "a question was refused");
            }
        }
    }

    fn on_reply(&mut self, asked: Asked, came: Answer) {
        let (following, delivery) = (&mut self.following, &mut self.delivery);
        if let Answer::Room(info) = &came {
            following.room_seen(info, delivery);
        }
        let age = asked.age();
        match (asked.purpose, came) {
            (Purpose::Caller(caller), Answer::Done) => answer(caller, Ok(Reply::Done)),
            (Purpose::Caller(caller), Answer::History(page)) => {
                following.pages.came(page, caller, &mut following.names);
            }
            (Purpose::Caller(caller), Answer::Pong(_)) => answer(caller, Ok(Reply::Latency(age))),
            (Purpose::Caller(caller), came) => answer(caller, Ok(Reply::Answer(came))),
            (Purpose::Subscribe(_), Answer::Subscribed(subscribed)) => {
                following.subscribed(subscribed, &mut self.asking, delivery);
            }
            (Purpose::Subscribe(_), Answer::Reset(reset)) => {
                following.reset(&reset, &mut self.asking, delivery);
            }
            (Purpose::Names, Answer::Accounts(list)) => {
                following.names.answered(list.accounts.into_vec());
            }
            (Purpose::Destination(name), Answer::Room(info)) => {
                self.sending.found(&name, info.room);
            }
            (Purpose::Alive, Answer::Pong(_)) => delivery.push_if_room(Event::Latency(age)),
            // `fits` lets nothing else through.
            _ => {}
        }
    }
}

fn why_broken(error: Option<FrameError>) -> String {
    match error {
        None | Some(FrameError::Truncated { .. }) => "the server closed the connection".into(),
        Some(FrameError::Io(error)) => format!("the connection broke: {}", plain(&error)),
        Some(error) => format!("the server's words made no sense: {error}"),
    }
}
