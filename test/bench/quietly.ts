/** What packages write to, by name: this program is compiled with AssemblyScript's types beside Node's. */
const CONSOLE = globalThis.console as unknown as Record<string, unknown>;
const VERBS = ['log', 'warn', 'error'] as const;

/** Runs work of a package that tells the console things that nobody asked for. */
export async function quietly<Value>(work: () => Value | Promise<Value>): Promise<Value> {
  const before = VERBS.map((verb) => CONSOLE[verb]);
  for (const verb of VERBS) CONSOLE[verb] = () => {};
  try {
    return await work();
  } finally {
    VERBS.forEach((verb, at) => {
      CONSOLE[verb] = before[at];
    });
  }
}
