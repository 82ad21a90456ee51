# syntax=docker/dockerfile:1
# Built with everything, run with what production needs; neither stage runs an install script (.npmrc).
#   docker build -t keyturn .
#   docker run -p 127.0.0.1:8080:8080 -v keyturn:/app/data -e NODE_ENV=development -e KEYTURN_ISSUER=http://127.0.0.1:8080 keyturn
# docs/how-to/run-in-production.md says what production sets instead.

FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY lib/package.json lib/
RUN npm ci
COPY tsconfig.base.json tsconfig.build.json ./
COPY scripts/build.mjs scripts/
COPY lib lib
COPY server server
COPY db db
COPY cli cli
RUN node scripts/build.mjs && npm prune --omit=dev

FROM node:24-bookworm-slim
ENV NODE_ENV=production HOST=0.0.0.0 PORT=8080
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/lib/package.json lib/
COPY --from=build /app/lib/dist lib/dist
COPY --from=build /app/dist dist
COPY --from=build /app/cli/keyturn.mjs cli/
RUN ln -s /app/cli/keyturn.mjs /usr/local/bin/keyturn && mkdir -m 700 data && chown node:node data
USER node
# The embedded database and the master key, where neither DATABASE_URL nor KEYTURN_MASTER_KEY says otherwise.
VOLUME /app/data
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.KEYTURN_OPS_PORT || process.env.PORT}/livez`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
# node itself is process 1, so that it gets SIGTERM and drains.
CMD ["node", "cli/keyturn.mjs", "serve"]
