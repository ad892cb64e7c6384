// A server on the TypeScript SDK's second line: `legacy` answers the handshake only, `dual` serves both eras.
import { McpServer } from '@modelcontextprotocol/server';
import { serveStdio, StdioServerTransport } from '@modelcontextprotocol/server/stdio';
import * as z from 'zod';

function makeServer() {
    const server = new McpServer({ name: 'letters', version: '2.4' });
    server.registerTool('reverse', { description: 'Turns a text round', inputSchema: z.object({ text: z.string() }) },
        async ({ text }) => {
            if (text === '') throw new Error('nothing to turn round');
            return { content: [{ type: 'text', text: [...text].reverse().join('') }] };
        });
    server.registerResource('alphabet', 'letters://alphabet', { mimeType: 'text/plain' },
        async uri => ({ contents: [{ uri: uri.href, text: 'abc' }] }));
    return server;
}

if (process.argv[2] === 'dual') {
    serveStdio(makeServer);
} else {
    await makeServer().connect(new StdioServerTransport());
}
