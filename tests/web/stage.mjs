// A stage before a running `trine serve`: its pages, with answers of the test's own where a state is hard to bring
// about. Whatever is not set is asked of the server. Events come from the test alone.

import { createServer } from 'node:http';

export class Stage {
    answers = new Map(); // path, without its query: what GET answers
    listeners = new Set();
    cut = false;

    static async start(server) {
        const s = new Stage();
        s.server = createServer((request, reply) => s.serve(server, request, reply).catch(() => reply.destroy()));
        await new Promise((up) => s.server.listen(0, '127.0.0.1', up));
        s.address = `http://127.0.0.1:${s.server.address().port}`;
        return s;
    }
    async serve(server, request, reply) {
        const { pathname } = new URL(request.url, server);
        if (this.cut)
            return reply.destroy();
        if (pathname === '/api/v1/events') {
            reply.writeHead(200, { 'Content-Type': 'text/event-stream' }).write(': on the stage\n\n');
            this.listeners.add(reply);
            reply.on('close', () => this.listeners.delete(reply));
            return;
        }
        if (this.answers.has(pathname)) {
            reply.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(this.answers.get(pathname)));
            return;
        }
        const answer = await fetch(`${server}${request.url}`, { method: request.method });
        const headers = Object.fromEntries([...answer.headers].filter(([name]) => !/^(content-(length|encoding)|connection|transfer-encoding)$/.test(name)));
        reply.writeHead(answer.status, headers).end(Buffer.from(await answer.arrayBuffer()));
    }
    // What GET answers from now on, and every page at once.
    set(path, data) { this.answers.set(`/api/v1/${path}`, data); }
    tell(event, data) {
        for (const reply of this.listeners)
            reply.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
    }
    // The server is gone, or there again.
    away(cut) {
        this.cut = cut;
        for (const reply of this.listeners)
            cut && reply.destroy();
    }
    end() {
        this.away(true);
        this.server.close();
        this.server.closeAllConnections();
    }
}
