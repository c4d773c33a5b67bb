//! Users and their roles: rules 3.3 to 3.6, 6.1.

use lease_core::account::{
    AccountChange, AccountSnapshot, CheckedUpdate, CustomerChange, FIRST_EPOCH, Presented, ProfileDraft, Token, TokenHash,
    TokenText, TokenUse, check_login, check_new_user, check_repeated_registration, check_update, console_session, deactivate,
    require_visible_customer, require_visible_user, revoke_tokens, session, update_profile,
};
use lease_core::decision::RowChange;
use lease_core::id::{UserId, Versioned};
use lease_core::input::UpdateMode;
use lease_core::model::{Account, Annotations, Customer, LoginName, Profile, Role};
use lease_core::permission::Actor;
use lease_core::policy::Policy;
use lease_core::{Error, Refusal};
use serde_json::{Value, json};

use crate::support::*;

/// A password without objections.
const GOOD: &str = "plum-Tractor-94-west";

fn patched(snapshot: &Versioned<AccountSnapshot>, actor: &Actor, json: Value) -> Result<CheckedUpdate, Error> {
    check_update(snapshot, actor, &draft(json), UpdateMode::Partial, &free(), Presented::default(), now())
}

fn changed(snapshot: &Versioned<AccountSnapshot>, actor: &Actor, json: Value) -> AccountChange {
    patched(snapshot, actor, json).unwrap().into_decision(None).changes
}

/// The user of [`superuser`], as a row.
fn superuser_row() -> Versioned<AccountSnapshot> {
    account_snapshot(102, Role::Superuser)
}

/// Chapter 2: users read and change themselves; staff read and change all users except superusers.
#[test]
fn users_are_read_and_changed_by_themselves_and_staff() {
    let customers = account_snapshot(OWNER, Role::Customer);
    let cases = [
        (Actor::Anonymous, "not_authenticated"),
        (customer(OWNER), "ok"),
        (customer(BUYER), "not_found"),
        (staff(), "ok"),
        (superuser(), "ok"),
    ];
    for (actor, expected) in cases {
        assert_eq!(code(require_visible_user(&actor, user_id(OWNER))), expected, "{actor:?}");
        assert_eq!(code(patched(&customers, &actor, json!({"first_name": "Eve"}))), expected, "{actor:?}");
        assert_eq!(code(require_visible_customer(&actor, id(OWNER))), expected, "{actor:?}");
    }
}

/// Rule 3.4: staff deactivate users, and nobody else does.
#[test]
fn staff_deactivate_users_and_nobody_else_does() {
    let customers = account_snapshot(OWNER, Role::Customer);
    let cases = [
        (Actor::Anonymous, "not_authenticated"),
        (customer(OWNER), "permission_denied"),
        (customer(BUYER), "not_found"),
        (staff(), "ok"),
        (superuser(), "ok"),
    ];
    for (actor, expected) in cases {
        assert_eq!(code(deactivate(&customers, &actor, now())), expected, "{actor:?}");
    }
    let change = deactivate(&customers, &staff(), now()).unwrap().changes;
    assert_eq!((change.user.is_active, change.user.token_epoch, change.keep_token), (false, 8, None));
    assert_eq!((change.customer, change.needs_another_superuser), (CustomerChange::Keep, false));
    assert_eq!(change.expected, customers.version);
}

/// Rule 3.5: each name can be changed on its own; the others stay.
#[test]
fn users_change_their_names() {
    let row = account_snapshot(OWNER, Role::Customer);
    let names_after = |json: Value| {
        let user = changed(&row, &customer(OWNER), json).user;
        [user.username.as_str().to_owned(), user.email_or_empty().to_owned(), user.first_name, user.last_name]
    };
    let before = names_after(json!({}));
    for (place, (field, name)) in
        [("username", "byron"), ("email", "byron@example.org"), ("first_name", "Augusta"), ("last_name", "Byron")]
            .into_iter()
            .enumerate()
    {
        let mut expected = before.clone();
        expected[place] = name.to_owned();
        assert_eq!(names_after(json!({field: name})), expected);
    }
}

/// Rules 3.5, 3.7: users may keep their own name, but not take that of another.
#[test]
fn a_new_name_must_not_belong_to_another_user() {
    let row = account_snapshot(OWNER, Role::Customer);
    let with_taken = |taken: &[(&str, i64)]| {
        let taken = logins(taken.iter().map(|(name, user)| (LoginName::new(name), user_id(*user))));
        let json = json!({"username": "byron", "email": "byron@example.org"});
        check_update(&row, &customer(OWNER), &draft(json), UpdateMode::Partial, &taken, Presented::default(), now())
    };
    assert_eq!(code(with_taken(&[("byron", OWNER), ("byron@example.org", OWNER)])), "ok");
    assert_eq!(wrong_fields(with_taken(&[("byron", BUYER)])), ["username"]);
    assert_eq!(wrong_fields(with_taken(&[("byron", OWNER), ("byron@example.org", BUYER)])), ["email"]);
}

/// Chapter 2: staff do not change superusers.
#[test]
fn staff_do_not_touch_a_superuser() {
    let row = superuser_row();
    assert_eq!(code(require_visible_user(&staff(), row.account.user.id)), "ok");
    for json in [json!({"first_name": "Eve"}), json!({"password": GOOD}), json!({"is_active": false}), json!({})] {
        assert_eq!(code(patched(&row, &staff(), json.clone())), "permission_denied");
        assert_eq!(code(patched(&row, &superuser(), json)), "ok");
    }
    assert_eq!(code(deactivate(&row, &staff(), now())), "permission_denied");
    assert_eq!(code(deactivate(&row, &superuser(), now())), "ok");
}

/// Rule 3.5: a missing right is a 403, before any wrong field.
#[test]
fn roles_are_granted_by_superusers_only() {
    for json in [json!({"is_staff": true}), json!({"is_superuser": true}), json!({"is_staff": true, "email": "no"})] {
        let row = account_snapshot(OWNER, Role::Customer);
        assert_eq!(code(patched(&row, &customer(OWNER), json.clone())), "permission_denied");
        assert_eq!(code(patched(&row, &staff(), json)), "permission_denied");
    }
    let staff_row = account_snapshot(50, Role::Staff);
    assert_eq!(code(patched(&staff_row, &staff(), json!({"is_staff": false}))), "permission_denied");
    assert_eq!(code(patched(&staff_row, &staff(), json!({"is_staff": true, "is_superuser": "0"}))), "ok");
}

/// Rule 3.5: customers may send the flags that they have, but not change them.
#[test]
fn a_customer_sends_the_present_flags_but_no_others() {
    let row = account_snapshot(OWNER, Role::Customer);
    assert_eq!(code(patched(&row, &customer(OWNER), json!({"is_active": true, "is_staff": false, "is_superuser": 0}))), "ok");
    assert_eq!(code(patched(&row, &customer(OWNER), json!({"is_active": false}))), "permission_denied");
    assert_eq!(code(patched(&row, &staff(), json!({"is_active": "false"}))), "ok");
    assert_eq!(
        wrong_fields(patched(&row, &customer(OWNER), json!({"is_active": "maybe", "is_staff": null}))),
        ["is_active", "is_staff"]
    );
}

/// Chapter 2, rule 3.5: the role that the two flags request.
#[test]
fn the_flags_make_the_role() {
    let cases = [
        (Role::Customer, json!({"is_staff": true}), Role::Staff),
        (Role::Customer, json!({"is_superuser": true}), Role::Superuser),
        (Role::Customer, json!({"is_superuser": true, "is_staff": false}), Role::Superuser),
        (Role::Staff, json!({"is_staff": false}), Role::Customer),
        (Role::Staff, json!({"is_superuser": true}), Role::Superuser),
        (Role::Staff, json!({}), Role::Staff),
        (Role::Superuser, json!({"is_superuser": false}), Role::Staff),
        (Role::Superuser, json!({"is_superuser": false, "is_staff": false}), Role::Customer),
        (Role::Superuser, json!({"is_staff": false}), Role::Superuser),
        (Role::Superuser, json!({}), Role::Superuser),
    ];
    for (from, json, to) in cases {
        assert_eq!(changed(&account_snapshot(50, from), &superuser(), json.clone()).user.role, to, "{from} {json}");
    }
}

/// Rule 3.5: a user has a customer exactly while they are one.
#[test]
fn a_user_has_a_customer_exactly_while_it_is_one() {
    let row = account_snapshot(OWNER, Role::Customer);
    assert_eq!(changed(&row, &superuser(), json!({"is_staff": true})).customer, CustomerChange::Delete(id(OWNER)));
    let back = changed(&account_snapshot(50, Role::Staff), &superuser(), json!({"is_staff": false}));
    assert_eq!(back.customer, CustomerChange::Create(Profile::default(), now()));
    let mut in_use = account_snapshot(OWNER, Role::Customer);
    in_use.value.customer_in_use = true;
    let response = patched(&in_use, &superuser(), json!({"is_staff": true}));
    assert!(matches!(response, Err(Error::Refused(Refusal::CustomerInUse))), "{response:?}");
    assert_eq!(changed(&in_use, &superuser(), json!({"first_name": "Eve"})).customer, CustomerChange::Keep);
}

/// Rule 3.5: there is always an active superuser.
#[test]
fn the_last_active_superuser_stays() {
    let mut last = superuser_row();
    last.value.another_active_superuser = false;
    for json in [json!({"is_active": false}), json!({"is_superuser": false}), json!({"is_superuser": false, "is_staff": false})] {
        assert_eq!(code(patched(&last, &superuser(), json.clone())), "last_superuser");
        assert!(changed(&superuser_row(), &superuser(), json).needs_another_superuser, "the store looks once more");
    }
    assert_eq!(code(deactivate(&last, &superuser(), now())), "last_superuser");
    assert!(!changed(&last, &superuser(), json!({"first_name": "Eve", "password": GOOD})).needs_another_superuser);
    last.value.account.user.value.is_active = false;
    assert_eq!(code(patched(&last, &superuser(), json!({"is_superuser": false}))), "ok", "an inactive one does not count");
}

/// Rule 3.5: a new password revokes all other tokens of the user.
#[test]
fn a_new_password_revokes_the_other_tokens() {
    let row = account_snapshot(OWNER, Role::Customer);
    let token = TokenHash([7; 32]);
    let hash = || lease_core::account::PasswordHash::from_phc("new".into());
    let change = |actor: &Actor, json: Value| {
        let checked = check_update(
            &row,
            actor,
            &draft(json),
            UpdateMode::Partial,
            &free(),
            Presented { token: Some(token), ..Presented::default() },
            now(),
        )
        .unwrap();
        let hash = checked.new_password.is_some().then(hash);
        checked.into_decision(hash)
    };
    let own = change(&customer(OWNER), json!({"password": GOOD}));
    assert_eq!((own.user.token_epoch, own.keep_token, own.user.password.expose()), (8, Some(token), "new"));
    let staffs = change(&staff(), json!({"password": GOOD}));
    assert_eq!((staffs.user.token_epoch, staffs.keep_token), (8, None), "the token of who changed it is another user's");
    let leaving = change(&superuser(), json!({"password": GOOD, "is_active": false}));
    assert_eq!((leaving.user.is_active, leaving.keep_token), (false, None));
    let none = change(&customer(OWNER), json!({"first_name": "Eve", "password": null}));
    assert_eq!((none.user.token_epoch, none.keep_token), (7, None));
}

/// Rule 3.4: revoked tokens remain revoked when the user is activated again.
#[test]
fn deactivating_revokes_the_tokens_for_good() {
    let mut row = account_snapshot(OWNER, Role::Customer);
    assert_eq!(changed(&row, &staff(), json!({"is_active": false})).user.token_epoch, 8);
    row.value.account.user.value.is_active = false;
    let back = changed(&row, &staff(), json!({"is_active": true})).user;
    assert_eq!((back.is_active, back.token_epoch), (true, 7));
}

/// Rule 3.5: `PUT` requires every name, `PATCH` none.
#[test]
fn put_requires_every_name_and_patch_none() {
    let row = account_snapshot(OWNER, Role::Customer);
    let put = check_update(&row, &customer(OWNER), &draft(json!({})), UpdateMode::Full, &free(), Presented::default(), now());
    assert_eq!(wrong_fields(put), ["email", "first_name", "last_name", "username"]);
    let change = changed(&row, &customer(OWNER), json!({"username": " NewName ", "last_login": "x", "id": 9}));
    assert_eq!((change.user.username.as_str(), change.user.email_or_empty()), ("NewName", "user-1@example.com"));
    assert_eq!((change.id, change.user.date_joined, change.user.token_epoch), (user_id(OWNER), now(), 7));
}

/// Rule 3.7: names are unique without regard to case, except for the user's own.
#[test]
fn a_name_of_another_user_is_taken() {
    let row = account_snapshot(OWNER, Role::Customer);
    let draft: lease_core::account::UserDraft = draft(json!({"username": "EVE", "email": "Eve@Example.com"}));
    let [username, email] = <[_; 2]>::try_from(draft.login_names()).unwrap();
    let update = |taken: [(LoginName, UserId); 2]| {
        check_update(&row, &customer(OWNER), &draft, UpdateMode::Partial, &logins(taken), Presented::default(), now())
    };
    assert_eq!((username.as_str(), email.as_str()), ("eve", "eve@example.com"));
    let anothers = [(username.clone(), user_id(9)), (email.clone(), user_id(9))];
    assert_eq!(wrong_fields(update(anothers)), ["email", "username"]);
    assert_eq!(code(update([(username, user_id(OWNER)), (email, user_id(OWNER))])), "ok");
}

/// Rule 3.7: a changed password is compared with the names after the change.
#[test]
fn a_new_password_is_not_like_the_new_name() {
    let row = account_snapshot(OWNER, Role::Customer);
    let json = json!({"username": "greenmountain", "password": "greenmountain1"});
    assert_eq!(wrong_fields(patched(&row, &customer(OWNER), json)), ["password"]);
    let response = patched(&row, &customer(OWNER), json!({"password": "lovelace"}));
    assert_eq!(wrong_fields(response), ["password"], "like the present last name");
}

/// Rule 3.4: staff create users; each has a customer unless they are administrative.
#[test]
fn staff_create_users_with_a_customer_unless_they_are_administrative() {
    let json = || json!({"username": "eve", "email": "eve@example.com", "first_name": "Eve", "last_name": "Moneypenny", "password": GOOD});
    let new = |actor: &Actor, extra: Value| check_new_user(actor, &draft(with(json(), extra)), &free(), now().date_naive());
    let hash = || lease_core::account::PasswordHash::from_phc("h".into());
    let plain = new(&staff(), json!({"job": "spy", "is_active": false})).unwrap().into_new_account(hash(), None, now()).changes;
    assert_eq!((plain.user.role, plain.user.is_active, plain.profile.unwrap().job), (Role::Customer, false, "spy".to_owned()));
    for (flag, role) in [("is_staff", Role::Staff), ("is_superuser", Role::Superuser)] {
        assert_eq!(code(new(&staff(), json!({flag: true}))), "permission_denied");
        let made = new(&superuser(), json!({flag: true})).unwrap().into_new_account(hash(), None, now()).changes;
        assert_eq!((made.user.role, made.profile), (role, None));
    }
    assert_eq!(code(new(&customer(OWNER), json!({}))), "permission_denied");
    assert_eq!(code(new(&Actor::Anonymous, json!({}))), "not_authenticated");
    let taken = logins([(LoginName::new("EVE"), user_id(OWNER))]);
    assert_eq!(wrong_fields(check_new_user(&staff(), &draft(json()), &taken, now().date_naive())), ["username"]);
}

/// Rules 2.1 and 3.6: a token is valid until its exact expiry, in the present epoch, while its user is active.
#[test]
fn a_token_is_valid_until_it_expires_or_is_revoked() {
    let found = |expires_at, epoch, change: fn(&mut Account)| {
        let mut account = account(OWNER, Role::Customer);
        change(&mut account);
        let token = Token { epoch, expires_at, ..token(OWNER) };
        code(session(Some((stored(1, token), account)), &Policy::default(), now()))
    };
    assert_eq!(found(now() + tick(), 7, |_| {}), "ok");
    assert_eq!(found(now(), 7, |_| {}), "not_authenticated");
    assert_eq!(found(at(60), 6, |_| {}), "not_authenticated");
    assert_eq!(found(at(60), 8, |_| {}), "not_authenticated");
    assert_eq!(found(at(60), 7, |account| account.user.value.is_active = false), "not_authenticated");
    assert_eq!(found(at(60), 7, |account| account.customer_id = None), "not_authenticated");
    assert_eq!(code(session(None, &Policy::default(), now())), "not_authenticated");
}

/// Rule 3.2: a login needs a known and active user and the right password; whatever is wrong, the error is the same.
#[test]
fn a_login_needs_an_active_user_and_the_right_password() {
    let account = account(OWNER, Role::Customer);
    let mut inactive = account.clone();
    inactive.user.value.is_active = false;
    assert_eq!(check_login(Some(account.clone()), true, TokenUse::Api).unwrap(), account);
    for (found, password_matches) in [(Some(account), false), (Some(inactive), true), (None, true), (None, false)] {
        assert_eq!(code(check_login(found, password_matches, TokenUse::Api)), "invalid_credentials");
    }
}

/// Chapter 10: whoever is not administrative is told what they would be told with a wrong password, and a session of somebody who no
/// longer is has ended.
#[test]
fn the_console_is_for_administrative_users() {
    for (role, is_admitted) in [(Role::Customer, false), (Role::Staff, true), (Role::Superuser, true)] {
        let account = account(OWNER, role);
        let login = code(check_login(Some(account.clone()), true, TokenUse::Console));
        assert_eq!(login, if is_admitted { "ok" } else { "invalid_credentials" }, "{role:?}");
        let token = Token { epoch: account.user.token_epoch, expires_at: at(60), ..token(OWNER) };
        let found = Some((stored(1, token), account));
        let session = code(console_session(found, &Policy::default(), now()));
        assert_eq!(session, if is_admitted { "ok" } else { "not_authenticated" }, "{role:?}");
    }
    assert_eq!(code(check_login(Some(account(OWNER, Role::Staff)), false, TokenUse::Console)), "invalid_credentials");
}

/// Rule 6.7: a registration is repeated while its user is active and their tokens have not been revoked.
#[test]
fn a_registration_is_repeated_until_the_user_is_shut_out() {
    let repeated = |is_active, token_epoch| {
        let mut account = account(OWNER, Role::Customer);
        account.user.value.is_active = is_active;
        account.user.value.token_epoch = token_epoch;
        code(check_repeated_registration(&account))
    };
    assert_eq!(repeated(true, FIRST_EPOCH), "ok");
    assert_eq!(repeated(false, FIRST_EPOCH), "not_authenticated");
    assert_eq!(repeated(true, FIRST_EPOCH + 1), "not_authenticated");
}

/// Chapter 2: the actor of an account follows from its role.
#[test]
fn an_account_is_the_actor_of_its_role() {
    assert_eq!(Actor::of(&account(OWNER, Role::Customer)), customer(OWNER));
    assert_eq!(Actor::of(&account(50, Role::Staff)), Actor::Staff { user: user_id(50) });
    assert_eq!(Actor::of(&account(50, Role::Superuser)), Actor::Superuser { user: user_id(50) });
}

/// Rule 3.3: logging out everywhere revokes only the user's own tokens.
#[test]
fn only_the_own_tokens_are_revoked_at_once() {
    let row = account_snapshot(OWNER, Role::Customer);
    let change = revoke_tokens(&row, &customer(OWNER), now()).unwrap();
    assert_eq!((change.user.token_epoch, change.keep_token, change.user.is_active), (8, None, true));
    for actor in [Actor::Anonymous, customer(BUYER), staff(), superuser()] {
        assert_eq!(code(revoke_tokens(&row, &actor, now())), "not_found", "{actor:?}");
    }
}

/// Rule 3.6: a token is 40 lower-case hex characters and is stored as its SHA-256, here as `sha256sum` prints it.
#[test]
fn a_token_has_one_form() {
    let token = TokenText::from_random([0xAB; 20]);
    assert_eq!(token.expose(), "ab".repeat(20));
    let again: TokenText = token.expose().parse().unwrap();
    assert_eq!(again.hash(), token.hash());
    assert_eq!(hex::encode(token.hash().0), "f830125c0db7d16c841ee826f4d515b4715c5cf5f2a93e9702e9e13ed8079256");
    assert_ne!(TokenText::from_random([0xAC; 20]).hash(), token.hash());
    for text in [
        String::new(),
        "ab".repeat(19),
        "ab".repeat(21),
        "AB".repeat(20),
        "zz".repeat(20),
        format!(" {}", "ab".repeat(20)),
        "é".repeat(20),
    ] {
        assert!(text.parse::<TokenText>().is_err(), "{text:?}");
    }
}

/// Rule 6.1: the customer and staff change a profile.
#[test]
fn a_profile_is_changed_by_its_customer_and_staff() {
    let row = first(stored(
        OWNER,
        Customer { user_id: user_id(OWNER), profile: Profile::default(), created_at: now(), annotations: Annotations::default() },
    ));
    let update = |actor: &Actor, json: Value| update_profile(&row, actor, &draft::<ProfileDraft>(json), None, now().date_naive());
    for (actor, expected) in [
        (Actor::Anonymous, "not_authenticated"),
        (customer(OWNER), "ok"),
        (customer(BUYER), "not_found"),
        (staff(), "ok"),
        (superuser(), "ok"),
    ] {
        assert_eq!(code(update(&actor, json!({"job": "spy"}))), expected);
    }
    for (dob, is_good) in
        [("2026-03-01", true), ("2026-03-02", false), ("2026-03-03", false), ("1899-02-28", true), ("1900-02-29", false)]
    {
        assert_eq!(update(&customer(OWNER), json!({"dob": dob})).is_ok(), is_good, "{dob}");
    }
    assert_eq!(wrong_fields(update(&staff(), json!({"job": 1, "dob": "x", "notes": "\u{0}"}))), ["dob", "job", "notes"]);
    let RowChange::Update { value, .. } = update(&staff(), json!({"notes": "a\nb", "dob": null})).unwrap().changes else {
        panic!("an update")
    };
    assert_eq!(value.profile, Profile { notes: "a\nb".into(), ..Profile::default() });
}
