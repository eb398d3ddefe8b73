# Thalweg - the entry to everything. `make help` lists the targets; CMake and Ninja stand behind them.
BUILD        ?= build
PREFIX       ?= /usr/local
JOBS         ?= $(shell nproc)
TEST_JOBS    ?= 2
SIM_SEEDS    ?= 1000
SEEDS        ?= 1000
MINUTES      ?= 5
FUZZ_SECONDS ?= 60
MEGABYTES ?= 512
HOURS        ?= 1
RUNS         ?= 5
ARGS         ?=
export JOBS

CTEST_ARGUMENTS = -j$(TEST_JOBS) $(if $(TESTS),-R '$(TESTS)')

all: deps ## build everything: libraries, binary, tests, examples, benchmarks
	@tools/build.sh $(BUILD) all

run: deps ## build, then run examples/flights.sql on real flights; with ARGS the same job in C (ARGS='--input my.csv')
	@tools/build.sh $(BUILD) thalweg
ifeq ($(ARGS),)
	@$(BUILD)/thalweg sql -f examples/flights.sql --output table
	@printf '\n%s\n  %s\n' "The script is examples/flights.sql. The same job in C, where late flights correct their week, is examples/flights.c:" \
	    "$(BUILD)/thalweg run"
else
	@$(BUILD)/thalweg run $(ARGS)
endif

test: test-deps ## build, then run all tests (TESTS=regex for some)
	@tools/build.sh $(BUILD) all
	@tools/ctest.sh $(BUILD) $(CTEST_ARGUMENTS)

asan: test-deps ## the whole suite under AddressSanitizer and UndefinedBehaviorSanitizer
	@tools/build.sh $(BUILD)-asan all -DTHALWEG_SANITIZE=address,undefined
	@tools/ctest.sh $(BUILD)-asan $(CTEST_ARGUMENTS)

tsan: test-deps ## the whole suite under ThreadSanitizer
	@tools/build.sh $(BUILD)-tsan all -DTHALWEG_SANITIZE=thread
	@tools/tsan.sh tools/ctest.sh $(BUILD)-tsan $(CTEST_ARGUMENTS)

sim: deps ## run the jobs in the simulated world under SIM_SEEDS seeds, and compare with the reference run
	@tools/build.sh $(BUILD) thalweg
	@$(BUILD)/thalweg sim --faults --spread --seeds $(SIM_SEEDS) $(ARGS) || { echo 0 > $(BUILD)/sim_seeds; exit 1; }
	@$(BUILD)/thalweg sim --seeds $(SIM_SEEDS) $(ARGS) || { echo 0 > $(BUILD)/sim_seeds; exit 1; }
	@echo $$(($$(cat $(BUILD)/sim_seeds 2> /dev/null || echo 0) + $(SIM_SEEDS))) > $(BUILD)/sim_seeds

soak: deps ## fresh seeds of all jobs of the simulator with all faults for HOURS hours; prints the row of the scorecard
	@tools/build.sh $(BUILD) thalweg
	@tools/soak.sh $(BUILD)/thalweg $(HOURS)

faults: deps ## kill real processes at every crash point, RUNS times each, and compare what they committed (ARGS='--points C7,C16')
	@tools/build.sh $(BUILD) thalweg_faults
	@python3 test/faults/faults.py --binary $(BUILD)/test/thalweg_faults --runs $(RUNS) $(ARGS)

kill-demo: deps ## kill processes of a cluster at random for MINUTES, and compare what it wrote (SEED=n, ARGS=--keep)
	@tools/build.sh $(BUILD) thalweg
	@python3 tools/kill_demo.py $(BUILD)/thalweg examples/data/flights.csv --minutes $(MINUTES) --seed $(or $(SEED),1) $(ARGS)

sqlgen: test-deps ## run queries of SEEDS seeds (or of one: SEED=n) in every mode of the engine, and in SQLite and DuckDB
	@tools/build.sh $(BUILD) sqlgen
	@mkdir -p $(BUILD)/sqlgen
	@tools/sqlgen.sh $(BUILD) $(if $(SEED),--seed $(SEED),--seeds $(SEEDS)) $(ARGS)

bench: deps ## run the benchmarks (BENCH=part of a name for some)
	@tools/build.sh $(BUILD) all
	@tools/bench.sh $(BUILD) $(BENCH)

memory: deps ## state of four times the memory of a control group (MEGABYTES=512): on rocksdb jobs finish within it
	@tools/build.sh $(BUILD) thalweg
	@THALWEG_MEMORY_MB=$(MEGABYTES) sh test/e2e/test_memory.sh $(abspath $(BUILD))/thalweg cc $(CURDIR)

nexmark: deps ## the queries of Nexmark in events per core-second (ARGS='--jar nexmark-flink.jar q5': beside Flink 2.3)
	@tools/build.sh $(BUILD) thalweg
	@python3 bench/nexmark/nexmark.py --binary $(BUILD)/thalweg $(ARGS)

nexmark-checkpoints: deps ## what checkpoints every second cost queries of Nexmark (ARGS='--runs N q4')
	@tools/build.sh $(BUILD) thalweg
	@python3 bench/nexmark/checkpoints.py --binary $(BUILD)/thalweg $(ARGS)

nexmark-compare: deps ## the queries of Nexmark over one file, answers beside Flink 2.3's (ARGS='--events N', '--gateway URL', 'q5')
	@tools/build.sh $(BUILD) thalweg
	@python3 test/oracle/nexmark_compare.py --binary $(BUILD)/thalweg $(ARGS)

fuzz: fuzz-deps ## run each fuzz target for FUZZ_SECONDS (FUZZ=part of a name for some)
	@CC=clang tools/build.sh $(BUILD)-fuzz fuzz_targets -DTHALWEG_FUZZ=ON -DTHALWEG_SANITIZE=address,undefined
	@tools/fuzz.sh $(BUILD)-fuzz $(FUZZ_SECONDS) $(FUZZ)

tidy: deps ## check the house rules
	@tools/build.sh $(BUILD) tidy_inputs
	@$(BUILD)/tools/tidy $(ARGS)

report: deps ## the figures of the code: sizes, asserts, comments
	@tools/build.sh $(BUILD) tidy_inputs
	@$(BUILD)/tools/tidy --report | sed -n '/^Thalweg in figures/,$$p'

oracle: ## ask real Flink 2.3 for the answers of test/sql and compare (fetches it once; ARGS='--update FILE', '--gateway URL')
	@python3 test/oracle/oracle.py $(ARGS)

docs: deps ## write docs/api from the headers' docstrings and docs/reference from the descriptors
	@tools/build.sh $(BUILD) docs_inputs
	@mkdir -p docs/api docs/reference
	@$(BUILD)/tools/docgen include/thalweg docs/api
	@$(BUILD)/tools/reference docs/reference

install: deps ## install headers, libraries, binary and pkg-config file under PREFIX
	@tools/build.sh $(BUILD) all
	@cmake --install $(BUILD) --prefix $(PREFIX) > $(BUILD)/install.log || { cat $(BUILD)/install.log; exit 1; }
	@if [ -z "$(DESTDIR)" ] && [ "$$(id -u)" = 0 ] && command -v ldconfig > /dev/null; then ldconfig; fi
	@echo "Thalweg is installed under $(DESTDIR)$(PREFIX)"

clean: ## remove every build folder
	@rm -rf $(BUILD) $(BUILD)-asan $(BUILD)-tsan $(BUILD)-fuzz

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

deps:
	@tools/deps.sh build $(BUILD)/.packages

test-deps:
	@tools/deps.sh test $(BUILD)/.packages-test
	@tools/python.sh

fuzz-deps:
	@tools/deps.sh fuzz $(BUILD)-fuzz/.packages

.PHONY: all run test asan tsan sim soak faults kill-demo sqlgen bench memory nexmark nexmark-checkpoints nexmark-compare fuzz tidy report oracle docs install clean help deps test-deps fuzz-deps
