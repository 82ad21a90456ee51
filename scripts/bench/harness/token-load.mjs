/* The two requests of a token endpoint, as clients of the load. */
import { closedLoop, requestBytes } from './load.mjs';

export function exchangeClients(exchange, connections) {
  const bytes = requestBytes(exchange);
  return Array.from({ length: connections }, () => ({ next: () => bytes }));
}

/** Each client refreshes with the token that its last answer brought, as rotation demands. */
export function refreshClients({ bodyBefore, tokens, ...request }) {
  return tokens.map((first) => {
    let token = first;
    return {
      next: () => requestBytes({ ...request, body: bodyBefore + encodeURIComponent(token) }),
      answered(body) {
        const text = body.latin1Slice();
        const rotated = /"refresh_token":\s*"([^"]+)"/.exec(text)?.[1];
        if (rotated === undefined || rotated === token) throw new Error('a refresh brought no new refresh token');
        token = rotated;
      },
    };
  });
}

/** A contender for {@link interleave}: throughput and CPU time of one server under as much load as it takes. */
export function loadContender(name, { port, cpuUs, clients, measureMs, warmUpMs }) {
  return {
    name,
    async measure(isWarmUp) {
      const cpuBeforeUs = cpuUs();
      const { requests, seconds } = await closedLoop({ port, clients, durationMs: isWarmUp ? warmUpMs : measureMs });
      return { perSecond: requests / seconds, cpuUs: (cpuUs() - cpuBeforeUs) / requests };
    },
  };
}
