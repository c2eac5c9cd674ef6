/* pthread_arch.h: found before musl's file of this name.
 *
 * musl keeps its per-thread state (here only the current locale) behind the
 * thread pointer.  On this system FS belongs to the core, not to musl: all
 * tasks share one constant block instead (self.c). */
extern struct __pthread __libc_self;

static inline uintptr_t __get_tp(void)
{
	return (uintptr_t)&__libc_self;
}
