//! Whether what an assertion states holds here and now (SAML core §2.5, profiles §4.1.4.3).

use crate::clock::Timestamp;

use super::refused::SamlRefused;
use super::rules::{Profile, SamlRules};
use super::stated::{Confirmation, Stated};

/// What SAML's own profile asks for besides, when the assertion came in a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Came {
    Bare,
    InResponse,
}

impl Stated {
    /// Checks everything but the audience. Gives when the assertion will be refused, without
    /// leeway.
    pub(super) fn holds(
        &self,
        rules: &SamlRules<'_>,
        came: Came,
    ) -> Result<Timestamp, SamlRefused> {
        if !self.is_issued_by(rules) {
            return Err(SamlRefused::Issuer);
        }
        begun(self.not_before, rules)?;
        let mut ends: Vec<Timestamp> = self.until.into_iter().collect();
        ends.extend(self.sign_ins.iter().flatten());
        ends.extend(self.confirmed(rules, came)?);
        if came == Came::InResponse && self.sign_ins.is_empty() {
            return Err(SamlRefused::Shape);
        }
        let end = ends.into_iter().min().ok_or(SamlRefused::Times)?;
        over(end, rules)?;
        if end > rules.now.plus(rules.leeway).plus(DAY) {
            return Err(SamlRefused::Lifetime);
        }
        Ok(end)
    }

    fn is_issued_by(&self, rules: &SamlRules<'_>) -> bool {
        let (before, after) = match (rules.profile, rules.issuer.split_once(DIRECTORY)) {
            (Profile::WsFederation, Some(parts)) => parts,
            _ => return self.issuer == rules.issuer,
        };
        match self.attributes.values(DIRECTORY_CLAIM) {
            [id] if is_directory(id) => self.issuer == format!("{before}{id}{after}"),
            _ => false,
        }
    }

    /// The first bearer's confirmation that holds, and when it ends.
    fn confirmed(
        &self,
        rules: &SamlRules<'_>,
        came: Came,
    ) -> Result<Option<Timestamp>, SamlRefused> {
        let mut refused = SamlRefused::Confirmation;
        for (at, confirmation) in self.confirmations.iter().enumerate() {
            match confirmation.holds(rules, came) {
                Ok(end) => return Ok(end),
                Err(why) if at == 0 => refused = why,
                Err(_) => {}
            }
        }
        Err(refused)
    }
}

impl Confirmation {
    fn holds(&self, rules: &SamlRules<'_>, came: Came) -> Result<Option<Timestamp>, SamlRefused> {
        let Some(data) = &self.data else {
            return match (came, rules.in_response_to) {
                (Came::Bare, None) => Ok(None),
                _ => Err(SamlRefused::Confirmation),
            };
        };
        if came == Came::InResponse && (data.recipient.is_none() || data.until.is_none()) {
            return Err(SamlRefused::Confirmation);
        }
        if data.recipient.as_deref().is_some_and(|there| there != rules.recipient) {
            return Err(SamlRefused::Destination);
        }
        if data.in_response_to.as_deref() != rules.in_response_to {
            return Err(SamlRefused::InResponseTo);
        }
        begun(data.not_before, rules)?;
        data.until.map_or(Ok(()), |end| over(end, rules))?;
        Ok(data.until)
    }
}

fn begun(from: Option<Timestamp>, rules: &SamlRules<'_>) -> Result<(), SamlRefused> {
    let ahead = from.is_some_and(|from| from > rules.now.plus(rules.leeway));
    if ahead { Err(SamlRefused::NotYetValid) } else { Ok(()) }
}

fn over(end: Timestamp, rules: &SamlRules<'_>) -> Result<(), SamlRefused> {
    if end.plus(rules.leeway) <= rules.now { Err(SamlRefused::Expired) } else { Ok(()) }
}

/// A UUID, and nothing that could lead out of its place in an address.
fn is_directory(id: &str) -> bool {
    id.len() == 36 && id.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

const DIRECTORY: &str = "{tenantid}";
const DIRECTORY_CLAIM: &str = "http://schemas.microsoft.com/identity/claims/tenantid";

/// What is remembered against replay must not be asked to remember for years.
const DAY: u64 = 24 * 60 * 60;
