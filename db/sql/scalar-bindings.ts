/**
 * mysql2 writes an object that stands where a value should into the statement as SQL (CVE-2016-20018: an id of
 * `{"id": 1}` matches every row). No column of ours takes one, so every statement is held to scalars here, whatever
 * the layers above let through. Dates are knex's own, in its table of migrations.
 *
 * @throws TypeError naming the place of the binding, never its value. Its code is what leaves the database: knex puts the
 *   statement before the message.
 */
export function assertScalarBindings(bindings: readonly unknown[] | undefined): void {
  for (const [index, binding] of (bindings ?? []).entries()) {
    const isDate = Object.prototype.toString.call(binding) === '[object Date]';
    if (binding !== null && !isDate && typeof binding === 'object') {
      const error = new TypeError(`SQL binding ${index} is an object where a string, number, boolean or null belongs`);
      throw Object.assign(error, { code: 'OBJECT_AS_SQL_BINDING' });
    }
  }
}
