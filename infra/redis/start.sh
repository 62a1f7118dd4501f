#!/bin/sh
# Starts one Redis process in a container: start.sh dev|prod|sentinel|cluster [further redis-server argument …]
#
# A secret comes from the environment or from a file of its name in /run/secrets:
#   REDIS_PASSWORD              the hubs' password; required in prod and cluster, optional in dev
#   REDIS_REPLICATION_PASSWORD  between nodes and sentinels; required with Sentinel and in cluster
#   REDIS_EXPORTER_PASSWORD     of the user "exporter", which does not exist without it
#   REDIS_ADMIN_PASSWORD        of the user "admin", which does not exist without it
# With Sentinel:
#   REDIS_SENTINELS       host:port,host:port,… of all sentinels, which name the master
#   REDIS_FIRST_MASTER    host:port of the node that is master until a sentinel names one
#   REDIS_ANNOUNCE        host:port under which other nodes reach this process; also with cluster
# The script writes to /run/openclaw only; Redis itself writes to its data folder.
set -eu

etc=$(cd "$(dirname "$0")/.." && pwd)
run=${REDIS_RUN_DIR:-/run/openclaw}
secrets=${REDIS_SECRETS_DIR:-/run/secrets}
name=openclaw
umask 077

fail() {
  echo "start.sh: $1" >&2
  exit 1
}

# secret NAME: sets $value; empty if the secret is not given.
secret() {
  eval "value=\${$1:-}"
  if [ -z "$value" ] && [ -r "$secrets/$1" ]; then value=$(cat "$secrets/$1"); fi
  case $value in
    *[!A-Za-z0-9._~-]*) fail "$1 may hold letters, digits and . _ ~ - only" ;;
  esac
}

needed() {
  secret "$1"
  [ -n "$value" ] || fail "$1 is not set; make one with: openssl rand -hex 32"
}

sha256() {
  printf %s "$1" | sha256sum | cut -d ' ' -f 1
}

# Prints users.acl without comments, one line per user, with the hashes of the given passwords.
write_users() {
  awk '/^[ \t]*(#|$)/ { next }
       /^[ \t]/       { sub(/^[ \t]+/, " "); line = line $0; next }
                      { if (line != "") print line; line = $0 }
       END            { print line }' "$etc/redis/users.acl" >"$run/users.acl"
  for each in REDIS_PASSWORD REDIS_REPLICATION_PASSWORD REDIS_EXPORTER_PASSWORD REDIS_ADMIN_PASSWORD; do
    secret "$each"
    if [ -n "$value" ]; then edit="s/@$each@/$(sha256 "$value")/"; else edit="/@$each@/d"; fi
    sed "$edit" "$run/users.acl" >"$run/users.acl.new"
    mv "$run/users.acl.new" "$run/users.acl"
  done
}

# Prints host:port of the master that a sentinel names, else of the first master.
find_master() {
  for sentinel in $(echo "$REDIS_SENTINELS" | tr ',' ' '); do
    reply=$(timeout 2 redis-cli -h "${sentinel%:*}" -p "${sentinel##*:}" \
      SENTINEL get-master-addr-by-name "$name" 2>/dev/null | tr '\n' ':') || continue
    case $reply in
      *:[0-9]*:) echo "${reply%:}" && return ;;
    esac
  done
  echo "$REDIS_FIRST_MASTER"
}

# Writes the current addresses of the known nodes into nodes.conf. Nodes find each other by address. If all get new
# addresses at once, for example after an outage of the whole cluster, no node would find another.
renew_addresses() {
  [ -s nodes.conf ] || return 0
  hosts=$(sed -n 's/^[^ ]* [^ ]*@[0-9]*,\([A-Za-z0-9.-]\{1,\}\).*/\1/p' nodes.conf)
  for host in $hosts; do
    address=$(getent hosts "$host" | awk '{ print $1; exit }')
    # A node whose name has no address keeps its last address, because it may be down.
    [ -z "$address" ] || edits="${edits:-}s/^\([^ ]* \)[^ ]*\(:[0-9]*@[0-9]*,$host[, ]\)/\1$address\2/;"
  done
  [ -z "${edits:-}" ] || { sed "$edits" nodes.conf >nodes.conf.new && mv nodes.conf.new nodes.conf; }
}

mode=${1:-}
[ $# -gt 0 ] && shift
mkdir -p "$run"

case $mode in
  dev)
    # The file allows connections from this machine only. In a container, that would exclude every client.
    printf '%s\n' "include $etc/redis/redis.dev.conf" 'bind * -::*' 'protected-mode no' >"$run/redis.conf"
    secret REDIS_PASSWORD
    [ -z "$value" ] || echo "user default on #$(sha256 "$value") ~* &* +@all" >>"$run/redis.conf"
    ;;
  prod)
    needed REDIS_PASSWORD
    write_users
    printf '%s\n' "include $etc/redis/redis.prod.conf" "aclfile $run/users.acl" >"$run/redis.conf"
    if [ -n "${REDIS_SENTINELS:-}" ]; then
      needed REDIS_REPLICATION_PASSWORD
      master=$(find_master)
      {
        printf '%s\n' 'masteruser replica' "masterauth $value"
        printf '%s\n' "replica-announce-ip ${REDIS_ANNOUNCE%:*}" "replica-announce-port ${REDIS_ANNOUNCE##*:}"
        [ "$master" = "$REDIS_ANNOUNCE" ] || echo "replicaof ${master%:*} ${master##*:}"
      } >>"$run/redis.conf"
    fi
    ;;
  sentinel)
    needed REDIS_REPLICATION_PASSWORD
    master=$(find_master)
    # Sentinel does not start with a host name that does not resolve yet.
    tries=0
    until timeout 2 redis-cli -h "${master%:*}" -p "${master##*:}" PING >/dev/null 2>&1 || [ $tries -ge 30 ]; do
      tries=$((tries + 1))
      sleep 1
    done
    {
      sed "s/^sentinel monitor $name .* /sentinel monitor $name ${master%:*} ${master##*:} /" \
        "$etc/sentinel/sentinel.conf"
      printf '%s\n' "sentinel auth-user $name sentinel" "sentinel auth-pass $name $value"
      printf '%s\n' "sentinel announce-ip ${REDIS_ANNOUNCE%:*}" "sentinel announce-port ${REDIS_ANNOUNCE##*:}"
      echo "dir $run"
    } >"$run/redis.conf"
    set -- --sentinel "$@"
    ;;
  cluster)
    needed REDIS_PASSWORD
    write_users
    needed REDIS_REPLICATION_PASSWORD
    printf '%s\n' "include $etc/redis/redis.prod.conf" "include $etc/cluster/cluster.conf" "aclfile $run/users.acl" \
      'masteruser replica' "masterauth $value" "cluster-announce-hostname ${REDIS_ANNOUNCE%:*}" >"$run/redis.conf"
    renew_addresses
    ;;
  *) fail "say dev, prod, sentinel or cluster" ;;
esac

# The server does not need the secrets any more, and /proc shows its environment.
unset REDIS_PASSWORD REDIS_REPLICATION_PASSWORD REDIS_EXPORTER_PASSWORD REDIS_ADMIN_PASSWORD value
exec redis-server "$run/redis.conf" "$@"
