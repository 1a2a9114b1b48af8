package postgrestest

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// procPollInterval is how often /proc is asked for news of a process that was sent a signal.
const procPollInterval = time.Millisecond

// childAttributes makes a command run as the owner, unless that is nil, and get a SIGQUIT when the thread that started
// it ends. On SIGQUIT a PostgreSQL server ends at once and takes its children with it; after SIGKILL they would have to
// notice.
func childAttributes(o *owner) *syscall.SysProcAttr {
	attributes := &syscall.SysProcAttr{Pdeathsig: syscall.SIGQUIT}
	if o != nil {
		attributes.Credential = &syscall.Credential{Uid: uint32(o.uid), Gid: uint32(o.gid)}
	}
	return attributes
}

// killChildren stops a process, so that it starts no more children and reaps none, and kills those it has. The function
// that it returns waits until they are gone; call it when the process itself is killed too. Children are found by their
// parent: each leads a session of its own, so a signal to the process group would reach none of them.
func killChildren(parent *os.Process) (gone func()) {
	if err := parent.Signal(syscall.SIGSTOP); err != nil {
		return func() {}
	}
	// A stopped process shows T, one that was killed meanwhile Z.
	awaitProc(func() bool { return strings.Contains("TtZX", readStat(parent.Pid).state) })
	children := childrenOf(parent.Pid)
	for _, child := range children {
		// Until its parent reaps it, which it cannot do while it is stopped, a child keeps its number.
		_ = syscall.Kill(child.pid, syscall.SIGKILL)
	}
	return func() {
		for _, child := range children {
			awaitProc(func() bool { return child.gone() })
		}
	}
}

// awaitProc returns when the condition holds, which after a SIGKILL or SIGSTOP is a matter of milliseconds.
func awaitProc(condition func() bool) {
	poll := time.NewTicker(procPollInterval)
	defer poll.Stop()
	for !condition() {
		<-poll.C
	}
}

// stat is what /proc/PID/stat says of a process, see proc_pid_stat(5).
type stat struct {
	pid    int
	state  string // a letter, "" when there is no such process
	parent int
	start  string // in clock ticks since boot; tells the process from a later one of the same number
}

// gone reports whether the process has given up its memory and files. A zombie has: it waits for its new parent, and
// the first process of a container may never look.
func (s stat) gone() bool {
	now := readStat(s.pid)
	return now.state == "" || now.start != s.start || strings.Contains("ZX", now.state)
}

func readStat(pid int) stat {
	content, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return stat{}
	}
	// The name before the last parenthesis may hold anything. After it come the fields from the third on, which is 0 here.
	fields := strings.Fields(string(content[bytes.LastIndexByte(content, ')')+1:]))
	const state, parent, start = 0, 1, 19
	if len(fields) <= start {
		return stat{}
	}
	parentPID, err := strconv.Atoi(fields[parent])
	if err != nil {
		return stat{}
	}
	return stat{pid: pid, state: fields[state], parent: parentPID, start: fields[start]}
}

func childrenOf(parent int) []stat {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var children []stat
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		if s := readStat(pid); s.state != "" && s.parent == parent {
			children = append(children, s)
		}
	}
	return children
}

// freeSharedMemory removes the few bytes of System V shared memory that mark a data directory as in use. A server that
// was killed leaves them to its successor, and after the last one they would stay until the machine restarts. Line 7 of
// postmaster.pid holds their key and id (pidfile.h in PostgreSQL's source); a server that ended in order has removed
// the file.
func freeSharedMemory(data string) {
	content, err := os.ReadFile(filepath.Join(data, "postmaster.pid"))
	if err != nil {
		return
	}
	const line = 7
	lines := strings.Split(string(content), "\n")
	if len(lines) < line {
		return
	}
	var key, id int
	if _, err := fmt.Sscan(lines[line-1], &key, &id); err == nil {
		_, _ = unix.SysvShmCtl(id, unix.IPC_RMID, nil) // there is nothing to do about an error
	}
}
