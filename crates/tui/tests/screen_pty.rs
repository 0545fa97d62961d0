//! The screen in a real pseudo-terminal: it opens, keeps what is typed, and gives the terminal
//! back however it ends. Nobody answers at the other end.

use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use rustix::process::{Pid, Signal, kill_process};

/// Nothing here takes so long on any machine.
const DEADLINE: Duration = Duration::from_secs(20);

const ROWS: u16 = 16;
const COLUMNS: u16 = 80;

#[derive(Default)]
struct Shown {
    parser: Mutex<Option<vt100::Parser>>,
    changed: Condvar,
}

struct Pty {
    shown: Arc<Shown>,
    keys: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    master: Box<dyn MasterPty + Send>,
    _reader: JoinHandle<()>,
}

impl Pty {
    fn spawn(command: CommandBuilder) -> Self {
        let size = PtySize { rows: ROWS, cols: COLUMNS, ..PtySize::default() };
        let pair = native_pty_system().openpty(size).expect("a pseudo-terminal");
        let child = pair.slave.spawn_command(command).expect("the command starts");
        drop(pair.slave);
        let mut output = pair.master.try_clone_reader().expect("a reader");
        let keys = pair.master.take_writer().expect("a writer");
        let shown = Arc::new(Shown::default());
        *shown.parser.lock().expect("no test has panicked") =
            Some(vt100::Parser::new(cells(ROWS), cells(COLUMNS), 0));
        let sees = Arc::clone(&shown);
        let reader = std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(read @ 1..) = output.read(&mut bytes) {
                let mut parser = sees.parser.lock().expect("no test has panicked");
                parser.as_mut().expect("it is there").process(&bytes[..read]);
                sees.changed.notify_all();
            }
        });
        Self { shown, keys, child, master: pair.master, _reader: reader }
    }

    fn types(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).expect("the terminal takes keys");
        self.keys.flush().expect("the terminal takes keys");
    }

    /// Waits until the screen is as wanted; gives how long that took.
    #[track_caller]
    fn wait_until(&self, what: &str, wanted: impl Fn(&vt100::Screen) -> bool) -> Duration {
        let start = Instant::now();
        let mut parser = self.shown.parser.lock().expect("no test has panicked");
        loop {
            let screen = parser.as_ref().expect("it is there").screen();
            if wanted(screen) {
                return start.elapsed();
            }
            let left = DEADLINE.checked_sub(start.elapsed());
            let Some(left) = left else {
                panic!("{what} never came:\n{}", screen.contents());
            };
            (parser, _) =
                self.shown.changed.wait_timeout(parser, left).expect("no test has panicked");
        }
    }

    #[track_caller]
    fn wait_for(&self, text: &str) -> Duration {
        self.wait_until(text, |screen| screen.contents().contains(text))
    }

    fn signal(&self, signal: Signal) {
        let pid = self.child.process_id().and_then(|pid| i32::try_from(pid).ok());
        let pid = pid.and_then(Pid::from_raw).expect("the child has an id");
        kill_process(pid, signal).expect("the child is there");
    }

    #[track_caller]
    fn is_given_back(&self) {
        self.wait_until("the terminal as it was", |screen| {
            !screen.alternate_screen()
                && !screen.hide_cursor()
                && !screen.bracketed_paste()
                && screen.mouse_protocol_mode() == vt100::MouseProtocolMode::None
        });
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            self.child.kill().ok();
        }
        self.child.wait().ok();
    }
}

fn cells(count: u16) -> NonZeroU16 {
    NonZeroU16::new(count).expect("a terminal has cells")
}

/// The screen, for a server that is not there.
fn chat_tui(home: &std::path::Path) -> Vec<String> {
    let server = home.join("nobody.sock").display().to_string();
    let data_dir = home.display().to_string();
    [env!("CARGO_BIN_EXE_chat-tui"), &server, "--name", "ada", "--data-dir", &data_dir]
        .map(str::to_owned)
        .to_vec()
}

fn command(args: &[String], home: &std::path::Path) -> CommandBuilder {
    let mut command = CommandBuilder::new(&args[0]);
    command.args(&args[1..]);
    command.env("HOME", home);
    command.env("TERM", "xterm-256color");
    command.env_remove("CHAT_SERVER");
    command.env_remove("XDG_CONFIG_HOME");
    command
}

fn open(home: &std::path::Path) -> Pty {
    Pty::spawn(command(&chat_tui(home), home))
}

#[test]
fn it_opens_at_once_and_says_what_it_tried() {
    let home = tempfile::tempdir().expect("a directory");
    let pty = open(home.path());
    let opened = pty.wait_for("#lobby");
    assert!(opened < Duration::from_secs(5), "{opened:?}; 0.1 s is the aim");
    pty.wait_for("no server answers");
    pty.wait_until("the countdown", |screen| screen.contents().contains("not connected, again in"));
}

#[test]
fn what_was_typed_without_a_connection_is_there_again_after_a_restart() {
    let home = tempfile::tempdir().expect("a directory");
    let screen = command(&chat_tui(home.path()), home.path());
    let mut pty = Pty::spawn(screen.clone());
    pty.wait_for("#lobby");
    pty.types("keep this\r");
    pty.wait_for("keep this ⏳");
    pty.types("\x11");
    pty.is_given_back();
    pty.wait_for("1 message has no answer yet");
    drop(pty);
    let pty = Pty::spawn(screen);
    pty.wait_for("keep this ⏳");
}

/// Waits until a text is in a file of typed texts.
#[track_caller]
fn is_kept(home: &std::path::Path, text: &str) {
    let start = Instant::now();
    let has_text = |path: std::path::PathBuf| {
        std::fs::read_to_string(path).is_ok_and(|kept| kept.contains(text))
    };
    let kept = || {
        let people = std::fs::read_dir(home.join("drafts")).into_iter().flatten().flatten();
        people.into_iter().any(|person| has_text(person.path().join("1.json")))
    };
    while !kept() {
        assert!(start.elapsed() < DEADLINE, "{text:?} was not written down");
        // Another process writes it, and tells nobody.
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

#[test]
fn half_typed_lines_and_what_was_sent_survive_every_end() {
    type End = fn(&mut Pty);
    let ends: [(&str, End); 5] = [
        ("kill -9", |pty| pty.signal(Signal::KILL)),
        ("SIGTERM", |pty| pty.signal(Signal::TERM)),
        ("SIGHUP", |pty| pty.signal(Signal::HUP)),
        ("Ctrl-Q", |pty| pty.types("\x11")),
        // Under the name of another room: what is typed in this one stays.
        ("/quit", |pty| pty.types("\x10/quit\r")),
    ];
    for (end, ends) in ends {
        let home = tempfile::tempdir().expect("a directory");
        let mut pty = open(home.path());
        pty.wait_for("no server answers");
        pty.types("sent before\r");
        pty.wait_for("sent before ⏳");
        pty.types("/join zoo\r");
        pty.wait_for("[#zoo]");
        pty.types("half a line");
        pty.wait_for("> half a line");
        if end == "kill -9" {
            is_kept(home.path(), "half a line");
        }
        ends(&mut pty);
        pty.child.wait().expect("it ends");
        let mut pty = open(home.path());
        pty.wait_for("no server answers");
        pty.types("\x0e");
        pty.wait_for("> half a line");
        pty.types("\x10");
        pty.wait_until("an empty line", |screen| !screen.contents().contains("half a line"));
        // The commands are above it.
        pty.types("\x1b[A");
        pty.wait_for("> /");
        pty.types(if end == "/quit" { "\x1b[A\x1b[A" } else { "\x1b[A" });
        pty.wait_for("> sent before");
    }
}

#[test]
fn lines_that_come_at_once_are_a_paste_also_without_marks() {
    let home = tempfile::tempdir().expect("a directory");
    let mut pty = open(home.path());
    pty.wait_for("no server answers");
    let lines: String = (1..=50).map(|nth| format!("line {nth}\r")).collect();
    pty.types(&lines);
    pty.wait_for("50 lines pasted");
    pty.wait_for("2  50 messages");
    pty.types("2");
    pty.wait_for("line 50 ⏳");
    pty.types("/quit\r");
    pty.is_given_back();
    pty.wait_for("50 messages have no answer yet");
}

#[test]
fn a_paste_without_an_end_does_not_take_the_keyboard() {
    let home = tempfile::tempdir().expect("a directory");
    let mut pty = open(home.path());
    pty.wait_for("no server answers");
    pty.types("\x1b[200~without an end");
    pty.wait_for("> without an end");
    pty.types("!");
    pty.wait_for("> without an end!");
    pty.types("\x15\x1b[200~given up");
    pty.wait_until("the line", |screen| !screen.contents().contains("without an end"));
    pty.types("\x03");
    pty.types("\x11");
    pty.is_given_back();
}

#[test]
fn megabytes_that_are_pasted_are_refused_at_once() {
    let home = tempfile::tempdir().expect("a directory");
    let mut pty = open(home.path());
    pty.wait_for("no server answers");
    pty.types("\x1b[200~");
    for _ in 0..57 {
        pty.types(&"word ".repeat(20_000));
    }
    let sent = Instant::now();
    pty.types("\x1b[201~");
    pty.wait_for("not taken: 5.4 MiB");
    pty.types("x");
    pty.wait_for("> x");
    assert!(sent.elapsed() < Duration::from_secs(5), "{:?}", sent.elapsed());
}

#[test]
fn signals_give_the_terminal_back() {
    for signal in [Signal::TERM, Signal::HUP, Signal::INT] {
        let home = tempfile::tempdir().expect("a directory");
        let mut pty = open(home.path());
        pty.wait_for("no server answers");
        pty.wait_until("the screen", vt100::Screen::alternate_screen);
        pty.signal(signal);
        pty.is_given_back();
        assert!(pty.child.wait().expect("it ends").success(), "{signal:?}");
    }
}

#[test]
fn a_stop_gives_the_terminal_to_the_shell_and_coming_back_paints_it() {
    let home = tempfile::tempdir().expect("a directory");
    let script = "set -m; \"$0\" \"$@\"; echo STOPPED; stty -a; read line; fg; echo OVER; stty -a";
    let mut args = vec!["/bin/sh".to_owned(), "-c".to_owned(), script.to_owned()];
    args.extend(chat_tui(home.path()));
    let mut pty = Pty::spawn(command(&args, home.path()));
    pty.wait_for("no server answers");
    pty.types("half a line\x1a");
    pty.is_given_back();
    pty.wait_for("STOPPED");
    pty.wait_until("cooked mode", |screen| screen.contents().contains(" icanon"));
    pty.types("\r");
    pty.wait_for("> half a line");
    pty.types("\x11");
    pty.is_given_back();
    pty.wait_for("OVER");
    pty.wait_until("cooked mode", |screen| screen.contents().contains(" icanon"));
}

/// Set for the process that shall panic.
const PANIC: &str = "SCREEN_PTY_PANIC";

#[test]
fn a_panic_gives_the_terminal_back() {
    if std::env::var_os(PANIC).is_some() {
        let _terminal = chat_tui::terminal::Terminal::take(true).expect("a terminal");
        panic!("as it should");
    }
    let home = tempfile::tempdir().expect("a directory");
    let this = std::env::current_exe().expect("this test has a path").display().to_string();
    let script = format!("\"{this}\" --exact a_panic_gives_the_terminal_back --nocapture; stty -a");
    let mut command = command(&["/bin/sh".into(), "-c".into(), script], home.path());
    command.env(PANIC, "1");
    let pty = Pty::spawn(command);
    pty.wait_for("as it should");
    pty.is_given_back();
    pty.wait_until("cooked mode", |screen| screen.contents().contains(" icanon"));
}

#[test]
fn it_follows_the_size_of_the_terminal() {
    let home = tempfile::tempdir().expect("a directory");
    let mut pty = open(home.path());
    pty.wait_for("no server answers");
    pty.types("still here");
    for (rows, cols) in [(3, 10), (40, 120), (5, 20)] {
        let size = PtySize { rows, cols, ..PtySize::default() };
        {
            let mut parser = pty.shown.parser.lock().expect("no test has panicked");
            parser.as_mut().expect("it is there").screen_mut().set_size(cells(rows), cells(cols));
        }
        pty.master.resize(size).expect("it can be resized");
        pty.wait_until("the input line", |screen| {
            let rows = screen.rows(0, cols).collect::<Vec<_>>();
            rows.iter().any(|row| row.starts_with("> still here") || row.starts_with("> here"))
        });
    }
}
