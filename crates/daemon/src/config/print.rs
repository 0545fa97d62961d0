//! The settings in force as a TOML file.

use toml::Value;

use super::Config;

const REGISTRATION: &str = "\
# Who gets an account, when nobody signs in with that key yet: \"open\" is everybody, \"invite\" is who
# has an invitation, \"closed\" is nobody. \"auto\" is open at the Unix socket, and over TCP as long as
# all of `listen` is loopback; as soon as it listens elsewhere, TCP needs an invitation, loopback too.
# Whoever comes through `ssh -L`, a container's port or a proxy comes over loopback, and is not of this
# machine: say \"invite\" then. Who has an account comes in whatever this says. SIGHUP reads it anew.
# Flag --registration, environment CHATD_REGISTRATION.
";

impl Config {
    /// The settings as a file for `--config`, with what each means.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let version = env!("CARGO_PKG_VERSION");
        let listen = Value::Array(self.listen.iter().cloned().map(Value::String).collect());
        let socket = match &self.socket {
            Some(path) => quoted(path.to_string_lossy()),
            None => quoted("none"),
        };
        let socket_mode = quoted(self.socket_mode.to_string());
        let socket_group = match &self.socket_group {
            Some(group) => format!("socket-group = {}", quoted(&**group)),
            None => "# socket-group = \"chat\"".to_owned(),
        };
        let data_dir = quoted(self.data_dir.to_string_lossy());
        let durability = quoted(self.durability.as_str());
        let new_store = Value::Boolean(self.new_store);
        let requests = self.requests_per_second;
        let connections = match self.connections {
            Some(most) => format!("connections = {most}"),
            None => "# connections = 1000".to_owned(),
        };
        let registration = quoted(self.registration.to_string());
        let limits = self.limits.to_toml();
        let link = self.link_settings();
        let log = quoted(&*self.log);
        format!(
            "\
# chatd {version}: every setting, with the value in force.
# A flag wins over its environment variable, that over this file, that over the default.

# Addresses to listen at for TCP: \"HOST\" or \"HOST:PORT\". Without a port it is 5018; port 0 is any
# free one. \"0.0.0.0\" is every IPv4 address of this machine, \"[::]\" every IPv6 address; [] is no TCP.
# Flag --listen (repeatable), environment CHATD_LISTEN (separated by commas).
listen = {listen}

# Unix socket for the clients of this machine. \"none\" is no socket.
# Flag --socket, environment CHATD_SOCKET.
socket = {socket}

# Who may use it, as chmod takes it: \"0600\" is the user who runs chatd and nobody else, \"0660\" a group,
# too, \"0666\" everybody on this machine. Each has an account of its own there, as anywhere.
# Flag --socket-mode, environment CHATD_SOCKET_MODE.
socket-mode = {socket_mode}

# The group, by name or number; without it, that of the user who runs chatd. chatd must be in it.
# Flag --socket-group, environment CHATD_SOCKET_GROUP.
{socket_group}

# Where the messages and the server's identity are kept. One daemon at a time uses it.
# Flag --data-dir, environment CHATD_DATA_DIR.
data-dir = {data_dir}

# What a message survives once its sender is told that it is sent: \"full\" is a kill of the daemon
# and a loss of power; \"process\" is only a kill, and is faster where the disk is slow.
# Flag --durability, environment CHATD_DURABILITY.
durability = {durability}

# Whether to begin an empty store where something tells that there was one, and it is missing. For
# one start only: with it, a store that was lost or not mounted goes unnoticed.
# Flag --new-store, environment CHATD_NEW_STORE.
new-store = {new_store}

# How many requests an account may make in a second, over all its connections, and four times as many
# at once. Past it the server reads them later; nothing is refused. What is more work than a short
# message counts as several. 1000000000 is as good as no limit. SIGHUP reads it anew.
# Flag --requests-per-second, environment CHATD_REQUESTS_PER_SECOND.
requests-per-second = {requests}

{link}
# How many connections there may be; without it, as many as there are file descriptors for. SIGHUP
# reads it anew.
# Flag --connections, environment CHATD_CONNECTIONS.
{connections}

{REGISTRATION}registration = {registration}

{limits}
# Which log lines go to stderr: error, warn, info, debug or trace, also for a part, as in
# \"info,chatd::store=debug\". SIGHUP reads it anew.
# Flag --log, environment CHATD_LOG.
log = {log}
"
        )
    }
}

impl Config {
    /// Those of what is between the server and other machines.
    fn link_settings(&self) -> String {
        let [certificate, key] = match &self.certificate {
            Some(files) => [("tls-certificate", &files.certificate), ("tls-key", &files.key)]
                .map(|(setting, path)| format!("{setting} = {}", quoted(path.to_string_lossy()))),
            None => ["certificate", "key"]
                .map(|what| format!("# tls-{what} = \"/etc/chatd/{what}.pem\"")),
        };
        let insecure_plaintext = Value::Boolean(self.insecure_plaintext);
        format!(
            "\
# Certificate to show over TLS, in PEM with what leads from it to a known authority, and its key. Without
# them the server makes a certificate for itself at each start: clients know the server by its identity,
# and look at no certificate unless they are told to. SIGHUP reads both anew.
# Flags --tls-certificate, --tls-key, environment CHATD_TLS_CERTIFICATE, CHATD_TLS_KEY.
{certificate}
{key}

# Whether clients of other machines are served without TLS, too. Whoever is in between can then read
# everything. On this machine nobody needs TLS. SIGHUP reads it anew.
# Flag --insecure-plaintext, environment CHATD_INSECURE_PLAINTEXT.
insecure-plaintext = {insecure_plaintext}
"
        )
    }
}

fn quoted(text: impl Into<String>) -> Value {
    Value::String(text.into())
}
