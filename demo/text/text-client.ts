import { proxy, type Remote, wrap } from 'comlink';
import { ElanusError, type Embedder, type TransformersProgress } from 'elanus/browser';
import type { FileFacts } from '../import/scan.ts';
import type { TextWorker } from './text-worker.ts';

export type TextClient = Remote<TextWorker>;

/** Starts the worker that parses and embeds for the page. */
export function startTextWorker(): TextClient {
  return wrap<TextWorker>(new Worker(new URL('./text-worker.ts', import.meta.url), { type: 'module', name: 'text' }));
}

/** The page's own embedder, at work in the worker; stopped between two calls once the signal is aborted. */
export async function ownEmbedder(worker: TextClient): Promise<Embedder> {
  const { model, dimension } = await worker.model();
  return {
    model,
    dimension,
    async embed(texts, { kind, signal }) {
      if (signal?.aborted) throw new ElanusError('aborted', 'Embedding was stopped.', { cause: signal.reason });
      return worker.embed(texts, kind);
    },
  };
}

/** A Transformers.js model at work in the worker; `confirm` is asked before anything is loaded. */
export async function transformersInWorker(
  worker: TextClient,
  source: { readonly moduleUrl: string; readonly model: string },
  {
    confirm,
    onProgress,
  }: {
    readonly confirm: (urls: readonly string[]) => Promise<boolean>;
    readonly onProgress: (progress: TransformersProgress) => void;
  },
): Promise<Embedder> {
  const facts = await worker.loadTransformers(source, proxy(confirm), proxy(onProgress));
  return {
    ...facts,
    async embed(texts, { kind, signal }) {
      if (signal?.aborted) throw new ElanusError('aborted', 'Embedding was stopped.', { cause: signal.reason });
      return worker.embedWith(source, texts, kind);
    },
  };
}

/** What a file is; `onProgress` hears which part of it has been read, 0 to 1. */
export function scanInWorker(worker: TextClient, file: File, onProgress: (part: number) => void): Promise<FileFacts> {
  return worker.scan(
    file,
    proxy((bytes: number) => onProgress(bytes / file.size)),
  );
}
