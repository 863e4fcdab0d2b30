import { toHex } from '../base/bytes.ts';
import { crc32c } from '../base/crc32c.ts';
import { ElanusError } from '../base/error.ts';
import type { Random } from '../base/random.ts';
import type { Position } from './log.ts';

/*
 * One object of a log: a header, then the entry. Little-endian.
 *
 *    0  "ELWAL" 0 0, version u8          32  nonce, 16 bytes
 *    8  kind u8: 1 data, 2 fence; 0 × 3  48  payload bytes u32
 *   12  CRC32C of the header, with 0 here 52  CRC32C of the payload
 *   16  term u64                         56  fencing term u64 (of a fence)
 *   24  index u64                        64  the payload
 *
 * The header can be read alone: it says what lies in a slot, and by its nonce whose it is.
 */

/** Bytes of a frame's header; a fence is a header alone, and data has at least one byte more. */
export const FRAME_HEADER_BYTES: number = 64;
const MAGIC = [0x45, 0x4c, 0x57, 0x41, 0x4c, 0, 0];
const VERSION = 1;
const DATA = 1;
const FENCE = 2;

export interface FrameHeader {
  readonly kind: 'data' | 'fence';
  readonly position: Position;
  /** 128 random bits in hexadecimal: tells whose frame it is. */
  readonly nonce: string;
  readonly payloadBytes: number;
  readonly payloadCrc: number;
  /** The term whose opening put the fence there; 0 for data. */
  readonly fencingTerm: number;
}

/** A frame that holds an entry of at least one byte. */
export function encodeData(position: Position, payload: Uint8Array, random: Random): Uint8Array<ArrayBuffer> {
  return encodeFrame(DATA, position, payload, 0, random);
}

/** A fence in `position`: the log of its term ends there, because `fencingTerm` opens. */
export function encodeFence(position: Position, fencingTerm: number, random: Random): Uint8Array<ArrayBuffer> {
  return encodeFrame(FENCE, position, new Uint8Array(0), fencingTerm, random);
}

function encodeFrame(
  kind: number,
  position: Position,
  payload: Uint8Array,
  fencingTerm: number,
  random: Random,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(FRAME_HEADER_BYTES + payload.byteLength);
  const view = new DataView(bytes.buffer);
  bytes.set(MAGIC);
  view.setUint8(7, VERSION);
  view.setUint8(8, kind);
  view.setBigUint64(16, BigInt(position.term), true);
  view.setBigUint64(24, BigInt(position.index), true);
  for (let word = 0; word < 4; word++) view.setUint32(32 + 4 * word, random(), true);
  view.setUint32(48, payload.byteLength, true);
  view.setUint32(52, crc32c(payload), true);
  view.setBigUint64(56, BigInt(fencingTerm), true);
  view.setUint32(12, crc32c(bytes.subarray(0, FRAME_HEADER_BYTES)), true);
  bytes.set(payload, FRAME_HEADER_BYTES);
  return bytes;
}

/**
 * Reads a frame's header, from the whole frame or from its first bytes, and holds it against the slot that it was read
 * from. Throws `corrupt` naming the key, or `unsupported` if a newer Elanus wrote it: every format keeps magic, version
 * and checksum where they are.
 */
export function decodeHeader(bytes: Uint8Array, position: Position, key: string): FrameHeader {
  if (bytes.byteLength < FRAME_HEADER_BYTES) throw corrupt(key, 'it is shorter than a frame');
  const header = bytes.slice(0, FRAME_HEADER_BYTES);
  const view = new DataView(header.buffer);
  const crc = view.getUint32(12, true);
  view.setUint32(12, 0, true);
  if (crc32c(header) !== crc) throw corrupt(key, 'the checksum of its header is wrong');
  if (!MAGIC.every((byte, at) => header[at] === byte)) throw corrupt(key, 'it is no frame');
  const version = view.getUint8(7);
  if (version > VERSION) {
    const message = `The log object ${key} has format ${version}; this Elanus reads up to ${VERSION}. Use a newer one.`;
    throw new ElanusError('unsupported', message, { details: { key, version, versionMax: VERSION } });
  }
  if (version !== VERSION) throw corrupt(key, `there is no format ${version}`);
  const kind = view.getUint8(8);
  if (kind !== DATA && kind !== FENCE) throw corrupt(key, `there is no frame of kind ${kind}`);
  const found = { term: Number(view.getBigUint64(16, true)), index: Number(view.getBigUint64(24, true)) };
  if (found.term !== position.term || found.index !== position.index) {
    throw corrupt(key, `it holds the frame of another slot, ${found.term}/${found.index}`);
  }
  return {
    kind: kind === DATA ? 'data' : 'fence',
    position,
    nonce: toHex(header.subarray(32, 48)),
    payloadBytes: view.getUint32(48, true),
    payloadCrc: view.getUint32(52, true),
    fencingTerm: Number(view.getBigUint64(56, true)),
  };
}

/** The nonce of an encoded frame, as in its header. */
export function nonceOf(frame: Uint8Array): string {
  return toHex(frame.subarray(32, 48));
}

/** The payload of a whole frame whose header was read; a view of `bytes`. */
export function decodePayload(bytes: Uint8Array, header: FrameHeader, key: string): Uint8Array {
  const payload = bytes.subarray(FRAME_HEADER_BYTES);
  if (payload.byteLength !== header.payloadBytes) {
    throw corrupt(key, `it has ${payload.byteLength} bytes of payload, and its header says ${header.payloadBytes}`);
  }
  if (crc32c(payload) !== header.payloadCrc) throw corrupt(key, 'the checksum of its payload is wrong');
  return payload;
}

function corrupt(key: string, what: string): ElanusError {
  return new ElanusError('corrupt', `The log object ${key} is damaged: ${what}. Restore it from a copy.`, {
    details: { key },
  });
}
