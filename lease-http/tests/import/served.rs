//! A server goes on with what was imported.

use serde_json::Value;

use crate::mail_folder::{MailFolder, token_in};
use crate::postgres::TestDatabase;
use crate::process::{Server, run};
use crate::whole::{HASHES, IN_THE_CLEAR, token};
use crate::{Dump, import, import_into};

/// What the hashes are of.
const PASSWORD: &str = "Grüße an 3 Pferde!";
const SUPERUSER: [(&str, &str); 3] = [
    ("LEASE_SUPERUSER_USERNAME", "root"),
    ("LEASE_SUPERUSER_PASSWORD", "amber-meadow-17"),
    ("LEASE_SUPERUSER_EMAIL", "root@example.com"),
];

fn serve(database: &TestDatabase, variables: &[(&str, &str)]) -> Server {
    let url = database.direct_url();
    Server::start(&["--log=error,lease_server=info", "--login-failures-per-minute=0", "--database-url", &url], variables)
}

/// The status and the body of a response.
fn answer(response: &str) -> (u16, Value) {
    let (head, body) = response.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, serde_json::from_str(body).unwrap_or_default())
}

fn get(server: &Server, token: &str, path: &str) -> (u16, Value) {
    answer(&server.ask_as(&format!("Token {token}"), &format!("GET /api/{path}"), ""))
}

fn login(server: &Server, username: &str, password: &str) -> (u16, Value) {
    let body = serde_json::json!({"username": username, "password": password});
    answer(&server.ask("POST /api/login", &body.to_string()))
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_stay_logged_in_and_ids_stay() {
    let (database, dump) = (TestDatabase::create_empty().await, Dump::new("tokens"));
    import_into(&database.direct_url(), &dump);
    let server = serve(&database, &[]);
    let (status, me) = get(&server, &token(1), "me");
    assert_eq!((status, &me["id"], &me["username"], &me["customer_id"]), (200, &1.into(), &"user1".into(), &201.into()));
    for (path, ids) in [
        ("trades?vehicle_id=2019", vec![2119, 2019]),
        ("trades/2012/proposals", vec![2912, 2812, 2512, 2412, 2312, 2212, 2112, 2012]),
        ("invoices", vec![2104, 2018, 2017, 2014, 2013, 2006, 2002, 2001]),
        ("payments?invoice_id=2017", vec![2317]),
        ("contacts?limit=2", vec![1001, 1]),
        ("credit-cards", vec![]),
        ("services?kind=custom", vec![3]),
    ] {
        let (status, list) = get(&server, &token(1), path);
        let found: Vec<_> = list["results"].as_array().unwrap().iter().map(|row| row["id"].as_i64().unwrap()).collect();
        assert_eq!((status, found), (200, ids), "{path}");
    }
    // The buyer sees what was bought, and the owner's invoice is still to be paid.
    assert_eq!(get(&server, &token(2), "vehicles/2002").1["customer_id"], 202);
    assert_eq!(get(&server, &token(1), "invoices/2001").1["is_overdue"], true);
    assert_eq!(get(&server, &token(101), "me").0, 200, "whose password was no hash");
    assert_eq!(get(&server, &token(888_888), "me").0, 401);
    // New rows get ids after those that Django gave, taken or not.
    let car = r#"{"vin":"1HGCM82633A004352","make":"Honda","model":"Accord","year":2003}"#;
    let (status, made) = answer(&server.ask_as(&format!("Token {}", token(1)), "POST /api/vehicles", car));
    assert_eq!((status, &made["id"]), (201, &2020.into()));
    let card = r#"{"number":"4242424242424242","exp_month":12,"exp_year":2099,"holder_name":"Ada"}"#;
    let (status, made) = answer(&server.ask_as(&format!("Token {}", token(1)), "POST /api/credit-cards", card));
    assert_eq!((status, &made["id"]), (201, &111.into()));
    let payment = format!(r#"{{"invoice_id":2006,"credit_card_id":{}}}"#, made["id"]);
    let (status, made) = answer(&server.ask_as(&format!("Token {}", token(1)), "POST /api/payments", &payment));
    assert_eq!((status, &made["id"], &made["amount"]), (201, &3000.into(), &"199.00".into()));
    assert_eq!(get(&server, &token(2), "vehicles/2006").1["customer_id"], 202, "the sale is complete");
    drop(server);
    let check = String::from_utf8(run(&["check", "--database-url", &database.direct_url()], &[]).stdout).unwrap();
    assert!(check.starts_with("All invariants hold"), "{check}");
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_hash_of_django_logs_in_and_is_replaced() {
    let (database, dump) = (TestDatabase::create_empty().await, Dump::new("hashes"));
    import_into(&database.direct_url(), &dump);
    let server = serve(&database, &[]);
    let mut connection = database.connection().await;
    let mut stored = async |user: i64| -> String {
        let hash = sqlx::query_scalar("select password_hash from users where id = $1").bind(user);
        hash.fetch_one(&mut connection).await.unwrap()
    };
    for (user, hash) in (1..).zip(HASHES) {
        let name = if user == 2 { "user2@example.com".to_owned() } else { format!("user{user}") };
        assert_eq!(stored(user).await, hash);
        assert_eq!(login(&server, &name, "Grüße an 4 Pferde!").0, 400);
        assert_eq!(stored(user).await, hash);
        for _ in 0..2 {
            let (status, session) = login(&server, &name, PASSWORD);
            assert_eq!((status, &session["user_id"]), (200, &user.into()), "{hash}");
            assert!(stored(user).await.starts_with("$argon2id$"), "{hash}");
        }
    }
    // Text that is no hash is stored nowhere, and compared with nothing.
    assert_eq!(stored(101).await, "!");
    for password in [IN_THE_CLEAR, "!", HASHES[0]] {
        assert_eq!(login(&server, "user101", password).0, 400);
    }
    drop(connection);
    drop(server);
    database.drop().await;
}

/// A user whose password was no hash sets a new one by the link in a mail.
#[tokio::test(flavor = "multi_thread")]
async fn a_user_without_a_password_gets_a_new_one_by_mail() {
    let (database, dump) = (TestDatabase::create_empty().await, Dump::new("reset"));
    drop(serve(&database, &SUPERUSER));
    import_into(&database.direct_url(), &dump);
    let folder = MailFolder::new("reset");
    let mails = [
        ("LEASE_SMTP_URL", &*folder.url()),
        ("LEASE_MAIL_FROM", "cars@example.com"),
        ("LEASE_PUBLIC_URL", "https://cars.example"),
        ("LEASE_TEST_CLOCK", "true"),
    ];
    let server = serve(&database, &mails);
    let (_, user) = get(&server, &token(101), "me");
    let asked = serde_json::json!({"email": user["email"]}).to_string();
    assert_eq!(answer(&server.ask("POST /api/password-reset", &asked)).0, 202);
    let (_, root) = login(&server, "root", "amber-meadow-17");
    // The answer comes when everything that is due was done.
    let root = format!("Token {}", root["token"].as_str().unwrap());
    assert_eq!(answer(&server.ask_as(&root, "POST /api/test-clock/advance", r#"{"seconds":60}"#)).0, 200);

    let mails = folder.mails();
    let token = token_in(mails.first().unwrap(), "https://cars.example/password-reset");
    let new = serde_json::json!({"token": token, "password": "amber-lantern-58", "password2": "amber-lantern-58"});
    assert_eq!(answer(&server.ask("POST /api/password-reset/confirm", &new.to_string())).0, 204);
    assert_eq!(login(&server, "user101", IN_THE_CLEAR).0, 400);
    assert_eq!(login(&server, "user101", "amber-lantern-58").1["user_id"], 101);
    drop(server);
    database.drop().await;
}

/// Rule 7.2: what a server makes when it starts is in nobody's way.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_may_have_been_started_before() {
    let (database, dump) = (TestDatabase::create_empty().await, Dump::new("started"));
    let server = serve(&database, &SUPERUSER);
    assert_eq!(login(&server, "root", "amber-meadow-17").0, 200);
    drop(server);
    import_into(&database.direct_url(), &dump);
    let server = serve(&database, &[]);
    let (status, session) = login(&server, "root", "amber-meadow-17");
    assert_eq!((status, &session["user_id"]), (200, &1009.into()));
    let root = session["token"].as_str().unwrap();
    let (_, services) = get(&server, root, "services");
    assert_eq!(services["results"].as_array().unwrap().len(), 4);
    // Nobody is told of what was imported.
    let (_, events) = get(&server, root, "events");
    let types: Vec<_> = events["results"].as_array().unwrap().iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["token.created", "user.logged_in"]);
    drop(server);
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_superuser_with_the_name_of_a_user_is_in_the_way() {
    let (database, dump) = (TestDatabase::create_empty().await, Dump::new("name"));
    drop(serve(&database, &[("LEASE_SUPERUSER_USERNAME", "Admin"), SUPERUSER[1], SUPERUSER[2]]));
    let (code, _, errors) = import(&["--dump", dump.path(), "--database-url", &database.direct_url()]);
    assert_eq!(code, Some(2), "{errors}");
    assert!(errors.contains("user 1003"), "{errors}");
    let server = serve(&database, &[]);
    assert_eq!(login(&server, "admin", "amber-meadow-17").0, 200, "nothing was changed");
    drop(server);
    database.drop().await;
}
