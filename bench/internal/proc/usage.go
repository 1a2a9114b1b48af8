package proc

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// clockTick is the unit of utime and stime in /proc/PID/stat: USER_HZ, which is 100 on every Linux architecture that Go
// supports (proc_pid_stat(5), sysconf(_SC_CLK_TCK)).
const clockTick = 10 * time.Millisecond

// CPU is the processor time, user and system, of all threads of a process so far (Linux).
func CPU(pid int) (time.Duration, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, fmt.Errorf("processor time: %w", err)
	}
	return parseCPU(stat)
}

// parseCPU reads fields 14 and 15, utime and stime. Field 2 is the command in parentheses and may hold anything, so
// fields are counted from its closing parenthesis.
func parseCPU(stat []byte) (time.Duration, error) {
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) < 13 {
		return 0, fmt.Errorf("processor time: stat has %d fields after the command", len(fields))
	}
	var ticks uint64
	for _, field := range fields[11:13] {
		n, err := strconv.ParseUint(field, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("processor time: %w", err)
		}
		ticks += n
	}
	return time.Duration(ticks) * clockTick, nil
}

// Memory is what a process holds in RAM, in bytes: now (VmRSS) and at its highest (VmHWM).
type Memory struct {
	Now, Peak uint64
}

// RSS reads the memory of a process (Linux).
func RSS(pid int) (Memory, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return Memory{}, fmt.Errorf("memory: %w", err)
	}
	return parseMemory(status)
}

// ResetPeak makes a process's highest memory what it holds now (Linux, proc_pid_clear_refs(5)).
func ResetPeak(pid int) error {
	if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte("5"), 0o200); err != nil {
		return fmt.Errorf("reset peak memory: %w", err)
	}
	return nil
}

// parseMemory reads the lines "VmHWM:  1234 kB" and "VmRSS:  1234 kB".
func parseMemory(status []byte) (Memory, error) {
	var m Memory
	for line := range strings.Lines(string(status)) {
		fields := strings.Fields(line)
		if len(fields) != 3 || fields[2] != "kB" {
			continue
		}
		n, err := strconv.ParseUint(fields[1], 10, 64)
		switch {
		case err != nil:
			return Memory{}, fmt.Errorf("memory: %w", err)
		case fields[0] == "VmRSS:":
			m.Now = n << 10
		case fields[0] == "VmHWM:":
			m.Peak = n << 10
		}
	}
	if m.Now == 0 || m.Peak == 0 {
		return Memory{}, fmt.Errorf("memory: status has no VmRSS and VmHWM")
	}
	return m, nil
}
