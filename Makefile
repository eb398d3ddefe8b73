# The entry to everything. CMake and Ninja stand behind it.
BUILD ?= build

all:
	@cmake -S . -B $(BUILD) -G Ninja && ninja -C $(BUILD) -j2

test: all
	@ctest --test-dir $(BUILD) --output-on-failure -j2

clean:
	@rm -rf build build-*

.PHONY: all test clean
