// Every relying party twice: as the provider has it registered, and as the gateway has.

const SHA1 = "http://www.w3.org/2000/09/xmldsig#rsa-sha1";
const SHA512 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512";

const assertionSigned = { "saml20.sign.assertion": true, "saml20.sign.response": false };
const responseSigned = { "saml20.sign.assertion": false, "saml20.sign.response": true };

// `entity` is what the provider calls us, and so the audience of what it signs; `saml` are keys of
// `[relying_party.NAME.legacy.saml]`, beside the provider's certificate.
export const registrations = {
  agreed: { entity: "urn:gateway:agreed", registered: assertionSigned },
  wrapped: { entity: "urn:gateway:wrapped", registered: responseSigned },
  stronger: {
    entity: "urn:gateway:stronger",
    registered: { ...assertionSigned, "signature.algorithm": SHA512 },
  },
  older: {
    entity: "urn:gateway:older",
    registered: { ...assertionSigned, "signature.algorithm": SHA1 },
    saml: `sha1 = "accepted"`,
  },
  // As SuperID addresses them: the audience names a tenant, and the recipient must be us.
  tenants: {
    entity: "spn:1201052551",
    audience: false,
    registered: assertionSigned,
  },
  refused: {
    entity: "urn:gateway:refused",
    registered: { ...assertionSigned, "signature.algorithm": SHA1 },
  },
  twice: {
    entity: "urn:gateway:twice",
    registered: { "saml20.sign.assertion": true, "saml20.sign.response": true },
  },
  unsigned: {
    entity: "urn:gateway:unsigned",
    registered: { "saml20.sign.assertion": false, "saml20.sign.response": false },
  },
  encrypted: {
    entity: "urn:gateway:encrypted",
    registered: { ...responseSigned, "assertion.encryption": true, certificate: "provider.pem" },
  },
};

export const pathOf = (name) => `/auth/${name}`;
