//! Where webhooks may go (rule 9.2): the form of a URL, and which addresses are public.

use crate::input::Invalid;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

/// The longest URL, in bytes, as it is given and as it is written out.
const MAX_URL_BYTES: usize = 2_048;

/// Reads the address of an endpoint. Unless private addresses are allowed, it is `https` and does not name an address that is not public;
/// to where its host name leads is looked at when connecting.
///
/// # Errors
/// [`Invalid`]: what is wrong with it.
pub fn parse_url(text: &str, allow_private: bool) -> Result<Url, Invalid> {
    let text = text.trim();
    require_short(text)?;
    let url = Url::parse(text).map_err(|_| Invalid::NotAUrl)?;
    require_short(url.as_str())?;
    match url.scheme() {
        "https" => {}
        "http" if allow_private => {}
        _ => return Err(Invalid::UrlNotHttps),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Invalid::UrlWithCredentials);
    }
    if url.fragment().is_some() {
        return Err(Invalid::UrlWithFragment);
    }
    let is_allowed = match url.host() {
        Some(Host::Ipv4(address)) => allow_private || is_public(address.into()),
        Some(Host::Ipv6(address)) => allow_private || is_public(address.into()),
        Some(Host::Domain(name)) => allow_private || !is_local_name(name),
        None => false,
    };
    if is_allowed { Ok(url) } else { Err(Invalid::UrlNotPublic) }
}

fn require_short(url: &str) -> Result<(), Invalid> {
    if url.len() <= MAX_URL_BYTES { Ok(()) } else { Err(Invalid::TooManyBytes { max: MAX_URL_BYTES }) }
}

/// Whether a name never leads out of the machine or its network (RFC 6761, RFC 6762).
fn is_local_name(name: &str) -> bool {
    let name = name.trim_end_matches('.');
    let last = name.rsplit('.').next().unwrap_or(name);
    matches!(last, "localhost" | "local" | "internal")
}

/// Whether an address belongs to the public internet: it is in none of the blocks of IANA's registries of special-purpose addresses
/// (RFC 6890), and neither is the address of the older protocol inside of one that is mapped, translated or tunnelled.
///
/// ```
/// use lease_core::webhook::is_public;
///
/// assert!(is_public("93.184.216.34".parse()?));
/// assert!(!is_public("::ffff:127.0.0.1".parse()?));
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// The blocks of IPv4 that are not public: their first address, and the length of their prefix.
const NOT_PUBLIC: [(Ipv4Addr, u32); 18] = [
    (Ipv4Addr::UNSPECIFIED, 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    // Microsoft's, by which each machine in its cloud reaches its host.
    (Ipv4Addr::new(168, 63, 129, 16), 32),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 31, 196, 0), 24),
    (Ipv4Addr::new(192, 52, 193, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(192, 175, 48, 0), 24),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    // Multicast, what is reserved, and broadcast.
    (Ipv4Addr::new(224, 0, 0, 0), 3),
];

fn is_public_v4(address: Ipv4Addr) -> bool {
    !NOT_PUBLIC.iter().any(|(first, length)| (address.to_bits() ^ first.to_bits()) >> (32 - length) == 0)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    match segments {
        // Documentation (RFC 3849, RFC 9637); ORCHID (RFC 4843, RFC 7343), Teredo (RFC 4380) and the other protocol assignments; the
        // sink for questions about private addresses (RFC 7534).
        [0x2001, 0..=0x01ff | 0xdb8, ..] | [0x3fff, 0..=0x0fff, ..] | [0x2620, 0x4f, 0x8000, ..] => false,
        // IPv4 inside of IPv6: mapped (RFC 4291), translated (RFC 2765), NAT64 (RFC 6052), 6to4 (RFC 3056), and ISATAP (RFC 5214) in
        // any network.
        [0, 0, 0, 0, 0, 0xffff, high, low]
        | [0, 0, 0, 0, 0xffff, 0, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x2002, high, low, ..]
        | [0x2000..=0x3fff, _, _, _, 0 | 0x100 | 0x200 | 0x300, 0x5efe, high, low] => is_public_v4(joined(high, low)),
        // Global unicast is 2000::/3. All else is loopback, link-local, unique local, multicast, or is not assigned.
        [first, ..] => first >> 13 == 1,
    }
}

fn joined(high: u16, low: u16) -> Ipv4Addr {
    Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low))
}
