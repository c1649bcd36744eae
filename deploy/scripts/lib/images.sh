# shellcheck shell=bash
# Images. A tag may move, so that what runs is pinned under a tag of our own, REPOSITORY:PROJECT-<first 12 of the image's id>.
# "The last good release" is then always the very same image, and pruning knows which images are ours.

repository_of() {
  local name=${1%%@*}
  # A colon after the last slash begins the tag; one before it is a registry's port.
  if [[ ${name##*/} == *:* ]]; then name=${name%:*}; fi
  printf '%s\n' "$name"
}

# is_remote REF: whether its first part names a registry.
is_remote() { [[ $1 == */* && ${1%%/*} == *[.:]* || ${1%%/*} == localhost && $1 == */* ]]; }

# image_id REF: nothing when there is no such image here.
image_id() {
  if [[ $DRY_RUN == true ]]; then
    printf '%s\n' "$1"
  else
    ask cmd_image "$1" '{{.Id}}' 2>/dev/null || true
  fi
}

# image_version REF|ID: the version on its label.
image_version() {
  [[ $DRY_RUN == true ]] && return
  ask cmd_image "$1" '{{index .Config.Labels "org.opencontainers.image.version"}}' 2>/dev/null || true
}

# image_digest REF: the registry's digest where it has one, else its id.
image_digest() {
  [[ $DRY_RUN == true ]] && return
  ask cmd_image "$1" '{{if .RepoDigests}}{{index .RepoDigests 0}}{{else}}{{.Id}}{{end}}' | sed 's/^.*@//'
}

# fetch_image REF: makes it be here. A tag in a registry may have moved, so that it is asked; a digest cannot.
fetch_image() {
  local here
  here=$(image_id "$1")
  if [[ $DRY_RUN != true && $here && ($1 == *@* || $1 == sha256:*) ]] || ! is_remote "$1" && [[ $here ]]; then return; fi
  if quietly perform cmd_pull "$1"; then return; fi
  [[ $here ]] || fail "$FAILED" "no image $1: neither here nor in its registry; nothing was changed"
  warn "the registry did not answer for $1: taking the image of that name that is here"
}

# pin_image REF|ID [REPOSITORY]: sets PINNED to the name under which that image stays itself.
pin_image() {
  local id
  if [[ $DRY_RUN == true ]]; then
    PINNED=$1
    return
  fi
  id=$(image_id "$1")
  [[ $id ]] || fail "$FAILED" "no image $1 here"
  PINNED=${2:-$(repository_of "$1")}:$PROJECT-$(hex12 "$id")
  if [[ $(image_id "$PINNED") != "$id" ]]; then perform cmd_tag "$id" "$PINNED"; fi
}
PINNED=''

hex12() {
  local id=${1#sha256:}
  printf '%s\n' "${id:0:12}"
}
