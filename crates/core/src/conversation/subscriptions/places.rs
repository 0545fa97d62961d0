//! The open cursors of a connection, found by log.
//!
//! Most connections follow one log or two, some a thousand. A few lie together, which is small; many are
//! in a table, where finding one costs the same however many there are. It must not know whose turn it is.

use chat_proto::LogId;
use rustc_hash::FxHashMap;

use super::Place;

/// Up to here they lie together.
const FEW_MAX: usize = 16;

#[derive(Debug)]
pub(super) enum Places<H> {
    /// Rising by log: found by halving.
    Few(Vec<Place<H>>),
    /// It does not become few again: who follows many will soon follow many again. In a box: those who
    /// follow few have no room for it.
    Many(Box<FxHashMap<LogId, Place<H>>>),
}

impl<H> Default for Places<H> {
    fn default() -> Self {
        Self::Few(Vec::new())
    }
}

impl<H> Places<H> {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Few(few) => few.len(),
            Self::Many(many) => many.len(),
        }
    }

    pub(super) fn get(&self, log: LogId) -> Option<&Place<H>> {
        match self {
            Self::Few(few) => find(few, log).ok().map(|at| &few[at]),
            Self::Many(many) => many.get(&log),
        }
    }

    pub(super) fn get_mut(&mut self, log: LogId) -> Option<&mut Place<H>> {
        match self {
            Self::Few(few) => find(few, log).ok().map(|at| &mut few[at]),
            Self::Many(many) => many.get_mut(&log),
        }
    }

    /// Puts one in for a log that has none.
    pub(super) fn insert(&mut self, log: LogId, place: Place<H>) {
        debug_assert!(self.get(log).is_none(), "log {log} has a cursor already");
        if let Self::Few(few) = self
            && few.len() == FEW_MAX
        {
            let many = few.drain(..).map(|place| (place.log, place)).collect();
            *self = Self::Many(Box::new(many));
        }
        match self {
            Self::Few(few) => {
                if few.is_empty() {
                    // Most connections follow one log or two.
                    few.reserve_exact(1);
                }
                let at = find(few, log).unwrap_or_else(|at| at);
                few.insert(at, place);
            }
            Self::Many(many) => {
                many.insert(log, place);
            }
        }
    }

    pub(super) fn remove(&mut self, log: LogId) -> Option<Place<H>> {
        match self {
            Self::Few(few) => find(few, log).ok().map(|at| few.remove(at)),
            Self::Many(many) => many.remove(&log),
        }
    }

    pub(super) fn logs(&self) -> impl Iterator<Item = LogId> {
        let (few, many) = match self {
            Self::Few(few) => (Some(few.iter().map(|place| place.log)), None),
            Self::Many(many) => (None, Some(many.keys().copied())),
        };
        few.into_iter().flatten().chain(many.into_iter().flatten())
    }
}

fn find<H>(few: &[Place<H>], log: LogId) -> Result<usize, usize> {
    few.binary_search_by_key(&log, |place| place.log)
}
