// Requests of a page whose session has ended: one sign-in beside the page, for all tabs, and what may be
// sent twice is sent again. docs/background-requests.md of superid-gateway says how to use it.
(() => {
  "use strict";

  const script = document.currentScript;
  const { origin: gateway, pathname } = new URL(script.src);
  const prefix = pathname.slice(0, pathname.lastIndexOf("/"));
  const settings = script.dataset;
  const name = "superid-gateway";

  // What a server may be sent twice (RFC 9110, section 9.2.2).
  const repeatable = ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"];
  const frameSeconds = 10;

  // Any rule of the app's counts for more.
  const looks = `
    :where(dialog.${name}) { box-sizing: border-box; max-width: min(26rem, 100vw - 2rem); padding: 1.5rem;
      border: 1px solid GrayText; border-radius: .5rem; font: 1rem/1.5 system-ui, sans-serif }
    :where(dialog.${name})::backdrop { background: rgb(0 0 0 / .5) }
    :where(dialog.${name} p) { margin: 0 0 1.25rem }
    :where(dialog.${name} button) { font: inherit; padding: .5rem 1rem; border: 1px solid ButtonBorder;
      border-radius: .375rem; cursor: pointer }`;

  const send = window.fetch.bind(window);
  const tabs = new BroadcastChannel(name);
  const waiting = new Set();
  let renewing = null;
  let renewedAt = 0;
  // Promised once for each sign-in.
  let isSamePerson = null;
  let known = whoIsIt();

  addEventListener("message", (event) => {
    if (event.origin !== gateway || !isOurWord(event.data)) return;
    tabs.postMessage({ type: name, signedIn: true });
    signedIn();
  });
  tabs.addEventListener("message", (event) => {
    if (isOurWord(event.data)) signedIn();
  });

  window.superidGateway = Object.freeze({
    fetch: fetchAgain,
    renew: (address = location.href) => inWindow(address),
  });
  dress();
  if ("wrapFetch" in settings) window.fetch = fetchAgain;

  // As fetch; where nobody is signed in, it waits for the sign-in.
  async function fetchAgain(input, init) {
    const request = new Request(input, init);
    if (new URL(request.url).origin !== gateway) return send(request);
    const again = repeatable.includes(request.method) ? request.clone() : null;
    const began = performance.now();
    const answer = await send(request);
    if (!(await wantsSignIn(answer))) return answer;
    const goesOn = await renewedSince(began, request.url);
    return goesOn && again ? send(again) : answer;
  }

  async function wantsSignIn(answer) {
    const kind = answer.headers.get("content-type") ?? "";
    if (answer.status !== 401 || !kind.startsWith("application/json")) return false;
    const told = await answer.clone().json().catch(() => null);
    return told?.error === "sign_in_required";
  }

  // Once for all requests of the page, and not at all where another tab was quicker.
  async function renewedSince(began, address) {
    if (renewedAt < began) {
      renewing ??= renew(address).finally(() => (renewing = null));
      await renewing;
    }
    return renewedAt >= began && (isSamePerson ??= comparePeople());
  }

  async function renew(address) {
    const began = performance.now();
    if ("frame" in settings) {
      await navigator.locks.request(name, () => renewedAt < began && inFrame(address));
    }
    if (renewedAt < began) await byHand(address);
  }

  function dress() {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(looks);
    document.adoptedStyleSheets = [sheet, ...document.adoptedStyleSheets];
  }

  // The page asks for a click, or we do: browsers open no windows without one.
  function byHand(address) {
    const event = new CustomEvent(`${name}:signed-out`, { cancelable: true, detail: { address } });
    const isOurs = dispatchEvent(event);
    return new Promise((done) => {
      const dialog = isOurs ? ask(address, done) : null;
      waiting.add(() => {
        dialog?.close();
        done();
      });
    });
  }

  function ask(address, done) {
    const dialog = document.createElement("dialog");
    dialog.className = name;
    dialog.lang = settings.lang ?? "en";
    const words = document.createElement("p");
    words.textContent = settings.text
      ?? "You are signed out. Sign in again to go on: what is on this page stays.";
    dialog.append(words, button(settings.signIn ?? "Sign in", () => inWindow(address)), " ",
      button(settings.later ?? "Not now", () => dialog.close()));
    dialog.addEventListener("close", () => {
      dialog.remove();
      done();
    });
    document.body.append(dialog);
    dialog.showModal();
    return dialog;
  }

  function button(text, deed) {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = text;
    made.addEventListener("click", deed);
    return made;
  }

  // Whether somebody is signed in at the end; false when the window was blocked or closed.
  function inWindow(address) {
    const size = "popup,width=520,height=680";
    const opened = window.open(renewal(address), `${name}-renewal`, size);
    if (!opened) return Promise.resolve(false);
    return new Promise((done) => {
      const watch = setInterval(async () => {
        if (!opened.closed || !document.hasFocus()) return;
        clearInterval(watch);
        // A provider's page may have cut the window off from here, and then no word of it arrives.
        if (await whoIsIt()) signedIn();
        done(renewedAt >= began);
      }, 500);
      const began = performance.now();
      waiting.add(() => {
        clearInterval(watch);
        done(true);
      });
    });
  }

  // Without a person: only where the provider lets frames in, or somebody is signed in by now.
  function inFrame(address) {
    const frame = document.createElement("iframe");
    frame.hidden = true;
    frame.src = renewal(address);
    document.body.append(frame);
    return new Promise((done) => {
      const late = setTimeout(done, frameSeconds * 1000);
      waiting.add(() => {
        clearTimeout(late);
        done();
      });
    }).finally(() => frame.remove());
  }

  function renewal(address) {
    const { origin, pathname: path, search } = new URL(address, location.href);
    const wanted = origin === gateway ? path + search : "/";
    const query = new URLSearchParams({ for: wanted, origin: location.origin });
    return `${gateway}${prefix}/renew?${query}`;
  }

  function isOurWord(data) {
    return data?.type === name && data.signedIn === true;
  }

  function signedIn() {
    renewedAt = performance.now();
    isSamePerson = null;
    const heard = [...waiting];
    waiting.clear();
    heard.forEach((deed) => deed());
  }

  // Nothing of one person is sent in the name of another who signed in meanwhile.
  async function comparePeople() {
    const [before, now] = await Promise.all([known, whoIsIt()]);
    if (!now) return false;
    if (before && before !== now) {
      const event = new CustomEvent(`${name}:another-person`, { cancelable: true });
      if (dispatchEvent(event)) location.reload();
      return false;
    }
    known = now;
    return true;
  }

  // Who is signed in, as words to compare; null for nobody, or where that cannot be told.
  async function whoIsIt() {
    try {
      const answer = await send(`${gateway}${prefix}/userinfo`, { credentials: "include" });
      if (!answer.ok) return null;
      const { context, user } = await answer.json();
      return JSON.stringify([context, user]);
    } catch {
      return null;
    }
  }
})();
