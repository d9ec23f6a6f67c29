#!/usr/bin/env bash
# Train a recipe of the course with torchrun, in PROCESSES processes on each of NODES machines. Whoever calls it again
# goes on from the checkpoint; whoever calls it when all is done, ends at once. ZOO is a folder that all machines see.
set -euo pipefail
: "${RECIPE:=gpt}" "${STEPS:=20000}" "${ZOO:=$HOME/zoo}"
: "${NODES:=1}" "${PROCESSES:=1}" "${HEAD:=localhost}" "${PORT:=29400}" "${JOB:=course}"

mkdir -p "$ZOO"
if [[ -e "$ZOO/weights/$RECIPE.safetensors" ]]; then
  echo "$ZOO/weights/$RECIPE.safetensors is there already"
  exit 0
fi
command=(torchrun --nnodes "$NODES" --nproc-per-node "$PROCESSES"
  --rdzv-backend c10d --rdzv-endpoint "$HEAD:$PORT" --rdzv-id "$JOB"
  -m genai_utils.recipes "$RECIPE" --steps "$STEPS" --out "$ZOO")
if compgen -G "$ZOO/$RECIPE-steps$STEPS-*.checkpoint" > /dev/null; then
  command+=(--resume)
fi
exec "${command[@]}"
