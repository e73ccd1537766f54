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
	test-web test-go bench fuzz champion migration audit audit-go audit-web clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  %-20s %s\n", $$1, $$2}'

demo: setup ## run the whole product with simulated machines
	@$(MAKE) --no-print-directory build
	@exec $(BIN) demo

test: setup-test ## run all checks and tests; says at the end how each went
	+@tools/setup/stages.sh generated-is-fresh lint-go lint-web test-web test-go

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
	FORESIGHT_BIN=$(CURDIR)/$(BIN) CGO_ENABLED=1 go run $(GOTESTSUM) --format pkgname --format-hide-empty-pkg -- -race -timeout 20m ./...

bench: ## run the benchmarks of the hot paths
	go test -run '^$$' -bench . -benchmem ./graph/... ./inference/... ./ingestion/... ./internal/...

fuzz: ## fuzz what reads foreign bytes, FUZZTIME (30s) each
	@tools/setup/fuzz.sh $(or $(FUZZTIME),30s)

audit: audit-go audit-web ## look for known vulnerabilities in what is used

audit-go:
	go run $(GOVULNCHECK) ./...

audit-web: # asks the registry by the lock file alone
	cd frontend && npm audit --audit-level=high --omit=dev

champion: setup-test ## train the shipped fault classifier anew (needs libxgboost)
	CGO_ENABLED=1 go run ./tools/champion

migration: setup ## write the next migration from the schema: make migration NAME=add_something
	@[ -n "$(NAME)" ] || { echo "which name? make migration NAME=add_something" >&2; exit 2; }
	go run ./tools/migratediff $(NAME)

clean: ## remove what was built (the demo's data in data/ stays)
	rm -rf bin coverage test-artifacts .tools
	find frontend/dist -mindepth 1 -not -name .gitkeep -delete
