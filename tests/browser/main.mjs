// Runs every case in every browser asked for, and says how many held.

import { chromium, firefox } from "playwright-core";

import { backgroundCases } from "./background.mjs";
import { cases } from "./cases.mjs";
import { demoCases } from "./demo.mjs";
import { pageCases } from "./pages.mjs";
import { Person } from "./person.mjs";
import { startWorld } from "./world.mjs";

const launchers = {
  chromium: () => chromium.launch({
    executablePath: "/usr/bin/chromium",
    args: [
      "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
      "--disable-background-networking", "--disable-component-update",
      // Trusted, not merely borne: pages with a certificate error are never cached.
      `--ignore-certificate-errors-spki-list=${process.env.CERTIFICATE_PIN}`,
    ],
    // People go back to pages kept in memory, so the tests do.
    ignoreDefaultArgs: ["--disable-back-forward-cache"],
  }),
  // Debian's own Firefox, by WebDriver BiDi.
  firefox: () => firefox.launch({ channel: "moz-firefox", executablePath: "/usr/bin/firefox-esr" }),
};

const MOST_SECONDS_OF_A_CASE = 60;

let passed = 0;
let failed = 0;

const world = await startWorld();
for (const name of process.env.BROWSERS.split(/\s+/)) {
  const browser = await launchers[name]();
  console.log(`\n${name} ${browser.version()}`);
  for (const [title, test] of [...cases, ...backgroundCases, ...pageCases, ...demoCases]) {
    if (!title.includes(process.env.ONLY ?? "")) continue;
    await hold(browser, name, title, test);
  }
  await browser.close();
}
await world.stop();
console.log(`\n${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);

// One case: people of its own, SuperID's journal and the app's empty at the start.
async function hold(browser, name, title, test) {
  const people = [];
  const somebody = async () => {
    const person = await Person.arrives(browser, `${process.env.SCREENSHOTS}/${name}`);
    people.push(person);
    return person;
  };
  world.app.requests.length = 0;
  await world.control("DELETE", "journal");
  try {
    await inTime(test({ world, somebody, browserName: name }));
    people.forEach((person) => person.sawNoViolation());
    passed += 1;
    console.log(`  ok      ${title}`);
  } catch (error) {
    failed += 1;
    console.log(`  FAILED  ${title}\n${error.stack.replace(/^/gm, "          ")}`);
    for (const person of people) console.log(`          at ${person.page.url()}`);
    console.log("the gateway's last words:");
    console.log(world.server.said().split("\n").slice(-8).join("\n"));
  }
  for (const person of people) await person.leaves();
}

function inTime(work) {
  let timer;
  const late = new Promise((_, reject) => {
    const error = new Error(`not done in ${MOST_SECONDS_OF_A_CASE} s`);
    timer = setTimeout(() => reject(error), MOST_SECONDS_OF_A_CASE * 1000);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
