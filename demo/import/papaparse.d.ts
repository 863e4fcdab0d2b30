/** The part of Papa Parse that the page uses; `@types/papaparse` would bring Node's names into the page. */
declare module 'papaparse' {
  interface ParseError {
    readonly code: string;
    readonly message: string;
    /** The row, counted from 0, of this call. */
    readonly row?: number;
  }
  interface ParseResult {
    readonly data: readonly (readonly string[])[];
    readonly errors: readonly ParseError[];
    /** `cursor`: where the first row begins that is not in `data`. */
    readonly meta: { readonly cursor: number; readonly delimiter: string; readonly linebreak: string };
  }
  interface ParseConfig {
    readonly delimiter?: string;
    readonly newline?: string;
    readonly preview?: number;
  }
  interface Parser {
    parse(input: string, baseIndex: number, ignoreLastRow: boolean): ParseResult;
  }
  const Papa: {
    parse(input: string, config: ParseConfig): ParseResult;
    readonly Parser: new (config: ParseConfig) => Parser;
  };
  export default Papa;
}
