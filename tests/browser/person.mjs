// Somebody with a browser of their own: a context that shares no cookie with anybody.

import assert from "node:assert/strict";

export class Person {
  static async arrives(browser, { pictures }) {
    const context = await browser.newContext({ ignoreHTTPSErrors: browser.browserType().name() !== "chromium" });
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

  sawNoViolation() {
    assert.deepEqual(this.violations, [], "content security policy");
  }

  leaves() {
    return this.context.close();
  }
}
