// Plain JavaScript, so that the same file runs from the sources (jest, tsx) and from dist.
import bcrypt from 'bcrypt';
import workerpool from 'workerpool';

// The synchronous calls: the asynchronous ones would hash on libuv's four threads, which all of the process shares.
workerpool.worker({ hash: bcrypt.hashSync, compare: bcrypt.compareSync });
