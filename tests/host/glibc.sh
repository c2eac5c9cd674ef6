#!/bin/sh
# glibc.sh PROGRAM: fails when the hosted program calls a function of a shared
# library that glibc.list does not know: tasks have stacks of 2 KiB, and what
# glibc does below their limit nobody checks.
list=$(dirname "$0")/glibc.list
unknown=$(nm --undefined-only --dynamic "$1" | sed 's/.* //; s/@.*//' | sort -u |
	awk 'NR == FNR { if ($1 !~ /^#/) for (i = 2; i <= NF; i++) known[$i]; next } !($1 in known)' "$list" -)
[ -z "$unknown" ] && exit 0
echo "$1 uses functions that tests/host/glibc.list does not know; add them there (deep, if in doubt):" $unknown >&2
exit 1
