/** Servers of the SDK itself, whose requests are none of the application's. */
export const ownServers = new WeakSet<object>();
