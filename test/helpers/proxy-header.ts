// Headers of the PROXY protocol, v2, as a proxy writes them.

const SIGNATURE = Buffer.from("\r\n\r\n\0\r\nQUIT\n", "latin1");

export const FAMILY = { none: 0x00, tcp4: 0x11, tcp6: 0x21, unix: 0x31 } as const;
export const COMMAND = { local: 0x20, proxy: 0x21 } as const;

/** `block` is the addresses and ports, and TLVs behind them. */
export function proxyHeaderV2(command: number, family: number, block: Uint8Array): Buffer {
  const fixed = Buffer.from([command, family, block.length >> 8, block.length & 0xff]);
  return Buffer.concat([SIGNATURE, fixed, block]);
}

/** Source, destination, ports. */
export function tcp4Block(source: readonly number[]): Buffer {
  return Buffer.from([...source, 192, 0, 2, 80, 0x12, 0x34, 0, 80]);
}
