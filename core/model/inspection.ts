/** What the engine tells of itself: its memory, what a database consists of, where a search spends its time. */

/**
 * What memory is for. In the kernel's WebAssembly memory: `vectors` (of growing and loaded segments, and the space of
 * searches) and `spare` (taken from the host, and free at the moment). In JavaScript: `growing` (scalar columns and key
 * indexes of rows that lie only in the log), `columns` (loaded scalar columns and key indexes of flushed segments),
 * `deletes`, `log` (writes on their way), `flush` and `load` (what these hold besides, while they run), `caches` (values
 * out of JSON documents that filters keep). Not counted: answers on their way, and the objects of a database whose
 * storage is memory.
 */
export type MemoryKind = 'vectors' | 'spare' | 'growing' | 'columns' | 'deletes' | 'log' | 'flush' | 'load' | 'caches';

/** The memory of one engine. */
export interface MemoryUse {
  /** Bytes that the engine holds: the sum of all kinds. Never above `bytesMax`. */
  readonly bytes: number;
  /** The budget: of `open`, or the host's. */
  readonly bytesMax: number;
  /** The most bytes that were held at any time. */
  readonly bytesPeak: number;
  /** Typed arrays and WebAssembly memory are counted exactly, texts and tables by their sizes in V8. */
  readonly kinds: Readonly<Record<MemoryKind, number>>;
}

/** Of `inspect`. */
export interface InspectBody {
  /** Only this collection; without it, all of the database. */
  readonly collectionName?: string;
  /** `default` if absent. */
  readonly dbName?: string;
}

/** What a database consists of now. */
export interface Inspection {
  readonly memory: MemoryUse;
  /** By name. */
  readonly collections: readonly CollectionInspection[];
}

/** One collection of an inspection. */
export interface CollectionInspection {
  readonly collectionName: string;
  readonly collectionID: number;
  /** Whether it can be searched. */
  readonly loaded: boolean;
  /** Rows that are not known to be deleted. */
  readonly rowCount: number;
  readonly channels: readonly ChannelInspection[];
}

/** A stream of writes, and the segments that they have become. */
export interface ChannelInspection {
  readonly channel: string;
  /** Whether this engine has claimed the channel; it does so at its first write, and only reads before. */
  readonly role: 'owner' | 'reader';
  /** How often the channel was claimed so far. */
  readonly term: number;
  /** The first position of the log that is still needed. */
  readonly checkpoint: { readonly term: number; readonly index: number };
  /** Entries and bytes of the log since the checkpoint. */
  readonly tailFrames: number;
  readonly tailBytes: number;
  /** When a flush last moved the checkpoint, in milliseconds since the epoch; absent before the first. */
  readonly flushedAt?: number;
  /** Rows that are not known to be deleted. */
  readonly rowCount: number;
  /** In the order of their rows, the growing one last. */
  readonly segments: readonly SegmentInspection[];
}

/** A part of a channel's rows. */
export interface SegmentInspection {
  readonly id: string;
  readonly state: 'growing' | 'sealed' | 'flushed';
  /** Deleted ones included. */
  readonly rows: number;
  /** Rows that are not known to be deleted. */
  readonly liveRows: number;
  /** Of its objects in the storage; 0 for what lies only in the log. */
  readonly bytesStored: number;
  /** Bytes of memory that it holds now, in the kernel and in JavaScript: 0 if nothing of it is loaded. */
  readonly bytesInMemory: number;
  /** How its vectors are searched. */
  readonly indexType: 'FLAT';
}

/** Where one search spent its time; every number is in milliseconds. */
export interface SearchTrace {
  readonly totalMs: number;
  /** Checking the body, finding the collection and parsing the filter. */
  readonly planMs: number;
  /** The channels' answers, which are asked at once; the sending between workers is in it. */
  readonly channelsMs: number;
  /** Merging the answers and making rows of them. */
  readonly mergeMs: number;
  readonly channels: readonly ChannelTrace[];
}

/** A channel's part of a search. Its steps follow one another. */
export interface ChannelTrace {
  readonly channel: string;
  /** Until there was a view that the guarantee allows: opening the channel, the proof of ownership, writes in flight. */
  readonly waitMs: number;
  /** In the order in which they were searched. */
  readonly segments: readonly SegmentTrace[];
  /** Picking the nearest of all segments. */
  readonly mergeMs: number;
  /** Reading the output fields of the winners. */
  readonly fetchMs: number;
}

/** A segment's part of a search. */
export interface SegmentTrace {
  readonly id: string;
  readonly state: 'growing' | 'sealed' | 'flushed';
  readonly rows: number;
  /** Rows that deletes and the filter leave: those that are searched. */
  readonly rowsAllowed: number;
  /** Bringing its keys and fields into memory, as far as they were not there. */
  readonly loadMs: number;
  readonly filterMs: number;
  readonly scanMs: number;
}
