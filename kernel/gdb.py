"""gdb.py: the runtime's tasks, Ps and spans in gdb, over QEMU's stub.

    gdb build/metal/app/NAME.elf -x kernel/gdb.py -ex 'target remote :1234'
    (gdb) ingot tasks          tasks: state, P, where they are; ingot tasks WORD: in such a state
    (gdb) ingot bt 17          the stack of task 17, running or not
    (gdb) ingot ps             the Ps: what they run, runnext, run queues
    (gdb) ingot spans          spans by class: in use, slots allocated

It only reads memory and calls nothing in the guest, so it works on a crashed machine too.
Where a task was is found as rt/traceback.c does it: rt/asm.h says what g->sp points at, and
rt/freeze.h where the words of a frozen stack are."""
import struct

import gdb

STATES = ("dead", "runnable", "running", "waiting")
IN_SYSTEMSTACK = 1  # enum in_systemstack of rt/rt.h
SYSTEMSTACK_WORDS = 6  # of rt_systemstack_call's frame below rbp and return address
PAGE = 4096
FRAMES_MAX = 64


def value(expression):
    return gdb.parse_and_eval(expression)


def number(v):
    return int(v) & ((1 << 64) - 1)


def address(symbol):
    return number(value(f"&{symbol}"))


def memory(at, n):
    return bytes(gdb.selected_inferior().read_memory(at, n))


def tasks():
    """All that have not ended."""
    g = value("rt_allgs")
    while number(g):
        if int(g["status"]):
            yield g
        g = g["all_next"]


def procs():
    for i in range(int(value("plat_ncores"))):
        yield value(f"rt_ps[{i}]")


def state(g):
    name = STATES[int(g["status"])]
    if name == "waiting":
        why = value("wait_reason_names")[int(g["wait_reason"]) & 0x7f]
        name = why.string() if number(why) else name
    return name


# ---- stacks ---------------------------------------------------------------------------


class Stack:
    """Words of a task's stack, frozen or not."""

    def __init__(self, g):
        self.g, self.copies = g, []
        for frozen, top in ((g["frozen"], number(g["top"])),) + ((
                (g["ext"]["frozen"], number(g["ext"]["seg"][0]["hi"])),) if number(g["ext"]) else ()):
            if number(frozen):
                off = int(frozen["off"])
                low = (top - 1) // PAGE * PAGE + off
                self.copies.append((low, top, number(frozen["data"].address)))

    def word(self, at):
        for low, top, data in self.copies:
            if low <= at < top:
                at = data + at - low
                break
        return struct.unpack("<Q", memory(at, 8))[0]

    def before_segment(self, fp):
        """Who called the function at fp, which was entered on a further segment; 0: not known."""
        for n in range(2 if number(self.g["ext"]) else 0):
            seg = self.g["ext"]["seg"][n]
            if number(seg["lo"]) <= fp < number(seg["hi"]):
                return self.word(number(self.g["ext"]["back"][n]["sp"]))
        return 0


def registers(core):
    """(pc, rbp) of a core, which is a thread of QEMU's stub."""
    was = gdb.selected_thread()
    try:
        for thread in gdb.selected_inferior().threads():
            if thread.num == core + 1:
                thread.switch()
                frame = gdb.newest_frame()
                return number(frame.read_register("rip")), number(frame.read_register("rbp"))
    finally:
        was.switch()
    return 0, 0


def begin(g, stack):
    """(pc, rbp) where a task is."""
    sp, pctx = number(g["sp"]), g["pctx"]
    if int(g["in_systemstack"]):
        at = sp + (8 * SYSTEMSTACK_WORDS if int(g["in_systemstack"]) == IN_SYSTEMSTACK else 0)
        return stack.word(at + 8), stack.word(at)
    for p in procs():
        if number(p["curg"]) == number(g):
            return registers(int(p["id"]))
    if number(pctx) and sp == number(pctx):
        return number(pctx["f"]["rip"]), number(pctx["f"]["rbp"])
    return stack.word(sp + 8), stack.word(sp + 16)


def frames(g):
    """Addresses in the functions of its stack, innermost first."""
    stack = Stack(g)
    low, high, segment = address("rt_asm_begin"), address("rt_asm_end"), address("rt_morestack_ret")
    try:
        pc, fp = begin(g, stack)
        for _ in range(FRAMES_MAX):
            if pc == 0 or low <= pc < high:
                return
            yield pc
            up, pc = stack.word(fp), stack.word(fp + 8)
            if pc == segment:
                pc = stack.before_segment(fp)
            fp = up
    except gdb.MemoryError:
        return


def place(pc):
    """(function, file:line) of an address."""
    name = gdb.execute(f"info symbol {pc:#x}", to_string=True).split(" in section")[0].split(" + ")[0].strip()
    line = gdb.find_pc_line(pc)
    return name, f"{line.symtab.filename}:{line.line}" if line.symtab else ""


# How a task leaves its core: not where a person looks for it.
LEAVING = {"park", "park_unlock", "park_leave", "leave_to_g0", "preempt_resched", "yield_slow", "yield_any"}


def outline(g):
    """The innermost frame that says something."""
    last = ""
    for i, pc in enumerate(frames(g)):
        name, line = place(pc - (i > 0))
        last = f"{name} {line}"
        if name.split(".")[0] not in LEAVING:
            break
    return last


# ---- commands -------------------------------------------------------------------------------


class Ingot(gdb.Command):
    """What the runtime does: ingot tasks, ingot bt N, ingot ps, ingot spans."""

    def __init__(self):
        super().__init__("ingot", gdb.COMMAND_DATA, gdb.COMPLETE_NONE, True)


class Tasks(gdb.Command):
    """ingot tasks [STATE]: all tasks, or those whose state contains the word; * marks the runtime's own."""

    def __init__(self):
        super().__init__("ingot tasks", gdb.COMMAND_DATA)

    def invoke(self, argument, from_tty):
        count = 0
        print(f"{'TASK':>8} {'P':>2}  {'STATE':<24} WHERE")
        for g in tasks():
            if argument not in state(g):
                continue
            count += 1
            p = int(g["p"]["id"]) if number(g["p"]) else "-"
            print(f"{int(g['id']):>8} {p:>2}  {state(g) + ('*' if int(g['is_system']) else ''):<24} {outline(g)}")
        print(f"{count} tasks")


class Backtrace(gdb.Command):
    """ingot bt N: the stack of task N, innermost frame first, and who started it."""

    def __init__(self):
        super().__init__("ingot bt", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        if not argument.isdigit():
            raise gdb.GdbError("ingot bt N: the number of a task, as ingot tasks shows it")
        for g in tasks():
            if int(g["id"]) != int(argument):
                continue
            print(f"task {argument} [{state(g)}]")
            for i, pc in enumerate(frames(g)):
                name, line = place(pc - (i > 0))
                print(f"#{i:<3} {pc:#018x} {name} {line}")
            by = number(g["created_by"])
            if by:
                print("started by {} {}".format(*place(by - 1)))
            return
        raise gdb.GdbError(f"there is no task {argument}")


class Ps(gdb.Command):
    """ingot ps: cores and their Ps: the task that runs, runnext, tasks in the run queue, dispatches."""

    def __init__(self):
        super().__init__("ingot ps", gdb.COMMAND_DATA)

    def invoke(self, argument, from_tty):
        task = lambda g: int(g["id"]) if number(g) else "-"
        print(f"{'P':>2} {'RUNS':>8} {'RUNNEXT':>8} {'RUNQ':>6} {'TICKS':>10}")
        for p in procs():
            queued = (int(p["runq_tail"]) - int(p["runq_head"])) & 0xffffffff
            print(f"{int(p['id']):>2} {task(p['curg']):>8} {task(p['runnext']):>8} {queued:>6} {int(p['schedtick']):>10}")
        print(f"global queue: {int(value('sched.runq_size'))}")


class Spans(gdb.Command):
    """ingot spans: the heap's spans by class; slots as of their last sweep or uncaching."""

    def __init__(self):
        super().__init__("ingot spans", gdb.COMMAND_DATA)

    def invoke(self, argument, from_tty):
        fields = {f.name: (f.bitpos // 8, f.type.sizeof) for f in gdb.lookup_type("struct mspan").fields()}
        size = gdb.lookup_type("struct mspan").sizeof
        pages = number(value("mheap.used_bytes")) // 8192
        index = struct.unpack(f"<{pages}Q", memory(number(value("mheap.index")), 8 * pages)) if pages else ()
        classes, page = {}, 0
        while page < pages:
            entry = index[page]
            if not entry:
                page += 1
                continue
            at = entry & 0xffffffffffff
            raw = memory(at | 0xffff << 48 if at >> 47 else at, size)
            field = lambda name: int.from_bytes(raw[fields[name][0]:sum(fields[name])], "little")
            c = classes.setdefault(field("spanclass"), [0, 0, 0, 0])
            for i, n in enumerate((1, field("npages"), field("alloc_count"), field("nelems"))):
                c[i] += n
            page += max(field("npages"), 1)
        print(f"{'CLASS':<16} {'SPANS':>6} {'KIB':>8} {'OBJECTS':>10} {'SLOTS':>10}")
        for spc, (spans, npages, objects, slots) in sorted(classes.items()):
            size = int(value(f"class_info[{spc}].size"))
            name = (str(size) if size else "large") + (" noscan" if spc & 1 else "")
            print(f"{name:<16} {spans:>6} {npages * 8:>8} {objects:>10} {slots:>10}")


for command in (Ingot, Tasks, Backtrace, Ps, Spans):
    command()
