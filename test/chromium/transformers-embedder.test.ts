import { afterEach, describe, expect, test } from 'vitest';
import type { ElanusError } from '../../core/base/error.ts';
import { type TransformersEmbedderOptions, transformersEmbedder } from '../../core/client/transformers-embedder.ts';
import { openSource } from './engine.ts';

/*
 * Against a module of the shape of Transformers.js, loaded from an address as the real one is: its models cannot be
 * fetched in a test.
 */

const RUNTIME = ['https://runtime.example/ort.mjs', 'https://runtime.example/ort.wasm'];

const MODULE = `
export const env = {
  remoteHost: 'https://huggingface.co/',
  allowLocalModels: true,
  backends: { onnx: { wasm: { wasmPaths: { mjs: '${RUNTIME[0]}', wasm: '${RUNTIME[1]}' } } } },
};
export const calls = [];
export async function pipeline(task, model, { progress_callback, ...options }) {
  calls.push({ task, model, options, host: env.remoteHost, local: env.allowLocalModels, paths: env.backends.onnx.wasm.wasmPaths });
  if (model === 'missing/model') throw new Error('Could not locate file: "' + env.remoteHost + model + '/onnx/model.onnx".');
  progress_callback({ status: 'initiate', file: 'onnx/model.onnx' });
  progress_callback({ status: 'progress', file: 'onnx/model.onnx', loaded: 5, total: 10 });
  progress_callback({ status: 'done', file: 'onnx/model.onnx' });
  return async (texts, { pooling, normalize }) => {
    if (model === 'broken/model') throw new Error('no available backend found');
    calls.push({ texts, pooling, normalize });
    if (model === 'token/model') return { dims: [texts.length, 7, 3], data: new Float32Array(texts.length * 21) };
    const data = texts.flatMap((text) => [text.split('e').length, text.split('k').length, 1]);
    return { dims: [texts.length, 3], data: model === 'half/model' ? data : Float32Array.from(data), dispose() { calls.push('disposed'); } };
  };
}`;

const urls: string[] = [];

function served(code: string): string {
  const url = URL.createObjectURL(new Blob([code], { type: 'text/javascript' }));
  urls.push(url);
  return url;
}

afterEach(() => {
  for (const url of urls.splice(0)) URL.revokeObjectURL(url);
});

async function failureOf(call: Promise<unknown>): Promise<ElanusError> {
  return call.then(
    () => expect.unreachable('the call succeeded'),
    (error: unknown) => error as ElanusError,
  );
}

async function callsOf(moduleUrl: string): Promise<unknown[]> {
  return ((await import(/* @vite-ignore */ moduleUrl)) as { calls: unknown[] }).calls;
}

function optionsOf(options: Partial<TransformersEmbedderOptions> = {}): TransformersEmbedderOptions {
  return { moduleUrl: served(MODULE), model: 'tiny/model', confirm: () => true, ...options };
}

describe('a model that Transformers.js runs', () => {
  test('is loaded from the addresses that the person saw, and from no others', async () => {
    const asked: (readonly string[])[] = [];
    const confirm = (urls: readonly string[]): boolean => asked.push([...urls]) > 0;
    const options = optionsOf({
      confirm,
      modelHost: 'https://models.example',
      dtype: 'q8',
      device: 'wasm',
      revision: 'v2',
    });
    const progress: unknown[] = [];
    const embedder = await transformersEmbedder({ ...options, onProgress: (heard) => progress.push(heard) });
    expect(asked).toEqual([[options.moduleUrl, 'https://models.example/tiny/model'], RUNTIME]);
    const [loaded] = await callsOf(options.moduleUrl);
    expect(loaded).toEqual({
      task: 'feature-extraction',
      model: 'tiny/model',
      options: { dtype: 'q8', device: 'wasm', revision: 'v2' },
      host: 'https://models.example/',
      local: false,
      paths: { mjs: RUNTIME[0], wasm: RUNTIME[1] },
    });
    expect(progress).toEqual([{ file: 'onnx/model.onnx', bytes: 5, bytesTotal: 10 }]);
    expect(embedder).toMatchObject({ model: 'tiny/model@v2', dimension: 3, batchSize: 16 });
  });

  test('is asked for once, where the runtime is named', async () => {
    const asked: (readonly string[])[] = [];
    const runtimeUrl = 'https://own.example/ort/';
    const options = optionsOf({ runtimeUrl, confirm: async (urls) => asked.push(urls) > 0 });
    await transformersEmbedder(options);
    expect(asked).toEqual([[options.moduleUrl, 'https://huggingface.co/tiny/model', runtimeUrl]]);
    expect((await callsOf(options.moduleUrl))[0]).toMatchObject({ paths: runtimeUrl });
  });

  test('is not loaded when the person says no, whenever that is', async () => {
    const options = optionsOf({ confirm: () => false, moduleUrl: served(`globalThis.wasLoaded = true; ${MODULE}`) });
    const refused = await failureOf(transformersEmbedder(options));
    expect([refused.code, refused.name]).toEqual(['aborted', 'AbortError']);
    expect('wasLoaded' in globalThis).toBe(false);
    const later = optionsOf({ confirm: (urls) => urls !== undefined && urls[0] !== RUNTIME[0] });
    expect((await failureOf(transformersEmbedder(later))).details).toEqual({ urls: RUNTIME.join(' ') });
    expect(await callsOf(later.moduleUrl)).toEqual([]);
  });

  test.each(['tiny/model', 'half/model'])('fills and searches a collection (%s)', async (model) => {
    const options = optionsOf({ model, pooling: 'cls', prefix: { query: 'query: ' }, batchSize: 2 });
    const embedder = await transformersEmbedder(options);
    expect(embedder.model).toBe(`${model}#cls`);
    const db = await openSource(`transformers-${crypto.randomUUID()}`, { storage: 'memory' });
    const notes = db.collection('notes', {
      fields: { id: { type: 'Int64', primary: true }, text: 'VarChar', vector: 'FloatVector' },
      embedder,
    });
    await notes.create({ metricType: 'L2' });
    await notes.insert(['kite', 'eee', 'none'].map((text, id) => ({ id, text })));
    const [hits] = await notes.search({ data: ['ek'], limit: 3, outputFields: ['text', 'vector'] });
    expect(hits?.map(({ text }) => text)[0]).toBe('kite');
    expect(hits?.find(({ text }) => text === 'eee')?.vector).toEqual(new Float32Array([4, 1, 1]));
    const runs = (await callsOf(options.moduleUrl)).slice(1).filter((call) => call !== 'disposed');
    expect(runs).toEqual(
      [['a'], ['kite', 'eee'], ['none'], ['query: ek']].map((texts) => ({ texts, pooling: 'cls', normalize: true })),
    );
    await db.destroy();
  });

  test('that is out of reach says kindly what could not be loaded', async () => {
    const moduleUrl = 'http://127.0.0.1:9/transformers.js';
    const offline = await failureOf(transformersEmbedder(optionsOf({ moduleUrl })));
    expect([offline.code, offline.details]).toEqual(['unavailable', { url: moduleUrl }]);
    expect(offline.message).toMatch(/^Transformers\.js could not be loaded from http:\/\/127.* Is there a network/);
    const missing = await failureOf(transformersEmbedder(optionsOf({ model: 'missing/model' })));
    expect([missing.code, missing.details['url']]).toEqual(['unavailable', 'https://huggingface.co/missing/model']);
    expect(missing.message).toMatch(
      /The model missing\/model could not be loaded from https:\/\/huggingface\.co\/: Could/,
    );
    const broken = await failureOf(transformersEmbedder(optionsOf({ model: 'broken/model' })));
    expect([broken.code, broken.message]).toEqual(['unavailable', expect.stringContaining('no available backend')]);
  });

  test('that is something else is refused', async () => {
    const other = await failureOf(transformersEmbedder(optionsOf({ moduleUrl: served('export const pipeline = 1;') })));
    expect([other.code, other.message]).toEqual(['invalid', expect.stringContaining('is not Transformers.js')]);
    const tokens = await failureOf(transformersEmbedder(optionsOf({ model: 'token/model' })));
    expect([tokens.code, tokens.message]).toEqual(['invalid', expect.stringContaining('1 × 7 × 3 for 1 texts')]);
    for (const [option, value] of [
      ['moduleUrl', 'transformers.js'],
      ['model', ''],
      ['confirm', undefined],
    ]) {
      const wrong = { ...optionsOf(), [option as string]: value } as TransformersEmbedderOptions;
      expect((await failureOf(transformersEmbedder(wrong))).details).toEqual({ option });
    }
  });

  test('is not waited for once the signal aborts', async () => {
    const controller = new AbortController();
    const loading = transformersEmbedder(
      optionsOf({ signal: controller.signal, confirm: () => new Promise(() => undefined) }),
    );
    controller.abort('enough');
    const error = await failureOf(loading);
    expect([error.code, error.cause]).toEqual(['aborted', 'enough']);
  });
});
