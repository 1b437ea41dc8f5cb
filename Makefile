# Every target installs what it needs first (Debian; through sudo when the
# caller is not root) and can be run again at any time.

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
MODULE  := github.com/mpsupervisor/mpsupervisor
LDFLAGS := -s -w -X $(MODULE)/internal/mp.Version=$(VERSION)
GOBUILD := go build -trimpath -buildvcs=false

# Where `make install` puts things. DESTDIR is honoured.
prefix     ?= /usr/local
sysconfdir ?= /etc
bindir     := $(prefix)/bin
libexecdir := $(prefix)/libexec/mpsupervisor
mandir     := $(prefix)/share/man/man1
unitdir    := $(prefix)/lib/systemd/system
sysusersdir := $(prefix)/lib/sysusers.d

.PHONY: all build demo examples test test-vm fuzz soak soak-hostile bench lint generate install install-files uninstall clean deps help

all: build

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 14

deps: ## install everything that any target needs
	@scripts/deps.sh build test bench

build: ## three static binaries and the engine's heap image, in bin/
	@scripts/deps.sh build
	@go run ./internal/jsbuild -entry src/main.js -o dist/prelude.js -format iife -wrap host -minify internal/engine/js/prelude
	@go run ./internal/jsbuild -entry src/intl/index.js -o dist/intl.js -format iife -wrap "host, Intl = {}" -minify internal/engine/js/prelude
	CGO_ENABLED=0 $(GOBUILD) -buildmode=exe -ldflags '$(LDFLAGS)' -o bin/mpsupervisor ./cmd/mpsupervisor
	CGO_ENABLED=0 $(GOBUILD) -buildmode=exe -ldflags '$(LDFLAGS)' -o bin/mpworker ./cmd/mpworker
	CGO_ENABLED=1 $(GOBUILD) -buildmode=exe -tags osusergo,netgo \
		-ldflags '$(LDFLAGS) -linkmode external -extldflags "-static"' -o bin/mplauncher ./cmd/mplauncher
	bin/mpworker image bin/mpworker.img

demo: build ## run the loan calculator in a sealed worker, and show its locks
	@scripts/demo.sh

test: build ## every test, with the race detector, as root
	@scripts/deps.sh test
	go vet ./...
	scripts/as-root.sh go test -count=1 -v -run '^TestAPIs$$' ./test/conformance
	scripts/as-root.sh go test -race -timeout 15m ./...

test-vm: build ## the tests on cgroup v2, in virtual machines with Debian's kernels 6.1 and 6.12
	@scripts/deps.sh test
	scripts/as-root.sh go run ./test/vm

fuzz: ## each fuzz target for FUZZTIME (default 1m)
	@scripts/deps.sh build
	scripts/fuzz.sh $(or $(FUZZTIME),1m)

soak: build ## N (default 1000) kill -9 at random moments
	scripts/as-root.sh go run ./test/soak -n $(or $(N),1000)

soak-hostile: build ## native programs attack the machine for FOR (default 10m), beside a neighbour
	scripts/as-root.sh go run ./test/hostile -for $(or $(FOR),10m)

examples: ## what the examples with a build.sh run
	@scripts/deps.sh build examples
	for build in examples/*/build.sh; do $$build || exit; done

bench: build ## the table of figures against the peers, and bench.json
	@scripts/deps.sh bench
	scripts/as-root.sh go run ./test/bench -o bench.json

lint: ## formatting, vet and staticcheck
	@scripts/deps.sh build
	scripts/lint.sh

generate: ## the code made from control.proto
	@scripts/deps.sh test
	scripts/generate.sh

# Without DESTDIR root is needed; what is generated is generated before that, by
# the caller and with the caller's Go.
AS_INSTALLER := $(if $(DESTDIR),,scripts/as-root.sh)

install: build ## binaries, man pages, completions, units, default configuration
	rm -rf bin/share && mkdir -p bin/share/man bin/share/completions
	go run -buildvcs=false -tags docs ./cmd/mpsupervisor man bin/share/man
	for shell in bash zsh fish; do bin/mpsupervisor completion $$shell > bin/share/completions/$$shell || exit; done
	sed 's|@bindir@|$(bindir)|' cmd/mpsupervisor/dist/mpsupervisor.service > bin/share/mpsupervisor.service
	$(AS_INSTALLER) $(MAKE) --no-print-directory install-files \
		'DESTDIR=$(DESTDIR)' 'prefix=$(prefix)' 'sysconfdir=$(sysconfdir)' # sudo passes on no MAKEFLAGS

install-files:
	install -d $(DESTDIR)$(bindir) $(DESTDIR)$(libexecdir) $(DESTDIR)$(mandir) $(DESTDIR)$(unitdir) $(DESTDIR)$(sysusersdir) \
		$(DESTDIR)$(sysconfdir)/mpsupervisor $(DESTDIR)$(prefix)/share/bash-completion/completions \
		$(DESTDIR)$(prefix)/share/zsh/site-functions $(DESTDIR)$(prefix)/share/fish/vendor_completions.d
	install -m 755 bin/mpsupervisor $(DESTDIR)$(bindir)/
	install -m 755 bin/mplauncher bin/mpworker $(DESTDIR)$(libexecdir)/
	install -m 644 bin/mpworker.img $(DESTDIR)$(libexecdir)/
	install -m 644 bin/share/man/*.1 $(DESTDIR)$(mandir)/
	install -m 644 bin/share/completions/bash $(DESTDIR)$(prefix)/share/bash-completion/completions/mpsupervisor
	install -m 644 bin/share/completions/zsh $(DESTDIR)$(prefix)/share/zsh/site-functions/_mpsupervisor
	install -m 644 bin/share/completions/fish $(DESTDIR)$(prefix)/share/fish/vendor_completions.d/mpsupervisor.fish
	install -m 644 bin/share/mpsupervisor.service $(DESTDIR)$(unitdir)/mpsupervisor.service
	install -m 644 cmd/mpsupervisor/dist/sysusers.conf $(DESTDIR)$(sysusersdir)/mpsupervisor.conf
	test -e $(DESTDIR)$(sysconfdir)/mpsupervisor/config.toml || \
		install -m 644 cmd/mpsupervisor/dist/config.toml $(DESTDIR)$(sysconfdir)/mpsupervisor/config.toml

uninstall: ## what install put there, but for the configuration
	$(AS_INSTALLER) rm -rf $(DESTDIR)$(libexecdir)
	$(AS_INSTALLER) rm -f $(DESTDIR)$(bindir)/mpsupervisor $(DESTDIR)$(mandir)/mpsupervisor.1 $(DESTDIR)$(mandir)/mpsupervisor-*.1 \
		$(DESTDIR)$(unitdir)/mpsupervisor.service $(DESTDIR)$(sysusersdir)/mpsupervisor.conf \
		$(DESTDIR)$(prefix)/share/bash-completion/completions/mpsupervisor \
		$(DESTDIR)$(prefix)/share/zsh/site-functions/_mpsupervisor $(DESTDIR)$(prefix)/share/fish/vendor_completions.d/mpsupervisor.fish

clean: ## what build and bench made
	rm -rf bin bench.json
