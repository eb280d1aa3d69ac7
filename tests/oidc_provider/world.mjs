// The provider, an app that tells what reached it, and the gateway between them.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import http from "node:http";
import net from "node:net";
import { join } from "node:path";

import { configuration, mapping } from "./configuration.mjs";
import { Person } from "./person.mjs";
import { startProvider } from "./provider.mjs";

const { GATEWAY_BIN, SCRATCH } = process.env;

export async function startWorld() {
  const url = `https://gateway.test:${await freePort()}`;
  const provider = await startProvider(url);
  const app = http.createServer((request, answer) => {
    answer.end(JSON.stringify({ target: request.url, headers: request.headers }));
  });
  app.listen(0, "127.0.0.1");
  await once(app, "listening");
  const file = join(SCRATCH, "gateway.toml");
  const parts = { gateway: url, issuer: provider.issuer, app: `http://127.0.0.1:${app.address().port}` };
  writeFileSync(join(SCRATCH, "people.toml"), mapping(provider.issuer));
  writeFileSync(file, configuration(parts));
  const keys = program(["keys", "--config", file]);
  if ((await keys.ended) !== 0) throw new Error(keys.said());
  const gateway = program(["run", "--config", file]);
  await gateway.says("admin listening");
  return new World({ url, provider, app, gateway });
}

class World {
  constructor(parts) {
    Object.assign(this, parts);
    this.ca = readFileSync(join(SCRATCH, "certificate.pem"));
  }

  person() {
    return new Person(this.ca);
  }

  async stop() {
    this.provider.stop();
    this.app.closeAllConnections();
    this.app.close();
    return this.gateway.stop();
  }
}

// One of our own commands, running.
function program(args) {
  const child = spawn(GATEWAY_BIN, args, { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  let heard = () => {};
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (part) => {
      said += part;
      heard();
    });
  }
  const ended = once(child, "close").then(([code]) => code);
  const killed = () => child.kill("SIGKILL");
  process.on("exit", killed);
  return {
    ended,
    said: () => said,
    says: (words) => Promise.race([
      new Promise((found) => {
        heard = () => said.includes(words) && found();
        heard();
      }),
      ended.then((code) => { throw new Error(`${args[0]} ended with ${code}:\n${said}`); }),
    ]),
    stop: () => {
      process.off("exit", killed);
      child.kill("SIGINT");
      return ended;
    },
  };
}

async function freePort() {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}
