#!/usr/bin/env bash
# On the first start: the roles and the database. `docker compose exec postgres roles` does the same again, after a new
# password was put into the secrets.
exec roles
