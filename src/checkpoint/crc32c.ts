// CRC-32C (Castagnoli): the polynomial of iSCSI (RFC 3720, appendix B.4), reflected. Node's zlib.crc32 is another one.

const polynomial = 0x82f63b78;

/** Eight tables of 256: the CRC of a byte that is followed by 0 to 7 others, so that eight go in one step ("slicing by 8"). */
const tables = makeTables();

/** Read only where it has elements. */
// biome-ignore lint/suspicious/noExplicitAny: an element of a checked index is a number, and a cast at each would hide the sum
type Filled = any;

function makeTables(): Uint32Array {
  const made = new Uint32Array(8 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1;
    made[byte] = crc;
  }
  for (let at = 256; at < made.length; at++) {
    const before = made[at - 256] as number;
    made[at] = (before >>> 8) ^ (made[before & 0xff] as number);
  }
  return made;
}

/** CRC of bytes[from, to), going on from `seed`, the CRC of what stands before it (0 at the start). Unsigned. */
export function crc32c(bytes: Uint8Array, seed = 0, from = 0, to = bytes.length): number {
  const [t, b] = [tables as Filled, bytes as Filled];
  let crc = ~seed;
  let i = from;
  for (; i + 8 <= to; i += 8) {
    crc ^= b[i] | (b[i + 1] << 8) | (b[i + 2] << 16) | (b[i + 3] << 24);
    crc =
      t[1792 + (crc & 0xff)] ^
      t[1536 + ((crc >>> 8) & 0xff)] ^
      t[1280 + ((crc >>> 16) & 0xff)] ^
      t[1024 + (crc >>> 24)] ^
      t[768 + b[i + 4]] ^
      t[512 + b[i + 5]] ^
      t[256 + b[i + 6]] ^
      t[b[i + 7]];
  }
  for (; i < to; i++) crc = t[(crc ^ b[i]) & 0xff] ^ (crc >>> 8);
  return ~crc >>> 0;
}
