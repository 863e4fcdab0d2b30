import { gather, merge } from './beam';
import { hasBit } from './bitmap';
import { rowAt, Rows } from './rows';
import { exactAt, score4, Space } from './space';
import { offer } from './top-k';

/** Scans of the rows that a bitmap holds, four at a time. */

/** The next rows to be scored. */
const LIST: u32 = memory.data(4 * 4, 16) as u32;

/** Offers the rows of the bitmap below `count` to a beam, by what the index traverses. */
export function scanAllowed<K>(space: Space, rows: Rows, count: u32, allow: u32, query: u32, beam: u32): void {
  for (let row = next4(allow, 0, count); row != END; row = next4(allow, row, count)) {
    const scores = score4<K>(
      space.metric, space.dimension, query,
      rowAt(rows, load<u32>(LIST)), rowAt(rows, load<u32>(LIST, 4)),
      rowAt(rows, load<u32>(LIST, 8)), rowAt(rows, load<u32>(LIST, 12)),
    );
    const entering = gather(beam, scores, LIST, listed, 0);
    if (entering > 0) merge(beam, entering);
  }
}

/** Offers the rows of the bitmap below `count` to a heap, by their exact vectors, which are all here. */
export function scanExact(space: Space, query: u32, count: u32, allow: u32, heap: u32): void {
  for (let row = next4(allow, 0, count); row != END; row = next4(allow, row, count)) {
    const scores = score4<f32>(
      space.metric, space.dimension, query,
      exactAt(space, load<u32>(LIST)), exactAt(space, load<u32>(LIST, 4)),
      exactAt(space, load<u32>(LIST, 8)), exactAt(space, load<u32>(LIST, 12)),
    );
    if (i32x4.all_true(f32x4.ge(scores, v128.load32_splat(heap, 8)))) continue;
    offer(heap, f32x4.extract_lane(scores, 0), load<u32>(LIST));
    if (listed > 1) offer(heap, f32x4.extract_lane(scores, 1), load<u32>(LIST, 4));
    if (listed > 2) offer(heap, f32x4.extract_lane(scores, 2), load<u32>(LIST, 8));
    if (listed > 3) offer(heap, f32x4.extract_lane(scores, 3), load<u32>(LIST, 12));
  }
}

/** No row: the bitmap holds none from here on. */
const END: u32 = 0xffffffff;
/** How many rows of the list count; the last one stands in the places behind. */
let listed: u32 = 0;

/** Lists up to four rows of the bitmap from `row` on, and gives the row to go on from; `END` if there is none. */
function next4(allow: u32, row: u32, count: u32): u32 {
  let at: u32 = 0;
  while (row < count && at < 4) {
    if ((row & 63) == 0 && row + 64 <= count && load<u64>(allow + (row >> 3)) == 0) {
      row += 64;
      continue;
    }
    if (hasBit(allow, row)) {
      store<u32>(LIST + (at << 2), row);
      at += 1;
    }
    row += 1;
  }
  if (at == 0) return END;
  listed = at;
  for (let place = at; place < 4; place++) store<u32>(LIST + (place << 2), load<u32>(LIST + ((at - 1) << 2)));
  return row;
}
