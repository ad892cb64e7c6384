// A client on the TypeScript SDK's first line: calls a tool of the reference server as a task and is asked meanwhile,
// calls one that gives up, and cancels a task. Arguments: the command that starts the server.
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { CallToolResultSchema, CreateTaskResultSchema, ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';

const PONDERED = 200; // milliseconds that the person takes before answering
const [command, ...args] = process.argv.slice(2);
const client = new Client({ name: 'of-the-first-line', version: '1' }, { capabilities: { elicitation: { form: {} } } });
client.setRequestHandler(ElicitRequestSchema, async () => {
    await sleep(PONDERED);
    return { action: 'accept', content: { interpretation: 'technical' } };
});
await client.connect(new StdioClientTransport({ command, args, stderr: 'ignore' }));

await client.listTools(); // tells it which tools want to be tasks
const research = ambiguous => ({ name: 'simulate-research-query', arguments: { topic: 'python', ambiguous } });
const heard = [];
for await (const message of client.experimental.tasks.callToolStream(research(true), CallToolResultSchema)) {
    heard.push(message.type);
}
const task = { ttl: 60_000 };
const begun = await client.request({ method: 'tools/call', params: { ...research(false), task } }, CreateTaskResultSchema);
await client.experimental.tasks.cancelTask(begun.task.taskId);
await client.experimental.tasks.listTasks();
await client.close();
console.log(JSON.stringify(heard));
