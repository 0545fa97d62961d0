//! Requests of a signed-in client, each read into a command or a query.

use chat_proto::{
    AccountId, Accounts, ErrorCode, FindRoom, FrameRef, History, Join, Kind, Leave, Members,
    NameError, Nickname, Ping, ProbeReply, Rename, RoomName, Rooms, Send, Subscribe, Unsubscribe,
    encode_frame,
};

use super::{Ask, Closing, Step, body};
use crate::{Action, Lane, Query, Refusal};

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
        Kind::Join => Ok(match RoomName::parse(&body::<Join>(frame)?.name) {
            Ok(name) => ask(frame, Lane::Commands, Ask::Command(Action::Join { account, name })),
            Err(broken) => refuse(frame, broken),
        }),
        Kind::Leave => command(Action::Leave { account, room: body::<Leave>(frame)?.room }),
        Kind::Rename => Ok(match Nickname::parse(&body::<Rename>(frame)?.name) {
            Ok(name) => ask(frame, Lane::Commands, Ask::Command(Action::Rename { account, name })),
            Err(broken) => refuse(frame, broken),
        }),
        Kind::Subscribe => {
            let Subscribe { log, after } = body(frame)?;
            query(Query::Subscribe { log, after })
        }
        Kind::Unsubscribe => query(Query::Unsubscribe { log: body::<Unsubscribe>(frame)?.log }),
        Kind::History => {
            let History { room, before, limit } = body(frame)?;
            query(Query::History { room, before, limit })
        }
        Kind::FindRoom => Ok(match RoomName::parse(&body::<FindRoom>(frame)?.name) {
            Ok(name) => ask(frame, Lane::Queries, Ask::Query(account, Query::FindRoom { name })),
            Err(broken) => refuse(frame, broken),
        }),
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

/// Refuses what no state could allow, without troubling anybody else.
fn refuse(frame: &FrameRef<'_>, broken: NameError) -> Step {
    let mut reply = Vec::new();
    encode_frame(&Refusal::BadName(broken).to_error(), frame.request, &mut reply)
        .expect("a sentence fits a frame");
    Step::Reply(reply)
}
