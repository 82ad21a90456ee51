/** Prometheus' text format keeps the samples of a metric together: texts of several processes can't just be joined. */

/** Each begins with the `# HELP` line of a metric and ends before that of the next. */
const FAMILY = /^# HELP (\S+).*\n# TYPE .*\n/;

/**
 * One text of the metrics of several processes. Their samples must differ by a label: nothing is summed.
 *
 * @param texts as prom-client writes them
 */
export function mergeExpositions(texts: readonly string[]): string {
  const families = new Map<string, { readonly header: string; samples: string }>();
  for (const family of texts.flatMap((text) => text.split(/^(?=# HELP )/m))) {
    const [header, name] = FAMILY.exec(family) ?? [];
    if (header === undefined || name === undefined) continue;
    const known = families.get(name) ?? { header, samples: '' };
    const samples = family.slice(header.length).trim();
    if (samples !== '') known.samples += `${samples}\n`;
    families.set(name, known);
  }
  return [...families.values()].map(({ header, samples }) => header + samples).join('\n');
}
