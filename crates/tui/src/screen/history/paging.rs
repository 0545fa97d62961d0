//! Which pages of history are asked for, and how they are taken in.
//!
//! The server pages backwards only. The window therefore grows upwards page by page; when its
//! lower end was dropped, it grows downwards by pages that end a fixed number of seqs below it.

use chat_proto::Seq;
use chat_proto::limits::HISTORY_MESSAGES_MAX;

use super::{Anchor, Below, Bound, Entry, History, Place, Viewport};

/// Messages asked for at once.
const PAGE_MESSAGES: u16 = 128;
const _: () = assert!(PAGE_MESSAGES as usize <= HISTORY_MESSAGES_MAX, "a server sends no more");

/// Loaded entries above the view below which an older page is asked for.
const AHEAD_ENTRIES: usize = 96;

/// Which page is wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PageWanted {
    /// The newest page, with which the window begins.
    Newest,
    /// The one above the window.
    Older,
    /// The one below the window.
    Newer,
    /// The one around a message that the reader wants to see.
    Around,
}

/// A page of history to be asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PageRequest {
    /// Where the page is, as seen from the window.
    pub wanted: PageWanted,
    /// Only messages with a smaller seq.
    pub before: Seq,
    /// How many at the most.
    pub limit: u16,
    /// The life of the window that asks; an answer to an earlier one is not taken in.
    life: u32,
}

/// What is known of the pages above, and what is under way.
#[derive(Default, Debug)]
pub(super) struct Paging {
    /// Whether the newest page is here.
    loaded: bool,
    /// Whether the server has older messages than the window.
    pub(super) more_above: bool,
    /// The newest page must have been read at this head or later.
    must_reach: u64,
    /// The message that the reader wants to see, until its page is here.
    target: Option<u64>,
    under_way: bool,
    /// A page failed: nothing is asked for until something changes.
    failed: bool,
    life: u32,
    /// The later part of a page downwards that came in pieces.
    stash: Vec<Entry>,
    /// Where the next piece of it ends.
    stash_before: Option<(u64, u64)>,
}

impl Paging {
    /// A message of a page that is not whole yet.
    pub(super) fn stashed(&mut self, place: Place) -> Option<&mut Entry> {
        self.stash.iter_mut().find(|entry| entry.place == place)
    }

    /// All messages of such a page.
    pub(super) fn stashed_messages(&mut self) -> impl Iterator<Item = &mut Entry> {
        self.stash.iter_mut()
    }

    pub(super) fn is_loaded(&self) -> bool {
        self.loaded
    }

    /// Whether the reader goes to a message, and nothing around it is here yet.
    pub(super) fn awaits_target(&self) -> bool {
        self.target.is_some()
    }
}

impl History {
    /// Says that every event after `head` comes by itself.
    pub fn follow_from(&mut self, head: Seq) {
        self.head = self.head.max(head.0);
        if !self.paging.loaded {
            self.paging.must_reach = self.paging.must_reach.max(head.0);
        }
        self.place_at_head(head.0);
    }

    /// Forgets what is logged, because the log may have lost its end, which is at `head` now. What
    /// only the screen has stays.
    pub fn restart(&mut self, head: Seq) {
        self.unload(true);
        self.move_locals(|seq| seq.min(head.0));
        self.head = head.0;
        self.divider = None;
        self.reload();
    }

    /// Goes to the end. `online`: whether the server can be asked for what was dropped there.
    pub fn scroll_to_bottom(&mut self, online: bool) {
        self.anchor = Anchor::Bottom;
        if online && self.below != Below::Attached {
            self.unload(true);
            self.reload();
            self.paging.must_reach = self.head;
        }
    }

    /// Goes to the first message from a seq on: it comes with the next page.
    pub fn go_to(&mut self, target: Seq) {
        self.unload(false);
        self.reload();
        let target = target.0.max(1);
        self.below = Below::Detached { messages: 0, loaded_to: target - 1 };
        (self.paging.loaded, self.paging.target) = (true, Some(target));
        self.divider = None;
    }

    /// Whether the server has messages above the first that is loaded.
    #[must_use]
    pub fn has_more_above(&self) -> bool {
        self.paging.more_above
    }

    fn reload(&mut self) {
        self.anchor = Anchor::Bottom;
        self.below = Below::Attached;
        self.paging = Paging { life: self.paging.life + 1, ..Paging::default() };
    }

    /// Lets failed pages be asked for again.
    pub fn retry_pages(&mut self) {
        self.paging.failed = false;
    }

    /// The connection is gone, and every answer with it.
    pub fn abandon_pages(&mut self) {
        self.paging.under_way = false;
        self.paging.failed = false;
        self.paging.life += 1;
    }

    /// The page that should be asked for now, if any. It counts as under way from here on.
    pub fn wanted_page(&mut self, viewport: Viewport) -> Option<PageRequest> {
        if self.paging.under_way || self.paging.failed {
            return None;
        }
        let (wanted, before, limit) = self.wanted(viewport)?;
        self.paging.under_way = true;
        Some(PageRequest { wanted, before: Seq(before), limit, life: self.paging.life })
    }

    fn wanted(&self, viewport: Viewport) -> Option<(PageWanted, u64, u16)> {
        if !self.paging.loaded {
            return Some((PageWanted::Newest, u64::MAX, PAGE_MESSAGES));
        }
        if let Some(target) = self.paging.target {
            let before = target.saturating_add(u64::from(PAGE_MESSAGES / 2));
            return Some((PageWanted::Around, before, PAGE_MESSAGES));
        }
        let first_visible = match self.anchor {
            Anchor::Bottom => self.entries.len().saturating_sub(viewport.rows),
            Anchor::Line { place, .. } => self.index_near(place),
        };
        if first_visible < AHEAD_ENTRIES && self.paging.more_above {
            let before = self.first_logged().unwrap_or(u64::MAX);
            return Some((PageWanted::Older, before, PAGE_MESSAGES));
        }
        let Below::Detached { loaded_to, .. } = self.below else {
            return None;
        };
        let ahead = self.entries.len() - first_visible.min(self.entries.len());
        if ahead > AHEAD_ENTRIES + viewport.rows {
            return None;
        }
        // One more than fits between: the last of a whole page is one that is here already.
        let end = self.paging.stash_before.map(|(before, _target)| before);
        let before = end.unwrap_or(loaded_to.saturating_add(u64::from(PAGE_MESSAGES)));
        Some((PageWanted::Newer, before, PAGE_MESSAGES))
    }

    pub(super) fn first_logged(&self) -> Option<u64> {
        self.entries.iter().find_map(|entry| entry.place.logged()).map(|seq| seq.0)
    }

    /// Takes in a page: its messages in rising order, the head it was read at, and whether there
    /// are older ones.
    pub fn page(&mut self, request: PageRequest, messages: Vec<Entry>, as_of: Seq, more: bool) {
        if request.life != self.paging.life {
            return;
        }
        debug_assert!(self.paging.under_way, "a page of this life was asked for");
        self.paging.under_way = false;
        self.head = self.head.max(as_of.0);
        match request.wanted {
            PageWanted::Newest => self.newest_page(messages, as_of, more),
            PageWanted::Older => self.older_page(messages, more),
            PageWanted::Newer => self.newer_page(request, messages, as_of, more),
            PageWanted::Around => self.page_around(request, messages, as_of, more),
        }
        if self.paging.loaded {
            self.bring_back();
        }
        self.trim(Bound::OPEN);
    }

    /// A page could not be had.
    pub fn page_failed(&mut self, request: PageRequest) {
        if request.life == self.paging.life {
            self.paging.under_way = false;
            self.paging.failed = true;
        }
    }

    fn newest_page(&mut self, messages: Vec<Entry>, as_of: Seq, more: bool) {
        if as_of.0 < self.paging.must_reach {
            return; // Read before what was heard of since: ask again.
        }
        self.paging.loaded = true;
        self.paging.more_above = more;
        // Between an older entry and the page there may be a hole; the next page fills it.
        let first = if more { messages.first().map_or(0, |entry| entry.place.seq) } else { 0 };
        let above = self.entries.partition_point(|entry| entry.place.seq < first);
        let above: Vec<Entry> = self.entries.drain(0..above).collect();
        self.keep_aside(above);
        self.insert_all(messages);
    }

    fn older_page(&mut self, messages: Vec<Entry>, more: bool) {
        self.paging.more_above = more;
        self.insert_all(messages);
    }

    fn page_around(&mut self, request: PageRequest, page: Vec<Entry>, as_of: Seq, more: bool) {
        let Some(target) = self.paging.target.take() else {
            return;
        };
        self.paging.more_above = more;
        debug_assert!(
            request.before.0 > 0,
            "nothing is before the first, so that is not asked for"
        );
        let loaded_to = (request.before.0 - 1).min(as_of.0);
        self.below = match self.head.checked_sub(loaded_to) {
            None | Some(0) => Below::Attached,
            Some(events) => {
                let messages = usize::try_from(events).unwrap_or(usize::MAX);
                Below::Detached { messages, loaded_to }
            }
        };
        let places: Vec<Place> = page.iter().map(|entry| entry.place).collect();
        let wanted = places.iter().find(|place| place.seq >= target).or(places.last());
        if let Some(place) = wanted {
            self.anchor = Anchor::Line { place: *place, byte: 0, row: 2 };
        }
        self.insert_all(page);
    }

    fn newer_page(&mut self, request: PageRequest, page: Vec<Entry>, as_of: Seq, more: bool) {
        let Below::Detached { messages, loaded_to } = self.below else {
            return;
        };
        let target = self.paging.stash_before.map_or(request.before.0, |(_before, target)| target);
        let first = page.first().map_or(0, |entry| entry.place.seq);
        let has_hole = more && first > loaded_to.saturating_add(1);
        self.paging.stash.extend(page.into_iter().filter(|entry| entry.place.seq > loaded_to));
        if has_hole {
            self.paging.stash_before = Some((first, target));
            return;
        }
        self.paging.stash_before = None;
        let stash = std::mem::take(&mut self.paging.stash);
        let messages = messages.saturating_sub(stash.len());
        debug_assert!(target > loaded_to, "the page ends below the window");
        let loaded_to = (target - 1).min(as_of.0).max(loaded_to);
        let reached = target > as_of.0 && as_of.0 >= self.head;
        self.below = match reached {
            true => Below::Attached,
            false => Below::Detached { messages, loaded_to },
        };
        self.insert_all(stash);
    }

    fn insert_all(&mut self, entries: Vec<Entry>) {
        for entry in entries {
            self.insert(entry);
        }
    }
}
