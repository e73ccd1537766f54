// People at browsers: each has a context of their own (cookies, storage, language, look)
// and is watched for what nobody should see in a console.
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { until } from './until.mjs';

// The browser's driver is a package of the web application's development.
const { chromium } = createRequire(new URL('../../../frontend/package.json', import.meta.url))('playwright-core');

const PASSWORD = 'foresight-demo';
const DESKTOP = { width: 1440, height: 900 };

/** How long a person waits for what should be there at once; the machine may be busy. */
export const PATIENCE = 60_000;

/** Browser is Chromium with the people who use it in the scenario that is played. */
export class Browser {
  #chromium;
  #people = [];

  static async launch(url, artefacts) {
    const browser = new Browser();
    browser.url = url;
    browser.artefacts = artefacts;
    browser.#chromium = await chromium.launch({
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking', '--lang=en-US'],
    });
    return browser;
  }

  /** Plays one scenario and answers what went wrong, null for nothing. */
  async play(name, scenario, figure) {
    try {
      await scenario({
        url: this.url,
        person: (options) => this.person(options),
        picture: (page, file) => this.picture(page, file),
        figure,
      });
      const complaints = this.#people.flatMap((person) => person.complaints);
      return complaints.length > 0 ? `the browser complains:\n${complaints.join('\n')}` : null;
    } catch (error) {
      await this.#pictureOfFailure(name);
      const complaints = this.#people.flatMap((person) => person.complaints);
      return [error.stack ?? String(error), ...complaints].join('\n');
    } finally {
      await Promise.all(this.#people.splice(0).map((person) => person.leave()));
    }
  }

  /** Somebody at a fresh browser, not signed in. Options are those of a context, and url for another way in. */
  async person({ url = this.url, ...options } = {}) {
    const context = await this.#chromium.newContext({ viewport: DESKTOP, locale: 'en-US', ...options });
    context.setDefaultTimeout(PATIENCE);
    const person = new Person(context, url);
    this.#people.push(person);
    await person.watch();
    return person;
  }

  /** Keeps a picture of the page. Animations are stopped, so that two runs can be compared. */
  async picture(page, file, options = {}) {
    await page.screenshot({ path: join(this.artefacts, `${file}.png`), animations: 'disabled', ...options });
  }

  async #pictureOfFailure(name) {
    for (const [i, person] of this.#people.entries()) {
      const file = `failed-${name.replaceAll(/\W+/g, '-')}-${i}`;
      await this.picture(person.page, file, { timeout: 5_000 }).catch(() => undefined); // the page may be gone
    }
  }

  close() {
    return this.#chromium.close();
  }
}

/** Person is one browser context with one page. */
class Person {
  /** Everything that went wrong in the page without being asked for. */
  complaints = [];
  /** What the page may complain of, because the scenario provokes it. */
  expected = null;

  constructor(context, url) {
    this.context = context;
    this.url = url;
  }

  async watch() {
    const complain = (kind, text) => {
      if (!this.expected?.test(text)) this.complaints.push(`${kind}: ${text}`);
    };
    // A violation of the Content-Security-Policy is said in the console, too, but not each kind of it.
    await this.context.addInitScript(() =>
      document.addEventListener('securitypolicyviolation', (event) =>
        console.error(`CSP: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`),
      ),
    );
    this.page = await this.context.newPage();
    this.page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complain(message.type(), message.text());
    });
    this.page.on('pageerror', (error) => complain('exception', [error.name, error.message, error.stack].join(' ')));
    this.page.on('response', (response) => {
      if (response.status() >= 400) complain('response', `${response.status()} ${response.url()}`);
    });
  }

  /** Goes to an address of the product by a fresh load of the page. */
  async go(path) {
    await this.page.goto(this.url + path);
  }

  /** Comes to an address and signs in there as the role of the tenant. */
  async signIn(role, tenant = 'alpha-grid', path = '/') {
    await this.go(path);
    await this.typePassword(`${role}@${tenant}.example`, PASSWORD);
    await this.page.getByRole('navigation').or(this.page.getByRole('button', { name: /navigation|القائمة/ })).first().waitFor();
    return this.page;
  }

  async typePassword(email, password) {
    const form = this.page.locator('form');
    await form.locator('input[type=email]').fill(email);
    await form.locator('input[type=password]').fill(password);
    await form.getByRole('button').click();
  }

  /** Opens the machine of the code from the list of assets and waits for its page. */
  async openAsset(code) {
    await this.go(`/assets?q=${code}`);
    await this.page.getByRole('table').getByRole('link').first().click();
    await this.page.getByRole('heading', { level: 1, name: code }).waitFor();
    return new URL(this.page.url()).pathname;
  }

  leave() {
    return this.context.close();
  }
}

/** Waits until the page shows that live data flows. */
export function live(page) {
  return page.getByRole('status', { name: 'Live' }).waitFor();
}

/** Waits until all pictures and fonts of the page are there, and nothing fades any more. */
export async function settled(page) {
  await page.evaluate(() => document.fonts.ready);
  await until('the skeletons are replaced', async () => (await page.locator('.MuiSkeleton-root').count()) === 0);
  const fades = () =>
    document.getAnimations().some((one) => one.playState === 'running' && one.effect.getComputedTiming().iterations !== Infinity);
  await until('nothing fades', async () => !(await page.evaluate(fades)));
}
