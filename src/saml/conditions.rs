//! Whether what an assertion states holds here and now (SAML core §2.5, profiles §4.1.4.3).

use crate::clock::Timestamp;
use crate::config::{SamlRecipient, is_directory};

use super::refused::SamlRefused;
use super::rules::{Profile, SamlRules};
use super::stated::{Confirmation, Stated};

impl Stated {
    /// Checks everything but the audience. Gives when the assertion will be refused, without
    /// leeway. What stands around the assertion has no say in it: whoever posts could take it off.
    pub(super) fn holds(&self, rules: &SamlRules<'_>) -> Result<Timestamp, SamlRefused> {
        if !self.is_issued_by(rules) {
            return Err(SamlRefused::Issuer);
        }
        begun(self.not_before, rules)?;
        let mut ends: Vec<Timestamp> = self.until.into_iter().collect();
        ends.extend(self.sign_ins.iter().flatten());
        ends.extend(self.bearer()?.holds(rules)?);
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

    /// The only bearer's confirmation. Of two, one could end when the other, and what is remembered
    /// against a second use, is long over.
    fn bearer(&self) -> Result<&Confirmation, SamlRefused> {
        match self.confirmations.as_slice() {
            [only] => Ok(only),
            _ => Err(SamlRefused::Confirmation),
        }
    }
}

impl Confirmation {
    /// Gives when it ends, if it says so.
    fn holds(&self, rules: &SamlRules<'_>) -> Result<Option<Timestamp>, SamlRefused> {
        let named = self.data.as_ref().and_then(|data| data.recipient.as_deref());
        match (named, rules.recipient_rule) {
            (Some(there), _) if there != rules.recipient => return Err(SamlRefused::Destination),
            (None, SamlRecipient::Required) => return Err(SamlRefused::Recipient),
            _ => {}
        }
        let Some(data) = &self.data else {
            let asked = rules.in_response_to.is_some();
            return if asked { Err(SamlRefused::Confirmation) } else { Ok(None) };
        };
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

const DIRECTORY: &str = "{tenantid}";
const DIRECTORY_CLAIM: &str = "http://schemas.microsoft.com/identity/claims/tenantid";

/// What is remembered against replay must not be asked to remember for years.
const DAY: u64 = 24 * 60 * 60;
