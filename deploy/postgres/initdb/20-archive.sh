#!/usr/bin/env bash
# On the first start: the repository for this cluster's WAL. Where that fails, the database starts all the same, the WAL
# waits, and the backup service tries again and says what is wrong.
eyrie-pgbackrest --no-online stanza-create || echo 'the archive is not ready yet: the backup service goes on with it'
