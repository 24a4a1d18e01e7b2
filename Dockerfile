# Kassa alone: PostgreSQL and TigerBeetle are reached by address, nothing embedded is inside.
FROM node:24-bookworm-slim AS dependencies
WORKDIR /kassa
COPY package.json package-lock.json ./
# Optional packages are Node itself, which the image has, and the embedded PostgreSQL. The native
# parts that are needed come ready-made inside their packages, so no install script has to run.
RUN npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund

FROM node:24-bookworm-slim
WORKDIR /kassa
ENV NODE_ENV=production
COPY --from=dependencies /kassa/node_modules ./node_modules
COPY package.json ./
COPY accounting ./accounting
COPY db ./db
COPY server ./server
USER node
EXPOSE 4000
CMD ["node", "server/main.ts"]
