/** Who asks for a change, and from where: what histories and the audit log keep. */
export interface Requester {
  /** `user:ann@example.org`, `key:prometheus`. */
  readonly actor: string;
  readonly address?: string | undefined;
  readonly userAgent?: string | undefined;
  readonly requestId?: string | undefined;
}
