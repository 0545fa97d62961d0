//! Where the events of one log are, for one read beside the writer.

use chat_proto::{LogId, Seq};
use rusqlite::{Connection, Result, Transaction};

use super::blocks::{Block, block_before};

/// The index of a log as of one moment: what the tables did not say just before, and the tables as
/// the read transaction sees them. Where both know an event, either is right.
#[derive(Debug)]
pub(in crate::store) struct LogIndex<'a> {
    log: LogId,
    unflushed: Vec<Block>,
    moment: Transaction<'a>,
}

impl<'a> LogIndex<'a> {
    /// Begins the read transaction. `unflushed` was taken before, or a flush in between would hide
    /// events from both.
    pub(in crate::store) fn begin(
        connection: &'a Connection,
        log: LogId,
        unflushed: Vec<Block>,
    ) -> Result<Self> {
        debug_assert!(
            unflushed.windows(2).all(|two| two[0].last_seq().next() == Seq(two[1].first_seq)),
            "the overlay has no hole: {unflushed:?}"
        );
        Ok(Self { log, unflushed, moment: connection.unchecked_transaction()? })
    }

    /// Whose index it is.
    pub(in crate::store) fn log(&self) -> LogId {
        self.log
    }

    /// The tables of its moment, those of the events among them.
    pub(in crate::store) fn tables(&self) -> &Connection {
        &self.moment
    }

    /// What the tables did not say, rising.
    pub(in crate::store) fn unflushed(&self) -> &[Block] {
        &self.unflushed
    }

    /// The block in the tables that holds a place, or else the last one before it.
    pub(in crate::store) fn flushed_block_at(&self, place: Seq) -> Result<Option<Block>> {
        block_before(&self.moment, self.log, place)
    }

    /// The block that holds a place, or else the last one before it.
    pub(in crate::store) fn block_at(&self, place: Seq) -> Result<Option<Block>> {
        let behind = self.unflushed.partition_point(|block| block.first_seq <= place.0);
        match self.unflushed[..behind].last() {
            Some(block) if block.last_seq() >= place => Ok(Some(*block)),
            before => {
                // The tables may have got what the overlay had, and more of it.
                let flushed = self.flushed_block_at(place)?;
                Ok(flushed.into_iter().chain(before.copied()).max_by_key(Block::last_seq))
            }
        }
    }

    /// The id of an event; `None` where no block has it, which a damaged row of `blocks` looks like.
    pub(in crate::store) fn locate(&self, seq: Seq) -> Result<Option<u64>> {
        let block = self.block_at(seq)?;
        Ok(block.filter(|block| block.holds(seq)).map(|block| block.id_of(seq)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_block_at_a_place_is_found_whoever_has_it() {
        let table = Connection::open_in_memory().unwrap();
        table.execute_batch(include_str!("../schema.sql")).unwrap();
        let block =
            |first_seq, first_id, events| Block { first_seq, first_id, events, last_post: 0 };
        let log = LogId(1);
        block(1, 1, 10).write(&table, log).unwrap();
        block(11, 30, 20).write(&table, log).unwrap();
        let old = vec![block(11, 30, 20), block(31, 60, 5), block(36, 80, 5)];
        let first = |place| {
            let index = LogIndex::begin(&table, log, old.clone()).unwrap();
            let found = index.block_at(Seq(place)).unwrap();
            found.map(|block| block.first_seq)
        };
        for (place, expected) in [(0, None), (1, Some(1)), (10, Some(1)), (11, Some(11))] {
            assert_eq!(first(place), expected, "{place}");
        }
        for (place, expected) in [(12, 11), (30, 11), (31, 31), (36, 36), (90, 36)] {
            assert_eq!(first(place), Some(expected), "{place}");
        }
        block(31, 60, 10).write(&table, log).unwrap();
        block(41, 90, 10).write(&table, log).unwrap();
        assert_eq!(first(45), Some(41), "the table has gone on");
        let grown = LogIndex::begin(&table, log, vec![block(11, 30, 5)]).unwrap();
        assert_eq!(grown.locate(Seq(30)).unwrap(), Some(49), "the table has its block with more");
        drop(grown);
        let index = LogIndex::begin(&table, log, old).unwrap();
        let ids = [5, 12, 38, 50, 51].map(|seq| index.locate(Seq(seq)).unwrap());
        assert_eq!(ids, [Some(5), Some(31), Some(82), Some(99), None]);
    }
}
