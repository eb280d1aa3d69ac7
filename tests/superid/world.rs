//! A configuration that points at the double, and a clock turned by hand.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use superid_gateway::clock::{Clock, Timestamp};
use superid_gateway::config::{
    Admin, AllowedAddresses, Audit, Authority, Authorization, Bond, Crowd, Environment, Flow,
    Forwarded, Legacy, LegacyMethod, LegacySaml, LegacyToken, Limits, LineDestination, Log,
    LogLevel, NullOrigin, Pkce, RedirectParameter, RefreshTokens, RelyingParty, Response, SameSite,
    SamlRecipient, Session, SessionStore, Settings, Sha1,
};
use superid_gateway::crypto::{KeyRing, Secret};
use superid_gateway::identity::ContextId;
use superid_gateway::superid::{CodeGrant, SignInFailed, SignedIn, SuperId};
use superid_gateway::telemetry::SuperIdCalls;
use superid_gateway::tenants::Tenants;
use url::Url;

use crate::double::{Double, Reply};
use crate::mint::{FIRST, legacy};

/// When every test begins.
pub const NOW: u64 = 1_700_000_000;

pub struct World {
    pub clock: Clock,
    pub double: Double,
    /// Signs in by code.
    pub code: Arc<RelyingParty>,
    /// Signs in by posted tokens; knows the serial of `Cust777` only.
    pub legacy: Arc<RelyingParty>,
    pub superid: Arc<SuperId>,
    pub tenants: Arc<Tenants>,
}

impl World {
    /// A SuperID with the first key, and nothing asked of it yet.
    pub async fn start() -> Self {
        let double = Double::start().await;
        double.says("/jwks", Reply::ok(FIRST.jwks()));
        Self::at(double, Duration::from_secs(10), "http")
    }

    /// One whose calls end after so long, over `http` or `https`.
    pub fn at(double: Double, timeout: Duration, scheme: &str) -> Self {
        let clock = Clock::manual(Timestamp(NOW));
        let environment = Arc::new(environment(&format!("{scheme}://{}", double.address)));
        let serials = HashMap::from([(ContextId::parse("Cust777").unwrap(), "777777".to_owned())]);
        let legacy = Legacy {
            serials,
            redirect_parameter: RedirectParameter::None,
            null_origin: NullOrigin::Refused,
            token: LegacyToken::Either,
            method: LegacyMethod::Post,
            saml: LegacySaml {
                audience: None,
                keys: Vec::new(),
                recipient: SamlRecipient::Required,
                sha1: Sha1::Refused,
            },
        };
        let code = Arc::new(party(&environment, Flow::Code));
        let legacy = Arc::new(party(&environment, Flow::Legacy(legacy)));
        let settings = settings(vec![code.clone(), legacy.clone()], timeout);
        let superid =
            Arc::new(SuperId::new(&settings, clock.clone(), &SuperIdCalls::default(), None));
        let tenants = Tenants::new(&settings, superid.clone(), clock.clone(), None);
        Self { clock, double, code, legacy, superid, tenants: Arc::new(tenants) }
    }

    /// The directory after a reload that changed nothing, and after one that changed the rule for
    /// addresses.
    pub fn reloaded(&self) -> (Tenants, Tenants) {
        let after = |environment: Environment| {
            let party = RelyingParty {
                authority: Authority::SuperId(Arc::new(environment)),
                ..RelyingParty::clone(&self.code)
            };
            let settings = settings(vec![Arc::new(party)], Duration::from_secs(10));
            let (superid, clock) = (self.superid.clone(), self.clock.clone());
            Tenants::new(&settings, superid, clock, Some(&self.tenants))
        };
        let same = Environment::clone(self.code.environment().unwrap());
        let more = "https://sod2.superoffice.com".to_owned();
        let other =
            Environment { addresses: AllowedAddresses::Origins(vec![more]), ..same.clone() };
        (after(same), after(other))
    }

    /// What redeeming a code brings.
    pub async fn redeem(&self) -> Result<SignedIn, SignInFailed> {
        self.superid.redeem(&self.code, grant()).await
    }

    /// What posting a token to the legacy party brings.
    pub async fn post(&self, token: &str) -> Result<(), SignInFailed> {
        self.superid.verify_posted(&self.legacy, token).await.map(|_claims| ())
    }

    /// A posted token that only lacks a known serial: what it is refused for shows whether the
    /// keys were there.
    pub async fn post_good(&self) -> Result<(), SignInFailed> {
        self.post(&FIRST.sign(&legacy())).await
    }
}

pub fn grant() -> CodeGrant<'static> {
    CodeGrant {
        code: "c0de",
        redirect_uri: "https://app.example/auth/callback",
        verifier: Some("verifier"),
        nonce: "nonce",
        tenant: None,
    }
}

fn environment(base: &str) -> Environment {
    let at = |path: &str| Url::parse(&format!("{base}{path}")).unwrap();
    Environment {
        name: "test".to_owned(),
        issuer: "https://superid.test".to_owned(),
        legacy_issuer: "SuperOffice AS".to_owned(),
        authorize_url: at("/authorize"),
        tenant_authorize_url: format!("{base}/{{ctx}}/authorize"),
        token_url: at("/tokens"),
        jwks_url: at("/jwks"),
        logout_url: at("/logout"),
        revocation_url: Some(at("/revoke")),
        legacy_login_url: at("/login/"),
        system_user_url: Some(at("/rest")),
        system_user_soap_url: Some(at("/soap")),
        tenant_state_url: Some(format!("{base}/state/{{ctx}}")),
        addresses: AllowedAddresses::SuperOffice,
    }
}

fn party(environment: &Arc<Environment>, flow: Flow) -> RelyingParty {
    RelyingParty {
        name: "orders".to_owned(),
        title: "Orders".to_owned(),
        authority: Authority::SuperId(environment.clone()),
        client_id: "client".to_owned(),
        client_secret: Some(Secret::new("s&cret".to_owned())),
        redirect_path: "/auth/callback".to_owned(),
        flow,
        response: Response::code(),
        error_callback_path: None,
        pkce: Pkce::S256,
        refresh_tokens: RefreshTokens::UseAndRevoke,
        tenant: None,
        listed: true,
        authorization: Authorization::Admin,
        system_user: None,
        webhook: None,
        bond: Bond([7; 16]),
    }
}

fn settings(relying_parties: Vec<Arc<RelyingParty>>, superid_timeout: Duration) -> Settings {
    Settings {
        admin: Admin { address: None, tokens: Vec::new() },
        assertion: None,
        forwarded: Forwarded::default(),
        hosts: Vec::new(),
        job_listeners: Vec::new(),
        ordered: Vec::new(),
        redis: None,
        limits: Limits {
            form_bytes: 65_536,
            cookie_bytes: 24_576,
            target_bytes: 8_192,
            header_bytes: 32_768,
            header_count: 100,
            spent_attempts: 16,
            kept_posts: 1 << 20,
            sessions: 16,
            ended_sessions: 16,
            superid_timeout,
            handshake_timeout: Duration::from_secs(10),
            header_timeout: Duration::from_secs(10),
            body_grace: Duration::from_secs(10),
            body_rate: 500,
            form_timeout: Duration::from_secs(30),
            unread_body_timeout: Duration::from_secs(5),
            write_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(60),
            drain_delay: Duration::ZERO,
            drain_idle: Duration::ZERO,
            drain_timeout: Duration::from_secs(30),
            crowd: Crowd {
                connections: 10,
                connections_per_address: 10,
                requests: 10,
                sign_ins_per_minute: 10,
                notices_per_minute: 600,
                h2_streams: 10,
                h2_control_frames: 1_000,
                h2_header_bytes: 32 << 10,
            },
        },
        listeners: Vec::new(),
        audit: Audit { enabled: false, to: LineDestination::Stdout },
        log: Log { access: false, level: LogLevel::Error, ..Log::default() },
        traces: None,
        relying_parties,
        routes: Vec::new(),
        upstreams: Vec::new(),
        vault: None,
        session: Session {
            keys: KeyRing::new(&[[0; 32]]),
            cookie_name: "superid-gateway".to_owned(),
            same_site: SameSite::Lax,
            idle: 3_600,
            absolute: 28_800,
            attempt: 600,
            leeway: 60,
            replicas: None,
            revoked_keys: Vec::new(),
            state_dir: None,
            store: SessionStore::Cookie,
        },
    }
}
