// ES modules throughout, with a library that can only be instrumented through hooks for ES modules.
import { createServer } from 'node:http';
import { Hono } from 'hono';
import reportUsage from './report-usage.cjs';

const app = new Hono();
app.get('/users/:id', (context) => context.json({ id: context.req.param('id') }));
const server = createServer(async (request, response) => {
  const { status, headers, body } = await app.request(request.url);
  response.writeHead(status, { 'content-type': headers.get('content-type') });
  for await (const chunk of body) response.write(chunk);
  response.end();
});
server.listen(0, '127.0.0.1', () => reportUsage.listening(server.address().port));
