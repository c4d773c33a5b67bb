use lettre::Address;
use lettre::message::Mailbox;
use url::Host;

/// An address as a mail server takes it: the letters of its domain in ASCII (RFC 5891).
pub(crate) fn parse(text: &str) -> Option<Address> {
    if text.chars().any(char::is_control) {
        return None;
    }
    let address: Address = text.parse().ok()?;
    if address.domain().is_ascii() {
        return Some(address);
    }
    let domain = Host::parse(address.domain()).ok()?;
    Address::new(address.user(), domain.to_string()).ok()
}

/// The sender of mails, such as `Lease <no-reply@example.com>`. Any mail server must take the address.
pub(crate) fn parse_sender(text: &str) -> Option<Mailbox> {
    let sender: Mailbox = text.parse().ok()?;
    let email = parse(sender.email.as_ref()).filter(|email| email.to_string().is_ascii())?;
    let name = sender.name.as_deref().map(one_line).filter(|name| !name.is_empty());
    Some(Mailbox::new(name, email))
}

/// A text in one line: each run of white space and of control characters becomes a space.
pub(crate) fn one_line(text: &str) -> String {
    let words = text.split(|letter: char| letter.is_whitespace() || letter.is_control());
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}
