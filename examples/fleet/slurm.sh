#!/bin/sh
# SPDX-License-Identifier: MIT
#
# One run over the nodes of a cluster, as a Slurm array; ampersand is installed where all nodes see it.
#
#   job=$(sbatch --parsable slurm.sh)
#   sbatch --dependency=afterany:"$job" --wrap "ampersand merge --all shards-$job/*"
#
#SBATCH --array=1-8
#SBATCH --exclusive
#SBATCH --time=01:00:00
set -eu
ampersand bench --shard "$SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT" --seed "$SLURM_ARRAY_JOB_ID" \
    --out "shards-$SLURM_ARRAY_JOB_ID/$SLURM_ARRAY_TASK_ID"
