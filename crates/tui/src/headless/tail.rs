//! `tail`: what was said, and with `-f` what is said. It joins nothing; it only reads.

use chat_client::{Client, Event, Message, RequestError};
use chat_proto::limits::HISTORY_MESSAGES_MAX;
use chat_proto::{Epoch, ErrorCode, Position, RoomId, RoomInfo, RoomName, Seq};
use tokio::time::{Instant, timeout_at};

use super::Context;
use super::failure::Failure;
use super::link::Link;
use super::printer::{Printed, Printer};
use super::record::Style;
use crate::args::{Since, Start, TailArgs};
use crate::exit::Exit;

/// How long the first connection may take when nobody said.
const CONNECT_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(10);

/// Messages asked for at once. The daemon may send fewer.
const PAGE: u16 = HISTORY_MESSAGES_MAX as u16;

pub(super) async fn run(context: &mut Context, args: &TailArgs) -> Result<(), Failure> {
    let started = Instant::now();
    let config = context.config.clone();
    let mut printer = Printer::new(&context.output, Style::new(args.json, context.rooms.len()));
    printer.from.clone_from(&args.from);
    let mut tail = Tail { args, printer, printed: 0 };
    let work = async {
        let deadline = started + args.timeout.unwrap_or(CONNECT_TIMEOUT);
        let mut link = Link::open(config, deadline).await?;
        let reading = tail.read(&mut link, &context.rooms);
        let done = match args.timeout {
            None => reading.await,
            Some(limit) => match timeout_at(started + limit, reading).await {
                Ok(done) => done,
                Err(_elapsed) => Err(Failure::timeout("the time is over")),
            },
        };
        link.close().await;
        done
    };
    tokio::select! {
        done = work => done,
        failure = context.output.gone() => Err(failure),
        failure = context.signals.next() => Err(failure),
    }
}

struct Tail<'a> {
    args: &'a TailArgs,
    printer: Printer<'a>,
    printed: u64,
}

/// A room, and from where on it is followed.
struct Followed {
    room: RoomInfo,
    /// Only messages from this seq on are printed.
    first: Seq,
    after: Position,
}

impl Tail<'_> {
    async fn read(&mut self, link: &mut Link, names: &[RoomName]) -> Result<(), Failure> {
        let mut rooms = Vec::new();
        for name in names {
            rooms.push(find(link, name).await?);
        }
        let followed = match self.args.start {
            Start::Last(count) => self.print_last(link, rooms, count).await?,
            Start::Since(Since::Seq(first)) if self.args.follow => since(link, rooms, first),
            Start::Since(Since::Seq(first)) => return self.print_since(link, &rooms, first).await,
        };
        match self.args.follow && !self.is_enough() {
            true => self.follow(link, followed).await,
            false => Ok(()),
        }
    }

    /// Prints the last messages of all rooms in the order in which they were said.
    async fn print_last(
        &mut self,
        link: &mut Link,
        rooms: Vec<RoomInfo>,
        count: u64,
    ) -> Result<Vec<Followed>, Failure> {
        let mut followed = Vec::new();
        let mut last = Vec::new();
        for room in rooms {
            let (messages, after) = self.last_of(link, &room, count).await?;
            last.extend(messages);
            followed.push(Followed { room, first: after.seq.next(), after });
        }
        last.sort_by_key(|message| (message.ts, message.room, message.seq));
        self.print(&last).await?;
        Ok(followed)
    }

    /// The last messages of a room, and the place behind them.
    async fn last_of(
        &mut self,
        link: &mut Link,
        room: &RoomInfo,
        count: u64,
    ) -> Result<(Vec<Message>, Position), Failure> {
        let mut newest_first: Vec<Message> = Vec::new();
        let mut before = None;
        let mut behind = None;
        loop {
            let limit = if count == 0 { 1 } else { PAGE };
            let page = history(link, room, before, limit).await?;
            behind.get_or_insert(Position { epoch: page.epoch, seq: page.as_of });
            before = page.messages.first().map(|oldest| oldest.seq);
            let wanted = page.messages.into_iter().filter(|said| self.printer.is_wanted(said));
            let missing = count.saturating_sub(newest_first.len() as u64);
            newest_first.extend(wanted.rev().take(usize::try_from(missing).unwrap_or(usize::MAX)));
            if !page.more || before.is_none() || newest_first.len() as u64 >= count {
                newest_first.reverse();
                return Ok((newest_first, behind.unwrap_or_default()));
            }
        }
    }

    /// Prints a room after the other from a seq on, a window of seqs at a time.
    async fn print_since(
        &mut self,
        link: &mut Link,
        rooms: &[RoomInfo],
        first: Seq,
    ) -> Result<(), Failure> {
        for room in rooms {
            let mut from = Seq(first.0.max(1));
            while from <= room.head && !self.is_enough() {
                let end = Seq(from.0.saturating_add(u64::from(PAGE)));
                let messages = window(link, room, from, end).await?;
                self.print(&messages).await?;
                from = end;
            }
        }
        Ok(())
    }

    async fn print(&mut self, messages: &[Message]) -> Result<(), Failure> {
        for message in messages {
            if self.is_enough() {
                break;
            }
            if self.printer.message(message).await? == Printed::Message {
                self.printed += 1;
            }
        }
        Ok(())
    }

    async fn follow(&mut self, link: &mut Link, mut rooms: Vec<Followed>) -> Result<(), Failure> {
        let places = rooms.iter().map(|followed| (followed.room.room, followed.after)).collect();
        let following = follow_all(link.client.clone(), places);
        let printing = async {
            let mut heard = Instant::now();
            while !self.is_enough() {
                let next = self.printer.next(&mut link.events, |event| is_new(event, &mut rooms));
                let printed = match self.args.idle {
                    None => next.await?,
                    Some(idle) => match timeout_at(heard + idle, next).await {
                        Ok(printed) => printed?,
                        Err(_elapsed) => return self.was_idle(),
                    },
                };
                if printed == Printed::Message {
                    self.printed += 1;
                    heard = Instant::now();
                }
            }
            Ok(())
        };
        tokio::select! {
            failure = following => Err(failure),
            done = printing => done,
        }
    }

    fn is_enough(&self) -> bool {
        self.args.count.is_some_and(|count| self.printed >= count)
    }

    /// Silence is a good end, unless so many messages were asked for.
    fn was_idle(&self) -> Result<(), Failure> {
        match self.args.count {
            None => Ok(()),
            Some(count) => {
                let printed = self.printed;
                Err(Failure::timeout(format!("only {printed} of {count} messages came")))
            }
        }
    }
}

async fn find(link: &mut Link, name: &RoomName) -> Result<RoomInfo, Failure> {
    let client = link.client.clone();
    let asked = async {
        match client.find_room(name).await {
            Err(RequestError::Refused(refusal)) if refusal.code == Some(ErrorCode::UnknownRoom) => {
                Ok(None)
            }
            found => found.map(Some),
        }
    };
    let found = link.answer(request_deadline(), asked).await?;
    found.ok_or_else(|| {
        let sentence = format!(
            "there is no room #{name} yet; chat-tui --no-tui rooms lists those that there are, \
             and a room is made by whoever joins it first: chat-tui --no-tui send -r {name} TEXT"
        );
        Failure::new(Exit::Refused, sentence)
    })
}

/// The messages of `from..end`.
async fn window(
    link: &mut Link,
    room: &RoomInfo,
    from: Seq,
    end: Seq,
) -> Result<Vec<Message>, Failure> {
    let mut newest_first = Vec::new();
    let mut before = end;
    loop {
        let page = history(link, room, Some(before), PAGE).await?;
        let oldest = page.messages.first().map(|message| message.seq);
        let inside = page.messages.into_iter().filter(|message| message.seq >= from);
        newest_first.extend(inside.rev());
        match oldest {
            Some(oldest) if page.more && oldest > from => before = oldest,
            _ => break,
        }
    }
    newest_first.reverse();
    Ok(newest_first)
}

async fn history(
    link: &mut Link,
    room: &RoomInfo,
    before: Option<Seq>,
    limit: u16,
) -> Result<chat_client::HistoryPage, Failure> {
    let client = link.client.clone();
    link.answer(request_deadline(), client.history(room.room, before, limit)).await
}

fn request_deadline() -> Instant {
    Instant::now() + chat_client::REQUEST_TIMEOUT
}

/// Where to open the cursors for `--since`. What is past the head is not there yet.
fn since(link: &Link, rooms: Vec<RoomInfo>, first: Seq) -> Vec<Followed> {
    let epoch: Epoch = link.me.epoch;
    let place = |room: RoomInfo| {
        let seq = Seq(first.0.saturating_sub(1).min(room.head.0));
        Followed { room, first, after: Position { epoch, seq } }
    };
    rooms.into_iter().map(place).collect()
}

/// Opens the cursors; returns only if the server refuses one.
async fn follow_all(client: Client, rooms: Vec<(RoomId, Position)>) -> Failure {
    for (room, after) in rooms {
        match client.follow(room.into(), Some(after)).await {
            Ok(()) | Err(RequestError::NotConnected | RequestError::TimedOut) => {}
            Err(error @ (RequestError::Refused(_) | RequestError::Ended)) => return error.into(),
        }
    }
    std::future::pending().await
}

/// Whether an event is behind the place where its room is to begin. A log that has lost its end
/// begins behind what is left, if that is before.
fn is_new(event: &Event, rooms: &mut [Followed]) -> bool {
    if let Event::Reset { room, head, .. } = event {
        for followed in rooms.iter_mut().filter(|followed| followed.room.room == *room) {
            followed.first = followed.first.min(head.next());
        }
    }
    let Event::Message(message) = event else {
        return true;
    };
    let followed = rooms.iter().find(|followed| followed.room.room == message.room);
    followed.is_some_and(|followed| message.seq >= followed.first)
}
