import { ElanusError } from '../../core/base/error.ts';
import type { BrokerClient } from '../broker/broker-client.ts';
import { broadcastEndpoint, portEndpoint } from '../link/endpoint.ts';
import { PeerCalls } from '../link/peer-calls.ts';
import type { OpenRequest } from '../protocol.ts';
import { randomId } from '../surroundings.ts';
import type { ControlChannel, Leader } from './control-channel.ts';
import { type EngineLink, linkLost } from './engine-access.ts';

/** How long the leading tab may take to let another tab reach its engine, before it is asked again. */
const ATTACH_MS_MAX = 2_000;

/**
 * Links this tab to the engine of another: by a port that the broker carries if both have the same one, else by a
 * BroadcastChannel of their own. Rejects if the leader does not answer in time.
 */
export async function linkToLeader(
  leader: Leader,
  request: OpenRequest,
  ways: { readonly control: ControlChannel; readonly broker: BrokerClient },
): Promise<EngineLink> {
  const broker = await ways.broker.id;
  const isShared = broker !== undefined && broker === leader.broker;
  if (request.link !== 'broadcast' && isShared) {
    try {
      return await linkByPort(leader, ways.broker);
    } catch (error) {
      if (request.link === 'ports') throw error;
    }
  } else if (request.link === 'ports') {
    throw new ElanusError('unavailable', 'There is no SharedWorker that this tab and the leading one have in common.');
  }
  return linkByBroadcast(leader, request.name, ways.control);
}

async function linkByPort(leader: Leader, broker: BrokerClient): Promise<EngineLink> {
  const { port1, port2 } = new MessageChannel();
  const calls = new PeerCalls(portEndpoint(port1));
  broker.send(leader.tab, leader.engine, port2);
  const timer = setTimeout(() => calls.fail(linkLost('The port did not reach the leading tab.')), ATTACH_MS_MAX);
  await calls.call('engine', 'ready', []).finally(() => clearTimeout(timer));
  return { kind: 'ports', leader: leader.tab, calls };
}

async function linkByBroadcast(leader: Leader, database: string, control: ControlChannel): Promise<EngineLink> {
  // A name of its own, so that no other tab takes the messages off the wire.
  const channel = `elanus:${database}:link:${randomId()}`;
  const calls = new PeerCalls(broadcastEndpoint(channel));
  try {
    await control.ask(leader.tab, { kind: 'attach', engine: leader.engine, channel }, ATTACH_MS_MAX);
    return { kind: 'broadcast', leader: leader.tab, calls };
  } catch (error) {
    calls.fail(linkLost('The leading tab did not answer.'));
    throw error;
  }
}
