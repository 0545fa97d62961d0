//! `rooms`: many rooms of ten. What an idle one costs, and what goes through all of them.
//!
//! There are ten groups of ten accounts, and each group is in a tenth of the rooms: an account may
//! be in a thousand. One sender of each group goes through the group's rooms in turn.

use std::sync::Arc;

use anyhow::Result;
use chat_proto::{Join, Position, RoomInfo, Subscribe, Subscribed};

use super::{Bench, TEXT_BYTES};
use crate::load::{Load, Order, Pace};
use crate::machine::procfs;
use crate::native::{BlockingConn, Key, send_template};
use crate::net::acks::Acks;
use crate::net::framing::Framing;
use crate::row::Row;
use crate::target::{ReceiverConn, SenderConn, Server, Stage, Target};

const GROUPS: usize = 10;
const ACCOUNTS_PER_GROUP: usize = 10;

/// Connections that receive.
pub(super) const CONNECTIONS: usize = GROUPS * ACCOUNTS_PER_GROUP;

/// Messages in flight, of all senders together.
pub(super) const IN_FLIGHT: u64 = 1024;

/// Requests that are asked at once: their answers must not fill the socket.
const ASKED_AT_ONCE: usize = 100;

pub(super) fn run(target: Target, rooms: usize, bench: &Bench<'_>) -> Result<Vec<Row>> {
    let mut server = Server::start(target, bench.environment)?;
    let none = procfs::rss_bytes(server.pid())?;
    let groups = found(&server, rooms, bench)?;
    server = server.restart(bench.environment)?;
    let idle = procfs::rss_bytes(server.pid())?;
    let stage = follow(&server, &groups, bench)?;
    let followed = procfs::rss_bytes(server.pid())?;

    let speaker_of = (0..stage.receiver_conns.len()).map(|nth| nth / ACCOUNTS_PER_GROUP).collect();
    let mut load = Load::new(stage, Order::ManyRooms { speaker_of })?;
    for (sender, rooms) in groups.into_iter().enumerate() {
        load.set_rooms(sender, rooms);
    }
    let mut watch = bench.watch();
    let pace = Pace::Window(IN_FLIGHT);
    load.run(bench.warm_up(pace), server.pid(), &mut watch)?;
    let figures = load.run(bench.measured(pace), server.pid(), &mut watch)?;
    load.drain()?;
    let each = |bytes: u64, less: u64| bytes.saturating_sub(less) as f64 / rooms as f64;
    let rss = procfs::rss_bytes(server.pid())?;
    let row = Row { rss_bytes: Some(rss), ..Row::default() }.with(&figures);
    Ok(vec![
        row.and("rooms", rooms as f64)
            .and("bytes_per_idle_room", each(idle, none))
            .and("bytes_per_followed_room", each(followed, idle)),
    ])
}

/// Makes the rooms; returns their ids by group.
fn found(server: &Server, rooms: usize, bench: &Bench<'_>) -> Result<Vec<Vec<u64>>> {
    let mut groups = vec![Vec::new(); GROUPS];
    for account in 0..CONNECTIONS {
        (bench.say)(format!("account {account} joins"));
        let group = account / ACCOUNTS_PER_GROUP;
        let mut conn = begin(server, account)?;
        let names: Vec<Join> =
            (0..rooms / GROUPS).map(|room| Join { name: format!("room-{group}-{room}") }).collect();
        let mut ids = Vec::new();
        for some in names.chunks(ASKED_AT_ONCE) {
            let answers = conn.ask_all::<Join, RoomInfo>(some)?;
            ids.extend(answers.into_iter().map(|info| info.room.0));
        }
        groups[group] = ids;
    }
    Ok(groups)
}

/// Every account follows its rooms from now on; one of each group speaks.
fn follow(server: &Server, groups: &[Vec<u64>], bench: &Bench<'_>) -> Result<Stage> {
    let mut receiver_conns = Vec::new();
    let mut sender_conns = Vec::new();
    for account in 0..CONNECTIONS {
        (bench.say)(format!("account {account} follows"));
        let rooms = &groups[account / ACCOUNTS_PER_GROUP];
        let mut conn = begin(server, account)?;
        let after = None::<Position>;
        let asks: Vec<Subscribe> =
            rooms.iter().map(|room| Subscribe { log: chat_proto::LogId(*room), after }).collect();
        for some in asks.chunks(ASKED_AT_ONCE) {
            conn.ask_all::<Subscribe, Subscribed>(some)?;
        }
        let (socket, rest) = conn.into_socket()?;
        receiver_conns.push(ReceiverConn { socket, rest, seq: 0 });
        if account % ACCOUNTS_PER_GROUP == 0 {
            let (socket, _rest) = begin(server, account)?.into_socket()?;
            sender_conns.push(SenderConn { socket, template: send_template(0, TEXT_BYTES) });
        }
    }
    let framing = Framing::Native { text_bytes: TEXT_BYTES };
    Ok(Stage { receiver_conns, sender_conns, framing, acks: Some(Acks::Native) })
}

fn begin(server: &Server, account: usize) -> Result<BlockingConn> {
    BlockingConn::begin(server.address, Arc::new(Key::numbered(account as u64 + 1)))
}
