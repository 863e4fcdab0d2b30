/** What the Worker is bound to; see `wrangler.jsonc`. */
export interface Env {
  /** Catalog, manifests, logs and segments. */
  readonly OBJECTS: R2Bucket;
  readonly COORDINATOR: DurableObjectNamespace;
  readonly CHANNELS: DurableObjectNamespace;
  /** Milliseconds that a write waits for company, so that several share one object of the log; 0 by default. */
  readonly ELANUS_GATHER_MS?: string;
  /** The most log objects a second and channel; no bound by default. */
  readonly ELANUS_PUTS_PER_SECOND?: string;
  /** A secret. If it is set, every call of the API must present it. */
  readonly ELANUS_TOKEN?: string;
}
