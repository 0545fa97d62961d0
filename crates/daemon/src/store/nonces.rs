//! Where the events of a stream are: runs of consecutive `n`, one for what a commit brings, each
//! with the way from event to event. See the table `nonces`.

use rusqlite::{Connection, OptionalExtension, Result, params};

use super::row::{integer, unsigned};
use super::staged::{Decided, Sends};

/// The most of one run: so many steps are decoded to find an event.
const RUN_EVENTS_MAX: u64 = 1024;

/// Writes where the events of a stream are; `ids` has the id of each staged row.
pub(super) fn write(connection: &Connection, sends: &Sends, ids: &[u64]) -> Result<()> {
    let mut numbered = sends.decided.iter().zip(sends.first_n..).peekable();
    while let Some((decided, first_n)) = numbered.next() {
        let Decided::Posted(row) = *decided else { continue };
        let (first_id, mut last_n, mut steps) = (ids[row], first_n, Vec::new());
        let mut id = first_id;
        while last_n - first_n + 1 < RUN_EVENTS_MAX
            && let Some((Decided::Posted(row), n)) = numbered.peek()
        {
            put_step(&mut steps, ids[*row].cast_signed() - id.cast_signed());
            (id, last_n) = (ids[*row], *n);
            numbered.next();
        }
        connection
            .prepare_cached(
                "INSERT INTO nonces (stream, first_n, last_n, first_id, steps) \
                 VALUES (?, ?, ?, ?, ?)",
            )?
            .execute(params![
                sends.stream,
                integer(first_n),
                integer(last_n),
                integer(first_id),
                steps
            ])?;
    }
    Ok(())
}

/// The event of a send, if it led to one.
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
        id = id.wrapping_add_signed(step);
    }
    Some(id)
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
