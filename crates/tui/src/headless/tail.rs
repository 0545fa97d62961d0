//! `tail`: what was said, and with `-f` what is said. It joins nothing; it only reads.

use std::cell::RefCell;
use std::time::Duration;

use chat_client::{Client, Event, Message, RequestError};
use chat_proto::{Epoch, ErrorCode, Position, RoomId, RoomInfo, RoomName, Seq};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout_at};

use super::backwards::last_of;
use super::failure::Failure;
use super::finding::{find_all, request_deadline};
use super::link::{Link, Watched};
use super::printer::{Printed, Printer};
use super::record::Style;
use super::speaker::Speaker;
use super::{Context, tell};
use crate::args::{Since, Start, TailArgs};

/// How long the first connection may take when nobody said.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How often a room that is not there yet is looked for.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

pub(super) async fn run(context: &mut Context, args: &TailArgs) -> Result<(), Failure> {
    let started = Instant::now();
    let config = context.config.clone();
    let printer = Printer::new(&context.output, Style::new(args.json, context.rooms.len()));
    let mut tail = Tail { args, printer, printed: 0 };
    let work = async {
        let deadline = started + args.timeout.unwrap_or(CONNECT_TIMEOUT);
        let mut link = Link::open(config, deadline).await?;
        tail.printer.me = Some(link.me.account);
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
    /// Messages that `--count` counts.
    printed: u64,
}

/// A room, and from where on it is followed.
struct Followed {
    room: RoomId,
    name: String,
    /// Only messages from this seq on are printed.
    first: Seq,
    /// Only messages from this seq on are counted.
    counted: Seq,
    after: Position,
}

impl Tail<'_> {
    async fn read(&mut self, link: &mut Link, names: &[RoomName]) -> Result<(), Failure> {
        let (rooms, missing) = find_all(link, names, self.args.follow).await?;
        if let Some(name) = &self.args.from {
            let speaker = Speaker::find(link, &rooms, name).await?;
            self.printer.from = Some(speaker);
        }
        let named: Vec<String> = rooms.iter().map(|room| format!("#{}", room.name)).collect();
        let Start { last, since: first } = self.args.start;
        let first = first.map_or(Seq(1), |Since::Seq(first)| first);
        let followed = match (last, self.count_of_all()) {
            (None, None) if self.args.follow => since(link, rooms, first),
            (None, None) => {
                self.print_since(link, rooms, first).await?;
                Vec::new()
            }
            (Some(last), None) | (None, Some(last)) => {
                self.print_last(link, rooms, first, last).await?
            }
            (Some(last), Some(count)) => {
                self.print_last(link, rooms, first, last.min(count)).await?
            }
        };
        if let Some(speaker) = self.printer.from.as_ref().filter(|_| missing.is_empty()) {
            speaker.check(&named)?;
        }
        match self.args.follow && !self.is_enough() {
            true => self.follow(link, followed, missing).await,
            false => Ok(()),
        }
    }

    /// How many are to be printed altogether, when what has been said already counts, too.
    fn count_of_all(&self) -> Option<u64> {
        self.args.count.filter(|_| !self.args.counts_new)
    }

    /// Prints the last messages of all rooms in the order in which they were said.
    async fn print_last(
        &mut self,
        link: &mut Link,
        rooms: Vec<RoomInfo>,
        first: Seq,
        count: u64,
    ) -> Result<Vec<Followed>, Failure> {
        let mut followed = Vec::new();
        let mut last = Vec::new();
        for room in rooms {
            let count = usize::try_from(count).unwrap_or(usize::MAX);
            let wanted = |said: &Message| self.printer.is_wanted(said);
            let ending = last_of(link, &room, first, count, wanted).await?;
            self.printer.print_gaps(&room.name, ending.gaps).await?;
            last.extend(ending.messages);
            let (name, room, after) = (room.name, room.room, ending.behind);
            let first = first.max(after.seq.next());
            followed.push(Followed { room, name, first, counted: first, after });
        }
        last.sort_by_key(|message| (message.ts, message.room, message.seq));
        if let Some(count) = self.count_of_all() {
            let older = last.len().saturating_sub(usize::try_from(count).unwrap_or(usize::MAX));
            last.drain(..older);
        }
        self.print(&last).await?;
        Ok(followed)
    }

    /// Prints a room after the other from a seq on: each is followed until everything has come that
    /// was there.
    async fn print_since(
        &mut self,
        link: &mut Link,
        rooms: Vec<RoomInfo>,
        first: Seq,
    ) -> Result<(), Failure> {
        for followed in since(link, rooms, first) {
            if self.is_enough() {
                return Ok(());
            }
            let client = link.client.clone();
            follow_one(&client, followed.room, followed.after).await?;
            self.print_until_caught_up(&mut link.events, followed).await?;
        }
        Ok(())
    }

    async fn print_until_caught_up(
        &mut self,
        events: &mut Watched,
        followed: Followed,
    ) -> Result<(), Failure> {
        let mut followed = [followed];
        let mut is_caught_up = false;
        while !is_caught_up && !self.is_enough() {
            // Whoever reads slowly may: the time is the server's.
            self.printer.ready().await?;
            let next = self.printer.next(events, |event| {
                is_caught_up = is_end_of(event, followed[0].room);
                is_new(event, &mut followed).is_some()
            });
            let printed = match timeout_at(request_deadline(), next).await {
                Ok(printed) => printed?,
                Err(_elapsed) => return Err(RequestError::TimedOut.into()),
            };
            if printed == Printed::Message {
                self.printed += u64::from(!self.args.counts_new);
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
                self.printed += u64::from(!self.args.counts_new);
            }
        }
        Ok(())
    }

    async fn follow(
        &mut self,
        link: &mut Link,
        rooms: Vec<Followed>,
        missing: Vec<RoomName>,
    ) -> Result<(), Failure> {
        let epoch = link.me.epoch;
        let rooms = RefCell::new(rooms);
        let awaited = Awaited::new(missing);
        let following = follow_all(link.client.clone(), epoch, &rooms, &awaited);
        let printing = async {
            let mut heard = Instant::now();
            while !self.is_enough() {
                let mut counts = false;
                let next = self.printer.next(&mut link.events, |event| {
                    if let Event::Ended { room, .. } = event {
                        awaited.room_ended(*room, &mut rooms.borrow_mut());
                    }
                    let place = is_new(event, &mut rooms.borrow_mut());
                    counts = place == Some(true);
                    place.is_some()
                });
                let printed = match self.args.idle {
                    None => next.await?,
                    Some(idle) => match timeout_at(heard + idle, next).await {
                        Ok(printed) => printed?,
                        Err(_elapsed) => return self.was_idle(),
                    },
                };
                if printed == Printed::Message {
                    self.printed += u64::from(counts || !self.args.counts_new);
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

/// Where to open the cursors for `--since`. What is past the head is not there yet.
fn since(link: &Link, rooms: Vec<RoomInfo>, first: Seq) -> Vec<Followed> {
    let epoch: Epoch = link.me.epoch;
    let place = |room: RoomInfo| {
        let seq = Seq(first.0.saturating_sub(1).min(room.head.0));
        let (name, counted) = (room.name, room.head.next());
        Followed { room: room.room, name, first, counted, after: Position { epoch, seq } }
    };
    rooms.into_iter().map(place).collect()
}

/// Rooms that are not there yet, or not any more.
struct Awaited {
    names: RefCell<Vec<RoomName>>,
    more: Notify,
}

impl Awaited {
    fn new(missing: Vec<RoomName>) -> Self {
        for name in &missing {
            tell(&format!("there is no room #{name} yet; waiting for it"));
        }
        Self { names: RefCell::new(missing), more: Notify::new() }
    }

    /// A room is gone: another one may come to have its name.
    fn room_ended(&self, room: RoomId, followed: &mut Vec<Followed>) {
        for gone in followed.extract_if(.., |followed| followed.room == room) {
            tell(&format!("#{} is gone; waiting for another room of that name", gone.name));
            if let Ok(name) = RoomName::parse(&gone.name) {
                self.names.borrow_mut().push(name);
                self.more.notify_one();
            }
        }
    }
}

/// Opens the cursors, those of rooms that are not there yet as soon as they are; returns only if
/// the server refuses one.
async fn follow_all(
    client: Client,
    epoch: Epoch,
    rooms: &RefCell<Vec<Followed>>,
    awaited: &Awaited,
) -> Failure {
    let places: Vec<_> = rooms.borrow().iter().map(|room| (room.room, room.after)).collect();
    for (room, after) in places {
        match follow_one(&client, room, after).await {
            Err(error) if is_gone(&error) => awaited.room_ended(room, &mut rooms.borrow_mut()),
            Err(error) => return error.into(),
            Ok(()) => {}
        }
    }
    loop {
        let names = awaited.names.borrow().clone();
        for name in &names {
            let found = match client.find_room(name).await {
                Ok(found) => found,
                Err(RequestError::Ended) => return RequestError::Ended.into(),
                Err(_not_yet) => continue,
            };
            awaited.names.borrow_mut().retain(|awaited| awaited != name);
            // Known before it is followed: what is said there is printed from its beginning.
            let (room, name, after) = (found.room, found.name, Position { epoch, seq: Seq(0) });
            rooms.borrow_mut().push(Followed { room, name, first: Seq(1), counted: Seq(1), after });
            match follow_one(&client, room, after).await {
                Err(error) if is_gone(&error) => {
                    awaited.room_ended(room, &mut rooms.borrow_mut());
                }
                Err(error) => return error.into(),
                Ok(()) => {}
            }
        }
        if awaited.names.borrow().is_empty() {
            awaited.more.notified().await;
        } else {
            sleep(LOOK_INTERVAL).await;
        }
    }
}

async fn follow_one(client: &Client, room: RoomId, after: Position) -> Result<(), RequestError> {
    match client.follow(room.into(), Some(after)).await {
        Ok(()) | Err(RequestError::NotConnected | RequestError::TimedOut) => Ok(()),
        Err(error @ (RequestError::Refused(_) | RequestError::Ended)) => Err(error),
    }
}

/// Whether a room has gone since it was found.
fn is_gone(error: &RequestError) -> bool {
    matches!(error, RequestError::Refused(why) if why.code == Some(ErrorCode::NotReadable))
}

/// Whether a room has been told up to where it was live, or is gone.
fn is_end_of(event: &Event, of: RoomId) -> bool {
    matches!(event, Event::CaughtUp { room, .. } | Event::Ended { room, .. } if *room == of)
}

/// Whether an event is behind the place where its room is to begin, and whether it counts. A log
/// that has lost its end begins behind what is left, if that is before.
fn is_new(event: &Event, rooms: &mut [Followed]) -> Option<bool> {
    if let Event::Reset { room, head, .. } = event {
        for followed in rooms.iter_mut().filter(|followed| followed.room == *room) {
            followed.first = followed.first.min(head.next());
            followed.counted = followed.counted.min(head.next());
        }
    }
    let Event::Message(message) = event else {
        return Some(false);
    };
    let followed = rooms.iter().find(|followed| followed.room == message.room)?;
    (message.seq >= followed.first).then_some(message.seq >= followed.counted)
}
