//! Connecting to a name that has several addresses (happy eyeballs, RFC 8305).
//!
//! Owns which address is tried when. The deadline of all is the caller's.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, sleep_until};

/// How long an address is tried before the next one is tried, too.
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// Connects to the first address that answers.
pub(crate) async fn connect(host: &str, port: u16) -> io::Result<TcpStream> {
    let addresses = in_order(lookup_host((host, port)).await?.collect());
    race(addresses, TcpStream::connect).await
}

/// IPv6 first, then in turns; in each family, in the order of the system.
fn in_order(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let (v6, v4): (Vec<_>, Vec<_>) = addresses.into_iter().partition(SocketAddr::is_ipv6);
    let count = v6.len() + v4.len();
    let (mut v6, mut v4) = (v6.into_iter(), v4.into_iter());
    let mut ordered = Vec::new();
    loop {
        let before = ordered.len();
        ordered.extend(v6.next());
        ordered.extend(v4.next());
        if ordered.len() == before {
            debug_assert_eq!(ordered.len(), count, "each address is tried once");
            return ordered;
        }
    }
}

/// The next attempt begins when one has failed, or when the last has taken too long; all that have
/// begun go on until one succeeds.
async fn race<T, F>(addresses: Vec<SocketAddr>, connect: impl Fn(SocketAddr) -> F) -> io::Result<T>
where
    F: Future<Output = io::Result<T>>,
{
    let mut waiting = addresses.into_iter();
    let mut attempts = FuturesUnordered::new();
    let mut next_at = Instant::now();
    let mut failure = None;
    loop {
        if next_at <= Instant::now()
            && let Some(address) = waiting.next()
        {
            attempts.push(connect(address));
            next_at = Instant::now() + ATTEMPT_DELAY;
        }
        tokio::select! {
            ended = attempts.next() => match ended {
                Some(Ok(stream)) => return Ok(stream),
                Some(Err(error)) => {
                    failure = Some(worse_of(failure, error));
                    next_at = Instant::now();
                }
                None if waiting.len() == 0 => {
                    return Err(failure.unwrap_or_else(|| io::ErrorKind::NotFound.into()));
                }
                None => next_at = Instant::now(),
            },
            () = sleep_until(next_at), if waiting.len() > 0 => {}
        }
    }
}

/// Of two failures, the one that says more: a machine may have no way to a whole family.
fn worse_of(before: Option<io::Error>, now: io::Error) -> io::Error {
    let no_way = [io::ErrorKind::NetworkUnreachable, io::ErrorKind::AddrNotAvailable];
    match before {
        Some(before) if no_way.contains(&now.kind()) => before,
        _ => now,
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    fn addresses(of: &[&str]) -> Vec<SocketAddr> {
        of.iter().map(|address| address.parse().unwrap()).collect()
    }

    #[test]
    fn families_take_turns_and_the_newer_one_is_first() {
        let found = addresses(&["1.1.1.1:1", "2.2.2.2:1", "3.3.3.3:1", "[::1]:1", "[::2]:1"]);
        let tried = addresses(&["[::1]:1", "1.1.1.1:1", "[::2]:1", "2.2.2.2:1", "3.3.3.3:1"]);
        assert_eq!(in_order(found), tried);
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_address_delays_a_good_one_by_a_quarter_of_a_second() {
        let started = Instant::now();
        let silent = addresses(&["[::1]:1", "[::2]:1"]);
        let (bad, good) = (silent[0], "1.1.1.1:1".parse().unwrap());
        let connect = |address| async move {
            if address == bad { std::future::pending().await } else { Ok(address) }
        };
        assert_eq!(race(vec![bad, good], connect).await.unwrap(), good);
        assert_eq!(started.elapsed(), ATTEMPT_DELAY);
    }

    #[tokio::test(start_paused = true)]
    async fn an_address_that_refuses_delays_nothing_and_the_slow_one_may_still_win() {
        let started = Instant::now();
        let all = addresses(&["[::1]:1", "1.1.1.1:1", "2.2.2.2:1"]);
        let tried = RefCell::new(Vec::new());
        let connect = |address| {
            tried.borrow_mut().push((address, started.elapsed()));
            let is_slow = address == all[1];
            async move {
                if is_slow {
                    tokio::time::sleep(ATTEMPT_DELAY * 2).await;
                    return Ok(address);
                }
                Err(io::Error::from(io::ErrorKind::ConnectionRefused))
            }
        };
        assert_eq!(race(all.clone(), connect).await.unwrap(), all[1]);
        let begun = [Duration::ZERO, Duration::ZERO, ATTEMPT_DELAY];
        let expected: Vec<_> = all.iter().copied().zip(begun).collect();
        assert_eq!(*tried.borrow(), expected);
    }

    #[tokio::test(start_paused = true)]
    async fn when_all_fail_the_one_that_could_be_reached_is_told_of() {
        let kinds = [io::ErrorKind::ConnectionRefused, io::ErrorKind::NetworkUnreachable];
        let all = addresses(&["[::1]:1", "1.1.1.1:1"]);
        let connect = |address: SocketAddr| {
            let kind = kinds[usize::from(address.is_ipv4())];
            async move { Err::<(), _>(io::Error::from(kind)) }
        };
        let error = race(all, connect).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
        let nobody = race(Vec::new(), connect).await.unwrap_err();
        assert_eq!(nobody.kind(), io::ErrorKind::NotFound);
    }
}
