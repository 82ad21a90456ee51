import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { connectRedis, type RedisClient, type RedisConnection } from '../../db/redis/connect-redis.ts';
import { type ServerWithUrl, startRedis } from '../../scripts/services.mjs';
import { ANSWER_MS, eventually } from '../support/redis-fault.ts';
import { describeWithOwn } from '../support/services.ts';

const COMMANDS = 500;
const HEAL_MS = 2_000;

interface CuttingProxy {
  readonly port: number;
  /** Lets so many more bytes of one direction pass, and then cuts the connection. */
  cutAfter(direction: 'commands' | 'answers', bytes: number): void;
  close(): Promise<void>;
}

/** A network between us and Redis that breaks in the middle of what is sent. */
async function startCuttingProxy(serverPort: number): Promise<CuttingProxy> {
  const sockets = new Set<Socket>();
  const left = { commands: Infinity, answers: Infinity };
  function pass(direction: keyof typeof left, from: Socket, to: Socket): void {
    from.on('data', (bytes: Buffer) => {
      to.write(bytes.subarray(0, left[direction]));
      left[direction] -= bytes.length;
      if (left[direction] > 0) return;
      left[direction] = Infinity;
      // What passed still arrives.
      to.destroySoon();
      from.destroy();
    });
    from.on('error', () => {});
    from.on('close', () => {
      sockets.delete(from);
      to.destroySoon();
    });
  }
  const server: Server = createServer((client) => {
    const upstream = connect(serverPort, '127.0.0.1');
    for (const socket of [client, upstream]) sockets.add(socket);
    pass('commands', client, upstream);
    pass('answers', upstream, client);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    cutAfter(direction, bytes) {
      left[direction] = bytes;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

describeWithOwn('redis', 'commands to Redis that are written together', () => {
  let redis: ServerWithUrl;
  let direct: RedisConnection;
  beforeAll(async () => {
    redis = await startRedis();
    direct = connectRedis(redis.url);
  });
  afterAll(async () => {
    await direct?.close();
    await redis?.stop();
  });

  let proxy: CuttingProxy;
  let connection: RedisConnection;
  beforeEach(async () => {
    proxy = await startCuttingProxy(redis.port);
    connection = connectRedis(`redis://127.0.0.1:${proxy.port}`);
    await connection.run((client) => client.ping());
  });
  afterEach(async () => {
    await connection.close();
    await proxy.close();
  });

  const numbers = Array.from({ length: COMMANDS }, (_, index) => index);
  const stored = (list: string) => direct.run((client) => client.lrange(list, 0, -1));
  const streamOf = (client: RedisClient) => (client as Extract<RedisClient, { stream: unknown }>).stream;
  /** Appends each number to a list, all in one turn of the event loop; how each of these ended. */
  async function appendAll(list: string) {
    const start = performance.now();
    const appended = numbers.map((number) => connection.run((client) => client.rpush(list, number)));
    const outcomes = await Promise.allSettled(appended);
    expect(performance.now() - start).toBeLessThan(ANSWER_MS);
    const served = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
    const failures = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));
    for (const failure of failures)
      expect(failure).toMatchObject({ name: 'DependencyUnavailable', dependency: 'redis' });
    return { served, failures };
  }
  const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve));
  const currentStream = () => connection.run(async (client) => streamOf(client));
  /** A connection that stands and on which nothing waits to be written. */
  async function expectServing(): Promise<void> {
    await eventually(() => connection.run((client) => client.ping()), HEAL_MS);
    const stream = await currentStream();
    await nextTurn();
    const { writableCorked, writableLength } = stream;
    expect({ writableCorked, writableLength }).toEqual({ writableCorked: 0, writableLength: 0 });
  }
  /** What has run is the beginning of what was sent, each once. @returns how many */
  async function expectRanInOrder(list: string): Promise<number> {
    const ran = await stored(list);
    expect(ran).toEqual(numbers.slice(0, ran.length).map(String));
    return ran.length;
  }

  it('leave in one write, and each gets its own answer, in order', async () => {
    let writes = 0;
    const stream = await currentStream();
    await nextTurn();
    const write = stream._writev?.bind(stream);
    stream._writev = (chunks, done) => {
      writes += 1;
      write?.(chunks, done);
    };
    const name = randomUUID();
    const answers = await Promise.all(
      numbers.flatMap((number) => [
        connection.run((client) => client.set(name, number)),
        connection.run((client) => client.get(name)),
        connection.run((client) => client.echo(`echo ${number}`)),
      ]),
    );
    expect(answers).toEqual(numbers.flatMap((number) => ['OK', String(number), `echo ${number}`]));
    expect(writes).toBe(1);
    await expectServing();
  });

  it.each([1, 40, 1_000, 5_000, 20_000])(
    'and cut off after %d bytes of them: what arrived has run once and in order, the rest never, and the next is served',
    async (bytes) => {
      const list = randomUUID();
      proxy.cutAfter('commands', bytes);
      const { served, failures } = await appendAll(list);
      expect(failures.length).toBeGreaterThan(0);
      await expectServing();
      const ranCount = await expectRanInOrder(list);
      expect(ranCount).toBeGreaterThanOrEqual(served.length);
      expect(ranCount).toBeLessThan(COMMANDS);
    },
  );

  it.each([1, 40, 1_000, 2_500])(
    'and cut off after %d bytes of the answers: those that arrived are right, the others fail, and none is sent again',
    async (bytes) => {
      const list = randomUUID();
      proxy.cutAfter('answers', bytes);
      const { served, failures } = await appendAll(list);
      // Each answer is the length of the list after its command.
      expect(served).toEqual(numbers.slice(1, served.length + 1));
      expect(failures).toHaveLength(COMMANDS - served.length);
      expect(failures.length).toBeGreaterThan(0);
      await expectServing();
      expect(await expectRanInOrder(list)).toBeGreaterThanOrEqual(served.length);
    },
  );

  it('and cut off in the very turn in which they were gathered, again and again: none hangs', async () => {
    for (let round = 0; round < 30; round += 1) {
      const stream = await currentStream();
      const appending = appendAll(randomUUID());
      expect(stream.writableCorked).toBe(1);
      stream.destroy();
      const { served, failures } = await appending;
      expect([served.length, failures.length]).toEqual([0, COMMANDS]);
      await expectServing();
    }
  });

  it('and closed in that turn: none hangs', async () => {
    const closing = connectRedis(redis.url);
    await closing.run((client) => client.ping());
    const pings = numbers.map(() => closing.run((client) => client.ping()));
    const closed = closing.close();
    const outcomes = await Promise.allSettled(pings);
    await closed;
    // Whether they were served or not: written before the end, or never.
    for (const outcome of outcomes)
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ name: 'DependencyUnavailable' });
  });
});
