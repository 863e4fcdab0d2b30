import { transferHandlers } from 'comlink';
import { fromPlainError, type PlainError, toPlainError } from '../core/base/error.ts';

/** What Comlink hands to its handler of thrown values; the shape is Comlink's own. */
interface Thrown {
  readonly value: unknown;
}

interface Serialized {
  readonly plain: PlainError;
}

/**
 * Errors cross Comlink in their plain form and are rebuilt as `ElanusError` on the other side: structured clone drops
 * `code`, `milvusCode` and `details`. Both sides call this once, before anything is exposed or wrapped.
 */
export function carryErrors(): void {
  const standard = transferHandlers.get('throw');
  if (standard === undefined) return;
  transferHandlers.set('throw', {
    canHandle: standard.canHandle,
    serialize: (thrown: Thrown): [Serialized, never[]] => [{ plain: toPlainError(thrown.value) }, []],
    deserialize: (serialized: Serialized): never => {
      throw fromPlainError(serialized.plain);
    },
  });
}
