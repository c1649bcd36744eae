# shellcheck shell=bash
# .state/releases: a line a release, only ever appended to.
#
#   TIME IMAGE DIGEST STRATEGY OUTCOME REF
#
# IMAGE is the pinned name, REF what was asked for. STRATEGY is rolling, blue-green, canary, rollback, or `found` for what ran
# before the first deploy. OUTCOME is good or failed.

record_release() { # IMAGE DIGEST STRATEGY OUTCOME REF
  [[ $DRY_RUN == true ]] || printf '%s %s %s %s %s %s\n' "$(now)" "$@" >>"$STATE_DIR/releases"
}

releases() { if [[ -f $STATE_DIR/releases ]]; then cat "$STATE_DIR/releases"; fi; }

# good_releases: pure, lines in, images out, the present one last. A deploy goes on top; a rollback takes off what was above the
# release to which it went, so that rolling back twice goes back two releases, not to and fro.
good_releases() {
  awk '
    $5 != "good" { next }
    $4 == "rollback" {
      for (i = depth; i > 0 && image[i] != $2; i--);
      if (i > 0) { depth = i; next }
    }
    image[depth] != $2 || depth == 0 { image[++depth] = $2 }
    END { for (i = 1; i <= depth; i++) print image[i] }'
}

# release_before IMAGE: the last good one that is another than IMAGE.
release_before() { releases | good_releases | awk -v present="$1" '$1 != present { last = $1 } END { if (last) print last }'; }

# release_named REF: the pinned name of the newest release with that reference, version tag or pinned name.
release_named() { releases | awk -v ref="$1" '$5 == "good" && ($2 == ref || $6 == ref) { image = $2 } END { if (image) print image }'; }
