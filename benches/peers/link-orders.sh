#!/bin/sh
# A linker for the peers that links each twice: as always, and beside it as PEER.order1 with the functions in the
# reverse order, by lld's --shuffle-sections with the seed -1. Where an interpreter's handlers lie changes what it
# measures by some per cent, and this shows how much, without a second code generation. A random order would show
# more, but of a program that nobody links: it takes neighbours apart.
set -eu
cc "$@"
out= previous=
for arg; do
    [ "$previous" = -o ] && out=$arg
    previous=$arg
done
name=$(basename "$out")
case $name in
peer_*-*) ;;
*) exit 0 ;; # A build script or a macro.
esac
to=$(dirname "$(dirname "$out")")/$(printf %s "${name%-*}" | tr _ -).order1
cc "$@" -o "$to" '-Wl,--shuffle-sections=.text*=-1' || rm -f "$to"
