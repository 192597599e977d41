# Thin names for common calls. `./dev run` starts Postgres and Redis if nothing else provides them, and sets
# the environment; without just on PATH, `./dev run just <recipe>` has one.

api := "./dev run cargo run --quiet --package api --bin api --"
tests := "./dev run cargo run --release --package tests --bin"
programs := "--package api --package worker --package tests --bin api --bin worker --bin fake-gemini --bin governed --bin bench --bin chaos"

[private]
default:
    @just --list

# Postgres, Redis and a first build, without starting anything else
setup:
    ./dev services
    cargo build --workspace --bins

# the API and a worker, until Ctrl-C
up:
    ./dev up

# the product at work on sample data
demo:
    ./dev demo

# every test; arguments go to the test runner
test *args:
    ./dev test {{ args }}

# what a change must pass besides the tests
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --quiet
    @if cargo deny --version >/dev/null 2>&1; then cargo deny check; else echo "SKIPPED cargo deny: cargo install cargo-deny --locked"; fi

# format the sources
fmt:
    cargo fmt --all

# bring the database to the newest schema
migrate:
    {{ api }} migrate

# undo the newest migration
migrate-revert:
    {{ api }} migrate-revert

# example people to sign in as, for development; safe to repeat
seed:
    {{ api }} seed

# print the OpenAPI document
openapi:
    @{{ api }} openapi

# line coverage per file, and as a page in target/llvm-cov/html
coverage:
    @cargo llvm-cov --version >/dev/null 2>&1 || { echo "coverage needs: cargo install cargo-llvm-cov --locked" && exit 1; }
    ./dev run cargo llvm-cov test --workspace --html
    cargo llvm-cov report --summary-only

# every fuzz target in turn, each for a bounded time
fuzz seconds="60":
    @cargo +nightly fuzz --version >/dev/null 2>&1 || { echo "fuzz needs a nightly toolchain and: cargo install cargo-fuzz --locked" && exit 1; }
    for target in $(cargo +nightly fuzz list); do cargo +nightly fuzz run "$target" -- -max_total_time={{ seconds }} || exit 1; done

# ingestion against its rivals
bench-ingest *args: (bench "ingest" args)

# search among 100 000 passages
bench-search *args: (bench "search" args)

# calls under the governor: its pace, its patience and its price
bench-governor *args: (bench "governor" args)

# from a job's push to its start
bench-queue *args: (bench "queue" args)

# released prompts, again and again
bench-prompts *args: (bench "prompts" args)

# lists of 100 000 prompts, by each filter
bench-lists *args: (bench "lists" args)

# lists of 100 000 requests with half a million comments, by each filter and role
bench-requests *args: (bench "requests" args)

# runs: the price of a cell, the provider's pace, size, fairness, rivals
bench-runs *args: (bench "runs" args)

# workflows: the price of a task, many executions at once on one worker and on three, the pace of models
bench-workflows *args: (bench "workflows" args)

# statistics over a million generations, and generating
bench-stats *args: (bench "stats" args)

# ten million events that are old enough, beside writers
bench-retention *args: (bench "retention" args)

# changes with the audit log and without
bench-audit *args: (bench "audit" args)

# files of 100 MB as datasets: bringing them in, reading them again
bench-datasets *args: (bench "datasets" args)

# functions: a call through the sandbox against the bare engine
bench-sandbox:
    cargo bench --quiet --package sandbox --bench calls

# the API with nothing to do
bench-rest *args: (bench "rest" args)

# figures of release programs; docs/benchmarks.md says what they mean
[private]
bench what *args:
    cargo build --quiet --release {{ programs }}
    {{ tests }} bench -- {{ what }} {{ args }}

# workers killed and stores restarted in the middle of ingestion
chaos-ingest *args:
    cargo build --quiet --release {{ programs }}
    {{ tests }} chaos -- ingest {{ args }}

# workers killed and stores restarted in the middle of a run; with --term, workers replaced in order
chaos-run *args:
    cargo build --quiet --release {{ programs }}
    {{ tests }} chaos -- run {{ args }}

# 200 people follow a run over two servers: every event once, in order, for each
chaos-listeners *args:
    cargo build --quiet --release {{ programs }}
    {{ tests }} chaos -- listeners {{ args }}

# workers killed and stores restarted in the middle of workflows; with --term, workers replaced in order
chaos-workflows *args:
    cargo build --quiet --release {{ programs }}
    {{ tests }} chaos -- workflows {{ args }}
