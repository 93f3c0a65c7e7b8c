import { invariant } from '../../../lib/assert.ts';
import type { Clock } from '../../../lib/clock.ts';
import { ipv4Number, isHostAddress } from './ip-address.ts';

/** Which addresses there are to give away. */
export interface DhcpRange {
  /** IPv4, the gateway's own. It is never given away. */
  readonly serverAddress: string;
  /** Bits of `serverAddress` that name the network, 1 to 32. */
  readonly prefixLength: number;
  /** IPv4, the first address of the range. */
  readonly from: string;
  /** IPv4, the last one, at most 255 after `from`. */
  readonly to: string;
}

/** Addresses in a range; the memory of the leases is bounded by it. */
const rangeMax = 256;

/**
 * How long an offered address waits for its client. A client that is there asks for it within a
 * second or two; a flood of invented ones keeps no address for longer.
 */
const offerSeconds = 10;

/** How long an address is left alone after a client found that another host has it. */
const declinedSeconds = 300;

const never = Number.NEGATIVE_INFINITY;

/** Whose an address is, or was. All times are of `Clock.elapsedMs`. */
interface Binding {
  /** Undefined for an address that was declined: `offeredUntilMs` is when it may be tried again. */
  readonly client: string | undefined;
  readonly offeredUntilMs: number;
  /** When the lease ends, or ended; never, when it was offered only. */
  readonly leasedUntilMs: number;
}

/**
 * Who has which address of the range. In memory only, one address for a client.
 *
 * An address is chosen in this order: the client's own, also when its lease has ended; the one it
 * wishes, if nobody is remembered for it; one that nobody is remembered for; the one whose lease
 * ended first; one that was declined, the oldest first, since a client that declines what it gets
 * must not use up the range. A lease that has been acknowledged is nobody else's before it ends.
 *
 * What this cannot do: tell invented clients from real ones. Who asks for and gets all addresses
 * that are free keeps them for the time of a lease; those who have one keep theirs.
 *
 * A restart loses all leases. A client that then renews an address of the range which nobody else
 * has gets it acknowledged, as does one that reboots and remembers it. This is deliberate: the
 * gateway is the only server in this network, so nobody else can have given the address away, and
 * a refusal would cost each charger its address, and with it its connection, in the middle of a
 * charge. (RFC 2131 section 4.3.2 lets a server without a record be silent for the sake of others.)
 *
 * Source: RFC 2131 section 4.3.1.
 */
export class DhcpLeases {
  readonly #first: number;
  readonly #last: number;
  readonly #clock: Clock;
  readonly #mayHave: (address: number) => boolean;
  /** By address; and for each client its address here. */
  readonly #bindings = new Map<number, Binding>();
  readonly #addresses = new Map<string, number>();

  /** @throws {BrokenInvariant} when the range goes down, or has more than 256 addresses. */
  constructor(range: DhcpRange, clock: Clock) {
    const { prefixLength } = range;
    const server = ipv4Number(range.serverAddress);
    this.#first = ipv4Number(range.from);
    this.#last = ipv4Number(range.to);
    this.#clock = clock;
    const size = this.#last - this.#first + 1;
    invariant(size >= 1 && size <= rangeMax, 'a DHCP range has 1 to 256 addresses');
    invariant(prefixLength >= 1 && prefixLength <= 32, 'a prefix has 1 to 32 bits');
    this.#mayHave = (address) =>
      address >= this.#first &&
      address <= this.#last &&
      address !== server &&
      isHostAddress(address, server, prefixLength);
  }

  /**
   * Keeps an address for `client` for some seconds, and takes nothing from others who hold one.
   *
   * @param wanted what the client would like to have.
   * @returns undefined when all addresses are held.
   */
  offer(client: string, wanted: number | undefined): number | undefined {
    const own = this.#addresses.get(client);
    const address = own ?? this.#wantedIfFree(wanted) ?? this.#choose();
    if (address === undefined) return undefined;
    const leasedUntilMs = own === undefined ? never : this.#binding(own).leasedUntilMs;
    const offeredUntilMs = this.#nowMs + offerSeconds * 1000;
    this.#bind(address, { client, offeredUntilMs, leasedUntilMs });
    return address;
  }

  /**
   * Leases `address` to `client`, from now for `leaseSeconds`, again or for the first time.
   *
   * @param how.isInUse the client has the address and works with it. What was only offered to
   *   another then gives way: that one asks again, this one would lose its connection.
   * @returns false, and changes nothing, when the address is not of the range or another's, or when
   *   the client holds another one.
   */
  acknowledge(
    client: string,
    address: number,
    how: { readonly leaseSeconds: number; readonly isInUse: boolean },
  ): boolean {
    if (!this.#mayHave(address)) return false;
    const holder = this.#bindings.get(address);
    if (holder !== undefined && holder.client !== client && this.#isHeld(holder)) {
      const isOnlyOffered = holder.client !== undefined && !this.#isLeased(holder);
      if (!how.isInUse || !isOnlyOffered) return false;
    }
    const own = this.#addresses.get(client);
    if (own !== undefined && own !== address && this.#isHeld(this.#binding(own))) return false;
    const leasedUntilMs = this.#nowMs + how.leaseSeconds * 1000;
    this.#bind(address, { client, offeredUntilMs: never, leasedUntilMs });
    return true;
  }

  /** Ends the lease of `client` at `address`, if it has that one. It is remembered. */
  release(client: string, address: number): void {
    const binding = this.#heldBy(client, address);
    if (binding === undefined) return;
    if (!this.#isLeased(binding)) this.withdraw(client);
    else this.#bind(address, { client, offeredUntilMs: never, leasedUntilMs: this.#nowMs });
  }

  /** Leaves `address` alone for some minutes, if `client` has it: another host answers there. */
  decline(client: string, address: number): void {
    if (this.#heldBy(client, address) === undefined) return;
    const offeredUntilMs = this.#nowMs + declinedSeconds * 1000;
    this.#bind(address, { client: undefined, offeredUntilMs, leasedUntilMs: never });
  }

  /** Takes back what was offered to `client`; a lease, also one that has ended, stays as it is. */
  withdraw(client: string): void {
    const address = this.#addresses.get(client);
    if (address === undefined) return;
    const { leasedUntilMs } = this.#binding(address);
    if (leasedUntilMs === never) this.#forget(address);
    else this.#bind(address, { client, offeredUntilMs: never, leasedUntilMs });
  }

  get #nowMs(): number {
    return this.#clock.elapsedMs();
  }

  #isLeased({ leasedUntilMs }: Binding): boolean {
    return this.#nowMs < leasedUntilMs;
  }

  #isHeld(binding: Binding): boolean {
    return this.#isLeased(binding) || this.#nowMs < binding.offeredUntilMs;
  }

  #heldBy(client: string, address: number): Binding | undefined {
    const binding = this.#bindings.get(address);
    return binding?.client === client && this.#isHeld(binding) ? binding : undefined;
  }

  #wantedIfFree(wanted: number | undefined): number | undefined {
    if (wanted === undefined || !this.#mayHave(wanted)) return undefined;
    return this.#rank(this.#bindings.get(wanted)) === never ? wanted : undefined;
  }

  #choose(): number | undefined {
    let chosen: number | undefined;
    let lowest = Number.POSITIVE_INFINITY;
    for (let address = this.#first; address <= this.#last; address += 1) {
      const rank = this.#mayHave(address) ? this.#rank(this.#bindings.get(address)) : undefined;
      if (rank === undefined || rank >= lowest) continue;
      [chosen, lowest] = [address, rank];
    }
    return chosen;
  }

  /** Who comes first gets it: the lowest rank is given away first, undefined not at all. */
  #rank(binding: Binding | undefined): number | undefined {
    if (binding === undefined) return never;
    if (!this.#isHeld(binding)) return binding.leasedUntilMs;
    // Declined: these times lie in the future, so they come after all leases that have ended.
    return binding.client === undefined ? binding.offeredUntilMs : undefined;
  }

  #binding(address: number): Binding {
    const binding = this.#bindings.get(address);
    invariant(binding !== undefined, 'each client has a binding');
    return binding;
  }

  /** Writes both maps, so that they agree. */
  #bind(address: number, binding: Binding): void {
    this.#forget(address);
    const { client } = binding;
    if (client !== undefined) {
      const before = this.#addresses.get(client);
      if (before !== undefined) this.#forget(before);
      this.#addresses.set(client, address);
    }
    this.#bindings.set(address, binding);
  }

  #forget(address: number): void {
    const client = this.#bindings.get(address)?.client;
    if (client !== undefined) this.#addresses.delete(client);
    this.#bindings.delete(address);
  }
}
