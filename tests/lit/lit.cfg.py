"""The lit suite of Lacuna: one file, one thing that a pass, an op, a refusal or the generated code must do.

A test names its commands in RUN lines and its expectations in CHECK lines; the tools below are found first in the
build's bin/, then in LLVM's. `%kernels` is kernels_dsl/, `%s` the test, `%t` a scratch path of its own, `%fakecuda` a
driver library without a GPU (for LACUNA_DRIVER; its kernels do nothing, and LACUNA_FAKECUDA scripts it), `%fakelibs` a
folder where it is libcuda.so.1.

    lit --param cat=lacuna-opt    puts `cat` in the place of that tool: every test of a lowering must then fail
                                  (./dev mutate), or it checks nothing.

Features a test may REQUIRE: `ptxas`, `nvdisasm`, `nvtx` (`%nvtxrecorder` is a profiler that writes down ranges),
`crash` (`%crash`, preloaded, makes LLVM and MLIR crash: tests/crash). Where CI or LACUNA_REQUIRE_PTXAS is set, a
missing ptxas is no reason to leave a test out, so `ptxas` is then always on and those tests fail with the tool's own
message.
"""

import os
import shutil
import sys

import lit.formats

config.name = "lacuna"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".tile", ".test"]
config.excludes = ["Inputs", "CMakeLists.txt"]
config.test_source_root = os.path.join(config.lacuna_source_dir, "tests", "lit")
config.test_exec_root = os.path.join(config.lacuna_build_dir, "tests", "lit")

bin_dir = os.path.join(config.lacuna_build_dir, "bin")
path = [bin_dir, config.llvm_tools_dir, os.environ.get("PATH", "")]

replaced = lit_config.params.get("cat")
if replaced:
    stub_dir = os.path.join(config.test_exec_root, "cat-bin")
    os.makedirs(stub_dir, exist_ok=True)
    stub = os.path.join(stub_dir, replaced)
    with open(stub, "w", encoding="utf-8") as file:
        file.write('#!/bin/sh\n# Stands in for the tool: passes its input through.\n'
                   'for argument; do [ -f "$argument" ] && exec cat "$argument"; done\nexec cat\n')
    os.chmod(stub, 0o755)
    path.insert(0, stub_dir)

config.environment["PATH"] = os.pathsep.join(path)
config.environment["LACUNA_TUNING"] = "none"  # what a person has measured changes no test
config.environment["LACUNA_CACHE_DIR"] = os.path.join(config.test_exec_root, "cache")
for name in ("LACUNA_PTXAS", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "HOME"):
    if name in os.environ:
        config.environment[name] = os.environ[name]
if "address" in config.sanitizers:
    # libLLVM poisons memory by hand.
    config.environment.setdefault("ASAN_OPTIONS", "allow_user_poisoning=0:detect_leaks=0")

config.substitutions.append(("%kernels", os.path.join(config.lacuna_source_dir, "kernels_dsl")))
config.substitutions.append(("%python", sys.executable))
config.substitutions.append(("%fakecuda", os.path.join(config.lacuna_build_dir, "lib", "libfakecuda.so")))
config.substitutions.append(("%fakelibs", os.path.join(config.lacuna_build_dir, "lib", "fakecuda")))
recorder = os.path.join(config.lacuna_build_dir, "lib", "libnvtxrecorder.so")
config.substitutions.append(("%nvtxrecorder", recorder))
if os.path.exists(recorder):
    config.available_features.add("nvtx")
crash = os.path.join(config.lacuna_build_dir, "lib", "libcrash.so")
config.substitutions.append(("%crash", crash))
if os.path.exists(crash):
    config.available_features.add("crash")

cuda_bin = "/usr/local/cuda/bin"
if (os.environ.get("LACUNA_PTXAS") or shutil.which("ptxas") or os.path.exists(os.path.join(cuda_bin, "ptxas"))
        or os.environ.get("CI") or os.environ.get("LACUNA_REQUIRE_PTXAS")):
    config.available_features.add("ptxas")
if shutil.which("nvdisasm") or os.path.exists(os.path.join(cuda_bin, "nvdisasm")):
    config.available_features.add("nvdisasm")
