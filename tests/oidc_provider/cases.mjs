// What holds in front of an honest provider, a sentence each.

import assert from "node:assert/strict";

import { clients } from "./clients.mjs";

const ASTRID = "astrid.berg@nordlys.example";
const SOREN = "soren.akesson@bakke.example";

// Signs in for a client's route, and is where the person wanted to go.
async function arrives(world, name, login = ASTRID) {
  const person = world.person();
  const page = await person.signIn(`${world.url}/${name}/orders?tab=2`, login);
  assert.equal(page.status, 200, `${page.text}\n${world.provider.errors.join("\n")}`);
  assert.equal(page.url.pathname + page.url.search, `/${name}/orders?tab=2`, page.text);
  return { person, told: JSON.parse(page.text).headers };
}

const signsIn = Object.entries(clients).map(([name, { type, mode }]) => [
  `${name}: ${type} by ${mode ?? "query"} signs in, and the app is told who it is`,
  async (world) => {
    const { told } = await arrives(world, name);
    assert.equal(told["x-superoffice-context"], "Cust12345");
    assert.equal(told["x-superoffice-email"], ASTRID);
  },
]);

export const cases = [
  ...signsIn,
  ["a verified address of a listed domain lets in too, an unverified one does not", async (world) => {
    const { told } = await arrives(world, "code", SOREN);
    assert.equal(told["x-superoffice-context"], "Cust20011");
    const page = await world.person().signIn(`${world.url}/code/`, "new.person@bakke.example");
    assert.equal(page.status, 403, page.text);
  }],
  ["somebody of another domain is shown a page and no app", async (world) => {
    const person = world.person();
    const page = await person.signIn(`${world.url}/code/`, "eve@elsewhere.example");
    assert.equal(page.status, 403, page.text);
    const again = await person.ask(new URL(`${world.url}/code/`), { method: "GET" });
    assert.notEqual(again.status, 200);
  }],
  ["a second client of the same provider signs in without a question", async (world) => {
    const { person } = await arrives(world, "code");
    const page = await person.open(`${world.url}/ps256/`);
    // The provider asks for consent once for each client, and for no name.
    assert.ok(!page.text.includes(`name="login"`), page.text);
  }],
  ["a person who declines is told so, and can try again", async (world) => {
    const person = world.person();
    const page = await person.open(`${world.url}/code/orders`);
    const abort = /href="([^"]*\/abort)"/.exec(page.text)[1];
    const said = await person.open(new URL(abort, page.url).href);
    assert.ok(said.status >= 400 && said.status < 500, `${said.status}`);
    assert.equal(said.url.origin, world.url);
    assert.match(said.text, /Sign in again/);
  }],
  ["sign-out ends both sessions and comes back", async (world) => {
    const { person } = await arrives(world, "code");
    let page = await person.open(`${world.url}/auth/sign_out`);
    for (let steps = 0; steps < 3 && page.text.includes("<form"); steps += 1) {
      page = await person.send(page, { logout: "yes" });
    }
    assert.equal(page.url.origin + page.url.pathname, `${world.url}/auth/signed_out`, page.text);
    const anew = await person.open(`${world.url}/code/`);
    assert.ok(anew.text.includes(`name="login"`), anew.text);
  }],
  ["tokens are had anew again and again, each refresh token used once, and nobody signs in twice", async (world) => {
    const { person } = await arrives(world, "refreshed");
    const before = world.provider.refreshes();
    const end = Date.now() + 60_000;
    while (world.provider.refreshes() < before + 3) {
      assert.ok(Date.now() < end, `${world.provider.refreshes()} refreshes in a minute`);
      const page = await person.ask(new URL(`${world.url}/refreshed/`), { method: "GET" });
      assert.equal(page.status, 200, page.text);
    }
  }],
  ["the provider found nothing wrong with what it was asked", async (world) => {
    const honest = world.provider.errors.filter((error) => !error.includes("aborted"));
    assert.deepEqual(honest, []);
  }],
];
