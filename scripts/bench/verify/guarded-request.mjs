/* Express middleware without Express: what it costs alone, on no more of a request than it looks at. */
import { CALLER_IP, ENTITY } from './tokens.mjs';

const SOCKET = { remoteAddress: CALLER_IP };
const PARAMS = { id: ENTITY };
const URL_PATH = `/credentials/${ENTITY}`;

class Request {
  method = 'GET';
  protocol = 'http';
  url = URL_PATH;
  originalUrl = URL_PATH;
  query = {};
  params = PARAMS;
  socket = SOCKET;
  body = undefined;

  constructor(authorization) {
    this.headers = { host: '127.0.0.1', authorization };
    this.rawHeaders = ['host', '127.0.0.1', 'authorization', authorization];
  }

  get(name) {
    return this.headers[name.toLowerCase()];
  }

  is() {
    return false;
  }
}

/** Whoever refuses does it by an error or by answering. */
function createResponse(reject) {
  const refuse = () => reject(new Error('refused'));
  return { statusCode: 200, setHeader() {}, end: refuse, set() {}, status: refuse, json: refuse };
}

/** Middleware as a function of the Authorization header. */
export function verificationOf(guards) {
  return (authorization) =>
    new Promise((resolve, reject) => {
      const request = new Request(authorization);
      const response = createResponse(reject);
      const pass = (index) => (error) => {
        if (error) reject(error);
        else if (index === guards.length) resolve();
        else guards[index](request, response, pass(index + 1));
      };
      pass(0)();
    });
}
