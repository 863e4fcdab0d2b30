import { afterEach } from 'vitest';
import type { Database } from '../../../core/client/database.ts';
import { databaseOn, type TestCluster, testCluster } from '../node/cluster.ts';

const open: TestCluster[] = [];
afterEach(async () => {
  for (const { cluster } of open.splice(0)) await cluster.close();
});

/** A database of the test's own, closed after it. */
export async function freshDatabase(): Promise<Database> {
  const cluster = await testCluster();
  open.push(cluster);
  return databaseOn(cluster);
}
