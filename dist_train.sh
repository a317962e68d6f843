#!/usr/bin/env bash
# Train on so many GPUs of this machine: ./dist_train.sh GPUS [options of AutoTrain.py]. dist_test.sh reads this file too.
# On several machines, on each: NNODES=2 NODE_RANK=0 MASTER_ADDR=first.machine PORT=29500 ./dist_train.sh GPUS
set -eu
case ${0##*/} in dist_test.sh) script=AutoTest.py ;; *) script=AutoTrain.py ;; esac
gpus=${1:?"usage: $0 GPUS [options of $script]"}
shift
if [ "${NNODES:-1}" = 1 ] && [ -z "${PORT:-}" ]; then
    meet=(--standalone --max-restarts 3)
else
    meet=(--nnodes "${NNODES:-1}" --node-rank "${NODE_RANK:-0}")
    meet+=(--master-addr "${MASTER_ADDR:-127.0.0.1}" --master-port "${PORT:-29500}")
fi
exec "${PYTHON:-python}" -m torch.distributed.run "${meet[@]}" --nproc-per-node "$gpus" \
    "$(dirname "$0")/$script" "$@"
