# The README's commands. Everything real is in CMake and tools/; this file only names it.
.PHONY: all build demo demo-chat test check format tidy clang-tidy audit audit-update programs soak clean

DEMO_MODEL ?= models/stories/stories-f32.gguf
DEMO_PROMPT ?= Once upon a time
JOBS ?= $(shell nproc)

all: build

build/release/build.ninja:
	cmake --preset release

## The CLI, the library and the shaders, in build/release.
build: build/release/build.ninja
	cmake --build --preset release --parallel $(JOBS)

## From a clean clone to a story, on the CPU and on a Vulkan device if there is one.
demo:
	tools/setup.sh build
	cmake --preset release >/dev/null
	cmake --build --preset release --parallel $(JOBS) --target polaris
	tools/demo.sh build/release/polaris $(DEMO_MODEL) "$(DEMO_PROMPT)"

## A talk with a real model of 491 MB, which is fetched when it is not there.
demo-chat:
	tools/setup.sh build models
	cmake --preset release >/dev/null
	cmake --build --preset release --parallel $(JOBS) --target polaris
	model=$$(python3 tools/chat_model.py) && tools/demo_chat.sh build/release/polaris "$$model"

## Release build and the core suites.
test:
	tools/setup.sh build test
	cmake --preset release >/dev/null
	cmake --build --preset release --parallel $(JOBS)
	rm -f build/release/skipped.txt
	ctest --preset release --parallel $(JOBS); status=$$?; tools/skipped.sh build/release; \
	  exit $$status

## Format, clang-tidy, tidy and its tests.
check: format tidy clang-tidy

format:
	git ls-files '*.h' '*.cc' | xargs clang-format-16 --dry-run --Werror

tidy:
	python3 tools/tidy
	python3 -m unittest discover -s tests/tools

clang-tidy: build/release/build.ninja
	cmake --preset release >/dev/null
	tools/clang_tidy.sh build/release

## Every shipped shader variant, compiled for Polaris by RADV's null device, and some simulated.
audit:
	cmake --preset release >/dev/null
	cmake --build --preset release --parallel $(JOBS) --target audit gcn shaders
	build/release/audit build/release/shaders/shaders.json --ratchet tools/audit/ratchet.json \
	  --simulated tools/gcn/marks.json
	build/release/gcn marks build/release/shaders/shaders.json tools/gcn/marks tools/gcn/marks.json

## The same; new variants get marks, beaten marks are lowered. RAISE=NAME raises those of variants
## with NAME in their name, RAISE_SIMULATED=NAME simulated ones, and nothing else does.
audit-update:
	cmake --preset release >/dev/null
	cmake --build --preset release --parallel $(JOBS) --target audit gcn shaders
	build/release/gcn marks build/release/shaders/shaders.json tools/gcn/marks tools/gcn/marks.json \
	  --update $(if $(RAISE_SIMULATED),--raise "$(RAISE_SIMULATED)")
	build/release/audit build/release/shaders/shaders.json --ratchet tools/audit/ratchet.json \
	  --simulated tools/gcn/marks.json --update $(if $(RAISE),--raise "$(RAISE)")

## Machine code for `polaris inspect --gpu` where Mesa's driver is not: of the models here and of MODELS,
## into build/release/polaris10.programs, which belongs beside polaris.
programs: build
	for model in models/stories/*.gguf $(MODELS); do \
	  build/release/polaris inspect "$$model" --gpu rx580 \
	    --programs build/release/polaris10.programs >/dev/null || exit 1; done

## Fuzzing, thread sanitizer, mutations, failing allocations, benches; resumable.
soak:
	tools/setup.sh build test check
	python3 tools/soak

clean:
	rm -rf build
