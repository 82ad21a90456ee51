/* An Express application with one route behind the guards of a contender: `express-route.mjs <name>`. */
import express from 'express';

const { createGuards } = await import(`./${process.argv[2]}.mjs`);
const setup = JSON.parse(process.env.VERIFY_SETUP);

const app = express();
app.disable('x-powered-by');
app.get('/credentials/:id', ...createGuards(setup), (request, response) => {
  response.json({ id: request.params.id, type: 'postgres', username: 'app' });
});
const server = app.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${JSON.stringify({ port: server.address().port })}\n`);
});
process.stdin.on('end', () => process.exit(0)).resume();
process.on('SIGTERM', () => process.exit(0));
