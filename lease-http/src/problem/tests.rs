use lease_core::input::Invalid;
use lease_core::{OwnRefusal, RefusalCode};

use super::*;

/// Codes with their statuses: the list of rule 6.6, and of every other rule that names a code.
const CODES: &[(&str, u16)] = &[
    ("parse_error", 400),
    ("validation_error", 400),
    ("invalid_credentials", 400),
    ("not_authenticated", 401),
    ("card_declined", 402),
    ("refund_failed", 402),
    ("permission_denied", 403),
    ("email_not_verified", 403),
    ("not_found", 404),
    ("method_not_allowed", 405),
    ("no_token_session", 409),
    ("vehicle_in_trade", 409),
    ("vehicle_in_use", 409),
    ("owner_proposal_required", 409),
    ("trade_not_open", 409),
    ("proposal_expired", 409),
    ("proposal_not_pending", 409),
    ("vehicle_not_available", 409),
    ("party_inactive", 409),
    ("proposal_limit", 409),
    ("service_in_use", 409),
    ("invoice_not_open", 409),
    ("invoice_has_payments", 409),
    ("invoice_overdue", 409),
    ("payment_pending", 409),
    ("payment_settled", 409),
    ("payment_not_refundable", 409),
    ("payment_refunded", 409),
    ("card_not_usable", 409),
    ("last_superuser", 409),
    ("customer_in_use", 409),
    ("events_gone", 410),
    ("trade_has_no_days", 409),
    ("vehicle_unidentified", 409),
    ("lead_converted", 409),
    ("webhook_endpoint_limit", 409),
    ("webhook_endpoint_off", 409),
    ("idempotency_key_in_use", 409),
    ("request_timeout", 408),
    ("payload_too_large", 413),
    ("unsupported_media_type", 415),
    ("idempotency_key_reused", 422),
    ("precondition_failed", 412),
    ("throttled", 429),
    ("internal_error", 500),
    ("unavailable", 503),
];

#[test]
fn every_code_has_the_status_of_the_specification() {
    let mut listed: Vec<(&str, u16)> = ErrorCode::all().map(|code| (code.code(), code.status().as_u16())).collect();
    let mut expected = CODES.to_vec();
    listed.sort_unstable();
    expected.sort_unstable();
    assert_eq!(listed, expected);
}

#[test]
fn a_problem_is_found_by_its_code() {
    for code in ErrorCode::all() {
        assert_eq!(ErrorCode::of_code(code.code()), Some(code));
    }
    assert_eq!(ErrorCode::of_code("teapot"), None);
}

#[test]
fn a_domain_error_keeps_its_own_code_and_message() {
    let errors = FieldErrors::one("vin", Invalid::NotAVin);
    let cases = [
        Error::NotAuthenticated,
        Error::InvalidCredentials,
        Error::PermissionDenied,
        Error::NotFound,
        Error::Invalid(errors),
        Error::Refused(Refusal::TradeNotOpen),
        Error::RefusedByGuard(OwnRefusal::new(RefusalCode::new("too_old").unwrap(), "It is too old.")),
        Error::Unavailable("secret".into()),
        Error::Internal("secret".into()),
    ];
    for error in cases {
        let (code, words) = (error.code(), error.to_string());
        let body = Problem::from(error).body();
        assert_eq!((body["code"].as_str(), body["detail"].as_str()), (Some(code), Some(words.as_str())));
    }
}

#[test]
fn the_cause_of_an_internal_error_is_not_shown() {
    let problem = Problem::from(Error::Internal("password=hunter2".into()));
    assert!(!problem.body().to_string().contains("hunter2"));
}

#[test]
fn a_401_says_how_to_authenticate_and_a_429_when_to_come_back() {
    let response = Problem::new(ErrorKind::NotAuthenticated).into_response();
    assert_eq!(response.headers()[header::WWW_AUTHENTICATE], "Token");
    let response = Problem::throttled(7).into_response();
    assert_eq!(response.headers()[header::RETRY_AFTER], "7");
    assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
}

#[test]
fn the_log_line_of_an_error_names_its_sources() {
    #[derive(Debug, thiserror::Error)]
    #[error("outer")]
    struct Outer(#[source] std::fmt::Error);
    assert_eq!(with_causes(&Outer(std::fmt::Error)), format!("outer: {}", std::fmt::Error));
}
