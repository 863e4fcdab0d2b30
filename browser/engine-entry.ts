import { expose } from 'comlink';
import { carryErrors } from '../wasm/carry-errors.ts';
import { Broker } from './broker/broker.ts';
import { Engine } from './engine/engine.ts';
import { type MessageTarget, workerEndpoint } from './link/endpoint.ts';
import { answerCalls } from './link/peer-calls.ts';
import type { WorkerName } from './start-worker.ts';
import { randomId } from './surroundings.ts';
import { Tab } from './tab/tab.ts';

// The build bundles this into `engine-worker.js`: one file without top-level await, so that every bundler and plain
// pages can use it. It has another name, since the compiler would write over the bundle. Every worker of a page runs
// it; what each is for it learns from its kind and its name.

if ('onconnect' in globalThis) brokerPorts();
else if ((globalThis as { readonly name?: string }).name === ('elanus-engine' satisfies WorkerName)) runEngine();
else runTab();

function brokerPorts(): void {
  const broker = new Broker(randomId());
  globalThis.addEventListener('connect', (event) => {
    const [port] = (event as MessageEvent).ports;
    if (port !== undefined) broker.connect(port);
  });
}

function runTab(): void {
  carryErrors();
  expose(new Tab());
}

function runEngine(): void {
  const engine = new Engine();
  const endpoint = workerEndpoint(globalThis as unknown as MessageTarget);
  answerCalls(endpoint, (role) => (role === 'worker' ? engine : engine.role(role)));
}
