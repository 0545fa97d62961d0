//! Readiness of many sockets, by one epoll instance.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::io::Errno;
use rustix::time::Timespec;

/// Events taken in one call.
const EVENTS_MAX: usize = 1024;

/// What is waited for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Interest {
    Read,
    ReadAndWrite,
}

/// Something can be done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Ready {
    /// The number that the socket was given.
    pub(crate) token: usize,
    /// There is something to read, or the end of it.
    pub(crate) to_read: bool,
    /// There is room to write.
    pub(crate) to_write: bool,
}

/// The sockets that are watched. One that is closed is watched no more.
pub(crate) struct Poll {
    epoll: OwnedFd,
    events: Vec<Event>,
}

impl Poll {
    pub(crate) fn new() -> io::Result<Self> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        Ok(Self { epoll, events: Vec::with_capacity(EVENTS_MAX) })
    }

    /// Watches a socket under a number.
    pub(crate) fn watch(&self, fd: impl AsFd, token: usize, interest: Interest) -> io::Result<()> {
        Ok(epoll::add(&self.epoll, fd, EventData::new_u64(token as u64), flags(interest))?)
    }

    /// Watches for something else.
    pub(crate) fn rewatch(
        &self,
        fd: impl AsFd,
        token: usize,
        interest: Interest,
    ) -> io::Result<()> {
        Ok(epoll::modify(&self.epoll, fd, EventData::new_u64(token as u64), flags(interest))?)
    }

    /// Watches no more.
    pub(crate) fn forget(&self, fd: impl AsFd) -> io::Result<()> {
        Ok(epoll::delete(&self.epoll, fd)?)
    }

    /// Waits until something can be done, at most so long; puts it into `ready`.
    pub(crate) fn wait(&mut self, at_most: Duration, ready: &mut Vec<Ready>) -> io::Result<()> {
        self.events.clear();
        ready.clear();
        let timeout = Timespec {
            tv_sec: i64::try_from(at_most.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(at_most.subsec_nanos()),
        };
        let room = rustix::buffer::spare_capacity(&mut self.events);
        match epoll::wait(&self.epoll, room, Some(&timeout)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        ready.extend(self.events.iter().map(readiness));
        Ok(())
    }
}

fn flags(interest: Interest) -> EventFlags {
    match interest {
        Interest::Read => EventFlags::IN,
        Interest::ReadAndWrite => EventFlags::IN | EventFlags::OUT,
    }
}

fn readiness(event: &Event) -> Ready {
    let (flags, data) = (event.flags, event.data);
    let ended = EventFlags::HUP | EventFlags::ERR;
    Ready {
        token: usize::try_from(data.u64()).unwrap_or(usize::MAX),
        to_read: flags.intersects(EventFlags::IN | ended),
        to_write: flags.intersects(EventFlags::OUT | ended),
    }
}
