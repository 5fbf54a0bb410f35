// A real identity provider on a port of this machine, for tests: whoever comes is ada, and agrees to everything.
//
// node oidc_provider.mjs PATH_OF_THE_MODULE; the first line that it prints is its issuer. It ends with its input. Its own
// development pages log people in: two forms, which the test fills in as a browser would.
import { createServer } from 'node:http';
import { pathToFileURL } from 'node:url';

const { Provider } = await import(pathToFileURL(process.argv[2]).href);

const listening = createServer((request, response) => provider.callback()(request, response));
await new Promise((done) => listening.listen(0, '127.0.0.1', done));
const issuer = `http://127.0.0.1:${listening.address().port}`;

const provider = new Provider(issuer, {
  scopes: ['openid', 'offline_access', 'notes:read', 'notes:write'],
  clients: [
    { client_id: 'robot', client_secret: 's3cret', grant_types: ['client_credentials'], redirect_uris: [], response_types: [] },
  ],
  features: {
    clientCredentials: { enabled: true },
    dPoP: { enabled: true },
    registration: { enabled: true },
    resourceIndicators: {
      enabled: true,
      useGrantedResource: () => true,
      getResourceServerInfo: (context, indicator) => ({
        scope: 'notes:read notes:write',
        audience: indicator,
        accessTokenFormat: 'jwt',
        accessTokenTTL: 3600,
        jwt: { sign: { alg: 'RS256' } },
      }),
    },
  },
  findAccount: (context, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  issueRefreshToken: () => true,
});
console.log(issuer);
process.stdin.resume().on('end', () => process.exit(0));
