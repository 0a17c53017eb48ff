// CommonJS: what `--require` patches of the stock packages reaches.
const { createServer } = require('node:http');
const { listening } = require('./report-usage.cjs');

const server = createServer((_request, response) => {
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ hello: 'world', n: 42, items: [1, 2, 3] }));
});
server.listen(0, '127.0.0.1', () => listening(server.address().port));
