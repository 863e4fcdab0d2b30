/** Every bound of the engine, with its reason. Past a bound the caller gets a typed error, never a surprise. */

/** An object of the store: four of them in flight fit an isolate of 128 MB. */
export const OBJECT_BYTES_MAX: number = 32 * 1024 * 1024;
/** A key of the store: R2 allows 1,024 bytes; half leaves room for prefixes. */
export const KEY_BYTES_MAX: number = 512;
/** Keys deleted in one request: R2's and S3's own limit. */
export const DELETE_KEYS_MAX: number = 1000;

/** One request to one channel is one record; larger requests are refused before anything is written. */
export const RECORD_BYTES_MAX: number = 16 * 1024 * 1024;
/** A log entry holds one batch of records: at least one record of the largest size, and its framing. */
export const LOG_ENTRY_BYTES_MAX: number = RECORD_BYTES_MAX + 1024 * 1024;
/** Appends in flight in one log: the window that the tail probe looks back over. */
export const LOG_APPENDS_IN_FLIGHT_MAX: number = 4;

/** A flush starts when the unflushed tail reaches either: a cold open reads at most the tail. */
export const FLUSH_TAIL_FRAMES: number = 256;
export const FLUSH_TAIL_BYTES: number = 8 * 1024 * 1024;
/** Or this long after the last write, so that an idle collection lies in segments. */
export const FLUSH_IDLE_MS: number = 5_000;
/** The tail never passes these: further writes are `overloaded` until a flush is done. */
export const TAIL_FRAMES_MAX: number = 512;
export const TAIL_BYTES_MAX: number = 32 * 1024 * 1024;

/**
 * A channel knows the answers of a client for this long after its last write, in the log's time: several times as long
 * as anyone sends a lost write again, and short enough that tabs long gone cost no memory.
 */
export const REQUEST_MEMORY_MS: number = 600_000;
/** Clients whose answers a channel knows, the newest: more tabs than a browser holds open, in a manifest of a few KiB. */
export const REQUEST_CLIENTS_MAX: number = 256;
/** Answers of one client that it may still ask for; past it its writes are `overloaded` until it has heard some. */
export const REQUEST_ANSWERS_PER_CLIENT_MAX: number = 4_096;
/** Answers that a channel knows in all, the clients that wrote last: under a MiB in the manifest. */
export const REQUEST_ANSWERS_MAX: number = 16_384;

/** Keys that an announced change names: what a listener may want to look up one by one; more are only counted. */
export const CHANGE_KEYS_MAX: number = 1_000;

/** An HTTP body, and with it one request. */
export const REQUEST_BYTES_MAX: number = 16 * 1024 * 1024;
/** An answer between roles: Durable Object RPC carries at most 32 MiB serialized. */
export const ANSWER_BYTES_MAX: number = 24 * 1024 * 1024;

/** Milvus's own bounds (its defaults), which its clients know. */
export const NAME_BYTES_MAX: number = 255;
export const DESCRIPTION_BYTES_MAX: number = 1024;
export const COLLECTIONS_MAX: number = 65_536;
export const FIELDS_MAX: number = 256;
export const VECTOR_FIELDS_MAX: number = 10;
export const SHARDS_MAX: number = 16;
export const DIMENSION_MIN: number = 2;
export const DIMENSION_MAX: number = 32_768;
export const VARCHAR_BYTES_MAX: number = 65_535;
export const ARRAY_CAPACITY_MAX: number = 4_096;
export const DYNAMIC_ROW_BYTES_MAX: number = 65_536;
export const JSON_DEPTH_MAX: number = 1024;
/** `limit`, `limit + offset` and the number of query vectors of one search. */
export const TOP_K_MAX: number = 16_384;
export const QUERY_VECTORS_MAX: number = 16_384;
/** A filter text, and how deep it may nest: the parser is recursive, and its stack is the host's. */
export const EXPRESSION_BYTES_MAX: number = 1024 * 1024;
export const EXPRESSION_DEPTH_MAX: number = 200;
/** Values out of JSON documents that filters keep, of all columns together: an eighth of an isolate. */
export const FILTER_JSON_BYTES_MAX: number = 16 * 1024 * 1024;

/** A claimless or bounded answer may be this old (Milvus's own staleness of Bounded). */
export const BOUNDED_STALENESS_MS: number = 5_000;
/** A channel takes a new timestamp range when its own is older: row times stay near the clock. */
export const TIMESTAMP_RANGE_AGE_MS_MAX: number = 10_000;
/** Objects dropped, and frames truncated, are deleted this much later: a reader may still be on its way to them. */
export const GARBAGE_GRACE_MS: number = 60_000;
/** How often a reader that meets a missing object reloads the manifest. */
export const READ_RETRIES_MAX: number = 3;

/** Texts of one call of an embedder that does not say how many it wishes. */
export const EMBED_BATCH_DEFAULT: number = 64;
/** An embedder's call is made this often before its failure is the caller's: with the pauses, about 8 seconds. */
export const EMBED_ATTEMPTS_MAX: number = 5;
/** The pause before the second attempt; each further one is twice as long. */
export const EMBED_BACKOFF_MS: number = 500;
/** A server that asks for a longer pause than this is not waited for. */
export const EMBED_PAUSE_MS_MAX: number = 60_000;
/** Embedded texts and vectors that each embedder keeps in memory: about 10,000 of 384 values. */
export const EMBEDDING_CACHE_BYTES: number = 16 * 1024 * 1024;
/** Rows with texts are written in requests of this many, so that a stop loses little and a log gets few frames. */
export const TEXT_ROWS_PER_REQUEST: number = 256;
/** And of about this many bytes: as JSON, which takes three times as much, they fit a request. */
export const TEXT_BYTES_PER_REQUEST: number = 4 * 1024 * 1024;
