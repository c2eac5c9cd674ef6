#!/usr/bin/python3 -B
"""The public header as doxygen reads it: a filter (rt/gen/Doxyfile, `make reference`).

    reference.py rt/api_map.h        prints the header's public part with its comments
                                     in doxygen's form
    reference.py --finish FOLDER     puts types like slice(byte) back in what it wrote

What the headers keep, so that this works:
  - the first comment is the file's account;
  - a comment before a declaration is that declaration's, and, unless that is a type,
    that of those which follow it without a blank line or another comment: where
    several share one, it speaks of all;
  - a comment behind a declaration, on its line, is that one's too;
  - "/* ---- words ---- */" begins a part;
  - lines indented by a tab or two blanks are shown as they are;
  - the sentence "Go: ..." names Go's form, and "task.", "any." ... the context;
  - names with rt_ or RT_ are no part of the interface.
Macros are shown with their parameters and without what they expand to."""
import os
import re
import sys

INTERNAL = re.compile(r"(rt_|RT_|INGOT_|API_)")
# A type made by a macro, slice(byte), is a word to doxygen: slice_L_byte_R_.
OPEN, SHUT, COMMA = "_L_", "_R_", "_C_"
KINDS = "slice|chan|map|weak|pool|sync_map|pvector|pmap"
MADE = re.compile(rf"\b({KINDS})\(([\w ,]+)\)")


def hide(code):
    """slice(byte) as one word."""
    return MADE.sub(lambda m: m[1] + OPEN + m[2].replace(", ", COMMA).replace(" ", "_") + SHUT, code)


def show(text):
    """The reverse, in doxygen's output."""
    return re.sub(rf"\b({KINDS}){OPEN}(\w+?){SHUT}", lambda m: f"{m[1]}({m[2].replace(COMMA, ', ')})", text)


def chunks(text):
    """(kind, text, comment behind it): kind is comment, directive, code or blank."""
    at = 0
    while at < len(text):
        end = text.index("\n", at)
        line = text[at:end]
        if not line.strip():
            yield "blank", "", ""
            at = end + 1
            continue
        if line.startswith("/*"):
            end = text.index("*/", at) + 2
            yield "comment", text[at:end], ""
            at = text.index("\n", end) + 1
            continue
        kind = "directive" if line.startswith("#") else "code"
        begin, depth = at, 0
        while True:
            code = re.sub(r'"(\\.|[^"\\])*"|' + r"'(\\.|[^'\\])*'", "", line.split("/*")[0])
            depth += code.count("{") - code.count("}")
            if line.count("/*") > line.count("*/"):  # the comment goes on
                end = text.index("\n", text.index("*/", end))
            over = not line.rstrip().endswith("\\") if kind == "directive" else \
                depth == 0 and re.search(r"[;}]\s*$", code.rstrip())
            if over:
                break
            at = end + 1
            end = text.index("\n", at)
            line = text[at:end]
        whole = text[begin:end]
        last = whole.rfind("\n", 0, begin + len(whole)) + 1
        behind = re.search(r"[;}\w)\"]\s*(/\*((?!\*/).)*\*/)\s*$", whole, re.S)
        comment = ""
        if behind and (behind.start(1) >= last or "\n" not in whole[:behind.start(1)]):
            comment = behind[1]
            whole = whole[:behind.start(1)].rstrip()
        yield kind, whole, comment
        at = end + 1


def words(comment):
    """The lines of a comment without its marks."""
    body = re.sub(r"^/\*|\*/$", "", comment.strip())
    return [re.sub(r"^\s*\* ?", "", line) if i else line.lstrip(" ") for i, line in enumerate(body.split("\n"))]


def escape(text):
    return re.sub(r"([\\@<>&#%\"$])", r"\\\1", text)


def prose(text):
    """A paragraph: its sentences about context and Go become paragraphs of their own."""
    parts = []

    def cut(title):
        def take(m):
            parts.append((title, m["what"]))
            return m["before"]
        return take
    text = re.sub(r"(?P<before>^|\s)Go: (?P<what>.*?)(?:\.(?=\s\s|$)|$)", cut("Go"), text)
    text = re.sub(r"(?P<before>^|[.):]\s+)(?P<what>(?:task or system|any task|task|system|any))(?:\.(?=\s|$)|$)", cut("Context"), text)
    out = escape(re.sub(r"\s+", " ", text).strip(" ."))
    out = re.sub(r"\A(\w+\([^()]*\)(?:, \w+\([^()]*\))*): ", r"<code>\1</code>: ", out)
    if out and out[-1] not in ":;":
        out += "."
    for title, what in sorted(parts):
        out += f"\n@par {title}\n{escape(what)}\n"
    return out


def doc(comments, single=False):
    """Comments as the inside of one of doxygen's."""
    out, flow, code = [], [], []

    def flush():
        if flow:
            out.append(prose(" ".join(flow)))
            flow.clear()
        if code:
            while code and not code[-1]:
                code.pop()
            out.append("@verbatim\n" + "\n".join(code).expandtabs(4) + "\n@endverbatim")
            code.clear()
    for comment in comments:
        for i, line in enumerate(words(comment)):
            line = line.rstrip()
            if not single and (i or "\t" in line[:1]) and re.match(r"\t|  ", line):
                if flow:
                    flush()
                code.append(line)
            elif not line:
                if code:
                    code.append("")
                else:
                    flush()
            else:
                if code:
                    flush()
                flow.append(line)
        flush()
    return "\n\n".join(out)


def comment_of(text):
    return "/** " + text.replace("*/", "*\\/") + " */\n"


def fields(body):
    """A structure's members with their comments."""
    def split(m):
        """int a, b; as two lines, each with the comment."""
        names = [n.strip() for n in m["names"].split(",")]
        note = f" /**< {doc([m['note']], True)} */" if m["note"] else ""
        return "\n".join(f"{m['indent']}{m['type']}{n};{note}" for n in names)
    body = re.sub(r"^(?P<indent>\s+)(?P<type>(?:[\w]+(?:\([\w, ]+\))? )+)(?P<names>\*?\w+(?:\[\w*\])*(?:, \*?\w+(?:\[\w*\])*)*);"
                  r"(?:[ \t]*(?P<note>/\*((?!\*/).)*\*/))?$", split, body, flags=re.M | re.S)
    body = re.sub(r";[ \t]*(/\*(?!\*)((?!\*/).)*\*/)", lambda m: f"; /**< {doc([m[1]], True)} */", body, flags=re.S)
    body = re.sub(r",[ \t]*(/\*(?!\*)((?!\*/).)*\*/)", lambda m: f", /**< {doc([m[1]], True)} */", body, flags=re.S)
    return re.sub(r"^(\s*)(/\*(?!\*)((?!\*/).)*\*/)", lambda m: f"{m[1]}/** {doc([m[2]], True)} */", body, flags=re.M | re.S)


def declaration(code):
    """(name, what doxygen is to read) of a declaration; the name is None when it is internal."""
    made = re.match(r"declare_error\((\w+)\);$", code)
    if made:
        return made[1], f"extern const error {made[1]};"
    made = re.match(r"declare_error_type\((\w+)\);$", code)
    if made:
        return f"{made[1]}_type", f"extern const error_type {made[1]}_type;"
    if re.match(r"declare_\w+\(|RT_|_Static_assert|(static )?(struct|enum|union) \w+;$", code):
        return None, ""
    code = re.sub(r"\s*__attribute__\(\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)\)", "", code)
    if re.match(r"(typedef )?(struct|enum|union)\b[^;(=]*\{", code):
        tag = re.match(r"(?:typedef )?(?:struct|enum|union) ?(\w*)", code)[1]
        name = tag or re.search(r"\}\s*(\w*)\s*;$", code)[1] or re.search(r"\{\s*(\w+)", code)[1]
        return name, fields(code)
    code = re.sub(r"\s*\{.*\}$", ";", code, flags=re.S)  # an inline function
    code = re.sub(r"\b(must_check|static inline|_Noreturn)\b\s*", "", code)
    code = re.sub(r"\s+", " ", code).replace(" ;", ";").strip()
    plain = MADE.sub("made", code)
    name = re.search(r"\(\*(\w+)\)\(", plain) if code.startswith("typedef") else None
    name = name or re.search(r"(\w+)\(", plain) or re.search(r"(\w+)(?:\[\w*\])*;$", plain)
    return name[1], code


def define(text):
    """(name, the line): function-like macros without their value, constants with it."""
    m = re.match(r"#define (\w+)(\([^)]*\))?[ \t]*(.*)", text, re.S)
    name, params, value = m[1], m[2] or "", m[3]
    if params or "\n" in value or re.search(r"rt_|RT_", value):
        value = ""
    return name, f"#define {name}{params} {value}".rstrip()


def convert(path):
    with open(path, encoding="utf-8") as f:
        text = f.read()
    base = os.path.basename(path)
    out, seen_file, shared, own, part = [], False, None, None, False
    for kind, code, behind in chunks(text):
        if kind == "comment":
            title = re.fullmatch(r"/\* ---- (.*?) -+ \*/", code, re.S)
            if not seen_file:
                seen_file = True
                lead = "@mainpage Ingot's public header" if base == "ingot.h" else f"@file {base}"
                if base == "ingot.h":  # its list of files
                    code = re.sub(r"^ \*   (api_\w+\.h) +(.*)$", r" * <li>\1 \2</li>", code, flags=re.M)
                    body = doc([code])
                    body = re.sub(r"\\<(/?li)\\>", r"<\1>", body)
                    body = re.sub(r"(<li>.*</li>)\.", r"\n<ul>\1</ul>\n", body, flags=re.S)
                else:
                    body = re.sub(r"\A" + re.escape(escape(base)) + ": ", "", doc([code]))
                out.append(comment_of(f"{lead}\n\n{body}"))
            elif title:
                if part:
                    out.append("/**@}*/\n")
                part = not title[1].startswith("internals")
                if part:
                    out.append(f"/** @name {escape(title[1])} */\n/**@{{*/\n")
                own = shared = None
            else:
                own = code
            continue
        if kind == "blank":
            shared = None
            continue
        if kind == "directive":
            if not code.startswith("#define"):
                continue
            name, line = define(code)
        else:
            name, line = declaration(code)
            if name is None:
                continue
        if INTERNAL.match(name):
            if own:  # it was about this
                own = shared = None
            continue
        mine = own or (None if behind else shared)
        if own:
            shared, own = own, None
        said = [c for c in (mine, behind) if c]
        if said:
            out.append("\n" + comment_of(doc(said)))
        out.append((line if kind == "directive" else hide(line)) + "\n")
        if "{" in line or line.startswith("typedef struct"):
            shared = None
    if part:
        out.append("/**@}*/\n")
    return "".join(out)


def finish(folder):
    for top, _, files in os.walk(folder):
        for name in files:
            if name.endswith((".html", ".xml", ".js")):
                path = os.path.join(top, name)
                with open(path, encoding="utf-8") as f:
                    before = f.read()
                after = show(before)
                if after != before:
                    with open(path, "w", encoding="utf-8") as f:
                        f.write(after)


if sys.argv[1] == "--finish":
    finish(sys.argv[2])
else:
    sys.stdout.write(convert(sys.argv[1]))
