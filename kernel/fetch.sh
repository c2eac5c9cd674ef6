#!/bin/sh
# Brings a Debian package to DIR/PACKAGE, once, without installing it.
#
#   fetch.sh source DIR PACKAGE FILE WHY    its source
#   fetch.sh files DIR PACKAGE FILE WHY     what the binary package has in /usr/share
#
# FILE is one that it has: when it is there nothing is done.  WHY is what the
# package is for.
#
# apt verifies what it downloads with the keys the machine already trusts.
# Nothing outside DIR changes: the deb-src entries are derived from the
# machine's own package sources (one-line and deb822 form) into a private
# list, and apt keeps its state in DIR.  Works as root and as any user.
set -eu
what=$1 dir=$2 package=$3 file=$4 why=$5
mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
[ ! -e "$dir/$package/$file" ] || exit 0
echo "fetch: $package, Debian's $what ($why)"

apt=$dir/apt-$package
unpack=$dir/unpack-$package
rm -rf "$apt" "$unpack"
mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$apt/parts" "$unpack"

type=deb
[ "$what" != source ] || type=deb-src
# One-line form: "deb ..." becomes "deb-src ...".
for f in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
	[ -r "$f" ] || continue
	sed -n "s/^[[:space:]]*deb[[:space:]]/$type /p" "$f" >"$apt/parts/$(basename "$f" .list)-ingot.list"
done
# deb822 form: each stanza's Types becomes deb-src.
for f in /etc/apt/sources.list.d/*.sources; do
	[ -r "$f" ] || continue
	sed "s/^[Tt]ypes:.*/Types: $type/" "$f" >"$apt/parts/$(basename "$f" .sources)-ingot.sources"
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
# whether the package arrives.
apt_get update >"$apt/log" 2>&1 || true
if [ "$what" = source ]; then
	get() { apt_get source "$package" && mv "$package"-*/ got; }
else
	get() { apt_get download "$package" && dpkg-deb -x "$package"_*.deb all && mv all/usr/share got; }
fi
if ! (cd "$unpack" && get) >>"$apt/log" 2>&1; then
	cat "$apt/log" >&2
	echo "fetch: no $what of $package; needed for $why (network down, or no Debian archive in /etc/apt?)" >&2
	exit 1
fi
rm -rf "${dir:?}/$package"
mv "$unpack/got" "$dir/$package"
rm -rf "$apt" "$unpack"
