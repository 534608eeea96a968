#!/bin/sh
# Builds the firmware, runs it in QEMU and checks what it prints.
#
# With a toolchain that has the target (`rustup target add thumbv7em-none-eabihf`) this is
# `cargo run` and no more. Without one it takes Debian's compiler, which comes with the standard
# library's source, and builds the parts that firmware needs; as root it installs what is missing.
set -eu
cd "$(dirname "$0")/cortex-m4"

target=thumbv7em-none-eabihf
expected='sample("greenhouse", 3) = greenhouse: mean 21.875 of 2 readings'

# Installs those of the packages that aren't there.
need() {
    missing=
    for package in "$@"; do
        state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) || state=
        [ "$state" = installed ] || missing="$missing $package"
    done
    [ -n "$missing" ] || return 0
    echo "installing:$missing"
    export DEBIAN_FRONTEND=noninteractive
    apt-get -qq update
    # shellcheck disable=SC2086 # a list of words
    apt-get -qq -o Dpkg::Use-Pty=0 install -y --no-install-recommends $missing >/dev/null
}

own_target() {
    libraries=$(rustc --print target-libdir --target "$target" 2>/dev/null) && [ -d "$libraries" ]
}

if own_target; then
    cargo=cargo
    flags=
elif command -v dpkg-query >/dev/null; then
    need rustc-web cargo-web rust-web-src lld-19
    cargo=/usr/bin/cargo
    flags=-Zbuild-std=core,alloc
    export RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1
    export RUSTFLAGS="-Clinker=ld.lld-19 -Clinker-flavor=ld.lld -Clink-arg=-Tlink.x"
else
    echo "needs: rustup target add $target" >&2
    exit 1
fi
command -v qemu-system-arm >/dev/null || need qemu-system-arm

# shellcheck disable=SC2086 # no flag is no word
"$cargo" build --locked --release $flags
# Firmware that hangs must not hold up everything else.
# shellcheck disable=SC2086
output=$(timeout --foreground 120 "$cargo" run --locked --release $flags </dev/null) && status=0 || status=$?
printf '%s\n' "$output"
if [ "$status" -ne 0 ]; then
    echo "exit code $status" >&2
    exit 1
fi
if ! printf '%s\n' "$output" | grep -qxF "$expected"; then
    echo "missing in the output: $expected" >&2
    exit 1
fi
