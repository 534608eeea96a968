#!/bin/sh
# Builds the firmware, runs it in QEMU and checks what it prints.
#
# With a toolchain that has an example's target (`rustup target add …`) this is
# `cargo run` and no more. Without one it takes Debian's compiler, which comes with the standard
# library's source, and builds the parts that firmware needs; as root it installs what is missing.
set -eu
cd "$(dirname "$0")"
# What several of them need is built once.
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/target}"

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
    libraries=$(rustc --print target-libdir --target "$1" 2>/dev/null) && [ -d "$libraries" ]
}

# check CRATE TARGET QEMU STATUS LINK-FLAGS LINE...: what QEMU exits with if all went well, and lines that it prints.
check() {
    crate=$1 target=$2 qemu=$3 good=$4 link=$5
    shift 5
    if own_target "$target"; then
        cargo=cargo
        flags=
    elif command -v dpkg-query >/dev/null; then
        need rustc-web cargo-web rust-web-src lld-19
        cargo=/usr/bin/cargo
        flags=-Zbuild-std=core,alloc
        export RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1
        export RUSTFLAGS="-Clinker=ld.lld-19 -Clinker-flavor=ld.lld $link"
    else
        echo "needs: rustup target add $target" >&2
        exit 1
    fi
    package=$qemu
    case $qemu in
    qemu-system-riscv32) package=qemu-system-misc ;;
    qemu-system-x86_64) package="qemu-system-x86 seabios" ;;
    esac
    # shellcheck disable=SC2086 # a list of words
    command -v "$qemu" >/dev/null || need $package

    echo "== $crate"
    cd "$crate"
    # shellcheck disable=SC2086 # no flag is no word
    "$cargo" build --locked --release $flags
    # Firmware that hangs must not hold up everything else.
    # shellcheck disable=SC2086
    output=$(timeout --foreground 120 "$cargo" run --locked --release $flags </dev/null) && status=0 || status=$?
    cd ..
    printf '%s\n' "$output"
    if [ "$status" -ne "$good" ]; then
        echo "$crate: exit code $status" >&2
        exit 1
    fi
    for expected in "$@"; do
        if ! printf '%s\n' "$output" | grep -qxF "$expected"; then
            echo "$crate: missing in the output: $expected" >&2
            exit 1
        fi
    done
}

# Each in a shell of its own, which ends this one when it fails.
(check cortex-m4 thumbv7em-none-eabihf qemu-system-arm 0 -Clink-arg=-Tlink.x \
    'sample("greenhouse", 3) = greenhouse: mean 21.875 of 2 readings')
(check riscv32 riscv32imac-unknown-none-elf qemu-system-riscv32 0 "-Clink-arg=-Tmemory.x -Clink-arg=-Tlink.x" \
    'hello risc-v from c at 7' \
    'Ok([("north", 2), ("south", 1)])' \
    'stores: 1, then 0')
(check x86_64-kernel x86_64-unknown-none qemu-system-x86_64 33 "-Clink-arg=-Tkernel.x -Crelocation-model=static" \
    'today: Date { year: 2026, month: 11, day: 26 }' \
    "probe: port 0x60 is not this driver's" \
    'spin: Err(Some(OutOfFuel)) after 40 turns' \
    'work: 50005000 after 7 turns')
