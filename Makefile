# make help tells what there is.
SHELL := /bin/bash
.DEFAULT_GOAL := help

# The same features for every command, so that nothing is built twice.
ALL := --workspace --all-features

# PostgreSQL's own programs: on Debian and Ubuntu they are not on the PATH.
WITH_POSTGRES := PATH="$$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1):$$PATH"
# Installs packages on Debian and Ubuntu.
INSTALL := SUDO=$$([ "$$(id -u)" = 0 ] || echo sudo); \
	$$SUDO apt-get update && $$SUDO env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends

# Flags that let libFuzzer see which branches an input takes; all of them are stable.
COVERAGE := --cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
	-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
	-Cllvm-args=-sanitizer-coverage-trace-compares
HOST := $(shell rustc -vV | sed -n 's/^host: //p')
# Seconds that `make fuzz` gives each target, and which.
FUZZ_SECONDS ?= 600
FUZZ_TARGETS ?= $$(cargo test -q $(ALL) --test fuzz -- --list | sed -n 's/: test$$//p')
# How many at a time.
FUZZ_JOBS ?= $(shell nproc)
# Which part of the mutants `make mutants` makes (3/32), and how many at a time.
SHARD ?= 0/1
MUTANT_JOBS ?= $(shell nproc)
# How often `make prove` tries a property or a fuzz target.
PROOF_CASES ?= 1024
# How many rounds of each race it runs.
RACE_ROUNDS ?= 200

# Lints a library with no features but those that are named.
ALONE := cargo clippy --lib --no-default-features

# One piece of evidence: what it is, and the command. Says how long it took.
define evidence
	@echo "== $(1)"; SECONDS=0; $(2); outcome=$$?; echo "== $(1): $${SECONDS} s"; exit $$outcome
endef

# Installs packages for Python into a folder of target, unless they are there.
define python
	@if ! target/$(1)/bin/python -c '$(foreach package,$(2),import $(firstword $(subst ==, ,$(package)));)' 2>/dev/null; then \
		echo "$(2) are missing; installing them"; \
		python3 -c 'import ensurepip' 2>/dev/null || { $(INSTALL) python3-venv; }; \
		python3 -m venv --clear target/$(1) && target/$(1)/bin/pip install --quiet $(2); \
	fi
endef

# The programs that `make deny` installs.
TOOLS := $(CURDIR)/target/tools
# Who knows which versions of crates have known faults.
ADVISORIES := https://github.com/RustSec/advisory-db

.PHONY: help run test browser schemathesis clients stripe upgrade prove oldest mutants fuzz check deny sbom api features package fmt bench abuse postgres pgbouncer chromium axe generators verifiers mailserver

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "%-13s %s\n", $$1, $$2 }'

run: ## Serve on 127.0.0.1:8000, in memory unless DATABASE_URL is set
	cargo run --release -p lease-http --bin lease-server

test: postgres pgbouncer verifiers mailserver ## Run every test; installs PostgreSQL, PgBouncer, a mail server and what verifies webhooks where they are missing
	$(WITH_POSTGRES) cargo test $(ALL)
	$(WITH_POSTGRES) LEASE_TEST_STORE=postgres cargo test $(ALL) --test api

browser: chromium axe ## Try /docs and the console in headless Chromium; installs it and axe where they are missing
	cargo test $(ALL) --test browser

schemathesis: ## Hold a running server against its document, on the store of DATABASE_URL; needs Python and its packages (minutes)
	lease-http/schemathesis/run

clients: generators ## Generate three clients from the document, and sell a vehicle with each (minutes); installs what is missing
	lease-http/clients/run

stripe: postgres ## Check the Stripe gateway, its fake and a server against localstripe and Stripe's own library; needs Python
	$(WITH_POSTGRES) lease-core/stripe/check/run

upgrade: postgres ## Run a server of the next version beside the present one on one database (minutes)
	$(WITH_POSTGRES) lease-http/upgrade/run

prove: postgres pgbouncer ## All evidence that the money is safe, but the long fuzzing (30 minutes on two cores)
	$(call evidence,the rules and properties,PROPTEST_CASES=$(PROOF_CASES) cargo test $(ALL) --test it)
	$(call evidence,every state of a trade,LEASE_PROVE_DEEPER=1 cargo test $(ALL) --test it exhaustive)
	$(call evidence,the memory store and the parts of the API,LEASE_RACE_ROUNDS=$(RACE_ROUNDS) cargo test $(ALL) --lib --test conformance)
	$(call evidence,the Stripe gateway,cargo test $(ALL) --test stripe)
	$(call evidence,the Postgres store,$(WITH_POSTGRES) LEASE_RACE_ROUNDS=$(RACE_ROUNDS) cargo test $(ALL) --test postgres)
	$(call evidence,the API on Postgres,$(WITH_POSTGRES) LEASE_TEST_STORE=postgres cargo test $(ALL) --test api)
	$(call evidence,the Postgres store behind a pooler,$(WITH_POSTGRES) LEASE_TEST_POOLER=transaction \
		cargo test $(ALL) --test postgres -- conformance:: migrations:: model:: disconnects:: hooks:: schemas::)
	$(call evidence,the API behind a pooler,$(WITH_POSTGRES) LEASE_TEST_POOLER=transaction LEASE_TEST_STORE=postgres \
		cargo test $(ALL) --test api)
	$(call evidence,servers that race and crash,$(WITH_POSTGRES) LEASE_RACE_ROUNDS=$(RACE_ROUNDS) cargo test $(ALL) --test durability)
	$(call evidence,servers of two versions,$(WITH_POSTGRES) lease-http/upgrade/run)
	$(call evidence,fuzzing for a moment,PROPTEST_CASES=$(PROOF_CASES) cargo test $(ALL) --test fuzz)
	$(call evidence,the oldest versions of Rust,$(MAKE) oldest)
	$(call evidence,an app without passwords,cargo run --quiet -p lease-examples --no-default-features --bin own_users)
	$(call evidence,the packages,$(MAKE) package)
	$(call evidence,mutation,$(MAKE) mutants)

oldest: ## Build each crate with the oldest Rust that it says it needs; rustup installs them
	.ci/oldest.sh

mutants: ## Break each decision of the core on purpose: a test must notice (SHARD=k/n for a part)
	@command -v cargo-mutants >/dev/null || cargo install --locked cargo-mutants
	PROPTEST_CASES=32 PROPTEST_MAX_SHRINK_ITERS=0 cargo mutants --output target --jobs $(MUTANT_JOBS) --shard $(SHARD)

fuzz: ## Fuzz every target for FUZZ_SECONDS (600), or those of FUZZ_TARGETS
	RUSTFLAGS="$(COVERAGE)" cargo build -p lease-http --all-features --example fuzz --config profile.dev.opt-level=1 \
		--target $(HOST) --target-dir target/fuzz
	printf '%s\n' $(FUZZ_TARGETS) | xargs -P $(FUZZ_JOBS) -I % sh -c 'mkdir -p target/fuzz/corpus/% && \
		FUZZ_TARGET=% target/fuzz/$(HOST)/debug/examples/fuzz -max_total_time=$(FUZZ_SECONDS) -max_len=2048 \
			-artifact_prefix=target/fuzz/found-%- -print_final_stats=1 target/fuzz/corpus/% >target/fuzz/%.log 2>&1 && \
		echo "%: nothing found, $$(sed -n "s/^stat::number_of_executed_units: *//p" target/fuzz/%.log) inputs" || \
		{ echo "%: see target/fuzz/%.log"; exit 1; }'

check: ## Formatting, lints, documentation, dependencies and what is written down of the API, as CI wants them
	cargo fmt --all --check
	cargo clippy $(ALL) --all-targets -- -D warnings
	cargo clippy $(ALL) --test browser -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc $(ALL) --no-deps
	.ci/public-api/write.sh --check
	$(MAKE) deny features package VERIFY=--no-verify

deny: $(TOOLS)/bin/cargo-deny ## Hold the dependencies against deny.toml, and against the advisories where they can be reached
	$< --all-features check licenses bans sources
	@if timeout 30 git ls-remote --quiet --exit-code $(ADVISORIES) HEAD >/dev/null 2>&1; then \
		$< --all-features check advisories; \
	else \
		echo "NOT CHECKED for known faults: $(ADVISORIES) cannot be reached from here"; \
	fi

$(TOOLS)/bin/cargo-deny:
	CARGO_PROFILE_DEV_DEBUG=0 cargo install --locked --debug --root $(TOOLS) --target-dir $(TOOLS) --version 0.20.2 cargo-deny

# From a copy without tests and examples, because what these need would be listed as well. So is what Cargo resolves and does not
# build: the other databases of sqlx.
sbom: $(TOOLS)/bin/cargo-cyclonedx ## Write what lease-server is built from, as CycloneDX, into target/lease-server.cdx.json
	rm -rf target/sbom && mkdir -p target/sbom && cp -r Cargo.toml Cargo.lock lease-* target/sbom
	sed -i '/^\[.*dev-dependencies\]$$/,/^$$/d; s/, "examples".*\]/]/' target/sbom/Cargo.toml target/sbom/*/Cargo.toml target/sbom/*/*/Cargo.toml
	cd target/sbom && $< cyclonedx --quiet --format json --spec-version 1.5 --describe binaries
	sed 's#path+file://$(CURDIR)/target/sbom/##' target/sbom/lease-http/lease-server_bin.cdx.json >target/lease-server.cdx.json

$(TOOLS)/bin/cargo-cyclonedx:
	CARGO_PROFILE_DEV_DEBUG=0 cargo install --locked --debug --root $(TOOLS) --target-dir $(TOOLS) --version 0.5.9 cargo-cyclonedx

api: ## Write down anew what the libraries offer to others
	.ci/public-api/write.sh

features: ## Lint each feature alone, as another app builds it
	for feature in '' conformance django mock openapi passwords serde; do $(ALONE) -p lease-core --features "$$feature" -- -D warnings || exit; done
	$(ALONE) -p lease-stripe -p lease-webhooks -p lease-mail -p lease-store-memory -p lease-store-postgres -- -D warnings
	$(ALONE) -p lease-stripe --features fake -- -D warnings
	for feature in '' console docs metrics passwords; do $(ALONE) -p lease-http --features "$$feature" -- -D warnings || exit; done

# With VERIFY=--no-verify they are not built, which takes seconds instead of minutes.
package: ## Pack each crate as crates.io would get it, and build it from the package (minutes)
	cargo package --allow-dirty $(VERIFY) --workspace --exclude lease-examples --exclude lease-example-sqlite

fmt: ## Format the code
	cargo fmt --all

bench: postgres ## Run the benchmarks (minutes)
	$(WITH_POSTGRES) cargo bench $(ALL)

abuse: postgres ## Attack a server on Postgres, for ABUSE_SECONDS (60) each way, and hold that it serves others as well (10 minutes)
	ulimit -n "$$(ulimit -Hn)" && $(WITH_POSTGRES) cargo bench $(ALL) --bench abuse

postgres:
	@if [ -z "$$DATABASE_URL" ] && ! { $(WITH_POSTGRES) command -v initdb >/dev/null && $(WITH_POSTGRES) command -v postgres >/dev/null; }; then \
		echo "PostgreSQL is missing; installing it"; \
		$(INSTALL) postgresql; \
	fi

pgbouncer:
	@if ! PATH="$$PATH:/usr/sbin" command -v pgbouncer >/dev/null; then \
		echo "PgBouncer is missing; installing it"; \
		$(INSTALL) pgbouncer; \
	fi

# The mail server of the tests, and an authority for its certificates.
mailserver:
	$(call python,mail,aiosmtpd==1.4.6 trustme==1.2.1)

chromium:
	@if ! command -v chromedriver >/dev/null; then \
		echo "Chromium is missing; installing it"; \
		$(INSTALL) chromium chromium-driver; \
	fi

axe:
	@if ! [ -f target/browser/node_modules/axe-core/axe.min.js ]; then \
		command -v npm >/dev/null || { $(INSTALL) nodejs npm; }; \
		npm install --prefix target/browser --no-save --no-audit --no-fund --silent axe-core@4.14.1; \
	fi

generators:
	@if ! { java -version && node --version && npm --version && python3 -c 'import ensurepip'; } >/dev/null 2>&1; then \
		echo "Java, Node or Python is missing; installing them"; \
		$(INSTALL) default-jre-headless nodejs npm python3-venv; \
	fi

# Libraries for Python, by which others verify webhooks.
verifiers:
	$(call python,webhooks,standardwebhooks==1.1.0 svix==2.9.1)
