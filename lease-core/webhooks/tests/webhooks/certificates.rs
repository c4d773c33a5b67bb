use std::sync::Arc;

use lease_core::webhook::WebhookClient as _;
use lease_webhooks::{SenderError, WebhookSender};
use rcgen::{BasicConstraints, Certificate, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio_rustls::TlsAcceptor;

use crate::support::{Names, Receiver, answer, answered, private_sender, reason, request};

/// An authority, and its certificate.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: Certificate,
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap();
        Self { issuer: Issuer::new(params, key), certificate }
    }

    /// A receiver whose certificate is for this name, until the end of this year.
    async fn receiver(&self, name: &str, year: i32) -> Receiver {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        params.not_before = date_time_ymd(2000, 1, 1);
        params.not_after = date_time_ymd(year, 12, 31);
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Receiver::start_with(answer(200, "", ""), Some(acceptor(&certificate, &key))).await
    }

    /// A sender that trusts this authority, and knows one name of this machine.
    fn sender(&self) -> WebhookSender {
        let names = Names::default().with("receiver.example", &[&["127.0.0.1"]]);
        let builder = WebhookSender::builder().allow_private(true).resolver(names);
        builder.authorities([self.certificate.der().to_vec()]).build().unwrap()
    }
}

fn acceptor(certificate: &Certificate, key: &KeyPair) -> TlsAcceptor {
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

fn url(receiver: &Receiver) -> String {
    format!("https://receiver.example:{}/", receiver.address.port())
}

/// Rule 9.2: an endpoint whose certificate is valid is sent to over TLS.
#[tokio::test]
async fn a_valid_certificate_is_taken() {
    let authority = Authority::new();
    let receiver = authority.receiver("receiver.example", 4000).await;
    assert_eq!(answered(authority.sender().send(&request(url(&receiver))).await).0, 200);
    assert_eq!(receiver.received().len(), 1);
}

/// Rule 9.2: nothing is sent to whom no authority knows by that name today, also where private addresses are allowed.
#[tokio::test]
async fn an_invalid_certificate_is_refused() {
    let authority = Authority::new();
    let another = Authority::new();
    for receiver in [
        authority.receiver("another.example", 4000).await,
        authority.receiver("receiver.example", 2001).await,
        another.receiver("receiver.example", 4000).await,
    ] {
        assert_eq!(reason(authority.sender().send(&request(url(&receiver))).await), "the certificate is not valid");
        assert_eq!(receiver.received(), []);
    }
}

/// Rule 9.2: who vouches for themselves is not believed.
#[tokio::test]
async fn a_certificate_of_ones_own_is_refused() {
    let own = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let receiver = Receiver::start_with(answer(200, "", ""), Some(acceptor(&own.cert, &own.signing_key))).await;
    let url = receiver.url("/").replace("http:", "https:");
    assert_eq!(reason(private_sender().send(&request(url)).await), "the certificate is not valid");
    assert_eq!(receiver.received(), []);
}

/// Rule 9.2: an endpoint that knows no TLS is told of.
#[tokio::test]
async fn an_endpoint_without_tls_is_told() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/", listener.local_addr().unwrap());
    let endpoint = async {
        let (stream, _) = listener.accept().await.unwrap();
        stream.writable().await.unwrap();
        stream.try_write(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
        stream
    };
    let request = request(url);
    let sender = private_sender();
    let (answer, _) = tokio::join!(sender.send(&request), endpoint);
    assert_eq!(reason(answer), "no secure connection could be made");
}

#[test]
fn what_is_no_certificate_is_no_authority() {
    let sender = WebhookSender::builder().authorities([b"none".to_vec()]).build();
    assert!(matches!(sender, Err(SenderError::Authority(_))));
}
