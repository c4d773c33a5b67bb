//! What is required. Whatever is not as required is a sentence.

use std::time::Duration;

use crate::SHUTDOWN;
use crate::answer::Answer;
use crate::attacks::Attack;
use crate::report::Round;
use crate::series::Series;
use crate::stop::Stop;

/// `/healthz`, of 99 in 100, in milliseconds.
const HEALTH: f64 = 50.0;
/// Reads, compared with the quiet.
const READS: f64 = 4.0;
/// The login of another user, in milliseconds.
const LOGIN: f64 = 2_000.0;
/// The server's memory, in MiB.
const MEMORY: u64 = 256;

/// The time after which the server has closed what does not go on: more than its deadline, which is 30 seconds.
const DEADLINE: Duration = Duration::from_secs(45);

/// Even the quiet has to be quiet.
pub(crate) fn of_quiet(quiet: &Round) -> Vec<String> {
    of_attack(quiet, quiet)
}

pub(crate) fn of_attack(round: &Round, quiet: &Round) -> Vec<String> {
    let Round { attack, length, answers, seen, used } = round;
    // From the address of a flood, even the right password may have to wait for its turn.
    let may_wait = (*attack == Some(Attack::LoginFloodNextDoor)).then_some("429");
    let mut complaints = Vec::new();
    for (what, series, right) in [
        ("/healthz", &seen.health, None),
        ("a trade", &seen.trade, None),
        ("a page", &seen.page, None),
        ("another's login", &seen.login, may_wait),
    ] {
        complaints.extend(failures(what, series, right));
    }
    let mut at_most = |what: &str, figure: f64, limit: f64| {
        // Also where there is no figure.
        if !(figure < limit) {
            complaints.push(format!("{what} is {figure:.1}, not below {limit:.0}"));
        }
    };
    at_most("p99 of /healthz in ms", seen.health.quantile(0.99), HEALTH);
    at_most("a trade, compared with the quiet,", seen.trade.median() / quiet.seen.trade.median(), READS);
    at_most("a page, compared with the quiet,", seen.page.median() / quiet.seen.page.median(), READS);
    at_most("another's login in ms", seen.login.median(), LOGIN);
    if used.memory >= MEMORY {
        complaints.push(format!("the server had {} MiB, not below {MEMORY}", used.memory));
    }
    if answers.ended(Answer::Other) > 0 {
        complaints.push(format!("{} answers were errors that the server should not have", answers.ended(Answer::Other)));
    }
    let is_slow = matches!(attack, Some(Attack::SlowBodies | Attack::IdleConnections));
    if is_slow && *length > DEADLINE && answers.all_ended() == 0 {
        complaints.push("the server has ended none of the connections".to_owned());
    }
    let name = attack.map_or("none".to_owned(), |attack| attack.to_string());
    complaints.into_iter().map(|complaint| format!("{name}: {complaint}")).collect()
}

fn failures<'a>(what: &'a str, series: &'a Series, right: Option<&'a str>) -> impl Iterator<Item = String> + 'a {
    let wrong = series.failures().filter(move |(reason, _)| Some(*reason) != right);
    wrong.map(move |(reason, number)| format!("{what}: {number} of {} failed: {reason}", series.len()))
}

pub(crate) fn of_stop(stop: &Stop) -> Option<String> {
    let in_time = stop.took <= SHUTDOWN && stop.status.is_some_and(|status| status.success());
    (!in_time).then(|| format!("with slow peers, {stop}, not with success within {} s", SHUTDOWN.as_secs()))
}
