import { describe, expect, test } from 'vitest';
import { toPlainError } from '../../core/base/error.ts';
import { LOG_RULES, type LogRules } from '../../core/wal/log-rules.ts';
import { simulateLog } from './log-simulation.ts';
import { MUTANTS, type MutantName, mutant } from './mutants.ts';
import { Schedule } from './schedules.ts';

/** Where a slot of a term lies, as the end of its key. */
const slot = (term: number, index: number): string =>
  [term, index].map((n) => n.toString(16).padStart(14, '0')).join('/');

/** For each rule the interleaving that breaks the log without it. */
const SCHEDULES: Readonly<Record<MutantName, (schedule: Schedule) => Promise<void>>> = {
  /** The old owner does not know that there is a new one, and appends. */
  'no fence is put into the old term': async (s) => {
    const old = await s.open(s.process(), 1);
    await s.append(old, 'a');
    const young = await s.open(s.process(), 2);
    s.expect('the new owner replays a', (await s.read(young)) === 'a');
    const late = await s.append(old, 'b');
    s.expect('the stale owner does not acknowledge', late.outcome === 'not-written');
    await s.audit(3);
  },

  /** The old owner's request comes late, and finds the new owner's fence. */
  '"already exists" is taken for success': async (s) => {
    const process = s.process();
    const old = await s.open(process, 1);
    const gate = process.store.hold('create', slot(1, 0));
    const late = await s.append(old, 'a');
    await s.open(s.process(), 2);
    await gate.open();
    s.expect('the stale owner does not acknowledge', late.outcome === 'not-written');
    await s.audit(3);
  },

  /** The second append lands, the first does not; the next owner's replay stops at the gap. */
  'appends are acknowledged out of order': async (s) => {
    const process = s.process();
    const old = await s.open(process, 1);
    const gate = process.store.hold('create', slot(1, 0));
    await s.append(old, 'a');
    const second = await s.append(old, 'b');
    s.expect('b waits for a', second.outcome === 'pending');
    await s.open(s.process(), 2);
    await gate.open();
    await s.audit(3);
  },

  /** Slot 2 is empty; the gallop sees 0, 1, 3 full and 7 empty, and finds 4. */
  'the tail is taken without a look at the last slots': async (s) => {
    const process = s.process();
    const old = await s.open(process, 1);
    await s.appendAll(old, 'ab');
    const gate = process.store.hold('create', slot(1, 2));
    await s.appendAll(old, 'cd');
    const young = await s.open(s.process(), 2);
    s.expect('the log ends at the gap', (await s.read(young)) === 'ab');
    await gate.open();
    await s.audit(3);
  },

  /** An owner stalls between its claim and its opening, while a newer one opens. */
  "the root's term is not checked at opening": async (s) => {
    const young = await s.open(s.process(), 2);
    await s.append(young, 'a');
    const opened = await s.open(s.process(), 1).then(
      () => 'opened',
      (error: unknown) => toPlainError(error).code,
    );
    s.expect('the older term is refused', opened === 'fenced');
    const next = await s.append(young, 'b');
    s.expect('the newest owner goes on', next.outcome === 'acknowledged');
    await s.audit(3);
  },

  /** One request stalls and many more follow, so that the gap lies deeper than anyone looks. */
  'the window counts unanswered appends instead of unacknowledged ones': async (s) => {
    const process = s.process();
    const old = await s.open(process, 1);
    await s.appendAll(old, 'ab');
    const gate = process.store.hold('create', slot(1, 2));
    await s.appendAll(old, 'cdefghij');
    const young = await s.open(s.process(), 2);
    s.expect('the log ends at the gap', (await s.read(young)) === 'ab');
    await gate.open();
    await s.audit(3);
  },

  /** A reader comes between the deletion and the root, and takes the first missing frame for the tail. */
  'frames are deleted before the root is written': async (s) => {
    const process = s.process();
    const log = await s.open(process, 1);
    await s.appendAll(log, 'abc');
    const gate = process.store.hold('replace', 'root');
    const truncated = log.truncate({ term: 1, index: 2 });
    await gate.reached;
    s.expect('the reader sees all', (await s.read(s.process().reader)) === 'abc');
    await gate.open();
    await truncated;
    s.fold('ab');
    await s.audit(2, { term: 1, index: 2 });
  },

  /** An owner stalls; the next one writes, folds and truncates all of its term; then its request lands. */
  'a fence is truncated with the frames below it': async (s) => {
    const process = s.process();
    const old = await s.open(process, 1);
    await s.append(old, 'a');
    const gate = process.store.hold('create', slot(1, 1));
    const late = await s.append(old, 'x');
    const young = await s.open(s.process(), 2);
    await s.append(young, 'b');
    s.fold('a');
    await young.truncate({ term: 2, index: 0 });
    await gate.open();
    s.expect('the stale owner does not acknowledge', late.outcome === 'unknown');
    await s.audit(3, { term: 2, index: 0 });
  },

  /** The same, and the garbage collection finds the fence below the truncation point. */
  'garbage collection deletes fences': async (s) => {
    const process = s.process();
    const old = await s.open(process, 1);
    await s.append(old, 'a');
    const gate = process.store.hold('create', slot(1, 1));
    const late = await s.append(old, 'x');
    const youngProcess = s.process();
    const young = await s.open(youngProcess, 2);
    await s.append(young, 'b');
    s.fold('a');
    await young.truncate({ term: 2, index: 0 });
    await s.collectGarbage(youngProcess);
    await gate.open();
    s.expect('the stale owner does not acknowledge', late.outcome === 'unknown');
    await s.audit(3, { term: 2, index: 0 });
  },

  /** A claimant with an old root fences a slot that was truncated, under the hands of a reader who knows its count. */
  'a fence below the published count is trusted': async (s) => {
    await s.appendAll(await s.open(s.process(), 1), 'ab');
    const slow = s.process();
    const slowGate = slow.store.hold('read', slot(1, 0));
    const slowOpening = s.open(slow, 2).catch((error: unknown) => toPlainError(error).code);
    await slowGate.reached;
    const young = await s.open(s.process(), 3);
    await s.append(young, 'c');
    const looking = s.process();
    const readerGate = looking.store.hold('read', slot(1, 0));
    const reading = s.read(looking.reader);
    await readerGate.reached;
    await young.truncate({ term: 3, index: 0 });
    await slowGate.open();
    s.expect('the slow claimant is refused', (await slowOpening) === 'fenced');
    await readerGate.open();
    s.expect('the reader does not pass over a and b', (await reading) === 'stale');
    s.fold('ab');
    await s.audit(4, { term: 3, index: 0 });
  },

  /** A reader with an old checkpoint would get the rest of the log, and miss what was folded since. */
  'a read below the truncation point skips to it': async (s) => {
    const log = await s.open(s.process(), 1);
    await s.appendAll(log, 'abc');
    await log.truncate({ term: 1, index: 2 });
    s.expect('the reader is refused', (await s.read(s.process().reader)) === 'stale');
    s.expect('the owner is refused', (await s.read(log)) === 'stale');
    s.fold('ab');
    await s.audit(2, { term: 1, index: 2 });
  },

  /** The frame at the old checkpoint is gone: that is not the tail. */
  'what lies below the truncation point is read': async (s) => {
    const log = await s.open(s.process(), 1);
    await s.appendAll(log, 'abc');
    await log.truncate({ term: 1, index: 2 });
    s.expect('the reader is refused', (await s.read(s.process().reader)) === 'stale');
    s.fold('ab');
    await s.audit(2, { term: 1, index: 2 });
  },

  /** The truncation overtakes a reader between two frames. */
  'a reader does not look at the root again': async (s) => {
    const log = await s.open(s.process(), 1);
    await s.appendAll(log, 'abc');
    const looking = s.process();
    const gate = looking.store.hold('read', slot(1, 1));
    const reading = s.read(looking.reader);
    await gate.reached;
    await log.truncate({ term: 1, index: 2 });
    await gate.open();
    s.expect('the reader does not stop before b', (await reading) === 'stale');
    s.fold('ab');
    await s.audit(2, { term: 1, index: 2 });
  },

  /** A newer owner has acknowledged an entry when the older one reads. */
  'an owner does not look whether it still is one': async (s) => {
    const old = await s.open(s.process(), 1);
    await s.append(old, 'a');
    const young = await s.open(s.process(), 2);
    await s.append(young, 'b');
    s.expect('the stale owner does not answer', (await s.read(old)) === 'fenced');
    await s.audit(3);
  },

  /**
   * CHANNEL.md R9. The frame landed and its answer was lost; the next owner replayed, folded and truncated it; a third
   * claimant with an old root fenced its slot. The fence says nothing of the frame.
   */
  'a fence in the slot is taken for certain failure': async (s) => {
    const process = s.process();
    const old = await s.open(process, 1);
    const put = process.store.hold('create', slot(1, 0));
    const look = process.store.hold('read', slot(1, 0));
    const append = await s.append(old, 'a');
    await put.land();
    await put.giveUp();
    await look.reached;
    const slow = s.process();
    const slowGate = slow.store.hold('read', slot(1, 0));
    const slowOpening = s.open(slow, 2).catch((error: unknown) => toPlainError(error).code);
    await slowGate.reached;
    const young = await s.open(s.process(), 3);
    s.expect('the new owner replays a', (await s.read(young)) === 'a');
    await s.append(young, 'b');
    s.fold('a');
    await young.truncate({ term: 3, index: 0 });
    await slowGate.open();
    s.expect('the slow claimant is refused', (await slowOpening) === 'fenced');
    await look.open();
    s.expect('whether a was written is unknown', append.outcome === 'unknown');
    await s.audit(4, { term: 3, index: 0 });
  },
};

async function run(name: MutantName, rules: LogRules): Promise<string[]> {
  const schedule = new Schedule(rules);
  try {
    await SCHEDULES[name](schedule);
  } catch (error) {
    schedule.violations.push(`rejected: ${toPlainError(error).message}`);
  }
  return schedule.violations;
}

const NAMES = Object.keys(MUTANTS) as MutantName[];

describe('written schedules', () => {
  test.each(NAMES)('the rules hold where it breaks that %s', async (name) => {
    expect(await run(name, LOG_RULES)).toEqual([]);
  });

  test.each(NAMES)('it is noticed that %s', async (name) => {
    expect(await run(name, mutant(name))).not.toEqual([]);
  });
});

/** Which mutants random seeds find soon. The others need a written schedule, not luck. */
const SEEDS_MAX: Partial<Record<MutantName, number>> = {
  'no fence is put into the old term': 100,
  '"already exists" is taken for success': 100,
  'appends are acknowledged out of order': 100,
  'the tail is taken without a look at the last slots': 400,
  "the root's term is not checked at opening": 100,
  'the window counts unanswered appends instead of unacknowledged ones': 1_000,
  'frames are deleted before the root is written': 400,
  'a fence is truncated with the frames below it': 400,
  'garbage collection deletes fences': 1_000,
  'a read below the truncation point skips to it': 400,
  'what lies below the truncation point is read': 400,
  'a reader does not look at the root again': 400,
};

describe('random seeds', () => {
  test.each(Object.entries(SEEDS_MAX) as [MutantName, number][])('find that %s', async (name, seedsMax) => {
    for (let seed = 1; seed <= seedsMax; seed++) {
      if ((await simulateLog(seed, { rules: mutant(name) })).violations.length > 0) return;
    }
    expect.unreachable(`none of ${seedsMax} seeds has noticed it`);
  });
});
