// Signing in and out over TLS, by both doors, and what other sites can and cannot do about it.

import assert from "node:assert/strict";

const ASTRID = "astrid.berg@nordlys.example";
const MIRA = "mira.holm@partner.example";
const JONAS = "jonas.lie@nordlys.example";
const SESSION = "__Host-superid-gateway";
const BINDING = "__Host-superid-gateway-binding";

export const cases = [
  ["a sign-in comes back to the exact address, with a __Host- cookie no script sees", exactReturn],
  ["the older form post arrives without our cookies, and the sign-in completes", crossSitePost],
  ["an answer behind the # signs in, and leaves no trace in address or history", fragment],
  ["without JavaScript the page for such an answer says so", fragmentWithoutScript],
  ["a form_post with tokens arrives without our cookies, and the sign-in completes", formPost],
  ["fetch, signed out, gets 401 as JSON, the sign-in address, and no cookie", signedOutFetch],
  ["three tabs opened at once, signed out, all end signed in at their own addresses", threeTabs],
  ["signing out shows a page; going back gets nothing new; a copied cookie is dead", signOut],
  ["another site's form with somebody's valid token is refused, and signs nobody in", foreignForm],
  ["an image on another site begins no sign-in", foreignImage],
  ["a link on another site opens the app, signed in", foreignLink],
  ["what stands behind # in an address comes back with the person", keptFragment],
  ["a form sent signed out reaches the app once, file and all, and going back sends nothing", keptPost],
];

async function exactReturn({ world, somebody }) {
  const person = await somebody();
  const url = `${world.gateway}/orders/7?tab=2&q=a%2Fb%20c+d&empty=`;
  await person.opens(url, MIRA, { tenant: "Cust67890" });
  assert.equal(person.page.url(), url);
  assert.equal(await person.page.textContent("#user"), MIRA);

  const cookies = await person.cookies(world.gateway);
  assert.deepEqual(cookies.map(({ name }) => name).sort(), [SESSION, BINDING]);
  for (const cookie of cookies) {
    assert.ok(cookie.secure && cookie.httpOnly, cookie.name);
    assert.equal(cookie.sameSite, "Lax");
    assert.equal(cookie.path, "/");
    assert.equal(cookie.domain, "localhost");
  }
  assert.equal(cookies.find(({ name }) => name === SESSION).expires, -1);
  assert.equal(await person.page.evaluate(() => document.cookie), "");

  const [request] = world.reached;
  assert.equal(request.url, url.slice(world.gateway.length));
  assert.match(request.headers.authorization, /^Bearer 8A:Cust67890/);
  assert.equal(request.headers["x-forwarded-proto"], "https");
  assert.equal(request.headers.cookie, undefined);
}

async function crossSitePost({ world, somebody }) {
  const person = await somebody();
  const sent = [];
  person.page.on("request", (request) => {
    if (request.isNavigationRequest()) sent.push(request);
  });
  await person.opens(`${world.gateway}/legacy/box?of=7`, ASTRID);

  const headersOf = async (path) => {
    const request = sent.find((one) => new URL(one.url()).pathname === path);
    assert.ok(request, `no request for ${path}`);
    return request.allHeaders();
  };
  const posted = await headersOf("/auth/legacy");
  assert.equal(posted.origin, world.superid);
  assert.equal(posted["sec-fetch-site"], "cross-site");
  assert.equal(posted.cookie, undefined);
  const finished = await headersOf("/auth/finish");
  assert.ok(finished.cookie.includes(`${BINDING}=`), finished.cookie);
  assert.ok(finished.cookie.includes("__Host-superid-gateway-handoff="), finished.cookie);

  const names = (await person.cookies(world.gateway)).map(({ name }) => name).sort();
  assert.deepEqual(names, [SESSION, BINDING]);
  const [request] = world.reached;
  assert.match(request.headers.soticket, /^7T:/);
  assert.equal(request.headers["x-superoffice-first-name"], "Astrid");
  assert.equal(request.headers.authorization, undefined);
}

async function fragment({ world, somebody }) {
  const person = await somebody();
  const { page } = person;
  const sent = [];
  page.on("request", (request) => sent.push(request));
  const shown = [];
  page.on("framenavigated", (frame) => shown.push(frame.url()));
  await person.opens(`${world.gateway}/behind/box?of=7`, ASTRID);
  assert.equal(await page.textContent("#user"), ASTRID);

  const callback = sent.filter((one) => new URL(one.url()).pathname === "/auth/behind");
  assert.deepEqual(callback.map((one) => one.method()), ["GET", "POST"]);
  assert.ok(callback.every((one) => !one.url().includes("id_token")));
  const posted = await callback[1].allHeaders();
  assert.equal(posted["sec-fetch-site"], "same-origin");
  assert.equal(posted.referer, undefined);
  assert.ok(posted.cookie.includes(`${BINDING}=`), posted.cookie);
  for (const request of sent) {
    assert.ok(!JSON.stringify(await request.allHeaders()).includes("id_token="), request.url());
  }

  const history = await (await page.context().newCDPSession(page)).send("Page.getNavigationHistory")
    .catch(() => ({ entries: [] }));
  for (const { url } of history.entries) assert.ok(!url.includes("#"), url);
  assert.equal(shown.at(-1), `${world.gateway}/behind/box?of=7`);
  assert.match(world.reached[0].headers.authorization, /^Bearer 8A:/);
}

async function fragmentWithoutScript({ world, somebody }) {
  const person = await somebody();
  const context = await person.context.browser().newContext({ javaScriptEnabled: false });
  person.page = await context.newPage();
  await person.page.goto(`${world.gateway}/auth/behind#id_token=x`);
  assert.match(await person.page.textContent("main"), /needs JavaScript/);
  await person.page.screenshot({ path: `${person.pictures}/fragment-without-script.png` });
  await context.close();
}

async function formPost({ world, somebody }) {
  const person = await somebody();
  const sent = [];
  person.page.on("request", (request) => sent.push(request));
  await person.opens(`${world.gateway}/posted/box?of=7`, ASTRID);
  const at = (path) => sent.find((one) => new URL(one.url()).pathname === path);
  const posted = await at("/auth/posted").allHeaders();
  assert.equal(posted.origin, world.superid);
  assert.equal(posted.cookie, undefined);
  const finished = await at("/auth/finish").allHeaders();
  assert.ok(finished.cookie.includes(`${BINDING}=`), finished.cookie);
  const names = (await person.cookies(world.gateway)).map(({ name }) => name).sort();
  assert.deepEqual(names, [SESSION, BINDING]);
  assert.match(world.reached[0].headers.authorization, /^Bearer 8A:/);
}

async function signedOutFetch({ world, somebody }) {
  const person = await somebody();
  await person.page.goto(`${world.gateway}/public`);
  const answered = person.page.waitForResponse(/orders/);
  const seen = await person.page.evaluate(async () => {
    const answer = await fetch("/orders/7.json?tab=2", { headers: { accept: "text/html" } });
    return { status: answer.status, body: await answer.json() };
  });
  assert.equal(seen.status, 401);
  assert.equal(seen.body.error, "sign_in_required");
  assert.equal(
    seen.body.sign_in, `${world.gateway}/auth/start?rd=%2Forders%2F7.json%3Ftab%3D2`,
  );
  assert.equal((await (await answered).allHeaders())["set-cookie"], undefined);
  assert.deepEqual(await person.cookies(world.gateway), []);

  await person.page.goto(seen.body.sign_in);
  await person.signsIn(ASTRID);
  await person.page.waitForURL(`${world.gateway}/orders/7.json?tab=2`);
}

async function threeTabs({ world, somebody }) {
  const person = await somebody();
  const addresses = [1, 2, 3].map((number) => `${world.gateway}/orders/${number}?tab=${number}`);
  const tabs = await Promise.all(addresses.map(() => person.context.newPage()));
  await Promise.all(tabs.map((tab, at) => tab.goto(addresses[at])));
  assert.equal(world.reached.length, 0);
  await Promise.all(tabs.map(async (page, at) => {
    await person.signsIn(ASTRID, { page });
    await page.waitForURL(addresses[at]);
    assert.equal(await page.textContent("#user"), ASTRID);
  }));
}

async function signOut({ world, somebody }) {
  const person = await somebody();
  await person.opens(`${world.gateway}/orders/7`, ASTRID);
  const copied = await person.cookieHeader(world.gateway);
  const before = await world.ask("/orders/7.json", { headers: { cookie: copied } });
  assert.equal(before.status, 200);

  await person.page.click("#out");
  await person.page.waitForURL(`${world.gateway}/auth/signed_out`);
  assert.equal(await person.page.textContent("h1"), "You are signed out");
  const names = (await person.cookies(world.gateway)).map(({ name }) => name);
  assert.deepEqual(names, []);
  const after = await world.ask("/orders/7.json", { headers: { cookie: copied } });
  assert.equal(after.status, 401);

  const reached = world.reached.length;
  // Chromium may show the page once more from memory, whatever is said about storing it; what it
  // cannot do is get anything new.
  await person.page.goBack({ waitUntil: "commit" });
  await person.page.reload();
  await person.page.waitForURL(`${world.superid}/**`);
  assert.match(await person.page.textContent("h1"), /Sign in/);
  assert.equal(world.reached.length, reached);
}

async function foreignForm({ world, somebody }) {
  const person = await somebody();
  const token = await world.postedToken(JONAS);
  world.elsewhere.pages.set("/trap", `<!doctype html><title>Trap</title>
<form method="post" action="${world.gateway}/auth/legacy"><input name="jwt" value="${token}"></form>
<script>document.forms[0].submit()</script>`);

  // The victim has a sign-in of their own under way, which is what the trap needs.
  await person.page.goto(`${world.gateway}/legacy/`);
  await person.page.goto(`${world.elsewhere.url}/trap`);
  await person.page.waitForURL(`${world.gateway}/auth/legacy`);
  assert.equal(await person.page.textContent("h1"), "The form came from another site");
  const names = (await person.cookies(world.gateway)).map(({ name }) => name);
  assert.deepEqual(names, [BINDING]);
  await person.page.goto(`${world.gateway}/auth/finish`);
  assert.equal(await person.page.textContent("h1"), "The sign-in took too long");
  assert.equal(world.reached.length, 0);
}

async function foreignImage({ world, somebody }) {
  const person = await somebody();
  world.elsewhere.pages.set("/image", `<!doctype html><title>Image</title>
<img alt="" src="${world.gateway}/auth/start?rd=/orders/7">`);
  const line = world.server.nextLine((text) => text.includes('"/auth/start"'));
  await person.page.goto(`${world.elsewhere.url}/image`);
  assert.match(await line, /"status":400/);
  assert.deepEqual(await person.cookies(world.gateway), []);
  assert.deepEqual(await world.journal(), []);
}

async function foreignLink({ world, somebody }) {
  const person = await somebody();
  await person.opens(`${world.gateway}/orders/7`, ASTRID);
  world.elsewhere.pages.set("/link", `<!doctype html><title>Link</title>
<a href="${world.gateway}/orders/8?from=elsewhere">There</a>`);
  await person.page.goto(`${world.elsewhere.url}/link`);
  await person.page.click("a");
  await person.page.waitForURL(`${world.gateway}/orders/8?from=elsewhere`);
  assert.equal(await person.page.textContent("#user"), ASTRID);
}

async function keptFragment({ world, somebody }) {
  const person = await somebody();
  const url = `${world.gateway}/board?x=1#/orders/7?a=%C3%B8&b={c}`;
  await person.page.goto(url);
  await person.signsIn(ASTRID);
  // Some of its letters would mean something in a pattern.
  await person.page.waitForURL((at) => at.href === url);
  assert.equal(await person.page.textContent("#user"), ASTRID);
  assert.deepEqual(world.reached.map((one) => one.url), ["/board?x=1"]);
  person.sawNoViolation();

  // Without script the person gets there too, and the fragment is lost, as browsers have it.
  const scriptless = await person.context.browser().newContext({ javaScriptEnabled: false });
  const page = await scriptless.newPage();
  await page.goto(url);
  await page.waitForURL(`${world.superid}/**`);
  await scriptless.close();
}

async function keptPost({ world, somebody }) {
  const person = await somebody();
  await person.page.goto(`${world.gateway}/public`);
  world.reached.length = 0;
  const text = "x".repeat(20_000);
  await person.page.evaluate((text) => {
    const form = document.createElement("form");
    Object.assign(form, { method: "post", action: "/kept/7?x=1", enctype: "multipart/form-data" });
    form.innerHTML = '<input name="who" value="bl\u00e5"><input type="file" name="paper">';
    const files = new DataTransfer();
    files.items.add(new File([text], "paper.txt", { type: "text/plain" }));
    form.elements.paper.files = files.files;
    document.body.append(form);
    form.submit();
  }, text);
  await person.page.waitForURL(`${world.superid}/**`);
  assert.equal(world.reached.length, 0);
  await person.signsIn(ASTRID);
  await person.page.waitForURL(`${world.gateway}/kept/7?x=1`);
  await person.page.waitForSelector("#user");

  const [posted, ...others] = world.reached;
  assert.deepEqual(others, []);
  assert.equal(posted.method, "POST");
  assert.match(posted.headers["content-type"], /^multipart\/form-data; boundary=/);
  assert.equal(posted.headers.origin, world.gateway);
  assert.equal(posted.headers["x-superoffice-user"], ASTRID);
  assert.ok(posted.body.includes('filename="paper.txt"') && posted.body.includes(text));
  assert.ok(posted.body.includes("bl\u00e5"));
  person.sawNoViolation();

  const names = (await person.cookies(world.gateway)).map(({ name }) => name).sort();
  assert.deepEqual(names, [SESSION, BINDING, "__Host-superid-gateway-post"]);
  await person.page.goto(`${world.gateway}/kept/7?x=1`);
  assert.deepEqual(world.reached.map((one) => one.method), ["POST", "GET"]);
}
