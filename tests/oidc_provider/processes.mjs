// What every world of an identity provider is made of: processes, an app, ports, and the run of cases.

import { spawn } from "node:child_process";
import { once } from "node:events";
import http from "node:http";
import net from "node:net";

// Runs the cases whose title has the words of ONLY, says which did not hold, and ends the process.
export async function runCases(cases, world) {
  const only = process.env.ONLY ?? "";
  let failures = 0;
  for (const [title, holds] of cases.filter(([title]) => title.includes(only))) {
    try {
      await holds(world);
      console.log(`ok   ${title}`);
    } catch (error) {
      failures += 1;
      console.log(`FAIL ${title}\n${error.stack.replace(/<style>[^]*?<\/style>/g, "")}`);
    }
  }
  if (failures > 0) console.log(world.gateway.said());
  const code = await world.stop();
  if (code !== 0) console.log(`the gateway ended with ${code}`);
  process.exit(failures === 0 && code === 0 ? 0 : 1);
}

// A process that runs, and what it says.
export function program(name, args, env = {}) {
  const child = spawn(name, args, { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...env } });
  let said = "";
  const waiting = new Set();
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (part) => {
      said += part;
      waiting.forEach((look) => look());
    });
  }
  const ended = once(child, "close").then(([code]) => code);
  const killed = () => child.kill("SIGKILL");
  process.on("exit", killed);
  // What `find` makes of all that was said, once it makes something of it.
  const hears = (find) => Promise.race([
    new Promise((found) => {
      const look = () => {
        const what = find(said);
        if (what === undefined) return;
        waiting.delete(look);
        found(what);
      };
      waiting.add(look);
      look();
    }),
    ended.then((code) => { throw new Error(`${name} ended with ${code}:\n${said}`); }),
  ]);
  return {
    ended,
    said: () => said,
    says: (words) => hears((all) => (all.includes(words) ? true : undefined)),
    line: (fits) => hears((all) => all.slice(0, all.lastIndexOf("\n")).split("\n").find(fits)),
    stop: () => {
      process.off("exit", killed);
      child.kill("SIGINT");
      return ended;
    },
  };
}

// An app that answers with what reached it.
export async function startApp() {
  const app = http.createServer((request, answer) => {
    answer.end(JSON.stringify({ target: request.url, headers: request.headers }));
  });
  app.listen(0, "127.0.0.1");
  await once(app, "listening");
  const stop = () => {
    app.closeAllConnections();
    app.close();
  };
  return { url: `http://127.0.0.1:${app.address().port}`, stop };
}

export async function freePort() {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}
