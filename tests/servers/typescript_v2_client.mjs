// A client on the TypeScript SDK's second line, which asks a server for its era first. Arguments: the command that
// starts the letters server.
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';

const [command, ...args] = process.argv.slice(2);
const client = new Client({ name: 'of-the-second-line', version: '2' }, { versionNegotiation: { mode: 'auto' } });
await client.connect(new StdioClientTransport({ command, args, stderr: 'ignore' }));
await client.listTools();
await client.callTool({ name: 'reverse', arguments: { text: 'abc' } });
await client.callTool({ name: 'reverse', arguments: { text: '' } });
await client.readResource({ uri: 'letters://alphabet' });
await client.close();
