//! What a request costs of its account's rate, in tokens: one is what a short message costs the daemon.
//!
//! It must not know how fast anybody may ask.

use chat_proto::QueryRequest;

use super::{Request, Step};
use crate::Action;

/// Of so many bytes each is as much work as another short message.
const BYTES_PER_TOKEN: usize = 1024;

/// Messages of a page of history that cost as much as one that is sent: they are read from disk, and
/// folded.
const MESSAGES_PER_TOKEN: u64 = 4;

/// The first send of a stream: the stream is kept as long as its account, in a row of its own.
const STREAM_TOKENS: u64 = 4;

/// A page of rooms, members or names, of which nobody says beforehand how long it will be.
const PAGE_TOKENS: u64 = 16;

/// A cursor that opens, whose first page comes from disk.
const CURSOR_TOKENS: u64 = 4;

/// What a frame led to, whose body has so many bytes. What is refused at once costs as much as what is
/// carried out; a sign of life costs nothing.
pub(super) fn of(step: &Step, body_bytes: usize) -> u64 {
    let whole = match step {
        Step::Nothing => return 0,
        Step::Reply(_) => 1,
        Step::Request(received) => of_request(&received.request),
    };
    whole + (body_bytes / BYTES_PER_TOKEN) as u64
}

fn of_request(request: &Request) -> u64 {
    match request {
        Request::Command(Action::Post { nonce, .. }) if nonce.n == 1 => STREAM_TOKENS,
        Request::Command(_) => 1,
        Request::Query(_account, query) => match query {
            QueryRequest::History(asked) => 1 + u64::from(asked.limit) / MESSAGES_PER_TOKEN,
            QueryRequest::Rooms(_)
            | QueryRequest::Members(_)
            | QueryRequest::Accounts(_)
            | QueryRequest::Bans(_)
            | QueryRequest::Invitations(_) => PAGE_TOKENS,
            QueryRequest::Subscribe(_) => CURSOR_TOKENS,
            QueryRequest::Unsubscribe(_)
            | QueryRequest::FindRoom(_)
            | QueryRequest::Devices(_)
            | QueryRequest::FindAccount(_)
            | QueryRequest::Ping(_) => 1,
        },
    }
}

#[cfg(test)]
mod tests {
    use chat_proto::{
        AccountId, CredentialId, History, Nonce, Ping, RequestId, RoomId, Seq, StreamId, TextBody,
        Window,
    };

    use super::super::ReceivedRequest;
    use super::*;
    use crate::PostBody;

    fn cost(query: QueryRequest, bytes: usize) -> u64 {
        cost_of(Request::Query(AccountId(1), query), bytes)
    }

    fn cost_of(request: Request, bytes: usize) -> u64 {
        of(
            &Step::Request(ReceivedRequest { id: RequestId(1), window: Window::Queries, request }),
            bytes,
        )
    }

    #[test]
    fn what_is_more_work_costs_more() {
        let page = |limit| {
            let (room, before) = (RoomId(1), Seq(9));
            QueryRequest::History(History { room, before, limit })
        };
        assert_eq!(cost(QueryRequest::Ping(Ping { token: 1 }), 8), 1);
        assert_eq!([0, 3, 4, 256].map(|limit| cost(page(limit), 20)), [1, 1, 2, 65]);
        let post = |n| {
            let body = PostBody::Text(TextBody::say("hello"));
            let (account, room, credential) = (AccountId(1), RoomId(1), CredentialId([0; 16]));
            let nonce = Nonce { stream: StreamId([1; 16]), n };
            Request::Command(Action::Post { account, credential, nonce, room, body })
        };
        assert_eq!([1, 2].map(|n| cost_of(post(n), 40)), [4, 1], "a new stream is dear");
        assert_eq!(of(&Step::Reply(Vec::new()), 16 * 1024), 17);
        assert_eq!(of(&Step::Nothing, 64), 0, "a sign of life is no request");
    }
}
