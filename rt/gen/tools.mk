# tools.mk: the post-link tools, included by the Makefile.
#
#   $(POSTLINK)   in the recipe of a linked image, after the link:
#                     $(CC) ... -o $@ ... && $(POSTLINK)
#                 fills the pointer maps and appends the symbol table to $@;
#                 on failure the image is removed, so that make cannot take it
#                 for done.
#   $(TOOLS)      what such a rule must list as order-only or normal
#                 prerequisite.
#   $(SYMTAB_LDFLAGS)  for hosted links: gives .rt_symtab its own last segment
#                 (linker.ld does that for the image).

TOOLS := $(B)/tools/ptrmap $(B)/tools/symtab

SYMTAB_LDFLAGS := -Wl,--section-start=.rt_symtab=0x10000000

POSTLINK = { $(B)/tools/ptrmap $@ && $(B)/tools/symtab $@; } || { rm -f $@; exit 1; }

$(B)/tools/%: rt/gen/%.c
	@mkdir -p $(@D)
	gcc -std=gnu17 -O2 -Wall -Wextra -Werror -MMD -MP -o $@ $< -ldw -lelf
