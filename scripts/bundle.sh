#!/usr/bin/env bash
# Packs a built tree so that it runs where there is no LLVM and no compiler: ./dev bundle OUT.tar.zst
#
#   lacuna/bin/         the programs, stripped; they look for libraries in ../lib first
#   lacuna/lib/         every shared library they need but those of glibc and GCC, which the system must have
#                       (glibc 2.36 and libstdc++ of GCC 12, or newer: Debian 12, Ubuntu 23.04)
#   lacuna/kernels_dsl, examples, benchmarks, docs, tests    what the programs, the tests and `./dev bench` read
#   lacuna/dev, BUNDLE  the developer command; BUNDLE tells it that there are no sources, and what this was made from
set -euo pipefail

output="$(realpath -m "$1")"
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
limit_mib=64
stage="$(mktemp -d)"
trap 'rm -rf "$stage"' EXIT
tree="$stage/lacuna"
mkdir -p "$tree/bin" "$tree/lib" "$tree/tests"

packed=()
for program in "$root"/build/bin/*; do
  case "$(basename "$program")" in # need no GPU
  lacuna-schedule-tests) continue ;;
  lacuna-unit-* | lacuna-interpreter-tests | lacuna-reliability-tests | lacuna-cache-worker | lacuna-opt) continue ;;
  lacuna-example-* | lacuna-bench-cache) continue ;; # or are built by whoever reads them
  esac
  strip --strip-unneeded -o "$tree/bin/$(basename "$program")" "$program"
  packed+=("$program")
done

# What `./dev bench` loads into Python.
built_library="$root/build/lib/liblacuna_bench.so"
bench_library="$tree/lib/liblacuna_bench.so"
strip --strip-unneeded -o "$bench_library" "$built_library"

# What the programs load, and what those libraries load; the system's own C and C++ run time stays behind.
system_libraries='^(libc|libm|libdl|librt|libpthread|libstdc\+\+|libgcc_s|ld-linux-x86-64)\.so'
while read -r library; do
  [[ "$(basename "$library")" =~ $system_libraries ]] && continue
  strip --strip-unneeded -o "$tree/lib/$(basename "$library")" "$(realpath "$library")"
done < <(ldd "${packed[@]}" "$built_library" | awk '$2 == "=>" && $3 ~ /^\// { print $3 }' | sort -u)

cp -r "$root/kernels_dsl" "$root/dev" "$root/LICENSE" "$root/README.md" "$tree/"
for folder in examples benchmarks docs tests/gpu tests/numeric; do
  [ -d "$root/$folder" ] || continue
  mkdir -p "$tree/$(dirname "$folder")"
  cp -r "$root/$folder" "$tree/$(dirname "$folder")/"
done
find "$tree" -name __pycache__ -prune -exec rm -rf {} +
cp "$root/build/gpu-tests.txt" "$tree/tests/gpu-tests.txt"
{
  echo "Lacuna $(git -C "$root" describe --always --dirty 2>/dev/null || echo 'of an unknown revision')"
  echo "built on $(. /etc/os-release && echo "$PRETTY_NAME"), $(uname -m)"
} >"$tree/BUNDLE"

# Nothing may be found outside the bundle but the system's own run time.
if ldd "$tree"/bin/* "$bench_library" | awk '$2 == "=>" { print $1, $3 }' | sort -u | grep -vE "$system_libraries" |
  grep -vF " $tree/" | grep -v '^linux-vdso'; then
  echo "bundle: the libraries above are not taken from the bundle" >&2
  exit 1
fi
"$tree/bin/lacuna" --help >/dev/null

tar -C "$stage" --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 -cf - lacuna |
  zstd -19 --long=27 -T2 --quiet --force -o "$output"
size_kib=$(($(stat -c %s "$output") / 1024))
echo "$output: $((size_kib / 1024)).$((size_kib % 1024 * 10 / 1024)) MiB"
echo "unpack it with: zstd -d --long=27 < $(basename "$output") | tar x && cd lacuna && ./dev demo"
if [ "$size_kib" -gt $((limit_mib * 1024)) ]; then
  echo "bundle: over the limit of $limit_mib MiB" >&2
  exit 1
fi
