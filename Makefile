# SPDX-License-Identifier: MIT
#
# Builds every room of wynd. `make help` lists the targets.
# A variant is a set of flags with a tree of its own in $(BUILD). pkg-config is
# asked inside recipes only, never while this file is read: the first run on a
# bare machine reads it before scripts/deps has installed anything.

BUILD	?= build
VARIANT	?= release
PREFIX	?= /usr/local
LIBDIR	?= $(PREFIX)/lib
B	:= $(BUILD)/$(VARIANT)
GEN	:= $(BUILD)/gen
VERSION := $(shell sed -n 's/^.define WYN_VERSION "\(.*\)"/\1/p' base/version.h)

CC := $(if $(filter fuzz,$(VARIANT)),clang,$(if $(filter default,$(origin CC)),gcc,$(CC)))
Q   := $(if $(V),,@)
say  = $(if $(V)$(findstring s,$(firstword -$(MAKEFLAGS))),@:,@printf '  %-7s %s\n') $1 $2

# Flags
SANITIZE := -O1 -g -fno-omit-frame-pointer -fno-sanitize-recover=all
FLAGS_release := -O2 -g
FLAGS_debug   := -O1 -g
FLAGS_asan    := $(SANITIZE) -fsanitize=address,undefined
FLAGS_tsan    := $(SANITIZE) -fsanitize=thread
FLAGS_perturb := $(FLAGS_asan) -DWYN_PERTURB
FLAGS_fuzz    := $(SANITIZE) -fsanitize=fuzzer-no-link,address,undefined
FLAGS	      := $(FLAGS_$(VARIANT))
$(if $(FLAGS),,$(error VARIANT is none of release, debug, asan, tsan, perturb, fuzz))

WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wconversion $(if $(filter true 1,$(CI) $(WERROR)),-Werror)

GNU := -D_GNU_SOURCE=# as a plain #define of it, so that a file may say it again
INCLUDES   = -Iinclude -I. -isystem $(GEN)# somebody else's code: no warnings
PKGS	  := libuv libprotobuf-c libconfuse libsystemd jansson
PKG_FLAGS  = $(eval PKG_FLAGS := $$(shell pkg-config --cflags $(PKGS)))$(PKG_FLAGS)# asked once
pkg	   = $(if $2,$(shell pkg-config $1 $2))
ALL_FLAGS  = -std=gnu17 $(GNU) $(WARN) $(FLAGS) -pthread \
	$(ROOM_FLAGS) $(INCLUDES) $(PKG_FLAGS) $(CPPFLAGS) $(CFLAGS)
LINK	   = $(CC) $(FLAGS) -pthread $(CFLAGS) $(LDFLAGS)

# Of a shared library, or of what may end in one: exported is what a header says.
HIDDEN := -fPIC -fno-semantic-interposition -fvisibility=hidden
$(B)/obj/base/%.o $(B)/obj/proto/%.o: ROOM_FLAGS = $(HIDDEN)
$(B)/obj/client/%.o: ROOM_FLAGS = $(HIDDEN) -include client/exports.h
$(B)/obj/pic/%.o: ROOM_FLAGS = $(HIDDEN) -ftls-model=initial-exec -include scheduler/exports.h
$(B)/obj/daemon/%.o: ROOM_FLAGS = -DWYN_MODULES_DIR='"$(LIBDIR)/wynd/modules"' -DWYN_SPAWNER='"$(PREFIX)/libexec/wynd/wynd-spawner"'
# Modules and examples see the installed headers and nothing else of ours.
$(B)/obj/modules/%.o $(B)/obj/examples/%.o: INCLUDES = -Iinclude
$(B)/obj/modules/%.o: ROOM_FLAGS = $(HIDDEN)
$(B)/obj/modules/%.o: PKG_FLAGS = $(call pkg,--cflags,$(MODULE_PKGS))
$(B)/obj/gen/%.o: ROOM_FLAGS = $(HIDDEN) -w

# Rooms
ROOMS	  := base proto scheduler daemon client spawner modules
objects	   = $(patsubst %.c,$(B)/obj/%.o,$(wildcard $1))
GEN_C	  := $(GEN)/proto/wyn.pb-c.c $(GEN)/proto/spawn.pb-c.c
MODULE_SO := $(patsubst %.c,$(B)/%.so,$(wildcard modules/*.c))
MODULE_PKGS_digest := libcrypto
MODULE_PKGS_zstd := libzstd
MODULE_PKGS = $(MODULE_PKGS_$(basename $(@F)))

OBJ_base      := $(call objects,base/*.c)
OBJ_scheduler := $(call objects,scheduler/*.c)
OBJ_proto     := $(call objects,proto/*.c) $(GEN_C:$(GEN)/%.c=$(B)/obj/gen/%.o)
OBJ_client    := $(call objects,client/*.c)
OBJ_wynctl    := $(filter-out %/main.o,$(call objects,client/wynctl/*.c))
OBJ_daemon    := $(filter-out %/main.o,$(call objects,daemon/*.c daemon/*/*.c))
OBJ_spawner   := $(filter-out %/main.o,$(call objects,spawner/*.c))
OBJ_support   := $(filter-out %/fuzz_main.o,$(call objects,tests/support/*.c))

ar_of = $(1:%=$(B)/lib/%.a)
PROGRAMS := $(B)/wynd $(B)/wynctl $(B)/wynd-spawner
SONAME := libwyn.so.0
LIBS := $(B)/libwyn.a $(B)/$(SONAME) $(B)/libwynclient.a $(B)/libwynclient.so.0
MAN  := $(patsubst docs/%.scd,$(B)/man/%,$(wildcard docs/*.scd))
TESTS  := $(patsubst %.c,$(B)/%,$(foreach r,$(ROOMS),$(wildcard tests/$r/test_*.c)))
STRESS := $(patsubst %.c,$(B)/%,$(wildcard tests/stress/*.c))
FUZZ   := $(patsubst %.c,$(B)/%,$(wildcard fuzz/fuzz_*.c))
BENCH  := $(patsubst %.c,$(B)/%,$(wildcard bench/*.c bench/peers/*.c)) $(B)/bench/ours-shared

all: $(PROGRAMS) $(LIBS) $(MODULE_SO) ## programs, libraries and modules
tests: $(if $(filter perturb,$(VARIANT)),$(filter $(B)/tests/scheduler/%,$(TESTS)),all $(TESTS) $(BENCH)) \
	$(STRESS) $(if $(filter asan fuzz,$(VARIANT)),$(FUZZ)) ## all, tests, benchmarks

.PHONY: all tests demo check stress fuzz bench-spawn bench-socket bench-commands format format-check lint layers labels \
	soak models install uninstall deb dist clean help FORCE
.DELETE_ON_ERROR .SECONDARY .SUFFIXES:

define compile
$(call say,CC,$@)
@mkdir -p $(@D)
$(Q)$(CC) $(ALL_FLAGS) -MMD -MP -c -o $@ $<
endef
$(B)/obj/%.o: %.c $(B)/flags | $(GEN_C:.c=.h)
	$(compile)
$(B)/obj/gen/%.o: $(GEN)/%.c $(B)/flags
	$(compile)
$(B)/obj/pic/%.o: %.c $(B)/flags
	$(compile)
BUILT_WITH := $(CC) $(FLAGS) $(HIDDEN) $(CPPFLAGS) $(CFLAGS) $(PREFIX) $(LIBDIR)
$(B)/flags: FORCE # newer when they differ: all is compiled again
	@mkdir -p $(@D); echo '$(BUILT_WITH)' | cmp -s - $@ || echo '$(BUILT_WITH)' >$@

$(GEN)/%.h: $(GEN)/%.c ;
$(GEN)/%.pb-c.c: %.proto
	$(call say,PROTO,$@)
	@mkdir -p $(@D)
	$(Q)protoc-c --c_out=$(GEN) $<

%.a:
	$(call say,AR,$@)
	$(Q)mkdir -p $(@D); rm -f $@; $(AR) rcsD $@ $(filter %.o,$^)

$(foreach r,base scheduler proto client wynctl daemon spawner support,\
	$(eval $(B)/lib/$r.a: $(OBJ_$r)))
$(B)/libwyn.a: $(OBJ_scheduler)
$(B)/libwynclient.a: $(B)/obj/libwynclient.o

# $(call link,packages,flags): objects, then libraries in the order given.
define link
$(call say,LINK,$@)
$(Q)mkdir -p $(@D); $(LINK) $2 -o $@ $(filter %.o %.a %/$(SONAME),$^) $(call pkg,--libs,$1)
endef

$(B)/wynd: $(B)/obj/daemon/main.o $(call ar_of,daemon scheduler proto base)
	$(call link,$(PKGS_daemon))
$(B)/wynd-spawner: $(B)/obj/spawner/main.o $(call ar_of,spawner proto base)
	$(call link,libprotobuf-c)
$(B)/wynctl: $(B)/obj/client/wynctl/main.o $(call ar_of,wynctl client proto base)
	$(call link,libprotobuf-c jansson)

# A thread that spawned may end, with our destructor, after a dlclose.
$(B)/$(SONAME): $(OBJ_scheduler:$(B)/obj/%=$(B)/obj/pic/%)
	$(call link,,-shared -z nodelete -Xlinker -soname=$(@F))
$(B)/libwynclient.so.0: $(OBJ_client) $(OBJ_proto) $(OBJ_base) client/libwynclient.map
	$(call link,libprotobuf-c,-shared -Xlinker -soname=$(@F) -Xlinker --version-script=$(filter %.map,$^))
$(B)/obj/libwynclient.o: $(OBJ_client) $(OBJ_proto) $(OBJ_base)
	$(Q)$(LD) -r -o $@ $^ && objcopy --localize-hidden $@
$(B)/modules/%.so: $(B)/obj/modules/%.o
	$(call link,$(MODULE_PKGS),-shared)
	@chmod go-w $@ # wynd loads none that others may write, whatever the umask

LIBS_daemon    := daemon scheduler proto
LIBS_spawner   := spawner proto
LIBS_client    := wynctl client proto
PKGS_proto     := libprotobuf-c
PKGS_spawner   := $(PKGS_proto)
PKGS_daemon    := libuv libprotobuf-c libconfuse libsystemd
PKGS_client    := libprotobuf-c jansson

define room_tests
$(B)/tests/$1/%: $(B)/obj/tests/$1/%.o $(call ar_of,support $(or $(LIBS_$1),$(filter proto scheduler,$1)) base)
	$$(call link,cmocka $(PKGS_$1))
endef
$(foreach r,$(ROOMS),$(eval $(call room_tests,$r)))
$(patsubst %.c,$(B)/%,$(wildcard tests/[!s]*/*_faults.c tests/sch*/*_faults.c)): LDFLAGS += \
	$(patsubst %,-Xlinker --wrap=%,malloc calloc realloc posix_memalign free mmap munmap \
	__sched_cpualloc __sched_cpufree pthread_create syscall)
$(B)/tests/stress/%: $(B)/obj/tests/stress/%.o \
		$(call ar_of,support client scheduler proto base)
	$(call link,libprotobuf-c cmocka,-Xlinker --as-needed)
$(B)/bench/%: $(B)/obj/bench/%.o $(B)/libwyn.a $(B)/libwynclient.a
	$(call link,libprotobuf-c,-Xlinker --as-needed)
$(B)/bench/%-shared: $(B)/obj/bench/%.o $(B)/$(SONAME)
	$(call link,,-Xlinker -rpath='$$ORIGIN/..')
# libFuzzer brings a main of its own; elsewhere ours replays files.
FUZZ_MAIN := $(if $(filter fuzz,$(VARIANT)),,$(B)/obj/tests/support/fuzz_main.o)
$(B)/fuzz/%: $(B)/obj/fuzz/%.o $(FUZZ_MAIN) \
		$(call ar_of,support daemon client scheduler proto base)
	$(call link,$(PKGS_daemon),$(if $(FUZZ_MAIN),,-fsanitize=fuzzer))

-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)

# What to run
demo: ## install what running needs, build, run the main job
	@scripts/deps
	+@$(MAKE) --no-print-directory -j$$(nproc) VARIANT=release all
	@BUILD_DIR=$(BUILD)/release scripts/demo
check: ## install the test tools too, build, run all tests
	@scripts/deps --test
	+@MAKE=$(MAKE) BUILD=$(BUILD) scripts/check
stress: ## each stress program for SECONDS (60), by SEED, in four variants
	+@MAKE=$(MAKE) BUILD=$(BUILD) STRESS_SECONDS=$(or $(SECONDS),60) STRESS_SEED=$(SEED) scripts/check stress
soak: ## mixed load on wynd for MINUTES (10), by SEED; RSS must stay flat
	+@export BUILD_DIR=$(B) MINUTES='$(or $(MINUTES),10)' SEED='$(SEED)'; set -- /usr/bin/python3 -B tests/e2e/test_soak.py; "$$@" parameters && $(MAKE) -s all && "$$@"
models: ## proofs of the scheduler's protocols by spin; LONG=1 for larger ones
	@BUILD=$(BUILD) scripts/models
fuzz: ## each libFuzzer target for FUZZ_SECONDS (60)
	+@MAKE=$(MAKE) BUILD=$(BUILD) FUZZ_SECONDS=$(or $(FUZZ_SECONDS),60) scripts/check fuzz
bench-spawn: ## libwyn beside Go, tokio, rayon, oneTBB and a list; QUICK=1
bench-socket: ## wynd beside Redis, NATS, gearmand, beanstalkd; QUICK=1
bench-commands: ## commands by wynd beside posix_spawn, xargs, parallel, tsp; QUICK=1
bench-spawn bench-socket bench-commands:
	+@scripts/deps --peers; $(MAKE) -s -j$$(nproc) all $(BENCH)
	@bench/$(patsubst spawn_run,spawn,$(@:bench-%=%)_run).py $(BUILD) $(B)/bench

# Form
SOURCES := $(sort $(foreach d,$(ROOMS) daemon/* client/wynctl include/wyn examples examples/module fuzz bench \
	bench/peers tests/stress tests/support $(ROOMS:%=tests/%),$(wildcard $d/*.c $d/*.h)))
TIDY	:= $(patsubst %.c,$(B)/lint/%.tidy,$(filter %.c,$(SOURCES)))
format: ## give every C file the form of .clang-format
	$(Q)clang-format -i $(SOURCES)
format-check: ## fail where format would change something
	$(Q)clang-format --dry-run -Werror $(SOURCES)
lint: $(TIDY) $(MAN) ## bounds of the style, clang-tidy, cppcheck
	$(Q)scripts/style && for s in reasons events; do scripts/$$s --self-test && scripts/$$s || exit 1; done
	$(Q)clang -x c++-header -std=c++17 -Wall -Wextra -Werror -Iinclude \
		-fsyntax-only -Wno-unused-function include/wyn/*.h
	$(Q)cppcheck --quiet --error-exitcode=1 --enable=warning,portability \
		--std=c11 -j$$(nproc) $(GNU) -Iinclude -I. $(filter %.c,$(SOURCES))

# Follows the object, which already knows the headers that it depends on.
$(B)/lint/%.tidy: $(B)/obj/%.o .clang-tidy
	$(call say,TIDY,$*.c)
	@mkdir -p $(@D)
	$(Q)clang-tidy --quiet $*.c -- -std=gnu17 $(GNU) $(INCLUDES) \
		$(PKG_FLAGS) 2>$@.err >$@.out || { cat $@.out $@.err; exit 1; }
	@rm -f $@.out $@.err; touch $@

layers: $(call ar_of,scheduler proto base) ## which room may use what
	$(Q)scripts/layers --self-test && scripts/layers $(B)/lib
labels: ## both ends of each pairing of atomics, and its paragraph
	$(Q)scripts/labels --self-test && scripts/labels

$(B)/man/%: docs/%.scd $(B)/wynd scripts/page
	@mkdir -p $(@D)
	$(Q)scripts/page $(B)/wynd <$< | scdoc >$@
	$(Q)! command -v mandoc >/dev/null || mandoc -T lint -W error $@

# Release
install: all $(if $(shell command -v scdoc),$(MAN)) ## into $(DESTDIR)$(PREFIX)
uninstall: ## remove what install has put there
install uninstall:
	$(Q)B='$(B)' DESTDIR='$(DESTDIR)' PREFIX='$(PREFIX)' LIBDIR='$(LIBDIR)' \
		VERSION='$(VERSION)' SONAME='$(SONAME) libwynclient.so.0' scripts/install $@

deb: ## install what that needs, build Debian packages in $(BUILD)/deb
	@scripts/deps --deb && BUILD='$(BUILD)' VERSION='$(VERSION)' scripts/deb
dist: ## a tar.gz of the last commit in $(BUILD)
	@mkdir -p $(BUILD) && git archive --prefix=wynd-$(VERSION)/ -o $(BUILD)/wynd-$(VERSION).tar.gz HEAD
clean: ## remove $(BUILD)
	rm -rf $(BUILD)
help: ## this list
	@echo 'Targets:'
	@sed -n ':a; /\\$$/{N; s/\\\n//; ba}; s/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' \
		Makefile | expand -t 18
	@echo 'Variables: BUILD= VARIANT=release|debug|asan|tsan|perturb|fuzz CC= V=1' \
		'WERROR=1 PREFIX= LIBDIR= DESTDIR='
