import { readFileSync } from 'node:fs';

interface IpVectors {
  strict_valid: string[];
  strict_invalid: string[];
  cidr_match: { cidr: string; ip: string; allow: boolean; why: string }[];
  cidr_reject: string[];
  forwarded: { trust: string; peer: string; xff: string | null; client: string }[];
}

export const ipVectors: IpVectors = JSON.parse(readFileSync(new URL('../../vectors/ip.json', import.meta.url), 'utf8'));
