// Every page a person can meet: provoked, read, looked at in two sizes.

import assert from "node:assert/strict";

const ASTRID = "astrid.berg@nordlys.example";
const JONAS = "jonas.lie@nordlys.example";
const SOREN = "soren.akesson@bakke.example";

// What provokes a page, by the page's name, its status and its heading.
const provoked = [
  ["chooser", 200, "Choose how to sign in", goTo("/both?of=7")],
  ["not-found", 404, "There is no such page", goTo("/auth/nonsense")],
  ["bad-request", 400, "The request could not be read", goTo("/auth/callback")],
  ["attempt-expired", 400, "The sign-in took too long", goTo("/auth/callback?state=old&code=x")],
  ["signed-out", 200, "You are signed out", goTo("/auth/signed_out")],
  ["consent-declined", 403, "The app was not approved", declineConsent],
  ["superid-unreachable", 503, "SuperID does not answer",
    signInWith([{ fault: "status", endpoint: "tokens", code: 503 }])],
  ["unverified", 400, "The sign-in could not be verified", signInWith([{ fault: "wrong_key" }])],
  ["loop-clock", 500, "The sign-in service’s clock and ours disagree",
    signInWith([{ fault: "clock_skew", seconds: -4000 }])],
  ["loop-cookie", 400, "The sign-in goes round in circles", loseTheSession],
  ["misconfigured", 500, "The app is not set up correctly", signInAt("/astray", ASTRID)],
  ["approval-revoked", 403, "The app is not approved any more", goTo("/auth/error?error=Revoked")],
  ["reapproval-needed", 403, "An administrator must approve the app again",
    goTo("/auth/callback?error=access_denied&error_description=NeedsReapproval")],
  ["interaction-needed", 403, "SuperID has a question for you",
    goTo("/auth/callback?error=login_required")],
  ["superid-expired", 403, "SuperID says that the time is over",
    goTo("/auth/error?message=Authorization%20error:%20Expired%20(3)")],
  ["superid-refused", 502, "SuperID did not sign you in", bringAnError],
  ["binding-missing", 400, "The sign-in began somewhere else", finishSomebodyElses],
  ["already-used", 400, "This sign-in was used already", finishTwice],
  ["tenant-unknown", 403, "This company is not known here", signInAt("/legacy/", SOREN)],
  ["token-replayed", 400, "This sign-in was sent twice", postTwice],
  ["post-origin-refused", 403, "The form came from another site", postFromElsewhere],
  ["not-administrator", 403, "Only administrators come in here", signInThenOpen("/admin")],
  ["not-tenant", 403, "Your company does not have access here", signInThenOpen("/bank")],
  ["not-claim", 403, "You do not have access here", signInThenOpen("/claim")],
  ["upstream-unreachable", 502, "The app does not answer", signInThenOpen("/down")],
  ["upstream-timeout", 504, "The app took too long", signInThenOpen("/slow")],
];

export const pageCases = [
  ...provoked.map(([name, status, heading, provoke]) => [
    `the page “${heading}” (${name}) is whole, and fits a phone`,
    async ({ world, somebody }) => {
      const person = await somebody();
      const answers = watched(person.page);
      await provoke({ world, person, somebody });
      await person.page.getByRole("heading", { level: 1, name: heading, exact: true }).waitFor();
      await whole(person.page, answers.last(), { name, status, heading });
      await person.pictured(name);
    },
  ]),
  ["the chooser leads on to either door", eitherDoor],
  ["“try again” leads back to where the person wanted to go", tryAgain],
  ["a page that says to sign in again has something to press, wherever it leads", signInAgain],
  ["SuperID's own pages fit a phone too", superidPages],
];

function goTo(path) {
  return ({ world, person }) => person.page.goto(world.gateway + path);
}

function signInAt(path, as) {
  return async ({ world, person }) => {
    await person.page.goto(world.gateway + path);
    await person.signsIn(as);
  };
}

function signInWith(faults) {
  return async ({ world, person }) => {
    await person.page.goto(`${world.gateway}/orders/7`);
    await world.withFaults(faults, () => person.signsIn(ASTRID));
  };
}

function signInThenOpen(path) {
  return async ({ world, person }) => {
    await person.opens(`${world.gateway}/orders/7`, JONAS);
    world.reached.length = 0;
    await person.page.goto(world.gateway + path);
    if (path !== "/slow") assert.deepEqual(world.reached, []);
  };
}

async function declineConsent({ world, person }) {
  await person.page.goto(`${world.gateway}/approval`);
  await person.signsIn(ASTRID);
  await person.page.click('button[value="refuse"]');
}

// A browser that loses its session each time, as one whose cookies an add-on eats.
async function loseTheSession({ world, person }) {
  const url = `${world.gateway}/orders/7`;
  await person.opens(url, ASTRID);
  for (let round = 0; round < 5; round += 1) {
    await person.context.clearCookies({ name: "__Host-superid-gateway" });
    await person.page.goto(url);
  }
}

async function bringAnError({ world, person }) {
  const callback = await begun(world, person);
  callback.searchParams.set("error", "invalid_scope");
  await person.page.goto(callback.href);
}

async function finishSomebodyElses({ world, person, somebody }) {
  const callback = await begun(world, await somebody());
  callback.searchParams.set("code", "0".repeat(64));
  await person.page.goto(callback.href);
}

async function finishTwice({ world, person }) {
  const callback = person.page.waitForRequest(/\/auth\/callback\?/);
  await person.opens(`${world.gateway}/orders/7`, ASTRID);
  await person.page.goto((await callback).url());
}

// A form from SuperID's own site with a token that came once before.
async function postTwice({ world, person }) {
  const token = await world.postedToken(ASTRID);
  const first = await world.ask("/auth/legacy", {
    method: "POST",
    headers: { origin: world.superid, "content-type": "application/x-www-form-urlencoded" },
    body: `jwt=${token}`,
  });
  assert.equal(first.status, 303);
  await person.page.goto(`${world.gateway}/legacy/`);
  await person.page.evaluate(([action, jwt]) => {
    document.head.innerHTML += '<meta name="referrer" content="strict-origin-when-cross-origin">';
    document.body.innerHTML =
      `<form method="post" action="${action}"><input name="jwt" value="${jwt}"></form>`;
    document.forms[0].submit();
  }, [`${world.gateway}/auth/legacy`, token]);
  await person.page.waitForURL(`${world.gateway}/auth/legacy`);
}

async function postFromElsewhere({ world, person }) {
  world.elsewhere.pages.set("/form", `<!doctype html><title>Form</title>
<form method="post" action="${world.gateway}/auth/legacy"><input name="jwt" value="x"></form>
<script>document.forms[0].submit()</script>`);
  await person.page.goto(`${world.elsewhere.url}/form`);
}

// Begins a sign-in; the callback that would end it, without a code.
async function begun(world, person) {
  const asked = person.page.waitForRequest(/oauth\/authorize\?/);
  await person.page.goto(`${world.gateway}/orders/7`);
  const callback = new URL(`${world.gateway}/auth/callback`);
  callback.searchParams.set("state", new URL((await asked).url()).searchParams.get("state"));
  return callback;
}

// The answers to a page's own navigations.
function watched(page) {
  let last;
  page.on("response", (answer) => {
    const navigates = answer.request().isNavigationRequest();
    if (navigates && answer.frame() === page.mainFrame()) last = answer;
  });
  return { last: () => last };
}

async function whole(page, answer, { status, heading }) {
  assert.equal(answer.status(), status);
  const headers = await answer.allHeaders();
  assert.match(headers["content-security-policy"], /^default-src 'none'; style-src 'sha256-/);
  assert.equal(headers["cache-control"], "no-store");
  assert.equal(await page.locator("h1").count(), 1);
  assert.equal(await page.title(), heading);
  assert.equal(await page.getAttribute("html", "lang"), "en");
  assert.match(await page.getAttribute('meta[name="viewport"]', "content"), /width=device-width/);
  assert.match(await page.textContent("footer code"), /^[0-9a-f]{8}-[0-9a-f]{8}$/);
  // A page without its stylesheet would be one that its own policy refused.
  const border = () => getComputedStyle(document.querySelector("main")).borderTopWidth;
  assert.notEqual(await page.evaluate(border), "0px");
}

async function eitherDoor({ world, somebody }) {
  const doors = { "Sign in with orders": "authorization", "Sign in with archive": "soticket" };
  for (const [title, header] of Object.entries(doors)) {
    const person = await somebody();
    await person.page.goto(`${world.gateway}/both?of=7`);
    await person.page.click(`text=${title}`);
    await person.signsIn(ASTRID);
    await person.page.waitForURL(`${world.gateway}/both?of=7`);
    assert.ok(world.reached.at(-1).headers[header], header);
  }
}

async function tryAgain({ world, somebody }) {
  const person = await somebody();
  await person.page.goto(`${world.gateway}/orders/7?tab=2`);
  const faults = [{ fault: "status", endpoint: "tokens", code: 503 }];
  await world.withFaults(faults, async () => {
    await person.signsIn(ASTRID);
    await person.page.waitForURL(/auth\/callback/);
  });
  await person.page.click("a:text-is('Try again')");
  await person.page.waitForURL(`${world.gateway}/orders/7?tab=2`);
  assert.equal(await person.page.textContent("#user"), ASTRID);
}

async function signInAgain({ world, somebody }) {
  const person = await somebody();
  await person.page.goto(`${world.gateway}/auth/callback?state=old&code=x`);
  await person.page.click("a:text-is('Sign in again')");
  await person.signsIn(ASTRID);
  await person.page.waitForURL(`${world.gateway}/`);
  assert.equal(await person.page.textContent("#user"), ASTRID);
}

async function superidPages({ world, somebody }) {
  const person = await somebody();
  await person.page.goto(`${world.gateway}/approval`);
  await person.pictured("superid-people");
  await person.page.click('button[value="mira.holm@partner.example"]');
  await person.pictured("superid-tenants");
  await person.page.click('button[value="Cust67890"]');
  await person.pictured("superid-consent");
}
