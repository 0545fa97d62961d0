//! Who gets an account where: the setting, and what it comes to at each way in.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

use chat_core::Registration;

/// Who gets an account.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum RegistrationSetting {
    /// Everybody at the Unix socket does; over TCP everybody, while all addresses are of loopback, else
    /// whoever has an invitation.
    #[default]
    Auto,
    /// The same at every way in.
    Is(Registration),
}

impl RegistrationSetting {
    /// How registration stands at the Unix socket.
    #[must_use]
    pub fn at_socket(self) -> Registration {
        match self {
            Self::Auto => Registration::Open,
            Self::Is(registration) => registration,
        }
    }

    /// How it stands over TCP, for a daemon that listens at these addresses.
    #[must_use]
    pub fn at_network(self, addresses: &[SocketAddr]) -> Registration {
        let is_alone = addresses.iter().all(|address| address.ip().to_canonical().is_loopback());
        match self {
            Self::Auto if is_alone => Registration::Open,
            Self::Auto => Registration::Invite,
            Self::Is(registration) => registration,
        }
    }
}

impl FromStr for RegistrationSetting {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "auto" => Ok(Self::Auto),
            _ => text
                .parse()
                .map(Self::Is)
                .map_err(|_other| "registration is auto, open, invite or closed"),
        }
    }
}

impl fmt::Display for RegistrationSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::Is(registration) => registration.as_str(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn over_tcp(setting: &str, addresses: &[&str]) -> Registration {
        let addresses: Vec<_> = addresses.iter().map(|address| address.parse().unwrap()).collect();
        setting.parse::<RegistrationSetting>().unwrap().at_network(&addresses)
    }

    #[test]
    fn loopback_is_open_only_while_the_daemon_listens_nowhere_else() {
        let loopback = ["127.0.0.1:5018", "[::1]:5018", "[::ffff:127.0.0.1]:5018"];
        assert_eq!(over_tcp("auto", &loopback), Registration::Open);
        for other in ["0.0.0.0:5018", "[::]:5018", "192.0.2.7:5018"] {
            assert_eq!(over_tcp("auto", &[loopback[0], other]), Registration::Invite, "{other}");
        }
        assert_eq!(RegistrationSetting::Auto.at_socket(), Registration::Open);
    }

    #[test]
    fn what_is_said_counts_at_every_way_in() {
        for registration in Registration::ALL {
            let setting: RegistrationSetting = registration.as_str().parse().unwrap();
            assert_eq!(setting.at_socket(), registration);
            assert_eq!(setting.at_network(&[]), registration);
            assert_eq!(setting.to_string(), registration.as_str());
        }
        assert!("opened".parse::<RegistrationSetting>().is_err());
    }
}
