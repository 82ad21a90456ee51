import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A network between a client and a server of this machine that can lose an answer, or be slow. */
export interface TcpProxy {
  readonly port: number;
  /** The next bytes that the server sends never arrive; both connections are cut instead. Resolves when that has happened. */
  cutNextAnswer(): Promise<void>;
  /** From now on whatever the server sends arrives this much later. */
  delayAnswers(milliseconds: number): void;
  close(): Promise<void>;
}

export async function startTcpProxy(serverPort: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let cut: (() => void) | null = null;
  let delayMs = 0;
  const server = createServer((client) => {
    const upstream = connect(serverPort, '127.0.0.1');
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    client.on('data', (bytes) => upstream.write(bytes));
    upstream.on('data', (bytes) => {
      if (cut === null) {
        if (delayMs === 0) client.write(bytes);
        else setTimeout(() => client.writable && client.write(bytes), delayMs);
        return;
      }
      cut();
      cut = null;
      client.destroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    delayAnswers: (milliseconds) => {
      delayMs = milliseconds;
    },
    cutNextAnswer: () =>
      new Promise((resolve) => {
        cut = resolve;
      }),
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}
