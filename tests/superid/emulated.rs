//! The same client against the emulator, which borrows nothing of ours: tickets by both protocols,
//! every lie about them, tenants that move, and notices.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use superid_gateway::clock::{Clock, Timestamp};
use superid_gateway::config::{self, Settings};
use superid_gateway::emulator::{
    App, Emulator, Fault, Options, StateLie, SystemUserLie, TenantChange, TenantState,
};
use superid_gateway::identity::{ContextId, SystemUserToken};
use superid_gateway::superid::{
    BoughtTicket, ClaimsRefused, NoticeRefused, SuperId, TicketRefused,
};
use superid_gateway::telemetry::SuperIdCalls;
use superid_gateway::tenants::{Away, AwayReason, Home, Reach, Tenants};

use crate::world::NOW;

const KEY: &str = include_str!("../config/partner_keys/2048.xml");
const CTX: &str = "Cust12345";
const HOUR: u64 = 3_600;
const SERIAL: &str = "1201052551";
const ID: &str = "client";
const SECRET: &str = "a secret/with+odd=<characters>&";

struct Scene {
    emulator: Emulator,
    settings: Settings,
    superid: Arc<SuperId>,
    tenants: Tenants,
    clock: Clock,
}

impl Scene {
    async fn new(protocol: &str) -> Self {
        let system_user_keys = vec![KEY.to_owned()];
        let app = App::new(ID, SECRET, "https://app.example/auth/callback");
        let app = App { system_user: true, system_user_keys, ..app };
        let clock = Clock::manual(Timestamp(NOW));
        let hand = clock.clone();
        let now = move || SystemTime::UNIX_EPOCH + Duration::from_secs(hand.now().0);
        let options =
            Options { apps: vec![app], clock: Arc::new(now), extra_hosts: 2, ..Options::default() };
        let emulator = Emulator::start(options).await.unwrap();
        let settings = settings(&emulator, protocol);
        let superid =
            Arc::new(SuperId::new(&settings, clock.clone(), &SuperIdCalls::default(), None));
        let tenants = Tenants::new(&settings, superid.clone(), clock.clone(), None);
        Self { emulator, settings, superid, tenants, clock }
    }

    async fn buy(&self) -> Result<BoughtTicket, TicketRefused> {
        let token = self.emulator.tenants().system_token(ID, CTX).unwrap();
        self.buy_for(CTX, &token).await
    }

    async fn buy_for(&self, ctx: &str, token: &str) -> Result<BoughtTicket, TicketRefused> {
        let tenant = ContextId::parse(ctx).unwrap();
        let token = SystemUserToken::parse(token).unwrap();
        let party = &self.settings.relying_parties[0];
        self.superid.buy_ticket(party, &tenant, SERIAL, &token).await
    }

    async fn find(&self) -> Result<Arc<Home>, Away> {
        let environment = self.settings.relying_parties[0].environment().unwrap();
        self.tenants.find(environment, &ContextId::parse(CTX).unwrap()).await
    }
}

fn settings(emulator: &Emulator, protocol: &str) -> Settings {
    let hosts: Vec<String> = emulator.hosts().iter().map(|host| format!("\"{host}\"")).collect();
    let text = CONFIGURATION
        .replace("BASE", emulator.url())
        .replace("HOSTS", &hosts.join(", "))
        .replace("SECRET", SECRET)
        .replace("PROTOCOL", protocol)
        .replace("KEY", KEY);
    let loaded = config::load_text(&text, "gateway.toml", Path::new(""), &|_| None);
    loaded.unwrap_or_else(|problems| panic!("{problems}")).settings
}

#[tokio::test]
async fn both_protocols_buy_a_ticket_of_the_tenant_and_tell_where_it_lives() {
    for protocol in ["rest", "soap"] {
        let scene = Scene::new(protocol).await;
        let bought = scene.buy().await.unwrap_or_else(|refused| panic!("{protocol}: {refused:?}"));
        assert!(bought.ticket.reveal().starts_with("7T:"));
        let root = scene.emulator.tenants().root(CTX).unwrap();
        assert_eq!(bought.web_api_url, Some(format!("{root}/api/")));
        assert_eq!(bought.soap_url, Some(format!("{root}/Remote/Services88/")));
        assert_eq!(bought.bought, Timestamp(NOW));
        assert_eq!(scene.emulator.exchanges().granted(ID, CTX), 1);
    }
}

#[tokio::test]
async fn every_lie_about_a_ticket_is_found_out() {
    for protocol in ["rest", "soap"] {
        let scene = Scene::new(protocol).await;
        for (lie, expected) in [
            (SystemUserLie::BadSignature, ClaimsRefused::Signature),
            (SystemUserLie::Expired, ClaimsRefused::Expired),
            (SystemUserLie::NoTicket, ClaimsRefused::Ticket),
            (SystemUserLie::NotYet, ClaimsRefused::NotYetValid),
            (SystemUserLie::TicketOfAnother, ClaimsRefused::TicketOfAnother),
            (SystemUserLie::WrongAudience, ClaimsRefused::Audience),
            (SystemUserLie::WrongContext, ClaimsRefused::WrongTenant),
            (SystemUserLie::WrongIssuer, ClaimsRefused::Issuer),
            (SystemUserLie::WrongSerial, ClaimsRefused::Audience),
        ] {
            let fault = Fault::SystemUserLie { ctx: None, lie: lie.clone() };
            scene.emulator.faults().set(fault.clone());
            match scene.buy().await {
                Err(TicketRefused::Untrusted(refused)) => assert_eq!(refused, expected, "{lie:?}"),
                other => panic!("{lie:?}: {other:?}"),
            }
            scene.emulator.faults().end(&fault);
        }
        let fault = Fault::SystemUserLie { ctx: None, lie: SystemUserLie::NoToken };
        scene.emulator.faults().set(fault);
        assert!(matches!(scene.buy().await, Err(TicketRefused::Outage(_))));
    }
}

#[tokio::test]
async fn every_refusal_has_its_type() {
    for protocol in ["rest", "soap"] {
        let scene = Scene::new(protocol).await;
        let tenants = scene.emulator.tenants();
        let token = tenants.system_token(ID, CTX).unwrap();
        tenants.revoke_consent(ID, CTX).unwrap();
        let refused = scene.buy_for(CTX, &token).await;
        assert!(matches!(refused, Err(TicketRefused::Revoked)), "{refused:?}");
        tenants.restore_consent(ID, CTX).unwrap();
        let refused = scene.buy_for("Cust404", &token).await;
        // A wrong secret and an unknown tenant have one answer or two: neither is a ticket.
        assert!(
            matches!(refused, Err(TicketRefused::Refused(_) | TicketRefused::UnknownTenant)),
            "{refused:?}"
        );
        let refused = scene.buy_for(CTX, "Somebody-0123456789").await;
        assert!(matches!(refused, Err(TicketRefused::Refused(_))), "{refused:?}");

        let app = App::new(ID, SECRET, "https://app.example/auth/callback");
        let stranger = include_str!("../config/partner_keys/1024.xml").to_owned();
        let app = App { system_user: true, system_user_keys: vec![stranger], ..app };
        scene.emulator.register(app);
        let refused = scene.buy_for(CTX, &token).await;
        assert!(matches!(refused, Err(TicketRefused::BadSignature)), "{refused:?}");
    }
}

#[tokio::test]
async fn a_clock_that_is_a_quarter_of_an_hour_off_is_named() {
    let scene = Scene::new("rest").await;
    let token = scene.emulator.tenants().system_token(ID, CTX).unwrap();
    let ours = Clock::manual(Timestamp(NOW + 16 * 60));
    let superid = SuperId::new(&scene.settings, ours, &SuperIdCalls::default(), None);
    let tenant = ContextId::parse(CTX).unwrap();
    let token = SystemUserToken::parse(&token).unwrap();
    let party = &scene.settings.relying_parties[0];
    let refused = superid.buy_ticket(party, &tenant, SERIAL, &token).await.unwrap_err();
    assert!(refused.to_string().contains("check the clock"), "{refused:?}");
}

#[tokio::test]
async fn a_tenant_that_moves_is_found_again_after_one_doubt() {
    let scene = Scene::new("rest").await;
    let tenants = scene.emulator.tenants();
    tenants.move_tenant(CTX, 1).unwrap();
    let old = scene.find().await.unwrap();
    assert_eq!((old.origin(), old.reach()), (&*scene.emulator.hosts()[1], Reach::Any));
    tenants.move_tenant(CTX, 2).unwrap();
    assert_eq!(scene.find().await.unwrap(), old, "nobody has told");
    scene.tenants.forget(&old);
    let new = scene.find().await.unwrap();
    assert_eq!(new.api().as_str(), format!("{}/api/", tenants.root(CTX).unwrap()));
}

#[tokio::test]
async fn each_state_says_whether_the_tenant_can_be_called() {
    let scene = Scene::new("rest").await;
    for (state, expected) in [
        (TenantState::Running, None),
        (TenantState::OnlineMaintenance, None),
        (TenantState::OfflineMaintenance, Some(AwayReason::Maintenance)),
        (TenantState::Suspended, Some(AwayReason::Suspended)),
        (TenantState::Deleted, Some(AwayReason::Deleted)),
        (TenantState::MigrationPending, Some(AwayReason::Migrating)),
        (TenantState::Provisioning, Some(AwayReason::Provisioning)),
    ] {
        scene.emulator.tenants().set_state(CTX, state).unwrap();
        scene.clock.advance(HOUR);
        let found = scene.find().await;
        assert_eq!(found.err().map(|away| away.reason), expected, "{state:?}");
    }
}

#[tokio::test]
async fn lies_about_a_tenants_place_are_not_believed() {
    let scene = Scene::new("rest").await;
    for (lie, believed) in [
        (StateLie::LowerCase, true),
        (StateLie::Elsewhere { origin: "https://evil.example".to_owned() }, false),
        (StateLie::NullEndpoint, false),
        (StateLie::OtherContext, false),
        (StateLie::OtherTenant, false),
    ] {
        let fault = Fault::StateLie { ctx: None, lie: lie.clone() };
        scene.emulator.faults().set(fault.clone());
        let found = scene.find().await;
        scene.emulator.faults().end(&fault);
        // Whatever was known is over by then, the day in which an old home would serve included.
        scene.clock.advance(48 * HOUR);
        match found {
            Ok(_) => assert!(believed, "{lie:?}"),
            Err(away) => {
                assert_eq!((believed, away.reason), (false, AwayReason::Untrusted), "{lie:?}");
            }
        }
    }
}

#[tokio::test]
async fn notices_are_superoffices_or_nothing() {
    let scene = Scene::new("rest").await;
    let environment = scene.settings.relying_parties[0].environment().unwrap();
    let notice = scene.emulator.mint().notice(CTX, TenantChange::Move).unwrap();
    let verify =
        async |body: String| scene.superid.verify_notice(environment, body.as_bytes()).await;
    let body = notice.to_json();
    assert_eq!(verify(body.clone()).await.unwrap().tenant.as_str(), CTX);
    let stranger = notice.clone().token(|draft| draft.by_stranger(scene.emulator.keys()));
    for forged in [
        stranger,
        notice.clone().member("ContextIdentifier", "Cust67890"),
        notice.clone().member("Token", "e.y.J"),
    ] {
        let refused = verify(forged.to_json()).await;
        assert!(matches!(refused, Err(NoticeRefused::Untrusted(_))), "{refused:?}");
    }
    let bare = verify(notice.clone().without_member("Token").to_json()).await;
    assert!(matches!(bare, Err(NoticeRefused::Malformed)), "{bare:?}");
    scene.clock.advance(400);
    let late = verify(body).await;
    assert!(matches!(late, Err(NoticeRefused::Untrusted(ClaimsRefused::Expired))), "{late:?}");
}

const CONFIGURATION: &str = r#"
[host.main]
origin = "https://app.example"
[relying_party.main]
environment = "custom"
client_id = "client"
client_secret = { value = "SECRET" }
[relying_party.main.system_user]
protocol = "PROTOCOL"
key = { value = '''KEY''' }
[route.app]
upstream = "http://127.0.0.1:3000"
[session]
keys = [{ value = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=" }]
[environment.custom]
issuer = "BASE"
authorize_url = "BASE/login/common/oauth/authorize"
tenant_authorize_url = "BASE/login/{ctx}/oauth/authorize"
token_url = "BASE/login/common/oauth/tokens"
jwks_url = "BASE/login/.well-known/jwks"
logout_url = "BASE/login/logout"
legacy_login_url = "BASE/login/"
system_user_url = "BASE/Login/api/PartnerSystemUser/Authenticate"
system_user_soap_url = "BASE/login/services/PartnerSystemUserService.svc"
tenant_state_url = "BASE/api/state/{ctx}"
addresses = [HOSTS]
"#;
