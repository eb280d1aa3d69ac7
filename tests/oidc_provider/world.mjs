// The provider, an app that tells what reached it, and the gateway between them.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { configuration, mapping } from "./configuration.mjs";
import { Person } from "./person.mjs";
import { freePort, program, startApp } from "./processes.mjs";
import { startProvider } from "./provider.mjs";

const { GATEWAY_BIN, SCRATCH } = process.env;

export async function startWorld() {
  const url = `https://gateway.test:${await freePort()}`;
  const provider = await startProvider(url);
  const app = await startApp();
  const file = join(SCRATCH, "gateway.toml");
  const parts = { gateway: url, issuer: provider.issuer, app: app.url };
  writeFileSync(join(SCRATCH, "people.toml"), mapping(provider.issuer));
  writeFileSync(file, configuration(parts));
  const keys = program(GATEWAY_BIN, ["keys", "--config", file]);
  if ((await keys.ended) !== 0) throw new Error(keys.said());
  const gateway = program(GATEWAY_BIN, ["run", "--config", file]);
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
    this.app.stop();
    return this.gateway.stop();
  }
}
