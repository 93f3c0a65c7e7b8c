// `npm start` shows the demo; `npm start -- serve --config F` runs whatever is asked for.
if (process.argv.length === 2) process.argv.push('demo');
await import('../src/cmd/main.ts');
