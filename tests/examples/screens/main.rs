//! Makes the pictures of the screen in `docs/screens`: a real client in a real pseudo-terminal
//! talks with a real daemon, and what the terminal shows is written down.
//!
//! `cargo run -p chat-tests --example screens`

mod picture;

use std::path::{Path, PathBuf};

use anyhow::Result;
use chat_proto::{Ack, Join, RoomId, RoomInfo};
use chat_tests::process::{Daemon, Launch};
use chat_tests::pty::{Pty, Seat, Size};
use chat_tests::raw::{Raw, send};
use rustix::process::Signal;
use tempfile::TempDir;

/// How large the pictures are, if nothing else is said.
const SIZE: Size = Size { columns: 80, rows: 16 };

#[tokio::main]
async fn main() -> Result<()> {
    let dir = TempDir::new()?;
    std::fs::create_dir(dir.path().join("run"))?;
    let launch = Launch::new(&dir.path().join("data")).socket(&dir.path().join("run/chatd.sock"));
    let daemon = launch.start()?;
    let mut ada = Seat::of("ada", dir.path()).sized(SIZE.columns, SIZE.rows).open()?;
    ada.shows("● connected")?;
    let _others = talk(&mut ada, &daemon).await?;
    save("talk", &ada)?;
    ada.resize(Size { columns: 40, rows: 12 })?;
    ada.wait("the small screen", |screen| screen.contents().starts_with(" #lobby"))?;
    save("small", &ada)?;
    ada.resize(SIZE)?;
    daemon.kill()?;
    ada.shows("not connected, again in")?;
    save("outage", &ada)?;
    let _daemon = launch.start()?;
    ada.shows("shipping now ✓")?;
    ada.resize(Size::USUAL)?;
    ada.types("\x1bOP")?;
    ada.shows("┌ help ─")?;
    save("help", &ada)
}

/// Three people talk in three rooms; the last line waits for the server.
async fn talk(ada: &mut Pty, daemon: &Daemon) -> Result<[Person; 2]> {
    let mut bob = Person::arrive(daemon, 1, "bob").await?;
    let mut ci = Person::arrive(daemon, 2, "ci").await?;
    for room in ["dev", "ops", "lobby"] {
        ada.enters(&format!("/join {room}"))?;
        ada.shows(&format!("[#{room}]"))?;
    }
    bob.say("lobby", "shall we deploy?").await?;
    ada.shows("bob     shall we deploy?")?;
    ada.enters("yes, after lunch")?;
    ada.shows("yes, after lunch ✓")?;
    ci.say("lobby", "build 812 ✓ https://ci.example/812").await?;
    ada.shows("build 812")?;
    bob.say("lobby", "日本語もどうぞ, ada. 👍 everything is green:\n    812 passed, 0 failed")
        .await?;
    for text in ["reviewing the parser", "two nits", "done"] {
        bob.say("dev", text).await?;
    }
    bob.say("ops", "ada: the backup ran through").await?;
    ada.shows("!1")?;
    ada.shows("3 online")?;
    ada.enters("great")?;
    ada.shows("great ✓")?;
    daemon.signal(Signal::STOP)?;
    ada.enters("shipping now")?;
    ada.shows("shipping now ⏳")?;
    Ok([bob, ci])
}

/// Somebody else.
struct Person {
    raw: Raw,
    sent: u64,
}

impl Person {
    async fn arrive(daemon: &Daemon, key: u8, name: &str) -> Result<Self> {
        Ok(Self { raw: Raw::sign_in(daemon.address(), key, name).await?.0, sent: 0 })
    }

    async fn say(&mut self, room: &str, text: &str) -> Result<()> {
        let joined: RoomInfo = self.raw.ask(&Join { name: room.to_owned() }).await?;
        let room: RoomId = joined.room;
        self.sent += 1;
        let _: Ack = self.raw.ask(&send(1, self.sent, room, text)).await?;
        Ok(())
    }
}

/// Writes a picture in colours, and the same as text.
fn save(name: &str, pty: &Pty) -> Result<()> {
    let folder: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/screens");
    std::fs::create_dir_all(&folder)?;
    let (svg, text) = pty.look(|vt| (picture::svg(vt.screen()), picture::text(vt.screen())));
    std::fs::write(folder.join(format!("{name}.svg")), svg)?;
    std::fs::write(folder.join(format!("{name}.txt")), text)?;
    Ok(())
}
