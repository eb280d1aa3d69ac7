//! What the demo says when it is ready.

use std::fmt::Write as _;

use crate::emulator::{Rights, Seed};

use super::demo_settings::NIGHTLY;

/// What to open, who can sign in, and what to try.
pub(super) fn words([gateway, superid, app, admin, jobs]: [&str; 5]) -> String {
    let people = people(&Seed::default());
    format!(
        "\
superid-gateway demo: everything on this machine, gone with Ctrl-C.

Open      {gateway}/orders/7?tab=2
          signed in by OpenID Connect, the app is given a bearer token
          {gateway}/legacy/
          signed in by SuperID's older form post, the app is given SOTicket
          {gateway}/onsite/
          signed in by a provider like Google, as where SuperOffice is on site
          {gateway}/admin/ is for administrators, {gateway}/public/ for anybody

Sign in   as one of these; there are no passwords
{people}
With curl a script gets 401 and the sign-in address:
            curl -i {gateway}/orders/7
          a browser's request is redirected to SuperID:
            curl -i -H 'Accept: text/html' '{gateway}/orders/7?tab=2'
          forging does not help:
            curl -i -H 'SOTicket: 7T:forged' {gateway}/public/who.json
          the whole sign-in: tests/walk-demo.sh

Jobs      a background job calls a tenant's web API with nothing but its own password:
            curl -u nightly:{NIGHTLY} {jobs}/Cust12345/api/v1/User/currentPrincipal
            curl -u nightly:{NIGHTLY} {jobs}/Cust67890/api/v1/Contact/1
          in Cust20011 no administrator has signed in yet, so there is nothing to call with:
            curl -u nightly:{NIGHTLY} {jobs}/Cust20011/api/v1/Contact/1
          a signed-in person calls their own tenant: {gateway}/crm/api/v1/User/currentPrincipal

Parts     {superid}  the emulated SuperID; {superid}/emulator/journal tells what it was asked
          {app}  the app, without a gateway in front: it knows nothing of sign-ins
          {admin}/ready  the gateway's admin listener
"
    )
}

fn people(seed: &Seed) -> String {
    let mut out = String::new();
    for person in &seed.people {
        let seats: Vec<String> = person
            .memberships
            .iter()
            .map(|seat| match seat.rights {
                Rights::Administrator => format!("administrator of {}", seat.ctx),
                Rights::User => format!("user of {}", seat.ctx),
            })
            .collect();
        let seats =
            if seats.is_empty() { "no account anywhere".to_owned() } else { seats.join(", ") };
        let _infallible = writeln!(out, "            {:<30} {seats}", person.upn);
    }
    out
}
