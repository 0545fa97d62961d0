//! What comes from the connection, and whose turn it is.

use std::time::Duration;

use chat_proto::{
    AccountList, Ack, Close, Done, Error, ErrorCode, Frame, FrameError, Kind, Pong, Probe,
    ProbeReply, ReplyBody, RequestId, RoomInfo, SubscribeReply, WireError,
};
use tokio::time::Instant;

use super::Driver;
use crate::connection::{plain, refusal_of_close, wait_of_close};
use crate::event::{Event, Refusal};
use crate::link::LinkEvent;
use crate::request::{PendingRequest, ReplyTo, UnfitReply, answer, read_body, read_reply};

/// Frames that are handled before the other queues get their turn.
const FRAMES_MAX: usize = 128;

/// The pause before a request is asked again that the daemon had no time for.
const BUSY_PAUSE: Duration = Duration::from_secs(1);

/// Shortest pause that a daemon can impose on a request.
const BUSY_PAUSE_MIN: Duration = Duration::from_millis(20);

/// Longest pause that a daemon can impose on a request.
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

impl From<UnfitReply> for Broken {
    fn from(unfit: UnfitReply) -> Self {
        Self::Protocol(unfit.to_string())
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
                None => self.lost_until(error.to_string(), error.wait()),
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
                Ok(()) => self.following.go_on(&mut self.events),
                Err(Broken::Closed(close)) => return self.closed(&close),
                Err(Broken::Protocol(what)) => {
                    tracing::warn!(what, "the server does not keep to the protocol");
                    return self.lost(format!("the server's words made no sense: {what}"));
                }
            }
            self.events.flush();
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
            None => self.lost_until(close.message.clone(), wait_of_close(close)),
        }
    }

    fn on_frame(&mut self, frame: &Frame) -> Result<(), Broken> {
        if frame.request != RequestId(0) {
            return self.on_reply(frame);
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
            _ => Ok(self.following.frame(frame, &mut self.requests, &mut self.events)?),
        }
    }

    fn on_reply(&mut self, frame: &Frame) -> Result<(), Broken> {
        let refused = Error::read(frame).transpose()?;
        if let Some(nonce) = self.sending.nonce_of(frame.request) {
            match refused {
                Some(error) => self.sending.refused(nonce, &error, &mut self.events),
                None => match read_body::<Ack>(frame)? {
                    ack if ack.nonce == nonce => self.sending.acked(&ack, &mut self.events),
                    _of_another => return Err(UnfitReply::OtherRequest.into()),
                },
            }
            return Ok(());
        }
        let Some(pending) = self.requests.replied(frame.request) else {
            return Err(Broken::Protocol("an answer to no request".into()));
        };
        match refused {
            Some(error) if error.retry => {
                self.requests.ask_later(pending, busy_pause(&error));
                Ok(())
            }
            Some(error) => {
                self.on_refusal(pending.reply_to, error);
                Ok(())
            }
            None => self.hand_over(pending, frame),
        }
    }

    fn on_refusal(&mut self, reply_to: ReplyTo, error: Error) {
        match reply_to {
            ReplyTo::Caller(_) | ReplyTo::History(..) => reply_to.refuse(error.into()),
            ReplyTo::Subscribe(asked) => {
                self.following.subscribe_refused(asked.log, &error.into(), &mut self.events);
            }
            ReplyTo::Names => self.following.names.answered(Vec::new()),
            ReplyTo::Destination(name) => {
                self.sending.not_found(&name, error, &mut self.events);
            }
            ReplyTo::Unsubscribe | ReplyTo::Alive => {
                tracing::warn!(reason = %error.message, "a request was refused");
            }
        }
    }

    /// Gives a reply to whoever asked. A room that comes with it is known from now on.
    fn hand_over(&mut self, pending: PendingRequest, frame: &Frame) -> Result<(), Broken> {
        let (following, events) = (&mut self.following, &mut self.events);
        let took = pending.age();
        if let Some(info) = RoomInfo::read(frame).transpose()? {
            following.room_seen(&info, events);
        }
        match pending.reply_to {
            ReplyTo::Caller(caller) => caller.reply(frame, took)?,
            ReplyTo::History(asked, waiter) => match read_reply(&asked, frame) {
                Ok(page) => following.pages.came(page, waiter, &mut following.names),
                Err(unfit) => {
                    answer(waiter, Err(Refusal::from(&unfit)));
                    return Err(unfit.into());
                }
            },
            ReplyTo::Subscribe(asked) => match read_reply(&asked, frame)? {
                SubscribeReply::Subscribed(subscribed) => {
                    following.subscribed(subscribed, &mut self.requests, events);
                }
                SubscribeReply::Reset(reset) => {
                    following.reset(&reset, &mut self.requests, events);
                }
            },
            ReplyTo::Unsubscribe => {
                let Done {} = read_body(frame)?;
            }
            ReplyTo::Names => {
                let list: AccountList = read_body(frame)?;
                following.names.answered(list.accounts.into_vec());
            }
            ReplyTo::Destination(name) => {
                let room = read_body::<RoomInfo>(frame)?.room;
                self.sending.found(&name, room, &mut self.events);
            }
            ReplyTo::Alive => {
                let Pong { .. } = read_body(frame)?;
                events.push_if_room(Event::Latency(took));
            }
        }
        Ok(())
    }
}

/// How long a request waits that the daemon has no time for now.
fn busy_pause(error: &Error) -> Duration {
    let pause = match error.known_code() {
        Some(ErrorCode::RateLimited) => Duration::from_millis(error.detail).max(BUSY_PAUSE_MIN),
        _ => BUSY_PAUSE,
    };
    pause.min(BUSY_PAUSE_MAX)
}

fn why_broken(error: Option<FrameError>) -> String {
    match error {
        None | Some(FrameError::Truncated { .. }) => "the server closed the connection".into(),
        Some(FrameError::Io(error)) => format!("the connection broke: {}", plain(&error)),
        Some(error) => format!("the server's words made no sense: {error}"),
    }
}
