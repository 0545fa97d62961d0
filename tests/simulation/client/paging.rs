//! Pages of history, which wait for the names of their senders; and the orders in which the answers
//! to all that was asked have come.

use chat_client::pages::Pages;
use chat_client::{HistoryPage, Refusal};
use chat_proto::{AccountList, Frame, History, Kind, RequestId, RoomId, Seq};
use tokio::sync::oneshot::{self, Receiver, error::TryRecvError};

use super::{Asked, Client};
use crate::coverage::Situation;
use crate::env::Env;

/// Pages that have come, and are not complete.
#[derive(Default)]
pub(super) struct Paging {
    pages: Pages,
    waiting: Vec<(History, Receiver<Result<HistoryPage, Refusal>>)>,
}

impl Paging {
    /// One of the pages that wait for names.
    pub(super) fn waiting(&self) -> Option<&History> {
        self.waiting.first().map(|(asked, _page)| asked)
    }
}

impl Client {
    pub(super) fn ask_for_page(&mut self, room: RoomId, env: &mut Env) {
        let newest = env.chance.percent(70);
        let before = if newest { Seq(u64::MAX) } else { Seq(env.chance.within(&(1..=30))) };
        let asked = History { room, before, limit: 10 };
        self.ask(&asked, Asked::Page(asked.clone()));
    }

    pub(super) fn page_came(
        &mut self,
        asked: History,
        page: &chat_proto::HistoryPage,
        env: &mut Env,
    ) {
        let (waiter, page_with_names) = oneshot::channel();
        self.paging.pages.came(page.clone(), waiter, &mut self.names);
        self.paging.waiting.push((asked, page_with_names));
        self.take_pages(env);
        if self.paging.waiting().is_some() {
            env.coverage.hit(Situation::PageWaitedForNames);
        }
    }

    pub(super) fn names_came(&mut self, list: &AccountList, _env: &mut Env) {
        self.names.answered(list.accounts.clone().into_vec());
    }

    /// What waited for names that have come goes on, whatever has brought them.
    pub(super) fn take_news(&mut self, frame: &Frame, env: &mut Env) {
        if !self.names.take_news() {
            return;
        }
        let before = self.paging.waiting.len();
        self.paging.pages.go_on(&mut self.names);
        self.take_pages(env);
        let is_another_way = frame.known_kind() != Some(Kind::AccountList);
        if is_another_way && self.paging.waiting.len() < before {
            env.coverage.hit(Situation::NameCameAnotherWay);
        }
    }

    fn take_pages(&mut self, env: &mut Env) {
        for (asked, mut page) in std::mem::take(&mut self.paging.waiting) {
            match page.try_recv() {
                Ok(Ok(page)) => self.check_page(&asked, &page, env),
                Err(TryRecvError::Empty) => self.paging.waiting.push((asked, page)),
                failed => env.complain(format!("{asked:?} ended with {failed:?}")),
            }
        }
    }

    fn check_page(&self, asked: &History, page: &HistoryPage, env: &mut Env) {
        let seqs = page.messages.iter().map(|message| message.seq);
        let is_rising = seqs.clone().is_sorted_by(|a, b| a < b);
        let is_in_place = seqs.clone().all(|seq| seq < asked.before && seq <= page.as_of);
        let is_named = page.messages.iter().all(|message| !message.from_name.is_empty());
        if page.room != asked.room || !is_rising || !is_in_place || !is_named {
            env.complain(format!("client {}: {asked:?} brought {page:?}", self.index));
        }
    }

    /// Notes what an answer has come before.
    pub(super) fn note_order(&self, id: RequestId, asked: &Asked, frame: &Frame, env: &Env) {
        let is_before = |earlier: fn(&Asked) -> bool| {
            self.requests.range(..id).any(|(_, asked)| earlier(asked))
        };
        let note = |happened: bool, situation| {
            if happened {
                env.coverage.hit(situation);
            }
        };
        let cursor = |asked: &Asked| matches!(asked, Asked::Subscribe { .. });
        match (asked, frame.known_kind()) {
            (Asked::Page(_), Some(Kind::HistoryPage)) => {
                note(is_before(cursor), Situation::PageBeforeSubscribed);
            }
            (Asked::Names, Some(Kind::AccountList)) => {
                note(is_before(|it| matches!(it, Asked::Page(_))), Situation::NamesBeforePage);
            }
            (Asked::Subscribe { .. }, Some(Kind::Subscribed)) => {
                note(is_before(cursor), Situation::SubscribedBeforeAnother);
            }
            _ => {}
        }
        if !matches!(asked, Asked::Send(_) | Asked::Again(_) | Asked::Reuse(_) | Asked::Join { .. })
        {
            note(is_before(|it| matches!(it, Asked::Send(_))), Situation::QueryBeforeAck);
        }
    }

    /// Notes whether the event of one's own message has come before its ack.
    pub(super) fn note_ack(&self, room: RoomId, seq: Seq, env: &Env) {
        let log = room.into();
        if !self.cursors.contains_key(&log) || self.subscribing.contains_key(&log) {
            return;
        }
        if let Some(position) = self.resume.position(log) {
            env.coverage.hit(match position.seq >= seq {
                true => Situation::EventBeforeAck,
                false => Situation::AckBeforeEvent,
            });
        }
    }
}
