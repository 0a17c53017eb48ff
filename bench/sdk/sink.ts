import http from 'node:http';
import type { AddressInfo } from 'node:net';

/** An OTLP receiver that only swallows: what it costs runs on the other core and is the same for all. */
const server = http.createServer((request, response) => {
  request.resume();
  request.on('end', () => {
    response.setHeader('content-type', 'application/x-protobuf');
    response.end();
  });
});
server.listen(0, '127.0.0.1', () => console.log(`port=${(server.address() as AddressInfo).port}`));
