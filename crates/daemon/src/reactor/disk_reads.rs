//! Pages of logs from disk: asked for without waiting, one at a time for a connection, and asked for
//! again after a second when one could not be read.

use chat_core::Conn;
use chat_proto::LogId;

use super::Reactor;
use super::mailbox::PageRead;
use crate::reader::Job;

/// What could not be read.
#[derive(Debug, Default)]
pub(super) struct DiskReads {
    /// For whom, and which log. At most one for each connection.
    failed: Vec<(Conn, LogId)>,
}

impl DiskReads {
    fn fail(&mut self, conn: Conn, log: LogId) {
        self.failed.push((conn, log));
    }

    /// Takes out what is to be tried again.
    fn take_failed(&mut self) -> Vec<(Conn, LogId)> {
        std::mem::take(&mut self.failed)
    }
}

impl Reactor {
    /// Asks for a page, for the connection in a slot.
    pub(super) fn read_disk(&mut self, slot: u32, job: impl FnOnce(Conn) -> Job) {
        let Some(connection) = self.slab.at(slot as usize) else { return };
        self.shared.readers.read_events(connection.party(), job(connection.conn));
    }

    pub(super) fn take_page(&mut self, read: PageRead) {
        let PageRead { conn, log, after, page } = read;
        let Some((slot, connection)) = self.slab.of(conn) else { return };
        match page {
            Ok(page) => {
                connection.take_page(log, after, page);
                self.queue.line_up_to_write(slot, connection);
            }
            // The reader has told the operator. It is tried again with the next tick.
            Err(_told) => self.disk_reads.fail(conn, log),
        }
    }

    /// A second has passed: what could not be read is tried again.
    pub(super) fn retry_disk_reads(&mut self) {
        for (conn, log) in self.disk_reads.take_failed() {
            if let Some((slot, connection)) = self.slab.of(conn) {
                connection.disk_failed(log);
                self.queue.line_up_to_write(slot, connection);
            }
        }
    }
}
