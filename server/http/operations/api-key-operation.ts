import type { ApiKeyManagement } from '../../api-keys/manage-api-keys.ts';
import type { Clock } from '../../clock.ts';
import { Problem } from '../problem.ts';

/** What every operation on API keys needs. */
export interface ApiKeyOperationDependencies {
  readonly management: ApiKeyManagement;
  readonly clock: Clock;
}

export const noSuchKey = () => new Problem('not_found', 'no such API key in this project');
