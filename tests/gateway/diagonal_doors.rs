//! The same 50 tenants and six relying parties at the other doors: what the older sign-in posts as JWT
//! and as SAML, and what WS-Federation posts.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use superid_gateway::clock::{Clock, Timestamp};
use superid_gateway::config::{self, RelyingParty, Settings};
use superid_gateway::emulator::{CLAIM_PREFIX, Draft, Emulator, SamlDraft};
use superid_gateway::superid::SuperId;
use superid_gateway::telemetry::SuperIdCalls;
use superid_gateway::ws_federation::{Clocks, verify};

use crate::diagonal::{PARTIES, TENANTS, superid, tenant};
use crate::federation_scene::{CLAIMS, answer};
use crate::world::{ASTRID, NOW};

const CLOCKS: Clocks = Clocks { now: Timestamp(NOW), leeway: 60 };

/// Two issuers, and what a gateway is told of the relying parties at them.
struct Doors {
    issuers: [Emulator; 2],
    settings: Settings,
    certificates: [PathBuf; 2],
}

impl Drop for Doors {
    fn drop(&mut self) {
        for path in &self.certificates {
            let _gone = std::fs::remove_file(path);
        }
    }
}

impl Doors {
    /// `parties` writes the tables of one relying party: its number, its issuer's number, address and
    /// certificate.
    async fn with(door: &str, parties: impl Fn(usize, &str, &Path) -> String) -> Self {
        let issuers = [superid().await, superid().await];
        let certificates = [0, 1].map(|at: usize| {
            let keys = issuers[at].keys().jwks();
            let text = keys["keys"][0]["x5c"][0].as_str().unwrap().to_owned();
            let name = format!("diagonal-{door}-{at}-{}.pem", std::process::id());
            let (path, pem) = (std::env::temp_dir().join(name), "CERTIFICATE-----\n");
            std::fs::write(&path, format!("-----BEGIN {pem}{text}\n-----END {pem}")).unwrap();
            path
        });
        let mut text = String::from(
            "[host.main]\norigin = \"http://localhost\"\n[session]\n\
             keys = [{ value = \"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\" }]\n\
             [route.app]\nupstream = \"http://127.0.0.1:9\"\npresent = \"nothing\"\n",
        );
        for number in 0..PARTIES {
            let at = number / 3;
            text += &parties(number, issuers[at].url(), &certificates[at]);
        }
        let loaded = config::load_text(&text, "test.toml", Path::new("."), &|_| None);
        let settings = loaded.unwrap_or_else(|problems| panic!("{problems}\n{text}")).settings;
        Self { issuers, settings, certificates }
    }

    async fn legacy(door: &str) -> Self {
        let serials =
            (0..TENANTS).map(|number| format!("{} = \"{}\"", tenant(number), serial(number)));
        let serials = serials.collect::<Vec<_>>().join(", ");
        Self::with(door, |number, url, certificate| {
            let mut text = String::new();
            if number % 3 == 0 {
                write!(
                    text,
                    "[environment.at{number}]\nissuer = \"{url}\"\nauthorize_url = \"{url}/a\"\n\
                     tenant_authorize_url = \"{url}/a/{{ctx}}\"\ntoken_url = \"{url}/t\"\n\
                     jwks_url = \"{url}/login/.well-known/jwks\"\nlogout_url = \"{url}/o\"\n\
                     legacy_login_url = \"{url}/login/\"\naddresses = [\"{url}\"]\n"
                )
                .unwrap();
            }
            let at = number / 3 * 3;
            write!(
                text,
                "[relying_party.p{number}]\nenvironment = \"at{at}\"\nclient_id = \"client-{}\"\n\
                 client_secret = {{ value = \"secret\" }}\nflow = \"legacy\"\n\
                 redirect_path = \"/auth/p{number}\"\n[relying_party.p{number}.legacy]\n\
                 token = \"either\"\nserials = {{ {serials} }}\n\
                 [relying_party.p{number}.legacy.saml]\ncertificates = [{certificate:?}]\n",
                number % 3
            )
            .unwrap();
            text
        })
        .await
    }

    fn verifier(&self) -> SuperId {
        let clock = Clock::manual(Timestamp(NOW));
        SuperId::new(&self.settings, clock, &SuperIdCalls::default(), None)
    }
}

fn serial(number: usize) -> String {
    (1_201_000_000 + number).to_string()
}

/// Which relying parties somebody's token is shown to: its own, and of the five others another one for
/// each tenant.
fn asked_of(minted: usize, number: usize) -> [usize; 2] {
    [minted, (minted + 1 + number % (PARTIES - 1)) % PARTIES]
}

/// Another tenant, another one for each relying party.
fn other(minted: usize, number: usize) -> usize {
    (number + 1 + minted * 7) % TENANTS
}

fn jwt(draft: &Draft, of: usize, addressed_to: usize) -> String {
    draft
        .clone()
        .own_claim("ctx", tenant(of).as_str())
        .own_claim("serial", serial(of))
        .claim("aud", format!("spn:{}", serial(addressed_to)))
        .sign()
}

#[tokio::test]
async fn a_posted_jwt_is_good_for_its_own_tenant_at_its_own_superid() {
    let doors = Doors::legacy("jwt").await;
    let (verifier, parties) = (doors.verifier(), &doors.settings.relying_parties);
    let mut good = 0;
    for (minted, party) in parties.iter().enumerate() {
        let draft = doors.issuers[minted / 3].mint().legacy(&party.client_id, ASTRID, "Cust12345");
        let draft = without_addresses(draft.unwrap());
        for number in 0..TENANTS {
            let token = jwt(&draft, number, number);
            for asked in asked_of(minted, number) {
                let verified = verifier.verify_posted(&parties[asked], &token).await;
                // Such a token names no app: others of the same SuperID cannot tell.
                let expected = asked / 3 == minted / 3;
                assert_eq!(verified.is_ok(), expected, "{minted}/{number} at {asked}");
                if let Ok(claims) = verified {
                    assert_eq!(*claims.context(), tenant(number));
                    good += 1;
                }
            }
            if number % PARTIES == minted {
                let crossed = jwt(&draft, number, other(minted, number));
                let verified = verifier.verify_posted(party, &crossed).await;
                assert!(verified.is_err(), "{number}'s, addressed to another");
            }
        }
    }
    // Of the five others, two are at the same SuperID.
    assert_eq!(good, PARTIES * (TENANTS + TENANTS * 2 / 5));
}

fn without_addresses(draft: Draft) -> Draft {
    ["webapi_url", "netserver_url"]
        .into_iter()
        .fold(draft, |draft, url| draft.without_own_claim(url))
}

fn saml(draft: &SamlDraft, of: usize, addressed_to: usize) -> String {
    let document = draft
        .clone()
        .id(&format!("_{of}-{addressed_to}"))
        .attribute(&format!("{CLAIM_PREFIX}ctx"), tenant(of).as_str())
        .attribute(&format!("{CLAIM_PREFIX}serial"), &serial(of))
        .audience(Some(&format!("spn:{}", serial(addressed_to))))
        .sign();
    SamlDraft::encoded(&document)
}

fn callback(party: &RelyingParty) -> String {
    format!("http://localhost{}", party.redirect_path)
}

#[tokio::test]
async fn a_posted_assertion_is_good_for_its_own_tenant_at_its_own_relying_party() {
    let doors = Doors::legacy("saml").await;
    let (verifier, parties) = (doors.verifier(), &doors.settings.relying_parties);
    let mut good = 0;
    for (minted, party) in parties.iter().enumerate() {
        let draft = doors.issuers[minted / 3].mint().saml(&party.client_id, ASTRID, "Cust12345");
        let draft = ["webapi_url", "netserver_url"]
            .into_iter()
            .fold(draft.unwrap().recipient(&callback(party)), |draft, url| {
                draft.without_attribute(&format!("{CLAIM_PREFIX}{url}"))
            });
        for number in 0..TENANTS {
            let field = saml(&draft, number, number);
            for asked in asked_of(minted, number) {
                let asker = &parties[asked];
                let verified = verifier.verify_saml(asker, &field, &callback(asker)).await;
                assert_eq!(verified.is_ok(), asked == minted, "{minted}/{number} at {asked}");
                if let Ok(claims) = verified {
                    assert_eq!(*claims.context(), tenant(number));
                    good += 1;
                }
            }
            if number % PARTIES == minted {
                let crossed = saml(&draft, number, other(minted, number));
                let verified = verifier.verify_saml(party, &crossed, &callback(party)).await;
                assert!(verified.is_err(), "{number}'s, addressed to another");
            }
        }
    }
    assert_eq!(good, PARTIES * TENANTS);
}

fn directory(number: usize) -> String {
    format!("00000000-0000-4000-8000-{number:012}")
}

fn realm(number: usize) -> String {
    format!("https://crm{}.example/", number % 3)
}

async fn federated() -> Doors {
    let all: BTreeMap<_, _> = (0..TENANTS).map(|one| (directory(one), tenant(one))).collect();
    let people: Vec<_> = all.iter().map(|(id, ctx)| format!("\"{id}\" = \"{ctx}\"")).collect();
    let people = people.join(", ");
    Doors::with("federation", |number, url, certificate| {
        let mut text = String::new();
        if number % 3 == 0 {
            write!(
                text,
                "[provider.at{number}]\nprotocol = \"ws_federation\"\n\
                 issuer = \"https://sts.example/{{tenantid}}/\"\nsign_in_url = \"{url}/wsfed\"\n\
                 certificates = [{certificate:?}]\n"
            )
            .unwrap();
        }
        let at = number / 3 * 3;
        write!(
            text,
            "[relying_party.p{number}]\nprovider = \"at{at}\"\nclient_id = \"{}\"\n\
             redirect_path = \"/auth/p{number}\"\npeople = {{ directories = {{ {people} }} }}\n",
            realm(number)
        )
        .unwrap();
        text
    })
    .await
}

/// Somebody's of one directory, as the issuer of another would sign it.
fn token(draft: &SamlDraft, of: usize, issued_by: usize) -> String {
    let draft = draft
        .clone()
        .issuer(&format!("https://sts.example/{}/", directory(issued_by)))
        .attribute(&format!("{CLAIMS}/tenantid"), &directory(of))
        .attribute(&format!("{CLAIMS}/objectidentifier"), "an-object");
    answer(&draft.sign())
}

#[tokio::test]
async fn a_token_of_ws_federation_is_good_for_its_own_directory_at_its_own_realm() {
    let doors = federated().await;
    let parties = &doors.settings.relying_parties;
    let mut good = 0;
    for (minted, party) in parties.iter().enumerate() {
        let draft = doors.issuers[minted / 3].mint().saml("client", ASTRID, "Cust12345").unwrap();
        let draft = draft.audience(Some(&realm(minted)));
        for number in 0..TENANTS {
            let own = token(&draft, number, number);
            if number % PARTIES == minted {
                let crossed = token(&draft, number, other(minted, number));
                let (trust, ours) = (party.trust().unwrap(), callback(party));
                let crossed = verify(trust, &crossed, (&party.client_id, &ours), CLOCKS);
                assert!(crossed.is_err(), "{number}'s by another directory");
            }
            for asked in asked_of(minted, number) {
                let (asker, trust) = (&parties[asked], parties[asked].trust().unwrap());
                let arrived = verify(trust, &own, (&asker.client_id, &callback(asker)), CLOCKS);
                assert_eq!(arrived.is_ok(), asked == minted, "{minted}/{number} at {asked}");
                if let Ok(arrival) = arrived {
                    assert_eq!(arrival.admit(trust, &[]).unwrap().context, tenant(number));
                    good += 1;
                }
            }
        }
    }
    assert_eq!(good, PARTIES * TENANTS);
}
