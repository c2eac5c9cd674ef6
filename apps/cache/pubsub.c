/* pubsub.c: channels, and patterns of channels.
 *
 * What is published goes into the queue of each subscriber, whose own task
 * writes it.  One that does not read fast enough is disconnected: QUEUE messages
 * or QUEUE_BYTES behind.
 *
 * Publishers hold the lock for reading while they send, so a client that has
 * left every channel, under the lock, gets nothing any more. */
#include "cache.h"

#define QUEUE 1024
#define QUEUE_BYTES ((int64)32 << 20)

typedef map(client_ptr, bool) clients;
static rwmutex lock;
static map(string, clients) topics[2]; /* channels, patterns */

bool glob(string pattern, string s)
{
	size_t p = 0, i = 0, star = 0, mark = 0;
	bool starred = false;

	while (i < len(s)) {
		bool match = false;
		size_t next = p + 1;
		char c = p < len(pattern) ? pattern.ptr[p] : 0;

		if (p >= len(pattern)) {
			next = p;
		} else if (c == '*') {
			starred = true;
			star = ++p;
			mark = i;
			continue;
		} else if (c == '[') {
			bool no = next < len(pattern) && pattern.ptr[next] == '^';

			for (next += no; next < len(pattern) && pattern.ptr[next] != ']'; next++) {
				if (pattern.ptr[next] == '\\' && next + 1 < len(pattern))
					next++;
				char lo = pattern.ptr[next], hi = lo;
				if (next + 2 < len(pattern) && pattern.ptr[next + 1] == '-' && pattern.ptr[next + 2] != ']')
					hi = pattern.ptr[next += 2];
				if (lo > hi) {
					char swap = lo;
					lo = hi;
					hi = swap;
				}
				match |= s.ptr[i] >= lo && s.ptr[i] <= hi;
			}
			next++;
			match ^= no;
		} else {
			if (c == '\\' && next < len(pattern))
				c = pattern.ptr[next++];
			else if (c == '?')
				c = s.ptr[i];
			match = c == s.ptr[i];
		}
		if (match) {
			p = next;
			i++;
		} else if (starred) {
			p = star;
			i = ++mark;
		} else {
			return false;
		}
	}
	while (p < len(pattern) && pattern.ptr[p] == '*')
		p++;
	return p >= len(pattern);
}

/* Writes what is queued, as much at a time as there is. */
static void write_queue(client *c)
{
	builder b = {};
	string s;

	while (recv(c->queue, &s)) {
		builder_write(&b, s);
		while (len(c->queue) && len(b.buf) < 16 << 10)
			builder_write(&b, recv(c->queue));
		atomic_add(&c->queued, -(int64)len(b.buf));
		if (write_out(c, b.buf.ptr, len(b.buf)))
			break;
		builder_reset(&b);
	}
	errors_ignore(conn_close(c->conn)); /* ends its reader, too */
	while (recv(c->queue, NULL))
		;
}

size_t subscriptions(client *c)
{
	return len(c->channels) + len(c->patterns);
}

void subscribe(client *c, string name, bool pattern)
{
	name = string_of(name);
	if (!c->queue) {
		flush(c);
		c->channels = make_map(string, bool);
		c->patterns = make_map(string, bool);
		c->queue = make_chan(string, QUEUE);
		go(write_queue, c);
	}
	map_set(pattern ? c->patterns : c->channels, name, true);
	reply_array(c, 3);
	reply_bulk(c, pattern ? S("psubscribe") : S("subscribe"));
	reply_bulk(c, name);
	reply_int(c, (int64)subscriptions(c));
	flush(c); /* before the first message */
	rwmutex_lock(&lock);
	if (!topics[pattern])
		topics[pattern] = make_map(string, clients);
	if (!map_has(topics[pattern], name))
		map_set(topics[pattern], name, make_map(client_ptr, bool));
	map_set(map_get(topics[pattern], name), c, true);
	rwmutex_unlock(&lock);
}

static void leave(client *c, string name, bool pattern)
{
	rwmutex_lock(&lock);
	clients all = map_get(topics[pattern], name);
	delete(all, c);
	if (!len(all))
		delete(topics[pattern], name);
	rwmutex_unlock(&lock);
}

void unsubscribe(client *c, string name, bool pattern)
{
	if (map_has(pattern ? c->patterns : c->channels, name)) {
		delete(pattern ? c->patterns : c->channels, name);
		leave(c, name, pattern);
	}
	reply_array(c, 3);
	reply_bulk(c, pattern ? S("punsubscribe") : S("unsubscribe"));
	if (name.ptr)
		reply_bulk(c, name);
	else
		reply_nil(c); /* there was none to leave */
	reply_int(c, (int64)subscriptions(c));
}

void unsubscribe_all(client *c)
{
	for_map(name, yes, c->channels)
		leave(c, name, false);
	for_map(name, yes, c->patterns)
		leave(c, name, true);
}

static void deliver(client *c, string s)
{
	if (atomic_add(&c->queued, (int64)len(s)) <= QUEUE_BYTES)
		select {
			case_send(c->queue, s) { return; }
			case_default {}
		}
	errors_ignore(conn_close(c->conn));
}

static void bulk(builder *b, string s)
{
	builder_printf(b, "$%zu\r\n%s\r\n", len(s), s);
}

int64 publish(string name, string message)
{
	int64 n = 0;

	rwmutex_rlock(&lock);
	clients all = map_get(topics[0], name);
	if (len(all)) {
		builder b = {};

		builder_write(&b, S("*3\r\n$7\r\nmessage\r\n"));
		bulk(&b, name);
		bulk(&b, message);
		for_map_of(client_ptr, c, yes, all)
			deliver(c, builder_string(&b));
		n += (int64)len(all);
	}
	for_map(pattern, some, topics[1]) {
		if (glob(pattern, name)) {
			builder b = {};

			builder_write(&b, S("*4\r\n$8\r\npmessage\r\n"));
			bulk(&b, pattern);
			bulk(&b, name);
			bulk(&b, message);
			for_map_of(client_ptr, c, yes, some)
				deliver(c, builder_string(&b));
			n += (int64)len(some);
		}
	}
	rwmutex_runlock(&lock);
	return n;
}

slice(string) channel_names(string pattern)
{
	slice(string) v = {};

	rwmutex_rlock(&lock);
	for_map(name, all, topics[0])
		if (glob(pattern, name))
			v = append(v, name);
	rwmutex_runlock(&lock);
	return v;
}

int64 channel_subscribers(string name)
{
	rwmutex_rlock(&lock);
	int64 n = (int64)len(map_get(topics[0], name));
	rwmutex_runlock(&lock);
	return n;
}

int64 pattern_count(void)
{
	rwmutex_rlock(&lock);
	int64 n = (int64)len(topics[1]);
	rwmutex_runlock(&lock);
	return n;
}
