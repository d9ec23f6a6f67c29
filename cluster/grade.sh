#!/usr/bin/env bash
# sbatch --array=1-8 cluster/grade.sh SUBMISSIONS business-case, from the root of this repository: a part for each machine
# of the array, into a folder that all see. Afterwards, anywhere: the same command without --shard gathers all parts.
#SBATCH --job-name=grade
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=2
#SBATCH --time=00:30:00
set -euo pipefail
# shellcheck source=/dev/null
source .venv/bin/activate
shard="$SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT"
python tools/grade.py "$1" --assignment "$2" --jobs "${SLURM_CPUS_PER_TASK:-2}" --shard "$shard" "${@:3}"
