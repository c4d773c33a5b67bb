//! Events (chapter 8) over HTTP: the list and its filters, reading forward, the history of a trade, and who sees what.

use lease_core::policy::Policy;
use serde_json::{Value, json};

use crate::support::setup::GOOD_CARD;
use crate::support::{Person, World, id, ids, nobody};

/// All rows of a list, from this page on.
async fn walk(world: &World, path: &str, person: &Person) -> Vec<Value> {
    let mut rows = Vec::new();
    let mut link = Some(path.to_owned());
    while let Some(path) = link {
        let page = world.get(&path, person).await.expect(200);
        rows.extend(page["results"].as_array().unwrap().iter().cloned());
        link = page["next"].as_str().map(str::to_owned);
    }
    rows
}

fn ids_of(events: &[Value]) -> Vec<i64> {
    events.iter().map(id).collect()
}

/// The filters of rule 8.6: requests by staff, with the events of their first page. What they are is decided here by looking at
/// all events.
pub(crate) async fn filters(world: &World) -> Vec<(String, Vec<i64>)> {
    world.app.clock.advance(chrono::Duration::minutes(1));
    world.log_in("owner").await;
    let all = walk(world, "/api/events?limit=100", &world.root).await;
    let chosen = |path: &str, is_meant: &dyn Fn(&Value) -> bool| {
        let meant: Vec<i64> = all.iter().filter(|event| is_meant(event)).map(id).collect();
        assert!(!meant.is_empty() && meant.len() < all.len(), "{path} chooses some");
        assert!(meant.len() <= 100, "{path} has one page");
        (format!("/api/events?limit=100&{path}"), meant)
    };
    let of_type = |names: &'static [&str]| move |event: &Value| names.contains(&event["type"].as_str().unwrap());
    let trade = all.iter().find(|event| event["type"] == "trade.agreed").unwrap()["trade_id"].clone();
    let clerk = world.staff.user;
    let after = ids_of(&all)[3];
    let mut forward = ids_of(&all)[..3].to_vec();
    forward.reverse();
    vec![
        chosen("type=trade.agreed", &of_type(&["trade.agreed"])),
        chosen("type=trade.agreed,trade.opened", &of_type(&["trade.agreed", "trade.opened"])),
        chosen("type=trade.opened&type=lead.converted", &of_type(&["trade.opened", "lead.converted"])),
        chosen("type=proposal.*", &|event| event["subject"]["kind"] == "proposal"),
        chosen("type=trade.*,trade.opened&type=invoice.*", &|event| {
            ["trade", "invoice"].contains(&event["subject"]["kind"].as_str().unwrap())
        }),
        chosen(&format!("subject_kind=trade&subject_id={trade}"), &|event| {
            event["subject"] == json!({"kind": "trade", "id": trade})
        }),
        chosen(&format!("trade_id={trade}"), &|event| event["trade_id"] == trade),
        chosen(&format!("actor_user_id={clerk}"), &|event| event["actor"]["user_id"] == clerk),
        chosen("since=2026-03-01T12:01:00Z", &|event| event["occurred_at"] == "2026-03-01T12:01:00Z"),
        chosen("until=2026-03-01T13:01:00%2B01:00&type=user.logged_in", &|event| {
            event["type"] == "user.logged_in" && event["occurred_at"] == "2026-03-01T12:00:00Z"
        }),
        (format!("/api/events?limit=100&after={after}"), forward),
    ]
}

/// Rule 8.6: wrong filters are wrong on their field, and the two about an object belong together.
#[tokio::test]
async fn wrong_filters_are_refused_on_their_field() {
    let world = World::new().await;
    let wrong: [(&str, &[&str]); 13] = [
        ("type=trade.sold", &["type"]),
        ("type=ship.*", &["type"]),
        ("type=*", &["type"]),
        ("type=trade.opened,", &["type"]),
        ("type=trade.opened&type=Trade.Agreed", &["type"]),
        ("subject_kind=trade", &["subject_id"]),
        ("subject_id=1", &["subject_kind"]),
        ("subject_kind=ship&subject_id=0", &["subject_id", "subject_kind"]),
        ("since=yesterday", &["since"]),
        ("until=2026-03-01", &["until"]),
        ("after=-1", &["after"]),
        ("after=1+1&trade_id=x", &["after", "trade_id"]),
        ("after=1&after=2", &["after"]),
    ];
    for (query, fields) in wrong {
        world.get(&format!("/api/events?{query}"), &world.owner).await.invalid(fields);
        world.get(&format!("/api/events?{query}"), &nobody()).await.refused(401, "not_authenticated");
    }
    let trade = world.trade(world.sell, 1).await;
    let history = format!("/api/trades/{trade}/history");
    world.get(&format!("{history}?type=trade.opened"), &world.owner).await.invalid(&["type"]);
    world.get(&format!("{history}?limit=0"), &nobody()).await.refused(401, "not_authenticated");
    world.get("/api/trades/987654321/history?limit=0", &world.owner).await.refused(404, "not_found");
}

/// Rule 8.6: forward, `next` leads to all events that were there, and to those that came meanwhile; `previous` leads back to where
/// the list began, and not beyond.
#[tokio::test]
async fn reading_forward_finds_what_is_written_meanwhile() {
    let world = World::new().await;
    let own = ids_of(&walk(&world, "/api/events", &world.owner).await);
    let start = own[0];
    world.trade(world.sell, 1).await;
    let first = world.get(&format!("/api/events?after={start}&limit=1"), &world.owner).await.expect(200);
    assert_eq!((first["results"][0]["type"].as_str(), &first["previous"]), (Some("vehicle.created"), &Value::Null));
    world.vehicle(&world.owner, 2).await;
    let rest = walk(&world, first["next"].as_str().unwrap(), &world.owner).await;
    let types: Vec<_> = rest.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["trade.opened", "vehicle.created"]);

    let mut newest_first = ids_of(&walk(&world, "/api/events", &world.owner).await);
    newest_first.reverse();
    assert_eq!(newest_first[own.len()..], [vec![id(&first["results"][0])], ids_of(&rest)].concat());
    assert_eq!(ids_of(&walk(&world, "/api/events?after=0&limit=2", &world.owner).await), newest_first);
    assert_eq!(ids(&world.get(&format!("/api/events?after={}", id(&rest[1])), &world.owner).await.expect(200)), [0_i64; 0]);

    let last = world.get(first["next"].as_str().unwrap(), &world.owner).await.expect(200);
    let back = world.get(&last["previous"].as_str().unwrap().replace("limit=1", "limit=3"), &world.owner).await.expect(200);
    assert_eq!((ids(&back), &back["previous"]), (ids(&first), &Value::Null), "nothing at or before the start");
}

/// Rules 6.5 and 8.6: newest first, what is written meanwhile comes on the pages before.
#[tokio::test]
async fn pages_newest_first_stay_where_they_are() {
    let world = World::new().await;
    world.trade(world.sell, 1).await;
    let before = ids_of(&walk(&world, "/api/events?limit=2", &world.owner).await);
    let first = world.get("/api/events?limit=2", &world.owner).await.expect(200);
    world.vehicle(&world.owner, 2).await;
    let rest = walk(&world, first["next"].as_str().unwrap(), &world.owner).await;
    assert_eq!([ids(&first), ids_of(&rest)].concat(), before);
    let second = world.get(first["next"].as_str().unwrap(), &world.owner).await.expect(200);
    let back = world.get(second["previous"].as_str().unwrap(), &world.owner).await.expect(200);
    assert_eq!(ids(&back), ids(&first));
    let newer = world.get(back["previous"].as_str().unwrap(), &world.owner).await.expect(200);
    assert_eq!(newer["results"][0]["type"], "vehicle.created");
    assert_eq!((ids(&newer).len(), &newer["previous"]), (1, &Value::Null));
}

/// Rule 8.2: an event about an act of a user, of staff, of nobody and of the program.
#[tokio::test]
async fn an_event_says_who_did_what() {
    let world = World::new().await;
    let trade = world.trade(world.sell, 1).await;
    world.patch(&format!("/api/trades/{trade}"), &world.owner, json!({"title": "A finer car"})).await.expect(200);
    let amended = &world.get("/api/events?type=trade.amended", &world.owner).await.expect(200)["results"][0];
    let request = amended["request_id"].as_str().unwrap();
    assert!(!request.is_empty());
    let expected = json!({
        "id": amended["id"], "type": "trade.amended", "occurred_at": "2026-03-01T12:00:00Z", "request_id": request,
        "actor": {"kind": "user", "user_id": world.owner.user, "customer_id": world.owner.customer, "is_staff": false},
        "subject": {"kind": "trade", "id": trade}, "trade_id": trade, "data": amended["data"],
        "changes": {"title": {"from": "A fine car", "to": "A finer car"}},
    });
    assert_eq!(amended, &expected);
    assert_eq!(amended["data"]["trade_id"], trade);

    let of = async |of: &str| world.get(&format!("/api/events?type={of}"), &world.root).await.expect(200)["results"][0].clone();
    assert_eq!(of("user.registered").await["actor"], json!({"kind": "anonymous"}));
    assert_eq!(of("service.created").await["actor"], json!({"kind": "system"}));
    let staff = json!({"kind": "user", "user_id": world.root.user, "customer_id": null, "is_staff": true});
    assert_eq!(of("user.created").await["actor"], staff);
    let token = of("token.created").await;
    assert_eq!(token["subject"], json!({"kind": "token", "id": token["data"]["token_id"]}));
    assert!(token["subject"]["id"].is_i64());
    world.post("/api/logout-all", &world.buyer, Value::Null).await;
    assert_eq!(of("token.revoked").await["subject"], json!({"kind": "token", "id": null}), "several at once");
}

/// A sale from the offer to the last payment, with two bidders: the events of its trade, by whom each of the five sees them.
struct Sale {
    world: World,
    trade: i64,
    /// A second bidder, who loses.
    rival: Person,
}

impl Sale {
    async fn new() -> Self {
        let world = World::new().await;
        let (owner, buyer) = (&world.owner, &world.buyer);
        let rival = world.register("rival").await;
        let trade = world.trade(world.sell, 1).await;
        world.offer(trade, owner, "9000").await;
        let bid = async |person, amount: &str, message: &str| {
            let terms = json!({"amount": amount, "message": message});
            id(&world.post(&format!("/api/trades/{trade}/proposals"), person, terms).await.expect(201))
        };
        bid(buyer, "8111", "buyers words").await;
        bid(&rival, "7222", "rivals words").await;
        let better = bid(buyer, "8333", "more of the buyers words").await;
        world.post(&format!("/api/proposals/{better}/accept"), owner, Value::Null).await.expect(200);
        let invoice = world.get(&format!("/api/trades/{trade}"), owner).await.expect(200)["invoice_id"].as_i64().unwrap();
        let card = world.card(owner, GOOD_CARD).await;
        world.post(&format!("/api/invoices/{invoice}/payments"), owner, json!({"credit_card_id": card})).await.expect(201);
        Self { world, trade, rival }
    }

    /// The people of the table, in the order of its columns.
    fn people(&self) -> [(&'static str, Person); 5] {
        let world = &self.world;
        let [owner, buyer, stranger] = [&world.owner, &world.buyer, &world.stranger].map(Clone::clone);
        [
            ("owner", owner),
            ("buyer", buyer),
            ("rival", self.rival.clone()),
            ("stranger", stranger),
            ("staff", world.staff.clone()),
        ]
    }

    /// The line of the table for an event: its type and, for proposals, the author.
    fn line(&self, event: &Value) -> String {
        let author = match event["data"]["customer_id"].as_i64() {
            _ if event["subject"]["kind"] != "proposal" => "",
            Some(customer) if customer == self.world.buyer.customer => " buyer",
            Some(customer) if customer == self.rival.customer => " rival",
            _ => " owner",
        };
        format!("{}{author}", event["type"].as_str().unwrap())
    }
}

/// The events of a sale, oldest first, and who sees each of them: the owner, the buyer, the rival. Staff see all, a stranger none.
const SEEN: [(&str, &[&str]); 16] = [
    ("trade.opened", &["owner", "buyer", "rival"]),
    ("proposal.made owner", &["owner", "buyer", "rival"]),
    ("proposal.made buyer", &["owner", "buyer"]),
    ("proposal.made rival", &["owner", "rival"]),
    ("proposal.superseded buyer", &["owner", "buyer"]),
    ("proposal.made buyer", &["owner", "buyer"]),
    ("proposal.accepted buyer", &["owner", "buyer"]),
    ("trade.agreed", &["owner", "buyer", "rival"]),
    ("invoice.issued", &["owner"]),
    ("proposal.closed owner", &["owner", "buyer", "rival"]),
    ("proposal.closed rival", &["owner", "rival"]),
    ("payment.begun", &["owner"]),
    ("payment.succeeded", &["owner"]),
    ("invoice.paid", &["owner"]),
    ("trade.completed", &["owner", "buyer", "rival"]),
    ("vehicle.transferred", &["owner", "buyer"]),
];

/// What a person must not find in any event: terms, words and names of others.
const HIDDEN: [(&str, &[&str]); 4] = [
    ("owner", &["buyer@", "rival@"]),
    ("buyer", &["\"7222.00\"", "rivals words", "owner@", "rival@"]),
    ("rival", &["\"8111.00\"", "\"8333.00\"", "buyers words", "owner@", "buyer@"]),
    ("stranger", &["\"9000.00\"", "\"8111.00\"", "\"8333.00\"", "\"7222.00\"", "words", "owner@", "buyer@", "rival@"]),
];

/// Rules 8.4 and 8.6: what each sees of a whole sale, in the list, in the history and one by one. A trade that one may not see has
/// no history, and an event that one may not see is not found.
#[tokio::test]
async fn of_a_sale_everybody_sees_their_part() {
    let sale = Sale::new().await;
    let world = &sale.world;
    let of_trade = format!("/api/events?after=0&limit=5&trade_id={}", sale.trade);
    let all = walk(world, &of_trade, &world.staff).await;
    let lines: Vec<String> = all.iter().map(|event| sale.line(event)).collect();
    assert_eq!(lines, SEEN.map(|(line, _)| line));
    for (name, person) in sale.people() {
        let sees = |seen_by: &[&str]| name == "staff" || seen_by.contains(&name);
        let expected: Vec<&Value> = all.iter().zip(SEEN).filter(|(_, (_, by))| sees(by)).map(|(event, _)| event).collect();
        assert_eq!(walk(world, &of_trade, &person).await.iter().collect::<Vec<_>>(), expected, "the list of {name}");
        let history = format!("/api/trades/{}/history", sale.trade);
        if name == "stranger" {
            world.get(&history, &person).await.refused(404, "not_found");
        } else {
            let history = walk(world, &format!("{history}?limit=4"), &person).await;
            assert_eq!(history.iter().collect::<Vec<_>>(), expected, "the history of {name}");
        }
        for (event, (line, by)) in all.iter().zip(SEEN) {
            let alone = world.get(&format!("/api/events/{}", id(event)), &person).await;
            if sees(by) {
                assert_eq!(&alone.expect(200), event, "{line} of {name}");
            } else {
                alone.refused(404, "not_found");
            }
        }
    }
}

/// Rule 8.4: in all that they can read, nobody finds what others offered, wrote or are called.
#[tokio::test]
async fn no_event_tells_a_customer_about_another_bidder() {
    let sale = Sale::new().await;
    for (name, hidden) in HIDDEN {
        let person = sale.people().into_iter().find(|(other, _)| *other == name).unwrap().1;
        let all = walk(&sale.world, "/api/events?limit=100", &person).await;
        assert!(!all.is_empty(), "{name} has registered at least");
        let text = Value::from(all).to_string();
        for hidden in hidden {
            assert!(!text.contains(hidden), "{name} finds {hidden}: {text}");
        }
    }
}

/// Rule 8.4: nor the days of a lease that somebody else got.
#[tokio::test]
async fn other_bidders_do_not_learn_the_days_of_a_lease() {
    let world = World::new().await;
    let trade = world.trade(world.lease, 1).await;
    let rival = world.register("rival").await;
    let bid = async |person, start: &str, end: &str| {
        let terms = json!({"amount": "300", "start_date": start, "end_date": end});
        id(&world.post(&format!("/api/trades/{trade}/proposals"), person, terms).await.expect(201))
    };
    bid(&world.owner, "2026-04-01", "2027-04-01").await;
    bid(&rival, "2026-04-05", "2027-04-05").await;
    let won = bid(&world.buyer, "2026-04-09", "2027-04-09").await;
    world.post(&format!("/api/proposals/{won}/accept"), &world.owner, Value::Null).await.expect(200);
    let end = json!({"end_date": "2026-04-12", "reason": "Returned"});
    world.post(&format!("/api/trades/{trade}/end"), &world.staff, end).await.expect(200);
    for (person, finds) in [(&world.owner, true), (&world.buyer, true), (&rival, false)] {
        let seen = walk(&world, &format!("/api/trades/{trade}/history"), person).await;
        assert_eq!(seen.iter().filter(|event| event["type"] == "trade.agreed").count(), 1);
        assert_eq!(Value::from(seen).to_string().contains("2026-04-09"), finds, "customer {}", person.customer);
        for path in [format!("/api/trades/{trade}"), "/api/trades".to_owned()] {
            let shown = world.get(&path, person).await.expect(200).to_string();
            assert_eq!(shown.contains("2026-04-09"), finds, "customer {}", person.customer);
        }
    }
}

/// Rule 8.6: the history of an open trade is empty for somebody who may see the trade, but takes no part in it; the earlier events
/// are theirs as well once they do.
#[tokio::test]
async fn the_history_opens_with_the_first_proposal() {
    let world = World::new().await;
    let trade = world.trade(world.sell, 1).await;
    world.offer(trade, &world.owner, "9000").await;
    let history = format!("/api/trades/{trade}/history");
    assert_eq!(ids(&world.get(&history, &world.buyer).await.expect(200)), [0_i64; 0]);
    world.offer(trade, &world.buyer, "8000").await;
    let seen = world.get(&history, &world.buyer).await.expect(200);
    let types: Vec<_> = seen["results"].as_array().unwrap().iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["trade.opened", "proposal.made", "proposal.made"]);
}

/// Rule 8.8: what time brings is the system's act, at the instant at which it came, and its party sees it.
#[tokio::test]
async fn what_time_brings_is_read_like_all_else() {
    let world = World::new().await;
    let trade = world.trade(world.lease, 1).await;
    let terms =
        json!({"amount": "300", "start_date": "2026-04-01", "end_date": "2027-04-01", "expires_at": "2026-03-05T07:00:00Z"});
    world.post(&format!("/api/trades/{trade}/proposals"), &world.owner, terms).await.expect(201);
    world.app.clock.advance(chrono::Duration::days(20));
    assert_eq!(world.app.engine.expire_proposals(10).await.unwrap(), 1);
    assert_eq!(world.app.engine.record_overdue(10).await.unwrap(), 1);
    let brought = "/api/events?after=0&type=proposal.expired,invoice.overdue";
    let seen = walk(&world, brought, &world.owner).await;
    let told = seen.iter().map(|event| (event["type"].as_str().unwrap(), event["occurred_at"].as_str().unwrap()));
    let expected = [("proposal.expired", "2026-03-05T07:00:00Z"), ("invoice.overdue", "2026-03-16T00:00:00Z")];
    assert_eq!(told.collect::<Vec<_>>(), expected);
    assert!(seen.iter().all(|event| event["actor"] == json!({"kind": "system"})));
    assert_eq!(seen[1]["changes"], json!({"is_overdue": {"from": false, "to": true}}));
    assert_eq!(walk(&world, brought, &world.stranger).await, [Value::Null; 0]);
}

/// Rule 8.9: whoever goes on from before what was cleared is told to start anew, and then misses nothing that is there.
#[tokio::test]
async fn whoever_reads_on_after_a_clearing_is_told_to_start_anew() {
    let policy = Policy::default().with_event_retention(Some(chrono::Duration::days(1)));
    let world = World::with(|builder| builder.policy(policy)).await;
    let trade = world.trade(world.sell, 1).await;
    let old = ids_of(&walk(&world, "/api/events?after=0&limit=100", &world.staff).await);
    let page = world.get("/api/events?after=0&limit=2", &world.staff).await.expect(200);
    world.app.clock.advance(chrono::Duration::days(2));
    world.offer(trade, &world.owner, "9000").await;
    while world.app.engine.clear_events().await.unwrap() > 0 {}

    let kept = walk(&world, "/api/events?after=0", &world.staff).await;
    assert_eq!(kept.iter().map(|event| &event["type"]).collect::<Vec<_>>(), ["proposal.made"]);
    for late in [format!("/api/events?after={}", old[0]), page["next"].as_str().unwrap().to_owned()] {
        let told = world.get(&late, &world.staff).await.refused(410, "events_gone");
        assert_eq!(told["detail"], "Events after this one were cleared; start anew.");
    }
    world.get(&format!("/api/events?after={}", old[0]), &world.owner).await.refused(410, "events_gone");
    let last = format!("/api/events?after={}", old.last().unwrap());
    assert_eq!(walk(&world, &last, &world.staff).await, kept, "who has read all of it goes on");
    assert_eq!(walk(&world, "/api/events", &world.staff).await, kept);
    assert_eq!(walk(&world, &format!("/api/trades/{trade}/history"), &world.owner).await, kept);
    world.get(&format!("/api/events/{}", old[0]), &world.staff).await.refused(404, "not_found");
}
