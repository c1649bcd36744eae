# One image for the api, the worker, migrations and the command line.
#
#   docker build -t eyrie .                         the product (the last stage, production)
#   docker build -t eyrie-dev --target development .  sources and compiler, for docker-compose.yml
#
# --build-arg VERSION, GIT_SHA, BUILD_TIME: what labels, `eyrie version`, /monitoring/info and app_info then tell.
# --build-arg NODE_IMAGE: the base, for instance by digest.
ARG NODE_IMAGE=node:24-trixie-slim

FROM ${NODE_IMAGE} AS base
# tini is PID 1: it reaps what is orphaned, and hands signals on to the app, which drains.
RUN --mount=type=cache,target=/var/cache/apt,sharing=locked --mount=type=cache,target=/var/lib/apt,sharing=locked \
    apt-get update -qq && apt-get install -y -qq --no-install-recommends tini \
 && rm -rf /var/log/apt /var/log/dpkg.log /var/cache/debconf/*-old /var/lib/dpkg/*-old
WORKDIR /app
ENTRYPOINT ["tini", "--"]

# All packages, exactly those of the lockfile. No package runs a script at its installation: what needs one (Node itself,
# the embedded PostgreSQL) has a better place here.
FROM base AS packages
COPY package.json package-lock.json .npmrc ./
RUN --mount=type=cache,target=/root/.npm npm ci --ignore-scripts

FROM packages AS build
COPY tsconfig.json tsconfig.build.json nest-cli.json esbuild.config.js ./
COPY apps apps
COPY libs libs
RUN npm run build

# Sources and compiler: docker-compose.yml mounts apps and libs over those here, and every edit is live. The build so far is
# where the watching compilers start from, and go on writing.
FROM build AS development
RUN mkdir .eyrie && chown -R 1000:1000 dist .eyrie
USER 1000:1000
EXPOSE 3000 3001
CMD ["node", "dist/apps/local/src/dev.js"]

# What ships of the build: no types and maps; of the programs for a developer's machine the one that explains settings.
FROM build AS production-build
RUN find dist -type f ! -name '*.js' -delete \
 && find dist/apps/local -type f ! -name 'config.js' ! -name 'local.config.js' -delete \
 && find dist -type d -empty -delete
# The version of a release is given to its build, not committed.
ARG VERSION
RUN if [ -n "$VERSION" ]; then npm pkg set version="$VERSION"; fi

FROM base AS production-packages
COPY package.json package-lock.json .npmrc ./
COPY --chmod=755 deploy/image/prune /usr/local/bin/
RUN --mount=type=cache,target=/root/.npm npm ci --omit=dev --ignore-scripts && prune

FROM base AS production
# Nothing is installed here any more: without package managers there is less to attack, and less to patch.
RUN rm -rf /usr/local/lib/node_modules /opt/yarn* /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack \
           /usr/local/bin/yarn /usr/local/bin/yarnpkg /usr/local/etc/npmrc
# All of it is root's, and nobody writes to it: what runs is what was built.
COPY --from=production-packages /app/node_modules node_modules
COPY --from=production-build /app/dist dist
COPY --chmod=644 LICENSE ./
COPY --from=production-build --chmod=644 /app/package.json ./
COPY --chmod=755 deploy/image/eyrie /usr/local/bin/
# What V8 makes of the code at each start, made once. Node looks for it under the number of the user below.
RUN node dist/libs/app/src/fill-compile-cache.js dist/bundle \
 && for made in dist/bundle/compile-cache/*-0; do mv "$made" "${made%-0}-1000"; done \
 && chmod -R a+rX dist/bundle/compile-cache

ARG VERSION GIT_SHA BUILD_TIME
LABEL org.opencontainers.image.title="Eyrie" \
      org.opencontainers.image.description="A durable alert hub: takes alerts in, and tells the right people" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${GIT_SHA}" \
      org.opencontainers.image.created="${BUILD_TIME}"
# production allows least; another environment says its name. Node sizes its heap by the memory that the container is granted.
ENV ENVIRONMENT=production \
    NODE_ENV=production \
    GIT_SHA=${GIT_SHA} \
    BUILD_TIME=${BUILD_TIME}
USER 1000:1000
# The api, the worker, and /metrics where METRICS_PORT=9464.
EXPOSE 3000 3001 9464
STOPSIGNAL SIGTERM
# While it starts it is asked every other second, so that whoever waits for it does not wait in vain; it may wait for its database
# for a minute (DATABASE_STARTUP_TIMEOUT).
HEALTHCHECK --interval=30s --timeout=10s --start-period=70s --start-interval=2s --retries=3 CMD ["eyrie", "healthcheck"]
ENTRYPOINT ["tini", "--", "eyrie"]
CMD ["api"]
