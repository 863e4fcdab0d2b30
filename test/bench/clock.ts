/**
 * What the bench measures time by. The wall clock is what counts, on a machine that does nothing else. The processor
 * time of the measuring thread is for a look on a busy one: it leaves out the waiting, but not what others do to the
 * caches, nor what a peer does on threads of its own.
 */
export type ClockName = 'wall' | 'cpu';

let current: ClockName = 'wall';

export function setClock(name: ClockName): void {
  current = name;
}

export function clockName(): ClockName {
  return current;
}

/** Seconds since some moment. */
export function seconds(): number {
  if (current === 'wall') return performance.now() / 1000;
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1e6;
}
