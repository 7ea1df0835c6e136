# Every verb has a line of help; `make` prints them. CI calls the same verbs and nothing else (.ci/run).
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:

GO ?= go
FUZZTIME ?= 60s
BASE ?= HEAD~1
# A cold machine builds a whole control plane inside the tests; the usual ten minutes are too few for that.
TESTFLAGS ?= -timeout=30m

# The version is the only stamp in the binary, so that one commit gives one binary; empty outside a git checkout.
VERSION = $(shell git describe --tags --always --dirty 2>/dev/null)
LINT = $(GO) tool -modfile=$(CURDIR)/tools/go.mod golangci-lint
# The modules that live inside this one, those among them that hold Go code, and the packages with golden files. The heavy ones, which
# build whole products from their sources, are left to `make bench`: from cold they take gigabytes and many minutes.
HEAVY = ./bench/peers/webhooks%
NESTED = $(filter-out $(HEAVY),$(shell find . -mindepth 2 -name go.mod -not -path './.cache/*' -not -path '*/testdata/*' -exec dirname {} \; | sort))
NESTED_CODE = $(foreach dir,$(NESTED),$(if $(shell find $(dir) -name '*.go' -print -quit),$(dir)))
GOLDEN = $(shell grep -rlF 'gesso/internal/txtest"' --include='*_test.go' --exclude-dir=.cache . | xargs -r dirname | sort -u)
# -race needs cgo, and that a C compiler with its headers.
HAS_CC = [ "$$($(GO) env CGO_ENABLED)" = 1 ] && printf '\#include <stdlib.h>\nint main(void) { return 0; }\n' | $$($(GO) env CC) -x c -o /dev/null - >/dev/null 2>&1

##@ Use

.PHONY: help
help: ## print this help
	@awk 'BEGIN { FS = ":.*## " } \
	  /^##@ / { printf "\n%s\n", substr($$0, 5) } \
	  /^[a-z-]+:.*## / { printf "  %-10s %s\n", $$1, $$2 } \
	  END { print "" }' $(MAKEFILE_LIST)

.PHONY: build
build: ## build bin/gesso: static, stamped with the version that git describes
	CGO_ENABLED=0 $(GO) build -trimpath -buildvcs=false -ldflags='-s -w$(if $(VERSION), -X main.version=$(VERSION))' -o bin/gesso ./cmd/gesso

.PHONY: up
up: ## start a control plane with Gesso in it, apply examples/, stay until Ctrl-C
	$(GO) run ./e2e/up

.PHONY: demo
demo: ## the same, and exit after the examples
	$(GO) run ./e2e/up --demo

##@ Test

# Memory is only measured without the race detector (TestBombs), and nothing is concurrent in the nested modules or in the update rule, whose
# 5,000 random workloads it would slow down.
.PHONY: test
test: ## run every test, Rego and control plane included, with the race detector
	$(GO) run ./e2e/up --assets
	@race=-race; if ! { $(HAS_CC); }; then race=; echo 'make test: no C compiler, so the race detector is off'; fi; \
	set -x; $(GO) test $$race -shuffle=on $(TESTFLAGS) ./...; \
	if [ "$$race" ]; then $(GO) test -run='TestBombs|TestUpdatesOfRandomWorkloads' $(TESTFLAGS) ./policies ./defaults; fi; \
	for dir in $(NESTED_CODE); do (cd "$$dir" && $(GO) test -shuffle=on -count=1 $(TESTFLAGS) ./...); done

.PHONY: rego
rego: ## run the tests of the policies only
	$(GO) test ./policies/...

.PHONY: golden
golden: ## rewrite the wanted parts of all fixtures (then read the diff)
	@if [ -z '$(GOLDEN)' ]; then echo 'make golden: no package has fixtures'; else set -x; $(GO) test $(GOLDEN) -update; fi

.PHONY: fuzz
fuzz: ## run every fuzz test for FUZZTIME (60s) each
	@found=$$(grep -rHoE '^func Fuzz[A-Za-z0-9_]+' --include='*_test.go' --exclude-dir=.cache . | sort || true); \
	if [ -z "$$found" ]; then echo 'make fuzz: no fuzz tests'; exit 0; fi; \
	while IFS=: read -r file name; do \
	  (set -x; $(GO) test -run='^$$' -fuzz="^$${name#func }$$" -fuzztime=$(FUZZTIME) "$$(dirname "$$file")" </dev/null); \
	done <<<"$$found"

.PHONY: corpus
corpus: ## put the real objects of CORPUS (JSON lines) through the properties and a real API server
	@if [ ! -f '$(CORPUS)' ]; then echo 'make corpus: CORPUS=FILE names the objects, one {"source": …, "object": …} a line'; exit 1; fi
	GESSO_CORPUS='$(abspath $(CORPUS))' $(GO) test -run='^TestCorpus$$' -count=1 -timeout=2h ./defaults
	GESSO_CORPUS='$(abspath $(CORPUS))' $(GO) test -run='^TestCorpus$$' -count=1 -timeout=2h -v ./e2e/corpus

.PHONY: bench
bench: ## measure everything and write docs/benchmarks.md, 20 minutes; BENCH=parts, BASE=commit to compare with
	cd bench && $(GO) run ./run --base='$(BASE)' $(BENCH)

.PHONY: bench-quick
bench-quick: ## the same in three minutes, to see that it works; writes nothing
	cd bench && $(GO) run ./run --quick --base='$(BASE)' $(BENCH)

##@ Check

.PHONY: lint
lint: ## run the linters, formatting and the arrows between packages included
	$(LINT) run
	@for dir in $(NESTED_CODE); do echo "golangci-lint run in $$dir"; (cd "$$dir" && LOG_LEVEL=error $(LINT) run); done

.PHONY: fmt
fmt: ## format the Go code
	$(LINT) fmt

.PHONY: generate
generate: ## write everything that is generated from something else
	$(GO) generate ./...

.PHONY: vuln
vuln: ## look for known vulnerabilities in what Gesso calls (asks a database on the network)
	$(GO) tool -modfile=tools/go.mod govulncheck ./...

.PHONY: verify
verify: ## generate, lint, vet, tidy, and fail when that left a difference to the commit
	@$(MAKE) --no-print-directory generate lint
	$(GO) vet ./...
	@for dir in . $(NESTED); do echo "go mod tidy -diff in $$dir"; (cd "$$dir" && $(GO) mod tidy -diff); done
	@if ! git rev-parse --is-inside-work-tree >/dev/null 2>&1; then echo 'make verify: not a git checkout, so nothing to compare with'; exit 0; fi; \
	if [ -z "$$(git status --porcelain)" ]; then echo 'make verify: clean'; exit 0; fi; \
	echo 'make verify: these files differ from the commit; commit them, or ignore what no one should commit:'; \
	git status --short; git --no-pager diff --exit-code HEAD; exit 1

.PHONY: clean
clean: ## remove what was built, the cached control plane too
	rm -rf bin .cache bench.out
