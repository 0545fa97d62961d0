//! The command line and the environment.

use std::path::{Path, PathBuf};

use chat_files::places;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, Parser, Subcommand};

use super::choices::{ConnectionCount, ListenChoice, LogFilter, RequestRate, SocketChoice};
use super::file::File;
use super::limits::LimitArgs;
use super::{Address, Config, FileError, RegistrationSetting, SocketMode};
use crate::ctl::cli::CtlOrder;
use crate::ctl::verb::{AccountVerb, AdminVerb, Verb};
use crate::store::Durability;
use crate::tls::CertificateFiles;

/// What a command line orders.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Order {
    /// To serve.
    Serve(Config),
    /// To print the settings in force as a TOML file.
    Print(Config),
    /// To have a daemon that runs do something.
    Ctl(CtlOrder),
}

/// Reads the command line, the environment and the file. What is wrong with them is printed with
/// the usage, and ends the process with status 2; so do `--help` and `--version`, with status 0.
#[must_use]
pub fn from_command_line() -> Order {
    let args = Args::try_parse().unwrap_or_else(|error| with_usage(error).exit());
    let prints = args.print_config;
    if let Some(subcommand) = args.subcommand.clone() {
        let (is_json, verb) = subcommand.verb();
        return match args.sockets(File::read) {
            Ok(sockets) => Order::Ctl(CtlOrder { sockets, verb, is_json }),
            Err(error) => Args::command().error(ErrorKind::ValueValidation, error).exit(),
        };
    }
    match args.resolve(File::read) {
        Ok(config) if prints => Order::Print(config),
        Ok(config) => Order::Serve(config),
        Err(error) => Args::command().error(ErrorKind::ValueValidation, error).exit(),
    }
}

/// Reads the file again that the command line or the environment of this process names, if there is
/// one. It must be a regular file; a disk that hangs is waited for.
///
/// # Errors
/// What is wrong with them, in a sentence. The settings of before are still good.
pub fn read_again() -> Result<Config, String> {
    let args = Args::try_parse().map_err(|error| error.to_string())?;
    args.resolve(File::read_again).map_err(|error| error.to_string())
}

/// A value that is refused comes without the usage otherwise.
fn with_usage(mut error: clap::Error) -> clap::Error {
    if matches!(error.kind(), ErrorKind::ValueValidation | ErrorKind::InvalidValue) {
        let usage = Args::command().render_usage();
        error.insert(ContextKind::Usage, ContextValue::StyledStr(usage));
    }
    error
}

/// A chat server: everything said is on disk before anybody sees it.
///
/// Without any flag it listens at 127.0.0.1:5018 and at a Unix socket for this user.
#[derive(Debug, Parser)]
#[command(name = "chatd", version, max_term_width = 100, disable_help_subcommand = true)]
struct Args {
    /// Address to listen at, repeatable; 0.0.0.0 is every IPv4 one, [::] every IPv6 one, port 0 any
    /// free one, none is no TCP
    /// [default: 127.0.0.1:5018]
    #[arg(long, value_name = "ADDR", env = "CHATD_LISTEN", hide_env_values = true)]
    #[arg(value_delimiter = ',')]
    listen: Option<Vec<ListenChoice>>,

    /// Unix socket for the clients of this machine; none is no socket
    /// [default: $XDG_RUNTIME_DIR/chatd.sock]
    #[arg(long, value_name = "PATH", env = "CHATD_SOCKET", hide_env_values = true, global = true)]
    socket: Option<SocketChoice>,

    /// Who may use the Unix socket, as chmod takes it: 0600 is this user alone, 0660 a group, too
    /// [default: 0600, and with --socket-group 0660]
    #[arg(long, value_name = "MODE", env = "CHATD_SOCKET_MODE", hide_env_values = true)]
    socket_mode: Option<SocketMode>,

    /// Group whose members may use the Unix socket, by name or number
    #[arg(long, value_name = "GROUP", env = "CHATD_SOCKET_GROUP", hide_env_values = true)]
    socket_group: Option<String>,

    /// Where the messages and the server's identity are kept
    /// [default: $XDG_STATE_HOME/chatd or ~/.local/state/chatd]
    #[arg(long, value_name = "DIR", env = "CHATD_DATA_DIR", hide_env_values = true, global = true)]
    data_dir: Option<PathBuf>,

    /// What a sent message survives: full is a loss of power too, process only a kill
    /// [default: full]
    #[arg(long, value_name = "full|process", env = "CHATD_DURABILITY", hide_env_values = true)]
    durability: Option<Durability>,

    /// Begin an empty store where there was one that is missing now; one that is there is used
    #[arg(long, value_name = "true|false", env = "CHATD_NEW_STORE", hide_env_values = true)]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    new_store: Option<bool>,

    /// How many requests an account may make in a second, over all its connections, and four times as
    /// many at once; past it the server reads them later [default: 5000]
    #[arg(long, value_name = "N", env = "CHATD_REQUESTS_PER_SECOND", hide_env_values = true)]
    requests_per_second: Option<RequestRate>,

    /// Certificate to show over TLS, in PEM with what leads from it to a known authority; SIGHUP reads it
    /// anew [default: one that the server makes for itself]
    #[arg(long, value_name = "FILE", env = "CHATD_TLS_CERTIFICATE", hide_env_values = true)]
    tls_certificate: Option<PathBuf>,

    /// The certificate's key, in PEM without a passphrase
    #[arg(long, value_name = "FILE", env = "CHATD_TLS_KEY", hide_env_values = true)]
    tls_key: Option<PathBuf>,

    /// Serve clients of other machines without TLS, too: whoever is in between can read everything
    #[arg(
        long,
        value_name = "true|false",
        env = "CHATD_INSECURE_PLAINTEXT",
        hide_env_values = true
    )]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    insecure_plaintext: Option<bool>,

    /// How many connections there may be [default: as many as there are file descriptors for]
    #[arg(long, value_name = "N", env = "CHATD_CONNECTIONS", hide_env_values = true)]
    connections: Option<ConnectionCount>,

    /// Who gets an account: open is everybody, invite is who has an invitation, closed is nobody; auto
    /// is open at the Unix socket, and over TCP while it listens at loopback alone, else invite
    /// [default: auto]
    #[arg(long, value_name = "auto|open|invite|closed", env = "CHATD_REGISTRATION")]
    #[arg(hide_env_values = true)]
    registration: Option<RegistrationSetting>,

    #[command(flatten)]
    limits: LimitArgs,

    /// Which log lines go to stderr, as in info or chatd=debug [default: info]
    #[arg(long, value_name = "LEVEL", env = "CHATD_LOG", hide_env_values = true)]
    log: Option<LogFilter>,

    /// File with the same settings; flags and environment variables win over it
    #[arg(long, value_name = "FILE", env = "CHATD_CONFIG", hide_env_values = true, global = true)]
    config: Option<PathBuf>,

    /// At this start, give messages that are later than now this time: the clock was ahead once, and
    /// is right now
    #[arg(long)]
    correct_times: bool,

    /// Print every setting with the value in force, as a file for --config, and exit
    #[arg(long)]
    print_config: bool,

    #[command(subcommand)]
    subcommand: Option<Subcommands>,
}

/// What a daemon that runs is asked for.
#[derive(Clone, Debug, Subcommand)]
enum Subcommands {
    /// Ask a daemon that runs, or have it do something, as the user who runs it
    Ctl {
        /// Print a line of JSON for each record
        #[arg(long = "json", global = true)]
        is_json: bool,

        #[command(subcommand)]
        verb: Verb,
    },
    /// As chatd ctl account
    Account {
        /// Print a line of JSON for each record
        #[arg(long = "json", global = true)]
        is_json: bool,

        #[command(subcommand)]
        verb: AccountVerb,
    },
    /// As chatd ctl admin
    Admin {
        /// Print a line of JSON for each record
        #[arg(long = "json", global = true)]
        is_json: bool,

        #[command(subcommand)]
        verb: AdminVerb,
    },
}

impl Subcommands {
    /// What is asked for, and whether the answer is to be JSON.
    fn verb(self) -> (bool, Verb) {
        match self {
            Self::Ctl { is_json, verb } => (is_json, verb),
            Self::Account { is_json, verb } => (is_json, Verb::Account(verb)),
            Self::Admin { is_json, verb } => (is_json, Verb::Admin(verb)),
        }
    }
}

/// Says why settings do not go together.
#[derive(Debug, thiserror::Error)]
enum ArgsError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error("--listen none stands alone; leave it out to listen at the other addresses")]
    NoneAmongOthers,
    #[error("--tls-certificate and --tls-key go together: the other one is missing")]
    HalfACertificate,
    #[error("{path:?} is in the home directory, and there is none: HOME is not set")]
    NoHome { path: PathBuf },
}

impl Args {
    /// Where a daemon with these settings may be, the likeliest first.
    fn sockets(
        self,
        read: impl FnOnce(&Path) -> Result<File, FileError>,
    ) -> Result<Vec<PathBuf>, ArgsError> {
        let file = match &self.config {
            Some(path) => read(path)?,
            None => File::default(),
        };
        match self.socket.or(file.socket) {
            Some(SocketChoice::At(path)) => Ok(vec![whole(&path)?]),
            Some(SocketChoice::None) => Ok(Vec::new()),
            // Another daemon must not do what was meant for the one with these data.
            None => match self.data_dir.or(file.data_dir) {
                Some(data_dir) => Ok(vec![places::socket(&whole(&data_dir)?)]),
                None => Ok(places::usual_sockets()),
            },
        }
    }

    /// The settings in force, with those of the file that `read` reads.
    fn resolve(
        self,
        read: impl FnOnce(&Path) -> Result<File, FileError>,
    ) -> Result<Config, ArgsError> {
        let mut file = match &self.config {
            Some(path) => read(path)?,
            None => File::default(),
        };
        let limits = self.limits.resolve(&mut file);
        let listen = match self.listen {
            Some(choices) => addresses(choices)?,
            None => file.listen.unwrap_or_else(|| vec![Address::default()]),
        };
        let data_dir = self.data_dir.or(file.data_dir).unwrap_or_else(places::data_dir);
        let data_dir = whole(&data_dir)?;
        let socket = match self.socket.or(file.socket) {
            Some(SocketChoice::At(path)) => Some(whole(&path)?),
            Some(SocketChoice::None) => None,
            None => Some(places::socket(&data_dir)),
        };
        let socket_group = self.socket_group.or(file.socket_group);
        let usual_mode = socket_group.as_ref().map_or(SocketMode::USER, |_group| SocketMode::GROUP);
        let defaults = Config::default();
        let tls_certificate = self.tls_certificate.or(file.tls_certificate);
        let certificate = certificate(tls_certificate, self.tls_key.or(file.tls_key))?;
        let insecure_plaintext = self.insecure_plaintext.or(file.insecure_plaintext);
        Ok(Config {
            listen: listen.iter().map(Address::to_string).collect(),
            socket,
            socket_mode: self.socket_mode.or(file.socket_mode).unwrap_or(usual_mode),
            socket_group,
            data_dir,
            correct_times: self.correct_times,
            durability: self.durability.or(file.durability).unwrap_or(defaults.durability),
            new_store: self.new_store.or(file.new_store).unwrap_or(defaults.new_store),
            requests_per_second: self
                .requests_per_second
                .or(file.requests_per_second)
                .map_or(defaults.requests_per_second, |rate| rate.0),
            certificate,
            insecure_plaintext: insecure_plaintext.unwrap_or(defaults.insecure_plaintext),
            connections: self.connections.or(file.connections).map(|count| count.0),
            registration: self.registration.or(file.registration).unwrap_or_default(),
            limits,
            log: self.log.or(file.log).map_or(defaults.log, |filter| filter.0),
        })
    }
}

/// Both files, or none.
fn certificate(
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
) -> Result<Option<CertificateFiles>, ArgsError> {
    match (certificate, key) {
        (Some(certificate), Some(key)) => {
            Ok(Some(CertificateFiles { certificate: whole(&certificate)?, key: whole(&key)? }))
        }
        (None, None) => Ok(None),
        _ => Err(ArgsError::HalfACertificate),
    }
}

fn addresses(choices: Vec<ListenChoice>) -> Result<Vec<Address>, ArgsError> {
    if choices == [ListenChoice::None] {
        return Ok(Vec::new());
    }
    let addresses = choices.into_iter().map(|choice| match choice {
        ListenChoice::At(address) => Ok(address),
        ListenChoice::None => Err(ArgsError::NoneAmongOthers),
    });
    addresses.collect()
}

/// The whole path, which stays right when it is read elsewhere than where it was written. `~` is the
/// home directory, also where no shell has seen it.
fn whole(path: &Path) -> Result<PathBuf, ArgsError> {
    if let Ok(rest) = path.strip_prefix("~") {
        let home = places::home().ok_or_else(|| ArgsError::NoHome { path: path.to_owned() })?;
        return Ok(home.join(rest));
    }
    Ok(std::path::absolute(path).unwrap_or_else(|_no_current_directory| path.to_owned()))
}
