use std::sync::Arc;
use std::task::Waker;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::time::{Duration, timeout};

use super::*;
use crate::ready_list::{ReadyList, slot_waker};
use crate::wait::for_next_pass;

/// Longer than anything here takes.
const LONG: Duration = Duration::from_secs(60);

/// A socket in a slot, its list, and its peer.
struct Slot {
    ours: Socket,
    waker: Waker,
    list: Arc<ReadyList>,
    theirs: UnixStream,
}

impl Slot {
    fn new() -> Self {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let list = Arc::default();
        Self { ours: Socket::Unix(ours), waker: slot_waker(&list, 5), list, theirs }
    }

    fn read(&mut self, into: &mut [u8]) -> Option<usize> {
        match self.ours.poll_read(&mut Context::from_waker(&self.waker), into) {
            Poll::Ready(read) => Some(read.unwrap()),
            Poll::Pending => None,
        }
    }

    fn is_readable(&self) -> bool {
        self.ours.is_readable(&mut Context::from_waker(&self.waker))
    }

    fn was_full(&self) -> bool {
        self.ours.was_full(&mut Context::from_waker(&self.waker))
    }

    fn is_writable(&self) -> bool {
        self.ours.is_writable(&mut Context::from_waker(&self.waker))
    }

    /// Waits until the slot is on the list.
    async fn on_the_list(&self) {
        let mut timer = std::pin::pin!(tokio::time::sleep(LONG));
        let mut slots = Vec::new();
        let listed = async {
            while slots != [5] {
                for_next_pass(&self.list, timer.as_mut(), None).await;
                self.list.take(&mut slots);
            }
        };
        timeout(LONG, listed).await.expect("nobody woke it");
    }
}

#[tokio::test]
async fn a_read_that_is_short_waits_for_what_comes_next() {
    let mut slot = Slot::new();
    assert_eq!(slot.read(&mut [0; 8]), None, "nothing has come");
    for _ in 0..3 {
        slot.theirs.write_all(b"abc").await.unwrap();
        slot.on_the_list().await;
        assert_eq!(slot.read(&mut [0; 8]), Some(3));
        assert!(!slot.is_readable(), "a short read has taken everything");
    }
}

#[tokio::test]
async fn a_read_that_fills_its_room_is_not_the_last() {
    let mut slot = Slot::new();
    assert_eq!(slot.read(&mut [0; 8]), None);
    slot.theirs.write_all(b"abcdef").await.unwrap();
    slot.on_the_list().await;
    assert_eq!(slot.read(&mut [0; 4]), Some(4));
    assert!(slot.is_readable());
    assert_eq!(slot.read(&mut [0; 4]), Some(2));
    assert!(!slot.is_readable());
}

#[tokio::test]
async fn the_end_of_the_stream_is_seen_behind_the_last_bytes() {
    let mut slot = Slot::new();
    assert_eq!(slot.read(&mut [0; 8]), None);
    slot.theirs.write_all(b"last").await.unwrap();
    slot.theirs.shutdown().await.unwrap();
    slot.on_the_list().await;
    assert_eq!(slot.read(&mut [0; 8]), Some(4));
    assert!(slot.is_readable(), "nothing more would wake it");
    assert_eq!(slot.read(&mut [0; 8]), Some(0));
}

#[tokio::test]
async fn a_full_socket_waits_until_its_peer_has_read() {
    const MORE_THAN_FITS: usize = 8 * 1024 * 1024;
    let mut slot = Slot::new();
    let bytes = vec![7; MORE_THAN_FITS];
    for _ in 0..3 {
        let mut taken = 0;
        loop {
            let now = slot.ours.write(&[&bytes[taken..]].into_iter()).unwrap();
            taken += now;
            if now == 0 {
                break;
            }
        }
        assert!(!slot.was_full(), "the peer has not read");
        slot.theirs.read_exact(&mut vec![0; taken]).await.unwrap();
        slot.on_the_list().await;
        assert!(slot.is_writable());
    }
}

#[tokio::test]
async fn a_socket_moves_to_another_list_without_losing_what_has_come() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut peer = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let ours = Socket::Tcp(listener.accept().await.unwrap().0);
    peer.write_all(b"before").await.unwrap();
    let moved = ours.unregister().unwrap().register().unwrap();
    let mut slot = Slot { ours: moved, ..Slot::new() };
    let mut buffer = [0; 8];
    let read = match slot.read(&mut buffer) {
        Some(read) => read,
        None => {
            slot.on_the_list().await;
            slot.read(&mut buffer).unwrap()
        }
    };
    assert_eq!(&buffer[..read], b"before");
}

#[test]
fn a_call_that_a_signal_interrupted_is_made_again() {
    let mut outcomes =
        [Err(ErrorKind::Interrupted), Err(ErrorKind::Interrupted), Ok(5)].into_iter();
    let written = unless_blocked(|| Ok(outcomes.next().unwrap()?));
    assert_eq!(written.unwrap(), 5);
    assert_eq!(unless_blocked(|| Err(ErrorKind::WouldBlock.into())).unwrap(), 0);
    let gone = unless_blocked(|| Err(ErrorKind::BrokenPipe.into())).unwrap_err();
    assert_eq!(gone.kind(), ErrorKind::BrokenPipe);
}
