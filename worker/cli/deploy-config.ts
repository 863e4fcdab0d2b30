/** Where things lie, relative to the written configuration. */
export interface DeployPaths {
  readonly main: string;
  /** The built page; without one the Worker answers everything. */
  readonly page?: string;
}

/** `wrangler.jsonc` as it is published: with the page as static assets, which the API's paths never reach. */
export function deployConfig(source: string, paths: DeployPaths): Record<string, unknown> {
  const { $schema: _, ...config } = parseJsonc(source);
  return {
    ...config,
    main: paths.main,
    ...(paths.page === undefined ? {} : { assets: { directory: paths.page, run_worker_first: ['/v2/*', '/health'] } }),
  };
}

/** JSON with comments: line and block comments, outside strings. */
function parseJsonc(text: string): Record<string, unknown> {
  const bare = text.replace(
    /("(?:\\.|[^"\\])*")|\/\/[^\n]*|\/\*[\s\S]*?\*\//g,
    (_, string: string | undefined) => string ?? '',
  );
  return JSON.parse(bare) as Record<string, unknown>;
}
