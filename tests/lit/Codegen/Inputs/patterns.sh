# patterns.sh KERNEL TYPE: what the report says of stack, spills and advisories, a line each kernel.
set -e
say() {
  lacuna compile "$kernel" --target sm_90a --set T=$type --report "$@" |
    grep -E '"(stack_bytes|spill_store_bytes|spill_load_bytes|advisories)"' | tr -d '\n' | sed 's/^ *//; s/  */ /g'
  echo
}
kernel=$1
type=$2
window="--hook rows=sliding_window --hook keep=sliding_window"
for tile in "D=64 BM=192 BN=128" "D=128 BM=128 BN=176" "D=256 BM=128 BN=80"; do
  set -- $tile
  say --set $1 --set $2 --set $3 --hook rows=dense
done
for tile in "D=64 BM=192 BN=128" "D=128 BM=128 BN=176" "D=256 BM=128 BN=80"; do
  set -- $tile
  say --set $1 --set $2 --set $3 --hook rows=causal --hook keep=causal
done
for tile in "D=64 BM=128 BN=128" "D=128 BM=128 BN=128" "D=256 BM=128 BN=64"; do
  set -- $tile
  say --set $1 --set $2 --set $3 $window
  say --set $1 --set $2 --set $3 $window --set SINK=64
done
