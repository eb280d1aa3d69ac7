//! The provider's tokens: SAML 2.0 as Entra writes it, SAML 1.1 as AD FS does, each in a
//! `RequestSecurityTokenResponse` (WS-Federation 1.2, 13.2; WS-Trust 2005/02).

use super::super::clock::unix_seconds;
use super::super::grants::alphanumeric;
use super::super::saml::{Node, SamlHash, Seal, enveloped, instant};
use super::super::seed::Person;
use super::super::world::World;
use super::people::{directory, issuer, object_id};
use super::state::{EntraRealm, EntraToken};

const SAML2: (&str, &str) = ("", "urn:oasis:names:tc:SAML:2.0:assertion");
const SAML1: (&str, &str) = ("saml", "urn:oasis:names:tc:SAML:1.0:assertion");
const TRUST: (&str, &str) = ("t", "http://schemas.xmlsoap.org/ws/2005/02/trust");
const UTILITY: (&str, &str) =
    ("wsu", "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd");
const POLICY: (&str, &str) = ("wsp", "http://schemas.xmlsoap.org/ws/2004/09/policy");
const ADDRESSING: (&str, &str) = ("wsa", "http://www.w3.org/2005/08/addressing");

const IDENTITY: &str = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims";
const MICROSOFT: &str = "http://schemas.microsoft.com/identity/claims";
const PERSISTENT: &str = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent";

/// Seconds before `iat` at which a token begins to be good, and after which it ends.
const BACK_DATING: i64 = 300;
const LIFETIME: i64 = 3600;

/// One token to be.
struct Draft<'a> {
    id: String,
    issuer: String,
    audience: &'a str,
    subject: String,
    issued: i64,
    /// Namespace of the claim, its name, its value.
    claims: Vec<(&'static str, &'static str, String)>,
}

/// `wresult` for a person at a realm.
pub(super) fn wresult(world: &World, realm: &EntraRealm, person: &Person) -> String {
    let draft = Draft::about(world, realm, person);
    let key = match world.faults.signs_with_wrong_key() {
        true => world.keys.stranger(),
        false => world.entra.key(),
    };
    let (prefix, token_type) = match realm.token {
        EntraToken::Saml11 => ("ds", "urn:oasis:names:tc:SAML:1.0:assertion"),
        EntraToken::Saml20 => {
            ("", "http://docs.oasis-open.org/wss/oasis-wss-saml-token-profile-1.1#SAMLV2.0")
        }
    };
    let seal = Seal { key: &key, hash: SamlHash::Sha256, prefix };
    let token = match realm.token {
        EntraToken::Saml11 => enveloped(draft.saml11(), &draft.id, usize::MAX, seal),
        EntraToken::Saml20 => enveloped(draft.saml20(), &draft.id, 1, seal),
    };
    draft.response(token, token_type).canonical()
}

impl<'a> Draft<'a> {
    fn about(world: &World, realm: &'a EntraRealm, person: &Person) -> Self {
        let tid = directory(person);
        let issuer = issuer(world, &tid);
        let mut claims = vec![
            (MICROSOFT, "tenantid", tid),
            (MICROSOFT, "objectidentifier", object_id(person)),
            (MICROSOFT, "displayname", person.name()),
            (MICROSOFT, "identityprovider", issuer.clone()),
            (IDENTITY, "givenname", person.first_name.clone()),
            (IDENTITY, "surname", person.last_name.clone()),
            (IDENTITY, "emailaddress", person.email.clone()),
            (IDENTITY, "name", person.upn.clone()),
        ];
        // AD FS names the user so; Entra has the name in `name`, and `upn` where it was asked to.
        claims.push((IDENTITY, "upn", person.upn.clone()));
        for lie in world.faults.answer_lies() {
            lie.bend_attributes(&mut claims);
        }
        Self {
            id: format!("_{}", alphanumeric(32)),
            issuer,
            audience: &realm.wtrealm,
            subject: object_id(person),
            issued: unix_seconds(world.now()) + world.faults.skew(),
            claims,
        }
    }

    fn begins(&self) -> String {
        instant(self.issued - BACK_DATING)
    }

    fn ends(&self) -> String {
        instant(self.issued + LIFETIME)
    }

    fn saml20(&self) -> Node {
        let root = Node::new(SAML2, "Assertion");
        let name = root.sibling("NameID").with("Format", PERSISTENT).saying(&self.subject);
        let bearer = root.sibling("SubjectConfirmation");
        let bearer = bearer.with("Method", "urn:oasis:names:tc:SAML:2.0:cm:bearer");
        let audience = root.sibling("Audience").saying(self.audience);
        let conditions = root
            .sibling("Conditions")
            .with("NotBefore", &self.begins())
            .with("NotOnOrAfter", &self.ends())
            .holding(root.sibling("AudienceRestriction").holding(audience));
        let claims = self.claims.iter().map(|(namespace, name, value)| {
            let value = root.sibling("AttributeValue").saying(value);
            let name = format!("{namespace}/{name}");
            root.sibling("Attribute").with("Name", &name).holding(value)
        });
        let class = root.sibling("AuthnContextClassRef");
        let class = class.saying("urn:oasis:names:tc:SAML:2.0:ac:classes:Password");
        let statement = root.sibling("AuthnStatement").with("AuthnInstant", &instant(self.issued));
        let statement = statement.holding(root.sibling("AuthnContext").holding(class));
        let children = [
            root.sibling("Issuer").saying(&self.issuer),
            root.sibling("Subject").holding(name).holding(bearer),
            conditions,
            root.sibling("AttributeStatement").holding_all(claims),
            statement,
        ];
        root.with("ID", &self.id)
            .with("IssueInstant", &instant(self.issued))
            .with("Version", "2.0")
            .holding_all(children)
    }

    fn saml11(&self) -> Node {
        let root = Node::new(SAML1, "Assertion");
        let audience = root.sibling("Audience").saying(self.audience);
        let conditions = root
            .sibling("Conditions")
            .with("NotBefore", &self.begins())
            .with("NotOnOrAfter", &self.ends())
            .holding(root.sibling("AudienceRestrictionCondition").holding(audience));
        let claims = self.claims.iter().map(|(namespace, name, value)| {
            let value = root.sibling("AttributeValue").saying(value);
            let attribute = root.sibling("Attribute").with("AttributeName", name);
            attribute.with("AttributeNamespace", namespace).holding(value)
        });
        let claims: Vec<_> = claims.collect();
        let statement = root.sibling("AttributeStatement").holding(self.subject11(&root));
        let statement = statement.holding_all(claims);
        let authentication = root
            .sibling("AuthenticationStatement")
            .with("AuthenticationInstant", &instant(self.issued))
            .with("AuthenticationMethod", "urn:oasis:names:tc:SAML:1.0:am:password")
            .holding(self.subject11(&root));
        root.with("AssertionID", &self.id)
            .with("IssueInstant", &instant(self.issued))
            .with("Issuer", &self.issuer)
            .with("MajorVersion", "1")
            .with("MinorVersion", "1")
            .holding_all([conditions, statement, authentication])
    }

    fn subject11(&self, root: &Node) -> Node {
        let method = root.sibling("ConfirmationMethod");
        let method = method.saying("urn:oasis:names:tc:SAML:1.0:cm:bearer");
        let name = root.sibling("NameIdentifier").saying(&self.subject);
        let confirmation = root.sibling("SubjectConfirmation").holding(method);
        root.sibling("Subject").holding(name).holding(confirmation)
    }

    fn response(&self, token: Node, token_type: &str) -> Node {
        let root = Node::new(TRUST, "RequestSecurityTokenResponse");
        let lifetime = root
            .sibling("Lifetime")
            .holding(Node::new(UTILITY, "Created").saying(&instant(self.issued)))
            .holding(Node::new(UTILITY, "Expires").saying(&self.ends()));
        let address = Node::new(ADDRESSING, "Address").saying(self.audience);
        let reference = Node::new(ADDRESSING, "EndpointReference").holding(address);
        let applies = Node::new(POLICY, "AppliesTo").holding(reference);
        let says = |name, text| root.sibling(name).saying(text);
        let children = [
            lifetime,
            applies,
            root.sibling("RequestedSecurityToken").holding(token),
            says("TokenType", token_type),
            says("RequestType", "http://schemas.xmlsoap.org/ws/2005/02/trust/Issue"),
            says("KeyType", "http://schemas.xmlsoap.org/ws/2005/05/identity/NoProofKey"),
        ];
        root.holding_all(children)
    }
}
