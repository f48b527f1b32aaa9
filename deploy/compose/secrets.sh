#!/bin/sh
# The first container of docker-compose.yml: puts each secret where the one service
# that needs it reads it, and nowhere else.
#
# With APP_ENV production or staging every secret has to be given, and one that is
# empty, short or well known is refused: nothing starts then. Without APP_ENV (or
# with development) this is the demo: what is not given is made up, once, and kept.
#
# It runs as root with no capability but CHOWN: files belong to root and can be read
# by the group of the service, whose user has no name on this machine.
set -eu
umask 077

problems=0
refuse() {
  echo "refused: $*" >&2
  problems=$((problems + 1))
}

case ${APP_ENV:-development} in
development) demo=yes ;;
staging | production) demo= ;;
*)
  demo=
  refuse "APP_ENV is $APP_ENV; want production, staging, or nothing for the demo"
  ;;
esac

random() { head -c 32 /dev/urandom | base64 | tr -d '=\n' | tr '+/' '-_'; }

# What people write where a secret belongs, without case and punctuation.
known='password|passwort|passw0rd|changeme|changeit|replaceme|secret|default|example|placeholder|insecure|driftsentry|postgres|grafana|admin|letmein|qwerty|abcdef|123456'

# check NAME VALUE BYTES
check() {
  plain=$(printf %s "$2" | tr 'A-Z' 'a-z' | tr -cd 'a-z0-9')
  if [ "${#2}" -lt "$3" ]; then
    refuse "$1 is ${#2} characters long; want $3 or more, such as the output of: openssl rand -hex 32"
  elif printf %s "$plain" | grep -qE "$known" || [ "$(printf %s "$2" | fold -w 1 | sort -u | wc -l)" -lt 8 ]; then
    refuse "$1 looks like a placeholder or a pattern; want the output of: openssl rand -hex 32"
  fi
}

# choose NAME VALUE FILE BYTES sets $chosen: the value given, else the demo's own.
choose() {
  chosen=$2
  if [ -n "$chosen" ]; then
    check "$1" "$chosen" "$4"
  elif [ -z "$demo" ]; then
    refuse "$1 is not set; want the output of: openssl rand -hex 32"
  elif [ -s "$3" ]; then
    chosen=$(cat "$3")
  else
    chosen=$(random)
  fi
}

choose JWT_SECRET "${JWT_SECRET:-}" /secrets/app/jwt_secret 32
jwt_secret=$chosen
choose POSTGRES_PASSWORD "${POSTGRES_PASSWORD:-}" /secrets/postgres/app_password 16
app_password=$chosen
choose GRAFANA_PASSWORD "${GRAFANA_PASSWORD:-}" /secrets/grafana/admin_password 16
grafana_password=$chosen

# It becomes part of a URL.
case $app_password in
*[!A-Za-z0-9._~-]*) refuse "POSTGRES_PASSWORD: want letters, digits and . _ ~ - only" ;;
esac

if [ -n "$demo" ]; then
  case ${BIND_ADDRESS:-127.0.0.1} in
  127.* | localhost | ::1 | '[::1]') ;;
  *) refuse "BIND_ADDRESS is $BIND_ADDRESS: the demo lets everybody look, so it stays on this machine" ;;
  esac
elif [ -e /secrets/demo/admin_password ]; then
  refuse "these volumes belong to a demo, whose administrator would stay;" \
    "docker compose down --volumes removes it with all its data, docker compose -p NAME keeps it beside"
fi

if [ "$problems" -gt 0 ]; then
  echo "Nothing was started. The head of docker-compose.yml says what to set." >&2
  exit 1
fi

# folder PATH GROUP
folder() {
  chgrp "$2" "$1"
  chmod 0750 "$1"
}

# write FILE GROUP VALUE; whoever reads meanwhile sees the old file or the new one.
write() {
  printf %s "$3" >"$1.new"
  chgrp "$2" "$1.new"
  chmod 0440 "$1.new"
  mv -f "$1.new" "$1"
}

app=65532 postgres=999 grafana=0 # the groups of the three images

folder /secrets/app "$app"
write /secrets/app/jwt_secret "$app" "$jwt_secret"
write /secrets/app/database_url "$app" "postgres://driftsentry:$app_password@postgres:5432/driftsentry?sslmode=disable"

# The superuser is for PostgreSQL's own first start; nobody logs in as it.
superuser_password=$(cat /secrets/postgres/superuser_password 2>/dev/null || random)
folder /secrets/postgres "$postgres"
write /secrets/postgres/superuser_password "$postgres" "$superuser_password"
write /secrets/postgres/app_password "$postgres" "$app_password"

folder /secrets/grafana "$grafana"
write /secrets/grafana/admin_password "$grafana" "$grafana_password"
write /secrets/grafana/anonymous "$grafana" "$([ -n "$demo" ] && echo true || echo false)"

# The collector's image holds nothing that could ask for its health. Ours can.
cp /usr/local/bin/driftsentry /probe/driftsentry.new
chmod 0755 /probe /probe/driftsentry.new
mv -f /probe/driftsentry.new /probe/driftsentry

if [ -z "$demo" ]; then
  echo "The secrets of $APP_ENV are in place."
  exit 0
fi

folder /secrets/demo "$app"
[ -s /secrets/demo/admin_password ] || write /secrets/demo/admin_password "$app" "$(random | cut -c 1-22)"

cat <<TEXT
======================================================================
  DEMO: APP_ENV is not production. The stack made its own secrets. Nobody
  but this machine reaches it; whoever sits here needs no password for
  Grafana, Jaeger and Prometheus.

    DriftSentry   http://localhost:${APP_PORT:-3001}
                  user and password:  docker compose logs first-user
    Grafana       http://localhost:${GRAFANA_PORT:-3000}
    Jaeger        http://localhost:${JAEGER_PORT:-16686}
    Prometheus    http://localhost:${PROMETHEUS_PORT:-9090}

  For production see the head of docker-compose.yml.
======================================================================
TEXT
