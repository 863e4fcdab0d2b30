import { ElanusError } from '../base/error.ts';
import { unlessAborted } from './call.ts';

/** What is used of Transformers.js, versions 3 and 4. */
export interface TransformersModule {
  readonly pipeline: (
    task: 'feature-extraction',
    model: string,
    options: {
      readonly revision?: string;
      readonly dtype?: string;
      readonly device?: string;
      readonly progress_callback: (progress: {
        readonly status: string;
        readonly file?: string;
        readonly loaded?: number;
        readonly total?: number;
      }) => void;
    },
  ) => Promise<FeatureExtractor>;
  readonly env: {
    remoteHost?: string;
    allowLocalModels?: boolean;
    readonly backends?: { readonly onnx?: { readonly wasm?: { wasmPaths?: unknown } } };
  };
}

/** A model that is ready: it makes one tensor of all texts, a row each. */
export type FeatureExtractor = (
  texts: string[],
  options: { readonly pooling: string; readonly normalize: boolean },
) => Promise<{ readonly dims: readonly number[]; readonly data: ArrayLike<number>; readonly dispose?: () => void }>;

/** Where things are to come from, and who decides. */
export interface TransformersSource {
  readonly moduleUrl: string;
  readonly model: string;
  readonly modelHost?: string;
  readonly runtimeUrl?: string;
  readonly confirm: (urls: readonly string[]) => boolean | Promise<boolean>;
}

const HUB = 'https://huggingface.co/';

/** Asks, loads the module, and binds it to the places that were confirmed. */
export async function loadTransformers(source: TransformersSource, stop: AbortSignal): Promise<TransformersModule> {
  const { moduleUrl, model, runtimeUrl } = source;
  const modelHost = withSlash(source.modelHost ?? HUB);
  const shown = [moduleUrl, modelHost + model, ...(runtimeUrl === undefined ? [] : [runtimeUrl])];
  await askFor(shown, source, stop);
  const module = await importModule(moduleUrl, stop);
  const { env } = module;
  env.remoteHost = modelHost;
  // In Node it would look into its own folder first.
  env.allowLocalModels = false;
  const runtime = env.backends?.onnx?.wasm;
  if (runtime !== undefined && runtimeUrl !== undefined) runtime.wasmPaths = runtimeUrl;
  else if (runtime !== undefined) {
    const further = addressesIn(runtime.wasmPaths).filter((url) => !shown.includes(url));
    if (further.length > 0) await askFor(further, source, stop);
  }
  return module;
}

async function askFor(urls: readonly string[], { confirm }: TransformersSource, stop: AbortSignal): Promise<void> {
  if ((await unlessAborted(stop, async () => confirm(urls))) === true) return;
  throw new ElanusError('aborted', 'Loading was not confirmed; nothing more was loaded.', {
    details: { urls: urls.join(' ') },
  });
}

async function importModule(url: string, stop: AbortSignal): Promise<TransformersModule> {
  let module: Partial<TransformersModule>;
  try {
    // Not for bundlers: the address is known at run time alone.
    module = await unlessAborted(
      stop,
      () => import(/* @vite-ignore */ /* webpackIgnore: true */ /* turbopackIgnore: true */ url),
    );
  } catch (cause) {
    if (stop.aborted) throw stop.reason;
    throw new ElanusError(
      'unavailable',
      `Transformers.js could not be loaded from ${url}. Is there a network, and does the page's Content-Security-Policy allow that address? Once there is, reload the page: browsers remember a module that failed.`,
      { cause, details: { url } },
    );
  }
  if (typeof module.pipeline === 'function' && typeof module.env === 'object') return module as TransformersModule;
  throw new ElanusError('invalid', `What lies at ${url} is not Transformers.js: it has no \`pipeline\` and \`env\`.`, {
    details: { url },
  });
}

/** The addresses in ONNX Runtime's `wasmPaths`: a folder, or one for each file. */
function addressesIn(paths: unknown): string[] {
  const values = typeof paths === 'object' && paths !== null ? Object.values(paths) : [paths];
  return values.filter((value) => typeof value === 'string' || hasHref(value)).map((value) => hrefOf(value));
}

function hasHref(value: unknown): value is { href: string } {
  return typeof (value as { href?: unknown } | null | undefined)?.href === 'string';
}

function hrefOf(value: unknown): string {
  return hasHref(value) ? value.href : String(value);
}

function withSlash(url: string): string {
  return url.endsWith('/') ? url : `${url}/`;
}
