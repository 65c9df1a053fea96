# make help lists what there is. The product and `make test` need Go and make, nothing else.

GO      ?= go
BIN     := bin/heraclitus
MODULES := . tools/bench tools/interop
FOLDERS := cmd gen pkg tools
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)

.DEFAULT_GOAL := help
.PHONY: help run build test test-s3 test-storages test-parquet race vet tidy generate fix schemas interop kgo fuzz bench bench-rest capture crash storm clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' Makefile

run: build ## Build and start a server: Kafka on 9092, metrics on 9093, data in ./data
	$(BIN) serve

build: ## Build bin/heraclitus
	$(GO) build -trimpath -ldflags '-X main.released=$(VERSION)' -o $(BIN) ./cmd/heraclitus

test: vet tidy ## What CI runs: vet, tidy, drift, and every test, the Go clients' included
	@for m in . tools/bench; do (cd $$m && echo "== $$m" && $(GO) test ./...) || exit 1; done
	@cd tools/interop && echo "== tools/interop" && $(GO) test -count 1 ./... # anew: what it depends on is a server that it builds

race: ## Every test under the race detector, frames poisoned after use
	@for m in $(MODULES); do (cd $$m && echo "== $$m" && $(GO) test -race ./...) || exit 1; done

vet: ## gofmt and go vet
	@test -z "$$(gofmt -l $(FOLDERS))" || { gofmt -l $(FOLDERS); echo 'run: make fix'; exit 1; }
	@for m in $(MODULES); do (cd $$m && $(GO) vet ./...) || exit 1; done

tidy: ## Check the shape of the code: imports, handler files, generated code and tables up to date
	$(GO) run ./gen -check
	$(GO) run ./tools/tidy

generate: ## Write pkg/wire anew from schemas/
	$(GO) generate ./pkg/wire

schemas: ## Take Kafka's message specs anew; KAFKA=4.x tries another release and prints what it brings
	$(GO) run ./tools/schemas $(if $(KAFKA),-newer $(KAFKA))

interop: ## Other people's clients: a table of what works with each; then kcat, a full disk, a failed sync, Kafka beside ours (needs Python, Node, Java, Maven, kcat, strace, root)
	cd tools/interop && $(GO) run ./matrix
	cd tools/interop && $(GO) test -tags full -timeout 60m -v ./...

test-s3: ## What runs against an S3 server, against MinIO: MINIO=<binary> make test-s3
	@test -n "$(MINIO)" || { echo 'say which binary: MINIO=<path of minio> make test-s3; go install github.com/minio/minio@latest builds one'; exit 1; }
	MINIO="$(MINIO)" $(GO) test -count 1 ./pkg/objstore/s3/... ./pkg/journal/s3/...
	MINIO="$(MINIO)" $(GO) test -count 1 -run 'Bucket|Away' ./pkg/broker

test-storages: ## Brokers, handlers, Go clients and the scripts of differ on each storage: memory, a path, a bucket of versitygw
	@for k in memory path s3; do echo "== $$k"; export HERACLITUS_TEST_STORAGE=$$k; \
	  $(GO) test -count 1 ./pkg/broker/... ./pkg/handler && (cd tools/interop && $(GO) test -count 1 -timeout 20m . ./differ) || exit 1; done

test-parquet: ## Segments read by DuckDB, PyArrow and hyparquet, and web logs of 270 MB asked by SQL, on a disk and in a bucket (needs Python, Node)
	cd tools/interop && $(GO) test -tags full -timeout 30m -v ./parquet

kgo: ## The tests of franz-go's own client against Heraclitus; ROUNDS=10 runs them ten times
	cd tools/interop && $(GO) run ./kgo -rounds $(or $(ROUNDS),1)

capture: ## Record testdata/frames anew: real clients with Apache Kafka (needs Java, Maven, Python, Node; an hour); CLIENT=java-4.3 records one
	$(GO) run ./tools/capture -client '$(or $(CLIENT),.*)'

crash: ## Twenty rounds of SIGKILL of the server, under load and under consumer groups
	cd tools/interop && CRASH_ROUNDS=20 $(GO) test -run TestKillUnder -timeout 30m -count 1 -v .

storm: ## Ten minutes of a server in a bucket that fails in all ways, killed and replaced under load; STORM=1m is shorter
	cd tools/interop && STORM=$(or $(STORM),10m) $(GO) test -run 'TestStorm$$' -timeout 60m -count 1 -v .

churn: ## Three minutes of members that join, leave, crash and are killed
	cd tools/interop && CHURN_SECONDS=180 $(GO) test -run TestGroupChurn -timeout 30m -count 1 -v .

bench: ## Heraclitus beside a bare server and kfake, in one run
	cd tools/bench && $(GO) run .

bench-rest: ## Records at rest: rates of archiving and rebuilding, memory meanwhile, starts on 10 GB (twenty minutes, 15 GB of disk)
	cd tools/bench && $(GO) run . rest

fix: generate ## gofmt, and write generated code and the README's tables anew
	gofmt -w $(FOLDERS)
	$(GO) run ./tools/tidy -fix

fuzz: ## Every fuzz target for FUZZTIME each (20s)
	@for p in $$($(GO) list ./pkg/...); do \
	  for f in $$($(GO) test -list '^Fuzz' $$p | grep '^Fuzz'); do \
	    echo "== $$p $$f"; $(GO) test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(or $(FUZZTIME),20s) $$p || exit 1; \
	  done; \
	done

clean: ## Remove what was built
	rm -rf bin .tmp
