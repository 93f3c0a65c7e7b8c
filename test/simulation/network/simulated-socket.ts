import { Duplex } from 'node:stream';
import type { End } from './end.ts';

/** Who listens to what passes through a socket. */
export interface SocketTap {
  /** Bytes that its owner sends. @returns what is sent in their place. */
  onSent(bytes: Buffer): Buffer;
  /** Bytes that its owner is given. */
  onReceived(bytes: Buffer): void;
}

/** An end of a connection with the face of a socket of Node.js. */
export class SimulatedSocket extends Duplex {
  readonly #end: End;
  readonly #tap: SocketTap;

  /** @param allowHalfOpen whether it goes on when the other side sends no more, as in a server. */
  constructor(end: End, tap: SocketTap, allowHalfOpen: boolean) {
    super({ allowHalfOpen });
    this.#end = end;
    this.#tap = tap;
    end.attach({
      onOpen: () => this.emit('connect'),
      onData: (bytes) => {
        tap.onReceived(bytes);
        return this.push(bytes);
      },
      onEnd: () => this.push(null),
      onFailed: (code) => {
        this.destroy(Object.assign(new Error(code), { code, syscall: 'simulated' }));
      },
    });
  }

  get remoteAddress(): string {
    return this.#end.there.address;
  }

  get remotePort(): number {
    return this.#end.there.port;
  }

  get localAddress(): string {
    return this.#end.here.address;
  }

  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  /** What is silent for too long is ended by the owner's own clock. */
  setTimeout(): this {
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  override _read(): void {
    this.#end.read();
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.#end.write(this.#tap.onSent(chunk), done);
  }

  override _writev(chunks: { readonly chunk: Buffer }[], done: () => void): void {
    const bytes = Buffer.concat(chunks.map(({ chunk }) => chunk));
    this.#end.write(this.#tap.onSent(bytes), done);
  }

  override _final(done: () => void): void {
    this.#end.end();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#end.close();
    done(error);
  }
}
