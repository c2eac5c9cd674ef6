#!/bin/sh
# mkembed.sh: the files of a folder as assembly, for rt/embed.c.
#
#   mkembed.sh FOLDER        writes to standard output
#
# Every file below FOLDER, by its path from there, in order of names.  A name with
# a quote, a backslash or a control character, and anything that is neither file nor
# folder, is refused.
cd "$1" || exit 2
LC_ALL=C
export LC_ALL
odd=$(find . ! -type f ! -type d | head -n 1)
[ -z "$odd" ] || { echo "$1/${odd#./}: embed: neither a file nor a folder" >&2; exit 1; }
odd=$(find . -name '*["\\[:cntrl:]]*' | head -n 1)
[ -z "$odd" ] || { echo "$1: embed: a file has a quote, a backslash or a control character in its name" >&2; exit 1; }
printf '\t.section .rodata.rt_embed, "a", @progbits\n'
printf '\t.globl rt_embed_files, rt_embed_end\n\t.balign 8\nrt_embed_files:\n'
find . -type f | sort | awk '{ printf "\t.quad 1%04df, 2%04df, 3%04df - 2%04df\n", NR, NR, NR, NR }'
printf 'rt_embed_end:\n'
find . -type f | sort | awk -v top="$PWD" '{
	name = substr($0, 3)
	printf "1%04d:\t.asciz \"%s\"\n\t.balign 16\n2%04d:\t.incbin \"%s/%s\"\n3%04d:\t.byte 0\n", NR, name, NR, top, name, NR
}'
printf '\t.section .note.GNU-stack, "", @progbits\n'
