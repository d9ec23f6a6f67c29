#!/usr/bin/env bash
# sbatch cluster/slurm.sh, from the root of this repository, which lies with its .venv where all machines see it.
#SBATCH --job-name=course
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=1
#SBATCH --gpus-per-node=2
#SBATCH --cpus-per-task=16
#SBATCH --time=01:00:00
#SBATCH --requeue
#SBATCH --open-mode=append
set -euo pipefail
# shellcheck source=/dev/null
source .venv/bin/activate
HEAD=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
export HEAD NODES=$SLURM_NNODES PROCESSES=${SLURM_GPUS_ON_NODE:-1} JOB=$SLURM_JOB_ID
srun cluster/train.sh
