import type { EventSink } from '../events/emit.ts';
import type { Clock } from '../lib/clock.ts';
import type { ClientTrust } from '../pki/trust.ts';
import type { Arrival } from './arrival.ts';
import {
  abandonDoor,
  type Door,
  type DoorContext,
  type DoorOptions,
  type DoorSettings,
  openDoor,
} from './door.ts';
import { readCertificates } from './listener-certificates.ts';
import { type Network, systemNetwork } from './network.ts';
import type { ListenerTls } from './tls-material.ts';

/** One way for chargers to connect, at one door or many. */
export interface ListenerOptions extends DoorSettings {
  /** Those that it begins with. There may be none: others can be opened later. */
  readonly doors: readonly DoorOptions[];
  /** For security profiles 2 and 3; without it, chargers connect without TLS. */
  readonly tls?: ListenerTls | undefined;
}

/** A listener that is open. */
export interface ChargerListener {
  readonly name: string;
  /** `host:port` of the first door that is in no isolated network; `isolated` without one. */
  readonly address: string;
  /** Of the same door; 0 without one. */
  readonly port: number;
  /** Whose certificates count at this moment; undefined where none is asked for. */
  clientTrust(): ClientTrust | undefined;
  /**
   * Opens a further door, which is closed with the others. It takes the place of an older door into
   * the same isolated network: whoever opens one there anew has lost the network of the older one.
   *
   * @throws the system's error when the address cannot be had, Error when the listener is closed.
   */
  openDoor(door: DoorOptions): Promise<void>;
  /** Stops taking connections, at all doors. Those that were accepted stay. */
  close(): Promise<void>;
}

/**
 * Opens a listener and hands each well-formed upgrade request to `onArrival`.
 *
 * @throws the system's error when an address cannot be had; an Error that names the file when one of
 *   TLS cannot be used. Then nothing stays open.
 */
export async function openChargerListener(
  options: ListenerOptions,
  onArrival: (arrival: Arrival) => void,
  emit: EventSink,
  clock: Clock,
  network: Network = systemNetwork,
): Promise<ChargerListener> {
  const { doors, handshakeSeconds, name, tls } = options;
  const waiting = [...doors];
  let listener: DoorKeeper | undefined;
  try {
    const certificates =
      tls && (await readCertificates({ name, handshakeSeconds, tls }, emit, clock));
    listener = new DoorKeeper({ settings: options, certificates, onArrival, emit, clock, network });
    for (let door = waiting.shift(); door !== undefined; door = waiting.shift()) {
      await listener.openDoor(door);
    }
    certificates?.announce();
    return listener;
  } catch (error) {
    for (const door of waiting) abandonDoor(door);
    await listener?.close();
    throw error;
  }
}

class DoorKeeper implements ChargerListener {
  readonly #context: DoorContext;
  readonly #doors: Door[] = [];
  #isClosed = false;

  constructor(context: DoorContext) {
    this.#context = context;
  }

  get name(): string {
    return this.#context.settings.name;
  }

  get address(): string {
    return this.#shownDoor()?.address ?? 'isolated';
  }

  get port(): number {
    return this.#shownDoor()?.port ?? 0;
  }

  clientTrust(): ClientTrust | undefined {
    return this.#context.certificates?.clientTrust();
  }

  async openDoor(options: DoorOptions): Promise<void> {
    try {
      this.#demandOpen();
      const door = await openDoor(options, this.#context);
      const { network } = options;
      const older =
        network === undefined ? -1 : this.#doors.findIndex((it) => it.network === network);
      if (older < 0) this.#doors.push(door);
      else this.#doors.splice(older, 1, door)[0]?.close();
      // It may have been closed meanwhile, which did not reach this door.
      if (this.#isClosed) door.close();
      this.#demandOpen();
    } catch (error) {
      abandonDoor(options);
      throw error;
    }
  }

  close(): Promise<void> {
    this.#isClosed = true;
    for (const door of this.#doors) door.close();
    this.#context.certificates?.close();
    return Promise.resolve();
  }

  /** @throws Error when it is closed. */
  #demandOpen(): void {
    if (this.#isClosed) throw new Error(`the listener ${this.name} is closed`);
  }

  #shownDoor(): Door | undefined {
    return this.#doors.find(({ network }) => network === undefined);
  }
}
