//! `chatd ctl` as a program: what it prints, and the status with which it ends.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

/// A daemon as a process, with a socket of its own.
struct Daemon {
    child: Child,
    dir: TempDir,
}

impl Daemon {
    fn start() -> Self {
        let dir = tempfile::tempdir().expect("there is room");
        let mut child = Command::new(env!("CARGO_BIN_EXE_chatd"))
            .env_clear()
            .args(["--listen", "none", "--data-dir"])
            .arg(dir.path().join("data"))
            .arg("--socket")
            .arg(dir.path().join("socket"))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program is there");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("it is piped");
        BufReader::new(stdout).read_line(&mut line).expect("it is text");
        assert!(line.contains("ready"), "{line}");
        Self { child, dir }
    }

    fn socket(&self) -> PathBuf {
        self.dir.path().join("socket")
    }

    fn ctl(&self, arguments: &[&str]) -> Output {
        ctl(&self.socket(), arguments)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn ctl(socket: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_chatd"))
        .env_clear()
        .arg("ctl")
        .args(arguments)
        .arg("--socket")
        .arg(socket)
        .output()
        .expect("the program is there")
}

fn said(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("it is text");
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn status_is_shown_for_people_and_as_json() {
    let daemon = Daemon::start();
    let (code, shown, told) = said(&daemon.ctl(&["status"]));
    assert_eq!((code, &*told), (Some(0), ""));
    let version = format!("version          {}\n", env!("CARGO_PKG_VERSION"));
    assert!(shown.starts_with(&version), "{shown}");
    assert!(shown.contains("\naccounts         0\n"), "{shown}");
    let (code, json, _) = said(&daemon.ctl(&["status", "--json"]));
    assert_eq!(code, Some(0));
    assert!(
        json.starts_with(&format!(r#"{{"version":"{}","#, env!("CARGO_PKG_VERSION"))),
        "{json}"
    );
    assert!(json.ends_with("}\n") && json.lines().count() == 1, "{json}");
    // Nobody has an account: there is nothing to show.
    assert_eq!(said(&daemon.ctl(&["accounts"])), (Some(0), String::new(), String::new()));
}

#[test]
fn a_socket_at_which_nobody_answers_ends_with_three() {
    let dir = tempfile::tempdir().unwrap();
    let missing = dir.path().join("socket");
    let (code, _, told) = said(&ctl(&missing, &["status"]));
    assert_eq!(code, Some(3), "{told}");
    assert!(
        told.contains(&*missing.to_string_lossy()) && told.contains("Is it running?"),
        "{told}"
    );
    // Left over from a daemon that was killed.
    drop(UnixListener::bind(&missing).unwrap());
    assert_eq!(said(&ctl(&missing, &["status"])).0, Some(3));
}

#[test]
fn what_is_no_verb_ends_with_two_and_the_usage() {
    let dir = tempfile::tempdir().unwrap();
    for arguments in [&["formatdisk"][..], &["status", "more"], &[]] {
        let (code, _, told) = said(&ctl(&dir.path().join("socket"), arguments));
        assert_eq!(code, Some(2), "{told}");
        assert!(told.contains("Usage:"), "{told}");
    }
}

/// What answers once, and what it is asked.
fn answering(answer: &'static str) -> (TempDir, std::thread::JoinHandle<String>) {
    let dir = tempfile::tempdir().expect("there is room");
    let listener = UnixListener::bind(dir.path().join("socket")).expect("nobody has it");
    let answered = std::thread::spawn(move || {
        let (stream, _) = listener.accept().expect("the program comes");
        let mut asked = String::new();
        BufReader::new(&stream).read_line(&mut asked).expect("it is text");
        (&stream).write_all(answer.as_bytes()).expect("it listens");
        asked
    });
    (dir, answered)
}

#[test]
fn who_is_not_allowed_ends_with_four_and_who_is_refused_with_one() {
    for (kind, status) in [("not-allowed", 4), ("usage", 2), ("refused", 1), ("retry", 1)] {
        let answer =
            format!("{{\"error\":{{\"kind\":\"{kind}\",\"message\":\"no\\u001b[2J\"}}}}\n");
        let (dir, asked) = answering(answer.leak());
        let (code, shown, told) = said(&ctl(&dir.path().join("socket"), &["status"]));
        assert_eq!((code, &*shown), (Some(status), ""), "{told}");
        assert!(told.starts_with("chatd: no") && !told.contains('\u{1b}'), "{told:?}");
        assert_eq!(asked.join().unwrap(), "chatctl/1 {\"verb\":\"status\"}\n");
    }
}

#[test]
fn an_answer_that_breaks_off_or_is_none_is_no_success() {
    for answer in ["", "{\"ok\":", "ERROR :no\r\n"] {
        let (dir, _asked) = answering(answer);
        let (code, shown, told) = said(&ctl(&dir.path().join("socket"), &["status"]));
        assert_eq!((code, &*shown), (Some(1), ""), "{told}");
        assert!(told.starts_with("chatd: "), "{told}");
    }
}

#[test]
fn the_socket_is_found_where_the_settings_say() {
    let daemon = Daemon::start();
    let config = daemon.dir.path().join("chatd.toml");
    std::fs::write(&config, format!("socket = {:?}\n", daemon.socket())).unwrap();
    let run = |environment: &[(&str, &Path)], arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_chatd"));
        command.env_clear().envs(environment.iter().copied()).args(arguments);
        command.stderr(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut told = String::new();
        child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
        (child.wait().unwrap().code(), told)
    };
    let config_path = config.to_string_lossy();
    assert_eq!(run(&[], &["ctl", "status", "--config", &config_path]).0, Some(0));
    assert_eq!(run(&[], &["--config", &config_path, "ctl", "status"]).0, Some(0));
    assert_eq!(run(&[("CHATD_SOCKET", &daemon.socket())], &["ctl", "status"]).0, Some(0));
    // Not another daemon's, where the one that is meant does not run.
    let elsewhere = daemon.dir.path().join("elsewhere");
    let usual = [("XDG_STATE_HOME", daemon.dir.path())];
    let (code, told) = run(&usual, &["ctl", "status", "--data-dir", &elsewhere.to_string_lossy()]);
    assert_eq!(code, Some(3), "{told}");
    assert!(!told.contains("/run/chatd"), "{told}");
}

const KEYS: &str = "\
# the people of the office
ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti ada

no-pty ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBLU0rkRLC3Zz2cLhYPDHsPFzYO8DbaBYUR6sdfB/IVx bob
ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBLU0rkRLC3Zz2cLhYPDHsPFzYO8DbaBYUR6sdfB/IVx a/b
ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBLU0rkRLC3Zz2cLhYPDHsPFzYO8DbaBYUR6sdfB/IVx ADA
not a key
ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBLU0rkRLC3Zz2cLhYPDHsPFzYO8DbaBYUR6sdfB/IVx eve
";

#[test]
fn an_account_is_made_for_each_key_of_a_file_and_what_is_skipped_is_told() {
    let daemon = Daemon::start();
    let file = daemon.dir.path().join("authorized_keys");
    std::fs::write(&file, KEYS).unwrap();
    let file = file.to_string_lossy();
    for _ in 0..2 {
        let (code, shown, told) = said(&daemon.ctl(&["account", "import", &file]));
        assert_eq!(code, Some(1), "{told}");
        let names: Vec<_> =
            shown.lines().map(|line| line.split_whitespace().next().unwrap()).collect();
        assert_eq!(names, ["NAME", "ada", "eve"]);
        let skipped: Vec<_> = told.lines().collect();
        assert_eq!(skipped.len(), 5, "{told}");
        for (line, number, word) in [
            (skipped[0], 4, "options (no-pty)"),
            (skipped[1], 5, "cannot be the name"),
            (skipped[2], 6, "taken"),
            (skipped[3], 7, "no line of an authorized_keys file"),
        ] {
            assert!(line.starts_with(&format!("chatd: line {number} is skipped: ")), "{line}");
            // The third time ada's name comes, the key is eve's.
            assert!(line.contains(word) || line.contains("signs in to eve"), "{line}");
        }
        assert!(skipped[4].contains("skipped: 4"), "{told}");
    }
    let (code, json, _) = said(&daemon.ctl(&["accounts", "--json"]));
    assert_eq!((code, json.lines().count()), (Some(0), 2), "{json}");
    let (code, _, told) = said(&daemon.ctl(&["account", "import", "/nonexistent"]));
    assert_eq!(code, Some(1));
    assert!(told.contains("/nonexistent"), "{told}");
}

#[test]
fn accounts_are_disabled_enabled_renamed_and_administered_by_name() {
    let daemon = Daemon::start();
    let file = daemon.dir.path().join("authorized_keys");
    std::fs::write(&file, KEYS.lines().nth(1).unwrap()).unwrap();
    let done = |arguments: &[&str]| {
        let (code, shown, told) = said(&daemon.ctl(arguments));
        assert_eq!((code, &*told), (Some(0), ""), "{arguments:?}");
        shown
    };
    done(&["account", "import", &file.to_string_lossy()]);
    done(&["account", "disable", "ada", "--reason", "left the \u{1b}[2Joffice"]);
    done(&["admin", "add", "Ada"]);
    done(&["account", "rename", "ada", "ada-2"]);
    let json = done(&["accounts", "--json"]);
    assert!(json.contains(r#""name":"ada-2""#), "{json}");
    assert!(
        json.contains(
            r#""administrator":true,"disabled":true,"reason":"left the \u001b[2Joffice""#
        ),
        "{json}"
    );
    let table = done(&["accounts"]);
    assert!(table.contains("left the") && !table.contains('\u{1b}'), "{table:?}");
    let audit = done(&["audit"]);
    let rows: Vec<Vec<_>> =
        audit.lines().map(|line| line.split_whitespace().collect::<Vec<_>>()).collect();
    assert_eq!(rows[0], ["TIME", "BY", "WHAT", "ACCOUNT", "ROOM", "REASON", "VALUE"]);
    let what: Vec<_> = rows[1..].iter().map(|row| (row[1], row[2], row[3])).collect();
    let expected = ["key_set", "account_disabled", "administrator_set", "account_renamed"];
    assert_eq!(what, expected.map(|what| ("(operator)", what, "ada-2")));
    assert!(rows[1][0].ends_with('Z') && rows[1][4].starts_with("SHA256:"), "{audit}");
    done(&["account", "enable", "ada-2"]);
    done(&["admin", "remove", "ada-2"]);
    assert!(done(&["accounts", "--json"]).contains(r#""administrator":false,"disabled":false"#));
    for (arguments, status, word) in [
        (&["account", "disable", "ada"][..], 1, "no account is called ada"),
        (&["account", "enable", "a/b"], 2, "cannot be the name"),
        (&["account", "rename", "ada-2", "system"], 1, "could be taken for the server"),
        (&["admin", "add"], 2, "Usage:"),
    ] {
        let (code, shown, told) = said(&daemon.ctl(arguments));
        assert_eq!((code, &*shown), (Some(status), ""), "{told}");
        assert!(told.contains(word), "{told}");
    }
    // Without `ctl`, it is the same.
    let short = Command::new(env!("CARGO_BIN_EXE_chatd"))
        .env_clear()
        .args(["account", "disable", "ada-2", "--socket"])
        .arg(daemon.socket())
        .output()
        .unwrap();
    assert_eq!(said(&short), (Some(0), String::new(), String::new()));
}
