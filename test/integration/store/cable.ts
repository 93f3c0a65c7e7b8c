import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** The way from a gateway to its database, which a test can cut. */
export interface Cable {
  /** Where the gateway finds the database. */
  readonly port: number;
  /** Ends all connections, and every new one at once. */
  cut(): void;
  /** Connections stay and can be made, and nothing comes through. */
  hang(): void;
  mend(): void;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Lays one to a port of this machine. */
export async function layCable(target: number): Promise<Cable> {
  let state: 'whole' | 'cut' | 'hanging' = 'whole';
  const ends = new Set<Socket>();
  const join = (from: Socket, to: Socket): void => {
    ends.add(from);
    from.on('error', () => {});
    from.on('data', (bytes: Buffer) => {
      // What is sent meanwhile is lost: a connection that hung is of no use afterwards.
      if (state === 'whole') to.write(bytes);
    });
    from.on('close', () => {
      ends.delete(from);
      to.destroy();
    });
  };
  const server = createServer({ noDelay: true }, (near) => {
    if (state === 'cut') {
      near.destroy();
      return;
    }
    const far = connect({ host: '127.0.0.1', port: target, noDelay: true });
    join(near, far);
    join(far, near);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const end = (): void => {
    for (const socket of ends) socket.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    cut: () => {
      state = 'cut';
      end();
    },
    hang: () => {
      state = 'hanging';
    },
    mend: () => {
      // Whoever still waits on an old connection must not be answered out of the middle.
      end();
      state = 'whole';
    },
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        state = 'cut';
        end();
        server.close(() => resolve());
      }),
  };
}
