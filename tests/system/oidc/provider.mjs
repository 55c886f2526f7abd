// A real OpenID Connect provider for tests: oidc-provider (certified), with one client and two people.
// Usage: node provider.mjs CALLBACK_URL CLIENT_SECRET     prints "issuer http://127.0.0.1:PORT"; ends with stdin.
import http from "node:http";
import {createRequire} from "node:module";
import {pathToFileURL} from "node:url";

// The package lies where the test installed it, not beside this file.
const resolve = createRequire(process.env.DENDRO_OIDC_PACKAGES + "/").resolve;
const {default: Provider} = await import(pathToFileURL(resolve("oidc-provider")).href);

const [callback, secret] = process.argv.slice(2);
const people = {
  anna: {email: "anna@example.org", tenant_ids: ["shop"], roles: ["reader"]},
  root: {email: "root@example.org", tenant_ids: ["*"], roles: ["admin"]},
};

const server = http.createServer();
await new Promise((done) => server.listen(0, "127.0.0.1", done));
const issuer = `http://127.0.0.1:${server.address().port}`;
const provider = new Provider(issuer, {
  clients: [{
    client_id: "dendro", redirect_uris: [callback], response_types: ["code"], grant_types: ["authorization_code"],
    ...(secret ? {client_secret: secret} : {token_endpoint_auth_method: "none"}),
  }],
  pkce: {required: () => true, methods: ["S256"]},
  claims: {openid: ["sub", "email", "tenant_ids", "roles"]},
  conformIdTokenClaims: false,  // claims in the ID token itself
  findAccount: (ctx, id) => people[id] && {accountId: id, claims: () => ({sub: id, ...people[id]})},
  features: {devInteractions: {enabled: true}},  // its own pages ask who signs in, and for consent
  cookies: {keys: ["keys of the tests"]},
});
server.on("request", provider.callback());
console.log(`issuer ${issuer}`);
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
