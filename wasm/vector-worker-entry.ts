import { expose } from 'comlink';
import { carryErrors } from './carry-errors.ts';
import { workerEndpoint } from './vector-worker-endpoint.ts';
import { VectorWorkerHost } from './vector-worker-host.ts';

// The build bundles this into `vector-worker.js`: one file without imports, so that every bundler, plain pages and Node
// can start it. It has another name, since the compiler would write over the bundle.
carryErrors();
expose(new VectorWorkerHost(), workerEndpoint());
