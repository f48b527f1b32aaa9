#!/bin/sh
# Gives the demo its administrator, and does nothing anywhere else. It may run any
# number of times and always says how to log in.
set -eu

case ${APP_ENV:-development} in
development) ;;
*)
  echo "This is no demo. Make the first user yourself, who is shown the password once:"
  echo "  docker compose run --rm app user create --email YOU@EXAMPLE.COM --role admin"
  exit 0
  ;;
esac

email=admin@example.com
if driftsentry user list | grep -qF "$email"; then
  echo "The demo's administrator is there already."
else
  driftsentry user create --email "$email" --role admin </run/demo/admin_password
fi

echo "Log in at http://localhost:${APP_PORT:-3001} with"
echo "  email     $email"
echo "  password  $(cat /run/demo/admin_password)"
