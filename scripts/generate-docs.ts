// Writes the generated part of docs/: node scripts/generate-docs.ts
// `test/docs/generated.test.ts` fails when a file there is not what this would write.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { configPage } from './docs/config-page.ts';
import { configSchemaFile } from './docs/config-schema-file.ts';
import { errorsPage } from './docs/errors-page.ts';
import { eventsPage } from './docs/events-page.ts';
import { messageRulesPage } from './docs/message-rules-page.ts';
import { metricsPage } from './docs/metrics-page.ts';
import { securityEventsPage } from './docs/security-events-page.ts';

/** The files that are generated, by their path in the repository, with what belongs in them. */
export async function generatedDocs(): Promise<ReadonlyMap<string, string>> {
  return new Map([
    ['docs/message-rules.md', messageRulesPage()],
    ['docs/errors.md', errorsPage()],
    ['docs/events.md', eventsPage()],
    ['docs/security-events.md', securityEventsPage()],
    ['docs/config.md', configPage()],
    ['docs/config.schema.json', configSchemaFile()],
    ['docs/metrics.md', await metricsPage()],
  ]);
}

if (import.meta.main) {
  const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..');
  for (const [file, text] of await generatedDocs()) {
    mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    writeFileSync(path.join(root, file), text);
    console.log(file);
  }
}
