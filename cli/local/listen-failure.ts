import type { Config } from '../../server/config.ts';
import { CommandFailure } from '../command-failure.ts';
import { EXIT_CODES } from '../exit-codes.ts';

/** Those of several processes on one port fail when they bind. */
const SYSCALLS: ReadonlySet<string | undefined> = new Set(['listen', 'bind', 'getaddrinfo']);

/** What listen() refuses, in words that name the setting; anything else as it came. */
export function explainListenError(error: unknown, { port, opsPort, host }: Config): unknown {
  const { code, syscall, port: refused } = error as NodeJS.ErrnoException & { port?: number };
  if (!SYSCALLS.has(syscall)) return error;
  const setting = refused !== port && refused === opsPort ? 'KEYTURN_OPS_PORT' : 'PORT';
  if (code === 'EADDRINUSE') {
    const message = `${setting} ${refused} is in use: end what listens there, or set ${setting} to another one`;
    return new CommandFailure(EXIT_CODES.failed, 'port_in_use', message, { setting });
  }
  const advice = code === 'EACCES' ? `choose a ${setting} from 1024 up` : 'HOST must be an address of this machine';
  const message = `can't listen on ${host}, port ${refused ?? port} (${code}): ${advice}`;
  return new CommandFailure(EXIT_CODES.failed, 'cannot_listen', message, { setting });
}
