/* Side by side in one run: this kind of machine is noisy, so contenders take turns and are compared round by round. */

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

export function percentile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

/**
 * A B C, A B C, … after a warm-up of each.
 *
 * @param contenders `{ name, measure(isWarmUp): Promise<{ perSecond, cpuUs }> }`
 * @returns samples by name, each a list in the order of rounds
 */
export async function interleave(contenders, { rounds, onRound = () => {} }) {
  const samples = Object.fromEntries(contenders.map(({ name }) => [name, []]));
  for (const { measure } of contenders) await measure(true);
  for (let round = 1; round <= rounds; round += 1) {
    onRound(round);
    // Every other round backwards, so that nobody is always the one who comes after the slowest.
    const order = round % 2 === 1 ? contenders : contenders.toReversed();
    for (const { name, measure } of order) samples[name].push(await measure(false));
  }
  return samples;
}

/** Median over the rounds of a's figure divided by b's in the same round. */
export function ratio(samplesOfA, samplesOfB, figure = 'perSecond') {
  return median(samplesOfA.map((sample, round) => sample[figure] / samplesOfB[round][figure]));
}

/** One row of the report. `base`: the samples that its ratio is to. */
export function row(name, samples, base) {
  const figures = samples.map(({ perSecond }) => perSecond);
  const cpuUs = samples.map((sample) => sample.cpuUs).filter((value) => value !== undefined);
  return {
    name,
    median: round3(median(figures)),
    min: round3(Math.min(...figures)),
    max: round3(Math.max(...figures)),
    cpu_us: cpuUs.length === 0 ? null : round3(median(cpuUs)),
    ratio: base === undefined ? null : round3(ratio(samples, base)),
  };
}

/** A row of a figure that is not a rate. */
export function figureRow(name, values) {
  const [lowest, highest] = [Math.min(...values), Math.max(...values)];
  return { name, median: round3(median(values)), min: round3(lowest), max: round3(highest), cpu_us: null, ratio: null };
}

export const atLeast = (name, value, bound) => ({
  name,
  value: round3(value),
  target: `>= ${bound}`,
  met: value >= bound,
});
export const atMost = (name, value, bound) => ({
  name,
  value: round3(value),
  target: `<= ${bound}`,
  met: value <= bound,
});

/** Three significant digits: more would be noise. */
function round3(value) {
  return Number(value.toPrecision(value >= 1000 ? 4 : 3));
}
