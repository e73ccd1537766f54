// Joins ../graph/schema/*.graphql into schema.graphql and derives the types that
// gql.tada reads. Writes nothing when nothing changed.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSchema, printSchema } from 'graphql';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const source = join(root, '..', 'graph', 'schema');
const target = join(root, 'schema.graphql');
const types = join(root, 'src', 'shared', 'graph', 'graphql-env.d.ts');

const parts = readdirSync(source)
  .filter((name) => name.endsWith('.graphql'))
  .sort()
  .map((name) => readFileSync(join(source, name), 'utf8'));
const text = printSchema(buildSchema(parts.join('\n'))) + '\n';

const same = existsSync(target) && readFileSync(target, 'utf8') === text;
if (!same) writeFileSync(target, text);
if (!same || !existsSync(types)) {
  const cli = join(root, 'node_modules', '.bin', 'gql.tada');
  const run = spawnSync(cli, ['generate-output'], { cwd: root, stdio: 'inherit' });
  if (run.status !== 0) process.exit(run.status ?? 1);
}
