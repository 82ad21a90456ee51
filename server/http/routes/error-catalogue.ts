/** `/errors`: a page for every error that Keyturn answers with; `error_uri` and `type` point here. */
import { Router } from 'express';
import { TOKEN_FAULTS } from '../../token-endpoint/token-faults.ts';
import { PROBLEMS, Problem } from '../problem.ts';
import { addRoutes } from './method-routes.ts';

interface CatalogueEntry {
  readonly name: string;
  /** As `400 invalid_request` at the token endpoint, `400 body_malformed` at /v1; one or both. */
  readonly answers: readonly string[];
  readonly remedies: readonly string[];
}

type Described = {
  readonly status: number;
  readonly error?: string;
  readonly description?: string;
  readonly remedy?: string;
};

function entryOf(name: string): CatalogueEntry {
  const fault: Described | undefined = (TOKEN_FAULTS as Readonly<Record<string, Described>>)[name];
  const problem: Described | undefined = (PROBLEMS as Readonly<Record<string, Described>>)[name];
  const answers = [
    ...(fault ? [`${fault.status}, error ${fault.error}, at the token endpoint`] : []),
    ...(problem ? [`${problem.status}, code ${name}, at /v1`] : []),
  ];
  return { name, answers, remedies: [fault?.description, problem?.remedy].filter((text) => text !== undefined) };
}

/** Every error by its name; `docs/reference/errors.md` is made from the same list. */
export const ERROR_CATALOGUE: readonly CatalogueEntry[] = [
  ...new Set([...Object.keys(TOKEN_FAULTS), ...Object.keys(PROBLEMS)]),
]
  .sort()
  .map(entryOf);

const page = (title: string, body: string): string =>
  `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${title}</title></head><body>${body}</body></html>`;

const toRow = ({ name, answers }: CatalogueEntry): string =>
  `<li><a href="errors/${name}">${name}</a>: ${answers.join('; ')}</li>`;

/** Some remedies are sentences already. */
const toParagraph = (text: string): string => `<p>${text.replace(/\.$/, '')}.</p>`;

export function createErrorCatalogueRoutes(): Router {
  const router = Router();
  addRoutes(router, '/errors', {
    GET: [
      (_request, response) => {
        const list = ERROR_CATALOGUE.map(toRow).join('');
        response.type('html').send(page('Errors of Keyturn', `<h1>Errors of Keyturn</h1><ul>${list}</ul>`));
      },
    ],
  });
  addRoutes(router, '/errors/:name', {
    GET: [
      (request, response) => {
        const entry = ERROR_CATALOGUE.find(({ name }) => name === request.params['name']);
        if (entry === undefined) throw new Problem('not_found', 'no such error; /errors lists them all');
        const { name, answers, remedies } = entry;
        const paragraphs = [...remedies, `HTTP ${answers.join('; ')}`].map(toParagraph).join('');
        const body = `<h1>${name}</h1>${paragraphs}<p><a href="../errors">All errors</a></p>`;
        response.type('html').send(page(name, body));
      },
    ],
  });
  return router;
}
