// The lab's identity provider: npm oidc-provider with client credentials and JWT access tokens for the audience
// `sallyport`. It takes its settings from the environment (lab/provider.py starts it):
//   PROVIDER_PORT        port on 127.0.0.1
//   PROVIDER_PACKAGES    directory with node_modules
//   PROVIDER_SECRET      what every client authenticates with, and what the control requests below take
//   PROVIDER_KEYS        file in which the private signing keys are kept, for tests that forge tokens with real keys
//
// Every client id `agent-NAME` is known. Parameters of a token request beyond the standard's, for tests:
//   ttl       lifetime in seconds
//   alg       signature algorithm
//   claims    JSON object of further claims
//   bytes     at least this long shall the token be; a claim `entitlements` fills it up
//
// Control requests: POST /lab/rotate-keys (the new keys sign at once, the ones before stay published; with
// ?drop=previous they don't), POST /lab/outage?on=yes|no (discovery and keys answer 503).
import { generateKeyPairSync, randomBytes, timingSafeEqual } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const { PROVIDER_PORT, PROVIDER_PACKAGES, PROVIDER_SECRET, PROVIDER_KEYS } = process.env;
const module = join(PROVIDER_PACKAGES, 'node_modules/oidc-provider/lib/index.js');
const { default: Provider } = await import(pathToFileURL(module).href);

const issuer = `http://127.0.0.1:${PROVIDER_PORT}`;
const resource = 'urn:sallyport:gateway';
const lifetimeSeconds = 300;

function makeKeys() {
  const suffix = randomBytes(6).toString('hex');
  const pairs = [
    ['ES256', generateKeyPairSync('ec', { namedCurve: 'P-256' })],
    ['RS256', generateKeyPairSync('rsa', { modulusLength: 2048 })],
    ['EdDSA', generateKeyPairSync('ed25519')],
  ];
  return pairs.map(([alg, { privateKey }]) => (
    { ...privateKey.export({ format: 'jwk' }), use: 'sig', alg, kid: `${alg.toLowerCase()}-${suffix}` }));
}

// Nothing is kept: clients are known by the form of their name, and JWT access tokens need no memory.
class Adapter {
  constructor(model) { this.model = model; }

  async find(id) {
    if (this.model !== 'Client' || !/^agent-[a-z0-9._-]{1,64}$/.test(id)) return undefined;
    return {
      client_id: id,
      client_secret: PROVIDER_SECRET,
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
      id_token_signed_response_alg: 'ES256',
      token_endpoint_auth_method: 'client_secret_basic',
    };
  }

  async upsert() {}
  async consume() {}
  async destroy() {}
  async revokeByGrantId() {}
  async findByUid() { return undefined; }
  async findByUserCode() { return undefined; }
}

function requested(ctx) {
  const { ttl, alg, claims, bytes } = ctx.oidc.body ?? {};
  return { ttl: Number(ttl ?? lifetimeSeconds), alg: alg ?? 'ES256', claims: JSON.parse(claims ?? '{}'), bytes: Number(bytes ?? 0) };
}

// What real tokens are long by: a list of entitlements. A character of JSON is 4/3 characters of the token, and header,
// signature and the standard's claims are never below 400.
function entitlements(bytes, claims) {
  const rest = Math.ceil((bytes - 400) * 0.75) - JSON.stringify(claims).length;
  const one = (index) => `urn:example:entitlement:orders.read.region-${String(index).padStart(4, '0')}`;
  const count = Math.ceil(rest / (one(0).length + 3));
  return count > 0 ? { entitlements: Array.from({ length: count }, (_, index) => one(index)) } : {};
}

function extraClaims(ctx, token) {
  const { claims, bytes } = requested(ctx);
  const all = { groups: [`${token.clientId.replace(/^agent-/, '')}s`, 'agents'], env: 'lab', ...claims };
  return { ...all, ...entitlements(bytes, all) };
}

function makeProvider(keys) {
  return new Provider(issuer, {
    adapter: Adapter,
    jwks: { keys },
    extraTokenClaims: extraClaims,
    ttl: { ClientCredentials: (ctx) => requested(ctx).ttl },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => resource,
        useGrantedResource: () => true,
        getResourceServerInfo: (ctx) => ({
          audience: 'sallyport',
          scope: '',
          accessTokenFormat: 'jwt',
          accessTokenTTL: requested(ctx).ttl,
          jwt: { sign: { alg: requested(ctx).alg } },
        }),
      },
    },
  });
}

let keys;
let previousKeys = [];
let provider;
let outage = false;

function rotate(keepPrevious) {
  previousKeys = keepPrevious ? [...(keys ?? []), ...previousKeys].slice(0, 12) : [];
  keys = makeKeys();
  writeFileSync(PROVIDER_KEYS, JSON.stringify({ keys }), { mode: 0o600 });
  provider = makeProvider([...keys, ...previousKeys]).callback();
}

function mayControl(request) {
  const given = Buffer.from(request.headers.authorization ?? '');
  const due = Buffer.from(`Bearer ${PROVIDER_SECRET}`);
  return given.length === due.length && timingSafeEqual(given, due);
}

function control(request, response, url) {
  if (request.method !== 'POST' || !mayControl(request)) return response.writeHead(403).end();
  if (url.pathname === '/lab/rotate-keys') rotate(url.searchParams.get('drop') !== 'previous');
  else if (url.pathname === '/lab/outage') outage = url.searchParams.get('on') === 'yes';
  else return response.writeHead(404).end();
  return response.writeHead(204).end();
}

rotate(false);
const server = createServer((request, response) => {
  const url = new URL(request.url, issuer);
  if (url.pathname.startsWith('/lab/')) return control(request, response, url);
  if (outage && url.pathname !== '/token') return response.writeHead(503).end();
  return provider(request, response);
});
server.listen(Number(PROVIDER_PORT), '127.0.0.1');
process.on('SIGTERM', () => process.exit(0));
