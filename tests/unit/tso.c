/* tso.c: segments that go to a device as one (rt/net/frames.c), and the same connection
 * without that.
 *
 * The device is made here, and its peer is the test, in frames: it asks for a stream,
 * checks each large segment as the device would that cuts it up, and acknowledges what
 * it got.  Every third time the device has no room.
 *
 * test: limit=240 */
#include "rt/driver.h"
#include "rt/rt.h"
#include "test.h"
#include "frame.h"

#define STREAM 400000
#define MSS 1460

static struct netdev eth;
static const uint8_t ours[4] = { 10, 0, 2, 15 }, theirs[4] = { 10, 0, 2, 2 };
static const uint8_t peer_mac[6] = { 2, 0, 0, 0, 0, 1 };
static listener *web;
static uint32_t next, sent_next; /* what we expect; what we send next */
static unsigned peer_port = 4000; /* of one connection */
static uint64_t got, frames, large, refused;
static bool opened, closed, nospace;
static int64 calls;
static mutex m;                  /* all of the above */

static byte of_stream(uint64_t i) { return (byte)(i * 7 ^ i >> 9); }

/* A frame of theirs: flags, and all that was got is acknowledged. */
static void release(struct netbuf *b) { (void)b; }
static void arrive(const uint8_t *p, size_t n)
{
	struct netbuf b = { .data = (uint8_t *)p, .len = (uint32_t)n, .free = release, .off.flags = NET_CSUM_VALID };
	eth.rx(&eth, 0, &b);
}
static void say(uint8_t flags)
{
	uint8_t f[60] = {}, *ip = f + 14, *t = f + 34;
	memcpy(f, eth.mac, 6), memcpy(f + 6, peer_mac, 6), put16(f + 12, 0x800);
	ip[0] = 0x45, ip[8] = 64, ip[9] = 6;
	mutex_lock(&m);
	size_t options = flags & 2 ? 4 : 0;
	put16(ip + 2, 40 + options);
	memcpy(ip + 12, theirs, 4), memcpy(ip + 16, ours, 4);
	put_sum(ip + 10, sum(ip, 20, 0));
	put16(t, peer_port), put16(t + 2, 80);
	put32(t + 4, sent_next), put32(t + 8, next);
	sent_next += (flags & 3) != 0;
	t[12] = (uint8_t)((20 + options) << 2), t[13] = flags;
	put16(t + 14, 65535);
	t[20] = 2, t[21] = 4, put16(t + 22, MSS);
	mutex_unlock(&m);
	arrive(f, 54 + options);
}

/* What a device that cuts segments up relies on. */
static bool transmit(struct netdev *d, unsigned queue, const struct net_piece *v, unsigned n, const struct net_offload *off)
{
	static uint8_t f[70000];
	size_t len = 0;
	mutex_lock(&m);
	if (++calls % 3 == 0 && opened) {
		refused++;
		nospace = true;
		mutex_unlock(&m);
		return false;
	}
	for (unsigned i = 0; i < n; len += v[i++].n)
		memcpy(f + len, v[i].p, v[i].n);
	uint8_t *ip = f + 14, *t = ip + 20;
	if (get16(f + 12) == 0x800 && ip[9] == 6 && get16(t + 2) == peer_port) {
		size_t head = 34 + 4 * (t[12] >> 4), payload = len - head;
		CHECK_EQ(get16(ip + 2), len - 14);
		CHECK_EQ(sum(ip, 20, 0), 0xffff);
		uint8_t pseudo[12];
		memcpy(pseudo, ip + 12, 8), pseudo[8] = 0, pseudo[9] = 6, put16(pseudo + 10, len - 34);
		if (eth.offloads & NET_CSUM_NEEDED) {
			CHECK_EQ(off->flags & NET_CSUM_NEEDED, NET_CSUM_NEEDED);
			CHECK_EQ(off->csum_start, 34);
			CHECK_EQ(get16(t + 16), sum(pseudo, 12, 0));
		} else {
			CHECK_EQ(sum(t, len - 34, sum(pseudo, 12, 0)), 0xffff);
		}
		if (t[13] & 2) {
			next = get32(t + 4) + 1;
			opened = true;
		} else if (payload > MSS) {
			CHECK_EQ(off->flags & NET_TSO4, NET_TSO4);
			CHECK_EQ(off->gso_size, MSS);
			CHECK_EQ(off->header_len, head);
			large++;
		} else {
			CHECK_EQ(off->flags & NET_TSO4, 0);
		}
		if (!(t[13] & 2) && get32(t + 4) == next) {
			for (size_t i = 0; i < payload; i++)
				if (f[head + i] != of_stream(got + i)) {
					TEST_FAIL("byte %zu is %d", (size_t)got + i, f[head + i]);
					break;
				}
			frames += payload > 0;
			got += payload;
			next += (uint32_t)payload;
			if (t[13] & 1) {
				next++;
				closed = true;
			}
		}
	}
	mutex_unlock(&m);
	return true;
}

static void rx_start(struct netdev *d) { (void)d; }
static void kick(struct netdev *d, unsigned q) { (void)d, (void)q; }
static struct net_queue_stats stats(struct netdev *d, unsigned q, bool sends) { return (struct net_queue_stats){ 0 }; }

static void serve(void)
{
	conn *c;
	slice(byte) b = make_slice(byte, STREAM);
	for (size_t i = 0; i < len(b); i++)
		b.ptr[i] = of_stream(i);
	must(listener_accept(web, &c));
	errors_ignore(conn_write(c, b.ptr, len(b), NULL));
	errors_ignore(conn_close(c));
}

static void stream(uint32_t offloads)
{
	eth.offloads = offloads;
	mutex_lock(&m);
	got = frames = large = refused = 0;
	opened = closed = nospace = false;
	peer_port++;
	mutex_unlock(&m);
	go(serve);
	say(2); /* SYN */
	for (bool end = false; !end;) {
		mutex_lock(&m);
		bool answer = opened, room = nospace;
		end = closed;
		nospace = false;
		mutex_unlock(&m);
		if (room)
			eth.tx_room(&eth, 0);
		if (answer)
			say(end ? 0x11 : 0x10);
		sleep(Millisecond);
	}
	CHECK_EQ(got, STREAM);
	CHECK(refused > 0);
	print("%lu bytes in %lu frames, %lu of them large; %lu times no room\n", (unsigned long)got, (unsigned long)frames,
	      (unsigned long)large, (unsigned long)refused);
	while (num_task() > 1)
		sleep(Millisecond);
}

TEST(segments_go_as_one)
{
	stream(NET_CSUM_NEEDED | NET_TSO4);
	CHECK(large > 0);
	CHECK(frames < STREAM / MSS / 4);
}

TEST(or_each_by_itself)
{
	stream(NET_CSUM_NEEDED);
	CHECK_EQ(large, 0);
	CHECK(frames >= STREAM / MSS);
}

TEST_MAIN
{
	eth = (struct netdev){ .driver = "model", .mac = { 2, 0, 0, 0, 1, 0 }, .mtu = 1500, .nqueues = 1, .offloads = NET_CSUM_NEEDED | NET_TSO4,
		               .rx_offloads = NET_CSUM_VALID, .link_up = 1, .transmit = transmit, .kick = kick, .rx_start = rx_start,
		               .queue_stats = stats };
	netdev_add(&eth);
	rt_settings.net = "10.0.2.15/24";
	must(net_listen(S("tcp"), S(":80"), &web));
	uint8_t arp[42] = { 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 1, 8, 6, 0, 1, 8, 0, 6, 4, 0, 2, 2, 0, 0, 0, 0, 1, 10, 0, 2, 2,
		            2, 0, 0, 0, 1, 0, 10, 0, 2, 15 };
	memcpy(arp, eth.mac, 6);
	arrive(arp, sizeof arp);
	RUN(segments_go_as_one);
	RUN(or_each_by_itself);
}
