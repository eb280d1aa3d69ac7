// The provider, an app that tells what reached it, and the gateway between them.

import { randomBytes } from "node:crypto";
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { Person } from "../oidc_provider/person.mjs";
import { freePort, program, startApp } from "../oidc_provider/processes.mjs";
import { configuration } from "./configuration.mjs";
import { pathOf, registrations } from "./registrations.mjs";

const { GATEWAY_BIN, SCRATCH, SIMPLESAMLPHP } = process.env;

export async function startWorld() {
  const url = `https://gateway.test:${await freePort()}`;
  const provider = await startProvider(url);
  const app = await startApp();
  const file = join(SCRATCH, "gateway.toml");
  writeFileSync(file, configuration({ gateway: url, provider: provider.url, app: app.url }));
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
    await this.provider.stop();
    this.app.stop();
    return this.gateway.stop();
  }
}

// Debian's SimpleSAMLphp under php's own web server.
async function startProvider(gateway) {
  const url = `http://127.0.0.1:${await freePort()}`;
  mkdirSync(join(SCRATCH, "temporary"));
  cpSync(fileURLToPath(new URL("provider", import.meta.url)), join(SCRATCH, "provider"), { recursive: true });
  const rows = Object.entries(registrations).map(([name, one]) => ({ ...one, path: pathOf(name) }));
  writeFileSync(join(SCRATCH, "registrations.json"), JSON.stringify(rows));
  const folder = join(SCRATCH, "provider");
  const server = program("php", [
    "-d", "display_errors=stderr", "-d", "error_reporting=E_ALL & ~E_DEPRECATED",
    "-S", new URL(url).host, "-t", join(SIMPLESAMLPHP, "www"), join(folder, "router.php"),
  ], {
    PROVIDER_URL: url, GATEWAY_URL: gateway, SECRET_SALT: randomBytes(16).toString("hex"),
    SIMPLESAMLPHP_CONFIG_DIR: folder,
  });
  await server.says("started");
  return { url, stop: server.stop, said: server.said };
}
