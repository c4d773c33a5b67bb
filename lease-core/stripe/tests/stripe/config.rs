use lease_stripe::{ConfigError, StripeConfig};

fn config(secret: &str, publishable: &str, webhook: &str) -> Result<StripeConfig, ConfigError> {
    StripeConfig::new(secret.into(), publishable.to_owned(), webhook.into())
}

#[test]
fn keys_are_told_apart_by_their_beginnings() {
    assert!(config("sk_test_1", "pk_test_1", "whsec_1").is_ok());
    assert!(config("rk_test_1", "pk_test_1", "whsec_1").is_ok());
    for wrong in ["", "sk_", "pk_test_1", "whsec_1", " sk_test_1", "sk_test_1\n", "sk_test_ä"] {
        assert!(matches!(config(wrong, "pk_test_1", "whsec_1"), Err(ConfigError::SecretKey)), "{wrong:?}");
    }
    for wrong in ["", "pk_", "sk_test_1", "pk_test 1"] {
        assert!(matches!(config("sk_test_1", wrong, "whsec_1"), Err(ConfigError::PublishableKey)), "{wrong:?}");
    }
    for wrong in ["", "whsec_", "sk_test_1"] {
        assert!(matches!(config("sk_test_1", "pk_test_1", wrong), Err(ConfigError::WebhookSecret)), "{wrong:?}");
    }
}

#[test]
fn live_keys_charge_real_cards() {
    assert!(config("sk_live_1", "pk_live_1", "whsec_1").unwrap().is_live());
    assert!(config("rk_live_1", "pk_live_1", "whsec_1").unwrap().is_live());
    assert!(!config("sk_test_1", "pk_test_1", "whsec_1").unwrap().is_live());
}

#[test]
fn keys_of_two_modes_do_not_fit_together() {
    assert!(matches!(config("sk_live_1", "pk_test_1", "whsec_1"), Err(ConfigError::MixedModes)));
    assert!(matches!(config("sk_test_1", "pk_live_1", "whsec_1"), Err(ConfigError::MixedModes)));
}

#[test]
fn keys_leave_this_machine_encrypted_only() {
    let with_base = |base: &str| config("sk_test_1", "pk_test_1", "whsec_1").unwrap().with_api_base(base);
    for good in [
        "https://api.stripe.com",
        "https://stripe.example/base/",
        "http://127.0.0.1:8420",
        "http://localhost:1",
        "http://[::1]:1",
    ] {
        assert!(with_base(good).is_ok(), "{good}");
    }
    for wrong in [
        "",
        "api.stripe.com",
        "http://api.stripe.com",
        "http://127.0.0.1.example",
        "ftp://localhost",
        "https://u:p@h",
        "https://h?q",
    ] {
        assert!(matches!(with_base(wrong), Err(ConfigError::ApiBase)), "{wrong}");
    }
}
