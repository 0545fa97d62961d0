//! `send`: posts, and returns after the commit.
//!
//! Whenever the outcome is unknown, the key that is printed posts the same message, not another.

use std::io::IsTerminal;

use chat_client::outbox::Destination;
use chat_client::{Config, Connected};
use chat_proto::{RoomInfo, RoomName};
use tokio::time::Instant;

use super::failure::Failure;
use super::input::{self, Lines};
use super::key::Key;
use super::link::Link;
use super::output::Output;
use super::record::Record;
use super::sending::{Patience, Sending, Step};
use super::signals::Signals;
use super::tally::Unit;
use super::{Context, tell};
use crate::args::SendArgs;
use crate::exit::Exit;

pub(super) async fn run(context: &mut Context, mut args: SendArgs) -> Result<(), Failure> {
    let key = Key::given_or_random(args.id.take())?;
    let lines = tokio::select! {
        lines = lines(&mut args) => lines?,
        failure = context.signals.next() => return Err(failure),
    };
    let deadline = Instant::now() + args.timeout;
    let config = key.of_client(&context.config);
    let Some(room) = context.rooms.first() else {
        return Err(Failure::new(Exit::Usage, "no room is named"));
    };
    let opened = tokio::select! {
        opened = join(config, room, deadline) => opened,
        failure = context.signals.next() => Err(failure),
    };
    let (mut link, room) = opened?;
    let posting = Posting { args, key, deadline, room };
    let posted = posting.run(&mut link, lines, &context.output, &mut context.signals).await;
    link.close().await;
    posted
}

async fn join(
    config: Config,
    room: &RoomName,
    deadline: Instant,
) -> Result<(Link, RoomInfo), Failure> {
    let mut link = Link::open(config, deadline).await?;
    let client = link.client.clone();
    let room = link.answer(deadline, client.join(room)).await?;
    Ok((link, room))
}

async fn lines(args: &mut SendArgs) -> Result<Lines, Failure> {
    let is_stdin = args.text.is_none();
    if is_stdin && std::io::stdin().is_terminal() {
        tell("the message is what you type now, up to Ctrl-D");
    }
    match (args.text.take(), args.lines) {
        (None, true) => Lines::of_stdin().map_err(Failure::internal),
        (Some(text), true) => Lines::of_text(text).map_err(Failure::internal),
        (Some(text), false) => Ok(Lines::of_whole(text)),
        (None, false) => match input::whole_stdin().await {
            Ok(text) => Ok(Lines::of_whole(text)),
            Err(error) => {
                Err(Failure::new(Exit::Refused, format!("stdin cannot be sent: {error}")))
            }
        },
    }
}

/// What is to be posted where.
struct Posting {
    args: SendArgs,
    key: Key,
    deadline: Instant,
    room: RoomInfo,
}

impl Posting {
    async fn run(
        &self,
        link: &mut Link,
        lines: Lines,
        output: &Output,
        signals: &mut Signals,
    ) -> Result<(), Failure> {
        let to = Destination { room: Some(self.room.room), name: self.room.name.parse().ok() };
        let unit = if self.args.lines { Unit::Line } else { Unit::Message };
        let left = self.deadline.saturating_duration_since(Instant::now());
        // One message has one deadline; lines may go on for as long as they are answered.
        let limit = Some(if self.args.lines { self.args.timeout } else { left });
        let patience = Patience { meanwhile: limit, at_end: limit };
        let mut sending = Sending::new(&link.client, to, lines, unit, patience);
        let ended = tokio::select! {
            ended = self.post_all(&mut sending, output, &link.me) => ended,
            failure = link.events.pass_over() => Err(failure),
            failure = output.gone(), if self.args.json => Err(failure),
            failure = signals.next() => Err(failure),
        };
        let failure = sending.give_up(&self.key.hint(&self.room.name, self.args.lines));
        match ended {
            Err(ended) => Err(ended.with_lines(failure)),
            Ok(()) => failure.map_or(Ok(()), Err),
        }
    }

    async fn post_all(
        &self,
        sending: &mut Sending<'_>,
        output: &Output,
        me: &Connected,
    ) -> Result<(), Failure> {
        while !sending.is_done() {
            let next = sending.next().await?;
            if let Step::Posted { ack, text } = sending.take(next).await
                && self.args.json
            {
                let record = Record::sent(&ack, &self.room, me, &text);
                output.print(record.json()).await?;
            }
        }
        Ok(())
    }
}
