// Plays scenarios in Chromium against a running instance, one at a time as it is told:
//
//   node run.mjs BASE_URL ARTEFACT_DIR
//
// The first line it prints lists the scenarios. Each line it then reads is the name of
// one, answered by a line {"name", "error", "figures"}: error is null when all went well.
// The end of its input ends it.
import { createInterface } from 'node:readline';
import { mkdirSync } from 'node:fs';
import { Browser } from './people.mjs';
import { scenarios as accessibility } from './accessibility.mjs';
import { scenarios as alarms } from './alarms.mjs';
import { scenarios as asset } from './asset.mjs';
import { scenarios as isolation } from './isolation.mjs';
import { scenarios as link } from './link.mjs';
import { scenarios as looks } from './looks.mjs';
import { scenarios as memory } from './memory.mjs';
import { scenarios as rules } from './rules.mjs';
import { scenarios as session } from './session.mjs';

const scenarios = {
  ...session,
  ...asset,
  ...alarms,
  ...rules,
  ...isolation,
  ...link,
  ...looks,
  ...accessibility,
  ...memory,
};

const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

const [url, artefacts] = process.argv.slice(2);
mkdirSync(artefacts, { recursive: true });
const browser = await Browser.launch(url, artefacts);
say({ scenarios: Object.keys(scenarios) });
for await (const name of createInterface({ input: process.stdin })) {
  const figures = [];
  const error = await browser.play(name, scenarios[name], (figure) => figures.push(figure));
  say({ name, error, figures });
}
await browser.close();
