# The commands of this repository. Everything runs on this machine, against private servers on free ports of loopback.

SERVERS := postgresql postgresql-client mariadb-server mariadb-client openssl
PEERS := pgbouncer haproxy sysbench
BUILD := build-essential

.PHONY: help demo test check soak bench packages

help: ## Show the commands
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' Makefile

demo: packages ## Start the demo; Ctrl-C stops it
	cargo build --release --locked
	@demo/start

test: packages check ## Run every check and test
	cargo test --locked

check: ## Formatting and lints
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings

soak: packages ## Run 20,000 random statements on each engine; SEKISHO_SEED chooses them
	SEKISHO_STATEMENTS=$${SEKISHO_STATEMENTS:-20000} SEKISHO_SEED=$${SEKISHO_SEED:-$$(date +%s)} \
	  cargo test --locked --test real generated:: -- --nocapture

bench: packages ## Run the benchmarks, beside PgBouncer and HAProxy
	@.ci/install-packages $(PEERS)
	cargo bench --locked

packages: ## Install the Debian packages that are missing
	@.ci/install-packages $(SERVERS) $(if $(shell command -v cc),,$(BUILD))
