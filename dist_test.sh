#!/usr/bin/env bash
# Test on so many GPUs of this machine: ./dist_test.sh GPUS [options of AutoTest.py]; on several machines as dist_train.sh.
. "$(dirname "$0")/dist_train.sh"
