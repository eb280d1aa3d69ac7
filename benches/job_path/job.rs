//! A background job: what it sends, and what its tenant's vault entry is.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use superid_gateway::clock::Clock;
use superid_gateway::emulator::Seed;
use superid_gateway::identity::{ContextId, SystemUserToken, TenantKey};
use superid_gateway::vault::Entry;

pub const TENANT: &str = "Cust12345";
pub const CLIENT_ID: &str = "0123456789abcdef0123456789abcdef";
pub const CLIENT_SECRET: &str = "0123456789abcdef0123456789abcdee";
/// The caller's, whose name is `nightly`.
pub const PASSWORD: &str = "kkT5kUGa2q4mYxk4oB0mV1zJt1tWkXg3m1q0v5rT";

/// What a job sends.
pub fn request() -> Vec<u8> {
    request_to(TENANT)
}

/// The same to another tenant.
pub fn request_to(tenant: &str) -> Vec<u8> {
    let proof = BASE64_STANDARD.encode(format!("nightly:{PASSWORD}"));
    let text = format!(
        "GET /{tenant}/api/v1/Contact/7?$select=name,department HTTP/1.1\r\n\
         Host: 127.0.0.1:8090\r\nAuthorization: Basic {proof}\r\n\
         User-Agent: nightly-export/2.4 (.NET 9.0)\r\nAccept: application/json\r\n\
         Accept-Language: nb-NO\r\nSO-Language: nb-NO\r\nSO-TimeZone: W. Europe Standard Time\r\n\r\n"
    );
    text.into_bytes()
}

/// The tenant's, with this system user token, in an environment called `bench`.
pub fn entry(token: &str) -> Entry {
    let cast = Seed::default();
    entry_of(TENANT, &cast.tenant(TENANT).expect("a tenant of the cast").serial, token)
}

/// That of a tenant with this serial number.
pub fn entry_of(tenant: &str, serial: &str, token: &str) -> Entry {
    Entry {
        key: TenantKey {
            environment: "bench".into(),
            client_id: CLIENT_ID.into(),
            tenant: ContextId::parse(tenant).expect("a context identifier"),
        },
        serial: serial.to_owned(),
        web_api_url: None,
        token: SystemUserToken::parse(token).expect("a system user token"),
        consented_by: "admin@example".to_owned(),
        stored: Clock::system().now(),
        dormant: None,
    }
}
