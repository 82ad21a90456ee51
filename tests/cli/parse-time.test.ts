import { describe, expect, it } from '@jest/globals';
import { parseDuration, parseExpiry, parseFutureTime, parsePastTime, toExpiry } from '../../cli/parse-time.ts';

const DAY_MS = 86_400_000;

it('a duration is counted from now, back or on', () => {
  const distanceMs = Date.parse(parseFutureTime('30d')) - Date.parse(parsePastTime('30d'));
  // The clock is read twice.
  expect(Math.abs(distanceMs - 60 * DAY_MS)).toBeLessThan(DAY_MS);
  expect(Date.parse(parsePastTime('1h'))).toBeGreaterThan(Date.parse(parsePastTime('1d')));
});

it.each([
  ['2027-01-31', '2027-01-31T00:00:00.000Z'],
  ['2027-01-31T18:00:00+01:00', '2027-01-31T17:00:00.000Z'],
  ['2027-01-31T18:00:00.5Z', '2027-01-31T18:00:00.500Z'],
])('%s is %s', (text, time) => {
  expect(parsePastTime(text)).toBe(time);
  expect(parseFutureTime(text)).toBe(time);
});

it.each([
  '',
  '90',
  'd',
  '-1d',
  '1.5d',
  '1y',
  '2027',
  '31.1.2027',
  '2027-13-01',
  '2027-01-31T18:00',
  'tomorrow',
  '999999999w',
])('refuses %j', (text) => {
  expect(() => parsePastTime(text)).toThrow('2027-01-31');
});

it('says which way a duration is counted', () => {
  expect(() => parsePastTime('soon')).toThrow('a duration back from now');
  expect(() => parseFutureTime('soon')).toThrow('a duration from now');
});

describe('an expiry', () => {
  it('can be never', () => {
    expect(toExpiry(parseExpiry('never'))).toBeNull();
    expect(toExpiry(undefined)).toBeUndefined();
    expect(toExpiry(parseExpiry('2027-01-31'))).toBe('2027-01-31T00:00:00.000Z');
  });
});

it.each([
  ['45s', 45],
  ['30m', 1_800],
  ['24h', 86_400],
  ['7d', 604_800],
  ['2w', 1_209_600],
])('%s is %d seconds', (text, seconds) => {
  expect(parseDuration(text)).toBe(seconds);
});

it.each(['', '24', '2027-01-31', 'never'])('%j is no duration', (text) => {
  expect(() => parseDuration(text)).toThrow('24h');
});
