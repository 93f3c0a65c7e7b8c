import { readFile } from 'node:fs/promises';
import type { ListenerOptions } from '../connection/charger-listener.ts';

/** Files that the gateway needs beside those of chargers: the store, listeners, scrapes, look-ups. */
const otherFiles = 200;
/** A charger has a connection to the gateway, and the gateway one to the CSMS for it. */
const filesPerCharger = 2;

/** How many files this process may have open; undefined where the system does not say. */
export async function openFilesMax(): Promise<number | undefined> {
  try {
    return limitIn(await readFile('/proc/self/limits', 'utf8'));
  } catch {
    // Not Linux.
    return undefined;
  }
}

/** The soft limit, which Node.js raises to the hard one when it starts. */
export function limitIn(limits: string): number | undefined {
  const [, soft] = /^Max open files\s+(\d+)/m.exec(limits) ?? [];
  return soft === undefined ? undefined : Number(soft);
}

/** The connections that a process with so many files can bear; at least one. */
export function connectionsThatFit(filesMax: number): number {
  return Math.max(1, Math.floor((filesMax - otherFiles) / filesPerCharger));
}

/**
 * The same listeners with no more connections than that. Without a file left, the system closes new
 * connections, and nobody is told; nor can the CSMS be called, or anybody look at the gateway's health.
 */
export function withinFiles(
  listeners: readonly ListenerOptions[],
  connectionsMax: number,
): readonly ListenerOptions[] {
  return listeners.map((listener) => ({
    ...listener,
    doors: listener.doors.map((door) => ({
      ...door,
      connectionsMax: Math.min(door.connectionsMax, connectionsMax),
    })),
  }));
}
