#!/usr/bin/env bash
# Writes deploy/.env with random passwords for compose.yaml, once: what is there stays.
set -euo pipefail
cd "$(dirname "$0")"
umask 077

# Begins with a letter: NATS reads numbers in its configuration as numbers.
random() { echo -n p; od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }

touch .env
for name in POSTGRES_PASSWORD OWNER_PASSWORD APP_PASSWORD WORKER_PASSWORD NATS_PASSWORD NATS_CLUSTER_PASSWORD \
  MQTT_PASSWORD MQTT_CLIENT_SUFFIX MONGODB_PASSWORD GRAFANA_PASSWORD; do
  grep -q "^$name=" .env || echo "$name=$(random)" >>.env
done
