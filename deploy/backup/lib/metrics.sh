# shellcheck shell=bash
# Metrics, as files that node_exporter's textfile collector reads. The files are the memory, too: what a failed run does not
# renew is taken over from the last.

readonly -A HELP=(
  [backup_last_success_timestamp_seconds]='When the newest good backup was begun; of the WAL: up to when everything is archived.'
  [backup_last_size_bytes]='Size of the newest good backup.'
  [backup_last_duration_seconds]='How long the newest good backup took; of the WAL: from a commit to its being archived.'
  [backup_last_status]='Whether the last run succeeded (1) or failed (0).'
  [restore_drill_last_success_timestamp_seconds]='When the restore drill last succeeded.'
  [restore_drill_last_duration_seconds]='How long the last successful restore drill took.'
  [restore_drill_last_status]='Whether the last restore drill succeeded (1) or failed (0).'
  [certificate_not_after_timestamp_seconds]='When the certificate expires.'
)

# publish FILE SERIES VALUE…: writes FILE whole, or not at all. A metrics file that cannot be written fails no backup.
publish() {
  local file=$TEXTFILE/$1.prom
  shift
  if ! metric_lines "$@" >"$file.$$" 2>/dev/null || ! chmod 0644 "$file.$$" || ! mv -f "$file.$$" "$file"; then
    rm -f "$file.$$" || true
    complain "cannot write $file: these metrics are old now"
  fi
}

metric_lines() {
  local name
  while (($# > 1)); do
    name=${1%%\{*}
    printf '# HELP %s %s\n# TYPE %s gauge\n%s %s\n' "$name" "${HELP[$name]}" "$name" "$1" "$2" || return
    shift 2
  done
}

# published FILE SERIES: its value as last written, or 0.
published() {
  local series value
  if [[ -r $TEXTFILE/$1.prom ]]; then
    while read -r series value; do
      [[ $series != "$2" ]] || { printf '%s\n' "$value" && return; }
    done <"$TEXTFILE/$1.prom"
  fi
  echo 0
}

# metered KIND FUNCTION…: runs it and publishes how it went. It sets SIZE to its result's size.
metered() {
  METERED=$1 BEGUN=$EPOCHREALTIME SIZE=0
  on_exit report_run
  "${@:2}"
  METERED_OK=1
}
METERED='' BEGUN=0 SIZE=0 METERED_OK=0

report_run() {
  # shellcheck disable=SC2153 # STATUS is set by finish
  if ((STATUS == 0 && METERED_OK == 1)); then
    publish_backup "$METERED" 1 "${BEGUN%.*}" "$SIZE" "$(elapsed "$BEGUN")"
  else
    failed_backup "$METERED"
  fi
}

publish_backup() {
  local label="{kind=\"$1\"}"
  publish "backup_$1" "backup_last_status$label" "$2" "backup_last_success_timestamp_seconds$label" "$3" \
    "backup_last_size_bytes$label" "$4" "backup_last_duration_seconds$label" "$5"
}

# failed_backup KIND [STATUS]: the status alone is new.
failed_backup() {
  local file=backup_$1 label="{kind=\"$1\"}"
  publish_backup "$1" "${2:-0}" "$(published "$file" "backup_last_success_timestamp_seconds$label")" \
    "$(published "$file" "backup_last_size_bytes$label")" "$(published "$file" "backup_last_duration_seconds$label")"
}

# elapsed SINCE: seconds with three places; SINCE as EPOCHREALTIME gives it.
elapsed() {
  local -i micros=$((${EPOCHREALTIME/./} - ${1/./}))
  printf '%d.%03d\n' "$((micros / 1000000))" "$((micros / 1000 % 1000))"
}

# publish_certificates: the expiry of the public certificates in /certs.
publish_certificates() {
  local file end
  local -a series=()
  for file in /certs/*.crt; do
    [[ -s $file ]] || continue
    if ! end=$(openssl x509 -noout -enddate -in "$file" 2>/dev/null) || ! end=$(date -u -d "${end#*=}" +%s); then
      complain "$file is not a certificate"
      continue
    fi
    # A file that was mounted by itself stays the old one when another takes its name.
    [[ $(stat -c %h "$file") != 0 ]] || complain "$file was replaced on the host: restart this service to see the new one"
    series+=("certificate_not_after_timestamp_seconds{name=\"$(basename "$file" .crt)\"}" "$end")
  done
  ((${#series[@]} == 0)) || publish certificates "${series[@]}"
}
