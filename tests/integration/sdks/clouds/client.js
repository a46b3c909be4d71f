// Calls a cloud by its vendor's SDK: `client.js VENDOR`, see ../README.md. On stdin
// {"settings": {...}, "steps": [[operation, arguments], ...]}, on stdout what each step gave, as JSON.
'use strict';

const fs = require('node:fs');

// What tests tell errors by, however the SDK names it.
const summary = (problem) => ({
  name: problem.name,
  code: problem.code ?? problem.Code ?? null,
  status: problem.statusCode ?? problem.status ?? problem.$metadata?.httpStatusCode ?? null,
  message: String(problem.message),
});

async function main(vendor) {
  const { settings, steps } = JSON.parse(fs.readFileSync(0, 'utf8'));
  const operations = await require(`./${vendor}.js`).open(settings);
  const results = [];
  for (const [operation, given] of steps) {
    try {
      results.push({ value: await operations[operation](given) });
    } catch (problem) {
      results.push({ error: summary(problem) });
    }
  }
  process.stdout.write(JSON.stringify(results));
}

main(process.argv[2]).then(() => process.exit(0), (problem) => {
  console.error(problem);
  process.exit(1);
});
