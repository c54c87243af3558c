#!/usr/bin/env bash
# get_corpus.sh NAME FOLDER   makes FOLDER/old and FOLDER/new from two successive public builds (corpora.txt), with `pip download` or `npm pack`.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
name=${1:?which corpus, see corpora.txt}
folder=${2:?where to}

line=$(grep -E "^$name[[:space:]]" "$here/corpora.txt") || { echo "get_corpus.sh: no corpus \`$name\` in corpora.txt" >&2; exit 1; }
read -r _ kind package old new platforms <<<"$line"

fetch_pypi() { # VERSION FOLDER
    local options=() platform
    for platform in ${platforms//,/ }; do options+=(--platform "$platform"); done
    python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: "${options[@]}" --python-version 3.11 --dest "$2" "$package==$1"
}

fetch_npm() { # VERSION FOLDER
    (cd "$2" && npm pack --silent "$package@$1" >/dev/null)
}

unpack() { # VERSION DESTINATION
    local archives
    archives=$(mktemp -d "$folder/.archives.XXXXXX")
    "fetch_$kind" "$1" "$archives"
    mkdir "$2"
    case $kind in
    pypi) unzip -qq "$archives"/*.whl -d "$2" ;;
    npm) tar -xzf "$archives"/*.tgz -C "$2" --strip-components=1 ;;
    esac
    rm -rf "$archives"
    # The packaging's own records are no part of the product.
    find "$2" -maxdepth 1 -name '*.dist-info' -exec rm -rf {} +
    chmod -R u+rwX "$2"
}

mkdir -p "$folder"
for side in old new; do
    # Made beside and renamed, so that what is there is whole.
    rm -rf "$folder/.$side"
    unpack "${!side}" "$folder/.$side"
    rm -rf "${folder:?}/$side"
    mv "$folder/.$side" "$folder/$side"
    printf '%s %s: %s files, %s bytes\n' "$name" "$side" "$(find "$folder/$side" -type f | wc -l)" "$(find "$folder/$side" -type f -printf '%s\n' | awk '{ sum += $1 } END { print sum }')"
done
