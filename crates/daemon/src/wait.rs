//! Between two passes: the runtime has its turn, and the reactor sleeps as long as there is nothing to
//! do.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use tokio::time::{Instant, Sleep};

use crate::ready_list::ReadyList;

/// Waits until something comes, but no longer than `patience` where there is any. `timer` is the
/// reactor's one timer.
///
/// It is pending exactly once, whatever the patience, and ready with whatever wakes it then. So the
/// runtime looks at its sockets and timers between any two passes, once, and a wake too many costs a
/// pass that finds nothing.
pub(crate) async fn for_next_pass(
    list: &ReadyList,
    mut timer: Pin<&mut Sleep>,
    patience: Option<Duration>,
) {
    let mut has_waited = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut has_waited, true) {
            return Poll::Ready(());
        }
        list.wait(cx.waker());
        let is_over = match patience {
            None => false,
            Some(Duration::ZERO) => true,
            Some(patience) => {
                timer.as_mut().reset(Instant::now() + patience);
                timer.as_mut().poll(cx).is_ready()
            }
        };
        if is_over {
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    })
    .await;
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use tokio::time::{sleep, timeout};

    use super::*;

    /// Longer than anything here takes.
    const LONG: Duration = Duration::from_secs(60);

    #[tokio::test]
    async fn what_came_before_the_first_wait_is_not_lost() {
        let list = ReadyList::default();
        list.wake();
        let timer = pin!(sleep(LONG));
        let first = for_next_pass(&list, timer, None);
        timeout(LONG, first).await.expect("nobody woke it");
    }

    #[tokio::test]
    async fn sockets_are_looked_at_between_two_passes_that_do_not_wait() {
        let (ours, theirs) = tokio::net::UnixStream::pair().unwrap();
        let list = ReadyList::default();
        let mut timer = pin!(sleep(LONG));
        let mut passes = 0;
        while ours.try_read(&mut [0; 8]).is_err() {
            if passes == 0 {
                assert_eq!(theirs.try_write(b"x").unwrap(), 1);
            }
            passes += 1;
            for_next_pass(&list, timer.as_mut(), Some(Duration::ZERO)).await;
        }
        assert_eq!(passes, 1);
    }

    #[tokio::test]
    async fn it_ends_in_time() {
        let list = ReadyList::default();
        let mut timer = pin!(sleep(LONG));
        let patience = Duration::from_millis(20);
        let began = Instant::now();
        for_next_pass(&list, timer.as_mut(), Some(patience)).await;
        assert!(began.elapsed() >= patience);
        assert!(began.elapsed() < LONG);
    }
}
