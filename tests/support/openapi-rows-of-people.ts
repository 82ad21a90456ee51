import type { WalkRow } from './openapi-walk.ts';
import { type Call, unique, type World } from './openapi-world.ts';

const newEmail = (): string => `${unique('user')}@example.com`;
const newUser = (): Call => ({ json: { email: newEmail(), name: 'A' } });

async function takenEmail({ make }: World): Promise<string> {
  return (await make('POST', '/v1/users', { email: newEmail(), name: 'A' })).email;
}

async function signedIn({ person }: World): Promise<Call> {
  return { headers: (await person()).headers };
}

/** A page of somebody else writes with a cookie of ours. */
async function ledAstray({ person }: World): Promise<Call> {
  return { headers: { ...(await person()).headers, origin: 'https://elsewhere.example.com' } };
}

async function credentials({ keyturn, person }: World): Promise<Call> {
  const { email, password } = await person();
  return { headers: { origin: keyturn.url }, json: { email, password } };
}

const wrongCredentials = ({ keyturn }: World, email = newEmail()): Call => ({
  headers: { origin: keyturn.url },
  json: { email, password: 'not the password' },
});

async function setUp({ keyturn, make }: World): Promise<Call> {
  const { invitation_url: link } = await make('POST', '/v1/users', { email: newEmail(), name: 'A' });
  const token = new URL(link).hash.slice(1);
  return { headers: { origin: keyturn.url }, json: { token, password: 'seven-otters-juggle-lanterns' } };
}

async function newPassword(world: World): Promise<Call> {
  const { headers, password } = await world.person();
  return { headers, json: { current_password: password, new_password: 'eight-badgers-polish-trumpets' } };
}

/** A rotation takes a quarter of an hour, and there is one at a time; a revoked successor gets another in its place. */
async function pendingKey({ make }: World): Promise<string> {
  const { data } = await make('GET', '/v1/signing-keys');
  const pending = data.find(({ state }: { state: string }) => state === 'pending');
  return (pending ?? (await make('POST', '/v1/signing-keys/rotate'))).kid;
}

export const peopleRows: Readonly<Record<string, WalkRow>> = {
  signIn: {
    success: credentials,
    others: {
      401: (world) => wrongCredentials(world),
      403: async (world) => ({ ...(await credentials(world)), headers: {} }),
      429: async (world) => {
        const email = newEmail();
        for (let failure = 0; failure < 10; failure += 1)
          await world.contract.send({ method: 'POST', path: '/v1/session', ...wrongCredentials(world, email) });
        return wrongCredentials(world, email);
      },
    },
  },
  getSession: { success: signedIn },
  signOut: { success: signedIn, others: { 403: ledAstray } },
  changePassword: {
    success: newPassword,
    others: { 403: async (world) => ({ ...(await newPassword(world)), ...(await ledAstray(world)) }) },
  },
  setUp: {
    success: setUp,
    others: {
      403: async (world) => ({ ...(await setUp(world)), headers: {} }),
      409: async (world) => {
        // Only the first user has no address yet.
        const token = new URL(world.keyturn.administrator.setupUrl).hash.slice(1);
        const json = { token, password: 'seven-otters-juggle-lanterns', email: await takenEmail(world) };
        return { headers: { origin: world.keyturn.url }, json };
      },
      410: async (world) => {
        const call = await setUp(world);
        await world.contract.send({ method: 'POST', path: '/v1/setup', ...call });
        return call;
      },
    },
  },
  inviteToProject: {
    success: newUser,
    others: {
      409: async ({ make }) => {
        const json = { email: newEmail(), name: 'A' };
        await make('POST', '/v1/projects/default/invitations', json);
        return { json };
      },
    },
  },
  listUsers: { also: [() => ({ query: 'limit=2&sort=-email&fields=id,email&q=user' })] },
  createUser: {
    success: newUser,
    others: { 409: async (world) => ({ json: { email: await takenEmail(world), name: 'A' } }) },
  },
  getUser: { also: [() => ({ query: 'fields=id' })] },
  updateUser: {
    success: () => ({ json: { name: 'B' } }),
    others: { 409: async (world) => ({ json: { email: await takenEmail(world) } }) },
  },
  deleteUser: {
    others: { 409: async ({ project }) => ({ params: { user: (await project()).userId } }) },
  },
  inviteUser: {},
  listSigningKeys: {},
  rotateSigningKey: { isSuccessFirst: true, others: { 409: () => ({}) } },
  revokeSigningKey: { success: async (world) => ({ params: { kid: await pendingKey(world) } }) },
};
