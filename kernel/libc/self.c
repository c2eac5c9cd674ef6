/* self.c: what musl's internals expect of a thread, for all tasks at once.
 *
 * Invariant: the block is never written, so tasks may share it.  The locale
 * is C.UTF-8 for good; messages are not translated. */
#include "locale_impl.h"
#include "stdio_impl.h"

struct pthread __libc_self = {
	.self = &__libc_self,
	.locale = (locale_t)&__c_dot_utf8_locale,
};

const char *__lctrans(const char *msg, const struct __locale_map *lm)
{
	(void)lm;
	return msg;
}

const char *__lctrans_cur(const char *msg)
{
	return msg;
}

/* The one stream that musl itself names (getopt's messages).  It passes the
 * address on to fputs and fwrite, which are ours. */
FILE __stderr_FILE = { .lock = -1 };
