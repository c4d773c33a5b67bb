#!/usr/bin/env bash
# Writes the public API of each library down, into its public-api.txt. With --check it says whether that is what it holds already.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
toolchain=1.95
# Their folders.
libraries=(lease-core lease-core/stripe lease-core/webhooks lease-core/mail lease-core/django lease-store-memory lease-store-postgres lease-http)

if [[ $(rustc --version) != "rustc $toolchain."* ]]; then
    echo "The public API is written down by Rust $toolchain; this is $(rustc --version), whose rustdoc may write it in another way."
    [ "${1:-}" = --check ] && exit 0
    exit 1
fi

fresh=$(mktemp -d "${TMPDIR:-/tmp}/lease-api.XXXXXX")
trap 'rm -rf "$fresh"' EXIT
cargo build --quiet --locked --manifest-path .ci/public-api/Cargo.toml --target-dir target/tools
RUSTDOC=$PWD/.ci/public-api/rustdoc RUSTDOCFLAGS="-Z unstable-options --output-format json" \
    cargo doc --quiet --workspace --all-features --lib --no-deps

stale=0
for library in "${libraries[@]}"; do
    name=$(sed -n '0,/^name = /s/^name = "\(.*\)"$/\1/p' "$library/Cargo.toml")
    target/tools/debug/lease-public-api "target/doc/${name//-/_}.json" >"$fresh/api.txt"
    if [ "${1:-}" != --check ]; then
        cp "$fresh/api.txt" "$library/public-api.txt"
    elif ! diff --unified=0 "$library/public-api.txt" "$fresh/api.txt"; then
        stale=1
    fi
done
[ "$stale" = 0 ] || { echo "The public API is another than its record: make api, and look at the difference"; exit 1; }
