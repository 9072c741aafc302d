# Shortcuts for https://just.systems. Each prints the command that it runs.

# List the recipes.
_default:
    @just --list --unsorted

# Balance a sample actor on the local stack.
demo *arguments:
    cargo run --release --bin balancer -- demo {{ arguments }}

# Run all tests.
test:
    cargo test --release --workspace

# Run the tests of one binary, such as `suites` or `crash`, whose names contain FILTER.
suite name filter="":
    cargo test --release --workspace --test {{ name }} -- {{ filter }}

# Run the unit tests.
unit filter="":
    cargo test --release --workspace --lib --bins -- {{ filter }}

# Check formatting and lints.
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets --locked --release -- -D warnings

# Format the sources.
fmt:
    cargo fmt --all

# Build the documentation of the code, private items included, and open it.
docs:
    cargo doc --release --workspace --no-deps --document-private-items --open

# Run everything that a change must pass.
ci:
    .ci/run
