import { spawnSync } from 'node:child_process';

/**
 * One call by which a process changed a file, or asked for it to be on the disk; in the order in which calls ended. Times
 * are milliseconds since 1970; a call really began after `began`, and really ended before `ended`.
 */
export type FileEvent = { readonly began: number; readonly ended: number; readonly path: string } & FileChange;

type FileChange =
  | { readonly kind: 'open'; readonly isEmptied: boolean }
  | { readonly kind: 'write'; readonly bytes: number; readonly offset: number | undefined }
  | { readonly kind: 'truncate'; readonly bytes: number }
  | { readonly kind: 'sync' }
  | { readonly kind: 'rename'; readonly to: string }
  | { readonly kind: 'remove' };

const CALLS =
  'openat,write,writev,pwrite64,pwritev,pwritev2,ftruncate,fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat';

/** The command that runs another one and notes its calls in a file. */
export function traceCommand(output: string): readonly string[] {
  return ['strace', '-f', '--seccomp-bpf', '-ttt', '-T', '-y', '-s', '0', '-e', `trace=${CALLS}`, '-o', output];
}

/** Why nothing can be traced here; undefined if it can. */
export function whyNoTrace(): string | undefined {
  if (process.platform !== 'linux') return 'strace is for Linux';
  const [command = '', ...options] = traceCommand('/dev/null');
  const { error, status, stderr } = spawnSync(command, [...options, 'true'], { encoding: 'utf8' });
  if (error !== undefined) return 'strace is not installed';
  return status === 0 ? undefined : `strace may not trace here: ${stderr.trim().split('\n')[0]}`;
}

interface Begun {
  readonly at: number;
  readonly text: string;
}

/** Reads what `traceCommand` wrote, of the files whose path has this part in it. */
export function readTrace(text: string, part: string): FileEvent[] {
  const events: FileEvent[] = [];
  const begun = new Map<string, Begun>();
  for (const line of text.split('\n')) {
    const [, thread = '', seconds = '', rest = ''] = /^(\d+) +([\d.]+) (.*)$/.exec(line) ?? [];
    const at = Number(seconds) * 1000;
    if (rest.endsWith('<unfinished ...>')) {
      begun.set(thread, { at, text: rest.slice(0, -'<unfinished ...>'.length) });
      continue;
    }
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(rest);
    const before = resumed === null ? undefined : begun.get(thread);
    begun.delete(thread);
    const call = resumed === null ? { at, text: rest } : before && { at: before.at, text: before.text + resumed[1] };
    if (call?.text.includes(part) !== true) continue;
    const event = readCall(call, at);
    if (event?.path.includes(part) === true) events.push(event);
  }
  return events;
}

/** One whole call, as `name(arguments) = result <seconds>`; those that failed changed nothing. */
function readCall({ at, text }: Begun, lastLineAt: number): FileEvent | undefined {
  const [, name = '', given = '', result = '', seconds = '0'] =
    /^(\w+)\((.*)\)\s+= (-?\d+)\S*(?: .*)? <([\d.]+)>$/.exec(text) ?? [];
  const value = Number(result);
  if (name === '' || value < 0) return undefined;
  const named = [...given.matchAll(/"([^"]*)"/g)].map((match) => match[1] ?? '');
  const [path = '', to = ''] = named;
  const times = { began: at, ended: Math.max(lastLineAt, at + Number(seconds) * 1000) };
  const byName = { ...times, path };
  const opened = { ...times, path: /^\d+<([^>]*)>/.exec(given)?.[1] ?? '' };
  const numbers = given.split(', ').map(Number);
  switch (name) {
    case 'openat':
      return { ...byName, kind: 'open', isEmptied: given.includes('O_TRUNC') };
    case 'write':
    case 'writev':
      return { ...opened, kind: 'write', bytes: value, offset: undefined };
    case 'pwrite64':
    case 'pwritev':
      return { ...opened, kind: 'write', bytes: value, offset: numbers.at(-1) };
    case 'pwritev2':
      return { ...opened, kind: 'write', bytes: value, offset: numbers.at(-2) };
    case 'ftruncate':
      return { ...opened, kind: 'truncate', bytes: numbers.at(-1) ?? 0 };
    case 'fsync':
    case 'fdatasync':
      return { ...opened, kind: 'sync' };
    case 'rename':
    case 'renameat':
    case 'renameat2':
      return { ...byName, kind: 'rename', to };
    case 'unlink':
    case 'unlinkat':
      return { ...byName, kind: 'remove' };
    default:
      return undefined;
  }
}
