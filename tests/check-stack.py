#!/usr/bin/python3
"""Rule S2: bounds the stack of code that does not check for it.

    tests/check-stack.py IMAGE...

A function built with -fsplit-stack compares its frame with the task's stack
limit.  What it calls may have no such check: assembly, libgcc, leaves with a
frame of nothing, kernel/'s functions behind plat.h.  They live on the
plat_stack_slack + 256 bytes that stack.c leaves committed below the limit
(256: a checked function with a smaller frame compares rsp itself and may end
that far below).

From the disassembly, each function is followed along all its paths with the
depth of its rsp.  In a checked function the frame it asked for counts as
paid, so the depth at a call is what it has taken beyond that (arguments
pushed, small frames).  To it come the return address and the deepest chain
through unchecked functions; a chain ends at a checked function with what
__morestack takes up to its switch of stacks.  A task's fault that becomes a
panic (traceback.c) is a call that may come at any instruction.

Chains start at calls of checked functions and at FIRST, nowhere else: so
interrupt handlers and boot code, which nobody calls, are out, and so is what
a function calls after it has left the task's stack.  Errors: a chain deeper
than the slack; without a check, recursion or an indirect call; a moved rsp
or a changed limit that the tables below do not know.

Prints "ok" with the deepest chain, or "FAIL" with the reason."""

import bisect
import os
import re
import struct
import subprocess
import sys
from collections import namedtuple

# Where tasks begin without being called.
FIRST = ["rt_task_start"]
# A function with a defer "returns" to rt_defer_return, which takes its rsp
# from the record: the depth at which rt_defer_more is called.
RETURNS_TO = {"rt_defer_more": "rt_defer_return"}
# plat.h, kernel.h: "system", never on a task's stack.
SYSTEM = {"plat_start_cores", "plat_wall", "plat_idle", "plat_memory", "plat_memory_total", "plat_stack_commit",
          "plat_stack_release", "plat_stack_freeze", "plat_stack_thaw", "plat_console_listen",
          "plat_track", "plat_track_flush", "plat_memory_release",
          "plat_enter_runtime", "mmio_map"}
# These load rsp: they leave the task's stack, or go to an outer frame on it.
# What they call after that does not count.  (A switch of tasks, inlined in
# proc.c, is known by its shape.)
LEAVES = {"rt_systemstack_call", "__morestack", "rt_morestack_ret", "rt_defer_resume", "rt_defer_return",
          "rt_goexit_at", "rt_window_call", "longjmp"}
# These call what was deferred, from the frame of the function that deferred it,
# so many bytes below it.
CALLS_POINTER = {"rt_defer_return": 48}
# A jump there is a return (JUMP_RETURN).
RETURN = "__x86_return_thunk"
# C functions that write the limit: rt_fault and throw_report take it away,
# never on a task's stack.
SETS_LIMIT = {"rt_fault", "throw_report"}
# A fault that becomes a panic (fault_to_panic) leaves 128 bytes below the
# interrupted rsp, aligns and stores a return address; what it enters checks.
FAULT = 128 + 8 + 8
SMALL_FRAME = 256

INSN = re.compile(r"([0-9a-f]+):\t([a-z0-9]+(?: [a-z]+)?)\s*([^#<]*?)\s*(?:<[^>]*>\s*)?(?:# ([0-9a-f]+).*)?$")
CONDITIONAL = re.compile(r"j(?!mp)[a-z]+$|loop")
LIMIT = "%fs:0x70"
ENDS = {"ret", "ud2", "iretq", "lret"}

# Bytes below the entry's rsp.  None: not known, or not the task's stack.
State = namedtuple("State", "rsp rbp")


class Broken(Exception):
    """The image breaks the rule, or cannot be judged."""


def number(text):
    value = int(text.lstrip("$"), 16)
    return value - (1 << 64) if value >= 1 << 63 else value


class Image:
    """An ELF file's functions, data words, instructions and source files."""

    def __init__(self, path):
        with open(path, "rb") as f:
            raw = self.raw = f.read()
        phoff, shoff = struct.unpack_from("<QQ", raw, 32)
        phsize, phnum, shsize, shnum = struct.unpack_from("<HHHH", raw, 54)
        heads = [struct.unpack_from("<IIQQQQ", raw, phoff + i * phsize) for i in range(phnum)]
        self.loads = [(va, filesz, offset) for kind, _, offset, va, _, filesz in heads if kind == 1]
        sections = [struct.unpack_from("<IIQQQQIIQQ", raw, shoff + i * shsize) for i in range(shnum)]
        symtab = next((s for s in sections if s[1] == 2), None)
        if symtab is None:
            raise Broken("the image has no symbols")
        strings = sections[symtab[6]][4]
        self.value, self.functions, self.ends, best = {}, set(), {}, {}
        for name, info, _, shndx, value, size in struct.iter_unpack("<IBBHQQ", raw[symtab[4]:symtab[4] + symtab[5]]):
            kind = info & 15
            if not name or shndx == 0 or shndx >= shnum or kind > 2:
                continue
            text = raw[strings + name:raw.index(b"\0", strings + name)].decode()
            self.value[text] = value
            if sections[shndx][2] & 4 and kind != 1:  # executable; assembly's labels have no type
                best[value] = max(best.get(value, (False,)), (kind == 2, info >> 4 == 1, text))
                if kind == 2:
                    self.functions.add(value)
                    self.ends[value] = value + size
        self.name = {address: found[2] for address, found in best.items()}
        self.insns, self.next = {}, {}
        self.disassemble(path)
        self.find_sources(path)

    def disassemble(self, path):
        text = subprocess.run(["objdump", "-d", "--no-show-raw-insn", "-w", path], check=True,
                              stdout=subprocess.PIPE).stdout.decode()
        last = None
        for line in text.split("\n"):
            found = INSN.match(line)
            if found:
                at = int(found[1], 16)
                self.insns[at] = (found[2], found[3], found[4])
                self.next[last] = last = at
        self.calls = sorted(at for at, insn in self.insns.items() if insn[0] == "call")

    def find_sources(self, path):
        """Source file by address, from the debug data; libgcc has none."""
        text = subprocess.run(["readelf", "-W", "--debug-dump=info,aranges", "--dwarf-depth=1", path], check=True,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout.decode()
        unit, names, ranges = None, {}, []
        for line in text.split("\n"):
            if found := re.match(r"\s*Compilation Unit @ offset (?:0x)?([0-9a-f]+)|"
                                 r"\s*Offset into \.debug_info:\s*(?:0x)?([0-9a-f]+)", line):
                unit = int(found[1] or found[2], 16)
            elif found := re.match(r"\s*<[0-9a-f]+>\s+DW_AT_name\s.*: (\S+)", line):
                names.setdefault(unit, found[1])
            elif found := re.match(r"\s*([0-9a-f]{16}) ([0-9a-f]{16})\s*$", line):
                ranges.append((int(found[1], 16), int(found[2], 16), unit))
        ranges = sorted(r for r in ranges if r[1])
        self.source, i = {}, 0
        for address in sorted(self.name):
            while i < len(ranges) and ranges[i][0] + ranges[i][1] <= address:
                i += 1
            if i < len(ranges) and ranges[i][0] <= address:
                self.source[address] = names.get(ranges[i][2], "")

    def word(self, address):
        """The 8 bytes at an address, or None."""
        for va, length, offset in self.loads:
            if va <= address and address + 8 <= va + length:
                return int.from_bytes(self.raw[offset + address - va:offset + address - va + 8], "little")
        return None

    def table(self, at):
        """The targets of a jump through a table of addresses, else []."""
        found = re.match(r"\*(-?0x[0-9a-f]+)\(,%\w+,8\)", self.insns[at][1])
        slot, targets = number(found[1]) & (1 << 64) - 1 if found else 0, []
        while found and self.word(slot) in self.insns and not (targets and self.entry(self.word(slot))):
            targets.append(self.word(slot))
            slot += 8
        return targets

    def entry(self, address):
        """A jump there is a call in the place of a return; false inside a
        function and for the part of it that gcc put elsewhere."""
        return address in self.name and ".cold" not in self.name[address]


class Checker:
    def __init__(self, image):
        self.image = image
        self.done = {}    # function -> (deepest rsp, calls)
        self.back = {}    # function -> whether it returns
        self.chains = {}  # unchecked function -> (bytes, addresses)
        self.active = []

    def check_of(self, address):
        """A function with the check: (where it goes on after it, the bytes it
        asked for); else None."""
        image, asked, at = self.image, 0, address
        for _ in range(4):
            op, args, _ = image.insns.get(at, ("", "", None))
            if op == "cmp" and args.startswith(LIMIT + ","):
                at = image.next[at]
                op, args, _ = image.insns[at]
                if op == "jb":
                    return image.next[at], asked
                if op == "jae":
                    return int(args, 16), asked
                raise Broken(f"{image.name[address]}: its check ends in {op}")
            if op == "lea" and args.endswith("(%rsp),%r11"):
                asked = -number(args.split("(")[0])
            elif op == "sub" and args.endswith(",%r11"):
                asked = number(args.split(",")[0])
            elif (op, args) != ("mov", "%rsp,%r11"):
                return None
            at = image.next[at]
        return None

    def returns(self, address):
        """False if the function never comes back; in a recursion, true."""
        if address not in self.back:
            self.back[address] = True
            self.back[address] = self.walk(address)[2]
        return self.back[address]

    def flow(self, address):
        """(deepest rsp, [(where, target or None, depth)]) of one function."""
        if address not in self.done:
            deepest, calls, _ = self.walk(address)
            self.done[address] = deepest, [(at, *call) for at, call in sorted(calls.items())]
        return self.done[address]

    def missed(self, address, seen):
        """A call of gcc's in this function that no path has come to, or None.
        (The call of __morestack lies beside the paths.)"""
        image = self.image
        begin = bisect.bisect_left(image.calls, address)
        end = bisect.bisect_left(image.calls, image.ends[address])
        slow = f"{image.value['__morestack']:x}"
        return next((at for at in image.calls[begin:end] if at not in seen and image.insns[at][1] != slow), None)

    def walk(self, address):
        """Follows all paths of one function to the greatest depths: (deepest
        rsp, {where: (target, depth)} of its calls, whether it returns)."""
        image = self.image
        name = image.name.get(address, hex(address))
        begin, paid = self.check_of(address) or (address, 0)
        deepest, calls, back = -paid, {}, False
        seen, copies, todo = {}, {}, [(begin, State(0, None))]

        def note(target, depth):
            if depth is not None:
                calls[at] = target, max(depth - paid, calls.get(at, (0, -paid))[1])

        while todo:
            at, state = todo.pop()
            while at in image.insns:
                if at in seen:
                    old = seen[at]
                    state = State(*(max((x for x in pair if x is not None), default=None)
                                    for pair in zip(old, state)))
                    if state == old:
                        break
                seen[at] = state
                rsp, rbp = state
                if rsp is not None:
                    deepest = max(deepest, rsp - paid)
                    if rsp > 1 << 20:
                        raise Broken(f"{name}: rsp sinks without end at {at:x}")
                op, args, note_address = image.insns[at]
                following = image.next.get(at)
                if op in ENDS:
                    back |= op != "ud2"
                    break
                if op == "jmp" and args.startswith("*"):
                    table = image.table(at)
                    if not table:
                        back = True
                        note(None, rsp)
                    todo += [(target, state) for target in table]
                    break
                if op == "jmp" or CONDITIONAL.match(op):
                    target = int(args, 16)
                    if target == image.value.get(RETURN):
                        back = True
                    elif image.entry(target) and target != address:
                        note(target, rsp)
                        back = back or self.returns(target)
                    else:
                        todo.append((target, state))
                    if op == "jmp":
                        break
                elif op == "call":
                    target = None if args.startswith("*") else int(args, 16)
                    if target and not image.entry(target):
                        # defer's: the address of what follows, which a return
                        # takes later (RETURNS_TO), pushed by a call.
                        todo.append((target, State(None if rsp is None else rsp + 8, rbp)))
                        break
                    note(target, None if rsp is None else rsp + 8)
                    if target and not self.returns(target):
                        break
                elif op.startswith("push"):
                    rsp = None if rsp is None else rsp + 8
                elif op == "leave":
                    if rbp is None and rsp is not None:
                        raise Broken(f"{name}: where its frame is, is not known at {at:x}")
                    rsp, rbp = None if rbp is None else rbp - 8, None
                elif op.startswith("pop") and args != "%rsp":
                    rsp = None if rsp is None else rsp - 8
                    rbp = None if args == "%rbp" else rbp
                elif op == "lea" and args.endswith("(%rip),%rax") and image.insns[following][:2] == ("push", "%rax"):
                    # switch_to has pushed rbp; the task goes on at the label without it.
                    todo.append((int(note_address, 16), State(rsp - 8, rbp)))
                elif args.endswith("%rsp") and op not in ("cmp", "test") and (args == "%rsp" or args[-5] == ","):
                    rsp = self.moved(address, at, op, args.split(",%rsp")[0], state, copies)
                elif args.endswith(",%rbp") and op not in ("cmp", "test"):
                    rbp = rsp if (op, args) == ("mov", "%rsp,%rbp") else None
                elif op == "mov" and re.match(r"%rsp,%\w+$", args) and rsp is not None:
                    copies[args[5:]] = max(rsp, copies.get(args[5:], rsp))
                elif op == "cmp" and args.startswith(LIMIT + ",") and rsp is not None:
                    # alloca: gcc compares what would be rsp with the limit, and asks elsewhere if it is below.
                    copies[args[len(LIMIT) + 1:]] = paid
                elif args.endswith("," + LIMIT) and rsp is not None and name not in LEAVES | SETS_LIMIT:
                    raise Broken(f"{name} changes the limit")
                state, at = State(rsp, rbp), following
                if at in image.functions:
                    break  # the last call was one that does not return
        if address in image.ends and self.missed(address, seen):
            raise Broken(f"{name}: no known path leads to {self.missed(address, seen):x}")
        return deepest, calls, back

    def moved(self, function, at, op, source, state, copies):
        """The new depth after an instruction that writes rsp."""
        name = self.image.name.get(function, hex(function))
        rsp, rbp = state
        if op == "lea" and source.endswith("(%rbp)") and rbp is not None:
            return rbp - number(source.split("(")[0])
        if (op, source) == ("mov", "%rbp") and rbp is not None:
            return rbp
        if op == "mov" and source.startswith("%") and source in copies:
            return copies[source]
        after = self.image.insns.get(self.image.next.get(at), ("", "", None))
        if op == "mov" and (name in LEAVES or (source, after[1]) == ("(%rsi)", "%rdx," + LIMIT)):
            return 0 if name in RETURNS_TO.values() and rsp == 0 else None
        if rsp is None:
            return None
        if source.startswith("$"):
            n = number(source)
            if op == "sub":
                return rsp + n
            if op == "add":
                return rsp - n
            if op == "and" and n < 0:
                return rsp - n - 8
        if op == "lea" and source.endswith("(%rsp)"):
            return rsp - number(source.split("(")[0])
        raise Broken(f"{name}: cannot follow \"{op} {source},%rsp\" at {at:x}")

    # ---- chains -----------------------------------------------------------------

    def chain(self, address):
        """(bytes, path) that a call of this function takes at most, without
        the return address."""
        image = self.image
        name = image.name.get(address, hex(address))
        if self.check_of(address):
            deep, path = self.chain(image.value["__morestack"])
            return deep + 8, [address] + path
        if address in self.active:
            loop = self.active[self.active.index(address):] + [address]
            raise Broken("recursion without the check: " + " -> ".join(self.image.name[a] for a in loop))
        if address not in self.chains:
            self.active.append(address)
            self.chains[address] = self.deepest(address)
            self.active.pop()
        return self.chains[address]

    def deepest(self, address):
        image = self.image
        name = image.name.get(address, hex(address))
        best, calls = (self.flow(address)[0], [address]), []
        for at, target, depth in self.flow(address)[1]:
            if target is not None:
                calls.append((target, depth))
            elif self.check_of(address):
                calls.append((None, depth))
            elif name in CALLS_POINTER:
                calls.append((None, CALLS_POINTER[name]))
            elif image.insns[at][0] == "call" or name not in LEAVES:
                raise Broken(f"{name} has no check and an indirect call, at {at:x}")
        if name in RETURNS_TO:
            calls.append((image.value[RETURNS_TO[name]], 0))
        for target, depth in calls:
            if target is None:
                deep, path = self.pointer()
            elif image.name.get(target) in SYSTEM:
                continue
            else:
                deep, path = self.chain(target)
            best = max(best, (depth + deep, [address] + path))
        if not image.source.get(address, "").startswith(("kernel/", "boot/")) and name not in LEAVES:
            deep, path = self.chain(image.value["__morestack"])
            best = max(best, (self.flow(address)[0] + FAULT + 8 + deep, [address, FAULT] + path))
        return best

    def pointer(self):
        """The deepest that a checked function can reach through a pointer: any
        unchecked function but the kernel's and the runtime's assembly."""
        if None not in self.chains:
            image = self.image
            self.chains[None] = max(self.chain(a) for a in image.functions if image.entry(a) and
                                    not re.match(r"(kernel|boot)/|rt/(irq\.c|\w+\.S)", image.source.get(a, "")))
        return self.chains[None]

    def worst(self):
        image = self.image
        starts = [a for a in image.functions if image.entry(a) and self.check_of(a)]
        starts += [image.value[n] for n in FIRST]
        return max(self.deepest(a) for a in starts)


def show(image, path):
    names = []
    for address in path:
        source = image.source.get(address, "")
        names.append("(fault)" if address == FAULT else image.name[address] + (f" ({source})" if source else ""))
    return " -> ".join(names)


def check(path):
    image = Image(path)
    room = image.word(image.value["plat_stack_slack"]) + SMALL_FRAME
    checker = Checker(image)
    deep, chain = checker.worst()
    text = f"{deep} of {room} bytes: {show(image, chain)}"
    if deep > room:
        raise Broken(text)
    return text


def main():
    bad = 0
    sys.setrecursionlimit(10000)
    for path in sys.argv[1:]:
        try:
            print(f"ok {os.path.basename(path)} {check(path)}")
        except Broken as reason:
            print(f"FAIL {os.path.basename(path)} {reason}")
            bad = 1
    return bad


sys.exit(main())
