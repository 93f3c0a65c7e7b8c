import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import { wholeNumber } from './whole-number.ts';

type Values = Readonly<Record<string, string | boolean | undefined>>;

/** The command line of a benchmark. What is wrong with it is told without a stack, exit code 2. */
export class CommandLine {
  readonly #values: Values;

  /** @param help the text of `--help`. */
  constructor(help: string, names: readonly string[]) {
    const options: ParseArgsOptionsConfig = { help: { type: 'boolean' } };
    for (const name of names) options[name] = { type: 'string' };
    this.#values = orEnd(() => parseArgs({ options }).values as Values);
    if (this.#values['help'] !== true) return;
    process.stdout.write(`${help.trim()}\n`);
    process.exit(0);
  }

  /** The text of an option; undefined without it. */
  text(name: string): string | undefined {
    const value = this.#values[name];
    return typeof value === 'string' ? value : undefined;
  }

  /** A whole number; `normally` without the option. */
  number(name: string, range: readonly [number, number], normally: number): number {
    if (this.#values[name] === undefined) return normally;
    return orEnd(() => wholeNumber(this.#values, name, range));
  }

  /** One of `choices`; the first without the option. */
  choice<Choice extends string>(name: string, choices: readonly [Choice, ...Choice[]]): Choice {
    const text = this.text(name) ?? choices[0];
    return orEnd(() => {
      const found = choices.find((choice) => choice === text);
      if (found === undefined) throw new RangeError(`--${name} is one of ${choices.join(', ')}`);
      return found;
    });
  }
}

function orEnd<Value>(read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\nTry --help.\n`);
    process.exit(2);
  }
}
