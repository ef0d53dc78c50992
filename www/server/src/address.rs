//! The client's address: that of the connection or, behind a trusted proxy, the one that the proxy names.
//!
//! `X-Forwarded-For` and `Forwarded` (RFC 7239) are lists to which each proxy appends the address it received
//! from. Anybody can start such a list, so it is read from the right: the first address that is not a trusted
//! proxy's is the client's.

use std::net::{IpAddr, Ipv6Addr};

use axum::http::{HeaderMap, header::FORWARDED};

/// A range of addresses: `10.0.0.0/8`, `fd00::/8`, or one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cidr {
    base: IpAddr,
    bits: u32,
}

impl Cidr {
    pub fn parse(text: &str) -> Option<Self> {
        let (base, bits) = match text.split_once('/') {
            Some((base, bits)) => (base.parse().ok()?, Some(bits.parse().ok()?)),
            None => (text.parse().ok()?, None),
        };
        let most = if matches!(base, IpAddr::V4(_)) { 32 } else { 128 };
        let bits = bits.unwrap_or(most);
        (bits <= most).then_some(Self { base, bits })
    }

    pub fn contains(&self, address: IpAddr) -> bool {
        let shift = |most: u32| most - self.bits;
        match (self.base, address.to_canonical()) {
            (IpAddr::V4(base), IpAddr::V4(address)) => {
                let differs = u64::from(base.to_bits() ^ address.to_bits());
                differs >> shift(32) == 0
            }
            (IpAddr::V6(base), IpAddr::V6(address)) => {
                let differs = base.to_bits() ^ address.to_bits();
                differs.checked_shr(shift(128)).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}

/// The client's address.
pub fn client(peer: IpAddr, headers: &HeaderMap, trusted: &[Cidr]) -> IpAddr {
    let peer = peer.to_canonical();
    let is_trusted = |address| trusted.iter().any(|range| range.contains(address));
    if !is_trusted(peer) {
        return peer;
    }
    let said = |list: Vec<Option<IpAddr>>| {
        let mut client = peer;
        for address in list.into_iter().rev() {
            // An unreadable entry names no address: the last known proxy is used.
            let Some(address) = address else { break };
            client = address;
            if !is_trusted(client) {
                break;
            }
        }
        client
    };
    match (forwarded(headers), forwarded_for(headers)) {
        (Some(list), None) | (None, Some(list)) => said(list),
        // A proxy sets one of the two headers and may pass on the other, as written by the client. If they
        // differ nobody knows which is right, so neither is believed.
        (Some(one), Some(other)) => {
            let (one, other) = (said(one), said(other));
            if one == other { one } else { peer }
        }
        (None, None) => peer,
    }
}

/// The unit that rate limits count: an IPv4 address, or the /64 that an IPv6 host has for itself.
pub fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).to_string(),
    }
}

/// `X-Forwarded-For`, from left to right. A `None` in it is an entry without an address.
fn forwarded_for(headers: &HeaderMap) -> Option<Vec<Option<IpAddr>>> {
    let list = joined(headers, "x-forwarded-for")?;
    Some(list.split(',').map(|part| node(part.trim())).collect())
}

/// The `for` of each element of `Forwarded` (RFC 7239 section 4).
fn forwarded(headers: &HeaderMap) -> Option<Vec<Option<IpAddr>>> {
    let list = joined(headers, FORWARDED.as_str())?;
    Some(split(&list, ',').map(of_element).collect())
}

fn of_element(element: &str) -> Option<IpAddr> {
    let mut found = split(element, ';').filter_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        name.trim().eq_ignore_ascii_case("for").then_some(value.trim())
    });
    node(found.next()?.trim_matches('"'))
}

/// All lines of a header, in order. A line that is not text makes the whole header unreadable.
fn joined(headers: &HeaderMap, name: &str) -> Option<String> {
    let mut lines = headers.get_all(name).iter().peekable();
    lines.peek()?;
    let lines: Vec<&str> = lines.map(|line| line.to_str().unwrap_or("")).collect();
    Some(lines.join(","))
}

/// Splits at separators outside quotes.
fn split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    text.split(move |letter| {
        quoted ^= letter == '"';
        letter == separator && !quoted
    })
}

/// An address, with or without a port and brackets (RFC 7239 section 6). `unknown` and `_name` are not
/// addresses.
fn node(text: &str) -> Option<IpAddr> {
    let address = if let Some(rest) = text.strip_prefix('[') {
        rest.split_once(']')?.0
    } else if text.matches(':').count() == 1 {
        text.split_once(':')?.0
    } else {
        text
    };
    address.parse().ok().map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::{HeaderName, HeaderValue};

    fn told(lines: &[(&'static str, &'static str)]) -> String {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        let trusted = ["10.0.0.0/8", "fd00::/8"].map(|text| Cidr::parse(text).expect("a range"));
        client("10.0.0.1".parse().expect("an address"), &headers, &trusted).to_string()
    }

    #[test]
    fn the_rightmost_address_that_is_not_trusted_is_the_clients() {
        const FOR: &str = "x-forwarded-for";
        for (lines, client) in [
            (&[(FOR, "203.0.113.7")][..], "203.0.113.7"),
            (&[(FOR, "1.1.1.1, 203.0.113.7")], "203.0.113.7"),
            (&[(FOR, "1.1.1.1, 203.0.113.7, 10.0.0.9")], "203.0.113.7"),
            (&[(FOR, "1.1.1.1"), (FOR, "203.0.113.7:443")], "203.0.113.7"),
            (&[(FOR, "10.0.0.5, 10.0.0.9")], "10.0.0.5"),
            (&[(FOR, "1.1.1.1, unknown, 10.0.0.9")], "10.0.0.9"),
            (&[(FOR, "")], "10.0.0.1"),
            (&[(FOR, "2001:db8::1")], "2001:db8::1"),
            (&[(FOR, "::ffff:203.0.113.7")], "203.0.113.7"),
            (&[("forwarded", "for=1.1.1.1, for=203.0.113.7;proto=https")], "203.0.113.7"),
            (&[("forwarded", r#"For="[2001:db8::1]:4711""#)], "2001:db8::1"),
            (&[("forwarded", r#"by="a,b;for=1.1.1.1";for=203.0.113.7"#)], "203.0.113.7"),
            (&[("forwarded", "for=1.1.1.1, for=_hidden")], "10.0.0.1"),
            (&[("forwarded", "for=203.0.113.7"), (FOR, "203.0.113.7")], "203.0.113.7"),
            (&[("forwarded", "for=1.1.1.1"), (FOR, "203.0.113.7")], "10.0.0.1"),
            (&[], "10.0.0.1"),
        ] {
            assert_eq!(told(lines), client, "{lines:?}");
        }
    }

    #[test]
    fn a_peer_that_is_not_a_trusted_proxy_is_not_believed() {
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", HeaderValue::from_static("1.1.1.1"));
        let peer: IpAddr = "203.0.113.7".parse().expect("an address");
        let trusted = [Cidr::parse("10.0.0.0/8").expect("a range")];
        assert_eq!(client(peer, &headers, &trusted), peer);
        assert_eq!(client(peer, &headers, &[]), peer);
    }

    #[test]
    fn a_range_has_at_most_as_many_bits_as_its_kind_of_address() {
        for (range, inside, outside) in [
            ("10.1.0.0/16", "10.1.255.255", "10.2.0.0"),
            ("10.1.2.3", "10.1.2.3", "10.1.2.4"),
            ("fd00::/8", "fdff::1", "fe00::1"),
            ("::1", "::1", "::2"),
            ("0.0.0.0/0", "8.8.8.8", "2001:db8::1"),
            ("::/0", "2001:db8::1", "8.8.8.8"),
            ("10.0.0.0/8", "::ffff:10.0.0.1", "::1"),
        ] {
            let range = Cidr::parse(range).expect("a range");
            assert!(range.contains(inside.parse().expect("an address")), "{range:?}");
            assert!(!range.contains(outside.parse().expect("an address")), "{range:?}");
        }
        for wrong in ["", "10.0.0.0/33", "::/129", "10.0.0.0/-1", "10.0.0/8", "proxy"] {
            assert_eq!(Cidr::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn an_ipv6_host_counts_by_its_network() {
        let of = |text: &str| network(text.parse().expect("an address"));
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), of("2001:db8:1:2::9"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("::ffff:10.0.0.1"), "10.0.0.1");
    }
}
