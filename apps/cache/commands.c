/* commands.c: what each command does, with Redis' answers and errors. */
#include <stdlib.h>
#include "cache.h"

typedef struct command {
	const char *name;
	int words; /* with the name; negative: at least so many */
	void (*run)(client *c, slice(string) a);
} command;
typedef const command *command_ptr;

static map(string, command_ptr) table;
static int64 began;

static bool is(string s, const char *word)
{
	return strings_equal_fold(s, cstring(word));
}

static bool parse_number(client *c, string s, int64 *n)
{
	if (!strconv_parse_int(s, 10, 64, n))
		return true;
	reply_error(c, "ERR value is not an integer or out of range");
	return false;
}

static void ok(client *c)
{
	reply_ok(c);
}

/* ---- keys and values ---------------------------------------------------------- */

static void out_of_memory(client *c)
{
	reply_error(c, "OOM command not allowed when used memory > 'maxmemory'.");
}

static void cmd_get(client *c, slice(string) a)
{
	shard *s = shard_of(at(a, 1));

	mutex_lock(&s->lock);
	entry *e = store_find(s, at(a, 1));
	string value = e ? e->value : (string){};
	mutex_unlock(&s->lock);
	if (e)
		reply_bulk(c, value);
	else
		reply_nil(c);
}

/* A time that a command gives: when that is, of now_ms(), or -1 and an error. */
static int64 parse_time(client *c, string s, int64 unit, bool absolute, string name)
{
	int64 n;

	if (!parse_number(c, s, &n))
		return -1;
	if (n <= 0 || n > INT64_MAX / 2 / unit) {
		reply_error(c, "ERR invalid expire time in '%s' command", strings_to_lower(name));
		return -1;
	}
	n = n * unit + now_ms() - (absolute ? unix_nano() / Millisecond : 0);
	return n > 0 ? n : 1; /* long past */
}

static void cmd_set(client *c, slice(string) a)
{
	bool nx = false, xx = false, get = false, keep = false;
	int64 expires = 0;

	for (size_t i = 3; i < len(a); i++) {
		string w = at(a, i);
		bool seconds = is(w, "EX") || is(w, "EXAT"), absolute = is(w, "EXAT") || is(w, "PXAT");

		if (is(w, "NX") && !xx) {
			nx = true;
		} else if (is(w, "XX") && !nx) {
			xx = true;
		} else if (is(w, "GET")) {
			get = true;
		} else if (is(w, "KEEPTTL") && !expires) {
			keep = true;
		} else if ((seconds || absolute || is(w, "PX")) && i + 1 < len(a) && !expires && !keep) {
			expires = parse_time(c, at(a, ++i), seconds ? 1000 : 1, absolute, at(a, 0));
			if (expires < 0)
				return;
		} else {
			reply_error(c, "ERR syntax error");
			return;
		}
	}
	shard *s = shard_of(at(a, 1));

	mutex_lock(&s->lock);
	entry *e = nx || xx || get || keep ? store_find(s, at(a, 1)) : NULL;
	string old = e ? e->value : (string){};
	bool may = e ? !nx : !xx;
	bool fits = !may || store_set(s, at(a, 1), at(a, 2), keep && e ? e->expires : expires);
	mutex_unlock(&s->lock);
	store_evict();
	if (!fits)
		out_of_memory(c);
	else if (get && e)
		reply_bulk(c, old);
	else if (get || !may)
		reply_nil(c);
	else
		ok(c);
}

static void cmd_mget(client *c, slice(string) a)
{
	slice(string) keys = slice_from(a, 1), values = make_slice(string, len(keys));
	uint64 set = shards_lock(keys, 1);

	for_slice(i, key, keys) {
		entry *e = store_find(shard_of(*key), *key);

		if (e)
			at(values, i) = len(e->value) ? e->value : S("");
	}
	shards_unlock(set);
	reply_array(c, len(values));
	for_slice(i, v, values)
		if (v->ptr)
			reply_bulk(c, *v);
		else
			reply_nil(c);
}

static void cmd_mset(client *c, slice(string) a)
{
	slice(string) pairs = slice_from(a, 1);

	if (len(pairs) % 2) {
		reply_error(c, "ERR wrong number of arguments for 'mset' command");
		return;
	}
	uint64 set = shards_lock(pairs, 2);
	bool fits = true;

	for (size_t i = 0; i < len(pairs); i += 2)
		fits &= store_fits(at(pairs, i), at(pairs, i + 1));
	for (size_t i = 0; i < len(pairs) && fits; i += 2)
		store_set(shard_of(at(pairs, i)), at(pairs, i), at(pairs, i + 1), 0);
	shards_unlock(set);
	store_evict();
	if (fits)
		ok(c);
	else
		out_of_memory(c);
}

static void cmd_del(client *c, slice(string) a)
{
	slice(string) keys = slice_from(a, 1);
	uint64 set = shards_lock(keys, 1);
	int64 n = 0;

	for_slice(i, key, keys)
		n += store_delete(shard_of(*key), *key);
	shards_unlock(set);
	reply_int(c, n);
}

static void cmd_exists(client *c, slice(string) a)
{
	slice(string) keys = slice_from(a, 1);
	uint64 set = shards_lock(keys, 1);
	int64 n = 0;

	for_slice(i, key, keys)
		n += store_find(shard_of(*key), *key) != NULL;
	shards_unlock(set);
	reply_int(c, n);
}

static void add(client *c, string key, int64 by)
{
	shard *s = shard_of(key);
	int64 n = 0;
	bool number = true, fits = true;

	mutex_lock(&s->lock);
	entry *e = store_find(s, key);
	if (e)
		number = !strconv_parse_int(e->value, 10, 64, &n);
	bool over = number && __builtin_add_overflow(n, by, &n);
	if (number && !over)
		fits = store_set(s, key, strconv_itoa(n), e ? e->expires : 0);
	mutex_unlock(&s->lock);
	store_evict();
	if (!number)
		reply_error(c, "ERR value is not an integer or out of range");
	else if (over)
		reply_error(c, "ERR increment or decrement would overflow");
	else if (!fits)
		out_of_memory(c);
	else
		reply_int(c, n);
}

static void cmd_incr(client *c, slice(string) a)
{
	add(c, at(a, 1), 1);
}

static void cmd_decr(client *c, slice(string) a)
{
	add(c, at(a, 1), -1);
}

static void cmd_incrby(client *c, slice(string) a)
{
	int64 n;

	if (parse_number(c, at(a, 2), &n))
		add(c, at(a, 1), n);
}

static void cmd_decrby(client *c, slice(string) a)
{
	int64 n;

	if (!parse_number(c, at(a, 2), &n))
		return;
	if (n == INT64_MIN)
		reply_error(c, "ERR decrement would overflow");
	else
		add(c, at(a, 1), -n);
}

static void cmd_append(client *c, slice(string) a)
{
	shard *s = shard_of(at(a, 1));

	mutex_lock(&s->lock);
	entry *e = store_find(s, at(a, 1));
	string value = e ? concat(e->value, at(a, 2)) : at(a, 2);
	bool fits = store_set(s, at(a, 1), value, e ? e->expires : 0);
	mutex_unlock(&s->lock);
	store_evict();
	if (fits)
		reply_int(c, (int64)len(value));
	else
		out_of_memory(c);
}

static void cmd_strlen(client *c, slice(string) a)
{
	shard *s = shard_of(at(a, 1));

	mutex_lock(&s->lock);
	entry *e = store_find(s, at(a, 1));
	size_t n = e ? len(e->value) : 0;
	mutex_unlock(&s->lock);
	reply_int(c, (int64)n);
}

static void cmd_type(client *c, slice(string) a)
{
	shard *s = shard_of(at(a, 1));

	mutex_lock(&s->lock);
	bool there = store_find(s, at(a, 1));
	mutex_unlock(&s->lock);
	reply_status(c, there ? S("string") : S("none"));
}

/* expires: when, 0: never, -1: at once. */
static void expire(client *c, string key, int64 expires)
{
	shard *s = shard_of(key);

	mutex_lock(&s->lock);
	entry *e = store_find(s, key);
	bool changes = e && (expires || e->expires);
	if (changes && expires < 0)
		store_delete(s, key);
	else if (changes)
		store_expire(s, e, expires);
	mutex_unlock(&s->lock);
	reply_int(c, changes);
}

static void expire_in(client *c, slice(string) a, int64 unit)
{
	int64 n;

	if (!parse_number(c, at(a, 2), &n))
		return;
	if (n > INT64_MAX / 2 / unit)
		reply_error(c, "ERR invalid expire time in '%s' command", strings_to_lower(at(a, 0)));
	else
		expire(c, at(a, 1), n <= 0 ? -1 : now_ms() + n * unit);
}

static void cmd_expire(client *c, slice(string) a)
{
	expire_in(c, a, 1000);
}

static void cmd_pexpire(client *c, slice(string) a)
{
	expire_in(c, a, 1);
}

static void cmd_persist(client *c, slice(string) a)
{
	expire(c, at(a, 1), 0);
}

static void ttl(client *c, string key, int64 unit)
{
	shard *s = shard_of(key);

	mutex_lock(&s->lock);
	entry *e = store_find(s, key);
	int64 t = !e ? -2 : !e->expires ? -1 : (e->expires - now_ms() + unit / 2) / unit;
	mutex_unlock(&s->lock);
	reply_int(c, t);
}

static void cmd_ttl(client *c, slice(string) a)
{
	ttl(c, at(a, 1), 1000);
}

static void cmd_pttl(client *c, slice(string) a)
{
	ttl(c, at(a, 1), 1);
}

static void reply_strings(client *c, slice(string) v)
{
	reply_array(c, len(v));
	for_slice(i, s, v)
		reply_bulk(c, *s);
}

static slice(string) matching(slice(string) keys, string pattern)
{
	slice(string) v = slice_to(keys, 0);

	for_slice(i, key, keys)
		if (glob(pattern, *key))
			v = append(v, *key);
	return v;
}

static void cmd_scan(client *c, slice(string) a)
{
	uint64 cursor;
	int64 count = 10;
	string pattern = S("*");

	if (strconv_parse_uint(at(a, 1), 10, 64, &cursor)) {
		reply_error(c, "ERR invalid cursor");
		return;
	}
	for (size_t i = 2; i < len(a); i += 2) {
		if (i + 1 < len(a) && is(at(a, i), "MATCH")) {
			pattern = at(a, i + 1);
		} else if (i + 1 < len(a) && is(at(a, i), "COUNT")) {
			if (!parse_number(c, at(a, i + 1), &count))
				return;
			if (count < 1) {
				reply_error(c, "ERR syntax error");
				return;
			}
		} else {
			reply_error(c, "ERR syntax error");
			return;
		}
	}
	slice(string) keys = store_scan(&cursor, count);

	reply_array(c, 2);
	reply_bulk(c, strconv_format_uint(cursor, 10));
	reply_strings(c, matching(keys, pattern));
}

static void cmd_keys(client *c, slice(string) a)
{
	uint64 cursor = 0;

	reply_strings(c, matching(store_scan(&cursor, INT64_MAX), at(a, 1)));
}

static void cmd_flushall(client *c, slice(string) a)
{
	store_clear();
	ok(c);
}

/* ---- channels -------------------------------------------------------------------- */

static void cmd_subscribe(client *c, slice(string) a)
{
	for (size_t i = 1; i < len(a); i++)
		subscribe(c, at(a, i), is(at(a, 0), "PSUBSCRIBE"));
}

static void cmd_unsubscribe(client *c, slice(string) a)
{
	bool pattern = is(at(a, 0), "PUNSUBSCRIBE");
	slice(string) names = len(a) > 1 ? slice_from(a, 1) : map_keys(string, pattern ? c->patterns : c->channels);

	for_slice(i, name, names)
		unsubscribe(c, *name, pattern);
	if (!len(names))
		unsubscribe(c, (string){}, pattern);
}

static void cmd_publish(client *c, slice(string) a)
{
	reply_int(c, publish(at(a, 1), at(a, 2)));
}

static void cmd_pubsub(client *c, slice(string) a)
{
	if (is(at(a, 1), "CHANNELS") && len(a) <= 3) {
		reply_strings(c, channel_names(len(a) > 2 ? at(a, 2) : S("*")));
	} else if (is(at(a, 1), "NUMSUB")) {
		reply_array(c, 2 * (len(a) - 2));
		for (size_t i = 2; i < len(a); i++) {
			reply_bulk(c, at(a, i));
			reply_int(c, channel_subscribers(at(a, i)));
		}
	} else if (is(at(a, 1), "NUMPAT") && len(a) == 2) {
		reply_int(c, pattern_count());
	} else {
		reply_error(c, "ERR Unknown PUBSUB subcommand or wrong number of arguments for '%s'", at(a, 1));
	}
}

/* ---- the connection and the server ------------------------------------------------- */

static void cmd_ping(client *c, slice(string) a)
{
	string answer = len(a) > 1 ? at(a, 1) : S("");

	if (len(a) > 2) {
		reply_error(c, "ERR wrong number of arguments for 'ping' command");
	} else if (c->queue && subscriptions(c)) {
		reply_array(c, 2);
		reply_bulk(c, S("pong"));
		reply_bulk(c, answer);
	} else if (len(a) > 1) {
		reply_bulk(c, answer);
	} else {
		reply_status(c, S("PONG"));
	}
}

static void cmd_echo(client *c, slice(string) a)
{
	reply_bulk(c, at(a, 1));
}

static void cmd_select(client *c, slice(string) a)
{
	if (string_eq(at(a, 1), S("0")))
		ok(c);
	else
		reply_error(c, "ERR DB index is out of range");
}

static void cmd_quit(client *c, slice(string) a)
{
	c->quit = true;
	ok(c);
}

static void cmd_shutdown(client *c, slice(string) a)
{
	println("cache: ends, as a client asks");
	exit(0);
}

static void cmd_hello(client *c, slice(string) a)
{
	if (len(a) > 1 && !string_eq(at(a, 1), S("2"))) {
		reply_error(c, "NOPROTO unsupported protocol version");
		return;
	}
	reply_array(c, 8);
	reply_bulk(c, S("server"));
	reply_bulk(c, S("ingot"));
	reply_bulk(c, S("proto"));
	reply_int(c, 2);
	reply_bulk(c, S("id"));
	reply_int(c, c->id);
	reply_bulk(c, S("mode"));
	reply_bulk(c, S("standalone"));
}

static void cmd_client(client *c, slice(string) a)
{
	if (is(at(a, 1), "ID") && len(a) == 2) {
		reply_int(c, c->id);
	} else if (is(at(a, 1), "GETNAME") && len(a) == 2) {
		reply_bulk(c, c->name);
	} else if (is(at(a, 1), "SETNAME") && len(a) == 3) {
		c->name = string_of(at(a, 2));
		ok(c);
	} else if (is(at(a, 1), "SETINFO") && len(a) == 4) {
		ok(c);
	} else {
		reply_error(c, "ERR Unknown CLIENT subcommand or wrong number of arguments for '%s'", at(a, 1));
	}
}

/* What redis-benchmark and clients ask before they begin. */
static void cmd_config(client *c, slice(string) a)
{
	int64 n;

	if (is(at(a, 1), "GET") && len(a) == 3) {
		bool memory = is(at(a, 2), "maxmemory"), save = is(at(a, 2), "save"), append = is(at(a, 2), "appendonly");

		reply_array(c, memory || save || append ? 2 : 0);
		if (memory || save || append)
			reply_bulk(c, at(a, 2));
		if (memory)
			reply_bulk(c, strconv_itoa(atomic_load(&store.limit)));
		else if (save || append)
			reply_bulk(c, save ? S("") : S("no"));
	} else if (is(at(a, 1), "SET") && len(a) == 4 && is(at(a, 2), "maxmemory")) {
		if (!parse_number(c, at(a, 3), &n))
			return;
		if (n <= 0) {
			reply_error(c, "ERR maxmemory must be a number of bytes above 0");
			return;
		}
		atomic_store(&store.limit, n);
		store_evict();
		ok(c);
	} else {
		reply_error(c, "ERR Unknown CONFIG subcommand, parameter or number of arguments");
	}
}

static void cmd_command(client *c, slice(string) a)
{
	reply_array(c, 0); /* no descriptions: redis-cli completes without them */
}

/* What is not used goes back: garbage, and the stacks of those who wait. */
static void cmd_memory(client *c, slice(string) a)
{
	if (!is(at(a, 1), "PURGE") || len(a) != 2) {
		reply_error(c, "ERR Unknown MEMORY subcommand or wrong number of arguments for '%s'", at(a, 1));
		return;
	}
	gc();
	compact_stacks();
	ok(c);
}

static int64 count_keys(void)
{
	int64 n = 0;

	for (shard *s = store.shards; s < store.shards + NSHARDS; s++) {
		mutex_lock(&s->lock);
		n += (int64)len(s->all);
		mutex_unlock(&s->lock);
	}
	return n;
}

static void cmd_dbsize(client *c, slice(string) a)
{
	reply_int(c, count_keys());
}

static void cmd_info(client *c, slice(string) a)
{
	int64 hits = 0, misses = 0, expired = 0, evicted = 0, expires = 0;
	struct mem_stats m;
	builder b = {};

	for (shard *s = store.shards; s < store.shards + NSHARDS; s++) {
		mutex_lock(&s->lock);
		hits += s->hits;
		misses += s->misses;
		expired += s->expired;
		evicted += s->evicted;
		expires += s->with_expiry;
		mutex_unlock(&s->lock);
	}
	read_mem_stats(&m);
	builder_printf(&b, "# Server\r\nserver_name:ingot cache\r\nredis_mode:standalone\r\nuptime_in_seconds:%ld\r\n",
	               (long)((nanotime() - began) / Second));
	builder_printf(&b, "\r\n# Clients\r\nconnected_clients:%ld\r\n", (long)atomic_load(&connected));
	builder_printf(&b, "\r\n# Memory\r\nused_memory:%ld\r\nmaxmemory:%ld\r\nmaxmemory_policy:allkeys-lru\r\n"
	                   "heap_alloc:%lu\r\nnum_gc:%u\r\ntasks:%d\r\n",
	               (long)atomic_load(&store.bytes), (long)atomic_load(&store.limit), (unsigned long)m.heap_alloc,
	               m.num_gc, num_task());
	builder_printf(&b, "\r\n# Stats\r\ntotal_connections_received:%ld\r\ntotal_commands_processed:%ld\r\n"
	                   "keyspace_hits:%ld\r\nkeyspace_misses:%ld\r\nexpired_keys:%ld\r\nevicted_keys:%ld\r\n"
	                   "pubsub_channels:%zu\r\npubsub_patterns:%ld\r\n",
	               (long)atomic_load(&connections), (long)atomic_load(&executed), (long)hits, (long)misses,
	               (long)expired, (long)evicted, len(channel_names(S("*"))), (long)pattern_count());
	builder_write(&b, S("\r\n# Keyspace\r\n"));
	if (count_keys())
		builder_printf(&b, "db0:keys=%ld,expires=%ld,avg_ttl=0\r\n", (long)count_keys(), (long)expires);
	reply_bulk(c, builder_string(&b));
}

/* ---- the table ------------------------------------------------------------------------ */

static const command commands[] = {
	{ "GET", 2, cmd_get }, { "SET", -3, cmd_set }, { "MGET", -2, cmd_mget }, { "MSET", -3, cmd_mset },
	{ "DEL", -2, cmd_del }, { "UNLINK", -2, cmd_del }, { "EXISTS", -2, cmd_exists }, { "TYPE", 2, cmd_type },
	{ "INCR", 2, cmd_incr }, { "DECR", 2, cmd_decr }, { "INCRBY", 3, cmd_incrby }, { "DECRBY", 3, cmd_decrby },
	{ "APPEND", 3, cmd_append }, { "STRLEN", 2, cmd_strlen },
	{ "EXPIRE", 3, cmd_expire }, { "PEXPIRE", 3, cmd_pexpire }, { "PERSIST", 2, cmd_persist },
	{ "TTL", 2, cmd_ttl }, { "PTTL", 2, cmd_pttl },
	{ "SCAN", -2, cmd_scan }, { "KEYS", 2, cmd_keys }, { "DBSIZE", 1, cmd_dbsize },
	{ "FLUSHALL", -1, cmd_flushall }, { "FLUSHDB", -1, cmd_flushall },
	{ "SUBSCRIBE", -2, cmd_subscribe }, { "PSUBSCRIBE", -2, cmd_subscribe },
	{ "UNSUBSCRIBE", -1, cmd_unsubscribe }, { "PUNSUBSCRIBE", -1, cmd_unsubscribe },
	{ "PUBLISH", 3, cmd_publish }, { "PUBSUB", -2, cmd_pubsub },
	{ "PING", -1, cmd_ping }, { "ECHO", 2, cmd_echo }, { "SELECT", 2, cmd_select }, { "QUIT", -1, cmd_quit },
	{ "HELLO", -1, cmd_hello }, { "CLIENT", -2, cmd_client }, { "CONFIG", -2, cmd_config },
	{ "MEMORY", -2, cmd_memory }, { "COMMAND", -1, cmd_command }, { "INFO", -1, cmd_info }, { "SHUTDOWN", -1, cmd_shutdown },
};

void commands_start(void)
{
	began = nanotime();
	table = make_map(string, command_ptr, 2 * sizeof commands / sizeof commands[0]);
	for (const command *k = commands; k < commands + sizeof commands / sizeof commands[0]; k++)
		map_set(table, cstring(k->name), k);
}

void execute(client *c)
{
	char name[16];
	string word = at(c->args, 0);
	size_t n = len(word) < sizeof name ? len(word) : sizeof name;

	for (size_t i = 0; i < n; i++)
		name[i] = (char)(word.ptr[i] >= 'a' && word.ptr[i] <= 'z' ? word.ptr[i] - 32 : word.ptr[i]);
	const command *k = map_get(table, ((string){ name, n }));

	atomic_add(&executed, 1);
	if (!k || n != len(word)) {
		reply_error(c, "ERR unknown command '%.128s'", word);
	} else if (k->words > 0 ? (int)len(c->args) != k->words : (int)len(c->args) < -k->words) {
		reply_error(c, "ERR wrong number of arguments for '%s' command", strings_to_lower(word));
	} else if (c->queue && subscriptions(c) && k->run != cmd_subscribe && k->run != cmd_unsubscribe &&
	           k->run != cmd_ping && k->run != cmd_quit) {
		reply_error(c, "ERR Can't execute '%s': only (P)SUBSCRIBE / (P)UNSUBSCRIBE / PING / QUIT are allowed in this context",
		            strings_to_lower(word));
	} else {
		k->run(c, c->args);
	}
}
