//! Where a connection or a request comes from, for their bounds: the peer, or what a proxy of ours says of the one behind it.
use std::convert::Infallible;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::HeaderMap;
use axum::http::request::Parts;

use crate::state::App;

/// Addresses that begin alike, as `10.0.0.0/8` or one address alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    first: IpAddr,
    bits: u32,
}

/// A text that names no network.
#[derive(Debug, thiserror::Error)]
#[error("give an address such as 10.0.0.7, or a network such as 10.0.0.0/8")]
pub struct NetworkError;

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| NetworkError)?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits
            .map_or(Ok(most), str::parse)
            .map_err(|_| NetworkError)?;
        if bits > most {
            return Err(NetworkError);
        }
        Ok(Self {
            first: address,
            bits,
        })
    }
}

impl Network {
    fn contains(&self, address: IpAddr) -> bool {
        match (self.first, address) {
            (IpAddr::V4(first), IpAddr::V4(address)) => alike(
                first.to_bits().into(),
                address.to_bits().into(),
                32 - self.bits,
            ),
            (IpAddr::V6(first), IpAddr::V6(address)) => {
                alike(first.to_bits(), address.to_bits(), 128 - self.bits)
            }
            _ => false,
        }
    }
}

fn alike(one: u128, two: u128, ignored: u32) -> bool {
    (one ^ two).checked_shr(ignored).unwrap_or(0) == 0
}

/// Who a request is from: one IPv4 address, or the first half of an IPv6 address, which is what one customer has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address(pub IpAddr);

impl FromRequestParts<App> for Address {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        let peer = parts
            .extensions
            .get::<ConnectInfo<SocketAddr>>()
            .map_or(IpAddr::from([0, 0, 0, 0]), |ConnectInfo(peer)| peer.ip());
        Ok(Self(party(client(
            peer,
            &parts.headers,
            &app.config.trusted_proxies,
        ))))
    }
}

/// Whether an address is in one of these networks.
pub(super) fn is_in(networks: &[Network], address: IpAddr) -> bool {
    networks.iter().any(|network| network.contains(address))
}

/// The nearest address that is no proxy of ours. Each proxy appends whom it heard; anything left of the first stranger
/// is what the stranger made up.
fn client(peer: IpAddr, headers: &HeaderMap, trusted: &[Network]) -> IpAddr {
    let mut nearest = peer.to_canonical();
    let said: Vec<_> = headers
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .collect();
    for said in said.into_iter().rev() {
        if !is_in(trusted, nearest) {
            break;
        }
        let Ok(address) = said.trim().parse::<IpAddr>() else {
            break;
        };
        nearest = address.to_canonical();
    }
    nearest
}

/// Who an address stands for.
pub(super) fn party(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(peer: &str, said: &[&str], trusted: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in said {
            headers.append("x-forwarded-for", line.parse().unwrap());
        }
        let trusted: Vec<Network> = trusted.iter().map(|text| text.parse().unwrap()).collect();
        client(peer.parse().unwrap(), &headers, &trusted).to_string()
    }

    #[test]
    fn only_a_proxy_of_ours_is_believed_and_only_about_its_own_peer() {
        let ours = &["10.0.0.0/8", "fd00::/8"][..];
        for (peer, said, expected) in [
            ("192.0.2.1", &[][..], "192.0.2.1"),
            // A stranger says what it likes.
            ("192.0.2.1", &["198.51.100.9"], "192.0.2.1"),
            ("10.0.0.7", &["198.51.100.9"], "198.51.100.9"),
            ("::ffff:10.0.0.7", &["198.51.100.9"], "198.51.100.9"),
            // What the client itself sent stands on the left.
            ("10.0.0.7", &["1.2.3.4, 198.51.100.9"], "198.51.100.9"),
            (
                "10.0.0.7",
                &["1.2.3.4", "198.51.100.9, 10.1.1.1"],
                "198.51.100.9",
            ),
            ("10.0.0.7", &["nonsense"], "10.0.0.7"),
            (
                "10.0.0.7",
                &["198.51.100.9, nonsense, 10.1.1.1"],
                "10.1.1.1",
            ),
            ("fd00::1", &["2001:db8::9"], "2001:db8::9"),
        ] {
            assert_eq!(from(peer, said, ours), expected, "{peer} {said:?}");
        }
        assert_eq!(from("10.0.0.7", &["198.51.100.9"], &[]), "10.0.0.7");
    }

    #[test]
    fn a_network_is_an_address_or_a_beginning() {
        for (network, inside, outside) in [
            ("10.0.0.7", "10.0.0.7", "10.0.0.8"),
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.0"),
            ("2001:db8::/32", "2001:db8:1::1", "2001:db9::1"),
        ] {
            let network: Network = network.parse().unwrap();
            assert!(network.contains(inside.parse().unwrap()), "{inside}");
            assert!(!network.contains(outside.parse().unwrap()), "{outside}");
        }
        let all: Network = "0.0.0.0/0".parse().unwrap();
        assert!(all.contains("192.0.2.1".parse().unwrap()));
        for wrong in ["", "x", "10.0.0.0/33", "10.0.0.0/", "10.0.0/8", "::/129"] {
            assert!(wrong.parse::<Network>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn one_customer_of_ipv6_is_one_party() {
        let of = |text: &str| party(text.parse().unwrap());
        assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff::9"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
    }
}
