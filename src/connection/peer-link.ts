import type { PeerSocket } from './peer-socket.ts';

/**
 * What a session needs of the CSMS's side: a socket, or something that stands in for the CSMS while
 * a charger is being commissioned.
 */
export type PeerLink = Pick<
  PeerSocket,
  'start' | 'send' | 'sendOwn' | 'close' | 'pause' | 'resume' | 'isCongested' | 'isOverwhelmed'
>;
