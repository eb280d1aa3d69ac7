//! The form that carries a legacy token to the app (`superid.md` §3).

use super::answer::Answer;
use super::claims;
use super::grants::Grant;
use super::mint;
use super::pages;
use super::world::{Seat, World};

/// Posts the token to the app; with an unknown return address the person lands in their own CRM
/// instead (`superid.md` §2).
pub(super) fn send(world: &World, grant: &Grant, seat: Seat<'_>, target: Option<&str>) -> Answer {
    let Some((target, app)) = target.zip(world.apps.find(&grant.client_id)) else {
        let crm = format!("{}/CRM", world.root_of(seat.tenant));
        let sent = Answer::redirect(&crm);
        let sent = sent.unwrap_or_else(|| pages::technical_error("no way to the CRM"));
        return sent.refused("unknown return address");
    };
    let token = mint::draft(world, claims::legacy(world, &app, seat)).sign();
    pages::form_post(target, &[("jwt".to_owned(), token)])
}
