//! Lines in, messages out, both at once.

use chat_client::outbox::Destination;
use chat_client::{Client, RequestError};
use chat_proto::{RoomInfo, RoomName};
use tokio::time::{Instant, timeout};

use super::Context;
use super::failure::Failure;
use super::input::Lines;
use super::link::{Link, Watched};
use super::printer::Printer;
use super::record::Style;
use super::sending::{Sending, Unit};
use crate::args::ChatArgs;
use crate::exit::Exit;

pub(super) async fn run(context: &mut Context, args: &ChatArgs) -> Result<(), Failure> {
    let deadline = Instant::now() + args.timeout;
    let config = context.config.clone();
    let opened = tokio::select! {
        opened = join(config, &context.rooms, deadline) => opened,
        failure = context.output.gone() => Err(failure),
        failure = context.signals.next() => Err(failure),
    };
    let (mut link, room) = opened?;
    let done = converse(context, args, &mut link, &room).await;
    link.close().await;
    done
}

/// Connects and joins the rooms; returns the one to speak in, which is the first.
async fn join(
    config: chat_client::Config,
    rooms: &[RoomName],
    deadline: Instant,
) -> Result<(Link, RoomInfo), Failure> {
    let mut link = Link::open(config, deadline).await?;
    let client = link.client.clone();
    let joining = join_all(&client, rooms);
    let first = link.answer(deadline, joining).await?;
    let first = first.ok_or_else(|| Failure::new(Exit::Usage, "no room is named"))?;
    Ok((link, first))
}

async fn join_all(client: &Client, rooms: &[RoomName]) -> Result<Option<RoomInfo>, RequestError> {
    let mut first = None;
    for room in rooms {
        let info = client.join(room).await?;
        first.get_or_insert(info);
    }
    Ok(first)
}

async fn converse(
    context: &mut Context,
    args: &ChatArgs,
    link: &mut Link,
    room: &RoomInfo,
) -> Result<(), Failure> {
    let mut printer = Printer::new(&context.output, Style::new(args.json, context.rooms.len()));
    printer.echo = args.echo;
    let mut lines = Lines::of_stdin().map_err(Failure::internal)?;
    let to = Destination { room: Some(room.room), name: room.name.parse().ok() };
    let mut sending = Sending::new(&link.client, to, Unit::Line);
    let at_end = (!args.follow).then_some(args.timeout);
    let ended = tokio::select! {
        sent = sending.run(&mut lines, None, at_end, async |_posted| Ok(())) => sent,
        failure = print_all(&mut printer, &mut link.events) => Err(failure),
        failure = context.output.gone() => Err(failure),
        failure = context.signals.next() => Err(failure),
    };
    sending.give_up();
    let failure = sending.failure("");
    if let Err(ended) = ended {
        return Err(ended.with_lines(failure));
    }
    lines.end().await.tell();
    if let Some(failure) = &failure {
        failure.told();
    }
    let rest = async {
        match args.follow {
            true => Err(print_all(&mut printer, &mut link.events).await),
            false => own_come_back(&mut printer, &mut link.events, args).await,
        }
    };
    let rest = tokio::select! {
        rest = rest => rest,
        failure = context.output.gone() => Err(failure),
        failure = context.signals.next() => Err(failure),
    };
    rest.and(failure.map_or(Ok(()), |failure| Err(Failure::silent(failure.exit))))
}

async fn print_all(printer: &mut Printer<'_>, events: &mut Watched) -> Failure {
    loop {
        if let Err(failure) = printer.next(events, |_event| true).await {
            return failure;
        }
    }
}

/// With `--echo`, what was sent is printed before the end.
async fn own_come_back(
    printer: &mut Printer<'_>,
    events: &mut Watched,
    args: &ChatArgs,
) -> Result<(), Failure> {
    let come_back = async {
        while args.echo && printer.own_on_their_way() > 0 {
            printer.next(events, |_event| true).await?;
        }
        Ok(())
    };
    let late = || Failure::timeout("what was sent is posted, but did not come back in time");
    timeout(args.timeout, come_back).await.map_err(|_elapsed| late())?
}
