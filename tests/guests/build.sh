#!/usr/bin/env bash
# Builds the guests of this folder and puts the components beside their sources' folders.
# The built files are committed, so neither tests nor examples need any of this.
#
# What it needs:
#   rustup target add wasm32-unknown-unknown wasm32-wasip2
#   cargo install wit-bindgen-cli@0.63.0 wasm-tools
#   clang and wasm-ld with the wasi-libc headers and libraries (the WASI SDK, or a
#   distribution's packages: clang lld wasi-libc libclang-rt-dev-wasm32)
#
# Each tool can be another one:
#   CARGO="cargo"                     and CARGO_FLAGS="", WASI_FLAGS="" for a toolchain that builds its own core or std
#   WIT_BINDGEN="wit-bindgen"
#   COMPONENT_NEW="wasm-tools component new"     called as: $COMPONENT_NEW IN -o OUT
#   CLANG="clang"                     and CLANG_FLAGS="" for the place of a sysroot or linker
set -euo pipefail
cd "$(dirname "$0")"

: "${CARGO:=cargo}" "${CARGO_FLAGS:=}" "${WASI_FLAGS:=}" "${WIT_BINDGEN:=wit-bindgen}" "${CLANG:=clang}" "${CLANG_FLAGS:=}"
: "${COMPONENT_NEW:=wasm-tools component new}"
build=${TMPDIR:-/tmp}/cellule-guests
mkdir -p "$build"

rust() {
  (cd "$1" && $CARGO build --release --locked $CARGO_FLAGS --target wasm32-unknown-unknown --target-dir "$build/rust")
  $COMPONENT_NEW "$build/rust/wasm32-unknown-unknown/release/${1//-/_}.wasm" -o "$1.wasm"
}

command() { # with std: cargo makes the component
  (cd "$1" && $CARGO build --release --locked $WASI_FLAGS --target wasm32-wasip2 --target-dir "$build/rust")
  cp "$build/rust/wasm32-wasip2/release/$1.wasm" "$1.wasm"
}

c() { # folder, wit file, world
  mkdir -p "$build/$1"
  $WIT_BINDGEN c --world "$3" --out-dir "$build/$1" "$2"
  # wasi-libc gives malloc and the memory functions; nothing in the guest reaches WASI, so it imports none of it.
  $CLANG --target=wasm32-wasi -Oz -flto -Wall -Wextra -Werror -nostartfiles -Wl,--no-entry -Wl,--strip-all \
    $CLANG_FLAGS -I "$build/$1" "$1"/*.c "$build/$1/$3.c" "$build/$1/$3_component_type.o" -o "$build/$1.core.wasm"
  $COMPONENT_NEW "$build/$1.core.wasm" -o "$1.wasm"
}

rust rust-sensor
rust rust-depot
command rust-command
c c-depot wit/depot.wit guest
ls -l ./*.wasm
