import type { RequestHandler } from 'express';
import { permissionFailure } from '../verifier/bearer-failure.ts';
import { accessTokenOf, refusalOf, refuse } from './authenticate.ts';
import { parsePermissionPattern } from './permission-pattern.ts';

/**
 * Lets requests pass whose token has the permission; the others get 403 with the permission that is missing. A segment
 * `:id` stands for the route parameter `id`, which must be a single segment of letters, digits and `.` `_` `~` `-`: any
 * other value is 403 too. Stands behind `authenticate`, on the route itself, where Express knows the parameters.
 *
 * @throws {TypeError} at once, when the text is not a permission
 */
export function requirePermission(permission: string): RequestHandler {
  const pattern = parsePermissionPattern(permission);
  return (req, res, next) => {
    const accessToken = accessTokenOf(req);
    const required = pattern.fill(req.params);
    if (required !== null && accessToken.can(required)) {
      next();
      return;
    }
    const { realm, respond } = refusalOf(req);
    refuse(res, permissionFailure(realm, required), respond);
  };
}
