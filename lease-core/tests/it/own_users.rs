//! The users of an app that embeds the engine (rule 3.8), and what the company keeps with objects (rule 1.6).

use lease_core::account::{NewCustomer, TakenNames, create_customer};
use lease_core::decision::Decision;
use lease_core::mail::{address, ask_for_verification, greeted_as};
use lease_core::model::{Account, ExternalId, Mail, MailKind, MailRecipient, Role};
use lease_core::permission::Actor;
use lease_core::policy::Policy;
use lease_core::{Error, account::NewAccount};

use crate::support::*;

fn make(draft: &NewCustomer, taken: &TakenNames) -> Result<Decision<NewAccount>, Error> {
    create_customer(&Actor::System, draft, taken, [0xab; 16], now())
}

fn number_42() -> NewCustomer {
    NewCustomer { external_id: " 42 ".into(), ..NewCustomer::default() }
}

/// Rule 3.8: only the external id is needed.
#[test]
fn a_customer_of_an_app_needs_nothing_but_its_number() {
    let made = make(&number_42(), &free()).unwrap().changes;
    let user = &made.user;
    assert_eq!(user.username.as_str(), format!("user-{}", "ab".repeat(16)));
    assert_eq!((user.email.as_ref(), user.role, user.is_active), (None, Role::Customer, true));
    assert_eq!(user.annotations.external_id, ExternalId::parse("42").ok());
    assert_eq!(user.password, lease_core::account::PasswordHash::unusable());
    assert!(made.profile.is_some() && made.token.is_none());
    assert_eq!(user.login_names(), [user.username.key()]);
    assert_eq!(greeted_as(user), "");
}

/// Rules 3.7 and 3.8: what is given is read as everywhere, and all that is wrong is told at once.
#[test]
fn what_an_app_says_of_a_customer_is_checked() {
    let named = NewCustomer { username: "Ada".into(), email: "ada@example.com".into(), ..number_42() };
    let made = make(&named, &free()).unwrap().changes.user;
    assert_eq!((made.username.as_str(), made.email_or_empty()), ("Ada", "ada@example.com"));
    let taken = logins(named.login_names().into_iter().map(|name| (name, user_id(9))));
    let taken = TakenNames { external_id: Some(user_id(9)), ..taken };
    assert_eq!(wrong_fields(make(&named, &taken)), ["email", "external_id", "username"]);
    assert_eq!(wrong_fields(make(&NewCustomer::default(), &free())), ["external_id"]);
    for wrong in ["", " ", "a\nb", &"x".repeat(256)] {
        assert_eq!(wrong_fields(make(&NewCustomer { external_id: wrong.into(), ..number_42() }, &free())), ["external_id"]);
    }
    let bad = NewCustomer { username: "a b".into(), email: "no".into(), first_name: "a\nb".into(), ..NewCustomer::default() };
    assert_eq!(wrong_fields(make(&bad, &free())), ["email", "external_id", "first_name", "username"]);
}

/// Chapter 2: who may create users may create these.
#[test]
fn customers_create_no_customers() {
    let by = |actor: &Actor| code(create_customer(actor, &number_42(), &free(), [0; 16], now()));
    assert_eq!([by(&Actor::System), by(&superuser()), by(&staff())], ["ok"; 3]);
    assert_eq!(
        [by(&customer(OWNER)), by(&Actor::Gateway), by(&Actor::Anonymous)],
        ["permission_denied", "permission_denied", "not_authenticated"]
    );
}

/// Rules 3.8 and 9.4: who has no address has none to confirm, and gets no mail.
#[test]
fn who_has_no_address_has_none_to_confirm_and_gets_no_mail() {
    let mut account: Account = account(OWNER, Role::Customer);
    let asks = Policy::default().with_require_verified_email(true);
    assert!(matches!(Actor::under(&asks, &account), Actor::Unverified { .. }));
    assert!(ask_for_verification(&account, &customer(OWNER), now()).unwrap().is_some());
    let about = |kind, recipient| stored(1, Mail::new(kind, recipient, now()));
    let present = account.user.email_or_empty().to_owned();
    let mails = [
        about(MailKind::ProposalMade, MailRecipient::User(account.user.id)),
        about(MailKind::EmailVerification, MailRecipient::UserAt(account.user.id, present.clone())),
        about(MailKind::PasswordReset, MailRecipient::Address(present)),
    ];
    assert!(mails.iter().all(|mail| address(mail, &account, None, now()).is_some()));
    account.user.value.email = None;
    assert_eq!(Actor::under(&asks, &account), customer(OWNER));
    assert!(ask_for_verification(&account, &customer(OWNER), now()).unwrap().is_none());
    assert!(mails.iter().all(|mail| address(mail, &account, None, now()).is_none()));
}
