# The front door. `make help` lists what there is.
.DEFAULT_GOAL := help
.PHONY: help build demo demo-down test conformance conformance-sql bench fuzz lint format clean

JOBS ?= $(shell nproc)
FUZZ_SECONDS ?= 60

help: ## show this list
	@echo "usage: make TARGET"
	@echo
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18
	@echo
	@echo "build, demo and test install what they need (Debian 12, as root or with sudo)."

build: ## build the program: build/release/bin/sallyport
	tools/install-deps build
	cmake --preset release
	cmake --build --preset release --parallel $(JOBS) --target sallyport
	@echo "built build/release/bin/sallyport"

demo: ## start a MariaDB with a sample shop and a gateway, show what they do, leave them running
	tools/demo up

demo-down: ## end what `make demo` started
	tools/demo down

test: ## install what tests need, build, run all tests
	tools/run-tests

conformance: ## run MariaDB's regression suite directly and through the gateway (release build; CONFORMANCE=--sample: a part)
	tools/install-deps test
	cmake --preset release
	cmake --build --preset release --parallel $(JOBS) --target sallyport
	tests/conformance/run $(CONFORMANCE)

conformance-sql: ## compare what is read of SQL with the servers' word, on both regression suites (CONFORMANCE=--sample: a part)
	tools/install-deps test
	cmake --preset release
	cmake --build --preset release --parallel $(JOBS) --target sallyport
	tests/conformance/sql $(CONFORMANCE)

bench: ## measure the gateway against direct connections, bare relays and other proxies (some 20 minutes)
	tools/install-deps bench
	bench/run

fuzz: ## run each fuzz target for FUZZ_SECONDS of CPU time (default 60)
	tools/install-deps test
	fuzz/run --seconds $(FUZZ_SECONDS)

lint: ## check formatting, layers, warnings of both compilers and clang-tidy (LINT=all: every file, not only changed ones)
	tools/lint $(LINT)

format: ## format the C++ sources
	git ls-files -z '*.h' '*.cpp' | xargs -0 clang-format-14 -i

clean: ## remove build directories
	rm -rf build
