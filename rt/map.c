/* map.c: maps as Swiss tables (Go 1.24: internal/runtime/maps).
 *
 * A table is 2^n groups.  A group is a word of 8 control bytes and 8 slots
 * {key, value}.  A control byte is 0x80 empty, 0xFE deleted, or the low 7
 * bits of the key's hash (H2) of a full slot; the other bits (H1) choose the
 * group where probing begins; it goes on by triangular steps, which visit
 * every group, and ends at the first group with an empty slot.  The 8 control
 * bytes are matched at once with word arithmetic; it may report a byte just
 * above a real match wrongly, which comparing the key forgives.
 *
 * At most 7/8 of the slots are ever used up (full or deleted), so each probe
 * ends.  A single group is searched without probing and may fill entirely.
 *
 * Unlike Go's, one table holds the whole map instead of a directory of tables
 * of 1,024 slots: a lookup has one dependent load less; the price is that
 * growth moves everything at once.  A grown table is a new object, the old
 * one is left unchanged: an iterator that began in it walks on there and asks
 * the new table for each key, so it sees each entry once, no deleted ones and
 * current values.
 *
 * `writing` is toggled around each change: whoever finds it wrong met another
 * task in the same map.  It is a plain field on purpose: it detects, it does
 * not synchronise. */
#include "rt.h"
#include "api_value.h"
#include "mapkey.h"

#define GROUP_SLOTS 8
#define CTRL_EMPTY 0x80u
#define CTRL_DELETED 0xFEu
#define CTRL_ALL_EMPTY 0x8080808080808080ull
#define LSB 0x0101010101010101ull
#define MSB 0x8080808080808080ull
#define MAX_ENTRIES ((uint64_t)1 << 40)

struct rt_map {
	uint64_t used;        /* entries */
	char *groups;         /* NULL before the first entry */
	uint64_t mask;        /* groups - 1 */
	uint64_t seed;
	struct rt_map_type t; /* copied: one load less in each lookup */
	uint32_t writing;     /* 1 while a task changes the map */
	uint64_t growth_left; /* empty slots that may still be taken */
	uint64_t clears;
	const struct rt_type *group_type;
	rt_map_hash_fn *hash;   /* of keys of kind RT_KEY_FUNC */
	rt_equal_fn *equal;
};

static inline uint64_t match_h2(uint64_t ctrl, uint64_t h2)
{
	uint64_t x = ctrl ^ (LSB * h2);

	return (x - LSB) & ~x & MSB;
}

static inline uint64_t match_empty(uint64_t ctrl)
{
	return ctrl & ~(ctrl << 6) & MSB;
}

static inline unsigned first(uint64_t match)
{
	return (unsigned)__builtin_ctzll(match) >> 3;
}

static inline char *group_at(const struct rt_map *m, uint64_t i)
{
	return m->groups + i * m->t.group_size;
}

static inline uint64_t *ctrl_of(char *group)
{
	return (uint64_t *)group;
}

static inline char *slot_at(const struct rt_map *m, char *group, unsigned i)
{
	return group + m->t.slots_off + i * m->t.slot_size;
}

static inline void set_ctrl(char *group, unsigned i, uint8_t c)
{
	((uint8_t *)group)[i] = c;
}

/* ---- keys: what, how wide ------------------------------------------------ */

/* The shapes of key that have code of their own; the rest is SHAPE_ANY. */
enum shape { SHAPE_4, SHAPE_8, SHAPE_STRING, SHAPE_ANY };

/* A program's hash need not be good in all its bits. */
static uint64_t hash_any(const struct rt_map *m, const void *k)
{
	if (m->t.kind == RT_KEY_FUNC)
		return hash_word(m->hash(k, m->seed), m->seed);
	return key_hash(&m->t, k, m->seed);
}

static bool equal_any(const struct rt_map *m, const void *a, const void *b)
{
	return m->t.kind == RT_KEY_FUNC ? m->equal(a, b) : key_equal(&m->t, a, b);
}

static inline __attribute__((always_inline)) uint64_t
hash_key(const struct rt_map *m, const void *k, enum shape shape)
{
	switch (shape) {
	case SHAPE_4:
		return hash_word(*(const uint32_t *)k, m->seed);
	case SHAPE_8:
		return hash_word(*(const uint64_t *)k, m->seed);
	case SHAPE_STRING:
		return hash_bytes(((const string *)k)->ptr, ((const string *)k)->len, m->seed);
	case SHAPE_ANY:
		break;
	}
	return hash_any(m, k);
}

static inline __attribute__((always_inline)) bool
equal_key(const struct rt_map *m, const void *a, const void *b, enum shape shape)
{
	switch (shape) {
	case SHAPE_4:
		return *(const uint32_t *)a == *(const uint32_t *)b;
	case SHAPE_8:
		return *(const uint64_t *)a == *(const uint64_t *)b;
	case SHAPE_STRING:
		return string_eq(*(const string *)a, *(const string *)b);
	case SHAPE_ANY:
		break;
	}
	return equal_any(m, a, b);
}

/* ---- lookup ------------------------------------------------------------------ */

/* The slot of k, or NULL.  *where: its group, and index i in it, if wanted. */
static inline __attribute__((always_inline)) char *
find_slot(const struct rt_map *m, const void *k, uint64_t hash, enum shape shape, char **where,
          unsigned *index)
{
	uint64_t at = hash >> 7 & m->mask, step = 0;

	for (;;) {
		char *group = group_at(m, at);
		uint64_t ctrl = *ctrl_of(group);
		uint64_t match = match_h2(ctrl, hash & 0x7f);

		for (; match; match &= match - 1) {
			unsigned i = first(match);
			char *slot = slot_at(m, group, i);

			if (likely(equal_key(m, k, slot, shape))) {
				if (where) {
					*where = group;
					*index = i;
				}
				return slot;
			}
		}
		if (match_empty(ctrl) || m->mask == 0)
			return NULL;
		at = (at + ++step) & m->mask;
	}
}

/* The rest of a lookup whose first candidate was not it, by shape of key, which
 * comes by value: so its caller has no frame. */
static NOINLINE void *find_on_any(struct rt_map *m, const void *k, uint64_t hash)
{
	char *slot = find_slot(m, k, hash, SHAPE_ANY, NULL, NULL);

	return slot ? slot + m->t.val_off : NULL;
}

static NOINLINE void *find_on4(struct rt_map *m, uint32_t k, uint64_t hash)
{
	char *slot = find_slot(m, &k, hash, SHAPE_4, NULL, NULL);

	return slot ? slot + m->t.val_off : NULL;
}

static NOINLINE void *find_on8(struct rt_map *m, uint64_t k, uint64_t hash)
{
	char *slot = find_slot(m, &k, hash, SHAPE_8, NULL, NULL);

	return slot ? slot + m->t.val_off : NULL;
}

static NOINLINE void *find_on_string(struct rt_map *m, const char *k, size_t n, uint64_t hash)
{
	string s = { k, n };
	char *slot = find_slot(m, &s, hash, SHAPE_STRING, NULL, NULL);

	return slot ? slot + m->t.val_off : NULL;
}

static NOINLINE __attribute__((cold)) void *read_while_written(void)
{
	throw("concurrent map read and map write");
}

/* In a large table the control word and the slot are two cache misses: both at once. */
static inline __attribute__((always_inline)) void fetch_slots(const char *group, enum shape shape)
{
	__builtin_prefetch(group + 64);
	if (shape == SHAPE_STRING)
		__builtin_prefetch(group + 128);
}

/* The value of k or NULL.  The first candidate of the first group is tried
 * here, in few registers: it is nearly always the one. */
static inline __attribute__((always_inline)) void *
find(struct rt_map *m, const void *k, enum shape shape)
{
	uint64_t hash, ctrl, match;
	char *group, *slot;

	if (unlikely(!m || !m->used))
		return NULL;
	if (unlikely(at_load(&m->writing)))
		return read_while_written();
	hash = hash_key(m, k, shape);
	group = group_at(m, hash >> 7 & m->mask);
	ctrl = *ctrl_of(group);
	fetch_slots(group, shape);
	match = match_h2(ctrl, hash & 0x7f);
	if (unlikely(!match)) {
		if (match_empty(ctrl))
			return NULL;
	} else {
		slot = slot_at(m, group, first(match));
		if (likely(equal_key(m, k, slot, shape)))
			return slot + m->t.val_off;
	}
	switch (shape) {
	case SHAPE_4:
		return find_on4(m, *(const uint32_t *)k, hash);
	case SHAPE_8:
		return find_on8(m, *(const uint64_t *)k, hash);
	case SHAPE_STRING:
		return find_on_string(m, ((const string *)k)->ptr, ((const string *)k)->len, hash);
	case SHAPE_ANY:
		break;
	}
	return find_on_any(m, k, hash);
}

void *rt_map_find8(struct rt_map *m, uint64_t k)
{
	return find(m, &k, SHAPE_8);
}

void *rt_map_find4(struct rt_map *m, uint32_t k)
{
	return find(m, &k, SHAPE_4);
}

static NOINLINE void *find_string(struct rt_map *m, const char *k, size_t n)
{
	string s = { k, n };

	return find(m, &s, SHAPE_STRING);
}

/* Of 8 to 16 bytes, as most keys are, hash and comparison are two words: here,
 * with nothing called. */
void *rt_map_find_string(struct rt_map *m, const char *k, size_t n)
{
	uint64_t hash, ctrl, match, a, b;
	char *group, *slot;
	const string *s;

	if (unlikely(!m || !m->used || at_load(&m->writing) || n - 8 > 8))
		return find_string(m, k, n);
	a = hash_load8(k);
	b = hash_load8(k + n - 8);
	hash = hash_two_words(a, b, n, m->seed);
	group = group_at(m, hash >> 7 & m->mask);
	ctrl = *ctrl_of(group);
	fetch_slots(group, SHAPE_STRING);
	match = match_h2(ctrl, hash & 0x7f);
	if (likely(match)) {
		slot = slot_at(m, group, first(match));
		s = (const string *)slot;
		if (likely(s->len == n) &&
		    (s->ptr == k || likely(hash_load8(s->ptr) == a && hash_load8(s->ptr + n - 8) == b)))
			return slot + m->t.val_off;
	} else if (match_empty(ctrl)) {
		return NULL;
	}
	return find_on_string(m, k, n, hash);
}

void *rt_map_find(struct rt_map *m, const void *k)
{
	return find(m, k, SHAPE_ANY);
}

/* ---- growth -------------------------------------------------------------------- */

/* Slots of `groups` groups that may be used up. */
static uint64_t max_used(uint64_t groups)
{
	return groups == 1 ? GROUP_SLOTS : groups * 7;
}

/* Memory for groups, not cleared where it need not be: what is in a slot that is not
 * full is never looked at, but by the collector in slots that may hold pointers. */
static char *groups_memory(const struct rt_map *m, size_t bytes)
{
	return m->group_type ? rt_malloc_over(bytes, bytes, m->group_type) : rt_malloc(bytes, NULL);
}

/* A table of empty groups. */
static char *new_groups(const struct rt_map *m, uint64_t groups)
{
	size_t bytes;
	char *p;

	if (__builtin_mul_overflow(groups, (size_t)m->t.group_size, &bytes))
		rt_panic("runtime error: map too large");
	p = groups_memory(m, bytes);
	for (uint64_t i = 0; i < groups; i++)
		*ctrl_of(p + i * m->t.group_size) = CTRL_ALL_EMPTY;
	return p;
}

static void use_groups(struct rt_map *m, char *p, uint64_t groups)
{
	m->groups = p;
	m->mask = groups - 1;
	m->growth_left = max_used(groups) - m->used;
}

/* The first empty slot for this hash in a table without deleted slots. */
static inline char *find_empty(struct rt_map *m, uint64_t hash, unsigned *index)
{
	uint64_t at = hash >> 7 & m->mask, step = 0;

	for (;;) {
		char *group = group_at(m, at);
		uint64_t match = match_empty(*ctrl_of(group));

		if (match) {
			*index = first(match);
			return group;
		}
		at = (at + ++step) & m->mask;
	}
}

/* Moves everything to a new table: twice as large, or the same if deleted
 * slots are what filled this one.  Pointer bytes move through the mutator
 * view (C5). */
static NOINLINE void grow(struct rt_map *m, enum shape shape)
{
	uint64_t old_groups = m->groups ? m->mask + 1 : 0;
	uint64_t groups = old_groups ? old_groups : 1;
	char *old = m->groups, *fresh;

	if (old_groups && m->used * 32 > old_groups * GROUP_SLOTS * 25)
		groups = old_groups * 2;
	fresh = new_groups(m, groups);
	use_groups(m, fresh, groups);
	for (uint64_t g = 0; g < old_groups; g++) {
		char *group = old + g * m->t.group_size;
		uint64_t full = ~*ctrl_of(group) & MSB;

		for (; full; full &= full - 1) {
			char *slot = slot_at(m, group, first(full));
			uint64_t hash = hash_key(m, slot, shape);
			unsigned i;
			char *to = find_empty(m, hash, &i);

			set_ctrl(to, i, hash & 0x7f);
			if (shape == SHAPE_8 && m->t.slot_size == 16)
				memcpy(slot_at(m, to, i), slot, 16);
			else
				memcpy(slot_at(m, to, i), slot, m->t.slot_size);
		}
	}
}

/* ---- change --------------------------------------------------------------------- */

static inline void begin_write(struct rt_map *m)
{
	if (unlikely(at_load(&m->writing)))
		throw("concurrent map writes");
	at_store(&m->writing, 1);
}

static inline void end_write(struct rt_map *m)
{
	if (unlikely(!at_load(&m->writing)))
		throw("concurrent map writes");
	at_store(&m->writing, 0);
}

/* Takes slot i of group for k, whose value there is zero. */
static inline __attribute__((always_inline)) char *
take(struct rt_map *m, char *group, unsigned i, const void *k, uint64_t hash, enum shape shape)
{
	char *slot = slot_at(m, group, i);

	switch (shape) {
	case SHAPE_4:
		*(uint32_t *)slot = *(const uint32_t *)k;
		break;
	case SHAPE_8:
		*(uint64_t *)slot = *(const uint64_t *)k;
		break;
	case SHAPE_STRING:
		*(string *)slot = *(const string *)k;
		break;
	case SHAPE_ANY:
		memcpy(slot, k, m->t.key_size);
		break;
	}
	set_ctrl(group, i, hash & 0x7f);
	m->used++;
	return slot;
}

static inline __attribute__((always_inline)) char *
insert(struct rt_map *m, const void *k, uint64_t hash, enum shape shape)
{
	for (;;) {
		uint64_t at = hash >> 7 & m->mask, step = 0;
		char *free_group = NULL;
		unsigned free_index = 0;

		if (unlikely(!m->groups)) {
			grow(m, shape);
			continue;
		}
		for (;;) {
			char *group = group_at(m, at);
			uint64_t ctrl = *ctrl_of(group), match = match_h2(ctrl, hash & 0x7f), open;

			for (; match; match &= match - 1) {
				char *slot = slot_at(m, group, first(match));

				if (likely(equal_key(m, k, slot, shape)))
					return slot;
			}
			open = ctrl & MSB;
			if (open && !free_group) {
				free_group = group;
				free_index = first(open);
			}
			if (match_empty(ctrl) || m->mask == 0)
				break;
			at = (at + ++step) & m->mask;
		}
		if (free_group) {
			bool deleted = ((uint8_t *)free_group)[free_index] == CTRL_DELETED;

			if (deleted || likely(m->growth_left)) {
				m->growth_left -= !deleted;
				return take(m, free_group, free_index, k, hash, shape);
			}
		}
		grow(m, shape);
	}
}

static inline __attribute__((always_inline)) void *
assign(struct rt_map *m, const void *k, enum shape shape)
{
	uint64_t hash;
	char *slot;

	if (unlikely(!m))
		rt_panic("assignment to entry in nil map");
	hash = hash_key(m, k, shape);
	begin_write(m);
	slot = insert(m, k, hash, shape);
	end_write(m);
	return slot + m->t.val_off;
}

void *rt_map_assign8(struct rt_map *m, uint64_t k)
{
	return assign(m, &k, SHAPE_8);
}

void *rt_map_assign4(struct rt_map *m, uint32_t k)
{
	return assign(m, &k, SHAPE_4);
}

void *rt_map_assign_string(struct rt_map *m, const char *k, size_t n)
{
	string s = { k, n };

	return assign(m, &s, SHAPE_STRING);
}

void *rt_map_assign(struct rt_map *m, const void *k)
{
	return assign(m, k, SHAPE_ANY);
}

/* Empties k's slot: again usable at once where its group ends probes anyway,
 * else marked deleted.  Key and value are cleared, for the collector. */
void rt_map_delete(struct rt_map *m, const void *k)
{
	char *slot, *group;
	unsigned i;
	uint64_t hash;

	if (!m || !m->used)
		return;
	hash = hash_any(m, k);
	begin_write(m);
	if (m->t.kind == RT_KEY_BYTES && m->t.key_size == 8)
		slot = find_slot(m, k, hash, SHAPE_8, &group, &i);
	else
		slot = find_slot(m, k, hash, SHAPE_ANY, &group, &i);
	if (slot) {
		memset(slot, 0, m->t.slot_size);
		m->used--;
		if (m->mask == 0 || match_empty(*ctrl_of(group))) {
			set_ctrl(group, i, CTRL_EMPTY);
			m->growth_left++;
		} else {
			set_ctrl(group, i, CTRL_DELETED);
		}
	}
	end_write(m);
}

void rt_map_clear(struct rt_map *m)
{
	if (!m || !m->groups)
		return;
	begin_write(m);
	for (uint64_t g = 0; g <= m->mask; g++) {
		char *group = group_at(m, g);

		*ctrl_of(group) = CTRL_ALL_EMPTY;
		memset(group + m->t.slots_off, 0, (size_t)GROUP_SLOTS * m->t.slot_size);
	}
	m->used = 0;
	m->growth_left = max_used(m->mask + 1);
	m->clears++;
	end_write(m);
}

/* ---- making ------------------------------------------------------------------------ */

/* 64 unpredictable bits: the platform's entropy once, then mixed with a
 * pseudo-random step for each map. */
static uint64_t new_seed(void)
{
	static uint64_t secret; /* 0 until set; two tasks may race to set it, either wins */
	uint64_t s = at_load(&secret);

	if (unlikely(!s)) {
		plat_entropy(&s, sizeof s);
		s |= 1;
		at_store(&secret, s);
	}
	return hash_mix(s ^ rt_fastrand(), HASH_K2 ^ ((uint64_t)rt_fastrand() << 32));
}

/* group describes a group for the collector.  A hint of up to 8 allocates
 * nothing yet.  task. */
struct rt_map *rt_makemap(const struct rt_map_type *t, const struct rt_type *group, int64_t hint)
{
	struct rt_map *m = rt_malloc(sizeof *m, RT_TYPE(struct rt_map));
	uint64_t groups = 1;

	m->t = *t;
	m->seed = new_seed();
	m->group_type = group;
	if (hint <= GROUP_SLOTS)
		return m;
	if ((uint64_t)hint > MAX_ENTRIES)
		rt_panic("runtime error: makemap: size out of range");
	while (max_used(groups) < (uint64_t)hint)
		groups *= 2;
	use_groups(m, new_groups(m, groups), groups);
	return m;
}

struct rt_map *rt_makemap_func(const struct rt_map_type *t, const struct rt_type *group, int64_t hint,
                               rt_map_hash_fn *hash, rt_equal_fn *equal)
{
	struct rt_map *m = rt_makemap(t, group, hint);

	m->t.kind = RT_KEY_FUNC;
	m->hash = hash;
	m->equal = equal;
	return m;
}

size_t rt_map_len(const struct rt_map *m)
{
	return m ? m->used : 0;
}

/* ---- iteration ------------------------------------------------------------------------ */

struct rt_map_iter rt_map_iter(struct rt_map *m)
{
	struct rt_map_iter it = { .m = m };

	if (m && m->groups && m->used) {
		it.groups = m->groups;
		it.mask = m->mask;
		it.clears = m->clears;
		it.start = (uint64_t)rt_fastrand() << 32 | rt_fastrand();
	}
	return it;
}

/* The next full slot of the walk, or NULL.  The walk starts at a random group
 * and, in every group, at the same random slot. */
static inline char *next_slot(struct rt_map_iter *it)
{
	struct rt_map *m = it->m;
	uint64_t total = (it->mask + 1) * GROUP_SLOTS;
	unsigned turn = (unsigned)(it->start & 7);

	while (it->at < total) {
		char *group = it->groups + (((it->start >> 3) + (it->at >> 3)) & it->mask) * m->t.group_size;
		uint64_t full = ~*ctrl_of(group) & MSB;
		/* Bit 8j+7 of `left`: slot (turn + j) mod 8 is full and still to come. */
		uint64_t left = turn ? full >> 8 * turn | full << (64 - 8 * turn) : full;

		left = left >> 8 * (it->at & 7) << 8 * (it->at & 7);
		if (left) {
			unsigned j = first(left);

			it->at = (it->at & ~7ull) + j + 1;
			return group + m->t.slots_off + ((turn + j) & 7) * m->t.slot_size;
		}
		it->at = (it->at | 7) + 1;
	}
	return NULL;
}

/* Goes to the next entry; false at the end or after a break. */
bool rt_map_next(struct rt_map_iter *it)
{
	struct rt_map *m = it->m;
	char *slot, *now;

	if (!it->groups || it->broke)
		return false;
	if (unlikely(at_load(&m->writing)))
		throw("concurrent map iteration and map write");
	while ((slot = next_slot(it))) {
		if (unlikely(m->groups != it->groups)) {
			now = m->used ? find_slot(m, slot, hash_any(m, slot), SHAPE_ANY, NULL, NULL) : NULL;
			/* A NaN cannot be found again, nor deleted but by clear. */
			if (!now && (equal_any(m, slot, slot) || m->clears != it->clears))
				continue;
			if (now)
				slot = now;
		}
		it->key = slot;
		it->val = slot + m->t.val_off;
		it->run = it->broke = true;
		return true;
	}
	return false;
}

/* ---- whole maps ------------------------------------------------------------------------ */

/* The same table again, so with the same seed. */
struct rt_map *rt_map_clone(struct rt_map *m)
{
	struct rt_map *c;

	if (!m)
		return NULL;
	if (unlikely(at_load(&m->writing)))
		throw("concurrent map clone and map write");
	c = rt_malloc(sizeof *c, RT_TYPE(struct rt_map));
	memcpy(c, m, sizeof *c);
	if (m->groups) {
		size_t bytes = (m->mask + 1) * m->t.group_size;

		c->groups = groups_memory(m, bytes);
		memcpy(c->groups, m->groups, bytes);
	}
	return c;
}

void rt_map_copy(struct rt_map *d, struct rt_map *s)
{
	for (struct rt_map_iter it = rt_map_iter(s); rt_map_next(&it); it.broke = false)
		memcpy(rt_map_assign(d, it.key), it.val, s->t.val_size);
}

/* value: what V is, by which values compare; equal, if it is RT_KEY_FUNC. */
bool rt_map_equal(struct rt_map *a, struct rt_map *b, enum rt_key_kind value, rt_equal_fn *equal)
{
	struct rt_map_type t = { .kind = value };

	if (rt_map_len(a) != rt_map_len(b))
		return false;
	t.key_size = a ? a->t.val_size : 0;
	for (struct rt_map_iter it = rt_map_iter(a); rt_map_next(&it); it.broke = false) {
		void *v = rt_map_find(b, it.key);

		if (!v || !(equal ? equal(it.val, v) : key_equal(&t, it.val, v)))
			return false;
	}
	return true;
}

/* Copies up to n keys or values to `to`; returns how many. */
size_t rt_map_export(struct rt_map *m, void *to, size_t n, bool keys)
{
	size_t done = 0;

	for (struct rt_map_iter it = rt_map_iter(m); done < n && rt_map_next(&it); it.broke = false) {
		size_t size = keys ? m->t.key_size : m->t.val_size;

		memcpy((char *)to + done++ * size, keys ? it.key : it.val, size);
	}
	return done;
}
