/** Versions of an object for which a write is meant (`If-Match`, RFC 9110 §13.1.1); null: whatever it is now. */
export type ExpectedVersions = readonly number[] | null;

/** The object has been changed since whoever writes it has read it. */
export class VersionMismatch extends Error {
  constructor() {
    super('the object has changed since it was read');
    this.name = 'VersionMismatch';
  }
}

/** @throws {VersionMismatch} */
export function assertExpectedVersion(version: number, expected: ExpectedVersions): void {
  if (expected !== null && !expected.includes(version)) throw new VersionMismatch();
}
