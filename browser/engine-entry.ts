import { expose } from 'comlink';
import { carryErrors } from '../wasm/carry-errors.ts';
import { Engine } from './engine.ts';

// The build bundles this into `engine-worker.js`: one file without top-level await, so that every bundler and plain
// pages can use it. It has another name, since the compiler would write over the bundle.
carryErrors();
expose(new Engine());
