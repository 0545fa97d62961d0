//! Cores: the server has one, the load has another, so that neither takes the other's time.

use std::io;

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// Which core does what.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Cores {
    /// The server's.
    pub(crate) server: usize,
    /// The load's.
    pub(crate) load: usize,
}

impl Cores {
    /// Chooses two of the cores that this process may use; both are the same when there is one.
    pub(crate) fn choose() -> io::Result<Self> {
        let allowed = sched_getaffinity(None)?;
        Ok(Self::among(
            &(0..CpuSet::MAX_CPU).filter(|core| allowed.is_set(*core)).collect::<Vec<_>>(),
        ))
    }

    fn among(cores: &[usize]) -> Self {
        let load = cores.first().copied().unwrap_or_default();
        Self { server: cores.get(1).copied().unwrap_or(load), load }
    }

    /// Whether the two are apart.
    pub(crate) fn are_apart(self) -> bool {
        self.server != self.load
    }
}

/// Keeps this thread, and what it starts, on one core.
pub(crate) fn stay_on(core: usize) -> io::Result<()> {
    let mut only = CpuSet::new();
    only.set(core);
    Ok(sched_setaffinity(None, &only)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_cores_are_apart_and_one_is_shared() {
        assert_eq!(Cores::among(&[2, 5, 7]), Cores { server: 5, load: 2 });
        assert!(!Cores::among(&[3]).are_apart());
    }
}
