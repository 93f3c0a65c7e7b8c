import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseConfig } from '../../src/config/load.ts';
import { runGatewatt } from '../support/command-line.ts';
import { fencedBlocks, pages, textOf } from './repository.ts';

// Goal: whoever types what the pages say gets what the pages promise.
// Method: every command in a `sh` block must exist, with the options that are shown; every block
// that is marked as a configuration must parse.
describe('commands and configurations in the documentation', () => {
  const packageJson = JSON.parse(textOf('package.json')) as {
    readonly scripts: Readonly<Record<string, string>>;
  };

  test('the README names the two commands that a newcomer needs', () => {
    const commands = commandsIn('README.md');
    assert.ok(commands.includes('npm start'));
    assert.ok(commands.includes('npm test'));
  });

  test('every npm script that a page names exists', () => {
    const own = new Set(['start', 'test', ...Object.keys(packageJson.scripts)]);
    for (const file of pages()) {
      for (const command of commandsIn(file)) {
        const script = /^npm (?:run )?(start|test|(?<=run )\S+)/.exec(command)?.[1];
        if (script === undefined) continue;
        assert.ok(own.has(script) && script in packageJson.scripts, `${file}: ${command}`);
      }
    }
  });

  test('every gatewatt command that a page names exists, with its options', async () => {
    const helps = new Map<string, string>();
    for (const file of pages()) {
      for (const command of commandsIn(file)) {
        const match = /^(?:(?:npx|bin\/)?\s?gatewatt|npm start --)\s+(.*)$/.exec(command);
        if (match === null) continue;
        const words = (match[1] ?? '').split(/\s+/);
        const names = words.slice(0, words.findIndex((it) => it.startsWith('-')) >>> 0);
        const subcommand = names.filter((it) => /^[a-z][a-z-]*$/.test(it));
        const key = subcommand.join(' ');
        const help = helps.get(key) ?? (await runGatewatt(...subcommand, '--help')).stdout;
        helps.set(key, help);
        const [, known = '?', rest = ''] = /^Usage: gatewatt ((?:[a-z]+ )*)(.*)$/m.exec(help) ?? [];
        assert.ok(`${key} `.startsWith(known), `${file}: ${command}`);
        const isGroup = rest.endsWith('[command]');
        assert.ok(!isGroup || known === `${key} `.trimStart(), `${file}: ${command}`);
        for (const option of words.filter((it) => it.startsWith('--') && it !== '--')) {
          const name = option.split('=')[0] ?? option;
          assert.ok(name === '--help' || help.includes(name), `${file}: ${command}: ${name}`);
        }
      }
    }
    assert.notEqual(helps.size, 0);
  });

  test('every configuration in the pages passes `gatewatt check`', () => {
    let count = 0;
    for (const file of pages()) {
      for (const { info, text } of fencedBlocks(textOf(file))) {
        if (!/^ya?ml config$/.test(info)) continue;
        count += 1;
        const config = parseConfig(text);
        assert.deepEqual(config.ok ? [] : config.error, [], file);
      }
    }
    assert.ok(count >= 3, 'no configuration was found');
  });

  test('every excerpt of a configuration in the pages passes, with the required rest added', () => {
    for (const file of pages()) {
      for (const { info, text } of fencedBlocks(textOf(file))) {
        if (!/^ya?ml excerpt$/.test(info)) continue;
        const config = parseConfig(text + missingSections(text));
        assert.deepEqual(config.ok ? [] : config.error, [], `${file}: ${text}`);
      }
    }
  });

  test('every YAML block is marked as configuration, excerpt, or something else', () => {
    for (const file of pages()) {
      for (const { info } of fencedBlocks(textOf(file))) {
        assert.doesNotMatch(info, /^ya?ml$/, `${file}: write "yaml config" or "yaml excerpt"`);
      }
    }
  });
});

/** The commands in the `sh` blocks of a page, without prompts, comments and continuations. */
function commandsIn(file: string): readonly string[] {
  return fencedBlocks(textOf(file))
    .filter(({ info }) => info === 'sh')
    .flatMap(({ text }) => text.replaceAll('\\\n', ' ').split('\n'))
    .map((line) => line.replace(/\s+#.*$/, '').trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
}

function missingSections(text: string): string {
  const rest = [
    /^listeners:/m.test(text)
      ? ''
      : 'listeners:\n  - name: field\n    address: 127.0.0.1:9000\n' +
        '    securityProfile: 0\n    allowUnauthenticated: true\n',
    /^csms:/m.test(text) ? '' : 'csms:\n  url: ws://127.0.0.1:9001/ocpp\n',
  ];
  return `\n${rest.join('')}`;
}
