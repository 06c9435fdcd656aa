# A daemon, and every other command, as an ordinary user. docs/containers.md says how it is run, and what it may not do.
#   docker build --tag switchover:0.2.0 .
FROM node:24-bookworm-slim AS build
WORKDIR /repository
COPY package.json package-lock.json ./
RUN npm ci
COPY . .
# The files that are published, with the packages that they need.
RUN npm pack --silent > /dev/null \
  && mkdir /switchover \
  && tar --extract --file switchover-*.tgz --strip-components 1 --directory /switchover \
  && npm prune --omit=dev \
  && mv node_modules /switchover

FROM node:24-bookworm-slim
COPY --from=build /switchover /switchover
COPY deploy/daemon.yaml /etc/switchover/daemon.yaml
# The one folder that the user may write to: a volume in place of it keeps records and journals.
RUN ln -s /switchover/dist/cli/main.js /usr/local/bin/switchover \
  && chmod +x /switchover/dist/cli/main.js \
  && install --directory --owner node --group node --mode 700 /var/lib/switchover
WORKDIR /switchover
USER node
VOLUME /var/lib/switchover
EXPOSE 7070
ENV SWITCHOVER_API=http://127.0.0.1:7070
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
  CMD node --input-type=module --eval "process.exit((await fetch('$SWITCHOVER_API/healthz')).ok ? 0 : 1)"
ENTRYPOINT ["switchover"]
CMD ["serve", "--config", "/etc/switchover/daemon.yaml", "--listen", "127.0.0.1:7070"]
