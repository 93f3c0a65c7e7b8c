import { cpSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { measuredGatewaySection, startMeasuredGateway } from '../../gateway-under-load.ts';
import { makeTemporaryFolder, removeTemporaryFolder } from '../measured-process.ts';
import type { Transport } from '../transport.ts';
import type { Contestant, Kit } from './contestant.ts';
import { runningOn } from './on-port.ts';
import { packageVersion } from './package-version.ts';

const checkout = fileURLToPath(new URL('../../..', import.meta.url));

/**
 * This checkout. Its store knows all chargers. Without TLS it has security profile 0, under TLS profile
 * 2, so that it verifies the password of every charger. How fast chargers are connected to the CSMS is
 * not limited.
 */
export const gatewatt: Contestant = {
  name: 'gatewatt',
  description:
    'gatewatt serve with its defaults (all rules, SQLite store, audit log, ramp limiter), but for csms.dialsPerSecond: 0',
  version: () => `${packageVersion('..')}, Node ${process.version}, ws ${packageVersion('ws')}`,
  start: async (csmsUrl, transport, kit) => {
    const folder = makeTemporaryFolder();
    const dataDir = path.join(folder, 'data');
    cpSync(kit.gatewattData, dataDir, { recursive: true });
    const gateway = await startMeasuredGateway(checkout, csmsUrl, {
      gateway: { ...measuredGatewaySection, dataDir },
      listeners: [
        { name: 'field', address: '127.0.0.1:0', path: '/ocpp', ...securityOf(transport, kit) },
      ],
      chargers: {},
      // Otherwise it is this limit that is measured: 50 connections a second by default.
      csms: { url: csmsUrl, dialsPerSecond: 0 },
    });
    return runningOn(`${transport === 'tls' ? 'wss' : 'ws'}://${gateway.address}/ocpp`, {
      ...gateway,
      stop: async () => {
        await gateway.stop();
        removeTemporaryFolder(folder);
      },
    });
  },
};

function securityOf(transport: Transport, { certificate }: Kit): object {
  if (transport === 'plain') return { securityProfile: 0, allowUnauthenticated: true };
  const { certificateFile: certFile, keyFile } = certificate;
  return { securityProfile: 2, tls: { certificates: [{ certFile, keyFile }] } };
}
