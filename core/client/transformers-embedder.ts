import { codeOf, ElanusError } from '../base/error.ts';
import type { Embedder } from '../elanus.ts';
import { unlessAborted, withDeadline } from './call.ts';
import { type FeatureExtractor, loadTransformers, type TransformersModule } from './transformers-module.ts';

/** Which model runs here, and from where it and its library come. */
export interface TransformersEmbedderOptions {
  /** Where Transformers.js is, with its version: `https://cdn.jsdelivr.net/npm/@huggingface/transformers@4.3.1`. */
  readonly moduleUrl: string;
  /** The model as its host knows it, `Xenova/all-MiniLM-L6-v2`: one for sentence embeddings, in ONNX form. */
  readonly model: string;
  /**
   * Asks the person whether code and model may be loaded from these addresses; nothing is before it says yes. It is
   * asked a second time, if the module in turn names addresses that were not shown.
   */
  readonly confirm: (urls: readonly string[]) => boolean | Promise<boolean>;
  /** Where models lie; `https://huggingface.co/` by default. */
  readonly modelHost?: string;
  /** The folder of ONNX Runtime's files, ending in a slash; by default the module chooses. */
  readonly runtimeUrl?: string;
  /** A branch, tag or commit of the model; `main` by default. */
  readonly revision?: string;
  /** The precision of the weights: `fp32`, `fp16`, `q8`, `q4`, …; by default the module chooses. */
  readonly dtype?: string;
  /** `wasm` or `webgpu`; by default the module chooses. */
  readonly device?: string;
  /** How token vectors become one: `mean` (the default), `cls` or `last_token`, as the model's card says. */
  readonly pooling?: 'mean' | 'cls' | 'last_token';
  /** What stands before each text; E5 and its kin want `passage: ` and `query: `. */
  readonly prefix?: { readonly document?: string; readonly query?: string };
  /** Texts of one run, between which a call can be stopped; 16 by default. */
  readonly batchSize?: number;
  /** Hears how much of each file is here. */
  readonly onProgress?: (progress: TransformersProgress) => void;
  /** Stops the waiting for what is being loaded. */
  readonly signal?: AbortSignal;
}

/** How much of a file is loaded. */
export interface TransformersProgress {
  readonly file: string;
  readonly bytes: number;
  readonly bytesTotal: number;
}

/**
 * An embedder that runs a model with Transformers.js in this thread, loaded at run time: Elanus depends on neither.
 * Vectors have length 1; texts beyond the model's longest input are cut by it. The module's settings (`env`) are set to
 * what was confirmed, for everybody who uses it in this page.
 *
 * Rejects with `aborted` if the person says no, `unavailable`, naming the address, if something cannot be loaded, and
 * `invalid` for options, or for a module or model that is not what it should be.
 */
export async function transformersEmbedder(options: TransformersEmbedderOptions): Promise<Embedder> {
  if (typeof options.model !== 'string' || options.model === '') throw wrongOption('model', 'the name of a model');
  if (typeof options.confirm !== 'function') {
    throw wrongOption('confirm', 'a function that asks the person, and answers true or false');
  }
  if (!URL.canParse(options.moduleUrl)) throw wrongOption('moduleUrl', 'the whole address of Transformers.js');
  const { signal } = options;
  return withDeadline(signal === undefined ? {} : { signal }, false, async (stop) => {
    const module = await loadTransformers(options, stop);
    const extractor = await loadModel(module, options, stop);
    const { pooling = 'mean', prefix } = options;
    const run = (texts: readonly string[]): ReturnType<typeof vectorsOf> => vectorsOf(extractor, texts, pooling);
    return {
      model: identityOf(options),
      // Known when the model has made a vector.
      dimension: await unlessAborted(stop, () => dimensionOf(options.model, run)),
      variant: JSON.stringify([options.dtype, options.device, prefix?.document, prefix?.query]),
      batchSize: options.batchSize ?? 16,
      embed: (texts, { kind }) => run(texts.map((text) => (prefix?.[kind] ?? '') + text)),
    };
  });
}

/** What makes vectors comparable: the weights and the pooling. */
function identityOf({ model, revision, pooling = 'mean' }: TransformersEmbedderOptions): string {
  return `${model}${revision === undefined ? '' : `@${revision}`}${pooling === 'mean' ? '' : `#${pooling}`}`;
}

async function loadModel(
  module: TransformersModule,
  options: TransformersEmbedderOptions,
  stop: AbortSignal,
): Promise<FeatureExtractor> {
  const { model, revision, dtype, device, onProgress } = options;
  try {
    return await unlessAborted(stop, () =>
      module.pipeline('feature-extraction', model, {
        ...(revision === undefined ? {} : { revision }),
        ...(dtype === undefined ? {} : { dtype }),
        ...(device === undefined ? {} : { device }),
        progress_callback: ({ status, file, loaded, total }) => {
          if (status !== 'progress' || stop.aborted || file === undefined) return;
          onProgress?.({ file, bytes: loaded ?? 0, bytesTotal: total ?? 0 });
        },
      }),
    );
  } catch (cause) {
    if (stop.aborted) throw stop.reason;
    const host = module.env.remoteHost ?? '';
    throw new ElanusError(
      'unavailable',
      `The model ${model} could not be loaded from ${host}: ${String((cause as Error | null)?.message ?? cause)}`,
      { cause, details: { url: host + model, model } },
    );
  }
}

async function dimensionOf(
  model: string,
  run: (texts: readonly string[]) => Promise<readonly Float32Array[]>,
): Promise<number> {
  try {
    const [vector] = await run(['a']);
    return vector?.length ?? 0;
  } catch (cause) {
    if (codeOf(cause) !== 'internal') throw cause;
    throw new ElanusError(
      'unavailable',
      `The model ${model} does not run here: ${String((cause as Error | null)?.message ?? cause)}`,
      { cause, details: { model } },
    );
  }
}

async function vectorsOf(
  extractor: FeatureExtractor,
  texts: readonly string[],
  pooling: string,
): Promise<Float32Array[]> {
  const tensor = await extractor([...texts], { pooling, normalize: true });
  const [count = 0, dimension = 0] = tensor.dims;
  if (tensor.dims.length !== 2 || count !== texts.length || dimension === 0) {
    throw new ElanusError(
      'invalid',
      `The model gave a tensor of ${tensor.dims.join(' × ')} for ${texts.length} texts. Is it one for sentence embeddings?`,
    );
  }
  // Half floats and plain arrays become what a collection takes.
  const values = Float32Array.from(tensor.data);
  tensor.dispose?.();
  return Array.from({ length: count }, (_, at) => values.slice(at * dimension, (at + 1) * dimension));
}

function wrongOption(option: string, expected: string): ElanusError {
  return new ElanusError('invalid', `transformersEmbedder needs as \`${option}\` ${expected}.`, {
    details: { option },
  });
}
