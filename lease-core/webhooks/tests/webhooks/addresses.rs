use lease_core::webhook::WebhookClient as _;
use lease_webhooks::WebhookSender;

use crate::support::{NOWHERE, Names, Receiver, answer, answered, private_sender, reason, request};

/// Addresses of this machine, its network or its cloud, in the forms that lead there.
const PRIVATE: [&str; 17] = [
    "127.0.0.1",
    "0.0.0.0",
    "10.0.0.1",
    "100.64.0.1",
    "169.254.169.254",
    "192.168.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:0:127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b:1::1",
    "2002:7f00:1::1",
    "fd00:ec2::254",
    "fe80::1",
];

fn sender(names: Names) -> WebhookSender {
    WebhookSender::builder().resolver(names).build().unwrap()
}

/// Rule 9.2: an address that is stored as a URL is judged when it is sent to, whatever was allowed when it was stored.
#[tokio::test]
async fn a_private_address_is_not_connected_to() {
    let receiver = Receiver::start(answer(200, "", "")).await;
    let sender = sender(Names::default());
    let port = receiver.address.port();
    for host in ["127.0.0.1", "127.1", "2130706433", "0x7f.1", "017700000001", "[::ffff:127.0.0.1]", "localhost", "a.localhost."]
    {
        let reason = reason(sender.send(&request(format!("https://{host}:{port}/"))).await);
        assert_eq!(reason, "The URL must lead to a public address.", "{host}");
    }
    assert_eq!(reason(sender.send(&request(receiver.url("/"))).await), "The URL must begin with https://.");
    assert_eq!(receiver.connections().await, 0);
}

/// Rule 9.2: a name is judged by where it leads.
#[tokio::test]
async fn a_name_of_a_private_address_is_not_connected_to() {
    let receiver = Receiver::start(answer(200, "", "")).await;
    let port = receiver.address.port();
    for address in PRIVATE {
        let sender = sender(Names::default().with("inside.example", &[&[address]]));
        let url = format!("https://inside.example:{port}/?key=hidden");
        assert_eq!(reason(sender.send(&request(url)).await), "the address is not public", "{address}");
    }
    let sender = sender(Names::default().with("inside.example", &[&PRIVATE]));
    assert_eq!(reason(sender.send(&request("https://inside.example/")).await), "the address is not public");
    assert_eq!(receiver.connections().await, 0);
}

/// Rule 9.2: a name that leads elsewhere by the next time is judged anew.
#[tokio::test(start_paused = true)]
async fn a_name_that_turns_private_is_not_connected_to() {
    let receiver = Receiver::start(answer(200, "", "")).await;
    let sender = sender(Names::default().with("rebind.example", &[&[NOWHERE], &["127.0.0.1"]]));
    let request = request(format!("https://rebind.example:{}/", receiver.address.port()));
    assert_eq!(reason(sender.send(&request).await), "the address cannot be reached");
    assert_eq!(reason(sender.send(&request).await), "the address is not public");
    assert_eq!(receiver.connections().await, 0);
}

/// Rule 9.2: of many addresses, the public ones are tried, and only these.
#[tokio::test(start_paused = true)]
async fn private_addresses_among_public_ones_are_left_out() {
    let receiver = Receiver::start(answer(200, "", "")).await;
    for addresses in [["127.0.0.1", NOWHERE], [NOWHERE, "127.0.0.1"], ["::ffff:127.0.0.1", NOWHERE]] {
        let sender = sender(Names::default().with("mixed.example", &[&addresses]));
        let request = request(format!("https://mixed.example:{}/", receiver.address.port()));
        assert_eq!(reason(sender.send(&request).await), "the address cannot be reached");
    }
    assert_eq!(receiver.connections().await, 0);
}

/// Rule 9.2: a name that leads nowhere is told of.
#[tokio::test]
async fn a_name_that_is_not_known_is_told() {
    let sender = sender(Names::default().with("empty.example", &[&[]]));
    for name in ["none.example", "empty.example"] {
        let url = format!("https://{name}/?key=hidden");
        assert_eq!(reason(sender.send(&request(url)).await), "the name could not be resolved", "{name}");
    }
}

/// Rule 9.2: an operator may allow private addresses, also behind names.
#[tokio::test]
async fn private_addresses_can_be_allowed() {
    let receiver = Receiver::start(answer(200, "", "")).await;
    let port = receiver.address.port();
    let names = Names::default().with("receiver.example", &[&["127.0.0.1"]]);
    let sender = WebhookSender::builder().allow_private(true).resolver(names).build().unwrap();
    assert_eq!(answered(sender.send(&request(format!("http://receiver.example:{port}/"))).await).0, 200);
    assert_eq!(receiver.received().pop().unwrap().headers["host"], format!("receiver.example:{port}"));
    // The system knows this name.
    assert_eq!(answered(private_sender().send(&request(format!("http://localhost:{port}/"))).await).0, 200);
}
