/** The host's clock and timer, or the simulation's. Nothing that must be correct depends on either. */
export interface Clock {
  /** Milliseconds since the Unix epoch; may stand still or jump. */
  now(): number;
  /** Milliseconds with fractions since some moment, for measuring; `now` serves where it is absent. Needs no `this`. */
  readonly elapsed?: () => number;
  /** Resolves after about `ms` milliseconds. */
  sleep(ms: number): Promise<void>;
}
