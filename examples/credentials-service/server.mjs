// A sibling service: it keeps credentials and lets Keyturn's access tokens decide who may see which.
import { createVerifier } from '@keyturn/lib';
import { authenticate, requirePermission } from '@keyturn/lib/express';
import express from 'express';

const port = Number(process.argv[2] ?? 8081);
const issuer = process.env.KEYTURN_ISSUER ?? 'http://127.0.0.1:8080';

const credentials = [
  { id: 'prod-db', type: 'postgres', username: 'app' },
  { id: 'prod-queue', type: 'amqp', username: 'worker' },
  { id: 'staging-db', type: 'postgres', username: 'app' },
];

// Keyturn puts its issuer into `aud` unless a project names audiences of its own.
const verifier = createVerifier({ issuer, audience: issuer });

const app = express();
app.disable('x-powered-by');
app.use(authenticate(verifier));

app.get('/credentials', (req, res) => {
  const allowed = req.auth.narrow('read:credential');
  res.json({ data: credentials.filter(({ id }) => allowed.includes(id)) });
});

app.get('/credentials/:id', requirePermission('read:credential/:id'), (req, res) => {
  const credential = credentials.find(({ id }) => id === req.params.id);
  if (credential === undefined) res.status(404).json({ error: 'not_found' });
  else res.json(credential);
});

app.listen(port, '127.0.0.1', (error) => {
  if (error) throw error;
  console.log(
    `Credentials service on http://127.0.0.1:${port}, tokens from ${issuer}. Try, with an access token in $TOKEN:`,
  );
  console.log(`  curl -H "Authorization: Bearer $TOKEN" http://127.0.0.1:${port}/credentials`);
  console.log(`  curl -H "Authorization: Bearer $TOKEN" http://127.0.0.1:${port}/credentials/prod-db`);
});
