# Foresight. `make demo` runs everything with simulated machines; `make test` runs
# every test. Both install what they need, as far as this account may.
SHELL := /bin/bash -o pipefail
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

BIN := bin/foresight
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
# The version is passed by the linker; asking git again fails in a clone of another user.
# Without the paths of this clone the binary is the same everywhere, and clones share the build cache.
export GOFLAGS := $(strip $(shell go env GOFLAGS 2>/dev/null) -buildvcs=false -trimpath)
# One way to compile for the binary, the generators and the checks, so that they share
# the build cache; the race detector and the trainer need C.
export CGO_ENABLED := 0
# Debian keeps mosquitto where only root looks.
export PATH := $(PATH):/usr/sbin
# Tools that only developers run: pinned here, no part of the module.
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.7.0
GOTESTSUM := gotest.tools/gotestsum@v1.13.0
GOVULNCHECK := golang.org/x/vuln/cmd/govulncheck@v1.8.0

WEB := frontend/dist/index.html
WEB_MODULES := frontend/node_modules/.package-lock.json
# Without what npm run schema derives from graph/schema.
WEB_SOURCES := $(shell find frontend graph/schema \( -name node_modules -o -name dist \) -prune -o -type f \
	-not -path frontend/schema.graphql -not -name graphql-env.d.ts -not -name '*.go' -not -name '*.tsbuildinfo' -print 2>/dev/null)

.PHONY: help demo test setup setup-test build web generate generated-is-fresh lint lint-go lint-web \
	test-web test-go test-xgboost trainer bench chaos soak fuzz champion evaluate migration audit audit-go audit-web clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  %-20s %s\n", $$1, $$2}'

demo: setup ## run the whole product with simulated machines
	@$(MAKE) --no-print-directory build
	@exec $(BIN) demo

test: setup-test ## run all checks and tests; says at the end how each went
	+@tools/setup/stages.sh generated-is-fresh lint-go lint-web test-web test-go test-xgboost

setup: ## install what the demo needs and this machine lacks
	@tools/setup/setup.sh run

setup-test: ## install what the tests need and this machine lacks
	@tools/setup/setup.sh test

build: $(WEB) ## build the web application and the binary
	go build -ldflags '-X main.version=$(VERSION)' -o $(BIN) .

web: $(WEB) ## build the web application

$(WEB_MODULES): frontend/package-lock.json frontend/package.json
	cd frontend && npm ci --no-fund --no-audit
	@touch $@

$(WEB): $(WEB_MODULES) $(WEB_SOURCES)
	@find frontend/dist -mindepth 1 -not -name .gitkeep -delete
	cd frontend && npm run build
	@touch $@

generate: ## write the generated code anew (ORM, graph)
	go generate ./ent .

generated-is-fresh:
	@tools/setup/fresh.sh $(MAKE) --no-print-directory generate

lint: lint-go lint-web ## formatting, vet, static analysis, types

lint-go:
	@unformatted=$$(find . -name node_modules -prune -o -name '*.go' -print | xargs gofmt -l) && \
	if [ -n "$$unformatted" ]; then echo "not formatted (gofmt -w):"; echo "$$unformatted"; exit 1; fi >&2
	go vet ./...
	go run $(STATICCHECK) ./...

lint-web: $(WEB_MODULES)
	cd frontend && npm run lint && npm run typecheck

test-web: $(WEB)
	cd frontend && npm test && npm run size

test-go: build
	FORESIGHT_BIN=$(CURDIR)/$(BIN) CGO_ENABLED=1 go run $(GOTESTSUM) --format pkgname --format-hide-empty-pkg -- -race -timeout 20m $$(go list ./... | grep -v /tools/)
	go run $(GOTESTSUM) --format pkgname --format-hide-empty-pkg -- -timeout 20m $$(go list ./... | grep /tools/) # they compute for long, with goroutines that the tests above race
	go run $(GOTESTSUM) --format pkgname --format-hide-empty-pkg -- -run 'AllocatesNothing|CostsNothing' ./inference/... ./ingestion/admit # pools allocate with the race detector

test-xgboost: ## hold trainer, predictions and explanations against libxgboost, where there is one; with public data in DATA (data/)
	@if [ -n "$$(ls /usr/lib/*/libxgboost.so /usr/lib/libxgboost.so /usr/local/lib/libxgboost.so 2>/dev/null)" ]; then \
	FORESIGHT_DATA=$(abspath $(or $(DATA),data)) CGO_ENABLED=1 go test -tags xgboost ./tools/xgboost ./tools/trainer ./tools/contribs; \
	else echo "no libxgboost here: nothing was held against it" >&2; fi

trainer: ## build the trainer beside the binary (needs a C compiler and libxgboost 1.7): docs/training.md
	CGO_ENABLED=1 go build -tags xgboost -o $(dir $(BIN))foresight-trainer ./tools/trainer

bench: ## measure the hot paths and the whole way of a message, and write BENCHMARKS.md
	go build -ldflags '-X main.version=$(VERSION)' -o $(BIN) .
	go run ./tools/bench -bin $(BIN) -out BENCHMARKS.md

chaos: build ## kill, pause, cut and fill up the real thing under load, for as long as the specification has it
	FORESIGHT_BIN=$(CURDIR)/$(BIN) FORESIGHT_CHAOS_LONG=1 go test -count=1 -timeout 2h -v -skip 'TestSoak' ./internal/chaos/

soak: build ## steady load for DURATION (1h): goroutines, heap, open files and connections must stay flat
	FORESIGHT_BIN=$(CURDIR)/$(BIN) FORESIGHT_SOAK=$(or $(DURATION),1h) go test -count=1 -timeout 26h -v -run 'TestSoak' ./internal/chaos/

fuzz: ## fuzz what reads foreign bytes, FUZZTIME (30s) each
	@tools/setup/fuzz.sh $(or $(FUZZTIME),30s)

audit: audit-go audit-web ## look for known vulnerabilities in what is used

audit-go:
	go run $(GOVULNCHECK) ./...

audit-web: # asks the registry by the lock file alone
	cd frontend && npm audit --audit-level=high --omit=dev

champion: setup-test ## train the shipped models anew (needs libxgboost); EVALUATE_WORK keeps their data
	CGO_ENABLED=1 go run ./tools/champion fault $(if $(EVALUATE_WORK),-work $(EVALUATE_WORK))
	CGO_ENABLED=1 go run ./tools/champion failure $(if $(EVALUATE_WORK),-work $(EVALUATE_WORK))

evaluate: setup-test ## judge the shipped models, and the trainer on public data in DATA (data/): inference/EVALUATION.md
	CGO_ENABLED=1 go run ./tools/evaluate -data $(or $(DATA),data) $(if $(EVALUATE_WORK),-work $(EVALUATE_WORK))

migration: setup ## write the next migration from the schema: make migration NAME=add_something
	@[ -n "$(NAME)" ] || { echo "which name? make migration NAME=add_something" >&2; exit 2; }
	go run ./tools/migratediff $(NAME)

clean: ## remove what was built (the demo's data in data/ stays)
	rm -rf bin coverage test-artifacts .tools
	find frontend/dist -mindepth 1 -not -name .gitkeep -delete
