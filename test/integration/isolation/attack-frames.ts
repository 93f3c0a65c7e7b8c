import { at, greetingPort, type SiteCharger, strayPort } from '../../support/charger-site.ts';
import {
  arp,
  datagram,
  type Ends,
  echoRequest,
  everybody,
  neighbourAdvertisement,
  neighbourSolicitation,
  routerAdvertisement,
  tcpSyn,
} from '../../support/ethernet-frames.ts';
import { listenerPort } from '../../support/isolated-gateway.ts';

/** The attacker, and its two victims. */
export type ThreeChargers = readonly [SiteCharger, SiteCharger, SiteCharger];

/** Pings, datagrams and connections to everybody, from its own address and from those of others. */
export function floodOfLies(chargers: ThreeChargers): readonly Buffer[] {
  const [{ address, address6, gatewayMac, mac }, second, third] = chargers;
  const addresses4 = [second.address, third.address, at.uplink, at.site, at.gateway];
  const addresses6 = [second.address6, third.address6, at.uplink6, at.site6, at.gateway6];
  const strange4 = ['127.0.0.1', '255.255.255.255', '192.168.1.255', '224.0.0.1'];
  const routes: readonly (readonly [from: string, to: string])[] = [
    ...[...addresses4, ...strange4].flatMap((to) =>
      [address, second.address, at.site, '203.0.113.7'].map((from) => [from, to] as const),
    ),
    ...[...addresses6, 'ff02::1'].flatMap((to) =>
      [address6, second.address6, '2001:db8::7'].map((from) => [from, to] as const),
    ),
  ];
  // To the other end of the cable, to everybody, and to those who are not there any more.
  const macs = [gatewayMac, everybody, second.mac, third.mac, bridgeMac(chargers)];
  return routes.flatMap(([from, to]) =>
    macs.flatMap((toMac) => {
      const ends: Ends = { fromMac: mac, toMac, from, to };
      return [
        echoRequest(ends),
        datagram(ends, strayPort),
        tcpSyn(ends, 40_001, greetingPort),
        tcpSyn(ends, 40_002, strayPort),
      ];
    }),
  );
}

/** A switch of Linux takes the lowest address of its cables. */
function bridgeMac([first]: ThreeChargers): string {
  return first.gatewayMac;
}

/** "I am the gateway", and "I am charger 3", to charger 2 and to everybody, in every way. */
export function spoofs(chargers: ThreeChargers): readonly Buffer[] {
  const [{ mac: fromMac }, second, third] = chargers;
  const ipv6Everybody = { toMac: '33:33:00:00:00:01', to: 'ff02::1' };
  const ends = { fromMac, toMac: second.mac };
  return [
    ...[at.gateway, third.address].flatMap((from) => [
      arp({ ...ends, from, to: second.address }, 'reply'),
      arp({ ...ends, toMac: everybody, from, to: from }, 'request'),
      arp({ ...ends, toMac: everybody, from, to: second.address }, 'request'),
    ]),
    ...[at.gateway6, third.address6].flatMap((from) => [
      neighbourAdvertisement({ ...ends, from, to: second.address6 }, from),
      neighbourAdvertisement({ fromMac, ...ipv6Everybody, from }, from),
    ]),
    routerAdvertisement({ fromMac, ...ipv6Everybody, from: 'fe80::bad' }, 'fd00:bad::'),
  ];
}

/** Neighbours that invent themselves: more than a kernel remembers by default, in four ways. */
export function floodsOfNeighbours(chargers: ThreeChargers): readonly (readonly Buffer[])[] {
  const [{ gatewayMac, mac: fromMac }] = chargers;
  const numbers = Array.from({ length: 3000 }, (_, index) => index + 0x1000);
  const ends = (from: string, to: string): Ends => ({ fromMac, toMac: gatewayMac, from, to });
  const hosts = numbers.map((number) => `fd00:1::${number.toString(16)}`);
  const hosts4 = numbers.map((number) => `192.168.${number >> 8}.${number & 0xff}`);
  return [
    hosts.map((from) => neighbourSolicitation(ends(from, at.gateway6), at.gateway6)),
    hosts4.map((from) => arp(ends(from, at.gateway), 'request')),
    // Whoever is answered must be found first.
    hosts.map((from) => tcpSyn(ends(from, at.gateway6), 40_003, listenerPort)),
    hosts4.map((from) => tcpSyn(ends(from, at.gateway), 40_004, listenerPort)),
  ];
}
