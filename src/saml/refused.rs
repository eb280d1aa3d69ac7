//! Why an assertion is not believed.

/// The first rule an assertion breaks. No variant holds anything of what was posted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum SamlRefused {
    /// Signature, digest, transform or canonicalisation by a method that is not on the list.
    #[error("an algorithm is not one of those accepted (exclusive c14n, RSA with SHA-256 and up)")]
    Algorithm,
    /// Not exactly one assertion, or it stands where none belongs.
    #[error("there is not exactly one assertion where one belongs")]
    AssertionCount,
    /// One `Name` on two attributes: two readers could see two values.
    #[error("an attribute is there twice")]
    AttributeTwice,
    /// `Audience` is missing or not ours.
    #[error("the audience is missing or not ours")]
    Audience,
    /// A comment beside text: readers have cut values off there.
    #[error("a comment stands inside a value")]
    Comment,
    /// A condition nobody here understands.
    #[error("the assertion has a condition that is not understood")]
    Condition,
    /// No bearer confirmation that holds.
    #[error("no bearer confirmation of the subject holds")]
    Confirmation,
    /// `Destination` or `Recipient` is another address.
    #[error("it was meant for another address than this one")]
    Destination,
    /// The hash of the signed element is another.
    #[error("the digest is wrong: what was signed has been changed")]
    Digest,
    /// A document type, an entity, or other declarations.
    #[error("the document has declarations (DOCTYPE) or processing instructions")]
    Doctype,
    /// One identifier on two elements.
    #[error("an identifier is there twice")]
    DuplicateId,
    /// Encrypted parts.
    #[error("the assertion or a part of it is encrypted")]
    Encrypted,
    /// Not base64, UTF-8 or XML 1.0.
    #[error("it is not base64 of an XML 1.0 document in UTF-8")]
    Encoding,
    /// `NotOnOrAfter` has passed.
    #[error("the assertion has expired; if it was new, compare the clocks")]
    Expired,
    /// `InResponseTo` names a request that is not ours.
    #[error("it answers a request that is not this sign-in's")]
    InResponseTo,
    /// `Issuer` is not the pinned one.
    #[error("the issuer is not the one pinned for this environment")]
    Issuer,
    /// It would be good for more than a day.
    #[error("the assertion is good for longer than a day")]
    Lifetime,
    /// `NotBefore` lies ahead.
    #[error("the assertion is not valid yet; compare the clocks")]
    NotYetValid,
    /// Not what the schema says it should be.
    #[error("the document is not a SAML assertion as the schema has it")]
    Shape,
    /// No `Recipient`, where one is required.
    #[error("it does not say which address it was meant for")]
    Recipient,
    /// The signature is not one of our keys'.
    #[error("the signature is not that of a configured key")]
    Signature,
    /// Not exactly one signature, on the assertion or on the response around it.
    #[error("there is not exactly one signature, on the assertion or the response around it")]
    SignatureCount,
    /// The issuer says that nobody signed in.
    #[error("the response says that the sign-in failed")]
    Status,
    /// The subject is missing or there are two.
    #[error("the subject is missing or not clear")]
    Subject,
    /// A time is missing or unreadable.
    #[error("a time is missing or not in UTC as xs:dateTime")]
    Times,
    /// More bytes, elements or attributes than an assertion has.
    #[error("the document is too large or has too many parts")]
    TooLarge,
    /// A version of SAML that this door does not take.
    #[error("the version of SAML is not one that is taken here")]
    Version,
}
