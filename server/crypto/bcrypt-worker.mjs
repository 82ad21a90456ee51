// Plain JavaScript, so that the same file runs from the sources (jest, tsx) and from dist.
import { getPriority, setPriority } from 'node:os';
import bcrypt from 'bcrypt';
import workerpool from 'workerpool';

/**
 * Below the event loop, which then gets a core as soon as it wants one. Not less: where every core is busy, secrets still
 * get a tenth of one, and are proven before their request's time is up.
 */
const NICENESS = 10;
const MAX_NICENESS = 19;

/** On Linux the calling thread's alone; elsewhere it would be the whole process's. */
function yieldToEventLoop() {
  if (process.platform !== 'linux') return;
  try {
    setPriority(Math.min(MAX_NICENESS, getPriority() + NICENESS));
  } catch {
    // A sandbox that forbids it: secrets are proven all the same.
  }
}

yieldToEventLoop();
// The synchronous calls: the asynchronous ones would hash on libuv's four threads, which all of the process shares.
workerpool.worker({ hash: bcrypt.hashSync, compare: bcrypt.compareSync });
