//! Where webhooks may go: rule 9.2.

use std::net::IpAddr;

use lease_core::webhook::{is_public, parse_url};
use proptest::prelude::*;

const PRIVATE: &str = "The URL must lead to a public address.";
const NOT_HTTPS: &str = "The URL must begin with https://.";
const NO_URL: &str = "A complete URL is required, such as https://example.com/hook.";
const TOO_LONG: &str = "At most 2048 bytes are allowed.";

/// The URL that is kept of this one, where private addresses are not allowed.
fn kept(text: &str) -> Result<String, String> {
    parse_url(text, false).map(String::from).map_err(|reason| reason.to_string())
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// Rule 9.2: the first and the last address of each block that is not public, and their neighbours that are.
#[test]
fn blocks_that_are_not_public_end_where_they_end() {
    let blocks = [
        (None, "0.0.0.0", "0.255.255.255", Some("1.0.0.0")),
        (Some("9.255.255.255"), "10.0.0.0", "10.255.255.255", Some("11.0.0.0")),
        (Some("100.63.255.255"), "100.64.0.0", "100.127.255.255", Some("100.128.0.0")),
        (Some("126.255.255.255"), "127.0.0.0", "127.255.255.255", Some("128.0.0.0")),
        (Some("168.63.129.15"), "168.63.129.16", "168.63.129.16", Some("168.63.129.17")),
        (Some("169.253.255.255"), "169.254.0.0", "169.254.255.255", Some("169.255.0.0")),
        (Some("172.15.255.255"), "172.16.0.0", "172.31.255.255", Some("172.32.0.0")),
        (Some("191.255.255.255"), "192.0.0.0", "192.0.0.255", Some("192.0.1.0")),
        (Some("192.0.1.255"), "192.0.2.0", "192.0.2.255", Some("192.0.3.0")),
        (Some("192.31.195.255"), "192.31.196.0", "192.31.196.255", Some("192.31.197.0")),
        (Some("192.52.192.255"), "192.52.193.0", "192.52.193.255", Some("192.52.194.0")),
        (Some("192.88.98.255"), "192.88.99.0", "192.88.99.255", Some("192.88.100.0")),
        (Some("192.167.255.255"), "192.168.0.0", "192.168.255.255", Some("192.169.0.0")),
        (Some("192.175.47.255"), "192.175.48.0", "192.175.48.255", Some("192.175.49.0")),
        (Some("198.17.255.255"), "198.18.0.0", "198.19.255.255", Some("198.20.0.0")),
        (Some("198.51.99.255"), "198.51.100.0", "198.51.100.255", Some("198.51.101.0")),
        (Some("203.0.112.255"), "203.0.113.0", "203.0.113.255", Some("203.0.114.0")),
        (Some("223.255.255.255"), "224.0.0.0", "255.255.255.255", None),
        (None, "::", "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Some("2000::")),
        (Some("2000:ffff::1"), "2001::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", Some("2001:200::")),
        (Some("2001:db7:ffff::1"), "2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", Some("2001:db9::")),
        (Some("2620:4f:7fff::1"), "2620:4f:8000::", "2620:4f:8000:ffff:ffff:ffff:ffff:ffff", Some("2620:4f:8001::")),
        (Some("3ffe:ffff::1"), "3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", Some("3fff:1000::")),
        (Some("3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), "4000::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", None),
    ];
    for (before, first, last, after) in blocks {
        assert!(!is_public(address(first)), "{first}");
        assert!(!is_public(address(last)), "{last}");
        for neighbour in [before, after].into_iter().flatten() {
            assert!(is_public(address(neighbour)), "{neighbour}");
        }
    }
}

/// Rule 9.2: the addresses behind which clouds keep their secrets, and others of the newer protocol that lead nowhere public.
#[test]
fn what_is_no_global_unicast_is_not_public() {
    for private in [
        "169.254.169.254", // metadata of most clouds
        "100.100.100.200", // of Alibaba's
        "192.0.0.192",     // of Oracle's
        "fd00:ec2::254",   // of Amazon's
        "::1",
        "::8.8.8.8", // compatible with IPv4
        "64:ff9b:1::808:808",
        "64:ff9b:0:0:0:1:808:808",
        "100::1",
        "100:0:0:1::1",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2", // Teredo
        "2001:20::1",
        "5f00::1",
        "fc00::1",
        "fe80::1",
        "fe80::5efe:808:808",
        "fec0::1",
        "ff02::1",
    ] {
        assert!(!is_public(address(private)), "{private}");
    }
    for public in ["8.8.8.8", "93.184.216.34", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "2a00:1450::1", "3fff:1000::1"] {
        assert!(is_public(address(public)), "{public}");
    }
}

/// The forms in which an address of the newer protocol carries one of the older.
fn carriers(inner: [u8; 4]) -> [String; 6] {
    let [a, b, c, d] = inner;
    let inner = format!("{a}.{b}.{c}.{d}");
    [
        format!("::ffff:{inner}"),
        format!("::ffff:0:{inner}"),
        format!("64:ff9b::{inner}"),
        format!("2002:{a:02x}{b:02x}:{c:02x}{d:02x}::1"),
        format!("2a00:1450:1:2:0:5efe:{inner}"),
        format!("2a00:1450:1:2:200:5efe:{inner}"),
    ]
}

proptest! {
    /// Rule 9.2: an address that carries another one is public if that one is.
    #[test]
    fn a_carried_address_is_judged(inner: [u8; 4]) {
        for carrier in carriers(inner) {
            prop_assert_eq!(is_public(address(&carrier)), is_public(inner.into()), "{}", carrier);
        }
    }

    /// Rule 9.2: what is kept of a URL is read as itself when it is sent to.
    #[test]
    fn a_url_that_is_kept_is_read_again(text in "(https://|HTTPS:\\\\|https:)?\\PC{0,40}(/\\PC{0,40})?", private: bool) {
        if let Ok(url) = parse_url(&text, private) {
            prop_assert_eq!(parse_url(url.as_str(), private), Ok(url));
        }
    }
}

/// Rule 9.2: an address in any spelling is the address.
#[test]
fn odd_spellings_of_private_addresses_are_refused() {
    let mut hosts: Vec<String> = [
        "127.0.0.1",
        "127.0.0.1.",
        "127.1",
        "127.0.1",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "0X7F.0.0.0x1",
        "017700000001",
        "0177.0.0.1",
        "0177.0.0x1",
        "00000177.1",
        "0",
        "0x",
        "10.1",
        "3232235777",
        "0xa9fea9fe",
        "169.254.43518",
        "１２７.０.０.１",
        "127。0。0。1",
        "①②⑦.0.0.1",
        "%31%32%37.0.0.1",
        "[::1]",
        "[::]",
        "[0:0:0:0:0:0:0:1]",
        "[::ffff:127.0.0.1]",
        "[::FFFF:7f00:1]",
        "[0000:0000:0000:0000:0000:ffff:7f00:0001]",
        "[fd00:ec2::254]",
        "localhost",
        "LOCALHOST",
        "localhost.",
        "localhost..",
        "a.localhost",
        "ｌｏｃａｌｈｏｓｔ",
        "printer.local",
        "metadata.google.internal",
        "metadata.google.internal.",
    ]
    .map(str::to_owned)
    .into();
    hosts.extend(carriers([169, 254, 169, 254]).map(|carrier| format!("[{carrier}]")));
    for host in hosts {
        for rest in ["", "/hook", ":8443/hook", "?to=example.com", "\\@example.com"] {
            assert_eq!(kept(&format!("https://{host}{rest}")), Err(PRIVATE.to_owned()), "{host}{rest}");
        }
    }
}

/// Rule 9.2: what no browser reads as an address of a server is none.
#[test]
fn what_is_no_complete_url_is_refused() {
    for text in [
        "",
        " ",
        "example.com",
        "//example.com",
        "/hook",
        "https://",
        "https://?",
        "https://1.2.3.4.5",
        "https://256.1.1.1",
        "https://0x1ffffffff",
        "https://[::1",
        "https://::1",
        "https://[::1%25eth0]",
        "https://[127.0.0.1]",
        "https://[v1.a]",
        "https://exa mple.com",
        "https://exa%00mple.com",
        "https://exa<mple.com",
        "https://example.com:65536",
        "https://example.com:-1",
        "https://example.com:80:80",
        "https://127.0.0.1:80@",
    ] {
        assert_eq!(kept(text), Err(NO_URL.to_owned()), "{text}");
    }
}

/// Rule 9.2: without TLS anybody on the way could read and answer.
#[test]
fn only_https_is_taken() {
    for text in
        ["http://example.com", "HTTP://example.com", "ftp://example.com", "file:///etc/passwd", "data:,", "gopher://127.0.0.1:25"]
    {
        assert_eq!(kept(text), Err(NOT_HTTPS.to_owned()), "{text}");
    }
}

/// Rule 9.2: a URL names no user, which hides where it leads, and no place within a page.
#[test]
fn users_and_fragments_are_refused() {
    for text in ["https://a@example.com", "https://a:b@example.com", "https://:b@example.com", "https://example.com@127.0.0.1"] {
        assert_eq!(kept(text), Err("The URL may not contain a user name or a password.".to_owned()), "{text}");
    }
    for text in ["https://example.com#", "https://example.com/#a", "https://example.com#@127.0.0.1"] {
        assert_eq!(kept(text), Err("The URL may not contain a fragment.".to_owned()), "{text}");
    }
}

/// Rule 9.2: a public URL is kept as browsers write it.
#[test]
fn a_public_url_is_written_out() {
    for (text, expected) in [
        ("https://example.com", "https://example.com/"),
        (" https://example.com/hook \n", "https://example.com/hook"),
        ("https://exam\nple.com/ho\tok", "https://example.com/hook"),
        ("HTTPS://EXAMPLE.com:443/Hook?a=b&c", "https://example.com/Hook?a=b&c"),
        ("https:\\\\example.com\\hook", "https://example.com/hook"),
        ("https://@example.com/", "https://example.com/"),
        ("https://example.com:8443/", "https://example.com:8443/"),
        ("https://example.com./", "https://example.com./"),
        ("https://ｅｘａｍｐｌｅ.com", "https://example.com/"),
        ("https://bücher.example/ä", "https://xn--bcher-kva.example/%C3%A4"),
        ("https://example.com/../a/./b", "https://example.com/a/b"),
        ("https://example.com/?to=http://127.0.0.1", "https://example.com/?to=http://127.0.0.1"),
        ("https://localhost.example.com", "https://localhost.example.com/"),
        ("https://134744072", "https://8.8.8.8/"),
        ("https://[64:ff9b::8.8.8.8]/", "https://[64:ff9b::808:808]/"),
    ] {
        assert_eq!(kept(text), Ok(expected.to_owned()), "{text}");
    }
}

/// Rule 9.2: a URL is short, also after its characters were written out.
#[test]
fn a_long_url_is_refused() {
    let start = "https://example.com/";
    let longest = format!("{start}{}", "a".repeat(2_048 - start.len()));
    assert_eq!(kept(&longest), Ok(longest.clone()));
    for long in [format!("{longest}a"), format!("{start}{}", "ä".repeat(500)), format!("https://{}", "a".repeat(100_000))] {
        assert_eq!(kept(&long), Err(TOO_LONG.to_owned()));
    }
}

/// Rule 9.2: an operator may allow private addresses, and with them what has no TLS; the form stays the same.
#[test]
fn private_addresses_can_be_allowed() {
    for url in ["http://127.0.0.1:8080/hook", "https://10.0.0.1/", "http://localhost/", "http://[::1]/", "http://receiver.local/"]
    {
        assert_eq!(parse_url(url, true).map(String::from), Ok(url.to_owned()));
    }
    for text in ["ftp://localhost/", "http://a@localhost/", "http://localhost/#a", "http://"] {
        parse_url(text, true).unwrap_err();
    }
}
