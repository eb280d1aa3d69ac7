//! A gateway whose people come by WS-Federation, from the emulated Entra or by a test's own tokens.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use superid_gateway::emulator::{EntraRealm, EntraToken, SamlDraft};
use superid_gateway::server::Running;

use crate::browser::Browser;
use crate::wire::Answer;
use crate::world::{ASTRID, World};

pub const REALM: &str = "https://crm.example/";
pub const CLAIMS: &str = "http://schemas.microsoft.com/identity/claims";
const TRUST: &str = "http://schemas.xmlsoap.org/ws/2005/02/trust";

pub struct Scene {
    pub world: World,
    configuration: toml::Table,
    /// The directory of Astrid and her colleagues.
    pub directory: String,
    folder: PathBuf,
}

impl Drop for Scene {
    fn drop(&mut self) {
        let _gone = std::fs::remove_dir_all(&self.folder);
    }
}

/// A form on its way back: the page it stands on and where it goes, with its fields.
#[derive(Clone, Debug)]
pub struct Posting {
    pub page: String,
    pub action: String,
    pub wresult: String,
    pub wctx: String,
}

impl Scene {
    pub async fn new(token: EntraToken) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("federation-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let world = World::new().await;
        let replies = vec![world.url("/auth/callback"), world.url("/auth/signed_out")];
        world.superid.register_at_entra(EntraRealm { wtrealm: REALM.into(), replies, token });
        let directory = directory_of(&world, ASTRID).await;
        let certificates = certificates(&world).await.map(|certificate| {
            let path = folder.join(format!("{}.pem", certificate.len()));
            let pem = "CERTIFICATE-----\n";
            std::fs::write(&path, format!("-----BEGIN {pem}{certificate}\n-----END {pem}"))
                .unwrap();
            path
        });
        let configuration = format!(
            "[host.main]\nrelying_parties = [\"staff\"]\n\
             [provider.entra]\nprotocol = \"ws_federation\"\n\
             issuer = \"$SUPERID/entra/{{tenantid}}/\"\n\
             sign_in_url = \"$SUPERID/entra/common/wsfed\"\ncertificates = {certificates:?}\n\
             authorize_parameters = {{ whr = \"nordlys.example\" }}\n\
             [relying_party.staff]\nprovider = \"entra\"\nclient_id = \"{REALM}\"\n\
             people = {{ directories = {{ \"{directory}\" = \"Cust12345\" }} }}\n"
        )
        .parse()
        .unwrap();
        let mut scene = Self { world, configuration, directory, folder };
        scene.layered("");
        scene
    }

    /// The gateway follows the same configuration with a piece of TOML laid over it.
    pub fn layered(&mut self, more: &str) {
        let mut table = self.configuration.clone();
        crate::world::lay(&mut table, more.parse().unwrap());
        self.world.reload(&table.to_string()).unwrap();
    }

    /// Another process with the same configuration and a piece of TOML laid over it, which browsers meet
    /// from now on.
    pub async fn beside(&self, more: &str) -> Running {
        let mut table = self.configuration.clone();
        crate::world::lay(&mut table, more.parse().unwrap());
        self.world.beside(&table.to_string()).await
    }

    /// Begins at a page of the app and signs in at the provider, up to the form that leads back.
    pub async fn arrive(&self, browser: &mut Browser, who: &str) -> Posting {
        let page = browser.open(&self.world.url("/orders/7")).await;
        posting(&pick(browser, &page, who).await)
    }

    /// Begins, and has a token of the test's own on the way back.
    pub async fn arrive_with(&self, browser: &mut Browser, wresult: String) -> Posting {
        let redirect = browser.visit(&self.world.url("/orders/7")).await;
        Posting {
            page: self.world.superid.url().to_owned() + "/entra/common/wsfed",
            action: self.world.url("/auth/callback"),
            wresult,
            wctx: redirect.parameter("wctx").unwrap(),
        }
    }

    /// An assertion as Entra would sign it, open to change.
    pub fn draft(&self) -> SamlDraft {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let draft = self.world.superid.mint().saml("client-of-main", ASTRID, "Cust12345").unwrap();
        draft
            .id(&format!("_{number}"))
            .issuer(&self.issuer(&self.directory))
            .audience(Some(REALM))
            .attribute(&format!("{CLAIMS}/tenantid"), &self.directory)
            .attribute(&format!("{CLAIMS}/objectidentifier"), "an-object")
    }

    pub fn issuer(&self, directory: &str) -> String {
        format!("{}/entra/{directory}/", self.world.superid.url())
    }
}

impl Posting {
    pub async fn post(&self, browser: &mut Browser) -> Answer {
        let fields =
            [("wa", "wsignin1.0"), ("wresult", self.wresult.as_str()), ("wctx", &self.wctx)];
        browser.submit(&self.page, &self.action, &fields).await
    }
}

/// A token answer around an assertion.
pub fn answer(assertion: &str) -> String {
    let assertion = assertion.split_once("?>").map_or(assertion, |(_, rest)| rest);
    format!(
        "<t:RequestSecurityTokenResponse xmlns:t=\"{TRUST}\"><t:RequestedSecurityToken>{assertion}\
         </t:RequestedSecurityToken></t:RequestSecurityTokenResponse>"
    )
}

/// Picks a person on the provider's page.
pub async fn pick(browser: &mut Browser, page: &Answer, who: &str) -> Answer {
    let request = page.field("request").unwrap_or_else(|| panic!("a sign-in page: {page:?}"));
    let url = format!("{}/entra/sign-in", page.url.split("/entra/").next().unwrap());
    browser.submit(&page.url, &url, &[("request", &request), ("person", who)]).await
}

/// The form a page posts.
pub fn posting(form: &Answer) -> Posting {
    let field = |name| form.field(name).unwrap_or_default();
    Posting {
        page: form.url.clone(),
        action: form.action().unwrap_or_else(|| panic!("a form: {form:?}")),
        wresult: field("wresult"),
        wctx: field("wctx"),
    }
}

/// What stands between two texts.
pub fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    text.split_once(start).expect("a start").1.split_once(end).expect("an end").0
}

async fn directory_of(world: &World, who: &str) -> String {
    let url = format!("{}/entra/common/wsfed?wa=wsignin1.0&wtrealm={REALM}", world.superid.url());
    let mut browser = world.browser();
    let page = browser.open(&url).await;
    let wresult = posting(&pick(&mut browser, &page, who).await).wresult;
    let claim = wresult.split_once("tenantid\"").expect("a directory").1;
    between(claim, "AttributeValue>", "<").to_owned()
}

/// Those of Entra and of SuperID, whose key signs a test's own tokens.
async fn certificates(world: &World) -> [String; 2] {
    let path = "/entra/common/FederationMetadata/2007-06/FederationMetadata.xml";
    let metadata = world.api().get(&format!("{}{path}", world.superid.url())).await;
    let entra = between(&metadata.body, "<X509Certificate>", "</X509Certificate>").to_owned();
    let keys = world.superid.keys().jwks();
    let ours = keys["keys"][0]["x5c"][0].as_str().unwrap().to_owned();
    // The files are named by length.
    [entra, format!("{ours}\n")]
}
