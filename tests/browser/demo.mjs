// The demo as its words tell people to use it: plain http, localhost and 127.0.0.1 as two sites.

import assert from "node:assert/strict";

import { program } from "./world.mjs";

const MIRA = "mira.holm@partner.example";
const ASTRID = "astrid.berg@nordlys.example";

export const demoCases = [
  ["the demo: both doors over plain http, the fetch button, sign-out", bothDoors],
];

async function bothDoors({ somebody }) {
  const demo = await program(["demo", "--json"]);
  const { gateway } = JSON.parse(await demo.line((line) => line.startsWith("{")));
  const person = await somebody();
  const { page } = person;

  await page.goto(`${gateway}/public/`);
  assert.match(await asked(page), /^HTTP 401/);

  await person.opens(`${gateway}/orders/7?tab=2`, MIRA, { tenant: "Cust67890" });
  assert.match(await page.textContent(".lit:has-text('authorization') dd"), /^Bearer 8/);
  assert.match(await asked(page), new RegExp(`^HTTP 200[^]*${MIRA}`));
  await person.pictured("demo-app", { fullPage: true });

  await page.click("text=Sign out");
  await page.waitForURL(`${gateway}/auth/signed_out`);
  assert.deepEqual((await person.cookies(gateway)).filter(({ name }) => /superid/.test(name)), []);

  await person.opens(`${gateway}/legacy/`, ASTRID);
  assert.match(await page.textContent(".lit:has-text('soticket') dd"), /^7T:/);
  assert.equal(await demo.stop(), 0);
}

// What the app's page says after its fetch button was pressed.
async function asked(page) {
  await page.click("#ask");
  await page.waitForFunction(() => /^HTTP/.test(document.getElementById("said").textContent));
  return page.textContent("#said");
}
