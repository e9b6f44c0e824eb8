// Validates a stream of requests (JSON lines as record_requests and the simulator's
// control/requests write them) against the platforms' published descriptions, and proves itself by
// spoiling each accepted request in ways that must be refused.
//
//   node validate.mjs --specs FOLDER [--record PROGRAM | FILE | -]
//
// FOLDER holds koyeb.json, render.json, railway.graphql and expo.graphql; Netlify's description
// comes from its npm package. Output is TAP. Without folder or packages the test is skipped and
// says why.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

function skip(why) {
  console.log(`1..0 # SKIP ${why}`);
  process.exit(0);
}

const options = { specs: '', record: '', input: '-' };
for (let args = process.argv.slice(2); args.length;) {
  const word = args.shift();
  if (word === '--specs') options.specs = args.shift() ?? '';
  else if (word === '--record') options.record = args.shift();
  else options.input = word;
}
if (!options.specs) skip('the folder of API descriptions is not given (meson -Dspecs=FOLDER)');
for (const file of ['koyeb.json', 'render.json', 'railway.graphql', 'expo.graphql'])
  if (!existsSync(join(options.specs, file))) skip(`${file} is not in ${options.specs}`);

let openapi, byHand, graphql, netlify;
try {
  ({ openapi, byHand } = await import('./openapi.mjs'));
  ({ graphql } = await import('./graphql.mjs'));
  netlify = createRequire(import.meta.url)('@netlify/open-api');
} catch (error) {
  skip(`the packages are not installed (npm ci in tests/contract): ${error.code}`);
}

const read = (file) => readFileSync(join(options.specs, file), 'utf8');
const text = { type: 'string' };

// Described nowhere but on pages for people; each with its page.
const renderHook = byHand([
  // https://render.com/docs/deploy-hooks
  { method: 'POST', path: /^\/deploy\/srv-[^/]+$/, query: ['key', 'ref', 'imgURL'] },
]);
const expoRest = byHand([
  // https://docs.expo.dev/eas/workflows/rest-api
  {
    method: 'POST',
    path: /^\/v2\/workflows\/dispatch$/,
    body: {
      type: 'object',
      required: ['appId', 'gitRef', 'fileName'],
      properties: {
        appId: { type: 'string', format: 'uuid' },
        gitRef: text,
        fileName: { type: 'string', pattern: '^[^/]+\\.ya?ml$' },
        inputs: { type: 'object', additionalProperties: text },
      },
    },
  },
  { method: 'GET', path: /^\/v2\/workflows\/runs\/[^/]+$/ },
]);
const renderApi = openapi(JSON.parse(read('render.json')), '/v1');
const expoGraphql = graphql(read('expo.graphql'), '/graphql');

const platforms = {
  koyeb: openapi(JSON.parse(read('koyeb.json')), ''),
  render: (r) => (r.path.startsWith('/deploy/') ? renderHook(r) : renderApi(r)),
  railway: graphql(read('railway.graphql'), '/graphql/v2'),
  expo: (r) => (r.path.startsWith('/v2/') ? expoRest(r) : expoGraphql(r)),
  netlify: openapi(netlify, netlify.basePath),
};

const lines = (
  options.record
    ? execFileSync(options.record, { encoding: 'utf8', maxBuffer: 1 << 28 })
    : readFileSync(options.input === '-' ? 0 : options.input, 'utf8')
).split('\n');

// Every one of these must make an accepted request unacceptable.
const spoils = {
  'another method': (r) => ({ ...r, method: 'TRACE' }),
  'another path': (r) => ({ ...r, path: `/nowhere${r.path}` }),
  'an unknown query parameter': (r) =>
    r.body?.query === undefined && { ...r, query: { ...r.query, nonsense: '1' } },
  'an unknown member': (r) => r.body !== undefined && { ...r, body: { ...r.body, nonsense: 1 } },
  'an unknown field': (r) =>
    r.body?.query && {
      ...r,
      body: { ...r.body, query: r.body.query.replace(/\{([^{}]*)\}\s*\}/, '{ nonsense $1 } }') },
    },
  'a variable of another type': (r) =>
    r.body?.query &&
    r.body.variables && {
      ...r,
      body: {
        ...r.body,
        variables: Object.fromEntries(Object.keys(r.body.variables).map((k) => [k, ['x']])),
      },
    },
};

function label(request) {
  const name = /(?:query|mutation)[^{]*\{\s*(\w+)/.exec(request.body?.query ?? '')?.[1];
  return `${request.platform} ${request.method} ${request.path}${name ? ` ${name}` : ''}`;
}

let tests = 0;
let failed = 0;
let others = 0;
let refused = 0;
const seen = new Set();

function report(good, what, details = []) {
  tests++;
  if (!good) failed++;
  console.log(`${good ? 'ok' : 'not ok'} ${tests} - ${what}`);
  for (const line of details) console.log(`# ${line}`);
}

for (const line of lines.filter((l) => l.trim())) {
  const request = JSON.parse(line);
  const check = platforms[request.platform];
  if (!check) {
    others++;
    continue;
  }
  request.query ??= {};
  request.headers ??= {};
  const errors = check(request);
  const what = label(request);
  if (errors.length || !seen.has(what)) report(errors.length === 0, what, errors);
  seen.add(what);
  if (errors.length) continue;
  for (const [how, spoil] of Object.entries(spoils)) {
    const spoilt = spoil(request);
    if (!spoilt || JSON.stringify(spoilt) === JSON.stringify(request)) continue;
    if (check(spoilt).length === 0) report(false, `${what} with ${how} must be refused`);
    else refused++;
  }
}
console.log(`# ${refused} spoilt requests were refused`);
if (others) console.log(`# ${others} requests to platforms without a published description`);
if (tests === 0) report(false, 'there is at least one request to check');
console.log(`1..${tests}`);
process.exit(failed ? 1 : 0);
