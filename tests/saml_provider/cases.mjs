// What holds in front of an honest SAML provider, a sentence each.

import assert from "node:assert/strict";

import { pathOf } from "./registrations.mjs";

// Goes to a route's page and through the provider's login, until the form that holds the assertion
// stands before this person, unsent.
async function form(world, person, name, login = "astrid") {
  const asked = await person.open(`${world.url}/${name}/orders?tab=2`);
  if (asked.text.includes("SAMLResponse") || asked.text.includes("wresult")) return asked;
  assert.match(asked.text, /name="password"/, asked.text);
  return person.send(asked, { username: login, password: "x" });
}

// The form, sent as the page sends it.
async function signsIn(world, name, { person = world.person(), login } = {}) {
  return person.send(await form(world, person, name, login));
}

function arrived(page, name) {
  assert.equal(page.status, 200, page.text);
  assert.equal(page.url.pathname + page.url.search, `/${name}/orders?tab=2`, page.text);
  return JSON.parse(page.text).headers;
}

// Refused with a page of ours, and the log says of that request for what.
async function isRefused(world, page, why) {
  assert.ok(page.status >= 400 && page.status < 500, `${page.status}: ${page.text}`);
  assert.equal(page.url.host, new URL(world.url).host);
  const reference = page.headers["x-request-id"];
  const line = await world.gateway.line((line) => line.includes(reference) && line.includes(`"detail"`));
  assert.ok(JSON.parse(line).detail.includes(why), line);
}

const assertionIn = (page) => {
  const field = /name="SAMLResponse" value="([^"]*)"/.exec(page.text)[1];
  return Buffer.from(field.replaceAll("&#x3D;", "="), "base64").toString();
};

// The fields of a provider's form, posted where they say or elsewhere, from the provider's page.
const posts = (world, person, name, document) => person.open(world.url + pathOf(name), {
  method: "POST",
  fields: { SAMLResponse: Buffer.from(document).toString("base64") },
  from: world.provider.url,
});

const words = {
  agreed: "an assertion signed, in a response that is not",
  wrapped: "a response signed, with the assertion in it",
  stronger: "signed with RSA and SHA-512",
  older: "signed with SHA-1, where the configuration takes it",
  tenants: "addressed to a tenant's serial number, to our address",
};

export const cases = [
  ...Object.entries(words).map(([name, title]) => [`${title}: signs in`, async (world) => {
    const told = arrived(await signsIn(world, name), name);
    assert.equal(told["x-superoffice-context"], "Cust12345");
    assert.equal(told["x-superoffice-email"], "astrid.berg@nordlys.example");
  }]),
  ["names arrive as they are, whatever XML makes of them", async (world) => {
    const told = arrived(await signsIn(world, "agreed"), "agreed");
    assert.equal(decoded(told["x-superoffice-last-name"]), "Bergström & <Søn>");
    const other = arrived(await signsIn(world, "agreed", { login: "soren" }), "agreed");
    assert.equal(other["x-superoffice-context"], "Cust20011");
  }],
  ["a second relying party of the same person asks no password again", async (world) => {
    const person = world.person();
    arrived(await signsIn(world, "agreed", { person }), "agreed");
    const page = await person.open(`${world.url}/wrapped/orders?tab=2`);
    assert.match(page.text, /SAMLResponse/);
    arrived(await person.send(page), "wrapped");
  }],
  ["SHA-1 is refused where the configuration says nothing of it", async (world) => {
    await isRefused(world, await signsIn(world, "refused"), "an algorithm is not one of those accepted");
  }],
  ["what nobody signed is refused", async (world) => {
    await isRefused(world, await signsIn(world, "unsigned"), "there is not exactly one signature");
  }],
  ["what is signed twice, once around the other, is refused: one signature is believed", async (world) => {
    await isRefused(world, await signsIn(world, "twice"), "there is not exactly one signature");
  }],
  ["an encrypted assertion is refused", async (world) => {
    await isRefused(world, await signsIn(world, "encrypted"), "a part of it is encrypted");
  }],
  ["a tenant changed after signing is refused, whichever part was signed", async (world) => {
    for (const name of ["agreed", "wrapped"]) {
      const person = world.person();
      const document = assertionIn(await form(world, person, name));
      const changed = document.replace(">Cust12345<", ">Cust20011<");
      assert.notEqual(changed, document);
      await isRefused(world, await posts(world, person, name, changed), "what was signed has been changed");
      // The browser, the attempt and the untouched document are good.
      assert.equal((await posts(world, person, name, document)).status, 200);
    }
  }],
  ["an assertion for another relying party of ours is refused", async (world) => {
    const person = world.person();
    const document = assertionIn(await form(world, person, "agreed"));
    await form(world, person, "stronger");
    await isRefused(world, await posts(world, person, "stronger", document), "meant for another address than this one");
    await form(world, person, "tenants");
    await isRefused(world, await posts(world, person, "tenants", document), "meant for another address than this one");
  }],
  ["an assertion is good for one browser, once", async (world) => {
    const person = world.person();
    const document = assertionIn(await form(world, person, "agreed"));
    assert.equal((await posts(world, person, "agreed", document)).status, 200);
    const other = world.person();
    await form(world, other, "agreed", "soren");
    await isRefused(world, await posts(world, other, "agreed", document), "a token posted twice");
    const stranger = world.person();
    const another = assertionIn(await form(world, world.person(), "agreed"));
    await isRefused(world, await posts(world, stranger, "agreed", another), "without the binding cookie");
  }],
  // A token that a browser carries says that it is its bearer's: AD FS and Entra write that confirmation
  // into each statement, and SimpleSAMLphp's own WS-Federation writes none.
  ["a token of WS-Federation that confirms no bearer is refused", async (world) => {
    await isRefused(world, await signsIn(world, "federated"), "no bearer confirmation");
  }],
];

const decoded = (header) => {
  const bytes = Buffer.from(header, "latin1").toString();
  return bytes.includes("%") ? decodeURIComponent(bytes) : bytes;
};
