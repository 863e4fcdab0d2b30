import { allocate, release } from './memory';

/**
 * Which rows a search has met: one byte a row, which holds the number of the last search that met it. All searches of
 * all indexes share the marks, since none runs inside another; they are cleared once in 255 searches.
 */

let marks: u32 = 0;
let room: u32 = 0;
let epoch: u32 = 0;

/** Makes room for marks of `rows` rows; false, and nothing has changed, if there is none. */
export function reserveVisited(rows: u32): bool {
  if (rows <= room) return true;
  const wanted = (rows + 1023) & ~1023;
  // The old marks go last: if there is no room for more, the indexes that are there go on with them.
  const more = allocate(wanted);
  if (more == 0) return false;
  if (marks != 0) release(marks);
  marks = more;
  room = wanted;
  epoch = 0;
  memory.fill(marks, 0, room);
  return true;
}

/** Begins a search: gives the mark that it uses. */
export function nextEpoch(): u32 {
  epoch += 1;
  if (epoch == 256) {
    memory.fill(marks, 0, room);
    epoch = 1;
  }
  return epoch;
}

// @ts-ignore: decorator
@inline
export function visitedMarks(): u32 {
  return marks;
}

/** Gives the marks back; the next search takes new ones. */
export function releaseVisited(): void {
  if (marks != 0) release(marks);
  marks = 0;
  room = 0;
  epoch = 0;
}
