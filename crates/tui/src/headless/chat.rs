//! Lines in, messages out, both at once.

use chat_client::outbox::Destination;
use chat_client::{Client, RequestError};
use chat_proto::{RoomInfo, RoomName};
use tokio::time::{Instant, timeout};

use super::Context;
use super::failure::Failure;
use super::input::Lines;
use super::key::Key;
use super::link::{Link, Watched, answer};
use super::pieces::Shape;
use super::printer::Printer;
use super::record::Style;
use super::send_summary::Unit;
use super::sending::{Deadlines, Sending, Step};
use crate::args::{ChatArgs, TooLong};
use crate::exit::Exit;

/// Each line is a message by itself.
const SHAPE: Shape = Shape { by_line: true, too_long: TooLong::Refuse, lossy: false };

pub(super) async fn run(context: &mut Context, args: &ChatArgs) -> Result<(), Failure> {
    let deadline = Instant::now() + args.timeout;
    let key = Key::given_or_random(None, 1)?;
    let opened = tokio::select! {
        opened = Link::open(key.of_client(&context.config), deadline) => opened,
        failure = context.output.gone() => Err(failure),
        failure = context.signals.next() => Err(failure),
    };
    let mut link = opened?;
    let done = converse(context, args, &mut link, &key, deadline).await;
    link.close().await;
    done
}

async fn converse(
    context: &mut Context,
    args: &ChatArgs,
    link: &mut Link,
    key: &Key,
    deadline: Instant,
) -> Result<(), Failure> {
    let mut printer = Printer::new(&context.output, Style::new(args.json, context.rooms.len()));
    (printer.me, printer.echo) = (Some(link.me.account), args.echo);
    // What is said in the first room is printed while the others are being joined.
    let joining = join_all(&link.client, &context.rooms);
    let joined = tokio::select! {
        joined = answer(deadline, joining, print_all(&mut printer, &mut link.events)) => joined,
        failure = context.output.gone() => Err(failure),
        failure = context.signals.next() => Err(failure),
    };
    let room = joined?.ok_or_else(|| Failure::new(Exit::Usage, "no room is named"))?;
    let lines = Lines::of_stdin(SHAPE).map_err(Failure::internal)?;
    let to = Destination { room: Some(room.room), name: room.name.parse().ok() };
    // As long as lines may come, a server that is away may come back.
    let deadlines = Deadlines { meanwhile: None, at_end: (!args.follow).then_some(args.timeout) };
    let mut sending = Sending::new(&link.client, to, lines, Unit::Line, deadlines);
    let ended = tokio::select! {
        ended = both_ways(args, &mut sending, &mut printer, &mut link.events) => ended,
        failure = context.output.gone() => Err(failure),
        failure = context.signals.next() => Err(failure),
    };
    let failure = sending.give_up(key, &room.name, " --lines");
    match ended {
        Err(ended) => Err(ended.with_lines(failure)),
        Ok(()) => failure.map_or(Ok(()), Err),
    }
}

/// Joins every room; returns the one to speak in, which is the first.
async fn join_all(client: &Client, rooms: &[RoomName]) -> Result<Option<RoomInfo>, RequestError> {
    let mut first = None;
    for room in rooms {
        let info = client.join(room).await?;
        first.get_or_insert(info);
    }
    Ok(first)
}

async fn print_all(printer: &mut Printer<'_>, events: &mut Watched) -> Failure {
    loop {
        if let Err(failure) = printer.next(events, |_event| true).await {
            return failure;
        }
    }
}

async fn both_ways(
    args: &ChatArgs,
    sending: &mut Sending<'_>,
    printer: &mut Printer<'_>,
    events: &mut Watched,
) -> Result<(), Failure> {
    while !sending.is_done() || args.follow {
        tokio::select! {
            // Something can be sent, or was answered.
            next = sending.next() => match sending.take(next?).await {
                Step::Sent(ids) => ids.into_iter().for_each(|id| printer.expect_own(id)),
                Step::Lost(id) => printer.expect_no_more(id),
                Step::Posted { ack, .. } => printer.own_is_posted(ack.id),
                Step::Other => {}
            },
            // Something was said, and there is room to print it.
            printed = printer.next(events, |_event| true) => {
                printed?;
            }
        }
    }
    let come_back = async {
        while args.echo && printer.expects_own() {
            printer.next(events, |_event| true).await?;
        }
        Ok(())
    };
    let late = || Failure::timeout("what was sent is posted, but did not come back in time");
    timeout(args.timeout, come_back).await.map_err(|_elapsed| late())?
}
