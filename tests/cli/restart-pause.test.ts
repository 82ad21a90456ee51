import { expect, it } from '@jest/globals';
import { restartPauseMs } from '../../cli/local/restart-pause.ts';

it('a crash is mended at once, a loop of crashes at ever longer intervals, up to half a minute', () => {
  expect([0, 1, 2, 3, 4, 5, 6, 7, 1000].map(restartPauseMs)).toEqual([
    0, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000,
  ]);
});
