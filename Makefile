# Callboard's development targets; `make help` lists them. The gate itself is scripts/check.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

# Development tools come from tools/go.mod, not from the machine.
TOOL := go tool -modfile=tools/go.mod

FUZZTIME ?= 3s
ROUNDS ?= 3
PG_ROUNDS ?= 3

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: build
build: ## Build bin/callboard
	CGO_ENABLED=0 go build -trimpath -ldflags='-s -w' -o bin/callboard ./cmd/callboard

.PHONY: test
test: ## Run all Go tests, without the race detector
	go test ./...

.PHONY: check
check: ## Run the whole gate and print the minutes of each stage
	scripts/check

.PHONY: fmt
fmt: ## Format all Go files
	$(TOOL) gofumpt -w .

.PHONY: lint
lint: ## Run go vet and golangci-lint (staticcheck included)
	scripts/check format vet lint

.PHONY: generate
generate: ## Rebuild generated files
	go generate ./...

.PHONY: dashboard
dashboard: ## Check the dashboard's page and build it into internal/dashboard/dist
	cd dashboard-ui && npm ci --ignore-scripts && npm run check && npm test && npm run build

.PHONY: walks
walks: ## Walk the API with the npm clients
	scripts/check walks

.PHONY: browser
browser: ## Use the pages in Chromium
	scripts/check browser

.PHONY: kill
kill: ## Kill the server and PostgreSQL under load; ROUNDS=3, PG_ROUNDS=3
	ROUNDS=$(ROUNDS) PG_ROUNDS=$(PG_ROUNDS) scripts/check kill

.PHONY: fuzz
fuzz: ## Fuzz every target; FUZZTIME=3s each
	FUZZTIME=$(FUZZTIME) scripts/check fuzz

.PHONY: soak
soak: ## Run the long versions: 200 kills, 20 of PostgreSQL, 100,000 of time spent, 1,000 histories, ten minutes of each fuzz target (hours)
	ROUNDS=200 PG_ROUNDS=20 TIME_SPENT=100000 HISTORIES=1000 FUZZTIME=10m TIMEOUT=6h scripts/check kill histories fuzz

.PHONY: bench
bench: ## Measure against a bare loop; pass BENCH='--scenario latency --seconds 30'
	go run ./bench $(BENCH)
