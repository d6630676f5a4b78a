// CRC-32C (RFC 3720 B.4), which the server keeps of files; Node only has the CRC-32 of zip files.

/** The polynomial of Castagnoli, its bits reversed. */
const POLYNOMIAL = 0x82f63b78;
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) {
    value = value & 1 ? (value >>> 1) ^ POLYNOMIAL : value >>> 1;
  }
  return value;
});

/** Returns the checksum of what `before` is the checksum of, followed by `data`. */
export function crc32c(data: Uint8Array, before = 0): number {
  let value = ~before;
  for (let at = 0; at < data.length; at++) {
    value = TABLE[(value ^ data[at]!) & 0xff]! ^ (value >>> 8);
  }
  return ~value >>> 0;
}
