import { X509Certificate } from 'node:crypto';
import type { EventSink } from '../events/emit.ts';
import type { Clock } from '../lib/clock.ts';
import { failed, ok, type Result } from '../lib/result.ts';
import { readPem } from '../pki/pem.ts';
import type { CsmsTls } from './csms-tls.ts';
import { ExpiryWatch } from './expiry-watch.ts';
import {
  type CsmsTlsFiles,
  contextProblem,
  fileBytesMax,
  type OwnCertificate,
  pairFiles,
  readPair,
  textOf,
} from './tls-material.ts';
import { type FileTexts, type WatchedFile, watchFiles } from './watched-files.ts';

/** What stands for the name of a listener in the events about the files of the CSMS. */
const eventName = 'csms';

/** The files of the CSMS, read again when they change. */
export interface CsmsTlsWatch {
  /** What is in force. The same object until the files change. */
  current(): CsmsTls;
  close(): void;
}

/**
 * Reads the files of the CSMS, and looks for changes from then on. Connections that are open notice
 * nothing of a change.
 *
 * @throws Error when they cannot be used; its message names the file.
 */
export async function watchCsmsTls(
  files: CsmsTlsFiles,
  clock: Clock,
  emit: EventSink,
): Promise<CsmsTlsWatch> {
  const expiries = new ExpiryWatch(eventName, emit, clock);
  const watched = await watchFiles(
    {
      files: csmsFiles(files),
      parse: (texts) => readCsms(files, texts),
      onChanged: () => {},
      onFailed: (detail) => emit({ name: 'TlsReloadFailed', listener: eventName, detail }),
      onLook: () => expiries.look(watched.current().certificates),
    },
    clock,
  );
  expiries.look(watched.current().certificates);
  return { current: () => watched.current().tls, close: () => watched.close() };
}

/** What the files of the CSMS hold. */
interface CsmsMaterial {
  readonly tls: CsmsTls;
  readonly certificates: readonly OwnCertificate[];
}

/** Certificates in one file. */
const certificatesMax = 1024;

function csmsFiles({ caFile, clientCertificate }: CsmsTlsFiles): readonly WatchedFile[] {
  return [
    ...(caFile === undefined ? [] : [{ path: caFile, bytesMax: fileBytesMax }]),
    ...(clientCertificate === undefined ? [] : pairFiles(clientCertificate)),
  ];
}

/** The failure names the file. */
function readCsms(
  { caFile, clientCertificate, ...settings }: CsmsTlsFiles,
  texts: FileTexts,
): Result<CsmsMaterial, string> {
  const ca = caFile === undefined ? undefined : textOf(texts, caFile);
  if (caFile !== undefined && ca !== undefined) {
    const problem = authoritiesProblem(ca);
    if (problem !== undefined) return failed(`${caFile}: ${problem}`);
  }
  if (clientCertificate === undefined) return ok({ tls: { ...settings, ca }, certificates: [] });
  const pair = readPair(clientCertificate, texts);
  if (!pair.ok) return pair;
  const { cert, key, own } = pair.value;
  const problem = contextProblem({ cert, key });
  if (problem !== undefined) return failed(`${clientCertificate.certFile}: ${problem}`);
  const tls = { ...settings, ca, clientCertificate: { cert, key } };
  return ok({ tls, certificates: [own] });
}

function authoritiesProblem(pem: string): string | undefined {
  const limits = { charsMax: fileBytesMax, countMax: certificatesMax };
  const blocks = readPem(pem, ['CERTIFICATE', 'X509 CERTIFICATE', 'TRUSTED CERTIFICATE'], limits);
  if (!blocks.ok) return blocks.error;
  const index = blocks.value.findIndex((der) => {
    try {
      new X509Certificate(der);
      return false;
    } catch {
      return true;
    }
  });
  return index === -1 ? undefined : `certificate ${index + 1} cannot be read`;
}
