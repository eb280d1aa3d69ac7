//! One order, from its account to a certificate that holds.

use std::error::Error as _;
use std::io;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use instant_acme::{
    Account, AuthorizationHandle, AuthorizationStatus, CertificateIdentifier, ChallengeType, Error,
    ExternalAccountKey, Identifier, NewAccount, NewOrder, Order, OrderStatus,
};
use rcgen::{CertificateParams, DistinguishedName, KeyPair};

use crate::back_channel::BackChannel;
use crate::clock::Clock;
use crate::config::{AcmeAccount, AcmeChallenge, Ordered};
use crate::crypto::{Leaf, Secret};

use super::authority::Authority;
use super::challenges::{self, Proving};
use super::shelf::{Chain, Kept, Shelf};

/// An account that can order.
pub(super) struct Customer<'c> {
    account: Account,
    authority: Authority,
    clock: &'c Clock,
}

/// Why there is no certificate.
#[derive(Clone, Debug)]
pub(super) struct Failed {
    pub(super) failure: Failure,
    pub(super) detail: String,
    /// In how many seconds the authority said to come again.
    pub(super) told: Option<u64>,
}

/// Whose doing it was that there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// What came cannot be written, or what was written cannot be read.
    NotKept,
    RateLimited,
    /// The authority said no, or could not see that the host is ours.
    Refused,
    /// No answer, or none that says anything.
    Unreachable,
}

impl<'c> Customer<'c> {
    /// The account that is kept, or a new one.
    ///
    /// # Errors
    /// [`Failed`].
    pub(super) async fn enter(
        settings: &AcmeAccount,
        channel: Arc<BackChannel>,
        clock: &'c Clock,
    ) -> Result<Self, Failed> {
        let authority = Authority::new(&settings.directory, channel, clock.clone());
        let failed = |error| Failed::by(error, &authority);
        let shelf = Shelf(settings);
        let builder = Account::builder_with_http(Box::new(authority.clone()));
        let contact: Vec<&str> = settings.contact.iter().map(String::as_str).collect();
        let account = match shelf.account().map_err(Failed::not_kept)? {
            Some(Kept { contact: told, credentials }) if told == settings.contact => {
                builder.from_credentials(credentials).await.map_err(failed)?
            }
            Some(Kept { credentials, .. }) => {
                let copy = serde_json::to_string(&credentials).map_err(io::Error::from);
                let copy = Secret::new(copy.map_err(Failed::not_kept)?);
                let account = builder.from_credentials(credentials).await.map_err(failed)?;
                account.update_contacts(&contact).await.map_err(failed)?;
                let credentials = serde_json::from_str(copy.reveal()).map_err(io::Error::from);
                let credentials = credentials.map_err(Failed::not_kept)?;
                let kept = Kept { contact: settings.contact.clone(), credentials };
                shelf.keep(&kept).map_err(Failed::not_kept)?;
                account
            }
            None => {
                let wanted = NewAccount {
                    contact: &contact,
                    terms_of_service_agreed: true,
                    only_return_existing: false,
                };
                let directory = settings.directory.to_string();
                let binding = external(settings);
                let made = builder.create(&wanted, directory, binding.as_ref()).await;
                let (account, credentials) = made.map_err(failed)?;
                let kept = Kept { contact: settings.contact.clone(), credentials };
                shelf.keep(&kept).map_err(Failed::not_kept)?;
                tracing::info!(account = settings.name, "acme: there is an account now");
                account
            }
        };
        Ok(Self { account, authority, clock })
    }

    /// When the authority would have a certificate renewed, from one moment to another, and in how
    /// many seconds it is asked again (RFC 9773); `None` where it has no opinion.
    pub(super) async fn window(&self, leaf: &Leaf) -> Option<((u64, u64), u64)> {
        let (info, again) = self.account.renewal_info(&identifier(leaf)?).await.ok()?;
        let seconds = |moment: time::OffsetDateTime| u64::try_from(moment.unix_timestamp()).ok();
        let window = (seconds(info.suggested_window.start)?, seconds(info.suggested_window.end)?);
        Some((window, again.as_secs()))
    }

    /// Orders a certificate, in place of `replaced` where the authority follows that. Whoever calls
    /// holds the folder's lock.
    ///
    /// # Errors
    /// [`Failed`].
    pub(super) async fn order(
        &self,
        one: &Ordered,
        replaced: Option<&Leaf>,
    ) -> Result<Secret, Failed> {
        challenges::clear(one).map_err(Failed::not_kept)?;
        let identifiers: Vec<Identifier> =
            one.hosts.iter().map(|host| Identifier::Dns(host.clone())).collect();
        let mut wanted = NewOrder::new(&identifiers);
        if let Some(replaced) = replaced.and_then(identifier) {
            wanted = wanted.replaces(replaced);
        }
        let mut order =
            self.account.new_order(&wanted).await.map_err(|error| self.failed(error))?;
        let proving = self.prove(one, &mut order).await?;
        self.becomes(&mut order, OrderStatus::Ready).await?;
        drop(proving);
        let key = KeyPair::generate().map_err(|error| Failed::refused(error.to_string()))?;
        let request = request(one, &key).map_err(|error| Failed::refused(error.to_string()))?;
        order.finalize_csr(&request).await.map_err(|error| self.failed(error))?;
        self.becomes(&mut order, OrderStatus::Valid).await?;
        let chain = order.certificate().await.map_err(|error| self.failed(error))?;
        let chain = chain.ok_or_else(|| Failed::refused("there is no certificate".to_owned()))?;
        let whole = Secret::new([key.serialize_pem(), chain].concat());
        match Chain::read(whole.reveal().as_bytes()) {
            Ok(made) if made.covers(&one.hosts) && made.leaf.ends > self.clock.now().0 => Ok(whole),
            Ok(_) => Err(Failed::refused("the certificate is not the one ordered".to_owned())),
            Err(why) => Err(Failed::refused(format!("what came is no certificate: {why}"))),
        }
    }

    /// Lays out what proves that each host is ours, and asks the authority to look.
    async fn prove(&self, one: &Ordered, order: &mut Order) -> Result<Vec<Proving>, Failed> {
        let mut proving = Vec::new();
        let mut authorizations = order.authorizations();
        while let Some(asked) = authorizations.next().await {
            let mut asked = asked.map_err(|error| self.failed(error))?;
            if asked.status == AuthorizationStatus::Valid {
                continue;
            }
            let host = asked.identifier().to_string();
            let kind = match one.challenge {
                AcmeChallenge::Http01 => ChallengeType::Http01,
                AcmeChallenge::TlsAlpn01 => ChallengeType::TlsAlpn01,
            };
            let Some(mut challenge) = asked.challenge(kind) else {
                let word = one.challenge.word();
                return Err(Failed::refused(format!("{host}: the authority offers no {word}")));
            };
            let answer = challenge.key_authorization();
            let laid = match one.challenge {
                AcmeChallenge::Http01 => {
                    Proving::http(one, &host, &challenge.token, answer.as_str())
                }
                AcmeChallenge::TlsAlpn01 => Proving::tls(one, &host, answer.digest().as_ref()),
            };
            proving.push(laid.map_err(Failed::not_kept)?);
            challenge.set_ready().await.map_err(|error| self.failed(error))?;
        }
        Ok(proving)
    }

    /// Waits until an order has come so far, for some minutes at most.
    async fn becomes(&self, order: &mut Order, wanted: OrderStatus) -> Result<(), Failed> {
        for _ in 0..MOST_LOOKS {
            let status = order.state().status;
            if status == wanted || status == OrderStatus::Valid {
                return Ok(());
            }
            if status == OrderStatus::Invalid {
                return Err(self.why_not(order).await);
            }
            let wait = self.authority.told().unwrap_or(WAIT).clamp(1, LONGEST_WAIT);
            // The first look comes at once.
            order.refresh().await.map_err(|error| self.failed(error))?;
            let status = order.state().status;
            if status != wanted && status != OrderStatus::Valid && status != OrderStatus::Invalid {
                self.clock.passes(self.clock.now(), wait).await;
            }
        }
        Err(Failed::endless())
    }

    /// What the authority found when it looked.
    async fn why_not(&self, order: &mut Order) -> Failed {
        let mut found: Vec<String> = Vec::new();
        if let Some(problem) = &order.state().error {
            found.push(problem.to_string());
        }
        let mut authorizations = order.authorizations();
        while let Some(Ok(mut asked)) = authorizations.next().await {
            if asked.refresh().await.is_ok() {
                found.extend(told_of(&asked));
            }
        }
        if found.is_empty() {
            found.push("the authority does not say why".to_owned());
        }
        Failed::refused(found.join("; "))
    }

    fn failed(&self, error: Error) -> Failed {
        Failed::by(error, &self.authority)
    }
}

impl Failed {
    /// The authority goes on and on.
    pub(super) fn endless() -> Self {
        let detail = "the order did not come to an end".to_owned();
        Self { failure: Failure::Unreachable, detail, told: None }
    }

    fn not_kept(error: io::Error) -> Self {
        let detail = format!("the folder cannot be used: {error}");
        Self { failure: Failure::NotKept, detail, told: None }
    }

    fn refused(detail: String) -> Self {
        Self { failure: Failure::Refused, detail, told: None }
    }

    fn by(error: Error, authority: &Authority) -> Self {
        let told = authority.told();
        let failure = match &error {
            Error::Api(problem) => match problem.r#type.as_deref().unwrap_or_default() {
                RATE_LIMITED => Failure::RateLimited,
                "urn:ietf:params:acme:error:serverInternal"
                | "urn:ietf:params:acme:error:badNonce" => Failure::Unreachable,
                _ => Failure::Refused,
            },
            _ => Failure::Unreachable,
        };
        let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
        Self { failure, detail: format!("{error}{cause}"), told }
    }

    /// Whether the authority knows nothing of the account.
    pub(super) fn is_nobody(&self) -> bool {
        self.detail.contains("urn:ietf:params:acme:error:accountDoesNotExist")
    }
}

fn external(settings: &AcmeAccount) -> Option<ExternalAccountKey> {
    let binding = settings.binding.as_ref()?;
    let key = URL_SAFE_NO_PAD.decode(binding.key.reveal().trim_end_matches('=')).ok()?;
    Some(ExternalAccountKey::new(binding.id.clone(), &zeroize::Zeroizing::new(key)))
}

/// Asks for the hosts and nothing else; the key is for P-256.
fn request(one: &Ordered, key: &KeyPair) -> Result<Vec<u8>, rcgen::Error> {
    let mut wanted = CertificateParams::new(one.hosts.clone())?;
    wanted.distinguished_name = DistinguishedName::new();
    Ok(wanted.serialize_request(key)?.der().to_vec())
}

/// How ARI names a certificate (RFC 9773 §4.1).
fn identifier(leaf: &Leaf) -> Option<CertificateIdentifier<'static>> {
    let authority = leaf.authority_key.as_deref()?;
    let (authority, serial) = (authority.to_vec(), leaf.serial.clone());
    Some(CertificateIdentifier::new(authority[..].into(), serial[..].into()).into_owned())
}

fn told_of(asked: &AuthorizationHandle<'_>) -> Vec<String> {
    let host = asked.identifier().to_string();
    let problems = asked.challenges.iter().filter_map(|challenge| challenge.error.as_ref());
    problems.map(|problem| format!("{host}: {problem}")).collect()
}

const RATE_LIMITED: &str = "urn:ietf:params:acme:error:rateLimited";
/// Looks at an order until it counts as one without an end.
const MOST_LOOKS: u32 = 60;
/// Seconds between two of them, where the authority does not say.
const WAIT: u64 = 3;
const LONGEST_WAIT: u64 = 30;
