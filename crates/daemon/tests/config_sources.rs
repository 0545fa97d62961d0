//! Flags, environment variables, the file and the defaults, as the program itself reads them.

use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

/// The program without anything of the environment that could choose for it.
fn chatd(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chatd"));
    command.env_clear().env("HOME", home).env("XDG_RUNTIME_DIR", home.join("run"));
    command
}

fn home() -> TempDir {
    tempfile::tempdir().expect("there is room")
}

fn output(command: &mut Command) -> Output {
    command.output().expect("the program is there")
}

/// The settings in force, as `--print-config` tells them.
fn settings(command: &mut Command) -> toml::Table {
    let output = output(command.arg("--print-config"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).parse().expect("what is printed is TOML")
}

/// What the program says when it refuses its settings.
fn refusal(command: &mut Command) -> String {
    let output = output(command);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(output.stdout.is_empty());
    assert!(said.contains("Usage: chatd"), "{said}");
    said
}

fn file(home: &TempDir, text: &str) -> std::path::PathBuf {
    let path = home.path().join("chatd.toml");
    std::fs::write(&path, text).expect("there is room");
    path
}

#[test]
fn without_a_word_the_defaults_count() {
    let home = home();
    let settings = settings(&mut chatd(home.path()));
    let at = |name| home.path().join(name).to_string_lossy().into_owned();
    assert_eq!(settings["listen"].as_array().map(Vec::len), Some(1));
    assert_eq!(settings["listen"][0].as_str(), Some("127.0.0.1:5018"));
    assert_eq!(settings["socket"].as_str(), Some(&*at("run/chatd.sock")));
    assert_eq!(settings["socket-mode"].as_str(), Some("0600"));
    assert!(!settings.contains_key("socket-group"), "that of the user");
    assert_eq!(settings["data-dir"].as_str(), Some(&*at(".local/state/chatd")));
    assert_eq!(settings["durability"].as_str(), Some("full"));
    assert_eq!(settings["new-store"].as_bool(), Some(false));
    assert_eq!(settings["requests-per-second"].as_integer(), Some(5_000));
    assert!(!settings.contains_key("connections"), "as many as the system allows");
    assert_eq!(settings["log"].as_str(), Some("info"));
}

#[test]
fn the_state_directory_can_be_named_and_a_service_needs_no_home() {
    let home = home();
    let named = settings(chatd(home.path()).env("XDG_STATE_HOME", "/state"));
    assert_eq!(named["data-dir"].as_str(), Some("/state/chatd"));
    let service = settings(chatd(home.path()).env_remove("HOME"));
    assert_eq!(service["data-dir"].as_str(), Some("/var/lib/chatd"));
}

#[test]
fn a_flag_wins_over_the_environment_that_over_the_file() {
    let home = home();
    let path = file(
        &home,
        "listen = ['10.0.0.1']\nsocket = '/file.sock'\ndata-dir = '/file'\n\
         durability = 'process'\nnew-store = true\nlog = 'error'\n\
         requests-per-second = 1\nconnections = 11\n",
    );
    let with_file = || {
        let mut command = chatd(home.path());
        command.arg("--config").arg(&path);
        command
    };
    let from_file = settings(&mut with_file());
    assert_eq!(from_file["listen"][0].as_str(), Some("10.0.0.1:5018"));
    assert_eq!(from_file["socket"].as_str(), Some("/file.sock"));
    assert_eq!(from_file["data-dir"].as_str(), Some("/file"));
    assert_eq!(from_file["durability"].as_str(), Some("process"));
    assert_eq!(from_file["new-store"].as_bool(), Some(true));
    assert_eq!(from_file["requests-per-second"].as_integer(), Some(1));
    assert_eq!(from_file["connections"].as_integer(), Some(11));
    assert_eq!(from_file["log"].as_str(), Some("error"));

    let with_env = || {
        let mut command = with_file();
        command.envs([
            ("CHATD_LISTEN", "10.0.0.2,[::1]:7"),
            ("CHATD_SOCKET", "/env.sock"),
            ("CHATD_DATA_DIR", "/env"),
            ("CHATD_DURABILITY", "full"),
            ("CHATD_NEW_STORE", "false"),
            ("CHATD_REQUESTS_PER_SECOND", "2"),
            ("CHATD_CONNECTIONS", "12"),
            ("CHATD_LOG", "warn"),
        ]);
        command
    };
    let from_env = settings(&mut with_env());
    assert_eq!(from_env["listen"].to_string(), r#"["10.0.0.2:5018", "[::1]:7"]"#);
    assert_eq!(from_env["socket"].as_str(), Some("/env.sock"));
    assert_eq!(from_env["data-dir"].as_str(), Some("/env"));
    assert_eq!(from_env["durability"].as_str(), Some("full"));
    assert_eq!(from_env["new-store"].as_bool(), Some(false));
    assert_eq!(from_env["requests-per-second"].as_integer(), Some(2));
    assert_eq!(from_env["connections"].as_integer(), Some(12));
    assert_eq!(from_env["log"].as_str(), Some("warn"));

    let from_flags = settings(with_env().args([
        "--listen=0.0.0.0",
        "--listen=localhost:0",
        "--socket=none",
        "--data-dir=/flag",
        "--durability=process",
        "--new-store",
        "--requests-per-second=3",
        "--connections=13",
        "--log=chatd=debug,info",
    ]));
    assert_eq!(from_flags["listen"].to_string(), r#"["0.0.0.0:5018", "localhost:0"]"#);
    assert_eq!(from_flags["socket"].as_str(), Some("none"));
    assert_eq!(from_flags["data-dir"].as_str(), Some("/flag"));
    assert_eq!(from_flags["durability"].as_str(), Some("process"));
    assert_eq!(from_flags["new-store"].as_bool(), Some(true));
    assert_eq!(from_flags["requests-per-second"].as_integer(), Some(3));
    assert_eq!(from_flags["connections"].as_integer(), Some(13));
    assert_eq!(from_flags["log"].as_str(), Some("chatd=debug,info"));
}

#[test]
fn a_group_of_the_socket_lets_its_members_in_unless_a_mode_says_otherwise() {
    let home = home();
    let path = file(&home, "socket-group = 'file'\n");
    let with_file = || {
        let mut command = chatd(home.path());
        command.arg("--config").arg(&path);
        command
    };
    let shown = |settings: &toml::Table| {
        let text = |name: &str| settings[name].as_str().map(str::to_owned);
        (text("socket-group").unwrap_or_default(), text("socket-mode").unwrap_or_default())
    };
    let of = |group: &str, mode: &str| (group.to_owned(), mode.to_owned());
    assert_eq!(shown(&settings(&mut with_file())), of("file", "0660"));
    let from_env =
        settings(with_file().env("CHATD_SOCKET_GROUP", "env").env("CHATD_SOCKET_MODE", "666"));
    assert_eq!(shown(&from_env), of("env", "0666"));
    let from_flags = settings(
        with_file()
            .env("CHATD_SOCKET_GROUP", "env")
            .env("CHATD_SOCKET_MODE", "666")
            .args(["--socket-group=flag", "--socket-mode=0600"]),
    );
    assert_eq!(shown(&from_flags), of("flag", "0600"));
    let path = file(&home, "socket-mode = '0640'\nsocket-group = 'file'\n");
    assert_eq!(shown(&settings(chatd(home.path()).arg("--config").arg(path))), of("file", "0640"));
}

#[test]
fn the_file_can_be_named_by_the_environment() {
    let home = home();
    let path = file(&home, "log = 'debug'\n");
    let settings = settings(chatd(home.path()).env("CHATD_CONFIG", path));
    assert_eq!(settings["log"].as_str(), Some("debug"));
}

#[test]
fn what_is_printed_is_a_file_that_says_the_same() {
    let home = home();
    let flags = [
        "--listen=none",
        "--socket=a \"quoted\" path",
        "--durability=process",
        "--connections=20",
        "--socket-group=a \"b\"",
    ];
    let first = output(chatd(home.path()).args(flags).arg("--print-config"));
    let path = file(&home, &String::from_utf8_lossy(&first.stdout));
    let second = output(chatd(home.path()).arg("--print-config").arg("--config").arg(path));
    assert_eq!(String::from_utf8_lossy(&second.stdout), String::from_utf8_lossy(&first.stdout));
}

#[test]
fn what_a_file_says_wrong_is_named_with_its_line() {
    let home = home();
    for (text, line, word) in [
        ("log = 'info'\n\nlisen = ['0.0.0.0']\n", 3, "`lisen`"),
        ("listen = '0.0.0.0'\n", 1, "sequence"),
        ("# a\nlisten = ['10.0.0.1', 'a b']\n", 2, "no host name"),
        ("\ndurability = 'half'\n", 2, "full or process"),
        ("log = 'info'\nsocket = ''\n", 2, "none"),
        ("log = 'loud'\n", 1, "warn"),
        ("socket-mode = 'rw'\n", 1, "octal"),
        ("log = 'info'\ndata-dir = 5\n", 2, "string"),
        ("data_dir = '/d'\n", 1, "`data-dir`"),
        ("\nrequests-per-second = 0\n", 2, "1 to 1000000000"),
        ("connections = 0\n", 1, "nobody"),
        ("log = \n", 1, ""),
    ] {
        let path = file(&home, text);
        let said = refusal(chatd(home.path()).arg("--config").arg(&path));
        assert!(said.contains(&format!("chatd.toml\", line {line}:")), "{text:?}: {said}");
        assert!(said.contains(word), "{text:?}: {said}");
    }
    let said = refusal(chatd(home.path()).arg("--config").arg(home.path().join("missing")));
    assert!(said.contains("cannot be read"), "{said}");
}

#[test]
fn wrong_flags_and_variables_are_refused_with_the_usage() {
    let home = home();
    for (flag, word) in [
        ("--lisen=0.0.0.0", "--lisen"),
        ("--listen=a b", "no host name"),
        ("--listen=:5018", "needs a host"),
        ("--listen=host:99999", "no port"),
        ("--listen=none,0.0.0.0", "stands alone"),
        ("--durability=half", "full or process"),
        ("--log=loud", "warn"),
        ("--socket=", "none"),
        ("--socket-mode=0060", "octal"),
        ("--requests-per-second=0", "1 to 1000000000"),
        ("--connections=many", "invalid digit"),
        ("stray", "stray"),
    ] {
        let said = refusal(chatd(home.path()).arg(flag));
        assert!(said.contains(word), "{flag}: {said}");
    }
    let said = refusal(chatd(home.path()).env("CHATD_DURABILITY", "half"));
    assert!(said.contains("full or process"), "{said}");
}

#[test]
fn a_path_may_begin_at_home_wherever_it_is_given() {
    let home = home();
    let path = file(&home, "data-dir = '~/data'\nsocket = '~/chatd.sock'\n");
    let at = |name| home.path().join(name).to_string_lossy().into_owned();
    let of_file = settings(chatd(home.path()).arg("--config").arg(&path));
    let of_flag = settings(chatd(home.path()).args(["--data-dir=~/data", "--socket=~/chatd.sock"]));
    let of_variable = settings(
        chatd(home.path()).env("CHATD_DATA_DIR", "~/data").env("CHATD_SOCKET", "~/chatd.sock"),
    );
    for settings in [of_file, of_flag, of_variable] {
        assert_eq!(settings["data-dir"].as_str(), Some(&*at("data")));
        assert_eq!(settings["socket"].as_str(), Some(&*at("chatd.sock")));
    }
    let said = refusal(chatd(home.path()).env_remove("HOME").arg("--data-dir=~/data"));
    assert!(said.contains("HOME"), "{said}");
}

#[test]
fn limits_have_defaults_come_from_every_source_and_are_printed_as_they_are_read() {
    let home = home();
    let counts = [
        ("connections-per-network", 2_000),
        ("sign-ins-per-minute", 1_200),
        ("accounts-per-hour", 120),
        ("joins-per-minute", 600),
        ("new-rooms-per-hour", 360),
    ];
    let defaults = settings(&mut chatd(home.path()));
    for (name, count) in counts {
        assert_eq!(defaults[name].as_integer(), Some(count), "{name}");
        let path = file(&home, &format!("{name} = 7\n"));
        let from_file = settings(chatd(home.path()).arg("--config").arg(&path));
        assert_eq!(from_file[name].as_integer(), Some(7), "{name}");
        let variable = format!("CHATD_{}", name.to_uppercase().replace('-', "_"));
        let with_env = || {
            let mut command = chatd(home.path());
            command.arg("--config").arg(&path).env(&variable, "8");
            command
        };
        assert_eq!(settings(&mut with_env())[name].as_integer(), Some(8), "{name}");
        let from_flag = settings(with_env().arg(format!("--{name}=9")));
        assert_eq!(from_flag[name].as_integer(), Some(9), "{name}");
        let said = refusal(chatd(home.path()).arg(format!("--{name}=0")));
        assert!(said.contains("1 to 1000000000"), "{said}");
    }
    assert_eq!(defaults["bulk-accounts"].to_string(), "[]");
    let path = file(&home, "bulk-accounts = ['feed']\nproxy-protocol-from = ['10.0.0.0/8']\n");
    let printed = settings(chatd(home.path()).arg("--config").arg(&path));
    assert_eq!(printed["bulk-accounts"].to_string(), r#"["feed"]"#);
    assert_eq!(printed["proxy-protocol-from"].to_string(), r#"["10.0.0.0/8"]"#);
    let flags = ["--bulk-accounts=feed,ci", "--proxy-protocol-from=192.0.2.1,2001:db8::/32"];
    let printed = settings(chatd(home.path()).args(flags));
    assert_eq!(printed["bulk-accounts"].to_string(), r#"["feed", "ci"]"#);
    let proxies = r#"["192.0.2.1/32", "2001:db8::/32"]"#;
    assert_eq!(printed["proxy-protocol-from"].to_string(), proxies);
    let said = refusal(chatd(home.path()).arg("--proxy-protocol-from=10.0.0.1/8"));
    assert!(said.contains("10.0.0.0/8"), "{said}");
    let said = refusal(chatd(home.path()).arg("--bulk-accounts=two words"));
    assert!(said.contains("bulk-accounts"), "{said}");
}
