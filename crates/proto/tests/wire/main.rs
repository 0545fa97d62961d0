//! The wire format as others see it: its golden bytes, what hostile bytes do, and that whatever
//! is written can be read.

mod golden;
mod golden_file;
mod hostile;
mod roundtrip;
mod samples;
