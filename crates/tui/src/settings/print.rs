//! The settings in force, as a configuration file with a comment on each.

use std::path::Path;

use chat_client::{Target, TlsPolicy};

use super::Settings;
use crate::args::TokenChoice;
use crate::screen::keymap::Keymap;
use crate::screen::theme::{Colors, STYLES, Theme, style_words};

/// A line for each setting. What is only the default is commented out.
#[must_use]
pub fn config_text(settings: &Settings, place: Option<&Path>) -> String {
    let place = place.map(|path| path.display().to_string()).unwrap_or_default();
    let server = server(settings);
    let rooms = settings.rooms_are_chosen.then(|| settings.rooms.first()).flatten();
    let name = settings.name.firm.then(|| settings.name.wished.clone());
    let mut text = format!(
        "# The settings of chat-tui: {place}\n\
         # Each may be left out. The command line counts first, then the environment, then this \
         file.\n"
    );
    let mut line = |comment: &str, key: &str, is_set: bool, value: toml::Value| {
        let mark = if is_set { "" } else { "#" };
        text.push_str(&format!("\n# {comment}\n{mark}{key} = {value}\n"));
    };
    let mut setting = |comment: &str, key: &str, value: Option<&str>, default: &str| {
        let text = toml::Value::String(value.unwrap_or(default).to_owned());
        line(comment, key, value.is_some(), text);
    };
    setting(
        "The server: HOST, HOST:PORT, chat://HOST[:PORT]/ROOM#FINGERPRINT, or the path of a Unix\n\
         # socket; by default the one of this machine (--server, CHAT_SERVER)",
        "server",
        server.as_deref(),
        "127.0.0.1:5018",
    );
    setting(
        "What you are called; by default the login name, made free with a number if somebody has\n\
         # it (--name, CHAT_NAME)",
        "name",
        name.as_deref(),
        &settings.name.wished,
    );
    setting(
        "The room to open (--room, CHAT_ROOM)",
        "room",
        rooms.map(|room| room.as_str()),
        super::ROOM_DEFAULT,
    );
    setting(
        "The key that is you: a file of ssh-keygen's (Ed25519, ECDSA on P-256, sk-ssh-ed25519), or of an ssh-agent:\n\
         # agent, agent:COMMENT or SHA256:FINGERPRINT. By default the one of the name in data-dir, which is\n\
         # also taken when a name is given on the command line (--identity, CHAT_IDENTITY)",
        "identity",
        settings.identity.as_ref().map(ToString::to_string).as_deref(),
        "~/.ssh/id_ed25519",
    );
    setting(
        "A file with the token that a program signs in with, in place of a key (--token-file; CHAT_TOKEN is\n\
         # the token itself)",
        "token-file",
        settings.token.as_ref().and_then(TokenChoice::path).as_deref(),
        "~/.config/chat-tui/token",
    );
    setting(
        "Where your identity, the outbox and the logs are (--data-dir, CHAT_DATA_DIR)",
        "data-dir",
        Some(&settings.data_dir.to_string_lossy()),
        "",
    );
    tls(settings.tls, &mut setting);
    line(
        "Whether the screen listens to the mouse; false leaves it to the terminal, as Shift does\n\
         # while it is on (--mouse, CHAT_MOUSE)",
        "mouse",
        !settings.mouse,
        toml::Value::Boolean(settings.mouse),
    );
    text.push_str(&keys(&settings.looks.keymap));
    text.push_str(&colors(&settings.looks.colors));
    text
}

/// What is said of TLS.
fn tls(tls: TlsPolicy, setting: &mut impl FnMut(&str, &str, Option<&str>, &str)) {
    setting(
        "Whether TLS is spoken to a server of this machine, too, as through ssh -L: auto or always (--tls,\n\
         # CHAT_TLS)",
        "tls",
        tls.always.then_some("always"),
        "auto",
    );
    setting(
        "Whether the server's certificate has to be one of an authority that this system trusts, besides its\n\
         # identity: none or webpki (--tls-verify, CHAT_TLS_VERIFY)",
        "tls-verify",
        tls.checks_certificate.then_some("webpki"),
        "none",
    );
}

/// A line for each action of the screen.
fn keys(keymap: &Keymap) -> String {
    let mut text =
        "\n# The keys of the screen: for each action one, or a list. No key can do two things.\n\
                    [keys]\n"
            .to_owned();
    for (binding, usual) in keymap.bindings().iter().zip(Keymap::default().bindings()) {
        let mark = if binding == usual { "#" } else { "" };
        let keys: Vec<String> = binding.keys.iter().map(|key| quoted(&key.to_string())).collect();
        let (name, keys) = (binding.name, keys.join(", "));
        text.push_str(&format!("{mark}{name} = [{keys}]  # {}\n", binding.says));
    }
    text
}

/// A line for each style of the screen.
fn colors(colors: &Colors) -> String {
    let mut text = "\n# The colours of the screen: a colour (cyan, bright-red, 214, #ff8700, default), \"on\" \
                    and one for\n# what is behind it, and bold, dim, italic, underlined, reversed; \
                    NO_COLOR leaves only these\n[colors]\n"
        .to_owned();
    let usual = Theme::coloured();
    for (name, says) in STYLES {
        let set = colors.get(name);
        let mark = if set.is_none() { "#" } else { "" };
        let styles = set.unwrap_or_else(|| usual.styles(name));
        let words: Vec<String> = styles.iter().map(|style| quoted(&style_words(*style))).collect();
        let value = match &words[..] {
            [one] => one.clone(),
            all => format!("[{}]", all.join(", ")),
        };
        text.push_str(&format!("{mark}{name} = {value}  # {says}\n"));
    }
    text
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// The server as it would be given again.
fn server(settings: &Settings) -> Option<String> {
    let server = &settings.server;
    match (&server.target, &server.fingerprint) {
        (Target::Local, _) => None,
        (target @ Target::Tcp { .. }, Some(fingerprint)) => {
            Some(format!("chat://{target}/#{}", fingerprint.for_url()))
        }
        (target @ (Target::Unix(_) | Target::Tcp { .. }), _) => Some(target.to_string()),
    }
}
