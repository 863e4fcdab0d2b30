import { expose } from 'comlink';
import { Engine } from './engine.ts';
import { carryErrors } from './errors.ts';

// The worker's script: one pre-bundled file without top-level await, so that every bundler and plain pages can use it.
carryErrors();
expose(new Engine());
