# The two commands of a fresh machine are `make run` and `make test`; the rest is for builders.
SHELL := /bin/bash

.PHONY: build release test e2e check fmt lint fuzz bench run clean-demo deb packages test-packages ci docs

build: packages                 ## debug build of everything
	swift build

release: packages               ## optimised relais and relais-bench
	swift build -c release --product relais
	swift build -c release --product relais-bench

test: test-packages             ## all tests; ONLY=IMAPTests for one target
ifdef ONLY
	ONLY=$(ONLY) swift build --build-tests
	ONLY=$(ONLY) scripts/run-tests $(ONLY)
else
	swift build --build-tests
	scripts/run-tests
	python3 -m pytest -q Tests/EndToEnd
endif

e2e: test-packages              ## the real program against real clients and servers
	swift build --product relais
	python3 -m pytest -q Tests/EndToEnd

check: fmt-check                ## format lint, import check, tests
	swift build --explicit-target-dependency-import-check error
	$(MAKE) --no-print-directory test

fmt:                            ## format every Swift file in place
	swift format -i -r -p Package.swift Sources Tests Fuzz

fmt-check:
	swift format lint -r -p --strict Package.swift Sources Tests Fuzz

fuzz: packages                  ## libFuzzer: make fuzz P=imap T=60
	RELAIS_FUZZ=1 swift build --scratch-path .build-fuzz --product fuzz-$(P)
	mkdir -p Fuzz/$(P)/corpus
	SWIFT_BACKTRACE=enable=no .build-fuzz/debug/fuzz-$(P) -max_total_time=$(or $(T),60) Fuzz/$(P)/corpus

bench: release                  ## Relais beside Postfix + Dovecot and Postfix + Cyrus
	bench/run

run: packages                   ## build and start the demo administration
	swift build -c release --product relais
	scripts/demo .build/release/relais

clean-demo:                     ## forget the demo's data
	rm -rf .demo

deb: packages                   ## a Debian package
	packaging/build-deb

docs: build                     ## pages that are generated from the code
	.build/debug/relais config-reference > docs/operators/configuration.md

packages:
	@scripts/install-packages build

test-packages:
	@scripts/install-packages build test

ci: test
