/* api_special.h: what happens when an object dies (part of ingot.h).
 *
 * Go: runtime.SetFinalizer, runtime.AddCleanup, package weak, runtime.KeepAlive.
 *
 *	static void close_file(struct file *f) { file_close(f->fd); }
 *	set_finalizer(f, close_file);      // called with f when nobody else holds it
 *	add_cleanup(f, file_close, f->fd); // called when f is gone; several on one object
 *	weak(struct file) w = weak_make(f);
 *	struct file *g = weak_get(w);      // f, or NULL when it is gone
 *
 * When: some time after a collection found the object unreachable; never for
 * certain, and not at the program's end.  Finalizers run one after the other
 * in one task, cleanups in another: one that takes long starts a task of its own;
 * one that blocks holds up those behind it; one that panics ends the image
 * as any panic does, unless it recovers.
 *
 * Order: an object with a finalizer keeps alive what it points to, so of
 * objects that point to each other the outer one comes first, and the next in a
 * later collection; of a cycle none.  A finalizer runs once, with the object alive
 * again, and may set another.  Weak pointers are NULL from before it runs;
 * cleanups wait until the object is found dead again and no finalizer is set.
 *
 * Objects below 16 bytes without pointers share blocks, and die with the block. */
#ifndef INGOT_API_SPECIAL_H
#define INGOT_API_SPECIAL_H

#ifndef INGOT_API_VALUE_H
#error "include ingot.h"
#endif

struct rt_weak;

void rt_set_finalizer(const volatile void *p, void (*f)(void *));

/* set_finalizer(p, f): f, a void (*)(T *) where p is a T *, is to be called with p;
 * NULL: nothing any more.  p is the start of a heap object; for a global nothing
 * ever happens.  Panics when p is NULL, points elsewhere, or has a finalizer.  task.
 * Go: runtime.SetFinalizer(p, f). */
#define set_finalizer(p, f) \
	({ \
		__auto_type rt_sf_p = (p); \
		void (*rt_sf_f)(__typeof__(rt_sf_p)) = (f); \
		rt_set_finalizer(rt_sf_p, (void (*)(void *))rt_sf_f); \
	})

/* keep_alive(p): p's object lives at least until here, whatever the compiler thinks
 * (rt.h has the same).  any.  Go: runtime.KeepAlive(p). */
#define keep_alive(p) __asm__ volatile("" : : "r"(p) : "memory")

/* What add_cleanup returns, to stop it. */
typedef struct cleanup {
	uint64_t id;      /* 0: there is nothing to stop */
	uint64_t not_ptr; /* in disguise: holds nothing */
} cleanup;

/* args: size bytes that begin with the function, which thunk knows to call. */
cleanup rt_add_cleanup(const volatile void *p, void (*thunk)(void *), const void *args, size_t size);

/* add_cleanup(p, f, args...): f(args...) is to be called when the object that p points
 * into is gone.  The arguments, up to 16, are checked against f, evaluated now, and
 * kept alive: none may lead to the object.  For a global nothing ever happens.
 * Panics when p is NULL or not in the heap, f is NULL, an argument points into the
 * object.  task.  Go: runtime.AddCleanup(p, f, arg). */
#define add_cleanup(p, f, ...) \
	({ \
		const volatile void *rt_ac_p = (p); \
		RT_CALL(, f, ##__VA_ARGS__) \
		rt_add_cleanup(rt_ac_p, rt_call_v.fn ? rt_call_thunk : (void (*)(void *))0, &rt_call_v, \
		               sizeof rt_call_v); \
	})

/* Takes the cleanup back, if it is not yet to be run.  any task.  Go: Cleanup.Stop. */
void cleanup_stop(cleanup c);

/* The type of weak pointers to T, of a pointer's size.  Zero is the weak pointer to
 * NULL.  Two are equal (==) when made of equal pointers, also after the object is gone. */
#define weak(T) __typeof__(__typeof__(T) *(**)(struct rt_weak *))
#define RT_WEAK_PTR(w) __typeof__((*(w))((struct rt_weak *)0))

struct rt_weak *rt_weak_make(const volatile void *p);
void *rt_weak_get(struct rt_weak *w);

/* weak_make(p): a weak pointer to what p points to, anywhere in a heap object, or to
 * a global, which lives for ever.  Panics when p points to a stack.  task.
 * Go: weak.Make(p). */
#define weak_make(p) \
	({ \
		__auto_type rt_wk = (p); \
		(weak(__typeof__(*rt_wk)))rt_weak_make(rt_wk); \
	})

/* weak_get(w): the pointer that w was made of, or NULL when its object was found
 * unreachable.  any task.  Go: w.Value(). */
#define weak_get(w) \
	({ \
		__auto_type rt_wk = (w); \
		(RT_WEAK_PTR(rt_wk))rt_weak_get((struct rt_weak *)rt_wk); \
	})

#endif
