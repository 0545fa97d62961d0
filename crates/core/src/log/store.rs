//! What the pipeline asks of a store. The daemon implements it with SQLite, the simulator with a disk
//! that fails on purpose; one conformance suite holds both to it.
//!
//! It must not know what the records say, nor who is told of them.

use crate::{Lookup, Record, Snapshot, StoreError};

/// A log with transactions. The contract, in order:
///
/// * [`Store::append`] puts a record into the open transaction, opening one when there is none.
///   Lookups see it at once; nobody else does.
/// * [`Store::commit`] makes all of it durable, or fails. After it returned `Ok`, the records
///   survive the death of the process and of the machine.
/// * [`Store::begin_commit`] may leave that to be done beside the caller, who goes on with the next
///   transaction. Lookups see both; nobody else sees either. There is one under way at the most, and
///   its outcome is asked for before another is begun.
/// * After any error the caller calls [`Store::recover`] before anything else: the open transaction
///   is gone, as is the one under way, or that has become durable after all; the snapshot tells which.
pub trait Store: Lookup {
    /// Puts a record into the open transaction.
    ///
    /// # Errors
    /// [`StoreError`]; the transaction is then lost.
    fn append(&mut self, record: Record<'_>) -> Result<(), StoreError>;

    /// Makes the open transaction durable. Without one, there is nothing to lose; the store may do
    /// work of its own that it has put off. Whoever owns it calls each second.
    ///
    /// # Errors
    /// [`StoreError`]; whether the records are durable is then unknown until [`Store::recover`].
    fn commit(&mut self) -> Result<(), StoreError>;

    /// Begins to make the open transaction durable. The next records make up another one. A store
    /// that does nothing beside the caller makes it durable at once.
    ///
    /// # Errors
    /// As [`Store::commit`].
    fn begin_commit(&mut self) -> Result<Begun, StoreError> {
        self.commit().map(|()| Begun::Durable)
    }

    /// The outcome of the commit under way, which is told once; `None` while there is none yet.
    fn poll_commit(&mut self) -> Option<Result<(), StoreError>> {
        None
    }

    /// Waits for the outcome of the commit under way, which is told once. Without one, it is good.
    ///
    /// # Errors
    /// As [`Store::commit`]; the open transaction, which was built on it, is then lost too.
    fn finish_commit(&mut self) -> Result<(), StoreError> {
        Ok(())
    }

    /// Abandons the open transaction, reopens what needs it, proves with a durable write that the
    /// store takes writes again, and reads the hot state back.
    ///
    /// # Errors
    /// [`StoreError`] while the store does not take writes or cannot be read.
    fn recover(&mut self) -> Result<Snapshot, StoreError>;

    /// Abandons the open transaction and reads the hot state back, whether or not the store takes
    /// writes: after a failed commit reads must go on.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    fn roll_back(&mut self) -> Result<Snapshot, StoreError>;
}

/// How far a commit that was begun has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Begun {
    /// It is done.
    Durable,
    /// The outcome is still to come.
    UnderWay,
}
