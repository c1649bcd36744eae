# shellcheck shell=bash
# A dump is two files: NAME.dump.age and its manifest, NAME.json. The manifest comes last: a dump without one was never
# finished. It bears the dump's digest and is signed with a key of its own, so that neither can be changed or exchanged.

# sign <MANIFEST: prints it with its signature.
sign() {
  local manifest mark
  manifest=$(jq -cS 'del(.signature)')
  mark=$(printf '%s' "$manifest" | hmac "$(derive_key manifest)")
  jq -S --arg mark "$mark" '.signature = $mark' <<<"$manifest"
}

# check_manifest FILE: refuses what is no manifest, another key's, or changed.
check_manifest() {
  local key mark manifest
  [[ -s $1 ]] || fail "$REFUSED" "refused: there is no manifest $1"
  jq -e '.format == 1 and (.keyId | type == "string") and (.signature | type == "string")' "$1" >/dev/null 2>&1 ||
    fail "$REFUSED" "refused: $1 is not the manifest of a dump"
  key=$(jq -r .keyId "$1")
  [[ $key == "$(key_id)" ]] ||
    fail "$REFUSED" "refused: $1 was made with another backup_key (id $key; ours is $(key_id))"
  manifest=$(jq -cS 'del(.signature)' "$1")
  mark=$(printf '%s' "$manifest" | hmac "$(derive_key manifest)")
  [[ $mark == "$(jq -r .signature "$1")" ]] || fail "$REFUSED" "refused: $1 was changed after it was signed"
}

# verify FILE: FILE is a dump; refuses it unless it is, to the last byte, what its manifest says.
verify() {
  local file=$1 manifest=${1%.dump.age}.json size digest
  check_manifest "$manifest"
  [[ $(jq -r .file "$manifest") == "$(basename "$file")" ]] ||
    fail "$REFUSED" "refused: $manifest belongs to $(jq -r .file "$manifest")"
  [[ -f $file ]] || fail "$REFUSED" "refused: there is no $file"
  size=$(stat -c %s "$file")
  [[ $size == "$(jq -r .size "$manifest")" ]] ||
    fail "$REFUSED" "refused: $file has $size bytes instead of $(jq -r .size "$manifest")"
  digest=$(sha256sum <"$file")
  [[ ${digest%% *} == "$(jq -r .sha256 "$manifest")" ]] || fail "$REFUSED" "refused: $file is corrupt: its SHA-256 is another"
}

# decrypt FILE: the dump in pg_dump's custom format on standard output. age authenticates each block before it lets it out.
decrypt() { age --decrypt --identity <(age_identity) "$1"; }

# dumps: the names of all finished dumps here, the oldest first.
dumps() {
  local file
  for file in "$DUMPS"/*.json; do basename "$file" .json; done | sort
}

# resolve NAME|FILE|latest: prints the dump's file. One that is only elsewhere is fetched.
resolve() {
  local name=$1 newest
  if [[ $name == latest ]]; then
    newest=$(dumps | tail -n 1)
    if [[ ! $newest && $BACKUP_COPY_TO != none ]]; then newest=$(copies | tail -n 1); fi
    [[ $newest ]] || fail "$FAILED" 'there is no dump yet'
    name=$newest
  fi
  if [[ $name == */* ]]; then
    [[ -r $name ]] || fail "$WRONG_USAGE" "there is no file $name that the user $(id -u) may read"
    printf '%s\n' "$name"
    return
  fi
  name=${name%.dump.age} name=${name%.json}
  if [[ ! -f $DUMPS/$name.json && $BACKUP_COPY_TO != none ]]; then fetch "$name" >&2; fi
  [[ -f $DUMPS/$name.json ]] || fail "$WRONG_USAGE" "there is no dump $name; backup list shows all"
  printf '%s\n' "$DUMPS/$name.dump.age"
}

# list: the dumps and the base backups, for people.
list() {
  local name
  printf '%-28s %10s %12s %6s  %s\n' DUMP SIZE ROWS TABLES MIGRATION
  dumps | sort --reverse | while read -r name; do
    jq -r '[.name, .size, ([.tables[].rows] | add // 0), (.tables | length), (.migrations | last // "-")] | @tsv' \
      "$DUMPS/$name.json" | while read -r name size rows tables migration; do
      printf '%-28s %10s %12s %6s  %s\n' "$name" "$(human "$size")" "$rows" "$tables" "$migration"
    done
  done
  echo
  eyrie-pgbackrest info
}
