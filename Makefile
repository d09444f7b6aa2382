# build   bin/ndpush, one static binary
# demo    push real images into a BOSS on this machine, and see
# test    all tests, with the race detector
# check   what must hold before a commit
# soak    kill processes by the dozen, which takes minutes: KILLS and SEED say how many and which
# bench   how fast the parts are
# clean

GO ?= go

.PHONY: build demo test check soak bench clean

build:
	CGO_ENABLED=0 $(GO) build -trimpath -o bin/ndpush ./cmd/ndpush

demo: build
	bin/ndpush demo

test:
	$(GO) test -race -timeout 20m ./...

check:
	test -z "$$(gofmt -l cmd internal testdata/*.go)" || { gofmt -d cmd internal testdata/*.go; exit 1; }
	$(GO) vet ./... ./testdata
	$(GO) run honnef.co/go/tools/cmd/staticcheck@v0.8.2 ./... ./testdata
	$(GO) mod tidy -diff
	$(GO) test -race -timeout 20m ./...

KILLS ?= 40
SEED ?= 0

soak:
	$(GO) test -count=1 -v -timeout 1h -run '^(TestSoak|TestHanging)$$' ./cmd/ndpush -soak.long -soak.kills=$(KILLS) -soak.seed=$(SEED)

bench:
	$(GO) test -run '^$$' -bench . ./internal/...

clean:
	rm -rf bin
