// Adds up what a browser fetches before it can show the sign-in and the overview:
// the entry, their lazy pages, the texts of one language, and all they import.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const LIMIT = 250_000;
const dist = join(dirname(fileURLToPath(import.meta.url)), '..', 'dist');
const manifest = JSON.parse(readFileSync(join(dist, 'manifest.json'), 'utf8'));

const texts = [
  'shared',
  'app',
  'features/auth',
  'features/overview',
  'features/alarms',
  'features/predictions',
];
const roots = [
  'index.html',
  'src/features/auth/pages.ts',
  'src/app/pages/Overview.tsx',
  ...texts.map((folder) => `src/${folder}/texts/en.json`),
];

const files = new Set(['index.html']);
const seen = new Set();
function add(key) {
  if (seen.has(key)) return;
  seen.add(key);
  const chunk = manifest[key];
  if (!chunk) throw new Error(`no ${key} in the manifest`);
  files.add(chunk.file);
  for (const css of chunk.css ?? []) files.add(css);
  for (const other of chunk.imports ?? []) add(other);
}
roots.forEach(add);

const sizes = [...files].map((file) => [file, gzipSync(readFileSync(join(dist, file)), { level: 9 }).length]);
const total = sizes.reduce((sum, [, size]) => sum + size, 0);
for (const [file, size] of sizes.sort((a, b) => b[1] - a[1]).slice(0, 8)) {
  console.log(`${(size / 1000).toFixed(1).padStart(8)} kB  ${file}`);
}
console.log(
  `${(total / 1000).toFixed(1).padStart(8)} kB  first load, gzip (${files.size} files; limit ${LIMIT / 1000} kB)`,
);
if (total > LIMIT) process.exit(1);
