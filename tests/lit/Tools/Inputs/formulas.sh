# formulas.sh DIRECTORY: runs patterns as formulas and from lists; says DIFFERENT where results or saved lists differ.
for pattern in dense causal window:50:9; do
  for lists in "" --lists; do
    lacuna attention --device cpu --heads 2 --kv-heads 1 --queries 210 --keys 300 --head-dim 40 \
      --pattern $pattern $lists --pack off --check --save "$1/$pattern$lists"
  done
  for file in o lse indptr split indices; do
    cmp "$1/$pattern/$file.npy" "$1/$pattern--lists/$file.npy" || echo DIFFERENT
  done
done
