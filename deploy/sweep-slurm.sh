#!/usr/bin/env bash
# A sweep as a Slurm array: each task runs one shard and writes to a folder that all nodes see. Submit it with
#   sbatch --array=1-8 deploy/sweep-slurm.sh config/18-a-sweep.yaml /shared/results
# `switchover` must be on the PATH: PATH=$PWD/node_modules/.bin:$PATH sbatch …
# A task whose node is lost or taken back is queued again by Slurm, one that is killed by this script, and continues
# where it ended. When all have ended,
#   switchover sweep config/18-a-sweep.yaml --out /shared/results
# finds nothing missing and prints the table. docs/many-machines.md says more.
#SBATCH --job-name=switchover-sweep
#SBATCH --cpus-per-task=4
#SBATCH --mem=2G
#SBATCH --time=01:00:00
#SBATCH --requeue
set -uo pipefail

scenario=$1
results=$2
switchover sweep "$scenario" --out "$results" --shard auto --quiet
code=$?

# Slurm queues again what it has ended itself, but not a task whose process was killed (137), as by the kernel for want
# of memory. Three times, so that a task that is always killed comes to an end.
if ((code == 137 && ${SLURM_RESTART_COUNT:-0} < 3)); then
  scontrol requeue "$SLURM_JOB_ID"
fi
exit "$code"
