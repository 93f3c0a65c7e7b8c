import { fileURLToPath } from 'node:url';
import type { Contestant, ContestantName } from './contestant.ts';
import { freePort, startOnPort } from './on-port.ts';
import { packageVersion } from './package-version.ts';

/** A program of this folder that takes PORT CSMS_URL [CERTIFICATE_FILE KEY_FILE]. */
function nodeProgram(
  name: ContestantName,
  description: string,
  packageName: string,
  file: string,
): Contestant {
  const program = fileURLToPath(new URL(file, import.meta.url));
  return {
    name,
    description,
    version: () => `${packageName} ${packageVersion(packageName)}`,
    start: async (csmsUrl, transport, { certificate }) => {
      const port = await freePort();
      const { certificateFile, keyFile } = certificate;
      const tls = transport === 'tls' ? [certificateFile, keyFile] : [];
      return startOnPort(port, transport, process.execPath, [program, `${port}`, csmsUrl, ...tls]);
    },
  };
}

/** What the others are compared with. */
export const passThrough = nodeProgram(
  'pass-through',
  'a WebSocket server and a client of ws, which forward texts as they are',
  'ws',
  '../pass-through.ts',
);

/** Two ends of an OCPP library, back to back. */
export const ocppRpc = nodeProgram(
  'ocpp-rpc',
  'a server and a client of ocpp-rpc in strict mode, which make each call again',
  'ocpp-rpc',
  '../ocpp-rpc-gateway.ts',
);
