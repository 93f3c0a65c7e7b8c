// Node's test reporter with a dot a test, then the failures in full, then Node's own summary.
import { spec } from 'node:test/reporters';

export default async function* reporter(source) {
  const summary = new spec();
  let column = 0;
  for await (const event of source) {
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
