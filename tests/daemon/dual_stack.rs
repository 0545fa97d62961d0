//! A name with two addresses, of which one is silent.

use std::io::Write;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use chat_tests::process::{binary, wait_for_end};
use tempfile::TempDir;

/// A network of its own: `dual` has an IPv6 address that never answers, and an IPv4 one behind which
/// a server listens. Prints how the client ended.
const SCRIPT: &str = r#"
set -e
ip link set lo up
ip link add v0 type veth peer name v1
ip link set v0 up
ip link set v1 up
ip -6 addr add 2001:db8::10/64 dev v0 nodad
ip -6 neigh add 2001:db8::1 lladdr 02:00:00:00:00:99 dev v0
ip addr add 192.0.2.10/24 dev v0
printf '2001:db8::1 dual\n192.0.2.10 dual\n' > hosts
mount --bind hosts /etc/hosts
"$CHATD" --data-dir data --socket none --listen 192.0.2.10:25210 > ready 2> log &
daemon=$!
trap 'kill $daemon 2> /dev/null || true' EXIT
until grep -q ready ready; do kill -0 $daemon; sleep 0.05; done
touch begins
"$CHAT" --no-tui --server dual:25210 --data-dir client rooms --timeout 60s > rooms 2> told
touch ended
kill $daemon
wait
"#;

/// With one address after the other it takes the system's time for a connection: a minute or two.
const ATTEMPT_MAX: Duration = Duration::from_secs(5);

fn may_have_a_network() -> bool {
    let mut probe = Command::new("unshare");
    probe.args(["-n", "-m", "sh", "-c", "ip link add v0 type veth peer name v1"]);
    probe.output().is_ok_and(|output| output.status.success())
}

#[test]
fn a_silent_address_of_a_name_costs_a_moment() -> Result<()> {
    if !may_have_a_network() {
        writeln!(
            std::io::stderr(),
            "skipped: a_silent_address_of_a_name_costs_a_moment: no network can be made"
        )?;
        return Ok(());
    }
    let dir = TempDir::new()?;
    let mut command = Command::new("unshare");
    command.args(["-n", "-m", "bash", "-c", SCRIPT]).current_dir(dir.path());
    command.env("CHATD", binary("chatd")?).env("CHAT", binary("chat-tui")?);
    let mut child = command.spawn().context("unshare")?;
    let status = wait_for_end(&mut child)?;
    let read = |file: &str| std::fs::read_to_string(dir.path().join(file)).unwrap_or_default();
    ensure!(status.success(), "{status}: {} {}", read("log"), read("told"));
    ensure!(read("rooms").starts_with("#lobby\t"), "{}", read("rooms"));
    let at = |file: &str| -> Result<_> { Ok(dir.path().join(file).metadata()?.modified()?) };
    let took = at("ended")?.duration_since(at("begins")?)?;
    ensure!(took < ATTEMPT_MAX, "{took:?}");
    Ok(())
}
