//! chat-bench: loads chatd and other servers, and says what they cost.
//!
//! `scenario` knows what is measured, `target` the systems, `load` how messages are sent and counted,
//! `relay` the limit, `machine` what the system says, `net` and `native` the bytes, `plot` how rows are
//! drawn.

#[cfg(not(target_os = "linux"))]
compile_error!(
    "chat-bench measures by /proc, epoll and the like, which Linux alone has; leave it out: \
     --workspace --exclude chat-bench"
);

mod args;
mod figures;
mod load;
mod machine;
mod native;
mod net;
mod page;
mod plot;
mod relay;
mod row;
mod run;
mod scenario;
mod stamp;
mod stats;
mod table;
mod target;

use std::io::Write;

use anyhow::Result;
use args::{Args, Task};
use clap::Parser;

fn main() -> Result<()> {
    let args = Args::parse();
    match args.task {
        None => run::run(&args.measure),
        Some(Task::Launch { core, program, args }) => {
            Err(machine::process::launch(core, &program, &args).into())
        }
        Some(Task::Relay { durable }) => relay::serve(durable.as_deref()),
        Some(Task::Plot { results, out, page }) => {
            let rows = plot::read(&results)?;
            let drawn = plot::draw(&rows, &out)?;
            if let Some(page) = page {
                page::renew(&page, &out, &rows, &drawn)?;
            }
            let figures = figures::table(&rows);
            writeln!(std::io::stdout(), "{}: {}\n\n{figures}", out.display(), drawn.join(", "))?;
            Ok(())
        }
    }
}
