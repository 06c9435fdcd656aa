#!/usr/bin/env bash
# A sweep as a Slurm array: each task runs one shard and writes to a folder that all nodes see. Submit it with
#   sbatch --array=1-8 deploy/sweep-slurm.sh config/18-a-sweep.yaml /shared/results
# Submit a task that was interrupted again with the same line: it continues where it ended. When all have ended,
#   switchover sweep config/18-a-sweep.yaml --out /shared/results
# finds nothing missing and prints the table.
#SBATCH --job-name=switchover-sweep
#SBATCH --cpus-per-task=4
#SBATCH --mem=2G
#SBATCH --time=01:00:00
#SBATCH --requeue
set -euo pipefail

scenario=$1
results=$2
exec npx switchover sweep "$scenario" --out "$results" --shard "$SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT" --quiet
