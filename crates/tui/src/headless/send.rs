//! `send`: posts, and returns after the commit.
//!
//! Whenever the outcome is unknown, the key that is printed posts the same message, not another.
//! A pipe is read to its end whatever happens, unless a signal ends the process.

use std::io::IsTerminal;

use chat_client::outbox::Destination;
use chat_client::{Config, Connected};
use chat_proto::{RoomInfo, RoomName};
use tokio::time::Instant;

use super::failure::Failure;
use super::input::Lines;
use super::key::Key;
use super::link::Link;
use super::output::Output;
use super::pieces::Shape;
use super::record::Record;
use super::send_summary::Unit;
use super::sending::{Deadlines, Sending, Step};
use super::signals::Signals;
use super::{Context, tell};
use crate::args::{SendArgs, TooLong};
use crate::exit::Exit;

pub(super) async fn run(context: &mut Context, mut args: SendArgs) -> Result<(), Failure> {
    let key = Key::given_or_random(args.id.take(), args.nth)?;
    let is_piped = args.text.is_none() && !std::io::stdin().is_terminal();
    let lines = lines(&mut args).map_err(Failure::internal)?;
    let rest = lines.rest();
    let posted = post(context, args, key, lines).await;
    let Err(failure) = posted else {
        return Ok(());
    };
    if !is_piped || failure.is_signal() {
        return Err(failure);
    }
    // Told now: whoever writes into the pipe may take long, and must not be killed for this.
    let exit = failure.told();
    tokio::select! {
        () = rest.read() => Err(Failure::silent(exit)),
        signal = context.signals.next() => Err(signal),
    }
}

async fn post(
    context: &mut Context,
    args: SendArgs,
    key: Key,
    mut lines: Lines,
) -> Result<(), Failure> {
    if !args.lines {
        // One message is there when its end is.
        tokio::select! {
            () = lines.wait_for_first() => {}
            failure = context.signals.next() => return Err(failure),
        }
    }
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

fn lines(args: &mut SendArgs) -> std::io::Result<Lines> {
    let shape = Shape { by_line: args.lines, too_long: args.too_long, lossy: args.lossy };
    match args.text.take() {
        Some(text) => Lines::of_text(text, shape),
        None => {
            if std::io::stdin().is_terminal() {
                tell("the message is what you type now, up to Ctrl-D");
            }
            Lines::of_stdin(shape)
        }
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
        let unit = self.unit();
        let left = self.deadline.saturating_duration_since(Instant::now());
        // One message has one deadline; lines may go on for as long as they are answered.
        let limit = Some(if unit == Unit::Message { left } else { self.args.timeout });
        let deadlines = Deadlines { meanwhile: limit, at_end: limit };
        let mut sending = Sending::new(&link.client, to, lines, unit, deadlines);
        let ended = tokio::select! {
            ended = self.post_all(&mut sending, output, &link.me) => ended,
            failure = link.events.pass_over() => Err(failure),
            failure = output.gone(), if self.args.json => Err(failure),
            failure = signals.next() => Err(failure),
        };
        let failure = sending.give_up(&self.key, &self.room.name, &self.options());
        match ended {
            Err(ended) => Err(ended.with_lines(failure)),
            Ok(()) => failure.map_or(Ok(()), Err),
        }
    }

    fn unit(&self) -> Unit {
        match (self.args.lines, self.args.too_long) {
            (true, _) => Unit::Line,
            (false, TooLong::Split) => Unit::Part,
            (false, TooLong::Refuse | TooLong::Truncate) => Unit::Message,
        }
    }

    /// What makes the same messages of the same input.
    fn options(&self) -> String {
        let too_long = match self.args.too_long {
            TooLong::Refuse => "",
            TooLong::Split => " --split",
            TooLong::Truncate => " --truncate",
        };
        let lines = if self.args.lines { " --lines" } else { "" };
        let lossy = if self.args.lossy { " --lossy" } else { "" };
        format!("{lines}{too_long}{lossy}")
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
