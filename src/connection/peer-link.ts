import type { PeerSocket } from './peer-socket.ts';

/**
 * What a session needs of the CSMS's side: a socket, or something that stands in for the CSMS while
 * a charger is being commissioned.
 */
export type PeerLink = Pick<
  PeerSocket,
  'start' | 'send' | 'sendOwn' | 'close' | 'pause' | 'resume' | 'isCongested' | 'isOverwhelmed'
>;

/** What a session needs of the charger's side. */
export type ChargerLink = PeerLink & ProbedSocket;

/** What asking for a sign of life needs. */
export type ProbedSocket = Pick<
  PeerSocket,
  'ping' | 'isOpen' | 'isPaused' | 'heardAtMs' | 'hasAnsweredPing'
>;
