# build   bin/ndpush, one static binary
# demo    push real images into a BOSS on this machine, and see
# test    all tests, with the race detector
# check   what must hold before a commit
# soak    kill processes by the dozen, which takes minutes: KILLS and SEED say how many and which;
#         and carry 500 chunks and see that nothing grows
# bench   how fast the formats are, and ndpush as a whole: BENCH says which benchmarks, COUNT how
#         often, WHOLE which flags internal/bench gets; bench-parts and bench-whole are one of both
# docs    the reference of all commands, from what they say
# release everything for everybody, in dist
# clean

GO ?= go

.PHONY: build demo test check soak bench bench-parts bench-whole docs release clean

build:
	CGO_ENABLED=0 $(GO) build -trimpath -o bin/ndpush ./cmd/ndpush

demo: build
	bin/ndpush demo

test:
	$(GO) test -race -timeout 20m ./...

check:
	test -z "$$(gofmt -l cmd internal testdata/*.go)" || { gofmt -d cmd internal testdata/*.go; exit 1; }
	$(GO) vet ./... ./testdata
	GOOS=windows $(GO) vet ./...
	GOOS=darwin GOARCH=arm64 $(GO) vet ./...
	GOARCH=386 $(GO) vet ./...
	$(GO) run honnef.co/go/tools/cmd/staticcheck@v0.8.2 ./... ./testdata
	$(GO) mod tidy -diff
	$(GO) test -race -timeout 20m ./...

KILLS ?= 40
SEED ?= 0

soak:
	$(GO) test -count=1 -v -timeout 1h -run '^(TestSoak|TestHanging|TestGrowth)$$' ./cmd/ndpush -soak.long -soak.kills=$(KILLS) -soak.seed=$(SEED)

BENCH ?= .
COUNT ?= 5
WHOLE ?=

bench: bench-parts bench-whole

# Kept in a file, it is what benchstat reads.
bench-parts:
	$(GO) test -run '^$$' -bench '$(BENCH)' -count $(COUNT) ./internal/...

bench-whole:
	$(GO) run ./internal/bench --count $(COUNT) $(WHOLE)

docs:
	$(GO) run ./internal/manual/generate

release:
	$(GO) run ./internal/release -out dist

clean:
	rm -rf bin dist
