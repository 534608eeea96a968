#!/usr/bin/env bash
# Builds the workloads in C. The built files are committed, so that the bench needs no compiler for
# WebAssembly. Any clang that knows the target does, with wasm-ld; the committed ones are clang 19's:
# CLANG=clang-19, from Debian's packages clang-19 and lld-19.
set -euo pipefail
cd "$(dirname "$0")"

: "${CLANG:=clang}" "${TARGET:=wasm32-unknown-unknown}"
# No vectors and nothing else that an engine might not have, and no stores turned into calls of memset.
for source in *.c; do
  $CLANG --target="$TARGET" -mcpu=mvp -mbulk-memory -msign-ext -mnontrapping-fptoint -O2 -ffreestanding \
    -fno-builtin -ffp-contract=off -nostdlib -Wall -Wextra -Werror -Wl,--no-entry -Wl,--strip-all \
    "$source" -o "${source%.c}.wasm"
done
