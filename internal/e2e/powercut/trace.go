// Package powercut works out what a power cut would leave of a directory of files.
//
// Killing a process proves nothing about fsync: what it wrote is in the kernel's cache and survives it. A power cut
// takes the cache with it. This package reads what a process did to a directory, as strace recorded it, and builds the
// directory as a disk might hold it if the power had failed at a given moment: what was synced by then is there, and of
// everything else any part may be, down to single sectors of a write.
//
// The rules are those of POSIX at their strictest, harder than any one file system:
//   - A write or truncation is safe once an fsync or fdatasync of its file has returned that began after it had returned.
//   - The name of a new file, and the absence of a removed one, is safe once an fsync of the directory has returned that
//     began after that. An fsync of the file itself does not save its name.
//   - Anything else may survive or not, each 512-byte sector of a write on its own, and in any order.
//
// Files whose name ends in "-shm" are left out: they are SQLite's shared memory, which it throws away when it opens a
// database after a crash. A trace with a call that changes the directory in a way that is not modelled is an error, so
// that the model cannot fall behind what the program does.
//
// It is test support: only tests import it.
package powercut

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Calls are the system calls that the trace must record, as strace -e trace= takes them: the ones that Parse knows, and
// the ones that it refuses.
var Calls = strings.Join([]string{
	"open", "openat", "creat", "write", "pwrite64", "writev", "pwritev", "pwritev2", "ftruncate", "truncate", "fallocate",
	"fsync", "fdatasync", "sync_file_range", "unlink", "unlinkat", "rename", "renameat", "renameat2", "link", "linkat",
	"symlink", "symlinkat", "copy_file_range", "sendfile", "splice", "mmap",
}, ",")

// Options are the options that strace needs beside Calls: follow threads, name the files behind descriptors, print all
// bytes as hexadecimal and whole, and leave signals out. The tracer runs aside, so that the traced process is its
// starter's own child.
var Options = []string{"-D", "-f", "--seccomp-bpf", "-y", "-xx", "-s", "16777216", "-e", "signal=none"}

// kind says what a change does.
type kind uint8

const (
	write kind = iota
	truncate
	create // a name appears, for a file that is empty
	remove // a name goes
	sync   // of a file
	syncDir
)

// change is one call that changed the directory. Began and ended are moments: numbers of lines of the trace.
type change struct {
	kind         kind
	file         *file
	offset       int64 // of write; the new size of truncate
	data         []byte
	began, ended int
	safe         int // the moment from which on a power cut cannot undo it
}

// file is a file and not a name: one that is removed and made again is another one.
type file struct{ name string }

// Sent is what the process wrote to a socket: what somebody else may know from that moment on.
type Sent struct {
	At   int // the moment
	Data []byte
}

// Trace is what a process did to a directory.
type Trace struct {
	Sent []Sent
	End  int // the moment after the last call

	changes []change
}

// never is a moment that does not come.
const never = int(^uint(0) >> 1)

// Parse reads a recording that strace made with Options and Calls of a process that began with an empty directory and
// used it by its absolute path dir.
func Parse(r io.Reader, dir string) (*Trace, error) {
	p := &parser{dir: path.Clean(dir), trace: &Trace{}, names: map[string]*file{}, unfinished: map[string]begun{}}
	lines := bufio.NewReaderSize(r, 1<<20)
	for number := 1; ; number++ {
		line, err := lines.ReadString('\n')
		if errors.Is(err, io.EOF) {
			p.trace.End = number
			p.settle()
			return p.trace, nil
		}
		if err != nil {
			return nil, err
		}
		if err := p.line(number, strings.TrimSuffix(line, "\n")); err != nil {
			return nil, fmt.Errorf("line %d: %w: %.200s", number, err, line)
		}
	}
}

// parser is the state of Parse.
type parser struct {
	dir        string
	trace      *Trace
	names      map[string]*file
	unfinished map[string]begun // by thread
}

// begun is a call that had not returned when another thread's began.
type begun struct {
	at   int
	text string
}

// line reads one line: a call, the beginning of one, or the end of one that another thread interrupted.
func (p *parser) line(number int, line string) error {
	thread, text, ok := strings.Cut(line, " ")
	if !ok {
		return errors.New("no thread")
	}
	text = strings.TrimLeft(text, " ")
	if strings.HasPrefix(text, "+++") || strings.HasPrefix(text, "---") {
		return nil
	}
	if head, ok := strings.CutSuffix(text, "<unfinished ...>"); ok {
		p.unfinished[thread] = begun{number, head}
		return nil
	}
	began := number
	if strings.HasPrefix(text, "<... ") {
		_, rest, ok := strings.Cut(text, " resumed>")
		head, known := p.unfinished[thread]
		if !ok || !known {
			return errors.New("the end of a call that did not begin")
		}
		delete(p.unfinished, thread)
		began, text = head.at, head.text+rest
	}
	return p.call(began, number, text)
}

// call reads a whole call: name(arguments) = result.
func (p *parser) call(began, ended int, text string) error {
	name, rest, ok := strings.Cut(text, "(")
	at := strings.LastIndex(rest, " = ") // the result is put into a column of its own
	if !ok || at < 0 {
		return errors.New("no call")
	}
	result := rest[at+3:]
	if strings.HasPrefix(result, "-1 ") || strings.HasPrefix(result, "?") {
		return nil // it failed, or the process ended within it
	}
	c := call{began: began, ended: ended, name: name, args: split(strings.TrimSuffix(strings.TrimRight(rest[:at], " "), ")")), result: result}
	return p.apply(c)
}

// call is a call that succeeded.
type call struct {
	began, ended int
	name         string
	args         []string
	result       string
}

// split cuts arguments at commas outside of strings, braces and brackets. With -xx no string holds a quote or a comma.
func split(text string) []string {
	var args []string
	depth, start := 0, 0
	for i := range len(text) {
		switch text[i] {
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		case ',':
			if depth == 0 {
				args = append(args, strings.TrimSpace(text[start:i]))
				start = i + 1
			}
		}
	}
	return append(args, strings.TrimSpace(text[start:]))
}

// errNotModelled refuses a call that changes the directory in a way that the model does not know.
var errNotModelled = errors.New("a call that is not modelled")

func (p *parser) apply(c call) error {
	switch c.name {
	case "open", "openat", "creat":
		return p.open(c)
	case "pwrite64":
		return p.pwrite(c)
	case "write":
		return p.write(c)
	case "ftruncate":
		return p.ftruncate(c)
	case "fsync", "fdatasync":
		return p.fsync(c)
	case "unlink", "unlinkat":
		return p.unlink(c)
	case "mmap":
		if strings.Contains(c.args[2], "PROT_WRITE") && strings.Contains(c.args[3], "MAP_SHARED") && p.touches(c) {
			return errNotModelled
		}
		return nil
	default:
		if p.touches(c) {
			return errNotModelled
		}
		return nil
	}
}

// touches reports whether an argument names something in the directory.
func (p *parser) touches(c call) bool {
	return slices.ContainsFunc(c.args, func(arg string) bool {
		for _, text := range []string{quoted(arg), descriptor(arg)} {
			if name, ok := p.inside(text); ok && name != "" {
				return true
			}
		}
		return false
	})
}

// inside gives the name of a file in the directory, "" for the directory itself. Names that are left out are outside.
func (p *parser) inside(full string) (string, bool) {
	if full == p.dir {
		return "", true
	}
	name, ok := strings.CutPrefix(full, p.dir+"/")
	return name, ok && !strings.HasSuffix(name, "-shm")
}

// quoted decodes a string argument, "" if it is none.
func quoted(arg string) string {
	if len(arg) < 2 || arg[0] != '"' {
		return ""
	}
	return string(decode(arg[1:strings.LastIndexByte(arg, '"')]))
}

// descriptor gives the path behind an argument such as 7</a/b>, "" if there is none.
func descriptor(arg string) string {
	_, rest, ok := strings.Cut(arg, "<")
	if !ok || !strings.HasSuffix(rest, ">") { // a file that was removed ends in ">(deleted)" and matters no more
		return ""
	}
	return string(decode(rest[:len(rest)-1]))
}

// decode turns \x61 into a; other bytes stay.
func decode(text string) []byte {
	out := make([]byte, 0, len(text)/4+1)
	for i := 0; i < len(text); {
		if strings.HasPrefix(text[i:], `\x`) && i+4 <= len(text) {
			out = append(out, nibble(text[i+2])<<4|nibble(text[i+3]))
			i += 4
			continue
		}
		out = append(out, text[i])
		i++
	}
	return out
}

func nibble(c byte) byte {
	if c >= 'a' {
		return c - 'a' + 10
	}
	return c - '0'
}

func (p *parser) add(c call, k kind, f *file, offset int64, data []byte) {
	p.trace.changes = append(p.trace.changes,
		change{kind: k, file: f, offset: offset, data: data, began: c.began, ended: c.ended, safe: never})
}

// open makes a file if it says so and there is none.
func (p *parser) open(c call) error {
	var text, flags string
	switch c.name {
	case "openat":
		text, flags = quoted(c.args[1]), c.args[2]
	case "creat":
		text, flags = quoted(c.args[0]), "O_CREAT|O_TRUNC"
	default:
		text, flags = quoted(c.args[0]), c.args[1]
	}
	name, ok := p.inside(text)
	if !ok || name == "" {
		return nil
	}
	if strings.Contains(flags, "O_TRUNC") || strings.Contains(flags, "O_APPEND") {
		return errNotModelled
	}
	if p.names[name] != nil || !strings.Contains(flags, "O_CREAT") {
		return nil
	}
	f := &file{name}
	p.names[name] = f
	p.add(c, create, f, 0, nil)
	return nil
}

// of finds the file behind a descriptor; nil if it is none of ours.
func (p *parser) of(arg string) (f *file, isDir bool, err error) {
	name, ok := p.inside(descriptor(arg))
	switch {
	case !ok:
		return nil, false, nil
	case name == "":
		return nil, true, nil
	case p.names[name] == nil:
		return nil, false, errors.New("a file that nobody made")
	}
	return p.names[name], false, nil
}

func (p *parser) pwrite(c call) error {
	f, _, err := p.of(c.args[0])
	if f == nil {
		return err
	}
	data := []byte(quoted(c.args[1]))
	offset, err := strconv.ParseInt(c.args[3], 10, 64)
	if err != nil {
		return err
	}
	written, err := strconv.Atoi(strings.Fields(c.result)[0])
	if err != nil || written > len(data) {
		return errors.New("the written bytes are not all recorded")
	}
	p.add(c, write, f, offset, data[:written])
	return nil
}

// write to a socket is what others get to know; to a file it would need the descriptor's position.
func (p *parser) write(c call) error {
	f, _, err := p.of(c.args[0])
	switch {
	case err != nil:
		return err
	case f != nil:
		return errNotModelled
	case strings.HasPrefix(descriptor(c.args[0]), "socket:"):
		p.trace.Sent = append(p.trace.Sent, Sent{At: c.began, Data: bytes.Clone([]byte(quoted(c.args[1])))})
	}
	return nil
}

func (p *parser) ftruncate(c call) error {
	f, _, err := p.of(c.args[0])
	if f == nil {
		return err
	}
	size, err := strconv.ParseInt(c.args[1], 10, 64)
	if err != nil {
		return err
	}
	p.add(c, truncate, f, size, nil)
	return nil
}

func (p *parser) fsync(c call) error {
	f, isDir, err := p.of(c.args[0])
	switch {
	case isDir:
		p.add(c, syncDir, nil, 0, nil)
	case f != nil:
		p.add(c, sync, f, 0, nil)
	}
	return err
}

func (p *parser) unlink(c call) error {
	text := c.args[0]
	if c.name == "unlinkat" {
		text = c.args[1]
	}
	name, ok := p.inside(quoted(text))
	if !ok || p.names[name] == nil {
		return nil
	}
	p.add(c, remove, p.names[name], 0, nil)
	delete(p.names, name)
	return nil
}

// settle finds for every change the moment from which on it is safe. A sync saves what had returned when it began.
func (p *parser) settle() {
	for i := range p.trace.changes {
		saver := &p.trace.changes[i]
		if saver.kind != sync && saver.kind != syncDir {
			continue
		}
		// Calls of one thread are in order; those of others may have begun before and returned after.
		for j := range p.trace.changes {
			saved := &p.trace.changes[j]
			if saved.began > saver.began {
				break
			}
			if saved.ended < saver.began && saver.saves(saved) {
				saved.safe = min(saved.safe, saver.ended)
			}
		}
	}
}

func (c *change) saves(other *change) bool {
	if c.kind == syncDir {
		return other.kind == create || other.kind == remove
	}
	return c.file == other.file && (other.kind == write || other.kind == truncate)
}
