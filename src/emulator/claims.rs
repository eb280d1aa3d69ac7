//! What tokens say about a person, in the order SuperID writes it (`superid.md` §3.2, §4).

use serde_json::{Value, json};

use super::apps::App;
use super::clock::unix_seconds;
use super::grants::Grant;
use super::seed::Rights;
use super::world::{Seat, World};

/// Before each of SuperOffice's own claims.
pub const CLAIM_PREFIX: &str = "http://schemes.superoffice.net/identity/";

/// Names and values in their order; a name may occur twice, as a hostile token's would.
pub(super) type Claims = Vec<(String, Value)>;

/// Seconds before `iat` at which a token begins to be good.
const BACK_DATING: i64 = 60;
/// Seconds after `iat` at which a token ends.
const TOKEN_LIFETIME: i64 = 300;

/// The claims of an id_token. `nonce` is absent after a refresh.
pub(super) fn id_token(world: &World, app: &App, seat: Seat<'_>, nonce: Option<&str>) -> Claims {
    let mut claims = identity(world, seat);
    system_token(&mut claims, app, seat);
    if let Some(nonce) = nonce {
        claims.push(("nonce".into(), nonce.into()));
    }
    let (issuer, audience) = (world.base.as_str(), app.client_id.as_str());
    finish(world, claims, issuer, audience)
}

/// The claims of the legacy form post, with names and a fresh ticket; the audience is the tenant,
/// not the app (`superid.md` §3.1).
pub(super) fn legacy(world: &World, app: &App, seat: Seat<'_>) -> Claims {
    let grant = Grant {
        client_id: app.client_id.clone(),
        upn: seat.person.upn.clone(),
        ctx: seat.tenant.ctx.clone(),
    };
    let mut claims = identity(world, seat);
    claims.push(own("firstname", &seat.person.first_name));
    claims.push(own("lastname", &seat.person.last_name));
    claims.push(own("ticket", &world.grants.ticket(&grant, world.now())));
    system_token(&mut claims, app, seat);
    let audience = format!("spn:{}", seat.tenant.serial);
    finish(world, claims, "SuperOffice AS", &audience)
}

fn identity(world: &World, seat: Seat<'_>) -> Claims {
    let Seat { person, tenant, account } = seat;
    let tenant_url = format!("{}/{}", world.base, tenant.ctx);
    let administrator = match account.rights {
        Rights::Administrator => "True",
        Rights::User => "False",
    };
    vec![
        ("sub".into(), json!(person.upn)),
        ("iat".into(), json!(issued_at(world))),
        own("associateid", &account.associate_id.to_string()),
        own("identityprovider", "superid"),
        own("email", &person.email),
        own("upn", &person.upn),
        own("is_administrator", administrator),
        own("ctx", &tenant.ctx),
        own("company_name", &tenant.company),
        own("serial", &tenant.serial),
        own("netserver_url", &format!("{tenant_url}/Remote/Services88/")),
        own("webapi_url", &format!("{tenant_url}/api/")),
        own("initials", &person.initials),
        own("so_primary_email_address", &person.email),
    ]
}

/// `AppName-xxxxxxxxxx` (`superid.md` §5), the same for an app and a tenant each time.
fn system_token(claims: &mut Claims, app: &App, seat: Seat<'_>) {
    if !app.system_user || seat.account.rights != Rights::Administrator {
        return;
    }
    let seed = format!("{} {}", app.client_id, seat.tenant.ctx);
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, seed.as_bytes());
    let tail: String = hash.as_ref()[..5].iter().map(|byte| format!("{byte:02x}")).collect();
    claims.push(own("system_token", &format!("{}-{tail}", app.name)));
}

fn finish(world: &World, mut claims: Claims, issuer: &str, audience: &str) -> Claims {
    let iat = issued_at(world);
    claims.push(("nbf".into(), json!(iat - BACK_DATING)));
    claims.push(("exp".into(), json!(iat + TOKEN_LIFETIME)));
    claims.push(("iss".into(), json!(issuer)));
    claims.push(("aud".into(), json!(audience)));
    claims
}

fn issued_at(world: &World) -> i64 {
    unix_seconds(world.now()) + world.faults.skew()
}

fn own(name: &str, value: &str) -> (String, Value) {
    (format!("{CLAIM_PREFIX}{name}"), value.into())
}
