//! Whatever order the answers come in, everybody who waits for one of them goes on.
//!
//! Every order is tried: at each step any of the answers that are due may be the next.

use chat_client::{Client, Event, Events, HistoryPage};
use chat_proto::{
    AccountId, AccountInfo, AccountList, Accounts, Frame, History, Kind, List, Member, Message,
    MessageId, Posted, Probe, RequestId, RoomId, RoomJoined, Seq, Subscribe, Subscribed, TextBody,
    Timestamp,
};

use crate::fake::*;

const OPS: RoomId = RoomId(2);
const EVE: AccountId = AccountId(12);

/// An answer that is due.
enum Due {
    Subscribed(RequestId, RoomId),
    Page(RequestId, RoomId),
    Names(RequestId, Vec<AccountId>),
}

/// Which answer is next at each step, of how many: a path through the tree of all orders.
#[derive(Default)]
struct Path {
    steps: Vec<(usize, usize)>,
    at: usize,
}

impl Path {
    fn choose(&mut self, among: usize) -> usize {
        if self.at == self.steps.len() {
            self.steps.push((0, among));
        }
        let (chosen, before) = self.steps[self.at];
        assert_eq!(before, among, "the same path leads to the same choices");
        self.at += 1;
        chosen
    }

    /// The next path; `false` when all were taken.
    fn advance(&mut self) -> bool {
        self.at = 0;
        while let Some((chosen, among)) = self.steps.pop() {
            if chosen + 1 < among {
                self.steps.push((chosen + 1, among));
                return true;
            }
        }
        false
    }
}

fn name(account: AccountId) -> String {
    if account == BOB { "bob".into() } else { "eve".into() }
}

fn page(room: RoomId) -> chat_proto::HistoryPage {
    let said = |seq: u64, from| Message {
        seq: Seq(seq),
        ts: Timestamp(seq),
        from,
        id: MessageId([u8::try_from(seq).unwrap(); 16]),
        body: TextBody::say("said before"),
    };
    let messages = [said(1, BOB), said(2, EVE)];
    let of_room = if room == LOBBY { &messages[..1] } else { &messages[..] };
    chat_proto::HistoryPage {
        room,
        epoch: EPOCH,
        as_of: Seq(2),
        messages: List::first_of(of_room.iter().cloned()),
        more: false,
        gaps: List::default(),
    }
}

fn subscribed(room: RoomId) -> Subscribed {
    let bob = Member { account: BOB, name: name(BOB), online: true };
    let members = if room == LOBBY { List::first_of([bob]) } else { List::default() };
    let title = if room == LOBBY { "lobby" } else { "ops" };
    Subscribed {
        log: room.into(),
        epoch: EPOCH,
        head: Seq(2),
        name: title.into(),
        topic: String::new(),
        members,
        member_count: 2,
        online: 1,
    }
}

fn posted(room: RoomId) -> Posted {
    let (seq, ts) = (Seq(3), Timestamp(3));
    let from = if room == LOBBY { EVE } else { BOB };
    Posted { room, seq, ts, from, id: MessageId([9; 16]), body: TextBody::say("said now") }
}

/// The requests that the client has made by now: it answers a probe in its turn, and what it asked
/// before that has come by the second.
async fn requests(peer: &mut Peer, due: &mut Vec<Due>) {
    for token in 1..=2 {
        peer.event(&Probe { token }).await;
        loop {
            let frame = peer.frame().await.expect("the client is there");
            match frame.known_kind() {
                Some(Kind::ProbeReply) => break,
                _ => due.push(request(&frame)),
            }
        }
    }
}

fn request(frame: &Frame) -> Due {
    let id = frame.request;
    match frame.known_kind() {
        Some(Kind::Subscribe) => {
            Due::Subscribed(id, RoomId(frame.decode::<Subscribe>().unwrap().log.0))
        }
        Some(Kind::History) => Due::Page(id, frame.decode::<History>().unwrap().room),
        Some(Kind::Accounts) => Due::Names(id, frame.decode::<Accounts>().unwrap().ids.into_vec()),
        kind => panic!("the client asks for {kind:?}"),
    }
}

async fn answer(peer: &mut Peer, due: Due) {
    match due {
        Due::Subscribed(id, room) => {
            peer.reply(id, &subscribed(room)).await;
            peer.event(&posted(room)).await;
        }
        Due::Page(id, room) => peer.reply(id, &page(room)).await,
        Due::Names(id, accounts) => {
            let named = accounts.into_iter().map(|account| {
                let name = name(account);
                AccountInfo { account, name }
            });
            peer.reply(id, &AccountList { accounts: List::first_of(named) }).await;
        }
    }
}

async fn ask_for_page(client: &Client, room: RoomId) -> HistoryPage {
    client.history(room, None, 10).await.expect("the page comes")
}

fn check(page: &HistoryPage) {
    for message in &page.messages {
        assert_eq!(message.from_name, name(message.from));
    }
}

/// Both live messages, with their names.
async fn hears_both(events: &mut Events) {
    let mut heard = Vec::new();
    while heard.len() < 2 {
        let (room, from, from_name) = event(events, |event| match event {
            Event::Message(said) => Some((said.room, said.from, said.from_name)),
            _ => None,
        })
        .await;
        assert_eq!(from_name, name(from));
        heard.push(room);
    }
    heard.sort();
    assert_eq!(heard, [LOBBY, OPS]);
}

async fn run(path: &mut Path) {
    let (dir, daemon) = (tempfile::tempdir().unwrap(), Daemon::new().await);
    let (client, mut events) = daemon.screen(dir.path());
    let mut peer = daemon.serve().await;
    for (seq, room) in [(1, LOBBY), (2, OPS)] {
        peer.event(&RoomJoined { account: ADA, seq: Seq(seq), ts: Timestamp(1), room }).await;
    }
    let mut due = Vec::new();
    requests(&mut peer, &mut due).await;
    let asker = client.clone();
    let pages = tokio::spawn(async move {
        tokio::join!(ask_for_page(&asker, LOBBY), ask_for_page(&asker, OPS))
    });
    while due.len() < 4 {
        let frame = peer.frame().await.expect("the client is there");
        due.push(request(&frame));
    }
    while !due.is_empty() {
        let next = due.remove(path.choose(due.len()));
        answer(&mut peer, next).await;
        requests(&mut peer, &mut due).await;
    }
    let (lobby, ops) = within(pages).await.unwrap();
    check(&lobby);
    check(&ops);
    hears_both(&mut events).await;
}

#[tokio::test]
async fn in_every_order_of_answers_the_pages_come_and_all_names_are_known() {
    let mut path = Path::default();
    let mut orders = 0;
    loop {
        run(&mut path).await;
        orders += 1;
        if !path.advance() {
            break;
        }
    }
    println!("{orders} orders");
    assert!(orders > 24, "four answers, and the names that they make necessary");
}
