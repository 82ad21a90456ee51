import { execFileSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { findBinary } from './guarded-process.mjs';

/** Makes Debian's packages install without starting system-wide daemons (policy-rc.d(8), 101: forbidden). */
const POLICY = '/usr/sbin/policy-rc.d';

export function canUseApt() {
  return process.getuid?.() === 0 && existsSync('/etc/debian_version') && findBinary('apt-get') !== null;
}

/** Throws when apt can't. */
export function aptInstall(packages) {
  const ownPolicy = !existsSync(POLICY);
  if (ownPolicy) writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  const apt = (timeoutMs, ...words) =>
    execFileSync('apt-get', ['-qq', '-o', 'DPkg::Lock::Timeout=300', ...words], {
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' },
      stdio: 'pipe',
      timeout: timeoutMs,
    });
  const install = () => apt(600_000, 'install', '-y', '--no-install-recommends', ...packages);
  try {
    try {
      install();
    } catch {
      apt(300_000, 'update');
      install();
    }
  } finally {
    if (ownPolicy) rmSync(POLICY, { force: true });
  }
}

/**
 * Programs beside Node that a suite runs, installed where that can be done. Throws where one can't be had.
 */
export function requirePrograms(...names) {
  const missing = () => names.filter((name) => findBinary(name) === null);
  if (missing().length > 0 && canUseApt()) aptInstall(missing());
  if (missing().length > 0) throw new Error(`install ${missing().join(', ')} and run again`);
}
