// One operation of a library, against a server at `port`: what runs is the same bare, with us and with the stock packages.
const { once } = require('node:events');

exports.clients = {
  async 'pg query'(port) {
    const { Client } = require('pg');
    const client = new Client({ host: '127.0.0.1', port, user: 'postgres', database: 'postgres' });
    await client.connect();
    return () => client.query('SELECT $1::int AS id, now() AS time', [7]);
  },
  async 'ioredis get'(port) {
    const { Redis } = require('ioredis');
    const redis = new Redis({ host: '127.0.0.1', port });
    await redis.set('user:7', 'somebody');
    return () => redis.get('user:7');
  },
  async 'amqplib publish and consume'(port) {
    const { connect } = require('amqplib');
    const connection = await connect({ hostname: '127.0.0.1', port });
    const channel = await connection.createChannel();
    const { queue } = await channel.assertQueue('', { exclusive: true });
    const waiting = [];
    const body = Buffer.from('{"order":7}');
    await channel.consume(queue, (message) => {
      channel.ack(message);
      waiting.shift()();
    });
    return () =>
      new Promise((consumed) => {
        waiting.push(consumed);
        channel.sendToQueue(queue, body);
      });
  },
  // The server is what is observed; its client costs the same in all.
  async 'ws message'(_port, observe) {
    const { WebSocket, WebSocketServer } = require('ws');
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    server.on('connection', (socket) => {
      const echo = (data) => socket.send(data);
      socket.on('message', observe ? (data, isBinary) => observe(data, isBinary, echo) : echo);
    });
    await once(server, 'listening');
    const client = new WebSocket(`ws://127.0.0.1:${server.address().port}`);
    await once(client, 'open');
    const waiting = [];
    client.on('message', () => waiting.shift()());
    return () =>
      new Promise((echoed) => {
        waiting.push(echoed);
        client.send('{"text":"hello"}');
      });
  },
};
