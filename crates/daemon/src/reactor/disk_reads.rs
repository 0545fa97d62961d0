//! Pages of logs from disk: asked for without waiting, one at a time for a connection, and asked for
//! again after a second when one could not be read.

use chat_core::{Conn, DiskRead};

use super::Reactor;
use crate::mailbox::PageRead;

/// What could not be read.
#[derive(Debug, Default)]
pub(super) struct DiskReads {
    /// For whom. At most one for each connection.
    failed: Vec<(Conn, DiskRead)>,
}

impl DiskReads {
    fn fail(&mut self, conn: Conn, read: DiskRead) {
        self.failed.push((conn, read));
    }

    /// Takes out what is to be tried again.
    fn take_failed(&mut self) -> Vec<(Conn, DiskRead)> {
        std::mem::take(&mut self.failed)
    }
}

impl Reactor {
    /// Asks for a page, for the connection in a slot.
    pub(super) fn read_disk(&mut self, slot: u32, read: DiskRead) {
        let Some(connection) = self.slab.at(slot as usize) else { return };
        let (party, conn, bytes_max) =
            (connection.party(), connection.conn, connection.page_bytes());
        self.counts.pages += 1;
        self.shared.readers.read_events(party, conn, read, bytes_max);
    }

    pub(super) fn take_page(&mut self, page: PageRead) {
        let PageRead { conn, read, page } = page;
        let Some((slot, connection)) = self.slab.of(conn) else { return };
        match page {
            Ok(page) => {
                connection.take_page(read, page);
                self.queue.line_up_to_write(slot, connection);
            }
            // The reader has told the operator. It is tried again with the next tick.
            Err(_told) => self.disk_reads.fail(conn, read),
        }
    }

    /// A second has passed: what could not be read is tried again.
    pub(super) fn retry_disk_reads(&mut self) {
        for (conn, read) in self.disk_reads.take_failed() {
            if let Some((slot, connection)) = self.slab.of(conn) {
                connection.disk_failed(read.log);
                self.queue.line_up_to_write(slot, connection);
            }
        }
    }
}
