// Everything the tests stand on: SuperID, a gateway with TLS, an app, and somebody else's site.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import net from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { configuration } from "./configuration.mjs";

const { GATEWAY_BIN, SCRATCH } = process.env;

// Starts it all. SuperID is on 127.0.0.1 and the gateway on localhost: two sites to a browser.
export async function startWorld() {
  const app = await startApp();
  const elsewhere = await startElsewhere();
  const neighbour = await startNeighbour();
  const gateway = `https://localhost:${await freePort()}`;
  const emulator = await program([
    "emulator", "--port", "0", "--json",
    "--client-id", "orders", "--client-secret", "orders-secret",
    "--redirect-uri", `${gateway}/auth/callback`, "--post-logout-uri", `${gateway}/auth/signed_out`,
  ]);
  const superid = JSON.parse(await emulator.line((line) => line.startsWith("{"))).superid;
  const world = new World({ app, elsewhere, neighbour, gateway, emulator, superid });
  await world.register({ client_id: "archive", legacy_redirect: `${gateway}/auth/legacy` });
  for (const name of ["behind", "posted"]) {
    await world.register({ client_id: name, redirect_uris: [`${gateway}/auth/${name}`] });
  }
  await world.register({ client_id: "approval", consent: "asked" });
  await world.register({ client_id: "astray" });
  const file = join(SCRATCH, "gateway.toml");
  const places = { gateway, superid, app: app.url, neighbour: neighbour.url };
  writeFileSync(file, configuration({ ...places, nobody: await freePort() }));
  const keys = await program(["keys", "--config", file]);
  if ((await keys.ended) !== 0) throw new Error(`keys: ${keys.said()}`);
  world.server = await program(["run", "--config", file]);
  await world.server.line((line) => line.includes("admin listening"));
  return world;
}

class World {
  constructor(parts) {
    Object.assign(this, parts);
    this.ca = readFileSync(join(SCRATCH, "certificate.pem"));
  }

  // What reached the app since `app.requests` was last emptied.
  get reached() {
    return this.app.requests;
  }

  async register(app) {
    const known = {
      client_secret: `${app.client_id}-secret`, name: app.client_id,
      redirect_uris: [`${this.gateway}/auth/callback`], ...app,
    };
    await this.control("POST", "apps", known);
  }

  // Runs `deed` while SuperID has these faults.
  async withFaults(faults, deed) {
    await this.control("PUT", "faults", { faults });
    try {
      return await deed();
    } finally {
      await this.control("PUT", "faults", { faults: [] });
    }
  }

  async journal() {
    return (await this.control("GET", "journal")).entries;
  }

  async control(method, what, body) {
    const answer = await fetch(`${this.superid}/emulator/${what}`, {
      method, body: body && JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`emulator: ${method} ${what}: ${answer.status}`);
    return answer.json();
  }

  // A request to the gateway by a program that keeps no cookies.
  async ask(path, { method = "GET", headers = {}, body } = {}) {
    const request = https.request(this.gateway + path, { method, headers, ca: this.ca });
    request.end(body);
    const [answer] = await once(request, "response");
    let text = "";
    for await (const part of answer) text += part;
    return { status: answer.statusCode, headers: answer.headers, text };
  }

  // A token of the older flow that SuperID made for `person`, by way of its own pages.
  async postedToken(person) {
    const first = await (await fetch(`${this.superid}/login/?app_id=archive`)).text();
    const request = /name="request" value="([^"]*)"/.exec(first)[1];
    const second = await fetch(`${this.superid}/login/sign-in`, {
      method: "POST", body: new URLSearchParams({ request, person }),
    });
    return /name="jwt" value="([^"]*)"/.exec(await second.text())[1];
  }

  // Ends everything; the gateway and SuperID must end well.
  async stop() {
    const codes = [await this.server.stop(), await this.emulator.stop()];
    for (const { server } of [this.app, this.elsewhere, this.neighbour]) {
      server.closeAllConnections();
      server.close();
    }
    if (codes.some((code) => code !== 0)) throw new Error(`exit codes ${codes}`);
  }
}

// One of our own commands, running.
export async function program(args) {
  const child = spawn(GATEWAY_BIN, args, { stdio: ["ignore", "pipe", "pipe"] });
  const lines = [];
  const waiting = [];
  const hear = (line) => {
    lines.push(line);
    waiting.filter(({ is }) => is(line)).forEach(({ found }) => found(line));
  };
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on("line", hear);
  }
  const ended = once(child, "close").then(([code]) => code);
  const killed = () => child.kill("SIGKILL");
  process.on("exit", killed);
  const unfinished = () => ended.then((code) => {
    throw new Error(`${args[0]} ended with ${code}:\n${lines.join("\n")}`);
  });
  const nextLine = (is) => {
    const next = new Promise((found) => waiting.push({ is, found }));
    return Promise.race([next, unfinished()]);
  };
  return {
    ended,
    nextLine,
    said: () => lines.join("\n"),
    // One said already, or the next.
    line: async (is) => lines.find(is) ?? nextLine(is),
    stop: () => {
      process.off("exit", killed);
      child.kill("SIGINT");
      return ended;
    },
  };
}

// The policy of a page that has the script of ours, and needs nothing else for it.
const STRICT = "default-src 'none'; script-src 'self'; connect-src 'self'; frame-src 'self'; "
  + "require-trusted-types-for 'script'; base-uri 'none'";

// An app that shows what reached it and keeps its pages out of caches; `/slow` never answers.
async function startApp() {
  const requests = [];
  const server = http.createServer(async (request, answer) => {
    const { method, url, headers } = request;
    if (url === "/favicon.ico") {
      answer.writeHead(404).end();
      return;
    }
    const reached = { method, url, headers, body: "" };
    requests.push(reached);
    request.setEncoding("utf8").on("data", (part) => (reached.body += part));
    if (url.startsWith("/slow")) return;
    await once(request, "end");
    if (url.includes(".json")) {
      if (headers.origin) {
        answer.setHeader("access-control-allow-origin", headers.origin);
        answer.setHeader("access-control-allow-credentials", "true");
      }
      answer.setHeader("content-type", "application/json");
      answer.end(JSON.stringify({ method, url, headers }));
      return;
    }
    answer.setHeader("content-type", "text/html; charset=utf-8");
    answer.setHeader("cache-control", "no-store");
    if (url.includes("/strict")) answer.setHeader("content-security-policy", STRICT);
    const script = url.includes("/strict") ? `<script src="/auth/renew.js" data-wrap-fetch
${url.includes("frame") ? "data-frame" : ""}></script>` : "";
    answer.end(`<!doctype html><html lang="en"><title>App</title>${script}<h1>The app</h1>
<p id="url">${escaped(url)}</p><p id="user">${escaped(headers["x-superoffice-user"] ?? "")}</p>
<a id="out" href="/auth/sign_out">Sign out</a>`);
  });
  return { requests, server, url: await listening(server) };
}

// A site of somebody else's, whose pages a test writes.
async function startElsewhere() {
  const pages = new Map();
  const server = http.createServer(written(pages));
  return { pages, server, url: await listening(server) };
}

// Another origin of the gateway's own site, which it is told to trust.
async function startNeighbour() {
  const pages = new Map();
  const [cert, key] = ["certificate.pem", "certificate-key.pem"].map((file) =>
    readFileSync(join(SCRATCH, file)));
  const server = https.createServer({ cert, key }, written(pages));
  const { port } = new URL(await listening(server));
  return { pages, server, url: `https://localhost:${port}` };
}

function written(pages) {
  return (request, answer) => {
    answer.setHeader("content-type", "text/html; charset=utf-8");
    answer.end(pages.get(request.url) ?? "<!doctype html><title>Elsewhere</title>");
  };
}

async function listening(server) {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return `http://127.0.0.1:${server.address().port}`;
}

// A port that was free a moment ago: the gateway's public origin has to name it beforehand.
async function freePort() {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

function escaped(text) {
  return text.replace(/[&<>"]/g, (letter) => `&#${letter.charCodeAt(0)};`);
}
