//! The allocator, which keeps what is freed.

/// Gives what it keeps and nobody uses back to the system. It takes a millisecond or more, in which
/// other threads wait to allocate.
#[cfg(target_env = "gnu")]
#[expect(unsafe_code, reason = "the C library offers it, and no crate that is safe")]
pub(crate) fn give_back() {
    // SAFETY: malloc_trim(3) takes a number, touches only memory that is free, and may be called by
    // any thread at any time (MT-Safe). What it tells, whether there was any, changes nothing here.
    let _was_any = unsafe { libc::malloc_trim(0) };
}

/// Other C libraries give back by themselves, or cannot be asked.
#[cfg(not(target_env = "gnu"))]
pub(crate) fn give_back() {}
