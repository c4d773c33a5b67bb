//! Mails in an app's own process (rules 9.3 to 9.5), with a mail server that is well, away, or refuses somebody.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use chrono::TimeDelta;
use lease_core::Error;
use lease_core::account::{EmailConfirmationDraft, NoticeSettingsDraft, PasswordConfirmationDraft, PasswordResetDraft};
use lease_core::clock::ManualClock;
use lease_core::engine::LoginDraft;
use lease_core::mail::{Letter, MailError, Mailer};
use lease_core::model::MailKind;
use lease_core::permission::Actor;
use lease_core::policy::Policy;
use secrecy::SecretString;

use crate::maintenance::clock;
use crate::shop::{Shop, register, terms};

/// A mail server.
#[derive(Debug, Default)]
struct PostOffice {
    taken: Mutex<Vec<Letter>>,
    tried: Mutex<Vec<String>>,
    refused: Mutex<Option<(String, MailError)>>,
    hangs_at: Mutex<Option<String>>,
    taken_more: tokio::sync::Notify,
}

impl PostOffice {
    /// Refuses letters to an address that contains this.
    fn refuses(&self, to: &str, error: MailError) {
        *self.refused.lock().unwrap() = Some((to.to_owned(), error));
    }

    /// Never answers for an address that contains this.
    fn hangs_at(&self, to: &str) {
        *self.hangs_at.lock().unwrap() = Some(to.to_owned());
    }

    /// Waits until it took so many letters of a kind.
    async fn wait_for(&self, kind: MailKind, number: usize) {
        loop {
            let more = self.taken_more.notified();
            if self.letters(kind).len() >= number {
                return;
            }
            more.await;
        }
    }

    fn takes_all(&self) {
        *self.refused.lock().unwrap() = None;
    }

    /// The letters of this kind that it took, each with its address.
    fn letters(&self, kind: MailKind) -> Vec<Letter> {
        self.taken.lock().unwrap().iter().filter(|letter| letter.kind == kind).cloned().collect()
    }

    fn recipients(&self, kind: MailKind) -> Vec<String> {
        let mut to: Vec<_> = self.letters(kind).into_iter().map(|letter| letter.to).collect();
        to.sort();
        to
    }
}

#[async_trait]
impl Mailer for PostOffice {
    async fn send(&self, letter: &Letter) -> Result<(), MailError> {
        self.tried.lock().unwrap().push(letter.id.clone());
        if let Some((to, error)) = &*self.refused.lock().unwrap()
            && letter.to.contains(to)
        {
            return Err(error.clone());
        }
        let hangs = self.hangs_at.lock().unwrap().as_ref().is_some_and(|to| letter.to.contains(to));
        if hangs {
            std::future::pending::<()>().await;
        }
        self.taken.lock().unwrap().push(letter.clone());
        self.taken_more.notify_waiters();
        Ok(())
    }
}

struct Platform {
    shop: Shop,
    post: Arc<PostOffice>,
    clock: Arc<ManualClock>,
}

impl Platform {
    async fn open() -> Self {
        Self::open_under(Policy::default()).await
    }

    async fn open_under(policy: Policy) -> Self {
        let (post, clock) = (Arc::new(PostOffice::default()), clock());
        let mailer = Arc::clone(&post);
        let shop = Shop::open_with(Arc::clone(&clock) as _, |builder| builder.mailer(mailer).policy(policy)).await;
        Self { shop, post, clock }
    }

    async fn pass(&self, time: TimeDelta) {
        self.clock.advance(time);
        self.shop.catch_up().await;
    }

    async fn asks_for_password(&self, email: &str) {
        let draft = PasswordResetDraft { email: email.into() };
        self.shop.engine.ask_for_password_reset(Actor::Anonymous, &draft).await.unwrap();
        self.shop.catch_up().await;
    }

    async fn logs_in(&self, password: &str) -> bool {
        let draft = LoginDraft { username: "olivia".into(), password: password.into() };
        self.shop.engine.login(Actor::Anonymous, &draft).await.is_ok()
    }
}

fn token(letter: &Letter) -> SecretString {
    letter.token.clone().unwrap()
}

fn away() -> MailError {
    MailError::Later("the mail server is away".into())
}

/// Rule 9.5: the owner learns of each bid, whoever has proposed before of the owner's proposal, and what is due is told three days
/// before.
#[tokio::test(start_paused = true)]
async fn each_notice_is_sent_once() {
    let platform = Platform::open().await;
    let Shop { engine, owner, trade, .. } = &platform.shop;
    for (name, price) in [("ada", 400), ("bob", 410), ("ada2", 420)] {
        let bidder = register(engine, name).await;
        engine.propose(bidder, *trade, &terms(price)).await.unwrap();
    }
    tokio::join!(platform.shop.catch_up(), platform.shop.catch_up());
    assert_eq!(platform.post.recipients(MailKind::ProposalMade), ["olivia@example.com"; 3]);
    assert_eq!(platform.post.recipients(MailKind::InvoiceIssued), ["olivia@example.com"]);

    engine.propose(owner, *trade, &terms(430)).await.unwrap();
    platform.shop.catch_up().await;
    let told = platform.post.recipients(MailKind::ProposalMade);
    assert_eq!(told[..3], ["ada2@example.com", "ada@example.com", "bob@example.com"]);
    platform.pass(TimeDelta::days(10)).await;
    assert_eq!(platform.post.recipients(MailKind::InvoiceDueSoon).len(), 0);
    platform.pass(TimeDelta::days(1)).await;
    platform.pass(TimeDelta::days(30)).await;
    for kind in [MailKind::InvoiceDueSoon, MailKind::InvoiceOverdue] {
        assert_eq!(platform.post.recipients(kind), ["olivia@example.com"], "{kind}");
    }
}

/// Rule 9.5: notices of a kind that a user does not want are not sent.
#[tokio::test(start_paused = true)]
async fn unwanted_notices_are_not_sent() {
    let platform = Platform::open().await;
    let Shop { engine, owner, trade, .. } = &platform.shop;
    platform.shop.catch_up().await;
    let unwanted = NoticeSettingsDraft { proposals: false.into(), ..NoticeSettingsDraft::default() };
    engine.choose_notices(owner, &unwanted).await.unwrap();
    let bidder = register(engine, "ada").await;
    engine.propose(bidder, *trade, &terms(400)).await.unwrap();
    platform.shop.catch_up().await;
    assert_eq!(platform.post.recipients(MailKind::ProposalMade), [] as [&str; 0]);
    assert_eq!(platform.post.recipients(MailKind::InvoiceIssued).len(), 1);
}

/// Rule 9.5: a mail server that is away delays mails, which then come once each, under the same name at each try.
#[tokio::test(start_paused = true)]
async fn a_mail_server_that_is_away_delays_mails() {
    let platform = Platform::open().await;
    platform.post.refuses("@", away());
    platform.shop.catch_up().await;
    platform.pass(TimeDelta::minutes(1)).await;
    platform.post.takes_all();
    platform.pass(TimeDelta::minutes(5)).await;
    platform.pass(TimeDelta::hours(1)).await;
    assert_eq!(platform.post.recipients(MailKind::InvoiceIssued), ["olivia@example.com"]);
    let tried = platform.post.tried.lock().unwrap().clone();
    let id = &platform.post.letters(MailKind::InvoiceIssued)[0].id;
    assert_eq!(tried.iter().filter(|tried| *tried == id).count(), 3);
}

/// Rule 9.5: a recipient who is refused delays nobody else, and is not asked again.
#[tokio::test(start_paused = true)]
async fn a_recipient_who_is_refused_delays_nobody_else() {
    let platform = Platform::open().await;
    platform.post.refuses("olivia", MailError::Refused("550 no such user".into()));
    let Shop { engine, trade, owner, .. } = &platform.shop;
    platform.shop.catch_up().await;
    let bidder = register(engine, "ada").await;
    engine.propose(bidder, *trade, &terms(400)).await.unwrap();
    engine.propose(owner, *trade, &terms(440)).await.unwrap();
    platform.shop.catch_up().await;
    assert_eq!(platform.post.recipients(MailKind::ProposalMade), ["ada@example.com"]);
    platform.post.takes_all();
    platform.pass(TimeDelta::hours(6)).await;
    assert_eq!(platform.post.recipients(MailKind::InvoiceIssued), [] as [&str; 0]);
}

/// Rule 9.3: a forgotten password, from the mail to the login; the link is good once, and a notice is sent.
#[tokio::test(start_paused = true)]
async fn a_forgotten_password_is_set_anew() {
    let platform = Platform::open().await;
    let engine = &platform.shop.engine;
    platform.asks_for_password("Olivia@Example.com").await;
    platform.asks_for_password("nobody@example.com").await;
    let letters = platform.post.letters(MailKind::PasswordReset);
    assert_eq!(letters.len(), 1);
    let draft = PasswordConfirmationDraft {
        token: token(&letters[0]).into(),
        password: "orchid-Window-27".into(),
        password2: "orchid-Window-27".into(),
    };
    engine.confirm_password_reset(Actor::Anonymous, &draft).await.unwrap();
    assert!(platform.logs_in("orchid-Window-27").await && !platform.logs_in("violet-harbor-93").await);
    let again = engine.confirm_password_reset(Actor::Anonymous, &draft).await;
    assert!(matches!(again, Err(Error::Invalid(errors)) if errors.of("token").len() == 1));
    platform.shop.catch_up().await;
    assert_eq!(platform.post.recipients(MailKind::PasswordChanged), ["olivia@example.com"]);
}

/// Rule 9.3: a link is not sent once it would be no good, and each try has one of its own.
#[tokio::test(start_paused = true)]
async fn a_link_that_comes_too_late_does_not_come() {
    let platform = Platform::open().await;
    platform.post.refuses("olivia", away());
    platform.asks_for_password("olivia@example.com").await;
    platform.pass(TimeDelta::hours(1)).await;
    platform.post.takes_all();
    platform.pass(TimeDelta::hours(24)).await;
    assert_eq!(platform.post.letters(MailKind::PasswordReset).len(), 0);
}

/// Rule 9.3: a mail server that is away uses up no links: once it is back, what was asked for comes.
#[tokio::test(start_paused = true)]
async fn a_mail_server_that_is_away_uses_up_no_links() {
    let platform = Platform::open().await;
    platform.post.refuses("olivia", away());
    for _ in 0..3 {
        platform.asks_for_password("olivia@example.com").await;
    }
    platform.pass(TimeDelta::minutes(1)).await;
    platform.pass(TimeDelta::minutes(5)).await;
    platform.post.takes_all();
    platform.pass(TimeDelta::minutes(15)).await;
    assert_eq!(platform.post.letters(MailKind::PasswordReset).len(), 3);
    for _ in 0..9 {
        platform.asks_for_password("olivia@example.com").await;
    }
    assert_eq!(platform.post.letters(MailKind::PasswordReset).len(), 5, "a mailbox is not flooded");
}

/// Rule 9.5: one recipient at whom the mail server hangs delays no other.
#[tokio::test(start_paused = true)]
async fn a_recipient_at_whom_the_server_hangs_delays_nobody_else() {
    let platform = Platform::open().await;
    platform.post.hangs_at("olivia");
    let (end, work) = platform.shop.start();
    let Shop { engine, owner, trade, .. } = &platform.shop;
    let began = tokio::time::Instant::now();
    // Fewer mails to her than are sent at the same time.
    for number in 0..5 {
        let bidder = register(engine, &format!("bidder{number}")).await;
        engine.propose(bidder, *trade, &terms(400 + number)).await.unwrap();
    }
    engine.propose(owner, *trade, &terms(500)).await.unwrap();
    platform.post.wait_for(MailKind::ProposalMade, 5).await;
    assert!(began.elapsed() < std::time::Duration::from_secs(10), "{:?}", began.elapsed());
    drop(end);
    work.await.unwrap();
}

/// A process without a mailer leaves the notices to those that have one, and old ones to nobody.
#[tokio::test(start_paused = true)]
async fn what_is_old_when_a_mailer_starts_is_not_told() {
    for (days, told) in [(2, 1), (4, 0)] {
        let (post, clock) = (Arc::new(PostOffice::default()), clock());
        let store = Arc::new(lease_store_memory::MemoryRepository::default());
        let before = Shop::open_on(Arc::clone(&store), Arc::clone(&clock) as _, |builder| builder).await;
        before.catch_up().await;
        clock.advance(TimeDelta::days(days));
        let mailer = Arc::clone(&post);
        let gateway = Arc::new(lease_core::gateway::SandboxGateway::new());
        let engine = lease_core::LeaseEngine::builder(store, gateway).clock(clock).mailer(mailer).build().unwrap();
        engine.catch_up(&lease_core::engine::Maintenance::default()).await.unwrap();
        assert_eq!(post.letters(MailKind::InvoiceIssued).len(), told, "after {days} days");
    }
}

/// Rule 9.4: an address is confirmed by the link that went to it; where the operator asks for that, a customer may only read before.
#[tokio::test(start_paused = true)]
async fn a_customer_confirms_the_address_first() {
    let platform = Platform::open_under(Policy::default().with_require_verified_email(true)).await;
    let engine = &platform.shop.engine;
    let Actor::Unverified { .. } = register(engine, "ada").await else { panic!("the address is not confirmed") };
    let login = LoginDraft { username: "ada".into(), password: "violet-harbor-93".into() };
    let session = engine.login(Actor::Anonymous, &login).await.unwrap().token;
    platform.shop.catch_up().await;
    let letter =
        platform.post.letters(MailKind::EmailVerification).into_iter().find(|letter| letter.to.starts_with("ada")).unwrap();
    let draft = EmailConfirmationDraft { token: token(&letter).into() };
    engine.confirm_email(Actor::Anonymous, &draft).await.unwrap();
    let Actor::Customer { .. } = engine.authenticate(&session).await.unwrap().actor else { panic!("it is confirmed") };
    assert!(matches!(engine.confirm_email(Actor::Anonymous, &draft).await, Err(Error::Invalid(_))));
}
