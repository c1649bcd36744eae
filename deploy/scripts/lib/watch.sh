# shellcheck shell=bash
# Is a release good? What replicas answer to real requests, by their own metrics: the share of 5xx and the 95th percentile.

# limits, set by the flags of the verb
MAX_ERROR_RATE=1 MAX_LATENCY_RATIO=1.5 MIN_LATENCY=100 MIN_REQUESTS=50
readonly LOOK_EVERY=10

# counters NAME…: a line a counter of each replica: NAME COUNTER VALUE.
counters() {
  local name
  for name in "$@"; do ask cmd_node "$name" <"$LIB/sample.mjs" 2>/dev/null | sed "s/^/$name /" || true; done
}

# summary BEFORE AFTER: pure; what happened between two outputs of counters: REQUESTS ERRORS P95, in milliseconds.
summary() {
  awk '
    function since(key, value) { return value < before[key] ? value : value - before[key] } # less: it was restarted
    FNR == NR && FILENAME == ARGV[1] { before[$1 " " $2 ($2 == "le" ? " " $3 : "")] = $NF; next }
    $2 == "requests" { requests += since($1 " " $2, $3) }
    $2 == "errors" { errors += since($1 " " $2, $3) }
    $2 == "le" {
      if (!($3 in bucket)) bound[++bounds] = $3
      bucket[$3] += since($1 " " $2 " " $3, $4)
    }
    END {
      rank = 0.95 * bucket["+Inf"]
      for (i = 1; i <= bounds && rank > 0; i++) {
        if (bucket[bound[i]] >= rank) {
          inside = bucket[bound[i]] - below
          p95 = bound[i] == "+Inf" ? low : low + (bound[i] - low) * (inside > 0 ? (rank - below) / inside : 1)
          break
        }
        low = bound[i]; below = bucket[bound[i]]
      }
      printf "%d %d %d\n", requests, errors, p95 * 1000 + 0.5
    }' "$1" "$2"
}

# verdict SUSPECT STABLE: pure, two summaries in. Prints what it saw and returns 1 when the suspect is worse than allowed:
# more 5xx than MAX_ERROR_RATE percent above the stable ones' own share (a single one never counts), or slower than
# MAX_LATENCY_RATIO times them. Latency counts from MIN_LATENCY milliseconds on, and with MIN_REQUESTS on both sides.
verdict() {
  awk -v suspect="$1" -v stable="$2" -v max_error_rate="$MAX_ERROR_RATE" -v max_ratio="$MAX_LATENCY_RATIO" \
    -v min_latency="$MIN_LATENCY" -v min_requests="$MIN_REQUESTS" '
    function share(errors, requests) { return requests > 0 ? 100 * errors / requests : 0 }
    BEGIN {
      split(suspect, new, " "); split(stable, old, " ")
      if (new[2] > 1 && share(new[2], new[1]) > max_error_rate + share(old[2], old[1])) {
        printf "%.1f %% of %d requests answered with 5xx (others: %.1f %%, allowed: %s %% more)\n", \
          share(new[2], new[1]), new[1], share(old[2], old[1]), max_error_rate
        exit 1
      }
      enough = new[1] >= min_requests && old[1] >= min_requests
      if (enough && new[3] >= min_latency && new[3] > max_ratio * old[3]) {
        printf "p95 latency %d ms over %d requests (others: %d ms, allowed: %s times that)\n", new[3], new[1], old[3], max_ratio
        exit 1
      }
      printf "%d requests, %.1f %% 5xx, p95 %d ms", new[1], share(new[2], new[1]), new[3]
      if (old[1] > 0) printf " (others: %d, %.1f %%, %d ms)", old[1], share(old[2], old[1]), old[3]
      printf "\n"
    }'
}

# observe SECONDS AT_MOST "SUSPECT…" "STABLE…": watches for SECONDS, and for want of MIN_REQUESTS up to AT_MOST. Returns 1 as soon
# as the suspects are bad; FINDING says what was seen.
observe() {
  local suspects others before after stable_before stable_after begun elapsed=0 requests=0 bad
  read -r -a suspects <<<"$3"
  read -r -a others <<<"$4"
  if [[ $DRY_RUN == true ]]; then
    note "watch ${suspects[*]} for $1 s"
    return
  fi
  scratch before && scratch after && scratch stable_before && scratch stable_after
  counters "${suspects[@]}" >"$before"
  counters "${others[@]}" >"$stable_before"
  begun=$SECONDS
  while ((elapsed < $1 || (requests < MIN_REQUESTS && elapsed < $2))); do
    pause "$(($1 > elapsed && $1 - elapsed < LOOK_EVERY ? $1 - elapsed : LOOK_EVERY))"
    elapsed=$((SECONDS - begun))
    bad=$(first_unsteady "${suspects[@]}")
    if [[ $bad ]]; then
      FINDING="$bad crashes"
      return 1
    fi
    counters "${suspects[@]}" >"$after"
    counters "${others[@]}" >"$stable_after"
    FINDING=$(verdict "$(summary "$before" "$after")" "$(summary "$stable_before" "$stable_after")") || return 1
    requests=$(summary "$before" "$after" | cut -d ' ' -f 1)
  done
}
FINDING=''

# scratch VARIABLE: a temporary file that goes away with the script.
scratch() {
  local file
  file=$(mktemp)
  printf -v "$1" %s "$file"
  on_exit "rm -f $file"
}

# pause SECONDS: keeps the lock meanwhile.
pause() {
  check_lock
  # In the background, since bash acts on a signal only when the command before it has ended.
  sleep "$1" >/dev/null 2>&1 &
  wait $!
}
