#!/bin/sh
echo "bazel coverage: the coverage tools are not part of this repository" >&2
exit 1
