import type { Output } from '../../output.ts';
import { formatFields } from '../../table.ts';
import { type CreatedApiKeyJson, fieldsOf } from './api-key-json.ts';

/** An API key with its new secret. A chosen one is not shown: whoever chose it has it. */
export function printSecretOnce(output: Output, answer: CreatedApiKeyJson, isChosen: boolean): void {
  const { client_secret, ...key } = answer;
  output.result(answer, formatFields({ ...fieldsOf(key), ...(isChosen ? {} : { client_secret }) }));
  if (!isChosen) output.note('The client_secret is the API key; it is shown only now.');
}
