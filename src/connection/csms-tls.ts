/** How the CSMS is verified, and how the gateway shows who it is. Read from files; all PEM. */
export interface CsmsTls {
  /** The authorities that count; undefined for those that Node.js trusts. */
  readonly ca?: string | undefined;
  /** The name that the certificate must have and that is sent (SNI), if not the host of the URL. */
  readonly serverName?: string | undefined;
  /**
   * SHA-256 of the certificate, hexadecimal in any case, with or without colons. One of them must
   * match, beside all other checks; none means any.
   */
  readonly pinnedSha256: readonly string[];
  /** Neither chain nor name is verified. The pins still are. */
  readonly acceptsAnyCertificate: boolean;
  readonly clientCertificate?: { readonly cert: string; readonly key: string } | undefined;
}
