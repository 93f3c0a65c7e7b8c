import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { chainLengthMax } from '../pki/certificate.ts';
import type { CertificateEvidence } from '../pki/client-certificate.ts';
import type { ChainMemory } from './chain-memory.ts';

/** What a client has shown; `unreadable` when Node.js cannot make anything of it. */
export type ShownCertificate =
  | { readonly is: 'none' }
  | { readonly is: 'unreadable' }
  | {
      readonly is: 'shown';
      readonly leaf: X509Certificate;
      readonly chain: readonly X509Certificate[];
    };

/**
 * The certificate of the client and what came with it. Reading takes it out of the connection: the
 * second time, the chain is empty.
 */
export function takeCertificate(socket: TLSSocket): ShownCertificate {
  try {
    const leaf = socket.getPeerX509Certificate();
    if (leaf === undefined) return { is: 'none' };
    const chain: X509Certificate[] = [];
    let issuer = leaf.issuerCertificate;
    // One more than may be, so that whoever judges sees that there are too many.
    while (issuer !== undefined && chain.length < chainLengthMax) {
      chain.push(issuer);
      issuer = issuer.issuerCertificate;
    }
    return { is: 'shown', leaf, chain };
  } catch {
    return { is: 'unreadable' };
  }
}

/** Of a leaf and the issuers that are remembered with it: what OCPP allows as a text. */
const chainBytesMax = 10_000;

/** The evidence for whoever judges it, with the issuers from `memory` where a session is resumed. */
export function evidenceOf(
  socket: TLSSocket,
  shown: Extract<ShownCertificate, { is: 'shown' }>,
  memory: ChainMemory,
): CertificateEvidence {
  const { leaf } = shown;
  const isChainVerified = socket.authorized;
  if (socket.isSessionReused()) {
    return { leaf, chain: memory.recall(leaf), isChainVerified };
  }
  // Longer ones are no charger's, and strangers must not fill the memory with them.
  const bytes = shown.chain.reduce((sum, { raw }) => sum + raw.length, leaf.raw.length);
  if (bytes <= chainBytesMax) memory.note(leaf, shown.chain);
  return { leaf, chain: shown.chain, isChainVerified };
}
