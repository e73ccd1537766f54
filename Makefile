# Foresight. `make demo` runs everything with simulated machines; `make test` runs every test.
SHELL := /bin/bash
.DEFAULT_GOAL := help
BIN := bin/foresight
WEB_SOURCES := $(shell find frontend graph/schema -type f -not -path '*/node_modules/*' -not -path '*/dist/*' 2>/dev/null)
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.7.0

.PHONY: help setup setup-test demo test generate generated-is-fresh lint lint-go lint-web bench build web champion migration test-go test-web fuzz

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  %-20s %s\n", $$1, $$2}'

demo: setup build ## run the whole product with simulated machines
	@exec $(BIN) demo

test: setup-test ## run all tests
	@$(MAKE) --no-print-directory generated-is-fresh
	@$(MAKE) --no-print-directory lint
	@$(MAKE) --no-print-directory test-web
	@$(MAKE) --no-print-directory test-go

setup:
	@tools/setup/setup.sh run

setup-test:
	@tools/setup/setup.sh test

build: frontend/dist/index.html ## build the web application and the binary
	CGO_ENABLED=0 go build -trimpath -ldflags '-X main.version=$(VERSION)' -o $(BIN) .

web: frontend/dist/index.html ## build the web application

frontend/node_modules/.package-lock.json: frontend/package-lock.json
	cd frontend && npm ci --no-fund --no-audit
	@touch $@

frontend/dist/index.html: frontend/node_modules/.package-lock.json $(WEB_SOURCES)
	cd frontend && npm run build
	@touch $@

generate: ## write the generated code anew (ORM, graph)
	go generate ./ent .

generated-is-fresh: generate
	@if [ -n "$$(git status --porcelain -- ent graph)" ]; then git status --short -- ent graph; echo "generated code is not what its sources give: run make generate and commit" >&2; exit 1; fi

lint: lint-go lint-web ## vet, static analysis, formatting

lint-go:
	@unformatted=$$(gofmt -l $$(git ls-files '*.go' | grep -v '^ent/' )); if [ -n "$$unformatted" ]; then echo "gofmt: $$unformatted" >&2; exit 1; fi
	go vet ./...
	go run $(STATICCHECK) ./...

lint-web: frontend/node_modules/.package-lock.json
	cd frontend && npm run lint && npm run typecheck

test-web: frontend/dist/index.html
	cd frontend && npm test && npm run size

test-go: build
	go test -race -timeout 20m ./...

bench: ## run the benchmarks of the hot paths
	go test -run '^$$' -bench . -benchmem ./internal/... ./ingestion/... ./inference/... ./graph/...

fuzz: ## fuzz what reads foreign bytes, 30 s each
	tools/setup/fuzz.sh 30s

champion: setup-test ## train the shipped fault classifier anew (needs libxgboost)
	go run ./tools/champion

migration: ## write the next migration from the schema: make migration NAME=add_something
	go run ./tools/migratediff $(NAME)
