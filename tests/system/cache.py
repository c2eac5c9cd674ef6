#!/usr/bin/python3 -B
"""The cache in QEMU, asked by redis-cli, redis-benchmark and raw sockets: commands,
pipelines, expiry, eviction, channels; what is malformed, clients that stop half-way.

test: limit=240"""
import random
import re
import socket
import subprocess
import sys

from qemu import Guest, Report, boot, built, free_port

report = Report("cache")
image = built("cache")
STATIC = "10.0.2.15/24,gateway=10.0.2.2,dns=10.0.2.3"


class Client:
    """A connection that speaks the protocol."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.file = self.socket.makefile("rb")

    def write(self, *words):
        self.socket.sendall(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in map(raw, words)))

    def read(self):
        line = self.file.readline()
        kind, text = line[:1], line[1:-2]
        if kind == b"+":
            return text.decode()
        if kind == b"-":
            return Exception(text.decode())
        if kind == b":":
            return int(text)
        if kind == b"$":
            return None if text == b"-1" else self.file.read(int(text) + 2)[:-2]
        if kind == b"*":
            return [self.read() for _ in range(int(text))]
        return EOFError(line)

    def ask(self, *words):
        self.write(*words)
        return self.read()

    def close(self):
        self.file.close()
        self.socket.close()


def raw(word):
    return word if isinstance(word, bytes) else str(word).encode()


def same(what, got, want):
    if isinstance(got, Exception) and isinstance(want, str):
        got = "-" + str(got)
    report.check(what, got == want, f"got {str(got)[:300]}, want {str(want)[:300]}")


def cli(port, *words, text=None):
    done = subprocess.run(["redis-cli", "-p", str(port), *words], input=text, stdin=None if text else subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60, check=False)
    return done.stdout.strip()


def info(client):
    return dict(re.findall(r"^(\w+):(\S*)\r$", client.ask("INFO").decode(), re.M))


port = free_port()
with Guest(image, ports=f"{port}:6379", net=STATIC, smp=2, mem="128M", args="maxmemory=16M") as guest:
    report.check("serves", guest.expect(r"serving on port 6379, up to 16 MiB"), guest.text)

    # A real client.
    same("redis-cli PING", cli(port, "ping"), "PONG")
    same("redis-cli SET with EX, GET, TTL", cli(port, text="set greeting hello EX 100\nget greeting\nttl greeting\n"),
         "OK\nhello\n100")
    same("redis-cli --scan", cli(port, "--scan"), "greeting")
    same("redis-cli names an unknown command", cli(port, "lpush", "a", "b"), "ERR unknown command 'lpush'")
    report.check("redis-cli INFO", "db0:keys=1,expires=1" in cli(port, "info"), cli(port, "info"))

    c = Client(port)
    for want, *words in (
            ("OK", "SET", "a", "1"), (b"1", "GET", "a"), (None, "GET", "none"), (2, "INCR", "a"), (12, "INCRBY", "a", 10),
            (11, "DECR", "a"), (1, "DECRBY", "a", 10), (None, "SET", "a", "2", "NX"), ("OK", "SET", "a", "2", "XX"),
            (None, "SET", "new", "2", "XX"), (b"2", "SET", "a", "3", "GET"), ("OK", "SET", "bin\0\r\n", b"\0\xff\r\n"),
            (b"\0\xff\r\n", "GET", "bin\0\r\n"), ("OK", "SET", "empty", ""), (b"", "GET", "empty"),
            ("OK", "MSET", "x", "1", "y", "2"), ([b"1", None, b"2", b""], "MGET", "x", "none", "y", "empty"),
            (2, "EXISTS", "x", "x", "none"), (5, "APPEND", "x", "2345"), (5, "STRLEN", "x"), ("string", "TYPE", "x"),
            ("none", "TYPE", "none"), (2, "DEL", "x", "none", "y"), (0, "EXISTS", "x", "y"),
            (-1, "TTL", "a"), (-2, "TTL", "none"), (1, "EXPIRE", "a", 1000), (1000, "TTL", "a"), (1, "PERSIST", "a"),
            (0, "PERSIST", "a"), (-1, "TTL", "a"), (1, "EXPIRE", "a", -1), (None, "GET", "a"), (0, "EXPIRE", "none", 5),
            ("OK", "SET", "t", "v", "PX", 5000000), (5000, "TTL", "t"), ("OK", "SET", "t", "w", "KEEPTTL"), (5000, "TTL", "t"),
            ("OK", "SET", "t", "w"), (-1, "TTL", "t"), ("OK", "SET", "t", "w", "EXAT", 1), (None, "GET", "t"),
            ("OK", "SELECT", "0"), ([], "COMMAND", "DOCS"), ("PONG", "PING"), (b"text", "PING", "text"), (b"e", "ECHO", "e"),
            ([b"maxmemory", b"16777216"], "CONFIG", "GET", "maxmemory"),
            # What is wrong.
            ("-ERR wrong number of arguments for 'get' command", "GET"),
            ("-ERR wrong number of arguments for 'mset' command", "MSET", "a", "1", "b"),
            ("-ERR syntax error", "SET", "a", "1", "NX", "XX"), ("-ERR syntax error", "SET", "a", "1", "EX"),
            ("-ERR syntax error", "SET", "a", "1", "EX", "10", "PX", "10"),
            ("-ERR value is not an integer or out of range", "SET", "a", "1", "EX", "x"),
            ("-ERR invalid expire time in 'set' command", "SET", "a", "1", "EX", "0"),
            ("-ERR invalid expire time in 'set' command", "SET", "a", "1", "EX", "9223372036854775807"),
            ("-ERR value is not an integer or out of range", "INCR", "empty"),
            ("OK", "SET", "big", "9223372036854775807"), ("-ERR increment or decrement would overflow", "INCR", "big"),
            ("-ERR invalid cursor", "SCAN", "x"), ("-ERR syntax error", "SCAN", "0", "COUNT", "0"),
            ("-ERR DB index is out of range", "SELECT", "1"), ("-NOPROTO unsupported protocol version", "HELLO", "3"),
            ("-ERR unknown command 'X  Y'", "X\r\nY"), ("-ERR Unknown MEMORY subcommand or wrong number of arguments for 'x'", "MEMORY", "x"), ("OK", "MEMORY", "PURGE"),
            ("OK", "FLUSHALL"), (0, "DBSIZE")):
        same(" ".join(map(ascii, words))[:60], c.ask(*words), want)

    # An expired key goes by itself, and is not there before it has.
    c.ask("SET", "brief", "v", "PX", "30")
    while c.ask("DBSIZE"):
        pass
    same("an expired key goes unasked", info(c)["expired_keys"] >= "1", True)

    # Pipelines, over the edges of every buffer.
    n = 3000
    values = [bytes([i % 251]) * (i * 7 % 5000) for i in range(n)]
    c.socket.sendall(b"".join(b"*3\r\n$3\r\nSET\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n" % (len(b"p%d" % i), b"p%d" % i, len(v), v)
                              for i, v in enumerate(values)))
    same("3000 SET in a pipeline", {c.read() for _ in range(n)}, {"OK"})
    c.socket.sendall(b"".join(b"GET p%d\r\n" % i for i in range(n)))
    report.check("3000 GET in a pipeline", [c.read() for _ in range(n)] == values)
    same("a command in single bytes", [c.socket.send(bytes([b])) for b in b"*2\r\n$3\r\nGET\r\n$2\r\np1\r\n"] and c.read(), values[1])
    large = random.Random(1).randbytes(3_000_000)
    same("3 MB there", c.ask("SET", "large", large), "OK")
    report.check("and back", c.ask("GET", "large") == large)
    same("more than the memory is refused", c.ask("SET", "huge", b"x" * 16_777_000), "-OOM command not allowed when used memory > 'maxmemory'.")

    # SCAN gives each key that stays, while others come and go.
    c.ask("FLUSHALL")
    for i in range(500):
        c.ask("MSET", f"stay:{i}", i, f"go:{i}", i)
    seen, cursor, i = set(), b"0", 0
    while True:
        cursor, keys = c.ask("SCAN", cursor, "MATCH", "stay:*", "COUNT", 7)
        seen |= set(keys)
        for _ in range(9):
            c.ask("DEL", f"go:{i}")
            c.ask("SET", f"more:{i}", i)
            i += 1
        if cursor == b"0":
            break
    same("SCAN misses none that stays", len(seen), 500)
    same("KEYS", sorted(c.ask("KEYS", "stay:[1-2]?")), sorted(b"stay:%d" % i for i in range(10, 30)))

    # The memory limit: the oldest go.
    c.ask("FLUSHALL")
    c.ask("SET", "hot", "x")
    value = b"v" * 4000
    for i in range(0, 8000, 100):
        c.socket.sendall(b"".join(b"*3\r\n$3\r\nSET\r\n$6\r\nk%05d\r\n$%d\r\n%s\r\n" % (k, len(value), value) for k in range(i, i + 100)))
        for _ in range(100):
            c.read()
        c.ask("GET", "hot")
    now = info(c)
    report.check("stays below maxmemory", 12 << 20 < int(now["used_memory"]) <= 16 << 20, now)
    report.check("evicts", int(now["evicted_keys"]) > 3000, now)
    same("what is used stays", c.ask("GET", "hot"), b"x")
    first, last = (sum(v is not None for v in c.ask("MGET", *[f"k{k:05}" for k in span])) for span in (range(0, 1000), range(7000, 8000)))
    report.check("the oldest are gone, the newest there", first < 100 and last > 900, (first, last))

    # Channels.
    s, p = Client(port), Client(port)
    same("SUBSCRIBE", [s.ask("SUBSCRIBE", "news", "more"), s.read()], [[b"subscribe", b"news", 1], [b"subscribe", b"more", 2]])
    same("PSUBSCRIBE", s.ask("PSUBSCRIBE", "n[a-f]*"), [b"psubscribe", b"n[a-f]*", 3])
    same("PUBLISH", p.ask("PUBLISH", "news", "hello"), 2)
    same("a message, and by pattern", [s.read(), s.read()],
         [[b"message", b"news", b"hello"], [b"pmessage", b"n[a-f]*", b"news", b"hello"]])
    same("GET while subscribed", s.ask("GET", "a"),
         "-ERR Can't execute 'get': only (P)SUBSCRIBE / (P)UNSUBSCRIBE / PING / QUIT are allowed in this context")
    same("PING while subscribed", s.ask("PING"), [b"pong", b""])
    same("PUBSUB", [sorted(p.ask("PUBSUB", "CHANNELS")), p.ask("PUBSUB", "NUMSUB", "news", "none"), p.ask("PUBSUB", "NUMPAT")],
         [[b"more", b"news"], [b"news", 1, b"none", 0], 1])
    same("UNSUBSCRIBE", s.ask("UNSUBSCRIBE", "news"), [b"unsubscribe", b"news", 2])
    same("PUNSUBSCRIBE", s.ask("PUNSUBSCRIBE"), [b"punsubscribe", b"n[a-f]*", 1])
    same("no receiver", p.ask("PUBLISH", "news", "x"), 0)
    for k in range(500):
        p.write("PUBLISH", "more", k)
    same("500 messages are received", {p.read() for _ in range(500)}, {1})
    same("in order", [s.read()[2] for _ in range(500)], [b"%d" % k for k in range(500)])
    # One that does not read is let go; who publishes does not wait for it.
    block, sent = b"z" * 100_000, 0
    while p.ask("PUBLISH", "more", block) and sent < 2000:
        sent += 1
    report.check("a subscriber that does not read is disconnected", sent < 2000, sent)
    s.close()

    # Malformed: an answer, then the end of that connection only.
    for text, want in ((b"*x\r\n", "invalid multibulk length"), (b"*1048577\r\n", "invalid multibulk length"),
                       (b"*1\r\n:1\r\n", "expected '$', got ':'"), (b"*1\r\n$-1\r\n", "invalid bulk length"),
                       (b"*1\r\n$99999999999\r\n", "invalid bulk length"), (b"x" * 70000, "too big inline request"),
                       (b"*1\r\n$" + b"1" * 70000, "too big bulk count string")):
        bad = Client(port)
        bad.socket.sendall(text)
        same(f"{ascii(text[:20])}", [str(bad.read()), type(bad.read())], [f"ERR Protocol error: {want}", EOFError])
        bad.close()
    bad = Client(port)
    bad.socket.sendall(b"\r\n*0\r\n*-1\r\nPING\r\n")
    same("empty commands are passed over", bad.read(), "PONG")
    bad.close()
    rng = random.Random(2)
    for _ in range(40):
        bad = Client(port)
        good = b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\nvalue\r\n*2\r\n$3\r\nGET\r\n$1\r\nk\r\n" * 3
        bytes_ = bytearray(good)
        for _ in range(rng.randrange(1, 6)):
            bytes_[rng.randrange(len(bytes_))] = rng.randrange(256)
        bad.socket.sendall(bytes_[:rng.randrange(len(bytes_))])
        bad.close()

    done = subprocess.run(["redis-benchmark", "-p", str(port), "-t", "ping,set,get,incr,mset", "-n", "2000", "-P", "8", "-c", "8", "-q", "--csv"],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    report.check("redis-benchmark", done.returncode == 0 and len(re.findall(r'^"(?!test)', done.stdout, re.M)) == 6 and
                 "WARNING" not in done.stdout, done.stdout)

    # The console, on the serial line.
    guest.send("netstat\n")
    report.check("netstat on the console shows the connection", guest.expect(r"tcp +10\.0\.2\.15:6379 +10\.0\.2\.2:\d+"), guest.text)

    # Nothing is left of those who have gone.
    p.close()
    while int(info(c)["connected_clients"]) > 1:
        pass
    report.check("their tasks are gone", int(info(c)["tasks"]) <= 4, info(c))
    cli(port, "shutdown")
    report.check("SHUTDOWN", guest.wait() == 0, guest.text)

for args in ("maxmemory=0", "maxmemory=64X", "nonsense"):
    done = boot(image, args=args, net=STATIC)
    report.check(f"{args} is named", done.status == 2 and f"cache: {args}: the arguments are" in done.text, done)
sys.exit(report.end())
