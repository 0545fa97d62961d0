//! Where the events of a stream are: runs of consecutive `n`, each with the way from event to
//! event. See the table `nonces`.

use rusqlite::{Connection, OptionalExtension, Result, params};

use crate::store::row::{integer, unsigned};

/// The most of one run: so many steps are decoded to find an event.
const RUN_EVENTS_MAX: u64 = 1024;

/// A row of the table `nonces` that grows.
#[derive(Debug)]
pub(super) struct NonceRun {
    first_n: u64,
    last_n: u64,
    first_id: u64,
    last_id: u64,
    steps: Vec<u8>,
}

impl NonceRun {
    pub(super) fn begin(n: u64, id: u64) -> Self {
        Self { first_n: n, last_n: n, first_id: id, last_id: id, steps: Vec::new() }
    }

    /// Takes the next message. Not where a refusal, or nothing, lies in between, or it is too long.
    pub(super) fn push(&mut self, n: u64, id: u64) -> bool {
        debug_assert!(n > self.last_n, "a send is decided once: {n} behind {}", self.last_n);
        let goes_on = n == self.last_n + 1 && n - self.first_n < RUN_EVENTS_MAX;
        if goes_on {
            put_step(&mut self.steps, id.cast_signed() - self.last_id.cast_signed());
            (self.last_n, self.last_id) = (n, id);
        }
        goes_on
    }

    pub(super) fn first_n(&self) -> u64 {
        self.first_n
    }

    pub(super) fn last_n(&self) -> u64 {
        self.last_n
    }

    /// The event of a send that is not before the run.
    pub(super) fn find(&self, n: u64) -> Option<u64> {
        debug_assert!(n >= self.first_n, "it is in a run before");
        if n > self.last_n {
            return None;
        }
        follow(self.first_id, &self.steps, n - self.first_n)
    }

    /// Writes it to the table.
    pub(super) fn write(&self, connection: &Connection, stream: i64) -> Result<()> {
        connection
            .prepare_cached(
                "INSERT INTO nonces (stream, first_n, last_n, first_id, steps) \
                 VALUES (?, ?, ?, ?, ?)",
            )?
            .execute(params![
                stream,
                integer(self.first_n),
                integer(self.last_n),
                integer(self.first_id),
                self.steps
            ])
            .map(drop)
    }
}

/// The event of a send, if the table has it.
pub(super) fn find(connection: &Connection, stream: i64, n: u64) -> Result<Option<u64>> {
    connection
        .prepare_cached(
            "SELECT first_n, last_n, first_id, steps FROM nonces \
             WHERE stream = ? AND first_n <= ? ORDER BY first_n DESC LIMIT 1",
        )?
        .query_row([stream, integer(n)], |row| {
            let (first_n, last_n) = (unsigned(row.get(0)?), unsigned(row.get(1)?));
            if n > last_n {
                return Ok(None);
            }
            let id = follow(unsigned(row.get(2)?), row.get_ref(3)?.as_blob()?, n - first_n);
            Ok(id)
        })
        .optional()
        .map(Option::flatten)
}

/// Shows the events of a stream's runs that the table has, those of each run as they came, the newest run
/// first, until `visit` has seen enough.
pub(in crate::store) fn visit_newest_first(
    connection: &Connection,
    stream: i64,
    mut visit: impl FnMut(&[u64]) -> Result<bool>,
) -> Result<()> {
    let mut statement = connection.prepare_cached(
        "SELECT first_id, steps, last_n - first_n FROM nonces WHERE stream = ? ORDER BY first_n DESC",
    )?;
    let mut rows = statement.query([stream])?;
    while let Some(row) = rows.next()? {
        let (first_id, steps) = (unsigned(row.get(0)?), row.get_ref(1)?.as_blob()?);
        let mut steps = steps.iter();
        let mut ids = vec![first_id];
        for _ in 0..unsigned(row.get(2)?).min(RUN_EVENTS_MAX) {
            let Some(id) = ids.last().and_then(|last| step(*last, &mut steps)) else { break };
            ids.push(id);
        }
        if !visit(&ids)? {
            break;
        }
    }
    Ok(())
}

fn put_step(steps: &mut Vec<u8>, step: i64) {
    let mut left = ((step << 1) ^ (step >> 63)).cast_unsigned();
    while left >= 0x80 {
        steps.push(left.to_le_bytes()[0] | 0x80);
        left >>= 7;
    }
    steps.push(left.to_le_bytes()[0]);
}

/// The id so many steps behind the first; `None` when there are fewer.
fn follow(first_id: u64, steps: &[u8], count: u64) -> Option<u64> {
    let (mut id, mut bytes) = (first_id, steps.iter());
    for _ in 0..count {
        id = step(id, &mut bytes)?;
    }
    Some(id)
}

/// The id behind one; `None` when there is none.
fn step(id: u64, bytes: &mut std::slice::Iter<'_, u8>) -> Option<u64> {
    let (mut zigzag, mut shift) = (0_u64, 0);
    loop {
        let byte = *bytes.next()?;
        zigzag |= u64::from(byte & 0x7F).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            break;
        }
        shift += 7;
    }
    let step = (zigzag >> 1).cast_signed() ^ -(zigzag & 1).cast_signed();
    Some(id.wrapping_add_signed(step))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_lead_where_they_were_put() {
        let ids = [500, 501, 503, 400, 70_000, 1, u64::MAX >> 2, 2];
        let mut steps = Vec::new();
        for pair in ids.windows(2) {
            put_step(&mut steps, pair[1].cast_signed() - pair[0].cast_signed());
        }
        for (count, id) in (0..).zip(ids) {
            assert_eq!(follow(ids[0], &steps, count), Some(id));
        }
        assert_eq!(follow(ids[0], &steps, 8), None, "there are no more");
        assert_eq!(follow(ids[0], &[0xFF; 40], 1), None, "a step that never ends");
    }
}
