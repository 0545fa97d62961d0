//! Pages of history that wait for the names of their senders.

use chat_proto::{EventSeq, HistoryPage as Page};
use tokio::sync::oneshot;

use crate::answers::HistoryPage;
use crate::event::{Message, Refusal};
use crate::logged::kind_of;
use crate::names::Names;
use crate::request::{Waiter, answer};

/// Pages that are not complete yet. There are no more of them than requests.
#[derive(Default, Debug)]
pub struct Pages {
    waiting: Vec<(Page, Waiter<HistoryPage>)>,
}

impl Pages {
    /// A page has come; whoever waits for it gets it once the names of its senders are known.
    pub fn came(
        &mut self,
        page: Page,
        waiter: oneshot::Sender<Result<HistoryPage, Refusal>>,
        names: &mut Names,
    ) {
        self.waiting.retain(|(_, waiter)| !waiter.is_closed());
        self.waiting.push((page, waiter));
        self.go_on(names);
    }

    /// Names have come, as [`Names::take_news`] tells.
    pub fn go_on(&mut self, names: &mut Names) {
        for (page, waiter) in std::mem::take(&mut self.waiting) {
            let mut complete = true;
            for message in page.messages.iter() {
                if names.account(message.from).is_none() {
                    names.want(message.from);
                    complete = false;
                }
            }
            if complete {
                answer(waiter, Ok(with_names(page, names)));
            } else {
                self.waiting.push((page, waiter));
            }
        }
    }
}

fn with_names(page: Page, names: &Names) -> HistoryPage {
    let room_name = names.room(page.room);
    debug_assert!(page.messages.iter().all(|message| names.account(message.from).is_some()));
    let named = |message: chat_proto::Message| Message {
        room: page.room,
        room_name: room_name.clone(),
        seq: message.seq,
        ts: message.ts,
        from: message.from,
        from_name: names.account(message.from).unwrap_or_default().to_owned(),
        id: message.id,
        kind: kind_of(&message.body),
        text: message.body.text,
        reply_to: message.body.reply_to.map(EventSeq::seq),
        live: false,
    };
    HistoryPage {
        room: page.room,
        epoch: page.epoch,
        as_of: page.as_of,
        // A page that brings nothing is the end, whatever it says.
        more: page.more && !(page.messages.is_empty() && page.gaps.is_empty()),
        gaps: page.gaps.into_vec(),
        messages: page.messages.into_vec().into_iter().map(named).collect(),
    }
}
