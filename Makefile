# What people do here, by name. `make` alone lists it. The gate itself is .ci/run,
# which needs no make.

GATE := bash .ci/run

.DEFAULT_GOAL := help
.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: ## Everything on this machine with nothing to set up; Ctrl-C leaves nothing behind
	go run ./cmd/driftsentry demo

.PHONY: run
run: ## Run the service, configured by the environment (see .env.example)
	go run ./cmd/driftsentry serve

.PHONY: build
build: ## Build the static binary bin/driftsentry
	CGO_ENABLED=0 go build -trimpath -ldflags='-s -w' -o bin/driftsentry ./cmd/driftsentry

.PHONY: image
image: ## Build the container image driftsentry:local, with its version
	DOCKER_BUILDKIT=1 docker build -t driftsentry:local --build-arg VERSION="$$(git describe --tags --always)" \
	  --build-arg COMMIT="$$(git rev-parse HEAD)" --build-arg DATE="$$(git log -1 --format=%cI)" .

.PHONY: container-test
container-test: ## Try the image and docker-compose.yml with a container engine, if there is one
	.ci/container-test

.PHONY: check
check: ## All that CI runs; do this before you push
	$(GATE)

.PHONY: test
test: ## Run the tests
	go test ./...

.PHONY: race
race: ## Run the tests with the race detector, and list what was skipped
	$(GATE) race

.PHONY: e2e
e2e: ## Run the whole stack as processes: real collector, Jaeger, Prometheus; look for traces, lines, panels, alerts
	$(GATE) e2e

.PHONY: lint
lint: ## Check format, vet and lint
	$(GATE) format vet lint

.PHONY: fmt
fmt: ## Format the code
	.ci/tool golangci-lint fmt

.PHONY: vuln
vuln: ## Look for known vulnerabilities that our code reaches
	$(GATE) vulnerabilities

.PHONY: bench
bench: ## Run the benchmarks
	go test -run '^$$' -bench . -benchmem ./...

.PHONY: fuzz
fuzz: ## Fuzz every target, each for FUZZTIME (30s)
	$(GATE) fuzz

.PHONY: golden
golden: ## Write the golden files anew; read their diff before you commit
	go test $$(git grep -lE 'flag\.Bool\("update"' -- 'internal/*_test.go' | xargs -n1 dirname | sort -u | sed 's,^,./,') -update
	go test -C .ci/deploy -update

.PHONY: tools
tools: ## Build the development tools at their locked versions
	.ci/tool golangci-lint version
	.ci/tool govulncheck -version

.PHONY: clean
clean: ## Remove what build made
	rm -rf bin
