//! The form, or the address, that carries legacy tokens to the app (`superid.md` §3).

use super::answer::Answer;
use super::apps::{App, Carriage, LegacyToken};
use super::claims::{self, Claims};
use super::delivery;
use super::grants::{Grant, alphanumeric};
use super::mint::{self, Mint};
use super::pages;
use super::response::ResponseMode;
use super::saml::SamlDraft;
use super::world::{Seat, World};

/// Sends the tokens to the app; with an unknown return address the person lands in their own CRM
/// instead (`superid.md` §2).
pub(super) fn send(world: &World, grant: &Grant, seat: Seat<'_>, target: Option<&str>) -> Answer {
    let Some((target, app)) = target.zip(world.apps.find(&grant.client_id)) else {
        let crm = format!("{}/CRM", world.root_of(seat.tenant));
        let sent = Answer::redirect(&crm);
        let sent = sent.unwrap_or_else(|| pages::technical_error("no way to the CRM"));
        return sent.refused("unknown return address");
    };
    let claims = claims::legacy(world, &app, seat);
    let tokens = match app.legacy_tokens.as_slice() {
        [] => &[LegacyToken::Jwt],
        tokens => tokens,
    };
    let fields = tokens.iter().map(|token| field(world, &app, *token, &claims, target));
    let mode = match app.legacy_method {
        Carriage::Post => ResponseMode::FormPost,
        Carriage::Get => ResponseMode::Query,
    };
    delivery::send(mode, target, &fields.collect::<Vec<_>>())
}

fn field(
    world: &World,
    app: &App,
    token: LegacyToken,
    claims: &Claims,
    target: &str,
) -> (String, String) {
    let encoded = |document: &str| SamlDraft::encoded(document);
    let (name, value) = match token {
        LegacyToken::Jwt => ("jwt", mint::draft(world, claims.clone()).sign()),
        LegacyToken::Saml => ("saml", encoded(&saml(world, app, claims).recipient(target).sign())),
        LegacyToken::SamlResponse => {
            ("SAMLResponse", encoded(&saml(world, app, claims).in_response(target)))
        }
    };
    (name.to_owned(), value)
}

impl Mint {
    /// The assertion of the legacy form post, as this registration would get it; otherwise as
    /// [`Mint::legacy`].
    pub fn saml(&self, app_id: &str, upn: &str, ctx: &str) -> Option<SamlDraft> {
        let (world, seat) = (&*self.world, self.world.seat(upn, ctx)?);
        let app = world.apps.find(app_id).unwrap_or_else(|| App::new(app_id, "", ""));
        Some(saml(world, &app, &claims::legacy(world, &app, seat)))
    }
}

/// The claims as an assertion, to be signed as the registration and the faults want it.
fn saml(world: &World, app: &App, claims: &Claims) -> SamlDraft {
    let key = mint::signing_key(world);
    SamlDraft::from_claims(key, app.saml_hash, format!("_{}", alphanumeric(32)), claims)
}
