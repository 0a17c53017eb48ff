const { createWriteStream } = require('node:fs');
const { fastify } = require('fastify');
const { listening } = require('./report-usage.cjs');

// With a logger, Fastify has pino write two lines for each request.
const logger = process.argv[2] === 'pino' && { stream: createWriteStream('/dev/null') };
const app = fastify({ logger });
app.get('/users/:id', async ({ params }) => ({ hello: 'world', id: params.id, items: [1, 2, 3] }));
app.listen({ port: 0, host: '127.0.0.1' }).then(() => listening(app.server.address().port));
