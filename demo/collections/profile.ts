import type { CollectionDescription } from 'elanus/browser';
import { EMBEDDER_PROPERTY } from '../../core/model/schema.ts';

/** What a filter of the page lets a person choose. */
export type Facet =
  | { readonly kind: 'choice'; readonly field: string; readonly label: string; readonly choices: readonly string[] }
  | { readonly kind: 'yes-no'; readonly field: string; readonly label: string }
  | {
      readonly kind: 'range';
      readonly field: string;
      readonly label: string;
      readonly least: number;
      readonly most: number;
    }
  /** `steps`: a hundred prices in cents, of which as many rows lie between two as between any other two. */
  | { readonly kind: 'price'; readonly field: string; readonly label: string; readonly steps: readonly number[] };

/** A field that a result shows beside its title and text. */
export interface ShownField {
  readonly field: string;
  readonly label: string;
  /** `plain` shows the value with its label. */
  readonly as: 'plain' | 'price' | 'stars' | 'tag';
}

/** Whose vectors a collection holds. */
export type EmbedderChoice =
  | { readonly kind: 'own' }
  | { readonly kind: 'transformers'; readonly moduleUrl: string; readonly model: string }
  /** The vectors came with the file; only "more like this" can search them unless their model is known here. */
  | { readonly kind: 'file' };

/** What the page knows of a collection beside its schema. It is stored with the collection, as one of its properties. */
export interface CollectionProfile {
  /** As a person knows it: the file's name. */
  readonly label: string;
  /** Rows that were to be inserted: fewer mean that an import was interrupted. */
  readonly rows: number;
  readonly key: string;
  readonly title: string;
  readonly text: string;
  readonly shown: readonly ShownField[];
  readonly facets: readonly Facet[];
  readonly embedder: EmbedderChoice;
}

/** Where the profile lies in the collection's properties. */
export const PROFILE_PROPERTY = 'elanus.demo.profile';
export const VECTOR_FIELD = 'vector';
/** Where a collection remembers which model made its vectors. */
export const MODEL_PROPERTY = `${EMBEDDER_PROPERTY}${VECTOR_FIELD}`;

/** The profile of a collection, or undefined if this page did not make it. */
export function profileOf(description: CollectionDescription): CollectionProfile | undefined {
  const text = description.properties.find(({ key }) => key === PROFILE_PROPERTY)?.value;
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as CollectionProfile;
  } catch {
    return undefined;
  }
}

/** The fields that a search asks for. */
export function outputFieldsOf(profile: CollectionProfile): string[] {
  return [...new Set([profile.key, profile.title, profile.text, ...profile.shown.map(({ field }) => field)])];
}
