/** What the Worker is bound to; see `wrangler.jsonc`. */
export interface Env {
  /** Catalog, manifests, logs and segments. */
  readonly OBJECTS: R2Bucket;
  readonly COORDINATOR: DurableObjectNamespace;
  readonly CHANNELS: DurableObjectNamespace;
  /** A secret. If it is set, every call of the API must present it. */
  readonly ELANUS_TOKEN?: string;
}
