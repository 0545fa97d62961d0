//! Rooms with a past: so many messages on disk before anything is measured.

use std::sync::Arc;

use anyhow::Result;
use chat_proto::RoomInfo;

use super::{Bench, TEXT_BYTES};
use crate::load::{Load, Order};
use crate::native::{BlockingConn, Key};
use crate::target::{Participants, ROOM, Server};

/// Enough in flight that the disk is the limit.
const IN_FLIGHT: u64 = 8192;

/// Posts so many messages; tells the room as it is then.
pub(super) fn fill(server: &Server, messages: u64, bench: &Bench<'_>) -> Result<RoomInfo> {
    let participants = Participants { receivers: 1, senders: 8, text_bytes: TEXT_BYTES };
    let mut load = Load::new(server.set(&participants)?, Order::OneRoom)?;
    load.send(messages, IN_FLIGHT, &mut |sent| {
        (bench.say)(format!("{:.2} of {:.2} M events", sent as f64 / 1e6, messages as f64 / 1e6));
        Ok(())
    })?;
    load.drain()?;
    BlockingConn::begin(server.address, Arc::new(Key::numbered(0)))?.join(ROOM)
}
