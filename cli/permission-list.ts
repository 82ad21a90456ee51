import type { EditedList } from './list-options.ts';

export const PERMISSION_LIST: EditedList = {
  whole: 'permission',
  entry: 'permission',
  list: 'permissions',
  value: '<permission>',
};
