#!/bin/sh
# Makes a cluster of the nodes in REDIS_CLUSTER_NODES (host:port,host:port,…), each master with one replica. Ends with 0 and
# changes nothing if they form one already, so it may run at each deployment. REDIS_ADMIN_PASSWORD is required; it comes
# from the environment or from /run/secrets.
set -eu

secrets=${REDIS_SECRETS_DIR:-/run/secrets}
password=${REDIS_ADMIN_PASSWORD:-}
if [ -z "$password" ] && [ -r "$secrets/REDIS_ADMIN_PASSWORD" ]; then password=$(cat "$secrets/REDIS_ADMIN_PASSWORD"); fi
[ -n "$password" ] || { echo "create.sh: REDIS_ADMIN_PASSWORD is not set" >&2; exit 1; }

# redis-cli reads the password from here, so no list of processes shows it.
export REDISCLI_AUTH="$password"
nodes=$(echo "$REDIS_CLUSTER_NODES" | tr ',' ' ')
at() { node=$1; shift; timeout 5 redis-cli -h "${node%:*}" -p "${node##*:}" --user admin "$@" 2>&1; }

# All nodes must answer, because a node that starts later would not be part of the cluster.
addresses=
for node in $nodes; do
  tries=0
  until [ "$(at "$node" PING)" = PONG ]; do
    tries=$((tries + 1))
    [ $tries -lt 60 ] || { echo "create.sh: $node does not answer: $(at "$node" PING)" >&2; exit 1; }
    sleep 1
  done
  # CLUSTER MEET takes addresses only.
  address=$(getent hosts "${node%:*}" | awk '{ print $1; exit }')
  addresses="$addresses $address:${node##*:}"
done

# A node that knows others already belongs to a cluster, and "create" would refuse it. If that cluster is not complete,
# an operator must look at it.
for node in $nodes; do
  info=$(at "$node" CLUSTER INFO)
  case $info in *cluster_known_nodes:1[!0-9]*) continue ;; esac
  case $info in
    *cluster_slots_assigned:16384[!0-9]*) echo "create.sh: $node is part of a cluster already" ; exit 0 ;;
  esac
  echo "create.sh: $node is part of a cluster that lacks slots; see redis-cli --cluster fix" >&2
  exit 1
done
# shellcheck disable=SC2086 # One argument for each address.
exec redis-cli --user admin --cluster create $addresses --cluster-replicas 1 --cluster-yes
