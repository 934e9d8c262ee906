# Everything runs from a fresh clone with Go and gcc (for -race) present.

GOFUMPT = mvdan.cc/gofumpt@v0.12.0
STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null)
FUZZTIME ?= 20s
BUILD = CGO_ENABLED=0 go build -trimpath -ldflags '-s -w -X main.version=$(VERSION)'
PLATFORMS ?= linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64

.DEFAULT_GOAL := help
.PHONY: help build test release lint bench fuzz prove sshd office gallery

help: ## Say what there is to make
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):[^#]*## */  \1\t/' | expand -t 12

build: ## Build bin/tallyman, static and with its version
	$(BUILD) -o bin/tallyman ./cmd/tallyman

# The same commit, version and Go give the same bytes.
release: build ## Build dist/: a static binary for each of PLATFORMS, completions and SHA256SUMS
	rm -rf dist && mkdir -p dist/completions
	@set -e; for platform in $(PLATFORMS); do \
		os=$${platform%/*}; arch=$${platform#*/}; name=tallyman-$(VERSION)-$$os-$$arch; \
		[ "$$os" != windows ] || name=$$name.exe; \
		echo "dist/$$name"; GOOS=$$os GOARCH=$$arch $(BUILD) -o "dist/$$name" ./cmd/tallyman; \
	done
	bin/tallyman completion bash >dist/completions/tallyman.bash
	bin/tallyman completion zsh >dist/completions/_tallyman
	bin/tallyman completion fish >dist/completions/tallyman.fish
	bin/tallyman completion powershell >dist/completions/tallyman.ps1
	cd dist && find . -type f ! -name SHA256SUMS | LC_ALL=C sort | sed 's|^\./||' | \
		xargs $$(command -v sha256sum || echo shasum -a 256) >SHA256SUMS

test: sshd office ## Vet, build and run every test with the race detector
	go vet ./...
	CGO_ENABLED=0 go build -trimpath -o /dev/null ./cmd/tallyman
	go test -race -timeout 20m ./...

# Tests of the mailbox run against OpenSSH's own server. Without it they are
# skipped, loudly; with CI set, that is a failure.
sshd: ## Install openssh-server if it is missing and may be
	@if [ -x /usr/sbin/sshd ] || ! command -v apt-get >/dev/null; then exit 0; fi; \
	as=""; [ "$$(id -u)" = 0 ] || as="sudo -n"; \
	if [ -n "$$as" ] && ! $$as true 2>/dev/null; then \
		echo "openssh-server is missing and may not be installed: its tests will be skipped" >&2; exit 0; fi; \
	$$as apt-get update -q && \
	$$as env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends openssh-server || \
	{ echo "openssh-server could not be installed: its tests will be skipped" >&2; [ -z "$$CI" ]; }

# The workbook is opened in LibreOffice and the page in Chromium. They are large, so
# only CI installs them by itself; without them the tests are skipped, loudly.
office: ## With CI set, install LibreOffice and Chromium if they are missing
	@missing=""; \
	command -v soffice >/dev/null || missing="libreoffice-calc"; \
	command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || missing="$$missing chromium"; \
	if [ -z "$$missing" ]; then exit 0; fi; \
	if [ -z "$$CI" ]; then echo "missing:$$missing: the tests of workbook and page in them will be skipped" >&2; exit 0; fi; \
	as=""; [ "$$(id -u)" = 0 ] || as="sudo -n"; \
	$$as apt-get update -q && $$as env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $$missing

gallery: ## Take the pictures of docs/gallery anew (chromium, soffice, pdftoppm)
	docs/gallery/make.sh

lint: ## Check format, vet and staticcheck
	@unformatted=$$(go run $(GOFUMPT) -l .); \
	if [ -n "$$unformatted" ]; then echo "run gofumpt -w on:" >&2; echo "$$unformatted" >&2; exit 1; fi
	go vet ./...
	go run $(STATICCHECK) ./...

bench: ## Measure; docs/benchmarks.md says how to read it
	go test -run '^$$' -bench . -benchmem -timeout 60m ./...

# Minimising an interesting input can take all of the time there is.
fuzz: ## Fuzz every target for FUZZTIME (20s) each
	@go list ./... | while read -r pkg; do \
		for target in $$(go test -list '^Fuzz' "$$pkg" | grep '^Fuzz'); do \
			echo "$$pkg $$target"; \
			go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x "$$pkg" || exit 1; \
		done; \
	done

# SEEDS and FUZZTIME make it longer or shorter.
prove: sshd ## Prove what docs/reliability.md promises, in about 20 minutes on two cores
	@internal/proof/prove.sh
