# The front door. `make help` lists what there is; the work is done by CMake (CMakePresets.json) and the scripts in tools/.
.DEFAULT_GOAL := help
.PHONY: help run build test setup dev dev-consumer lint bench fuzz soak clean install
PREFIX ?= /usr/local

help:  ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run:  ## install what is missing, build, start a server with sample logs loaded, say what to try
	@tools/run.sh

build:  ## the release binary: build/release/dendro
	@tools/build.sh release

test:  ## build with sanitizers and run every test; the last line counts them
	@tools/test.sh

setup:  ## install the Debian packages for building, testing and linting
	@tools/install_packages.sh test && tools/install_packages.sh lint

dev:  ## start the sanitizer build on 127.0.0.1:8080, without a sample
	@tools/build.sh dev && build/dev/dendro serve

dev-consumer:  ## the audit log consumer (not built yet)
	@echo "make dev-consumer: the consumer of the audit log service is not built yet; see docs/ARCHITECTURE.md" >&2; exit 2

lint:  ## layers, formatting and clang-tidy of the changed lines
	@tools/lint.sh

bench:  ## build the benchmark programs and run them; docs/benchmarks.md explains the figures
	@tools/bench.sh

fuzz:  ## build the fuzz targets and run each for FUZZ_SECONDS (default 60)
	@tools/fuzz.sh

soak:  ## 10,000 simulated power cuts and 1,000 real kills of a writing process (hours on a small machine)
	@tools/soak.sh

clean:  ## remove build/ (never dendro-data/)
	@rm -rf build

install:  ## install dendro, analyze, man page and shell completion below PREFIX (default /usr/local)
	@tools/install.sh "$(DESTDIR)$(PREFIX)"
