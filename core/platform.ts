import type { Random } from './base/random.ts';
import type { Change } from './model/change.ts';
import type { ObjectStore } from './storage/object-store.ts';
import type { Clock } from './time/clock.ts';
import type { Residency } from './vector/residency.ts';
import type { LogStore } from './wal/log.ts';
import type { GroupCommitCost } from './wal/wal.ts';

/** Something worth counting or timing: plain, without secrets and without rows. */
export interface TraceEvent {
  readonly name: string;
  readonly details?: Readonly<Record<string, string | number | boolean>>;
}

/**
 * What a host gives the engine. `core` reads time, chance and the outside world through this and nothing else, so
 * that a whole cluster can be run in one thread from a seed.
 */
export interface Platform {
  readonly objects: ObjectStore;
  readonly logs: LogStore;
  /** The kernel and the budget of all memory: one instance per isolate or worker. */
  readonly residency: Residency;
  /**
   * Memory that nobody has needed for so long, in milliseconds, is given back. Absent where the host ends whom nobody
   * calls: there it is kept.
   */
  readonly memoryIdleMs?: number;
  readonly clock: Clock;
  readonly random: Random;
  /** What group commit may cost; by default a lone write waits for nothing and no budget is kept. */
  readonly groupCommit?: GroupCommitCost;
  readonly trace?: (event: TraceEvent) => void;
  /**
   * Hears of every change after it was committed. It may be a getter that is undefined while nobody listens: then
   * changes cost nothing. Nothing waits for it, and what it throws is traced.
   */
  readonly announce?: ((change: Change) => void) | undefined;
  /**
   * Asks the host to call the role's `work()` at or after `at` (milliseconds since the epoch): durable, at least
   * once, may be late. An alarm on the edge; in the browser a timer, and again at opening. An earlier pending time
   * is kept.
   */
  readonly wake: (at: number) => void;
  /**
   * Rejects if the host has replaced this instance (on the edge: touches the object's storage, where the platform
   * stops a replaced one). Absent where the host cannot tell: then the owner reads its manifest.
   */
  readonly provePlacement?: () => Promise<void>;
}
