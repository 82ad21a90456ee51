import { InvalidPermission, parsePermission } from '@keyturn/lib/protocol';
import { z } from 'zod';

/** One permission, as it was written. */
export const permissionText = z.string().superRefine((text, context) => {
  try {
    parsePermission(text);
  } catch (error) {
    if (!(error instanceof InvalidPermission)) throw error;
    context.addIssue({ code: 'custom', message: error.message });
  }
});
