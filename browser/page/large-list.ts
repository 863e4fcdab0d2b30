/** What is cloned at once: a millisecond or two on a phone. */
const PART_BYTES = 256 * 1024;
const PART_ITEMS = 512;
/** After so long the page gets a turn: a tenth of what is felt. */
const TURN_MS = 5;

/** A list in a body that is too large to be cloned in one turn of the page. */
export interface LargeList {
  readonly key: string;
  readonly items: readonly unknown[];
  /** How many items make a part. */
  readonly partLength: number;
}

/** The large list of a body, if it has one: rows, query vectors, keys. */
export function largeListOf(body: unknown): LargeList | undefined {
  if (typeof body !== 'object' || body === null) return undefined;
  for (const [key, items] of Object.entries(body)) {
    if (!Array.isArray(items)) continue;
    const itemBytes = Math.max(...[0, items.length >> 1, items.length - 1].map((at) => bytesOf(items[at])));
    const partLength = Math.max(1, Math.min(PART_ITEMS, Math.floor(PART_BYTES / itemBytes)));
    if (items.length > partLength) return { key, items, partLength };
  }
  return undefined;
}

/** Sends a list part by part, and lets the page do other things in between. The list must not change meanwhile. */
export async function sendParts(
  { items, partLength }: LargeList,
  send: (part: readonly unknown[]) => Promise<void>,
): Promise<void> {
  const sent: Promise<void>[] = [];
  let turnAt = performance.now();
  for (let start = 0; start < items.length; start += partLength) {
    if (performance.now() - turnAt > TURN_MS) {
      await nextTurn();
      turnAt = performance.now();
    }
    sent.push(send(items.slice(start, start + partLength).map(withOwnBuffers)));
  }
  await Promise.all(sent);
}

/** About how many bytes an item has when it is cloned. */
function bytesOf(item: unknown, depth = 0): number {
  if (typeof item === 'string') return 16 + 2 * item.length;
  if (ArrayBuffer.isView(item)) return 64 + item.byteLength;
  if (Array.isArray(item)) return 16 + 9 * item.length;
  if (typeof item !== 'object' || item === null || depth > 2) return 16;
  return Object.values(item).reduce((sum: number, value) => sum + 16 + bytesOf(value, depth + 1), 32);
}

/** A view is cloned with the whole buffer that it lies in, which may hold the vectors of all rows. */
function withOwnBuffers(item: unknown): unknown {
  if (isPartial(item)) return item.slice();
  if (typeof item !== 'object' || item === null || Array.isArray(item) || ArrayBuffer.isView(item)) return item;
  const partial = Object.entries(item).filter(([, value]) => isPartial(value));
  if (partial.length === 0) return item;
  return { ...item, ...Object.fromEntries(partial.map(([key, value]) => [key, (value as Float32Array).slice()])) };
}

function isPartial(value: unknown): value is Float32Array {
  return value instanceof Float32Array && value.byteLength < value.buffer.byteLength;
}

/** Lets tasks that wait have their turn; a timer would wait some milliseconds more. */
function nextTurn(): Promise<void> {
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve) => {
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}
