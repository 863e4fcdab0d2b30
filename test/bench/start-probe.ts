/**
 * Code that runs in each worker before its own and says when things happen: on a BroadcastChannel, in milliseconds of the
 * system's clock with fractions, which all threads share. Plain JavaScript as a text, for it is put before a bundle.
 */
export const START_PROBE = `{
  const now = () => performance.timeOrigin + performance.now();
  const role = 'onconnect' in globalThis ? 'broker' : globalThis.name;
  const channel = new BroadcastChannel('start-probe');
  const say = (step, from, to) => channel.postMessage({ role, step, from, to });
  say('script', performance.timeOrigin, now());
  const timed = (owner, name, step) => {
    const original = owner[name];
    if (original === undefined) return;
    owner[name] = function (...args) {
      const from = now();
      const result = original.apply(this, args);
      if (typeof result?.then === 'function') result.then(() => say(step, from, now()), () => say(step, from, now()));
      return result;
    };
  };
  timed(globalThis, 'fetch', 'fetch');
  timed(WebAssembly, 'compile', 'compile');
  timed(WebAssembly, 'compileStreaming', 'compile');
  timed(StorageManager.prototype, 'getDirectory', 'OPFS');
  const openDatabase = IDBFactory.prototype.open;
  IDBFactory.prototype.open = function (...args) {
    const from = now();
    const request = openDatabase.apply(this, args);
    request.addEventListener('success', () => say('IndexedDB', from, now()));
    return request;
  };
}`;
