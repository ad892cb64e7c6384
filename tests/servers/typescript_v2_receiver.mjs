// A client on the TypeScript SDK's second line that draws samples as tasks of its own, which the reference server
// polls. Arguments: the command that starts the reference server.
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { bindTaskReceiver } from '@modelcontextprotocol/ext-tasks/receiver';

const PONDERED = 200; // milliseconds that the model takes
const [command, ...args] = process.argv.slice(2);
const client = new Client({ name: 'a-receiver-of-tasks', version: '2' }, { capabilities: { sampling: {} } });
const receiver = bindTaskReceiver(client, {
    methods: { 'sampling/createMessage': true },
    pollIntervalMs: 100,
    sampling: async () => {
        await sleep(PONDERED);
        return { role: 'assistant', content: { type: 'text', text: 'drawn' }, model: 'm', stopReason: 'endTurn' };
    },
});
client.registerCapabilities({ tasks: receiver.capabilities });
await client.connect(new StdioClientTransport({ command, args, stderr: 'ignore' }));
await client.listTools();
const answer = await client.callTool({ name: 'trigger-sampling-request-async', arguments: { prompt: '?', maxTokens: 5 } });
receiver.close();
await client.close();
console.log(JSON.stringify(answer));
