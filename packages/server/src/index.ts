/** The `signalbox` program as a library: what an embedding program or a test starts. */
export { main } from './main.ts';
