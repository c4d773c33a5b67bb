#!/usr/bin/env bash
# Builds each library with the oldest Rust that its Cargo.toml names, and the server with that of sqlx. rustup installs what is missing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

named() { sed -n '0,/^'"$2"' = /s/^'"$2"' = "\(.*\)"$/\1/p' "$1/Cargo.toml"; }
check() {
    rustup toolchain install --profile minimal --no-self-update "$1" >/dev/null 2>&1 || { echo "Rust $1 cannot be installed"; exit 1; }
    echo "Rust $1: ${*:2}"
    cargo "+$1" check --quiet --locked --target-dir target/oldest "${@:2}"
}

for folder in lease-core lease-core/stripe lease-core/webhooks lease-core/mail lease-store-memory lease-core/django lease-store-postgres; do
    check "$(named $folder rust-version)" --lib --all-features -p "$(named $folder name)"
done
# The oldest Rust of lease-http is that of the library without the server.
check "$(named lease-http rust-version)" --lib --no-default-features --features console,docs,metrics -p lease-http
check "$(named lease-store-postgres rust-version)" --bin lease-server --features server -p lease-http
