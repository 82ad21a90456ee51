/* Tables for people; the same figures as JSON for programs. */

const number = (value) => {
  if (value === null || value === undefined) return '';
  return value >= 1000 ? Math.round(value).toLocaleString('en') : String(value);
};

function table(head, rows) {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((cells) => cells[column].length)));
  const line = (cells) =>
    cells.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column]))).join('  ');
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}

export function formatSuite({ suite, rows, bars }) {
  const head = [suite, 'median', 'min', 'max', 'CPU µs', 'ratio'];
  const cells = rows.map((row) => [row.name, ...[row.median, row.min, row.max, row.cpu_us, row.ratio].map(number)]);
  return `${table(head, cells)}\n\n${formatBars(bars)}\n`;
}

export function formatBars(bars) {
  return table(
    ['bar', 'measured', 'target', 'met'],
    bars.map(({ name, value, target, met }) => [name, number(value), target, met ? 'yes' : 'NO']),
  );
}

export function formatMachine(machine) {
  return Object.entries(machine)
    .map(([name, value]) => `${name}: ${value}`)
    .join('\n');
}
