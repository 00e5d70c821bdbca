//! The address of a server, as people type it and as it is kept.
use crate::error::CliError;

/// Where a server listens when nothing else is said.
pub const DEFAULT: &str = "http://127.0.0.1:8002";

/// A server's address: `https://host` or `http://host:port`, without a slash at its end.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Address(String);

impl Address {
    /// Reads what was typed. Without a scheme, this machine is spoken to in the clear and every other one is not.
    ///
    /// # Errors
    /// When it is no address.
    pub fn parse(typed: &str) -> Result<Self, CliError> {
        let invalid = || CliError::AddressInvalid(typed.to_owned());
        let text = typed.trim();
        let (scheme, host) = match text.split_once("://") {
            Some((scheme, host)) => (scheme.to_ascii_lowercase(), host),
            None if is_here(text) => ("http".to_owned(), text),
            None => ("https".to_owned(), text),
        };
        let host = host.trim_end_matches('/');
        // Neither a path, nor a name and a password, belongs to a server's address.
        let plain = |byte: u8| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b':' | b'[' | b']' | b'_')
        };
        if !matches!(scheme.as_str(), "http" | "https")
            || host.is_empty()
            || !host.bytes().all(plain)
        {
            return Err(invalid());
        }
        Ok(Self(format!("{scheme}://{}", host.to_ascii_lowercase())))
    }

    /// The address as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether what is sent there can be read on the way.
    #[must_use]
    pub fn is_open_to_readers(&self) -> bool {
        self.0
            .strip_prefix("http://")
            .is_some_and(|host| !is_here(host))
    }

    /// A file name that no other address has.
    #[must_use]
    pub fn file_name(&self) -> String {
        let escaped: String = self
            .0
            .bytes()
            .map(|byte| match byte {
                b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' => char::from(byte).to_string(),
                _ => format!("%{byte:02X}"),
            })
            .collect();
        format!("{escaped}.json")
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether a host, with or without a port, is this machine.
fn is_here(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(six) => six.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name.eq_ignore_ascii_case("localhost")
        || name
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_people_type_them() {
        for (typed, expected) in [
            ("http://127.0.0.1:8002/", Some("http://127.0.0.1:8002")),
            ("localhost:8002", Some("http://localhost:8002")),
            ("[::1]:8002", Some("http://[::1]:8002")),
            ("Slipway.Example.org", Some("https://slipway.example.org")),
            (" HTTPS://a.b:444 ", Some("https://a.b:444")),
            ("http://a.b", Some("http://a.b")),
            ("ftp://a.b", None),
            ("https://a.b/path", None),
            ("https://ada:secret@a.b", None),
            ("", None),
            ("https://", None),
        ] {
            let address = Address::parse(typed).ok();
            assert_eq!(address.as_ref().map(Address::as_str), expected, "{typed:?}");
        }
    }

    #[test]
    fn only_this_machine_is_spoken_to_in_the_clear_without_a_word() {
        let open = |text| Address::parse(text).unwrap().is_open_to_readers();
        assert!(open("http://a.b"));
        assert!(!open("https://a.b") && !open("localhost:1") && !open("http://127.0.0.2"));
    }
}
