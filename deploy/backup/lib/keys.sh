# shellcheck shell=bash
# Keys. All come from one secret, `backup_key`; each purpose has its own, so that one that leaks gives away no other.
# Nothing secret is ever an argument of a program: bash's own printf and pipes carry it.

readonly KEY_FILE=${BACKUP_KEY_FILE:-/run/secrets/backup_key}
readonly S3_FILE=${BACKUP_S3_FILE:-/run/secrets/backup_s3}

# derive_key PURPOSE: 64 hex digits, HMAC-SHA-256 of the purpose under the secret.
derive_key() {
  local secret digest
  [[ -r $KEY_FILE ]] || fail "$MISCONFIGURED" "the secret backup_key cannot be read ($KEY_FILE)"
  secret=$(<"$KEY_FILE")
  ((${#secret} >= 32)) || fail "$MISCONFIGURED" 'the secret backup_key is shorter than 32 characters'
  digest=$(printf '%s' "$secret" | sha256sum)
  printf 'eyrie backup: %s' "$1" | hmac "${digest%% *}"
}

# key_id: tells keys apart in manifests and gives nothing away.
key_id() { printf '%.16s' "$(derive_key 'key id')"; }

# hmac KEY: HMAC-SHA-256 (RFC 2104) of standard input, in hex; KEY is 64 hex digits.
hmac() {
  local inner
  inner=$({ pad "$1" 0x36 && cat; } | sha256sum)
  { pad "$1" 0x5c && unhex "${inner%% *}"; } | sha256sum | { read -r inner _ && printf '%s\n' "$inner"; }
}

# pad KEY BYTE: the key, filled up to the hash's block of 64 bytes, each byte xor BYTE.
pad() {
  local i key byte out=''
  printf -v key '%s%064d' "$1" 0
  for ((i = 0; i < 64; i++)); do
    printf -v byte '\\x%02x' "$((16#${key:2*i:2} ^ $2))"
    out+=$byte
  done
  printf '%b' "$out"
}

# unhex DIGITS: the bytes.
unhex() {
  local i out=''
  for ((i = 0; i < ${#1}; i += 2)); do out+="\\x${1:i:2}"; done
  printf '%b' "$out"
}

# age_identity: age's own form of a key, which is Bech32 (BIP 173) in capitals. With it, `age --decrypt --identity` alone opens
# a dump, on any machine.
age_identity() {
  local text
  text=$(bech32 age-secret-key- "$(derive_key age)")
  printf '%s\n' "${text^^}"
}

# bech32 PREFIX HEX
bech32() {
  local alphabet=qpzry9x8gf2tvdw0s3jn54khce6mua7l prefix=$1 hex=$2 out='' i
  local -i bits=0 value=0 sum
  local -a high=() low=() data=()
  for ((i = 0; i < ${#hex}; i += 2)); do
    value=$(((value << 8 | 16#${hex:i:2}) & 0xfff)) bits+=8
    for (( ; bits >= 5; bits -= 5)); do data+=($((value >> (bits - 5) & 31))); done
  done
  ((bits == 0)) || data+=($((value << (5 - bits) & 31)))
  for ((i = 0; i < ${#prefix}; i++)); do
    printf -v value '%d' "'${prefix:i:1}"
    high+=($((value >> 5))) low+=($((value & 31)))
  done
  sum=$(($(bech32_checksum "${high[@]}" 0 "${low[@]}" "${data[@]}" 0 0 0 0 0 0) ^ 1))
  for ((i = 5; i >= 0; i--)); do data+=($((sum >> (5 * i) & 31))); done
  for i in "${data[@]}"; do out+=${alphabet:i:1}; done
  printf '%s1%s\n' "$prefix" "$out"
}

bech32_checksum() {
  local -a generator=(0x3b6a57b2 0x26508e6d 0x1ea119fa 0x3d4233dd 0x2a1462b3)
  local -i sum=1 top value i
  for value in "$@"; do
    top=$((sum >> 25)) sum=$(((sum & 0x1ffffff) << 5 ^ value))
    for ((i = 0; i < 5; i++)); do sum=$((sum ^ (top >> i & 1 ? generator[i] : 0))); done
  done
  printf '%d\n' "$sum"
}

# require_s3: fails unless everything is there to reach the bucket.
require_s3() {
  local name
  for name in BACKUP_S3_ENDPOINT BACKUP_S3_REGION BACKUP_S3_BUCKET BACKUP_S3_PREFIX; do
    [[ ${!name:-} ]] || fail "$MISCONFIGURED" "$name is empty, and the backups are to go to S3"
  done
  [[ $BACKUP_S3_ENDPOINT == https://* ]] || fail "$MISCONFIGURED" 'BACKUP_S3_ENDPOINT does not begin with https://'
  [[ $(s3_access_key) && $(s3_secret_key) ]] ||
    fail "$MISCONFIGURED" 'the secret backup_s3 must have two lines: access key id and secret access key'
}

s3_access_key() { sed -n 1p "$S3_FILE" 2>/dev/null || true; }
s3_secret_key() { sed -n 2p "$S3_FILE" 2>/dev/null || true; }
