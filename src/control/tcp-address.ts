/** Where the control API is served over TCP. Pure. */

export interface TcpAddress {
  /** A name or an address, IPv6 without its brackets. */
  readonly host: string;
  readonly port: number;
}

export function isLoopback(host: string): boolean {
  return /^(localhost|127(\.\d+){3}|::1|::ffff:127(\.\d+){3})$/i.test(host);
}

export function addressText({ host, port }: TcpAddress): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
