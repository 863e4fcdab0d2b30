import { proxy, type Remote, wrap } from 'comlink';
import { ElanusError, type Embedder } from 'elanus/browser';
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

/** A Transformers.js model at work in the worker: its arithmetic would stop the page. */
export async function transformersEmbedder(
  worker: TextClient,
  { moduleUrl, model }: { readonly moduleUrl: string; readonly model: string },
): Promise<Embedder> {
  const { dimension } = await worker.loadTransformers(moduleUrl, model);
  return {
    model,
    dimension,
    async embed(texts, { kind, signal }) {
      if (signal?.aborted) throw new ElanusError('aborted', 'Embedding was stopped.', { cause: signal.reason });
      return worker.embedWith(moduleUrl, model, texts, kind);
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
