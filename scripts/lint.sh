#!/usr/bin/env bash
# ./dev lint [--fix] [--all]: clang-format, word rules and clang-tidy. Without --all, on the files that differ from the
# main branch (on main itself: from the commit before), untracked files included. --fix rewrites the formatting.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

fix= all=
for argument in "$@"; do
  case "$argument" in
  --fix) fix=1 ;;
  --all) all=1 ;;
  *) echo "usage: ./dev lint [--fix] [--all]" >&2; exit 2 ;;
  esac
done

base_commit() {
  local main
  main=$(git rev-parse -q --verify origin/main || git rev-parse -q --verify main) || return 1
  if [ "$main" = "$(git rev-parse HEAD)" ]; then
    git rev-parse -q --verify HEAD~1
  else
    git merge-base "$main" HEAD
  fi
}

if [ -z "$all" ] && base=$(base_commit); then
  mapfile -t files < <({ git diff --name-only --diff-filter=d "$base"; git ls-files -o --exclude-standard; } | sort -u)
else
  mapfile -t files < <(git ls-files -co --exclude-standard | sort -u)
fi
sources=() units=()
for file in "${files[@]}"; do
  [ -f "$file" ] || continue
  case "$file" in
  *.cpp) sources+=("$file") units+=("$file") ;;
  *.h) sources+=("$file") ;;
  esac
done
echo "lint: ${#files[@]} files, ${#sources[@]} of them C++"

status=0
if [ ${#sources[@]} -gt 0 ]; then
  if [ -n "$fix" ]; then clang-format-19 -i "${sources[@]}"; fi
  clang-format-19 --dry-run -Werror "${sources[@]}" || status=1
fi
python3 scripts/lint_words.py "${files[@]}" || status=1

if [ ${#units[@]} -gt 0 ]; then
  # clang-tidy reads the flags and the precompiled header of the build.
  cmake --preset default >/dev/null
  ninja -C build >/dev/null || { echo "lint: the build fails; clang-tidy needs one that succeeds" >&2; exit 1; }
  printf '%s\0' "${units[@]}" | xargs -0 -n 1 -P "$(nproc)" clang-tidy-19 -p build --quiet || status=1
fi
[ $status -eq 0 ] && echo "lint: clean"
exit $status
