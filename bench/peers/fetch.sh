#!/usr/bin/env bash
# Fetches the upstream sources that pip does not install, into the folder given or that of the active environment.
#
#   bash bench/peers/fetch.sh [FOLDER]
set -euo pipefail

vllm=0.33.0
target=${1:-${TOUCHMARK_PEERS:-$(python -c 'import sys; print(sys.prefix)')/peers}}
mkdir -p "$target"

if [ ! -e "$target/vllm/VERSION" ]; then
	wheels=$(mktemp -d)
	trap 'rm -rf "$wheels"' EXIT
	# The whole wheel (340 MB) comes, and the watermarking files stay.
	pip download --quiet --no-deps --dest "$wheels" "vllm==$vllm"
	python - "$wheels" "$target/vllm" <<'PYTHON'
import sys, zipfile
from pathlib import Path

wheels, target = map(Path, sys.argv[1:])
wanted = ("vllm/v1/watermarking/", "vllm/config/watermarking.py", "vllm/v1/worker/gpu/sample/watermark.py")
with zipfile.ZipFile(next(wheels.glob("vllm-*.whl"))) as wheel:
    wheel.extractall(target, [name for name in wheel.namelist() if name.startswith(wanted)])
PYTHON
	echo "$vllm" >"$target/vllm/VERSION"
fi

fetch() { # owner/name commit
	local folder=$target/${1#*/}
	if [ ! -e "$folder" ]; then
		git clone --quiet --no-checkout --filter=blob:none "https://github.com/$1" "$folder"
		git -C "$folder" checkout --quiet "$2"
	fi
}
fetch google-deepmind/synthid-text addb4a158143c7c6851a1308f78b89fceed59683
fetch facebookresearch/three_bricks ee9c7a286bd19e2c05c69d380c5d54bb47f17673
fetch THU-BPM/MarkLLM 112fa7419b115efc82f229a59a86fb14c5528c80
