/** What the shared suites may name beside ECMAScript: every host of the tests has these. */

declare class AbortController {
  readonly signal: AbortSignal;
  abort(reason?: unknown): void;
}

declare function structuredClone<Value>(value: Value, options?: { transfer?: readonly ArrayBuffer[] }): Value;
declare function setTimeout(callback: () => void, ms?: number): unknown;
