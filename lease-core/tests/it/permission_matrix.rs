//! The table of chapter 2 as text, against one that was read and checked by hand: `permission_matrix.txt`.

use lease_core::permission::{Act, Actor, Grant, Resource};
use strum::VariantArray;

use crate::support::*;

const REVIEWED: &str = include_str!("permission_matrix.txt");

/// A line a resource and act that anybody has a right to.
fn matrix() -> String {
    let actors = [Actor::Anonymous, customer(OWNER), staff(), superuser(), Actor::System];
    let row = |resource: &str, act: &str, [anonymous, customer, staff, superuser, system]: [String; 5]| {
        format!("{resource:<12} {act:<12} {anonymous:<10} {customer:<10} {staff:<10} {superuser:<10} {system}")
    };
    let mut lines = vec![row("resource", "act", ["anonymous", "customer", "staff", "superuser", "system"].map(str::to_owned))];
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

/// The gateway tells what became of a charge, and may nothing else.
#[test]
fn the_gateway_has_no_rights() {
    for resource in Resource::VARIANTS {
        for act in Act::VARIANTS {
            assert_eq!(Actor::Gateway.grant(*resource, *act), Grant::None, "{resource} {act}");
        }
    }
}

/// chapter 2: nobody gets 401, somebody without the right 403.
#[test]
fn a_missing_right_is_told_by_who_asks() {
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
