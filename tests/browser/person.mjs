// Somebody with a browser of their own: a context that shares no cookie with anybody.

import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";

const SIZES = { phone: { width: 390, height: 844 }, desk: { width: 1280, height: 800 } };

export class Person {
  static async arrives(browser, pictures) {
    // Chromium was told to trust the certificate; Firefox can only be told to bear it.
    const ignoreHTTPSErrors = browser.browserType().name() === "firefox";
    const context = await browser.newContext({ ignoreHTTPSErrors });
    context.setDefaultTimeout(20_000);
    const person = new Person();
    Object.assign(person, { context, pictures, violations: [] });
    context.on("console", (message) => {
      if (/content.security.policy/i.test(message.text())) person.violations.push(message.text());
    });
    person.page = await context.newPage();
    return person;
  }

  // Answers SuperID's pages on `page`.
  async signsIn(as, { page = this.page, tenant } = {}) {
    await page.click(`button[value="${as}"]`);
    if (tenant) await page.click(`button[value="${tenant}"]`);
  }

  // Opens an address, signs in where SuperID asks, and waits until the browser is back there.
  async opens(url, as, more) {
    await this.page.goto(url);
    await this.signsIn(as, more);
    await this.page.waitForURL(url);
  }

  async cookies(url) {
    return this.context.cookies(url);
  }

  async cookieHeader(url) {
    return (await this.cookies(url)).map(({ name, value }) => `${name}=${value}`).join("; ");
  }

  // Pictures of the page as a phone and a desk show it; it must not be wider than either.
  async pictured(name, more) {
    mkdirSync(this.pictures, { recursive: true });
    for (const [size, viewport] of Object.entries(SIZES)) {
      await this.page.setViewportSize(viewport);
      const excess = () => document.documentElement.scrollWidth - innerWidth;
      const pixels = await this.page.evaluate(excess);
      assert.ok(pixels <= 0, `${name} is ${pixels} pixels too wide for a ${size}`);
      await this.page.screenshot({ path: join(this.pictures, `${name}-${size}.png`), ...more });
    }
  }

  sawNoViolation() {
    assert.deepEqual(this.violations, [], "content security policy");
  }

  leaves() {
    return this.context.close();
  }
}
