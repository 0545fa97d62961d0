//! Going to a moment of the open room's history.

use jiff::Span;
use jiff::civil::Date;

use super::rooms::at_server;
use super::{Effect, Failure, Reader, ServerEffect};
use crate::screen::commands::Moment;
use crate::screen::model::Model;
use crate::screen::room::RoomIndex;
use crate::screen::server::Server;
use chat_proto::{Seq, Timestamp};

pub(super) fn go_to(model: &mut Model, moment: Moment, effects: &mut Vec<Effect>) {
    let (index, room) = (model.server().current, model.room());
    let Some(id) = room.id.filter(|_id| room.member && model.server().is_online()) else {
        model.flash = Some("older messages need a connection".into());
        return;
    };
    let today = model.clock.local_now().date();
    let day = match moment {
        Moment::Beginning => return model.room_mut().history.go_to(Seq(1)),
        Moment::Day(day) => day,
        Moment::DaysAgo(days) => today.saturating_sub(Span::new().days(days)),
    };
    match start_of(model, day) {
        Some(start) => effects.push(at_server(model, ServerEffect::Locate(index, id, start))),
        None => model.flash = Some(format!("there is no message of {day}").into()),
    }
}

fn start_of(model: &Model, day: Date) -> Option<Timestamp> {
    let midnight = day.to_zoned_datetime(model.clock.zone.clone()).ok()?;
    let ms = u64::try_from(midnight.timestamp().as_millisecond()).unwrap_or(0);
    Some(Timestamp(ms))
}

/// The first message at or after the moment was found, or there is none.
pub(super) fn located(
    server: &mut Server,
    reader: &mut Reader<'_>,
    index: RoomIndex,
    result: Result<Option<Seq>, Failure>,
) {
    let online = server.is_online();
    match result {
        Ok(Some(seq)) => server.rooms[index].history.go_to(seq),
        Ok(None) => {
            server.rooms[index].history.scroll_to_bottom(online);
            *reader.flash = Some("nothing was said since then".into());
        }
        Err(failure) => *reader.flash = Some(failure.why.into()),
    }
}
