/* A thousand times the keys and two hundred times the live sessions; keys that may do a hundred times as much. */
import { startFilledKeyturn } from '../growth/filled-keyturn.mjs';
import { compareLists } from '../growth/key-lists.mjs';
import { compareRichKeys } from '../growth/rich-keys.mjs';
import { makeRoom } from '../growth/roomy-server.mjs';
import { countRowsRead } from '../growth/rows-read.mjs';
import { compareSizes } from '../growth/sizes.mjs';
import { figureRow } from '../harness/rounds.mjs';

/** Lists that are not answered in time are a finding, not the end of the suite. */
function notAnswered(error) {
  process.stderr.write(`${error.message}\n`);
  return {
    rows: [],
    bars: [{ name: 'growth: lists of a million keys are answered', value: null, target: 'yes', met: false }],
  };
}

export async function run(bench) {
  const room = await makeRoom(bench);
  const started = [];
  const start = async (options) => {
    const store = await startFilledKeyturn(bench, options);
    started.push(store);
    return store;
  };
  try {
    const small = await start({ name: 'small', keyCount: 1_000, sessionCount: 10_000 });
    const large = await start({ name: 'large', keyCount: 1_000_000, sessionCount: 2_000_000 });
    await Promise.all([small, large].flatMap((store) => [store.insertKeys(), store.resetSessions()]));
    const parts = [
      await compareSizes(bench, { small, large }),
      await compareRichKeys(bench, small),
      await compareLists(bench, { small, large }).catch(notAnswered),
      await countRowsRead(large),
      {
        rows: [figureRow('bytes of Redis for a session, hash tables included', [await large.bytesOfSession()])],
        bars: [],
      },
    ];
    return { rows: parts.flatMap(({ rows }) => rows), bars: parts.flatMap(({ bars }) => bars) };
  } finally {
    for (const store of started) await store.stop();
    await room.giveBack();
  }
}
