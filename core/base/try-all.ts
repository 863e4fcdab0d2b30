/**
 * Takes every step, one after another, also when one before it failed; then throws the first failure. For work that
 * frees something: a full store must not keep one part of it from freeing room for another.
 */
export async function tryAll(steps: Iterable<() => Promise<unknown>>): Promise<void> {
  const failures: unknown[] = [];
  for (const step of steps) {
    try {
      await step();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}
