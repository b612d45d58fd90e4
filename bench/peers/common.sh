# What the peers' scripts share; each is called as: NAME start|stop|pids|data|ports
#
# A peer keeps its configuration and data below $BENCH_DIR/NAME, listens on 127.0.0.1 only, and has
# the accounts u0001 … with the password "test"; durability is each program's own default. They must
# be started as root, because they give up root themselves.

BENCH_DIR=${BENCH_DIR:-/var/tmp/relais-bench}
BENCH_ACCOUNTS=${BENCH_ACCOUNTS:-200}
HERE=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)

say() { printf '%s\n' "$*" >&2; }
fail() { say "$(basename "$0"): $*"; exit 1; }

# wait_for_port PORT SECONDS
wait_for_port() {
    local end=$((SECONDS + $2))
    until (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; do
        [ $SECONDS -lt $end ] || return 1
        sleep 0.1
    done
}

# free_port PORT: fails when somebody else listens there, whom a load would find instead of us
free_port() {
    ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null || fail "something listens on port $1 already"
}

# stop_process PID SECONDS: asks it to end and waits
stop_process() {
    kill "$1" 2>/dev/null || return 0
    local end=$((SECONDS + $2))
    while kill -0 "$1" 2>/dev/null; do
        [ $SECONDS -lt $end ] || { kill -KILL "$1" 2>/dev/null; return 1; }
        sleep 0.1
    done
}

# certificate DIRECTORY [rsa|ecdsa]: tls.pem and tls.key, unless they exist
certificate() {
    [ -e "$1/tls.pem" ] && return
    local key="rsa:2048"
    [ "${2:-ecdsa}" = ecdsa ] && key="ec -pkeyopt ec_paramgen_curve:prime256v1"
    # shellcheck disable=SC2086
    openssl req -x509 -newkey $key -nodes -subj /CN=bench.test -days 3650 \
        -addext subjectAltName=DNS:bench.test,IP:127.0.0.1 \
        -keyout "$1/tls.key" -out "$1/tls.pem" 2>/dev/null
}
