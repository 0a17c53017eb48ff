import { observeBroadcast } from '@signalbox/node';
import type { WebSocket } from 'ws';
import type { Peer } from './rpc.ts';

interface ChatMessage {
  readonly room: string;
  readonly sender: string;
  readonly text: string;
}

const maxRooms = 1000;
const maxTextLength = 4096;

/** Rooms whose members may be on any node. */
export class Chat {
  /** For calls of other nodes: a message to the members here, which answers how many they are. */
  readonly handlers = { 'chat.deliver': (message: unknown) => this.#deliver(message as ChatMessage) };
  readonly #rooms = new Map<string, Set<WebSocket>>();
  #peers: readonly Peer[] = [];

  join(peers: readonly Peer[]): void {
    this.#peers = peers;
  }

  /** Understands `{ "join": room }` and `{ "room", "sender", "text" }`; answers what it does not. */
  accept(socket: WebSocket): void {
    socket.on('message', (data) => {
      this.#understand(socket, String(data)).catch((error: unknown) => {
        socket.send(JSON.stringify({ error: error instanceof Error ? error.message : 'failed' }));
      });
    });
    socket.on('close', () => {
      for (const [room, members] of this.#rooms)
        if (members.delete(socket) && members.size === 0) this.#rooms.delete(room);
    });
  }

  async #understand(socket: WebSocket, text: string): Promise<void> {
    if (text.length > maxTextLength) throw new RangeError(`a message has at most ${maxTextLength} characters`);
    const { join, ...message }: { join?: string } & Partial<ChatMessage> = JSON.parse(text);
    if (join !== undefined) this.#enter(String(join), socket);
    else
      await this.#broadcast({ room: String(message.room), sender: String(message.sender), text: String(message.text) });
  }

  #enter(room: string, socket: WebSocket): void {
    if (!this.#rooms.has(room) && this.#rooms.size >= maxRooms)
      throw new RangeError(`there are ${maxRooms} rooms already`);
    const members = this.#rooms.get(room) ?? new Set();
    this.#rooms.set(room, members.add(socket));
    socket.send(JSON.stringify({ joined: room }));
  }

  /** To the members here and on every other node that can be reached. */
  async #broadcast(message: ChatMessage): Promise<number> {
    return await observeBroadcast(message, async () => {
      const elsewhere = await Promise.allSettled(this.#peers.map((peer) => peer.call('chat.deliver', message)));
      return elsewhere.reduce(
        (sum, outcome) => sum + (outcome.status === 'fulfilled' ? Number(outcome.value) : 0),
        this.#deliver(message),
      );
    });
  }

  #deliver(message: ChatMessage): number {
    const members = this.#rooms.get(message.room);
    for (const member of members ?? []) member.send(JSON.stringify(message));
    return members?.size ?? 0;
  }
}
