//! The table of chapter 2 as text, compared with `permission_matrix.txt`, which was checked by hand.

use lease_core::event::EventActor;
use lease_core::permission::{Act, Actor, Grant, Resource};
use strum::VariantArray;

use crate::support::*;

const REVIEWED: &str = include_str!("permission_matrix.txt");

/// One line for each resource and act that anybody has a right to.
fn matrix() -> String {
    let actors = [Actor::Anonymous, unverified(), customer(OWNER), staff(), superuser(), Actor::System];
    let row = |resource: &str, act: &str, [anonymous, unverified, customer, staff, superuser, system]: [String; 6]| {
        format!("{resource:<16} {act:<12} {anonymous:<10} {unverified:<10} {customer:<10} {staff:<10} {superuser:<10} {system}")
    };
    let mut lines =
        vec![row("resource", "act", ["anonymous", "unverified", "customer", "staff", "superuser", "system"].map(str::to_owned))];
    for resource in Resource::VARIANTS {
        for act in Act::VARIANTS {
            let grants = actors.map(|actor| match actor.grant(*resource, *act) {
                Grant::None => "-".to_owned(),
                grant => grant.to_string(),
            });
            lines.push(row(&resource.to_string(), &act.to_string(), grants));
        }
    }
    lines.join("\n") + "\n"
}

#[test]
fn the_table_is_the_one_that_was_reviewed() {
    let matrix = matrix();
    for (present, reviewed) in matrix.lines().zip(REVIEWED.lines()) {
        assert_eq!(present, reviewed);
    }
    assert_eq!(matrix, REVIEWED, "the table as it is:\n{matrix}");
}

#[test]
fn every_resource_and_act_is_in_the_reviewed_table() {
    for resource in Resource::VARIANTS {
        for act in Act::VARIANTS {
            let named = |line: &&str| line.split_whitespace().take(2).eq([resource.to_string(), act.to_string()]);
            assert_eq!(REVIEWED.lines().filter(named).count(), 1, "{resource} {act}");
        }
    }
}

/// The gateway reports the outcomes of charges, and may do nothing else.
#[test]
fn the_gateway_has_no_rights() {
    for resource in Resource::VARIANTS {
        for act in Act::VARIANTS {
            assert_eq!(Actor::Gateway.grant(*resource, *act), Grant::None, "{resource} {act}");
        }
    }
}

/// Chapter 2: the system has the rights of a superuser, and no other.
#[test]
fn the_system_may_what_a_superuser_may() {
    for resource in Resource::VARIANTS {
        for act in Act::VARIANTS {
            assert_eq!(Actor::System.grant(*resource, *act), superuser().grant(*resource, *act), "{resource} {act}");
        }
    }
    assert_eq!((Actor::System.user(), Actor::System.customer(), Actor::System.role()), (None, None, None));
    assert_eq!(EventActor::from(&Actor::System), EventActor::System);
}

fn unverified() -> Actor {
    Actor::Unverified { user: user_id(OWNER), customer: id(OWNER) }
}

/// Rule 9.4: whoever has to confirm the e-mail address is told so where they would have the right, and has no other right than a
/// customer.
#[test]
fn without_a_confirmed_address_only_what_a_customer_may_do_can_be_refused_for_it() {
    for resource in Resource::VARIANTS {
        for act in Act::VARIANTS {
            let (as_customer, now) = (customer(OWNER).grant(*resource, *act), unverified().grant(*resource, *act));
            assert!(now == as_customer || now == Grant::None, "{resource} {act}");
            let expected = match (now, as_customer) {
                (Grant::None, Grant::None) => "permission_denied",
                (Grant::None, _) => "email_not_verified",
                _ => "ok",
            };
            assert_eq!(code(unverified().require(*resource, *act)), expected, "{resource} {act}");
            assert!(*act != Act::Read || now == as_customer, "reading {resource}");
        }
    }
}

/// Chapter 2: without the right, an anonymous caller gets 401, and a user 403.
#[test]
fn a_missing_right_is_401_or_403_depending_on_the_actor() {
    for resource in Resource::VARIANTS {
        for act in Act::VARIANTS {
            for actor in [Actor::Anonymous, customer(OWNER), staff(), superuser(), Actor::System, Actor::Gateway] {
                let expected = match (actor.grant(*resource, *act), actor) {
                    (Grant::None, Actor::Anonymous) => "not_authenticated",
                    (Grant::None, _) => "permission_denied",
                    _ => "ok",
                };
                assert_eq!(code(actor.require(*resource, *act)), expected, "{actor:?} {resource} {act}");
            }
        }
    }
}
