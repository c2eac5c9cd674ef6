/* cache.h: what the files of the cache share.
 *
 *   resp.c      the protocol: commands in, replies out
 *   store.c     the keys
 *   pubsub.c    channels
 *   commands.c  what each command does
 *   main.c      arguments, connections */
#ifndef CACHE_H
#define CACHE_H

#include "ingot.h"

typedef chan(string) string_chan;

/* A connection.  Its task reads and executes; once it has subscribed, everything
 * for it goes through `queue` to another that writes (pubsub.c). */
typedef struct client {
	conn *conn;
	slice(byte) in;          /* received; [begin, end) is not done with, */
	size_t begin, end, pos;  /* of which pos bytes are parsed */
	int64 left;              /* words of the command that still have to come */
	slice(string) args;      /* those that came: parts of `in` */
	slice(byte) out;         /* replies not yet sent */
	error failed;            /* of sending: nothing more is sent */
	int64 deadline;          /* of sending; its one writer's */
	bool quit;
	int64 id;
	string name;
	string_chan queue;       /* NULL: never subscribed */
	int64 queued;            /* bytes in it; atomic */
	map(string, bool) channels, patterns; /* subscribed to */
} client;
typedef client *client_ptr;

/* ---- resp.c ---- */

/* The next command's words in c->args, good until the next call.  Sends the
 * replies so far before it waits. */
error read_command(client *c) must_check;
void reply_status(client *c, string s);
void reply_ok(client *c);
/* reply_error(c, "ERR ...", ...) */
#define reply_error(c, fmt, ...) reply_error_text(c, sprint(fmt, ##__VA_ARGS__))
void reply_error_text(client *c, string s);
void reply_int(client *c, int64 n);
void reply_bulk(client *c, string s);
void reply_nil(client *c);
void reply_array(client *c, size_t n);
void flush(client *c);
/* Sends bytes to the client itself; an error when it takes none of them for write_timeout. */
error write_out(client *c, const byte *p, size_t n) must_check;
extern int64 write_timeout;

/* ---- store.c ---- */

typedef struct entry {
	string key, value;
	int64 expires;       /* of now_ms(), 0: never */
	uint32 used, index;  /* when, of now_ms(); where in its shard's `all` */
} entry;
typedef entry *entry_ptr;
declare_slice(entry_ptr);

typedef struct shard {
	mutex lock;
	map(string, entry_ptr) map;
	slice(entry_ptr) all;     /* in no order */
	size_t sweep;             /* the expirer is here */
	int64 hits, misses, expired, evicted, with_expiry;
} __attribute__((aligned(64))) shard;

#define NSHARDS 64
extern struct store {
	shard shards[NSHARDS];
	int64 bytes, limit;       /* in use, at most; atomic */
} store;

int64 now_ms(void); /* monotonic */
void store_start(int64 limit);
/* The shard of a key, which the others want locked. */
shard *shard_of(string key);
/* All shards of every step-th word from a[0] on, in order; and back. */
uint64 shards_lock(slice(string) a, size_t step);
void shards_unlock(uint64 set);
/* NULL: absent or expired. */
entry *store_find(shard *s, string key);
bool store_fits(string key, string value); /* at all */
/* Copies both.  False: it can never fit. */
bool store_set(shard *s, string key, string value, int64 expires);
void store_expire(shard *s, entry *e, int64 expires);
bool store_delete(shard *s, string key);
/* Makes room; with no shard locked, after any store_set. */
void store_evict(void);
void store_clear(void);
/* Some keys from cursor on, and the cursor for the next ones, 0 at the end.  A key
 * that is there from the first call to the last is given at least once. */
slice(string) store_scan(uint64 *cursor, int64 count);

/* ---- pubsub.c ---- */

void subscribe(client *c, string name, bool pattern);
void unsubscribe(client *c, string name, bool pattern);
void unsubscribe_all(client *c);
int64 publish(string name, string message);
size_t subscriptions(client *c);
slice(string) channel_names(string pattern);
int64 channel_subscribers(string name);
int64 pattern_count(void);
/* Redis' patterns: * ? [a-z] [^a] \x */
bool glob(string pattern, string s);

/* ---- commands.c ---- */

void commands_start(void);
void execute(client *c);
/* Counted by main.c; atomic. */
extern int64 connections, connected, executed;

#endif
