//! Settings: the command line, then the environment, then the file; and a file with mistakes.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use chat_client::{Name, Target, TlsPolicy};
use chat_tui::args::{self, Given};
use chat_tui::screen::keymap::Keymap;
use chat_tui::screen::keys::Action;
use chat_tui::screen::theme::Theme;
use chat_tui::settings::{FileSettings, Settings, SettingsError, config_text, resolve};

const FILE: &str = r#"
server = "from-file"
name = "file-name"
data-dir = "/file"
room = "file-room"
"#;

const ENVIRONMENT: [(&str, &str); 4] = [
    ("CHAT_SERVER", "from-environment"),
    ("CHAT_NAME", "environment-name"),
    ("CHAT_DATA_DIR", "/environment"),
    ("CHAT_ROOM", "#environment-room"),
];

fn file(text: &str) -> FileSettings {
    FileSettings::parse(Path::new("config.toml"), text)
}

fn given(line: &str) -> Given {
    let words = std::iter::once("chat-tui").chain(line.split_whitespace());
    args::parse(words).expect("a valid command line").given
}

fn resolved(
    line: &str,
    environment: &[(&str, &str)],
    text: &str,
) -> Result<Settings, SettingsError> {
    let lookup = |variable: &str| {
        let found = environment.iter().find(|(name, _value)| *name == variable);
        found.map(|(_name, value)| OsString::from(value))
    };
    resolve(given(line), lookup, file(text))
}

fn host(settings: &Settings) -> &str {
    match &settings.server.target {
        Target::Tcp { host, .. } => host,
        other @ (Target::Unix(_) | Target::Local) => panic!("{other:?}"),
    }
}

fn room(settings: &Settings) -> &str {
    settings.rooms[0].as_str()
}

#[test]
fn the_command_line_counts_first_then_the_environment_then_the_file() {
    let flags = "--server from-flag --name flag-name --data-dir /flag -r flag-room";
    for (line, environment, level) in [
        (flags, &ENVIRONMENT[..], "flag"),
        ("", &ENVIRONMENT[..], "environment"),
        ("", &[], "file"),
    ] {
        let settings = resolved(line, environment, FILE).unwrap();
        assert_eq!(host(&settings), format!("from-{level}"));
        assert_eq!(settings.name, Name::firm(format!("{level}-name")));
        assert_eq!(settings.data_dir, PathBuf::from(format!("/{level}")));
        assert_eq!(room(&settings), format!("{level}-room"));
    }
}

#[test]
fn each_setting_is_looked_for_by_itself() {
    let settings = resolved("--name ada", &ENVIRONMENT[3..], FILE).unwrap();
    assert_eq!(settings.name, Name::firm("ada"));
    assert_eq!(room(&settings), "environment-room");
    assert_eq!(host(&settings), "from-file");
}

#[test]
fn tls_can_be_asked_for_everywhere() {
    let usual = resolved("", &[], "").unwrap();
    assert_eq!(usual.tls, TlsPolicy::default());
    let text = config_text(&usual, None);
    assert!(text.contains("\n#tls = \"auto\"\n") && text.contains("\n#tls-verify = \"none\"\n"));
    let both = TlsPolicy { always: true, checks_certificate: true };
    let in_file = resolved("", &[], "tls = 'always'\ntls-verify = 'webpki'").unwrap();
    assert_eq!(in_file.tls, both);
    let again = resolved("", &[], &config_text(&in_file, None)).unwrap();
    assert_eq!(again.tls, both, "it is printed as it is read");
    let environment = [("CHAT_TLS", "always"), ("CHAT_TLS_VERIFY", "webpki")];
    assert_eq!(resolved("", &environment, "tls = 'auto'").unwrap().tls, both);
    let line = "--tls auto --tls-verify none";
    assert_eq!(resolved(line, &environment, "").unwrap().tls, TlsPolicy::default());
    assert!(resolved("", &[("CHAT_TLS", "never")], "").is_err());
}

#[test]
fn the_mouse_can_be_switched_off_everywhere() {
    assert!(resolved("", &[], "").unwrap().mouse);
    assert!(!resolved("--mouse off", &[("CHAT_MOUSE", "on")], "mouse = true").unwrap().mouse);
    assert!(!resolved("", &[("CHAT_MOUSE", "off")], "mouse = true").unwrap().mouse);
    let off = resolved("", &[], "mouse = false").unwrap();
    assert!(!off.mouse && config_text(&off, None).contains("\nmouse = false\n"));
    assert!(resolved("", &[("CHAT_MOUSE", "perhaps")], "").is_err());
}

#[test]
fn nobody_said_anything() {
    let settings = resolved("--data-dir /d", &[("CHAT_NAME", "")], "").unwrap();
    assert_eq!(settings.server.target, Target::Local);
    assert!(!settings.name.firm);
    assert_eq!((room(&settings), settings.rooms_are_chosen), ("lobby", false));
}

#[test]
fn the_room_of_a_join_line_counts_as_much_as_the_line() {
    let settings = resolved("chat://h/ops", &ENVIRONMENT, "").unwrap();
    assert_eq!(room(&settings), "ops");
    let settings = resolved("chat://h/ops -r dev", &ENVIRONMENT, "").unwrap();
    assert_eq!(room(&settings), "dev");
    let settings = resolved("-r dev", &[("CHAT_SERVER", "chat://h/ops")], "").unwrap();
    assert_eq!((host(&settings), room(&settings)), ("h", "dev"));
}

#[test]
fn a_bad_environment_variable_is_named() {
    for (variable, value) in [("CHAT_SERVER", ":"), ("CHAT_NAME", "a b"), ("CHAT_ROOM", "a b")] {
        let error = resolved("", &[(variable, value)], "").unwrap_err();
        assert!(error.to_string().contains(variable), "{error}");
    }
}

#[test]
fn a_mistake_in_the_file_is_told_with_its_line_and_the_rest_counts() {
    let read = file("server = \"h\"\nnmae = \"ada\"\nroom = 3\n[deep]\nx = 1\n");
    let said: Vec<String> = read.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(said.len(), 3, "{said:?}");
    assert!(
        said[0]
            .starts_with("config.toml, line 2: nmae: there is no such setting; did you mean name?"),
        "{said:?}"
    );
    assert!(said[1].starts_with("config.toml, line 3: room: it is a text"), "{said:?}");
    assert!(said[2].starts_with("config.toml, line 4: deep: there is no such"), "{said:?}");
    assert!(read.given.server.is_some());
    assert!(read.given.rooms.is_empty());
}

#[test]
fn a_line_that_is_no_toml_spoils_only_itself() {
    let read = file("name = \"ada\"\nroom = \"ops\nserver = \"h\"\n");
    assert_eq!(read.warnings.len(), 1, "{:?}", read.warnings);
    assert_eq!(read.warnings[0].line, Some(2));
    assert!(read.given.name.is_some() && read.given.server.is_some());
    assert!(read.given.rooms.is_empty());
}

#[test]
fn a_line_of_a_section_that_is_no_toml_spoils_only_itself_and_is_told_once() {
    let read =
        file("[keys]\nhelp = \"F2\nquit = \"F3\"\n[colors]\ngood = \"cyan\nquiet = \"blue\"\n");
    let lines: Vec<_> = read.warnings.iter().map(|warning| warning.line).collect();
    assert_eq!(lines, [Some(2), Some(5)], "{:?}", read.warnings);
    assert_eq!(read.looks.keymap.hint(Action::Help), "F1", "nobody wrote F2 in quotes");
    assert_eq!(read.looks.keymap.hint(Action::Quit), "F3");
    assert_eq!(read.looks.colors.get("good"), None);
    assert!(read.looks.colors.get("quiet").is_some());
}

#[test]
fn a_key_that_terminals_send_as_another_is_refused_with_that_one_and_a_conflict_is_seen() {
    let said = |text: &str| file(text).warnings.iter().map(ToString::to_string).collect::<String>();
    assert_eq!(said("[keys]\nundo = \"Ctrl-_\"\n"), "");
    let other = said("[keys]\nhelp = \"Ctrl-/\"\n");
    assert!(other.contains("terminals send the same for Ctrl-/ as for Ctrl-_"), "{other}");
    let conflict = said("[keys]\nhelp = \"Ctrl-_\"\n");
    assert!(conflict.contains("Ctrl-_ is bound to undo and to help"), "{conflict}");
    let twice = said("[keys]\nhelp = [\"F2\", \"F2\"]\n");
    assert!(twice.contains("F2 stands twice in the keys of help"), "{twice}");
}

#[test]
fn a_list_with_a_line_that_is_no_toml_does_not_count() {
    let read = file("[keys]\nhelp = [\n  \"F2\n]\nquit = \"F3\"\n");
    assert!(read.warnings.iter().all(|warning| warning.line != Some(1)), "{:?}", read.warnings);
    assert_eq!(read.looks.keymap.hint(Action::Help), "F1", "nobody wrote F2 in quotes");
}

#[test]
fn a_file_that_is_not_there_says_nothing() {
    let read = FileSettings::read(Path::new("/nonexistent/config.toml"));
    assert_eq!(read, FileSettings::default());
}

#[test]
fn what_is_printed_is_a_file_that_means_the_same() {
    let settings = resolved("--server h:7 --name ada -r ops", &[], FILE).unwrap();
    let text = config_text(&settings, None);
    let read = file(&text);
    assert_eq!(read.warnings, []);
    let again = resolve(Given::default(), |_| None, read).unwrap();
    assert_eq!(again, settings);
    let defaults = config_text(&resolved("--data-dir /d", &[], "").unwrap(), None);
    for line in ["#server = ", "#name = ", "#room = \"lobby\"", "data-dir = \"/d\""] {
        assert!(defaults.contains(line), "{defaults}");
    }
}

#[test]
fn a_directory_has_one_spelling_and_may_begin_at_home_wherever_it_is_given() {
    let wrong = file("data_dir = \"/d\"\n");
    assert!(wrong.warnings[0].reason.contains("spelled data-dir"), "{:?}", wrong.warnings);
    assert_eq!(wrong.given.data_dir, None);
    let home = etcetera::home_dir().unwrap();
    for (line, environment, text) in [
        ("--data-dir=~/d", &[][..], ""),
        ("", &[("CHAT_DATA_DIR", "~/d")], ""),
        ("", &[], "data-dir = \"~/d\""),
    ] {
        assert_eq!(resolved(line, environment, text).unwrap().data_dir, home.join("d"));
    }
    assert_eq!(resolved("--data-dir=~", &[], "").unwrap().data_dir, home);
    assert_eq!(resolved("--data-dir=d/~x", &[], "").unwrap().data_dir, Path::new("d/~x"));
}

const LOOKS: &str = r##"
[keys]
go-to = "Ctrl-G"
help = ["F1", "Alt-h"]
send = "Enter"

[colors]
mention = "bright-red on 214 bold"
names = ["cyan", "#ff8700"]
"##;

#[test]
fn a_file_can_set_keys_and_colours_and_they_are_printed() {
    let read = file(LOOKS);
    assert_eq!(read.warnings, []);
    let settings = resolve(given("--data-dir /d"), |_| None, read).unwrap();
    let keymap = &settings.looks.keymap;
    assert_eq!(keymap.hint(Action::GoTo), "Ctrl-G");
    let help = keymap.bindings().iter().find(|binding| binding.action == Action::Help).unwrap();
    assert_eq!(help.keys.iter().map(ToString::to_string).collect::<Vec<_>>(), ["F1", "Alt-h"]);
    let theme = Theme::coloured().painted(&settings.looks.colors);
    assert_eq!(theme.names.len(), 2);
    assert_ne!(theme.mention, Theme::coloured().mention);
    let text = config_text(&settings, None);
    for line in [
        "\ngo-to = [\"Ctrl-G\"]",
        "\n#quit = [\"Ctrl-Q\"]",
        "\n#good = \"green\"",
        "\nmention = \"lightred on 214 bold\"",
    ] {
        assert!(text.contains(line), "{line}:\n{text}");
    }
    let again = file(&text);
    assert_eq!(again.warnings, []);
    assert_eq!(resolve(Given::default(), |_| None, again).unwrap(), settings);
}

#[test]
fn what_is_printed_commented_out_is_what_holds_without_it() {
    let settings = resolved("--data-dir /d", &[], "").unwrap();
    let text = config_text(&settings, None);
    let (_settings, looks) = text.split_once("[keys]\n").unwrap();
    let looks: String =
        looks.lines().map(|line| format!("{}\n", line.strip_prefix('#').unwrap_or(line))).collect();
    let looks: String = looks
        .lines()
        .filter(|line| !line.starts_with(' '))
        .map(|line| format!("{line}\n"))
        .collect();
    let read = file(&format!("[keys]\n{looks}"));
    assert_eq!(read.warnings, []);
    assert_eq!(read.looks.keymap, Keymap::default());
    assert_eq!(Theme::coloured().painted(&read.looks.colors), Theme::coloured());
}

#[test]
fn a_mistake_in_keys_or_colours_is_told_with_its_line_and_what_was_meant() {
    let text = "[keys]\ngoto = \"Ctrl-G\"\nhelp = \"h\"\nquit = 3\n[colors]\nmetnion = \"red\"\ngood = \"gren\"\n\
                text = [\"red\", \"blue\"]\n";
    let read = file(text);
    let said: Vec<String> = read.warnings.iter().map(ToString::to_string).collect();
    let wanted = [
        "line 2: keys: goto: there is no such action; did you mean go-to?",
        "line 3: keys: help: 'h' is typed as it is",
        "line 4: keys: quit: it is a key in quotes",
        "line 6: colors: metnion: there is no such style; did you mean mention?",
        "line 7: colors: good: \"gren\" is no colour",
        "line 8: colors: text: it is one text",
    ];
    assert_eq!(said.len(), wanted.len(), "{said:#?}");
    for (said, wanted) in said.iter().zip(wanted) {
        assert!(said.contains(wanted), "{said}: {wanted}");
    }
}

#[test]
fn a_key_that_would_do_two_things_is_refused_and_the_usual_keys_stay() {
    let read = file("[keys]\nhelp = \"Ctrl-K\"\nquit = \"F10\"\n");
    let said: Vec<String> = read.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(said.len(), 1, "{said:?}");
    let conflict =
        "line 1: keys: Ctrl-K is bound to go-to and to help; give one of them another key";
    assert!(said[0].contains(conflict) && said[0].contains("usual keys"), "{said:?}");
    assert_eq!(read.looks.keymap, Keymap::default());
    assert_eq!(file("[keys]\nhelp = []\n").warnings.len(), 1, "the help needs a key");
    let swapped = file("[keys]\nhelp = \"Ctrl-K\"\ngo-to = \"F1\"\n");
    assert_eq!(swapped.warnings, []);
    assert_eq!(file("keys = 3\n").warnings.len(), 1);
}

#[test]
fn two_names_never_share_a_key_by_accident() {
    let key = |line: &str, environment: &[(&str, &str)], text: &str| {
        let settings = resolved(line, environment, text).unwrap();
        (settings.identity.map(|key| key.to_string()), settings.identity_passed_over.is_some())
    };
    let file = "name = \"ada\"\nidentity = \"agent\"\n";
    let agent = || Some("agent".to_owned());
    assert_eq!(key("", &[], file), (agent(), false));
    assert_eq!(key("", &[], "identity = \"agent\"\n"), (agent(), false));
    // Whoever says a name more closely than the key is somebody else.
    assert_eq!(key("--name bot", &[], file), (None, true));
    assert_eq!(key("", &[("CHAT_NAME", "bot")], file), (None, true));
    assert_eq!(key("--name bot", &[("CHAT_IDENTITY", "/key")], ""), (None, true));
    // Unless the key is said as closely.
    assert_eq!(key("--name bot --identity agent", &[], file), (agent(), false));
    let both = [("CHAT_NAME", "bot"), ("CHAT_IDENTITY", "/key")];
    assert_eq!(key("", &both, file), (Some("/key".to_owned()), false));
    assert_eq!(key("--identity agent", &[("CHAT_NAME", "bot")], file), (agent(), false));
}
