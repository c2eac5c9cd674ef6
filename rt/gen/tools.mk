# tools.mk: the post-link tools, included by the Makefile.
#
#   $(POSTLINK)        last command of a recipe that links an image into $@: fills
#                      the pointer maps (rt/gen/ptrmap.c), collects the types that
#                      are printed or compared (rt/gen/typeinfo.c) and appends them
#                      with the symbol table (rt/gen/symtab.c).  When a map cannot be
#                      made it names the source line and the type, and removes $@.
#   $(TOOLS)           the programs it needs: prerequisites of such a rule.
#   $(SYMTAB_LDFLAGS)  for hosted links: the symbol table in a last segment of its
#                      own, where it can grow (linker.ld does that for the image).

TOOLS := $(B)/tools/ptrmap $(B)/tools/typeinfo $(B)/tools/symtab
SYMTAB_LDFLAGS := -Wl,--section-start=rt_symtab=0x10000000
POSTLINK = { $(B)/tools/ptrmap $@ && $(B)/tools/typeinfo $@ $@.types && $(B)/tools/symtab -t $@.types $@ && rm $@.types; } || \
	{ rm -f $@ $@.types; exit 1; }

$(B)/tools/%: rt/gen/%.c
	$(SAY) "  HOSTCC $@"; mkdir -p $(@D) && gcc -std=gnu17 -O2 -Wall -Wextra -Werror -MMD -MP -o $@ $< -ldw -lelf
-include $(TOOLS:=.d)
