//! Who may be reached: the mode, the administrator's list, the ports. Decides by name here and by address in `dial`.
use std::str::FromStr;

use crate::config::EgressMode;

/// Ports that may be reached on any host.
const PORTS: [u16; 2] = [80, 443];

/// A host and port as a client asked for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    /// Lower case, without brackets and closing dot.
    pub(super) host: String,
    pub(super) port: u16,
}

impl Target {
    /// Parses `host:port`, `[v6]:port` or, with a default port, the host alone.
    pub(super) fn parse(text: &str, default_port: Option<u16>) -> Option<Self> {
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (host, rest) = rest.split_once(']')?;
                host.parse::<std::net::Ipv6Addr>().ok()?;
                (host, rest.strip_prefix(':'))
            }
            None => match text.rsplit_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (text, None),
            },
        };
        let port = match port {
            Some(port) => port.parse().ok()?,
            None => default_port?,
        };
        let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
        let plain = |c: char| c.is_ascii_alphanumeric() || "-._:".contains(c);
        (port != 0 && !host.is_empty() && host.len() <= 253 && host.chars().all(plain))
            .then_some(Self { host, port })
    }
}

/// One entry of the administrator's list: `host`, `*.domain`, either with `:port`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Allowed {
    host: String,
    below: bool,
    port: Option<u16>,
}

impl FromStr for Allowed {
    type Err = EgressError;
    fn from_str(text: &str) -> Result<Self, EgressError> {
        let bad = || EgressError::Entry(text.to_owned());
        let text = text.trim();
        let (below, rest) = match text.strip_prefix("*.") {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        // A bare IPv6 address has colons of its own.
        let (rest, port) = match rest.rsplit_once(':') {
            Some((host, port)) if !host.contains(':') || host.ends_with(']') => {
                (host, Some(port.parse().map_err(|_| bad())?))
            }
            _ => (rest, None),
        };
        let bare = rest.trim_start_matches('[').trim_end_matches(']');
        let shown = if bare.contains(':') {
            format!("[{bare}]")
        } else {
            bare.to_owned()
        };
        let target = Target::parse(&shown, Some(port.unwrap_or(443))).ok_or_else(bad)?;
        Ok(Self {
            host: target.host,
            below,
            port,
        })
    }
}

impl Allowed {
    fn matches(&self, target: &Target) -> bool {
        let host = if self.below {
            target
                .host
                .strip_suffix(&self.host)
                .is_some_and(|rest| rest.ends_with('.'))
        } else {
            target.host == self.host
        };
        host && self
            .port
            .map_or(PORTS.contains(&target.port), |port| port == target.port)
    }
}

/// Why the proxy cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum EgressError {
    /// An entry of the list cannot be read.
    #[error("--egress-allow: {0:?} is not a host, *.domain or either with :port")]
    Entry(String),
    /// The upstream proxy's address cannot be read.
    #[error("--egress-upstream: give http://HOST:PORT or http://USER:PASSWORD@HOST:PORT")]
    Upstream,
}

/// What a name and a port come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Any address, also a private one: an administrator has listed the host.
    Listed,
    /// Public addresses only.
    Public,
    /// No; the reason is for people.
    Refused(&'static str),
}

/// The mode and the list.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    mode: EgressMode,
    allowed: Vec<Allowed>,
}

impl Rules {
    pub(super) fn new(mode: EgressMode, allow: &[String]) -> Result<Self, EgressError> {
        let allowed = allow
            .iter()
            .filter(|text| !text.trim().is_empty())
            .map(|text| text.parse())
            .collect::<Result<_, _>>()?;
        Ok(Self { mode, allowed })
    }

    pub(super) fn judge(&self, target: &Target) -> Verdict {
        let listed = self.allowed.iter().any(|entry| entry.matches(target));
        match self.mode {
            EgressMode::None => Verdict::Refused("this server lets sessions reach no network"),
            EgressMode::Listed | EgressMode::Internet if listed => Verdict::Listed,
            EgressMode::Listed => Verdict::Refused(
                "this server lets sessions reach listed hosts only; an administrator can add it to --egress-allow",
            ),
            EgressMode::Internet if PORTS.contains(&target.port) => Verdict::Public,
            EgressMode::Internet => Verdict::Refused(
                "sessions reach ports 80 and 443 only, unless an administrator lists host:port",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Rules, Target, Verdict};
    use crate::config::EgressMode;

    fn judge(mode: EgressMode, allow: &[&str], target: &str) -> Verdict {
        let allow: Vec<String> = allow.iter().map(|text| (*text).to_owned()).collect();
        let target = Target::parse(target, None).expect(target);
        Rules::new(mode, &allow).expect("rules").judge(&target)
    }

    #[test]
    fn a_listed_host_may_be_private_and_others_may_not() {
        use EgressMode::{Internet, Listed, None};
        let list = [
            "mirror.example",
            "*.inner.example",
            "odd.example:8443",
            "[fd00::1]:443",
        ];
        assert_eq!(
            judge(Internet, &list, "MIRROR.example.:443"),
            Verdict::Listed
        );
        assert_eq!(
            judge(Internet, &list, "a.inner.example:80"),
            Verdict::Listed
        );
        assert_eq!(judge(Internet, &list, "inner.example:80"), Verdict::Public);
        assert_eq!(
            judge(Internet, &list, "notinner.example:80"),
            Verdict::Public
        );
        assert_eq!(judge(Internet, &list, "odd.example:8443"), Verdict::Listed);
        assert_eq!(judge(Internet, &list, "[fd00::1]:443"), Verdict::Listed);
        assert!(matches!(
            judge(Internet, &list, "mirror.example:22"),
            Verdict::Refused(_)
        ));
        assert_eq!(judge(Internet, &list, "other.example:443"), Verdict::Public);
        assert!(matches!(
            judge(Listed, &list, "other.example:443"),
            Verdict::Refused(_)
        ));
        assert!(matches!(
            judge(None, &list, "mirror.example:443"),
            Verdict::Refused(_)
        ));
    }

    #[test]
    fn what_is_not_a_host_and_a_port_is_refused() {
        for bad in [
            "", ":", "a", "a:", "a:0", "a:70000", "a b:80", "[::1:80", "[x]:80", "a/b:80", "@:80",
            "a\0:80",
        ] {
            assert_eq!(Target::parse(bad, None), None, "{bad:?}");
        }
        for bad in ["a b", "*.", "a:port", "http://x/"] {
            assert!(
                Rules::new(EgressMode::Listed, &[bad.to_owned()]).is_err(),
                "{bad:?}"
            );
        }
    }
}
