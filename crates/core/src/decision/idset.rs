//! Small sets of ids. A room of ten costs eighty bytes, and its members come in order.

/// Ids, rising. They come in any order but at the start: adding one to a set of a hundred thousand
/// moves half of its 800 kB, which takes microseconds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct IdSet<Id> {
    ids: Vec<Id>,
}

impl<Id> Default for IdSet<Id> {
    fn default() -> Self {
        Self { ids: Vec::new() }
    }
}

impl<Id: Copy + Ord> IdSet<Id> {
    /// Adds an id.
    pub(crate) fn insert(&mut self, id: Id) {
        if let Err(at) = self.ids.binary_search(&id) {
            if self.ids.len() == self.ids.capacity() {
                // A quarter more: doubling would leave half of a large room's memory empty.
                self.ids.reserve_exact((self.ids.len() / 4).max(4));
            }
            self.ids.insert(at, id);
        }
    }

    /// Takes an id out.
    pub(crate) fn remove(&mut self, id: Id) {
        if let Ok(at) = self.ids.binary_search(&id) {
            self.ids.remove(at);
            if self.ids.len() < self.ids.capacity() / 4 {
                self.ids.shrink_to(self.ids.len() + self.ids.len() / 4);
            }
        }
    }

    pub(crate) fn contains(&self, id: Id) -> bool {
        self.ids.binary_search(&id).is_ok()
    }

    pub(crate) fn len(&self) -> usize {
        self.ids.len()
    }

    /// All of them, rising.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Id> {
        self.ids.iter().copied()
    }

    /// Those greater than `id`, rising.
    pub(crate) fn after(&self, id: Id) -> impl Iterator<Item = Id> {
        let begin = self.ids.partition_point(|held| *held <= id);
        self.ids[begin..].iter().copied()
    }

    /// Gives back memory that is of no use: after everything was read at the start.
    pub(crate) fn shrink(&mut self) {
        self.ids.shrink_to_fit();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_that_becomes_small_gives_its_memory_back() {
        let mut set = IdSet::default();
        (0..10_000_u64).for_each(|id| set.insert(id));
        (10..10_000).for_each(|id| set.remove(id));
        assert!(set.ids.capacity() <= 48 && set.iter().eq(0..10), "{}", set.ids.capacity());
        (0..10).for_each(|id| set.remove(id));
        assert!(set.ids.capacity() <= 4, "{}", set.ids.capacity());
    }

    #[test]
    fn a_set_of_ids_is_a_set_in_order() {
        let mut set = IdSet::default();
        let mut model = std::collections::BTreeSet::new();
        for step in 0..1000_u64 {
            let id = step * 7919 % 97;
            if step % 3 == 0 {
                set.remove(id);
                model.remove(&id);
            } else {
                set.insert(id);
                model.insert(id);
            }
            assert_eq!(set.len(), model.len());
            assert_eq!(set.contains(id), model.contains(&id));
        }
        assert!(set.iter().eq(model.iter().copied()));
        assert!(set.after(40).eq(model.range(41..).copied()));
    }
}
