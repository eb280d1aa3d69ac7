// What scripts ask for when the session has ended, and one sign-in beside the page for all of it.

import assert from "node:assert/strict";

const ASTRID = "astrid.berg@nordlys.example";
const JONAS = "jonas.lie@nordlys.example";
const SESSION = "__Host-superid-gateway";
const BINDING = "__Host-superid-gateway-binding";
const SIGN_IN = "dialog button:text-is('Sign in')";
const TARGETS = ["-target-0", "-target-1"].map((end) => `${SESSION}${end}`);

export const backgroundCases = [
  ["ten tabs and fifty blocked fetch calls, signed out: few cookies, and every tab signs in", tenTabs],
  ["ten tabs of an app lose their session: one sign-in beside them, fifty calls go on", oneSignIn],
  ["what may not be sent twice is answered with its 401 after the sign-in", notTwice],
  ["nothing of one person is sent again for another, and the page begins anew", anotherPerson],
  ["“not now” gives the page its 401, and the window closed early does so too", notNow],
  ["a frame tells where somebody is signed in by now, and no window opens", quietly],
  ["a page of another origin that is configured reads the 401, renews and goes on", neighbour],
  ["a page of any other origin reads nothing, frames nothing and is told nothing", stranger],
  ["the page that tells of a renewal, by itself", byItself],
];

async function tenTabs({ world, somebody }) {
  const person = await somebody();
  const numbers = [...Array(10).keys()];
  const tabs = await Promise.all(numbers.map(() => person.context.newPage()));
  await Promise.all(tabs.map((tab) => tab.goto(`${world.gateway}/public`)));
  const statuses = await Promise.all(tabs.map((tab) => tab.evaluate(async () => {
    const asked = [1, 2, 3, 4, 5].map((call) => fetch(`/orders/${call}.json`));
    return (await Promise.all(asked)).map((answer) => answer.status);
  })));
  assert.deepEqual(statuses.flat(), Array(50).fill(401));
  assert.deepEqual(await person.cookies(world.gateway), [], "none for what was blocked");

  // Two of the addresses are too long for the way to SuperID and back.
  const addresses = numbers.map((number) => {
    const long = number < 2 ? `&filter=${"x".repeat(1800)}` : "";
    return `${world.gateway}/orders/${number}?tab=${number}${long}`;
  });
  for (const at of [0, 1]) await tabs[at].goto(addresses[at]);
  await Promise.all(tabs.slice(2).map((tab, at) => tab.goto(addresses[at + 2])));
  const names = (await person.cookies(world.gateway)).map(({ name }) => name);
  assert.ok(names.every((name) => [BINDING, ...TARGETS].includes(name)), names.join());
  assert.ok(names.length <= 3, names.join());

  await Promise.all(tabs.map(async (page, at) => {
    await person.signsIn(ASTRID, { page });
    await page.waitForURL(addresses[at]);
    assert.equal(await page.textContent("#user"), ASTRID);
  }));
  const kept = (await person.cookies(world.gateway)).map(({ name }) => name);
  assert.deepEqual(kept.filter((name) => !TARGETS.includes(name)).sort(), [SESSION, BINDING]);
  assert.ok(kept.length <= 4, kept.join());
}

async function oneSignIn({ world, somebody }) {
  const person = await somebody();
  const first = `${world.gateway}/strict/0`;
  await person.opens(first, ASTRID);
  const rest = await Promise.all([...Array(9)].map(() => person.context.newPage()));
  await Promise.all(rest.map((tab, at) => tab.goto(`${world.gateway}/strict/${at + 1}`)));
  const tabs = [person.page, ...rest];
  await losesEverything(person);
  await world.control("DELETE", "journal");

  const asked = tabs.map((tab) => later(tab.evaluate(async () => {
    const asked = [1, 2, 3, 4, 5].map((call) => fetch(`/orders/${call}.json`));
    return (await Promise.all(asked)).map((answer) => answer.status);
  })));
  await Promise.all(tabs.map((tab) => tab.locator("dialog").waitFor()));
  await person.pictured("renewal-dialog");
  const window = await opened(tabs[3], () => tabs[3].click(SIGN_IN));
  await signedInAt(window, ASTRID);
  const statuses = await Promise.all(asked);
  assert.deepEqual(statuses.flat(), Array(50).fill(200));
  await Promise.all(tabs.map((tab) => tab.locator("dialog").waitFor({ state: "detached" })));

  const journal = (await world.journal()).filter(({ kind }) => kind === "authorize");
  assert.equal(journal.length, 1, "one sign-in for all tabs");
  const names = (await person.cookies(world.gateway)).map(({ name }) => name).sort();
  assert.deepEqual(names, [SESSION, BINDING]);
  assert.equal(person.page.url(), first, "no page went anywhere");
}

async function notTwice({ world, somebody }) {
  const person = await somebody();
  await person.opens(`${world.gateway}/strict/0`, ASTRID);
  await losesEverything(person);
  world.reached.length = 0;
  const asked = later(person.page.evaluate(async () => {
    const send = (method, body) => fetch("/orders/7.json", { method, body });
    const [put, post] = await Promise.all([send("PUT", "whole"), send("POST", "more")]);
    return { put: put.status, post: post.status, told: await post.json() };
  }));
  await renews(person.page, ASTRID);
  const { put, post, told } = await asked;
  assert.deepEqual([put, post, told.error], [200, 401, "sign_in_required"]);
  const sent = world.reached.filter(({ url }) => url === "/orders/7.json");
  assert.deepEqual(sent.map(({ method, body }) => [method, body]), [["PUT", "whole"]]);
}

async function anotherPerson({ world, somebody }) {
  const person = await somebody();
  const { page } = person;
  await person.opens(`${world.gateway}/strict/0`, ASTRID);
  await losesEverything(person);
  world.reached.length = 0;
  const asked = page.evaluate(() => fetch("/orders/7.json", { method: "DELETE" })).catch(() => {});
  const reloaded = page.waitForEvent("framenavigated");
  await renews(page, JONAS);
  await reloaded;
  await asked;
  await page.waitForFunction((who) => document.querySelector("#user")?.textContent === who, JONAS);
  assert.ok(world.reached.every(({ method }) => method !== "DELETE"), "sent for nobody");
}

async function notNow({ world, somebody }) {
  const person = await somebody();
  const { page } = person;
  await person.opens(`${world.gateway}/strict/0`, ASTRID);
  await losesEverything(person);
  const ask = () => later(page.evaluate(async () => (await fetch("/orders/7.json")).status));
  const first = ask();
  await page.click("dialog button:text-is('Not now')");
  assert.equal(await first, 401);

  const second = ask();
  const window = await opened(page, () => page.click(SIGN_IN));
  await window.close();
  assert.equal(await page.locator("dialog").count(), 1, "it can be opened again");
  await page.keyboard.press("Escape");
  assert.equal(await second, 401);
  assert.equal(await page.locator("dialog").count(), 0);

  // An app that asks in its own words.
  const third = later(page.evaluate(() => {
    addEventListener("superid-gateway:signed-out", (event) => {
      event.preventDefault();
      document.querySelector("h1").onclick = () => superidGateway.renew(event.detail.address);
    });
    return fetch("/orders/7.json").then((answer) => answer.status);
  }));
  await page.waitForFunction(() => document.querySelector("h1").onclick !== null);
  assert.equal(await page.locator("dialog").count(), 0);
  await signedInAt(await opened(page, () => page.click("h1")), ASTRID);
  assert.equal(await third, 200);
}

async function quietly({ world, somebody }) {
  const person = await somebody();
  const { page } = person;
  await person.opens(`${world.gateway}/strict/frame`, ASTRID);
  let opens = 0;
  person.context.on("page", () => (opens += 1));
  // As where the session came back between the request and its answer.
  const refused = { error: "sign_in_required" };
  await page.route("**/orders/7.json", (route) => route.fulfill({ status: 401, json: refused }),
    { times: 1 });
  const seen = await page.evaluate(async () => {
    const answer = await fetch("/orders/7.json");
    return { status: answer.status, frames: frames.length };
  });
  assert.deepEqual(seen, { status: 200, frames: 0 });
  assert.equal(opens, 0);
}

async function neighbour({ world, somebody }) {
  const person = await somebody();
  const { page } = person;
  await person.opens(`${world.gateway}/orders/7`, ASTRID);
  world.neighbour.pages.set("/app", `<!doctype html><title>Neighbour</title>
<script src="${world.gateway}/auth/renew.js" crossorigin></script>`);
  await page.goto(`${world.neighbour.url}/app`);
  const put = () => page.evaluate(async (url) => {
    const answer = await superidGateway.fetch(url, {
      method: "PUT", credentials: "include", body: "{}",
      headers: { "content-type": "application/json", "x-of-the-app": "1" },
    });
    return { status: answer.status, told: await answer.json() };
  }, `${world.gateway}/orders/7.json`);
  world.reached.length = 0;
  assert.equal((await put()).status, 200);
  assert.deepEqual(world.reached.map(({ method }) => method), ["PUT"], "no preflight gets there");
  await losesEverything(person);
  const asked = later(put());
  await renews(page, ASTRID);
  const { status, told } = await asked;
  assert.deepEqual([status, told.method], [200, "PUT"]);
  assert.equal(page.url(), `${world.neighbour.url}/app`);
  const who = await page.evaluate(async (url) =>
    (await (await fetch(url, { credentials: "include" })).json()).user, `${world.gateway}/auth/userinfo`);
  assert.equal(who, ASTRID);
}

async function stranger({ world, somebody }) {
  const person = await somebody();
  const { page } = person;
  await person.opens(`${world.gateway}/orders/7`, ASTRID);
  const { gateway } = world;
  world.elsewhere.pages.set("/app", "<!doctype html><title>Stranger</title><button>Open</button>");
  await page.goto(`${world.elsewhere.url}/app`);
  const read = await page.evaluate((url) =>
    fetch(url, { credentials: "include" }).then(({ status }) => status, (error) => error.name),
  `${gateway}/orders/7.json`);
  assert.equal(read, "TypeError");
  person.violations.length = 0;

  // Told for the gateway's own origin, which is not the stranger's.
  await page.evaluate((url) => {
    window.heard = [];
    addEventListener("message", (event) => heard.push(event.data));
    document.querySelector("button").onclick = () => window.open(url);
  }, `${gateway}/auth/renew`);
  const window = await opened(page, () => page.click("button"));
  await closed(window);
  await page.evaluate((url) => {
    const frame = document.createElement("iframe");
    frame.src = url;
    document.body.append(frame);
    return new Promise((done) => (frame.onload = done));
  }, `${gateway}/auth/renew`);
  assert.deepEqual(await page.evaluate(() => heard), []);
  const [, frame] = page.frames();
  assert.ok(!frame.url().startsWith(gateway), `${frame.url()} is framed`);
  // The browser says that the frame was refused: that is meant.
  assert.ok(person.violations.length > 0);
  person.violations.length = 0;

  await page.goto(`${gateway}/auth/renew?origin=${encodeURIComponent(world.elsewhere.url)}`);
  assert.equal(await page.textContent("h1"), "The request could not be read");
}

async function byItself({ world, somebody }) {
  const person = await somebody();
  await person.page.addInitScript(() => (window.close = () => {}));
  await person.opens(`${world.gateway}/auth/renew?for=%2Forders`, ASTRID);
  assert.equal(await person.page.textContent("h1"), "You are signed in");
  assert.equal(await person.page.locator("a").count(), 0);
  await person.pictured("renewed");
}

// Every cookie is gone, SuperID's too: it asks who signs in.
async function losesEverything(person) {
  await person.context.clearCookies();
}

// Presses the button of the dialog, and signs in in the window that opens.
async function renews(page, as) {
  await signedInAt(await opened(page, () => page.click(SIGN_IN)), as);
}

async function signedInAt(window, as) {
  const gone = closed(window);
  await window.click(`button[value="${as}"]`);
  await gone;
}

async function opened(page, deed) {
  const window = page.waitForEvent("popup");
  await deed();
  return window;
}

function closed(window) {
  return window.isClosed() ? Promise.resolve() : window.waitForEvent("close");
}

// What is waited for at the end, and is nobody's failure when a case ends before.
function later(promise) {
  promise.catch(() => {});
  return promise;
}
