//! Requests of a signed-in client, each read into a command or a query.

use chat_proto::{
    AccountId, Accounts, ErrorCode, FindRoom, FrameRef, History, Join, Kind, Leave, Members, Ping,
    ProbeReply, Rename, Rooms, Send, Subscribe, Unsubscribe,
};

use super::{Ask, Closing, Step, body};
use crate::{Action, Lane, Query};

/// Reads one request.
#[expect(clippy::wildcard_enum_match_arm, reason = "whatever is no request is out of turn")]
pub(super) fn read(account: AccountId, kind: Kind, frame: &FrameRef<'_>) -> Result<Step, Closing> {
    let query = |query| Ok(ask(frame, Lane::Queries, Ask::Query(account, query)));
    let command = |action| Ok(ask(frame, Lane::Commands, Ask::Command(action)));
    match kind {
        Kind::Send => {
            let Send { nonce, room, text } = body(frame)?;
            if nonce.n == 0 {
                let message = "the first send of a stream is number 1, not 0";
                return Err(Closing::protocol(ErrorCode::Malformed, message));
            }
            command(Action::Send { account, nonce, room, text })
        }
        Kind::Join => command(Action::Join { account, name: body::<Join>(frame)?.name }),
        Kind::Leave => command(Action::Leave { account, room: body::<Leave>(frame)?.room }),
        Kind::Rename => {
            let rename = Action::Rename { account, name: body::<Rename>(frame)?.name };
            Ok(ask(frame, Lane::Alone, Ask::Command(rename)))
        }
        Kind::Subscribe => {
            let Subscribe { log, after } = body(frame)?;
            query(Query::Subscribe { log, after })
        }
        Kind::Unsubscribe => query(Query::Unsubscribe { log: body::<Unsubscribe>(frame)?.log }),
        Kind::History => {
            let History { room, before, limit } = body(frame)?;
            query(Query::History { room, before, limit })
        }
        Kind::FindRoom => query(Query::FindRoom { name: body::<FindRoom>(frame)?.name }),
        Kind::Rooms => query(Query::Rooms { after: body::<Rooms>(frame)?.after }),
        Kind::Members => {
            let Members { room, after } = body(frame)?;
            query(Query::Members { room, after })
        }
        Kind::Accounts => query(Query::Accounts { ids: body::<Accounts>(frame)?.ids.into_vec() }),
        Kind::Ping => query(Query::Ping { token: body::<Ping>(frame)?.token }),
        Kind::ProbeReply => body::<ProbeReply>(frame).map(|_alive| Step::Nothing),
        _ => Err(Closing::out_of_turn(kind)),
    }
}

fn ask(frame: &FrameRef<'_>, lane: Lane, ask: Ask) -> Step {
    Step::Ask { request: frame.request, lane, ask }
}
