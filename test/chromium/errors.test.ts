import { expose, wrap } from 'comlink';
import { expect, test } from 'vitest';
import { ElanusError, ERROR_CODES, type ErrorCode } from '../../core/base/error.ts';
import { carryErrors } from '../../wasm/carry-errors.ts';

interface Thrower {
  fail(code: ErrorCode): Promise<void>;
  failForeign(): Promise<void>;
}

function throwerBehindPort(): Thrower {
  carryErrors();
  const { port1, port2 } = new MessageChannel();
  expose(
    {
      fail: (code: ErrorCode) => {
        throw new ElanusError(code, `a message about ${code}`, { milvusCode: 1234, details: { field: 'x', row: 3 } });
      },
      failForeign: () => {
        throw new TypeError('not ours');
      },
    } satisfies { [Name in keyof Thrower]: (code: ErrorCode) => void },
    port2,
  );
  port1.start();
  return wrap<Thrower>(port1);
}

test.each(ERROR_CODES)('%s crosses Comlink whole', async (code) => {
  const error = await throwerBehindPort()
    .fail(code)
    .catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ElanusError);
  const expected = { code, milvusCode: 1234, message: `a message about ${code}`, details: { field: 'x', row: 3 } };
  expect({ ...(error as ElanusError), message: (error as ElanusError).message }).toMatchObject(expected);
});

test('an error that is not ours crosses as internal, with its message', async () => {
  const error = await throwerBehindPort()
    .failForeign()
    .catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: 'internal', message: 'not ours' });
});
