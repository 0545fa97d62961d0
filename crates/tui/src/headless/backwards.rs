//! The end of a room, read backwards with several pages on their way at once.
//!
//! Owns which pages are asked for and how they are put together. A page of history says only what is
//! before it, so where the next ones begin is guessed: the room is cut into windows of seqs, and each
//! is read by itself. What a window brings that is older than itself makes others needless.

use std::time::Duration;

use chat_client::{HistoryPage, Message, RequestError};
use chat_proto::limits::HISTORY_MESSAGES_MAX;
use chat_proto::{Epoch, Gap, Position, RoomInfo, Seq};
use futures::future::BoxFuture;
use futures::stream::{FuturesOrdered, StreamExt};
use tokio::time::Instant;

use super::failure::Failure;
use super::link::Link;

/// Messages asked for at once. The daemon may send fewer.
const PAGE: u16 = HISTORY_MESSAGES_MAX as u16;

/// Windows that are read at once. The daemon lets no more questions be under way.
const AHEAD_MAX: usize = 4;

/// When the next window takes longer, the way to the daemon is full: one at a time then.
const SLOW: Duration = Duration::from_secs(1);

/// How often a room is read anew because its log began another life meanwhile.
const LIVES_MAX: u32 = 3;

/// What was asked for.
#[derive(Debug, Default)]
pub(super) struct Ending {
    /// The last messages, rising in seq.
    pub(super) messages: Vec<Message>,
    /// What is missing between them, rising.
    pub(super) gaps: Vec<Gap>,
    /// The place behind them.
    pub(super) behind: Position,
}

/// The last messages of a room that are `wanted`, at most `count`, none before `first`.
pub(super) async fn last_of(
    link: &mut Link,
    room: &RoomInfo,
    first: Seq,
    count: usize,
    wanted: impl Fn(&Message) -> bool,
) -> Result<Ending, Failure> {
    for _life in 0..LIVES_MAX {
        let client = link.client.clone();
        let (id, limit) = (room.room, if count == 0 { 1 } else { PAGE });
        let ask = move |before| {
            let client = client.clone();
            async move { client.history(id, before, limit).await }
        };
        let mut backwards = Backwards::new(ask, room.head, first);
        let reading = backwards.read(count, &wanted);
        let read = tokio::select! {
            read = reading => read?,
            failure = link.events.pass_over() => return Err(failure),
        };
        if let Some(ending) = read {
            return Ok(ending);
        }
    }
    let name = &room.name;
    Err(Failure::timeout(format!("#{name}: the server's log begins another life again and again")))
}

/// A room that is being read; `ask` gets a page.
struct Backwards<A> {
    ask: A,
    /// Nothing before it is wanted.
    first: Seq,
    windows: FuturesOrdered<BoxFuture<'static, Result<Window, RequestError>>>,
    /// How many windows may be under way.
    ahead: usize,
    /// The windows that are under way, or have been read, go down to here.
    asked_to: Seq,
    /// Everything from here on is known.
    known_from: Seq,
    epoch: Option<Epoch>,
}

/// The pages of a window, newest first. There is at least one.
struct Window {
    pages: Vec<HistoryPage>,
}

impl<A, F> Backwards<A>
where
    A: Fn(Option<Seq>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Result<HistoryPage, RequestError>> + Send + 'static,
{
    fn new(ask: A, head: Seq, first: Seq) -> Self {
        Self {
            ask,
            first: first.max(Seq(1)),
            windows: FuturesOrdered::new(),
            ahead: 1,
            asked_to: head.next(),
            known_from: Seq(u64::MAX),
            epoch: None,
        }
    }

    /// The end of the room; `None` when its log began another life meanwhile.
    async fn read(
        &mut self,
        count: usize,
        wanted: &impl Fn(&Message) -> bool,
    ) -> Result<Option<Ending>, RequestError> {
        let mut ending = Ending::default();
        self.ask_newest(count);
        while let Some(window) = self.next().await? {
            for page in window.pages {
                let epoch = *self.epoch.get_or_insert_with(|| {
                    ending.behind = Position { epoch: page.epoch, seq: page.as_of };
                    page.epoch
                });
                if epoch != page.epoch {
                    return Ok(None);
                }
                self.take(page, &mut ending, count, wanted);
            }
            if self.known_from <= self.first || ending.messages.len() >= count {
                break;
            }
            self.ask_ahead();
        }
        ending.messages.reverse();
        ending.gaps.reverse();
        Ok(Some(ending))
    }

    /// Takes what a page brings that is not known yet. Pages come newest first.
    fn take(
        &mut self,
        page: HistoryPage,
        ending: &mut Ending,
        count: usize,
        wanted: &impl Fn(&Message) -> bool,
    ) {
        let range = self.first..self.known_from;
        let is_new = |seq: Seq| range.contains(&seq);
        let gaps = page.gaps.iter().filter(|gap| is_new(gap.from.max(self.first)));
        ending.gaps.extend(gaps.filter(|gap| gap.to >= self.first).cloned());
        debug_assert!(ending.messages.len() <= count, "no more are taken than are wanted");
        let missing = count - ending.messages.len();
        let oldest = if page.more { page.oldest() } else { None };
        let messages = page.messages.into_iter().rev();
        let messages = messages.filter(|said| is_new(said.seq) && wanted(said));
        ending.messages.extend(messages.take(missing));
        self.known_from = self.known_from.min(oldest.unwrap_or(Seq(0)));
    }

    /// Asks for the newest window, which is no longer than it must be.
    fn ask_newest(&mut self, count: usize) {
        let seqs = u64::try_from(count).unwrap_or(u64::MAX).clamp(1, PAGE.into());
        self.ask_down(None, seqs);
    }

    /// Asks for as many more windows as may be under way.
    fn ask_ahead(&mut self) {
        // What was brought along need not be asked for.
        self.asked_to = self.asked_to.min(self.known_from);
        while self.windows.len() < self.ahead && self.asked_to > self.first {
            self.ask_down(Some(self.asked_to), PAGE.into());
        }
        debug_assert!(self.windows.len() <= AHEAD_MAX, "the daemon lets no more be under way");
    }

    fn ask_down(&mut self, end: Option<Seq>, seqs: u64) {
        self.asked_to = Seq(self.asked_to.0.saturating_sub(seqs)).max(self.first);
        self.windows.push_back(Box::pin(window(self.ask.clone(), end, self.asked_to)));
    }

    /// The next window that brings something, in the order in which they were asked for.
    async fn next(&mut self) -> Result<Option<Window>, RequestError> {
        let asked_at = Instant::now();
        let Some(window) = self.windows.next().await.transpose()? else { return Ok(None) };
        self.ahead = match asked_at.elapsed() < SLOW {
            true => AHEAD_MAX.min(self.ahead * 2),
            false => 1,
        };
        Ok(Some(window))
    }
}

/// Reads the messages of `start..end`, and what older ones come along with the last page.
async fn window<A, F>(ask: A, end: Option<Seq>, start: Seq) -> Result<Window, RequestError>
where
    A: Fn(Option<Seq>) -> F,
    F: Future<Output = Result<HistoryPage, RequestError>>,
{
    let mut pages = Vec::new();
    let mut before = end;
    loop {
        let page = ask(before).await?;
        let is_older = |oldest: Seq| before.is_none_or(|before| oldest < before);
        debug_assert!(
            page.oldest().is_none_or(is_older),
            "the client sees to that, or it never ends"
        );
        before = page.oldest();
        let is_last = !page.more || before.is_none_or(|before| before <= start);
        pages.push(page);
        if is_last {
            return Ok(Window { pages });
        }
    }
}

#[cfg(test)]
#[path = "backwards_tests.rs"]
mod tests;
