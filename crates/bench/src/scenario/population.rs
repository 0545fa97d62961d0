//! A server with many people: accounts, rooms, and who is in which.

use std::sync::Arc;

use anyhow::Result;

use super::Bench;
use super::connecting::leave;
use crate::native::{ConnectPlan, Key};
use crate::target::{ROOM, Server, connect_all};

/// There is a room for so many people, beside the one where everybody is.
const PEOPLE_PER_ROOM: usize = 100;

/// How many of those rooms each is in: a room has three hundred members.
const ROOMS_PER_PERSON: usize = 3;

/// How many are connected at a time.
const PARTY: usize = 2000;

/// Signs so many up: each is in the room of all and in three others, and leaves without following.
pub(super) fn populate(server: &Server, people: usize, bench: &Bench<'_>) -> Result<()> {
    let rooms = (people / PEOPLE_PER_ROOM).max(ROOMS_PER_PERSON);
    for first in (1..=people).step_by(PARTY) {
        let party = first..=people.min(first + PARTY - 1);
        let plans = party.map(|number| ConnectPlan {
            key: Arc::new(Key::numbered(number as u64)),
            joins: rooms_of(number, rooms),
            follow: None,
        });
        leave(connect_all(server.address, plans.collect())?)?;
        (bench.say)(format!("{} of {people} have signed up", first - 1));
    }
    Ok(())
}

/// The names of somebody's rooms: neighbours by number share one room, and hardly any other.
fn rooms_of(number: usize, rooms: usize) -> Vec<String> {
    let others = (0..ROOMS_PER_PERSON).map(|turn| {
        let room = (number / PEOPLE_PER_ROOM + turn * (number % PEOPLE_PER_ROOM + 1)) % rooms;
        format!("room-{room}")
    });
    [ROOM.to_owned()].into_iter().chain(others).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use super::*;

    #[test]
    fn everybody_is_in_some_rooms_and_all_rooms_are_about_as_large() {
        let mut members: HashMap<String, usize> = HashMap::new();
        for number in 1..=10_000 {
            let rooms = rooms_of(number, 100);
            let apart: HashSet<&String> = rooms.iter().collect();
            assert!(apart.len() >= 2 && rooms[0] == ROOM, "{number}: {rooms:?}");
            for room in apart {
                *members.entry(room.clone()).or_default() += 1;
            }
        }
        assert_eq!(members.remove(ROOM), Some(10_000));
        assert_eq!(members.len(), 100);
        assert!(members.values().all(|count| (200..400).contains(count)), "{members:?}");
    }
}
