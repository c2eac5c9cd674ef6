#!/bin/sh
# Brings Debian's source of musl to DIR/musl, once.
#
#   fetch.sh DIR
#
# apt verifies what it downloads with the keys the machine already trusts.
# Nothing outside DIR changes: the deb-src entries are derived from the
# machine's own package sources (one-line and deb822 form) into a private
# list, and apt keeps its state in DIR/apt.  Works as root and as any user.
set -eu
dir=$1
mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
[ ! -e "$dir/musl/COPYRIGHT" ] || exit 0
echo "libc: fetching Debian's source package of musl (the image's C library is built from it)"

apt=$dir/apt
rm -rf "$apt" "$dir/unpack"
mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$apt/parts" "$dir/unpack"

# One-line form: "deb ..." becomes "deb-src ...".
for f in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
	[ -r "$f" ] || continue
	sed -n 's/^[[:space:]]*deb[[:space:]]/deb-src /p' "$f" >"$apt/parts/$(basename "$f" .list)-src.list"
done
# deb822 form: each stanza's Types becomes deb-src.
for f in /etc/apt/sources.list.d/*.sources; do
	[ -r "$f" ] || continue
	sed 's/^[Tt]ypes:.*/Types: deb-src/' "$f" >"$apt/parts/$(basename "$f" .sources)-src.sources"
done

# Recommended packages, updates of other lists and the sandbox user (who may
# not be able to read DIR) play no part here.
apt_get() {
	apt-get -q -q \
		-o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$apt/parts" \
		-o Dir::State::lists="$apt/lists" -o Dir::Cache="$apt/cache" \
		-o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= \
		-o APT::Sandbox::User="$(id -un)" -o APT::Get::List-Cleanup=false \
		-o Acquire::Languages=none -o Acquire::Retries=3 "$@"
}
# A list of somebody else's archive may have no sources; what counts is
# whether musl arrives.
apt_get update >"$apt/log" 2>&1 || true
if ! (cd "$dir/unpack" && apt_get source musl) >>"$apt/log" 2>&1; then
	cat "$apt/log" >&2
	echo "libc: apt-get source musl failed; the image needs it (network down, or no Debian archive in /etc/apt?)" >&2
	exit 1
fi
rm -rf "$dir/musl"
mv "$dir"/unpack/musl-*/ "$dir/musl"
rm -rf "$apt" "$dir/unpack"
