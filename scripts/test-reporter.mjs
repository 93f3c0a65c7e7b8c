// Node's test reporter with a dot a test, then the failures in full, then what was left out and why,
// then Node's own summary.
import { spec } from 'node:test/reporters';

export default async function* reporter(source) {
  const summary = new spec();
  const leftOut = [];
  const path = [];
  let column = 0;
  for await (const event of source) {
    if (event.type === 'test:start') path[event.data.nesting] = event.data.name;
    if (event.type === 'test:pass' && isSkipped(event.data)) {
      // A suite that is left out takes its tests with it, without a word about them.
      const all = event.data.details?.type === 'suite' ? ', with all its tests' : '';
      const name = path.slice(0, event.data.nesting + 1).join(' > ');
      leftOut.push({ what: `${name}${all}`, reason: event.data.skip });
    }
    if (event.type === 'test:pass' && event.data.details?.type !== 'suite') {
      column = (column + 1) % 100;
      yield column === 0 ? '.\n' : '.';
    } else if (event.type === 'test:fail') {
      yield 'X';
    }
    const isWanted =
      event.type === 'test:summary' ||
      event.type === 'test:diagnostic' ||
      event.type === 'test:fail' ||
      event.type === 'test:stderr';
    if (!isWanted) continue;
    if (event.type === 'test:diagnostic' || event.type === 'test:summary') {
      if (column !== 0) {
        column = 0;
        yield '\n';
      }
    }
    if (event.type === 'test:summary') yield* describeLeftOut(leftOut.splice(0));
    summary.write(event);
    let chunk = summary.read();
    while (chunk !== null) {
      yield chunk.toString();
      chunk = summary.read();
    }
  }
  summary.end();
  for await (const chunk of summary) yield chunk.toString();
}

function isSkipped({ skip }) {
  return skip !== undefined && skip !== false;
}

function* describeLeftOut(leftOut) {
  for (const { what, reason } of leftOut) {
    yield `left out: ${what}\n`;
    yield `  because ${typeof reason === 'string' && reason !== '' ? reason : 'it says so'}\n`;
  }
}
