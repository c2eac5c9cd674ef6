/* link.h: lists of structures that lie elsewhere, which any of them can leave:
 * each has `next`, and `link`, where the pointer to it is (NULL: it is in no
 * list).  A list is a pointer to its first.  The owner's lock is held. */
#ifndef RT_LINK_H
#define RT_LINK_H

/* Puts x at the front. */
#define link_in(list, x) \
	do { \
		__auto_type link_x = (x); \
		__auto_type link_l = (list); \
		link_x->next = *link_l; \
		link_x->link = link_l; \
		if (link_x->next) \
			link_x->next->link = &link_x->next; \
		*link_l = link_x; \
	} while (0)

/* Takes x out, if it is in a list. */
#define link_out(x) \
	do { \
		__auto_type link_x = (x); \
		if (link_x->link) { \
			*link_x->link = link_x->next; \
			if (link_x->next) \
				link_x->next->link = link_x->link; \
			link_x->next = NULL; \
			link_x->link = NULL; \
		} \
	} while (0)

#endif
