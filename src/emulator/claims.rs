//! What tokens say about a person, in the order SuperID writes it (`superid.md` §3.2, §4).

use serde_json::{Value, json};

use super::apps::App;
use super::clock::unix_seconds;
use super::grants::{Holder, Pass, random};
use super::seed::{Rights, Tenant};
use super::world::{Seat, World};

/// Before each of SuperOffice's own claims.
pub const CLAIM_PREFIX: &str = "http://schemes.superoffice.net/identity/";

/// Names and values in their order; a name may occur twice, as a hostile token's would.
pub(super) type Claims = Vec<(String, Value)>;

/// The issuer of every token but id_tokens (`superid.md` §3.1).
pub(super) const ISSUER: &str = "SuperOffice AS";

/// Seconds before `iat` at which a token begins to be good.
const BACK_DATING: i64 = 60;
/// Seconds after `iat` at which a token ends.
const TOKEN_LIFETIME: i64 = 300;

/// The claims of an id_token. `more` is what binds it to a request or to what goes beside it:
/// `nonce`, absent after a refresh, `c_hash` and `at_hash`.
pub(super) fn id_token(world: &World, app: &App, seat: Seat<'_>, more: &[(&str, &str)]) -> Claims {
    let mut claims = identity(world, seat);
    system_token(&mut claims, world, app, seat);
    claims.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())));
    let (issuer, audience) = (world.base.as_str(), app.client_id.as_str());
    finish(world, claims, issuer, audience)
}

/// The claims of the legacy form post, with names and a fresh ticket; the audience is the tenant,
/// not the app (`superid.md` §3.1).
pub(super) fn legacy(world: &World, app: &App, seat: Seat<'_>) -> Claims {
    let pass = Pass {
        client_id: app.client_id.clone(),
        ctx: seat.tenant.ctx.clone(),
        holder: Holder::Person(seat.person.upn.clone()),
    };
    let mut claims = identity(world, seat);
    claims.push(own("firstname", &seat.person.first_name));
    claims.push(own("lastname", &seat.person.last_name));
    claims.push(own("ticket", &world.grants.ticket(pass, world.now())));
    system_token(&mut claims, world, app, seat);
    let audience = format!("spn:{}", seat.tenant.serial);
    finish(world, claims, ISSUER, &audience)
}

/// The claims of a system user's token, with a fresh ticket (`superid.md` §5). There is no person
/// in it: which claims a real one has beside these is not published.
pub(super) fn system_user(world: &World, app: &App, tenant: &Tenant) -> Claims {
    let pass = Pass {
        client_id: app.client_id.clone(),
        ctx: tenant.ctx.clone(),
        holder: Holder::SystemUser,
    };
    let [netserver, webapi] = addresses(world, tenant);
    let claims = vec![
        ("sub".into(), json!(tenant.ctx)),
        ("iat".into(), json!(issued_at(world))),
        own("identityprovider", ISSUER),
        own("ctx", &tenant.ctx),
        own("company_name", &tenant.company),
        own("serial", &tenant.serial),
        netserver,
        webapi,
        own("ticket", &world.grants.ticket(pass, world.now())),
    ];
    finish(world, claims, ISSUER, &format!("spn:{}", tenant.serial))
}

/// The claims of the token in a state-change notice. No sample is published: issuer, audience and
/// times are those of SuperOffice's other tokens, `nonce` that of the mirroring one.
pub(super) fn notice(world: &World, tenant: &Tenant) -> Claims {
    let nonce: String = random::<16>().iter().map(|byte| format!("{byte:02X}")).collect();
    let claims = vec![
        ("sub".into(), json!(tenant.ctx)),
        ("iat".into(), json!(issued_at(world))),
        ("nonce".into(), json!(nonce)),
        own("ctx", &tenant.ctx),
        own("serial", &tenant.serial),
    ];
    finish(world, claims, ISSUER, &format!("spn:{}", tenant.serial))
}

fn identity(world: &World, seat: Seat<'_>) -> Claims {
    let Seat { person, tenant, account } = seat;
    let [netserver, webapi] = addresses(world, tenant);
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
        netserver,
        webapi,
        own("initials", &person.initials),
        own("so_primary_email_address", &person.email),
    ]
}

/// The SOAP address of the tenant today, with a slash at the end.
pub(super) fn netserver_url(world: &World, tenant: &Tenant) -> String {
    format!("{}/Remote/Services88/", world.root_of(tenant))
}

/// Where the tenant's services are today.
fn addresses(world: &World, tenant: &Tenant) -> [(String, Value); 2] {
    let root = world.root_of(tenant);
    [
        own("netserver_url", &netserver_url(world, tenant)),
        own("webapi_url", &format!("{root}/api/")),
    ]
}

fn system_token(claims: &mut Claims, world: &World, app: &App, seat: Seat<'_>) {
    if !app.system_user || seat.account.rights != Rights::Administrator {
        return;
    }
    claims.push(own("system_token", &world.consents.system_token(app, &seat.tenant.ctx)));
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
