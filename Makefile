# make help tells what there is.
SHELL := /bin/bash
.DEFAULT_GOAL := help

# PostgreSQL's own programs: on Debian and Ubuntu they are not on the PATH.
WITH_POSTGRES := PATH="$$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1):$$PATH"

.PHONY: help run test check prepare fmt bench postgres

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "%-10s %s\n", $$1, $$2 }'

run: ## Serve on 127.0.0.1:8000, in memory unless DATABASE_URL is set
	cargo run --release -p lease-http --bin lease-server

test: postgres ## Run every test; installs PostgreSQL where it is missing
	$(WITH_POSTGRES) cargo test --workspace --all-features
	$(WITH_POSTGRES) LEASE_TEST_STORE=postgres cargo test -p lease-http --all-features --test it
	cargo run -p lease-examples --bin quickstart

check: postgres ## Formatting, lints, documentation and offline data, as CI wants them
	cargo fmt --all --check
	$(WITH_POSTGRES) lease-store-postgres/prepare.sh --check
	cargo clippy --workspace --all-targets --all-features -- -D warnings
	cargo clippy -p lease-http --lib --no-default-features -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --all-features

prepare: postgres ## Write down anew what the database says of the queries
	$(WITH_POSTGRES) lease-store-postgres/prepare.sh

fmt: ## Format the code
	cargo fmt --all

bench: postgres ## Run the benchmarks (minutes)
	$(WITH_POSTGRES) cargo bench --workspace --all-features

postgres:
	@if [ -z "$$DATABASE_URL" ] && ! { $(WITH_POSTGRES) command -v initdb >/dev/null && $(WITH_POSTGRES) command -v postgres >/dev/null; }; then \
		echo "PostgreSQL is missing; installing it"; \
		SUDO=$$([ "$$(id -u)" = 0 ] || echo sudo); \
		$$SUDO apt-get update && $$SUDO env DEBIAN_FRONTEND=noninteractive apt-get install -y postgresql; \
	fi
