// A person with a browser of few means: keeps cookies, follows redirects, sends forms.

import { once } from "node:events";
import http from "node:http";
import https from "node:https";

export class Person {
  constructor(ca) {
    this.ca = ca;
    this.jar = new Map();
  }

  // Asks, and follows redirects to their end. What stands behind a `#` is posted to its own address,
  // which is what the gateway's page does with it.
  async open(url, { method = "GET", fields, from } = {}) {
    for (let hops = 0; hops < 20; hops += 1) {
      const at = new URL(url);
      if (at.hash && method === "GET") {
        const page = await this.ask(at, { method: "GET" });
        if (!page.text.includes(`"fragment"`)) throw new Error(`no page for a fragment:\n${page.text}`);
        [method, fields, from] = ["POST", { fragment: at.hash.slice(1) }, at.origin];
        continue;
      }
      const page = await this.ask(at, { method, fields, from });
      if (![302, 303].includes(page.status)) return page;
      url = new URL(page.headers.location, at).href;
      [method, fields] = ["GET", undefined];
    }
    throw new Error(`redirects without end, at last to ${url}`);
  }

  // Sends the page's form with its hidden fields and these.
  async send(page, fields = {}) {
    const form = formOf(page);
    const from = page.url.origin;
    return this.open(new URL(form.action, page.url).href, {
      method: "POST", fields: { ...form.fields, ...fields }, from,
    });
  }

  // From a page of the gateway's to the address itself again: through the provider's pages, as this
  // person, and through forms that send themselves.
  async signIn(url, login) {
    let page = await this.open(url);
    for (let steps = 0; steps < 6 && page.text.includes("<form"); steps += 1) {
      page = await this.send(page, page.text.includes(`name="login"`) ? { login, password: "x" } : {});
    }
    return page;
  }

  async ask(at, { method, fields, from }) {
    const body = fields && new URLSearchParams(fields).toString();
    const headers = { accept: "text/html", cookie: this.cookies(at), host: at.host };
    if (from) headers.origin = from;
    if (body !== undefined) headers["content-type"] = "application/x-www-form-urlencoded";
    const plain = at.protocol === "http:";
    const request = (plain ? http : https).request({
      host: "127.0.0.1", port: at.port, path: at.pathname + at.search, method, headers,
      agent: false, ...(plain ? {} : { ca: this.ca, servername: at.hostname }),
    });
    request.end(body);
    const [answer] = await once(request, "response");
    let text = "";
    for await (const part of answer) text += part;
    this.keep(at, answer.headers["set-cookie"] ?? []);
    return { status: answer.statusCode, headers: answer.headers, text, url: at };
  }

  cookies(at) {
    const all = [...(this.jar.get(at.host) ?? new Map()).values()];
    const sent = all.filter(({ path }) => at.pathname.startsWith(path));
    return sent.map(({ name, value }) => `${name}=${value}`).join("; ");
  }

  keep(at, lines) {
    const jar = this.jar.get(at.host) ?? new Map();
    this.jar.set(at.host, jar);
    for (const line of lines) {
      const [pair, ...attributes] = line.split(";").map((part) => part.trim());
      const [name, value] = [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)];
      const find = (key) => attributes.find((one) => one.toLowerCase().startsWith(`${key}=`))?.split("=")[1];
      const path = find("path") ?? "/";
      const gone = find("max-age") === "0" || Date.parse(find("expires") ?? "") <= Date.now();
      if (gone) jar.delete(`${name} ${path}`);
      else jar.set(`${name} ${path}`, { name, value, path });
    }
  }
}

function formOf({ text }) {
  const form = /<form[^>]*action="([^"]*)"[^>]*>([\s\S]*?)<\/form>/.exec(text);
  if (!form) throw new Error(`no form:\n${text}`);
  const fields = {};
  for (const [input] of form[2].matchAll(/<input[^>]*type="hidden"[^>]*>/g)) {
    const find = (name) => unescaped(new RegExp(`${name}="([^"]*)"`).exec(input)?.[1] ?? "");
    fields[find("name")] = find("value");
  }
  return { action: unescaped(form[1]), fields };
}

function unescaped(text) {
  const known = { lt: "<", gt: ">", quot: "\"", amp: "&", "#39": "'", "#34": "\"", "#38": "&", "#60": "<", "#62": ">" };
  return text.replace(/&([a-z]+|#\d+);/g, (whole, name) => known[name] ?? whole);
}
