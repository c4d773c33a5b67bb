use lease_core::mail::{Letter, MailError};
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Body, Mailbox, MultiPart, SinglePart};
use lettre::{Address, Message};

use crate::address::{self, one_line};
use crate::content::Content;

/// The longest line of a mail, without its end (RFC 5322).
const MAX_LINE: usize = 998;

/// A mail as it is sent.
pub(crate) struct Mail {
    pub(crate) id: String,
    pub(crate) from: Address,
    pub(crate) to: Address,
    pub(crate) bytes: Vec<u8>,
}

impl Mail {
    /// Puts the words of a letter into a mail.
    ///
    /// # Errors
    /// [`MailError::Refused`] if nothing can be sent to the address.
    pub(crate) fn new(letter: &Letter, content: Content, from: &Mailbox) -> Result<Self, MailError> {
        let to = address::parse(&letter.to).ok_or_else(|| MailError::Refused("the address is none".to_owned()))?;
        let id = plain_id(&letter.id);
        let name = Some(one_line(&letter.name)).filter(|name| !name.is_empty());
        let message = Message::builder()
            .from(from.clone())
            .to(Mailbox::new(name, to.clone()))
            .subject(content.subject)
            .date(letter.at.into())
            .message_id(Some(format!("<{id}@{}>", from.email.domain())))
            .raw_header(HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned()))
            .multipart(
                MultiPart::alternative()
                    .singlepart(part(ContentType::TEXT_PLAIN, content.text))
                    .singlepart(part(ContentType::TEXT_HTML, content.html)),
            )
            .map_err(|error| MailError::Refused(error.to_string()))?;
        Ok(Self { id, from: from.email.clone(), to, bytes: message.formatted() })
    }
}

/// A part of a mail, written as it is where a mail can hold that: a link then stays in one piece.
fn part(kind: ContentType, text: String) -> SinglePart {
    let is_plain = text.is_ascii() && text.lines().all(|line| line.len() <= MAX_LINE);
    let body = if is_plain {
        let lines: Vec<_> = text.lines().collect();
        Body::dangerous_pre_encoded(lines.join("\r\n").into_bytes(), ContentTransferEncoding::SevenBit)
    } else {
        Body::new(text)
    };
    SinglePart::builder().header(kind).body(body)
}

/// An id of letters that stand in a header and in the name of a file.
fn plain_id(id: &str) -> String {
    id.chars().map(|letter| if letter.is_ascii_alphanumeric() || "-_.".contains(letter) { letter } else { '-' }).collect()
}
