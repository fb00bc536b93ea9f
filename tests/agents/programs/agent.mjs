// An agent on one of the SDKs for TypeScript. It reads one JSON message a line and answers each with one:
// {package, url, mode, client, metadataUrl} -> {open} -> {callback} -> {tools, resources, result, token} -> {} -> …

import { createInterface } from 'node:readline';

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const read = async () => JSON.parse((await lines.next()).value);
const write = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);

const config = await read();
const { Client, StreamableHTTPClientTransport } =
  config.package === '@modelcontextprotocol/client'
    ? await import(config.package)
    : {
        ...(await import(`${config.package}/client/index.js`)),
        ...(await import(`${config.package}/client/streamableHttp.js`)),
      };

// What an app on the user's machine remembers.
const kept = { client: config.client ?? undefined };
const provider = {
  redirectUrl: config.redirectUri,
  clientMetadataUrl: config.metadataUrl ?? undefined,
  clientMetadata: {
    client_name: 'Agent of the tests',
    redirect_uris: [config.redirectUri],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
  },
  state: () => 'a-state',
  clientInformation: () => kept.client,
  saveClientInformation: (client) => void (kept.client = client),
  tokens: () => kept.tokens,
  saveTokens: (tokens) => void (kept.tokens = tokens),
  redirectToAuthorization: (url) => void (kept.opened = url.href),
  saveCodeVerifier: (verifier) => void (kept.verifier = verifier),
  codeVerifier: () => kept.verifier,
  invalidateCredentials: (scope) => void (scope === 'all' || scope === 'tokens' ? delete kept.tokens : undefined),
};

let client;
let transport;

async function connect() {
  const options = config.mode ? { versionNegotiation: { mode: config.mode } } : {};
  client = new Client({ name: 'tests', version: '1' }, options);
  transport = new StreamableHTTPClientTransport(new URL(config.url), { authProvider: provider });
  await client.connect(transport);
}

async function use() {
  const { tools } = await client.listTools();
  const result = await client.callTool({ name: config.tool, arguments: config.arguments });
  const { resources } = await client.listResources();
  const token = kept.tokens?.access_token;
  return { tools: tools.map((tool) => tool.name), result, resources: resources.map((each) => each.uri), token };
}

// The answer, or the page that the user has to open first.
async function attempt(work) {
  delete kept.opened;
  try {
    write(await work());
  } catch (error) {
    write(kept.opened ? { open: kept.opened } : { error: `${error.name}: ${error.message}` });
  }
}

await attempt(async () => {
  await connect();
  return use();
});
for await (const line of { [Symbol.asyncIterator]: () => lines }) {
  const message = JSON.parse(line);
  await attempt(async () => {
    if (message.callback) {
      const parameters = new URL(message.callback).searchParams;
      await transport.finishAuth(config.package === '@modelcontextprotocol/client' ? parameters : parameters.get('code'));
      await connect();
    }
    return use();
  });
}
process.exit(0);
